"""What a model may say: notes go in as data, and of what comes back only what a note proves stays. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.signals import is_grounded, normalise
from storage import Interaction

MOST_NOTES = 40
"""Notes handed to a model at a time, the latest ones: aliases N1 to N40, so that the schema never changes."""

NOTE_LIMIT = 4000
"""Characters of a note that are handed over."""

_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]"
)
_MENTION = re.compile(r"<[@!#][^>]{0,80}>|@(?:channel|here|everyone)\b", re.I)
_MARKUP_LINK = re.compile(r"!?\[([^\]]{0,200})\]\([^)]{0,500}\)")
_ANGLE_LINK = re.compile(r"<[a-z]{2,12}:[^>]{0,500}>", re.I)
_LINK = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,11}://\S+|\b(?:mailto|javascript|data|tel):\S+|\bwww\.\S+"
    r"|\b(?:[a-z0-9-]+\.)+(?:[a-z]{2,24})(?:/\S*)?(?=$|[\s,;:!?)\]>\"'.])",
    re.I,
)


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
        return next((note for note in cited if note and is_grounded(quote, note.text)), None)


def as_data(text: str) -> str:
    """Text that cannot end the element it stands in."""
    return cleaned(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cleaned(text: str) -> str:
    """Text without control, zero-width and direction characters."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFC", text))


def spoken(text: str, sources: Sequence[Interaction], limit: int = 400) -> str:
    """A model's sentence as it may be shown: no mention, and no link or domain that the cited notes do not hold."""
    words = _MARKUP_LINK.sub(r"\1", cleaned(text))
    words = _ANGLE_LINK.sub("", _MENTION.sub("", words))
    known = normalise(" ".join(note.text for note in sources))
    words = _LINK.sub(lambda match: match[0] if _is_known(match[0], known) else "", words)
    return re.sub(r"\s+", " ", words).strip()[:limit]


def _is_known(link: str, known: str) -> bool:
    # A bare domain may be a name in the notes ("Booking.com"); an address that can be opened never is shown.
    return "://" not in link and ":" not in link and normalise(link.rstrip(".,;:!?")) in known
