"""Splits a note into its passages: lines, bullets and sentences, merged or cut to sane sizes. Pure.

A passage is what a question matches best: one thing somebody said. Turns of a transcript are lines, so a transcript
splits into its turns. The passages of a note never overlap and together hold all its words.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

Span = tuple[int, int]

MIN_CHARS = 25
"""Shorter pieces ("Thanks.", "- ok") join a neighbour of the same line: alone they match everything and nothing."""

MAX_CHARS = 600
"""About 150 tokens. A longer piece (prose without full stops) is cut at a comma or a space."""

MAX_PASSAGES = 400
"""Under the 1,023 that a point id can hold; the passages of a longer note grow instead of multiplying."""

_ABBREVIATIONS = frozenset(
    """mr mrs ms dr prof st sr jr inc ltd co corp llc plc gmbh vs etc e.g i.e eg ie approx no nos dept est fig ca cf ext
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun
    a.m p.m u.s u.k""".split()
)
_LINE = re.compile(r"[^\r\n]+")
_BULLET = re.compile(r"\s*(?:[-*•–—]+|\d{1,2}[.)])?\s*")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s+(?=[\"'“‘(\[]?[A-Z0-9$€£@#*])")
_TURN = re.compile(r"\s*[A-Z][\w.'’-]*(?: [A-Z][\w.'’-]*){0,3}(?: \([^)\n]{1,20}\))?:\s")
_LAST_WORD = re.compile(r"([\w.]+)[.]$")


@lru_cache(maxsize=1024)
def split(text: str) -> tuple[str, ...]:
    """The passages of a note, in order. A note of one sentence gives one passage, an empty note none."""
    return tuple(text[start:end] for start, end in spans(text))


def spans(text: str) -> tuple[Span, ...]:
    """Where the passages lie: half-open character ranges (start, end) of `text`, ordered and disjoint."""
    pieces = [piece for line in _LINE.finditer(text) for piece in _of_line(text, line.start(), line.end())]
    return tuple(_thinned(pieces))


def _of_line(text: str, start: int, end: int) -> list[Span]:
    return _merged([cut for sentence in _sentences(text, start, end) for cut in _cuts(text, *sentence)])


def _sentences(text: str, start: int, end: int) -> Iterator[Span]:
    if _TURN.match(text, start, end):  # one turn is one passage: its later sentences would lose their speaker
        yield from _trimmed(text, start, end)
        return
    bullet = _BULLET.match(text, start, end)
    begin = bullet.end() if bullet else start
    for stop in _SENTENCE_END.finditer(text, begin, end):
        if not _is_abbreviation(text[begin : stop.start() + 1]):
            yield from _trimmed(text, begin, stop.end())
            begin = stop.end()
    yield from _trimmed(text, begin, end)


def _is_abbreviation(sentence: str) -> bool:
    word = _LAST_WORD.search(sentence[-24:])  # no abbreviation is longer, and a search from the start is slow
    return word is not None and (len(word[1]) == 1 or word[1].lower() in _ABBREVIATIONS)


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def _cuts(text: str, start: int, end: int) -> Iterator[Span]:
    """Pieces of at most MAX_CHARS, cut after the last comma or space that fits."""
    while end - start > MAX_CHARS:
        window = text[start : start + MAX_CHARS]
        at = max(window.rfind(", ") + 1, window.rfind("; ") + 1)
        at = at if at > MAX_CHARS // 2 else window.rfind(" ")
        at = at if at > 0 else MAX_CHARS
        yield from _trimmed(text, start, start + at)
        start += at
    yield from _trimmed(text, start, end)


def _merged(pieces: list[Span]) -> list[Span]:
    """Joins a piece under MIN_CHARS to the one before it, or to the next when it opens the line."""
    joined: list[Span] = []
    for start, end in pieces:
        if joined and (end - start < MIN_CHARS or joined[-1][1] - joined[-1][0] < MIN_CHARS):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _thinned(pieces: list[Span]) -> Iterator[Span]:
    """At most MAX_PASSAGES, by joining runs of neighbours."""
    run = -(-len(pieces) // MAX_PASSAGES) or 1
    for i in range(0, len(pieces), run):
        group = pieces[i : i + run]
        yield group[0][0], group[-1][1]
