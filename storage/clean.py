"""What comes in is cleaned once, here: text both databases can hold, names as they compare, times as aware UTC."""

import re
import unicodedata
from datetime import UTC, date, datetime

from storage.errors import BadPayload, EmptyNote, NoteTooLong

NOTE_LIMIT = 40_000
"""Characters of a note: what a Slack message can hold."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SPACES = re.compile(r"\s+")


def clean_text(text: str) -> str:
    """Text without the characters that break a database or a terminal (NUL, controls, lone surrogates)."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def clean_line(text: str, limit: int = 200) -> str:
    """One line for a name or a title."""
    return _SPACES.sub(" ", clean_text(text)).strip()[:limit]


def note_text(text: str) -> str:
    """A note's words as they are kept. Raises EmptyNote or NoteTooLong; nothing is cut silently."""
    words = clean_text(text).strip()
    if not words:
        raise EmptyNote
    if len(words) > NOTE_LIMIT:
        raise NoteTooLong(len(words), NOTE_LIMIT)
    return words


def name_key(name: str) -> str:
    """A name as it compares: case, accents, width and punctuation do not count."""
    bare = unicodedata.normalize("NFKD", clean_line(name)).casefold()
    kept = "".join(c if c.isalnum() else " " for c in bare if not unicodedata.combining(c))
    return _SPACES.sub(" ", kept).strip()


def moment(value: object, field: str) -> datetime:
    """An ISO 8601 time as aware UTC; a time without a zone is taken as UTC, a bare day as its noon.

    Noon, because a day without an hour must be the same day in every zone a team is likely to sit in.
    """
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        parsed = datetime.fromisoformat(str(value).strip())
    except ValueError as error:
        raise BadPayload(f"{field} is not an ISO 8601 date or time.") from error
    if len(str(value).strip()) <= 10:
        parsed = parsed.replace(hour=12)
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def day(value: object, field: str) -> date:
    """A calendar day from an ISO 8601 date or time."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    return moment(value, field).date()
