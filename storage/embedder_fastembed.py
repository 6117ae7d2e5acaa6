"""Embedder over fastembed: the bundled all-MiniLM-L6-v2, or any other of its models by name.

The bundled model pools late: a note goes through it whole, and each passage's vector is the mean over that passage's
own tokens. A passage so knows its note ("it" is the contract named a sentence before), and passages cost nothing extra.

The model is quantised to int8 with scales taken from whatever is in the run, so texts that share a run blur each other
(mean cosine 0.992 to their own vectors, 0.957 at worst). Hence one window of one note per run: the same words always
give the same vector. On CPUs it is as fast as batches: there is no padding, and what is worked on stays in cache.
"""

import hashlib
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from storage.embedder import Matrix, Vector, unit
from storage.errors import ModelMissing

if TYPE_CHECKING:
    from fastembed import TextEmbedding

BUNDLED = "rapport/all-MiniLM-L6-v2-int8"
BUNDLED_FOLDER = Path(__file__).parent / "model"
SUMS = "SHA256SUMS"

DIMS = 384
WINDOW = 254
"""Tokens of a note in one run; with [CLS] and [SEP] the 256 the model was trained for."""

INLINE = 2
"""So few notes are embedded in the caller's thread; more are spread over the cores."""

POLITENESS = 10
"""Niceness of the threads that embed in bulk, so that a question beside them gets a core at once (Linux only)."""

_registering = threading.Lock()

_Span = tuple[int, int, int]


class FastembedEmbedder:
    """Embeds with the bundled model, or with the fastembed model named `model` (which fastembed may download).

    `model_dir` holds the bundled model's files when they lie elsewhere; `threads` is how many notes are embedded at a
    time, by default one per core. Raises ModelMissing when the model cannot be loaded.
    """

    def __init__(self, model: str | None = None, model_dir: Path | None = None, threads: int | None = None) -> None:
        self._model: _Model = _Named(model) if model else _Bundled(model_dir or BUNDLED_FOLDER)
        self._threads = threads or _cores()

    @property
    def signature(self) -> str:
        return self._model.signature

    @property
    def dims(self) -> int:
        return self._model.dims

    def question(self, text: str) -> Vector:
        return self._model.question(_utf8(text))

    def notes(self, notes: Sequence[Sequence[str]]) -> list[Matrix]:
        clean = [[_utf8(passage) for passage in passages] for passages in notes]
        if len(clean) <= INLINE or self._threads == 1:
            return [self._model.note(passages) for passages in clean]
        # A pool for each call: two callers then share the cores, and the smaller one does not queue behind the other.
        with ThreadPoolExecutor(self._threads, thread_name_prefix="embed", initializer=_yield_to_others) as lanes:
            return list(lanes.map(self._model.note, clean))

    def close(self) -> None:
        """Nothing to do: the session goes with this object, and no thread or file is held."""


class _Model(Protocol):
    @property
    def signature(self) -> str: ...

    @property
    def dims(self) -> int: ...

    def question(self, text: str) -> Vector: ...

    def note(self, passages: Sequence[str]) -> Matrix: ...


