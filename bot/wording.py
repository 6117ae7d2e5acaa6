"""How things are said: topics, days and counts in plain English. Pure; nothing here knows a deal."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from storage import Topic

LABELS: Mapping[Topic, str] = {
    Topic.PRICING: "pricing",
    Topic.BUDGET: "budget",
    Topic.ONBOARDING: "onboarding",
    Topic.MIGRATION: "data migration",
    Topic.SECURITY: "security",
    Topic.LEGAL: "legal terms",
    Topic.INTEGRATION: "integration",
    Topic.TIMING: "timing",
    Topic.RELIABILITY: "reliability",
    Topic.AUTHORITY: "who decides",
    Topic.SUPPORT: "support",
}
"""What a topic is called when the words of the note give no closer name. OTHER has no name: its quote stands for it."""

NAMED: Mapping[Topic, tuple[str, ...]] = {
    Topic.PRICING: ("annual pricing", "quarterly billing", "annual billing", "payment terms", "per-seat price"),
    Topic.ONBOARDING: (
        "onboarding timeline",
        "onboarding speed",
        "implementation timeline",
        "implementation",
        "rollout",
    ),
    Topic.MIGRATION: ("data migration",),
    Topic.SECURITY: ("data residency", "security review", "penetration test", "SOC 2"),
    Topic.LEGAL: ("liability", "data processing agreement", "contract terms"),
    Topic.RELIABILITY: ("API reliability", "uptime", "downtime", "outages", "latency"),
    Topic.SUPPORT: ("response times", "support hours"),
}
"""Closer names, the first one found in the quote is used as the customer's note has it."""

QUOTE_LIMIT = 160
"""Characters of a note shown as proof when no signal marks the words: about one sentence."""

TOPIC_LIMIT = 60
"""Characters of a quote that stands in for a topic without a name."""

_SENTENCE = re.compile(r".+?(?:[.!?](?=\s|$)|\n|$)", re.S)


def topic_words(topic: Topic, quote: str) -> str:
    """What it is about, in the words of the note where they name it: "API reliability" rather than "reliability"."""
    for name in NAMED.get(topic, ()):
        found = re.search(rf"\b{re.escape(name)}\b", quote, re.I)
        if found:
            return found[0]
    return LABELS.get(topic) or f"“{clipped(quote, TOPIC_LIMIT)}”"


def clipped(text: str, limit: int = QUOTE_LIMIT) -> str:
    """The beginning of a text up to a word's end: verbatim, so that it still can be found in its note."""
    if len(text) <= limit:
        return text
    head = text[: limit + 1]
    return (head.rsplit(None, 1)[0] if re.search(r"\s", head.strip()) else head[:limit]).rstrip()


def first_sentence(text: str) -> str:
    """The first sentence of a note, verbatim, at most `QUOTE_LIMIT` characters."""
    found = _SENTENCE.search(text.strip())
    return clipped(found[0].strip()) if found else ""


def day_words(day: date, today: date) -> str:
    """ "22 May"; with the year when it is another year than today's."""
    month = (
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    )[day.month - 1]  # fmt: skip
    return f"{day.day} {month}" + (f" {day.year}" if day.year != today.year else "")


def counted(number: int, noun: str, plural: str = "") -> str:
    """ "1 day", "7 days"."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def listed(words: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"; the same words twice are said once."""
    once = list(dict.fromkeys(words))
    return " and ".join([", ".join(once[:-1]), once[-1]] if len(once) > 1 else once)


def capital(text: str) -> str:
    """The text with a capital first letter; the rest as it was (not `str.capitalize`, which lowers "API")."""
    return text[:1].upper() + text[1:]


_COMMON = frozenset(
    """about after again also been before call called could does done email from give have into just like more need
    next note only over promised said sent share shared should that their them then there they this until wants week
    were what when which will with would your they're we'll please team customer""".split()
)
_WORD = re.compile(r"[^\W_]{4,}")


def stems(text: str) -> frozenset[str]:
    """The words that carry meaning, cut to six letters, so that "migrating" meets "migration"."""
    return frozenset(word[:6] for word in _WORD.findall(text.casefold()) if word not in _COMMON)


def best_match(text: str, candidates: Sequence[str]) -> int | None:
    """Index of the candidate that shares most words with the text, the later of equals; None when none shares any."""
    wanted = stems(text)
    scored = [(len(wanted & stems(candidate)), index) for index, candidate in enumerate(candidates)]
    shared, index = max(scored, default=(0, -1))
    return index if shared else None
