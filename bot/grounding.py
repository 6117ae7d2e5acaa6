"""What a model may say: notes go in as data, and of what comes back only what a note proves stays. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from bot.numbers import is_told, numbers_in, values_of
from bot.signals import is_grounded, normalise
from storage import Interaction

MOST_NOTES = 40
"""Notes handed to a model at a time, the latest ones: aliases N1 to N40, so that the schema never changes."""

NOTE_LIMIT = 4000
"""Characters of a note that are handed over."""

_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_MENTION = re.compile(r"<[@!#][^>]*>|<[@!#]|@(?:channel|here|everyone)\b", re.I)
_MARKUP_LINK = re.compile(r"!?\[([^\]]{0,200})\]\([^)]{0,500}\)")
_ANGLE_LINK = re.compile(r"<[a-z]{2,12}:[^>]*>", re.I)
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,11}://\S+|\b(?:mailto|javascript|data|tel):\S+|\bwww\.\S+"
    # An address or a bare domain, in any alphabet; the full-width dots count between Latin labels only.
    r"|(?:[\w.+-]{1,64}@|//)?(?<![\w-])(?:[\w-]+\.|[a-z0-9-]+[。．｡](?=[a-z0-9]))+(?:[^\W\d_]{2,24}|xn--[a-z0-9-]+)(?![\w-])(?:[/:]\S*)?"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}(?:[/:]\S*)?(?![\w.])",
    re.I,
)
_FIGURES = re.compile(r"\b(?:health|score|scores|scored|rating)\b", re.I)
_PIECE = re.compile(r"&#?\w{1,31};|.", re.S)

CHARS_PER_TOKEN = 3.5
"""Characters of English per token, roughly; a character of another script is counted as a token of its own."""


@dataclass(frozen=True, slots=True)
class Handed:
    """Notes as they were handed to a model, by alias."""

    notes: Mapping[str, Interaction]

    @classmethod
    def of(cls, notes: Sequence[Interaction]) -> "Handed":
        """The latest notes under aliases, the oldest first."""
        return cls({f"N{number}": note for number, note in enumerate(notes[-MOST_NOTES:], 1)})

    def text(self) -> str:
        """The notes for a prompt: each in an element of its own that its words cannot close."""
        return "\n".join(
            f'<note id="{alias}" date="{note.occurred_at:%Y-%m-%d}" from="{"customer" if note.external else "rep"}">\n'
            f"{as_data(note.text[:NOTE_LIMIT])}\n</note>"
            for alias, note in self.notes.items()
        )

    def proof(self, cites: Sequence[str], quote: str) -> Interaction | None:
        """The cited note that holds the quote; None when none of those handed over does."""
        cited = (self.notes.get(alias) for alias in cites)
        return next((note for note in cited if note and is_proved(quote, note.text)), None)


def as_data(text: str) -> str:
    """Text that cannot end the element it stands in."""
    return cleaned(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fitted(text: str, tokens: int) -> str:
    """As data, the beginning of a text that stays under so many tokens: escaping can make it five times as long."""
    left = float(tokens)
    for kept, char in enumerate(text):
        left -= estimated(as_data(char))
        if left < 0:
            return as_data(text[:kept])
    return as_data(text)


def estimated(text: str) -> float:
    """Tokens of a text, without asking anybody."""
    plain = sum(char.isascii() for char in text)
    return plain / CHARS_PER_TOKEN + (len(text) - plain)


def cleaned(text: str) -> str:
    """Text without control, zero-width and direction characters, fillers, tags and variation selectors."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFC", text))


def spoken(text: str, sources: Sequence[Interaction], limit: int = 400) -> str:
    """A model's sentence as it may be shown: no mention, and no link or domain that the cited notes do not hold."""
    known = normalise(" ".join(note.text for note in sources))
    words, before = cleaned(text)[: 4 * limit], ""
    # Again until nothing is left to take out: "<<@U1>!channel>" is a mention once its inner one is gone, and a cut
    # can make a domain of what was none.
    while words != before:
        before, words = words, re.sub(r"\s+", " ", _without_links(words, known)).strip()[:limit]
    return words


def is_proved(quote: str, text: str) -> bool:
    """Whether a quote is words of the text as it was handed over, which is without what nobody can see."""
    return is_grounded(cleaned(quote), cleaned(text))


def verbatim(quote: str, text: str) -> str:
    """The words of the text that a grounded quote stands for, as the text has them; the cleaned quote if not found.

    A quote compares by `normalise`, so what a model gives may differ in case, dashes or hidden characters.
    """
    if quote in text:
        return quote
    flat, spans = _flat(text)
    words = normalise(cleaned(quote))
    at = flat.find(words)
    if at < 0 or not words:
        return cleaned(quote)
    return text[spans[at][0] : spans[at + len(words) - 1][1]]


def numbers_known(text: str, *sources: str) -> bool:
    """Whether each number in a text, in digits or words, is told by its sources: a model writes none of its own.

    Of health and score a note tells nothing, whatever it says: those are computed, and shown beside the text.
    """
    if _FIGURES.search(text) and numbers_in(text):
        return False
    known = frozenset[Decimal]().union(*(values_of(source) for source in sources))
    return all(is_told(number, known) for number in numbers_in(text))


@lru_cache(maxsize=16)
def _flat(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    """A text normalised piece by piece, and for each character where in the text its piece stands."""
    flat: list[str] = []
    spans: list[tuple[int, int]] = []
    for found in _PIECE.finditer(text):
        piece = cleaned(found[0])
        gap = " " if piece.isspace() and flat and flat[-1] != " " else ""
        for char in normalise(piece) or gap:
            flat.append(char)
            spans.append(found.span())
    return "".join(flat), tuple(spans)


def _without_links(text: str, known: str) -> str:
    words = _MARKUP_LINK.sub(r"\1", text)
    words = _ANGLE_LINK.sub("", _MENTION.sub("", words))
    return _LINK.sub(lambda match: match[0] if _is_known(match[0], known) else "", words)


def _is_known(link: str, known: str) -> bool:
    # A bare domain may be a name in the notes ("Booking.com"); an address that can be opened never is shown.
    bare = normalise(link.rstrip(".,;:!?"))
    whole = rf"(?<![\w.@-]){re.escape(bare)}(?![\w-]|\.\w)"
    return "://" not in link and ":" not in link and bool(re.search(whole, known))