class _Bundled:
    """Late pooling over the bundled model's token vectors."""

    dims = DIMS

    def __init__(self, folder: Path) -> None:
        digest = _verified(folder)
        self.signature = f"{BUNDLED} {digest[:12]} late-1"
        try:
            model = _load_bundled(folder).model
            self._session: Any = model.model  # type: ignore[attr-defined]  # fastembed's base class leaves it out
            self._tokenizer: Any = model.tokenizer  # type: ignore[attr-defined]  # as above
        except Exception as error:  # fastembed, tokenizers and onnxruntime share no error class
            raise ModelMissing(f"The embedding model in {folder} cannot be loaded: {_first_line(error)}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._start: int = self._tokenizer.token_to_id("[CLS]")
        self._end: int = self._tokenizer.token_to_id("[SEP]")

    def question(self, text: str) -> Vector:
        whole: Vector = self.note([text])[0]
        return whole

    def note(self, passages: Sequence[str]) -> Matrix:
        tokens = [self._tokenizer.encode(passage, add_special_tokens=False).ids for passage in passages]
        sums = np.zeros((1 + len(tokens), DIMS), np.float32)
        for window, spans in _windows(tokens):
            vectors = self._run(window)
            sums[0] += vectors.sum(axis=0)
            for row, start, end in spans:
                sums[row] += vectors[start:end].sum(axis=0)
        sums[~sums.any(axis=1)] = sums[0]  # a passage of which the tokenizer leaves nothing
        # The direction of a sum is the direction of its mean, so nothing needs dividing.
        return unit(sums if len(tokens) > 1 else sums[:1])

    def _run(self, window: Sequence[int]) -> Matrix:
        ids = np.array([[self._start, *window, self._end]], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        vectors: Matrix = self._session.run(None, feed)[0][0]
        return vectors


class _Named:
    """Any other fastembed model: each passage and the whole note are embedded for themselves, as the model pools."""

    def __init__(self, name: str) -> None:
        try:
            self._embedding = _load(name)
            self.dims = self._embedding.embedding_size
        except Exception as error:  # fastembed, its downloader and onnxruntime share no error class
            raise ModelMissing(f"The embedding model '{name}' cannot be loaded: {_first_line(error)}") from error
        self.signature = f"{name} {self.dims} {_fastembed_version()} single-1"

    def question(self, text: str) -> Vector:
        return unit(_rows(self._embedding.query_embed(text))[0])

    def note(self, passages: Sequence[str]) -> Matrix:
        grains = [" ".join(passages), *(passages if len(passages) > 1 else ())]
        # One text per run, for the reason given at the top: most small models are quantised.
        return unit(_rows(self._embedding.passage_embed(grains, batch_size=1)))


def _windows(passages: Sequence[Sequence[int]]) -> Iterator[tuple[list[int], list[_Span]]]:
    """Runs of at most WINDOW tokens, cut between passages, and where in a run each passage lies.

    A span is (row of the passage, start, end), counted with [CLS] in front. Only a passage longer than a window is cut.
    """
    window: list[int] = []
    spans: list[_Span] = []
    for row, tokens in enumerate(passages, start=1):
        for start in range(0, len(tokens), WINDOW):
            piece = tokens[start : start + WINDOW]
            if len(window) + len(piece) > WINDOW:
                yield window, spans
                window, spans = [], []
            spans.append((row, 1 + len(window), 1 + len(window) + len(piece)))
            window += piece
    yield window, spans


def _rows(vectors: Iterable[NDArray[Any]]) -> Matrix:
    return np.stack([np.asarray(vector, np.float32) for vector in vectors])


def _load_bundled(folder: Path) -> "TextEmbedding":
    from fastembed import TextEmbedding
    from fastembed.common.model_description import ModelSource, PoolingType

    with _registering:
        if all(known["model"] != BUNDLED for known in TextEmbedding.list_supported_models()):
            TextEmbedding.add_custom_model(
                model=BUNDLED,
                pooling=PoolingType.MEAN,
                normalization=True,
                sources=ModelSource(hf=BUNDLED),  # never asked: the path below is given
                dim=DIMS,
                model_file="model.onnx",
            )
    # The folder is also named as the cache, which fastembed would else create in the system's temporary folder.
    return _load(BUNDLED, specific_model_path=str(folder), cache_dir=str(folder), local_files_only=True)


def _load(name: str, **options: Any) -> "TextEmbedding":
    from fastembed import TextEmbedding

    # With one thread a run stays in its caller's thread: as many run at a time as there are callers, and nobody spins.
    return TextEmbedding(name, threads=1, **options)


def _fastembed_version() -> str:
    import fastembed

    return f"fastembed-{fastembed.__version__}"


def _verified(folder: Path) -> str:
    """Hold the files against their checksums; returns the model's own."""
    try:
        digests = dict(line.split()[::-1] for line in (folder / SUMS).read_text().splitlines())
        for name, expected in digests.items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != expected:
                raise ModelMissing(f"The embedding model's file {folder / name} is damaged. Reinstall Rapport.")
    except (OSError, ValueError) as error:
        missing = getattr(error, "filename", None) or folder / SUMS
        raise ModelMissing(f"The embedding model's file {missing} cannot be read. Reinstall Rapport.") from error
    return digests["model.onnx"]


def _utf8(text: str) -> str:
    """The text without lone surrogates, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode()


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _yield_to_others() -> None:
    if sys.platform == "linux":  # elsewhere niceness belongs to the process, not to the thread
        with suppress(OSError):  # a sandbox may forbid it; embedding goes on all the same
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), POLITENESS)
