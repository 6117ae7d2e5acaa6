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

ENGLISH = "en"
LANGUAGES: Mapping[str, tuple[str, str]] = {
    ENGLISH: ("English", "English"),
    "de": ("Deutsch", "German"),
    "fr": ("Français", "French"),
    "es": ("Español", "Spanish"),
    "it": ("Italiano", "Italian"),
    "pt": ("Português", "Portuguese"),
    "nl": ("Nederlands", "Dutch"),
    "sv": ("Svenska", "Swedish"),
    "pl": ("Polski", "Polish"),
    "tr": ("Türkçe", "Turkish"),
    "ja": ("日本語", "Japanese"),
}
"""Languages that a form offers for days, each by its own name and the English one. Typed, any that CLDR has will do."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

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


def day_words(day: date, today: date, language: str = ENGLISH) -> str:
    """ "22 May"; with the year when it is another year than today's."""
    if day.year != today.year:
        return full_day(day, language)
    return f"{day.day} {_MONTHS[day.month - 1]}" if language == ENGLISH else _in_language(day, "MMMd", language)


def full_day(day: date, language: str = ENGLISH) -> str:
    """ "22 May 2026"."""
    if language == ENGLISH:
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return _in_language(day, "yMMMd", language)


def language_named(text: str) -> str:
    """The code of a language by its code or its own or English name ("de", "Deutsch", "German"); "" when unknown."""
    from babel.core import Locale, UnknownLocaleError

    for code, names in LANGUAGES.items():
        if text.casefold() in {code, *(name.casefold() for name in names)}:
            return code
    try:
        return str(Locale.parse(text.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        return ""


def _in_language(day: date, skeleton: str, language: str) -> str:
    from babel.dates import format_skeleton

    return format_skeleton(skeleton, day, locale=language)


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
