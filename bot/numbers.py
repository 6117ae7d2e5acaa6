"""The numbers in a text, in digits or in words, as values: "20k", "twenty thousand" and "20,000" are one. Pure.

Ordinals count ("third quarter" is the 3 of Q3), and a span of time also as its days or months ("two weeks" is 14 days).
What is no amount does not count: "one of them", "first", "second", "third-party", "two things".
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = (
    "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth"
    " sixteenth seventeenth eighteenth nineteenth twentieth"
).split()

_UNITS_NTH = ["first", "second", *_ORDINALS[:7]]

_SMALL: Mapping[str, int] = {
    **{word: value for value, word in enumerate(_ONES)},
    **{word: 10 * tens for tens, word in enumerate(_TENS, 2)},
}
_NTH: Mapping[str, int] = {**{word: value for value, word in enumerate(_ORDINALS, 3)}, "thirtieth": 30}
_TIMES: Mapping[str, int] = {
    "twice": 2, "thrice": 3, "double": 2, "doubles": 2, "doubled": 2, "doubling": 2, "triple": 3, "triples": 3,
    "tripled": 3, "tripling": 3, "fortnight": 14, "fortnights": 14, "tenfold": 10,
}  # fmt: skip
_MAGNITUDE: Mapping[str, int] = {
    "dozen": 12, "hundred": 100, "thousand": 1000, "grand": 1000, "k": 1000, "million": 10**6, "mio": 10**6,
    "mn": 10**6, "m": 10**6, "billion": 10**9, "bn": 10**9, "lakh": 10**5, "crore": 10**7,
}  # fmt: skip
_COUNTED = frozenset(("dozen", "hundred", "thousand", "million", "billion", "lakh", "crore"))
"""What can follow an "a": "a grand" is a piano as often as not."""
_VAGUE: Mapping[str, int] = {
    "dozens": 12, "hundreds": 100, "thousands": 1000, "millions": 10**6, "billions": 10**9, "lakhs": 10**5,
}  # fmt: skip
_SPANS: Mapping[str, int] = {"week": 7, "weeks": 7, "year": 12, "years": 12, "quarters": 3, "hour": 60, "hours": 60}
"""Into the next smaller unit that people count in: days, months, minutes."""

_MEASURED = frozenset(
    "percent day days week weeks month months quarter quarters year years hour hours minute minutes seat seats"
    " user users licence licences license licenses dollar dollars euro euros pound pounds".split()
)
"""What makes an amount of "one": alone it is a pronoun as often as not."""

_RHETORIC = frozenset("thing things point points side sides part parts way ways front fronts reason reasons".split())
"""Two of these are no figure of the deal: they announce what follows."""

_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+|%")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?\Z")
_DOTTED = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?\Z")
"""As half of Europe writes twenty thousand: 20.000."""
_WHOLE = re.compile(rf"\d+(?:[.,]\d+)?\Z|{_THOUSANDS.pattern}|{_DOTTED.pattern}")
_EACH = re.compile(r"\b(?:an?|per|each|every) (day|week|month|quarter|year|hour|minute)\b")
_Token = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Number:
    """A number as a text has it. `values` are what it may stand for; with `at_least` it is "hundreds of"."""

    text: str
    values: frozenset[Decimal]
    at_least: bool = False


def numbers_in(text: str) -> tuple[Number, ...]:
    """All numbers of a text, in its order."""
    flat = unicodedata.normalize("NFKC", text).replace("⁄", "/").casefold()
    tokens = [token for found in _TOKEN.finditer(flat) for token in _split(found)]
    return tuple(_read(tokens))


def is_told(number: Number, known: frozenset[Decimal]) -> bool:
    """Whether a number is among known values, or what it counts in the plural is reached by one of them."""
    if number.at_least:
        return any(value >= least for value in known for least in number.values)
    return bool(number.values & known)


def values_of(text: str) -> frozenset[Decimal]:
    """Every value that a text tells, also the parts of what may be a day ("1.7."), and the one of "a week"."""
    told = {value for number in numbers_in(text) for value in number.values}
    for found in re.findall(r"\d+(?:[.,]\d+)*", unicodedata.normalize("NFKC", text)):
        told |= set() if _THOUSANDS.match(found) else {Decimal(part) for part in re.findall(r"\d+", found)}
    for unit in _EACH.findall(text.casefold()):
        told |= {Decimal(1), Decimal(_SPANS.get(unit, 1))}
    return frozenset(told)


def _split(found: re.Match[str]) -> Iterator[_Token]:
    """One token, or one for each part of what is neither a decimal nor has thousands: "1.7.2026", "10:30"."""
    if not found[0][0].isdigit() or _WHOLE.match(found[0]):
        yield found[0], *found.span()
    else:
        for part in re.finditer(r"\d+", found[0]):
            yield part[0], found.start() + part.start(), found.start() + part.end()


def _read(tokens: list[_Token]) -> Iterator[Number]:
    at = 0
    while at < len(tokens):
        number, used = _number(tokens, at)
        if number:
            yield number
        at += used


def _number(tokens: list[_Token], at: int) -> tuple[Number | None, int]:
    """The number that begins at a token, and how many tokens it takes; None and 1 where none does."""
    word = tokens[at][0]
    after = tokens[at + 1][0] if at + 1 < len(tokens) else ""
    if word in _VAGUE:
        return Number(word, frozenset({Decimal(_VAGUE[word])}), at_least=True), 1
    if word in _TIMES:
        return (None if after.startswith("check") else Number(word, frozenset({Decimal(_TIMES[word])}))), 1
    if word in _NTH:
        is_amount = not after.startswith("part") and (at == 0 or tokens[at - 1][0] != "a")
        return (Number(word, frozenset({Decimal(_NTH[word])})) if is_amount else None), 1
    if word in _TENS and after in _UNITS_NTH:
        return Number(f"{word} {after}", frozenset({Decimal(_SMALL[word] + _UNITS_NTH.index(after) + 1)})), 2
    amount, used = _amount(tokens, at)
    if amount is None:
        return None, 1
    return _measured(tokens, at, amount, used)


def _measured(tokens: list[_Token], at: int, amount: Decimal, used: int) -> tuple[Number | None, int]:
    """An amount with the unit behind it; None where it is no amount of anything."""
    words = " ".join(token[0] for token in tokens[at : at + used])
    behind = [token[0] for token in tokens[at + used : at + used + 2]]
    unit = behind[-1] if words == "half" and behind[:1] in (["a"], ["an"]) else "".join(behind[:1])
    if words == "a" or (words == "one" and unit not in _MEASURED) or words == "zero":
        return None, used
    if words in ("two", "three") and unit in _RHETORIC:
        return None, used
    values = {amount}
    if unit in _SPANS:
        values.add(amount * _SPANS[unit])
    if words == "half":
        values.add(Decimal(50))
    return Number(words, frozenset(values)), used


def _amount(tokens: list[_Token], at: int) -> tuple[Decimal | None, int]:
    """Digits or words with the magnitudes behind them: "20k", "two hundred and fifty", "one and a half million"."""
    total, group, end = Decimal(0), None, at
    while end < len(tokens):
        word = tokens[end][0]
        if word in _MAGNITUDE and _follows(tokens, end, word):
            if group is None and total == 0:
                break
            group = Decimal(1) if group is None else group
            if _MAGNITUDE[word] >= 1000 or word == "dozen":
                total, group = total + group * _MAGNITUDE[word], None
            else:
                group *= _MAGNITUDE[word]
        elif (value := _part(tokens, end, group)) is not None:
            group = value + (group or 0)
        elif not _joins(tokens, end, at):
            break
        end += 1
    if group is None and total == 0:
        return None, 1
    return total + (group or 0), max(end - at, 1)


def _part(tokens: list[_Token], at: int, group: Decimal | None) -> Decimal | None:
    """What a token adds to a number; None when it begins another one, or none."""
    word = tokens[at][0]
    if word[0].isdigit():
        return _digits(word) if group is None else None
    if word == "half":
        if at and tokens[at - 1][0] in ("first", "second", "other"):
            return None
        return Decimal("0.5") if group is None or tokens[at - 1][0] in ("a", "and") else None
    if word in ("a", "an"):
        return Decimal(1) if group is None and _next(tokens, at) in _COUNTED else None
    if word not in _SMALL:
        return None
    value = Decimal(_SMALL[word])
    # "twenty five" is one number, "five twenty" are two.
    fits = group is None or (group % 100 == 0 and group > 0) or (group % 10 == 0 and group % 100 >= 20 and value < 10)
    return value if fits else None


def _joins(tokens: list[_Token], at: int, start: int) -> bool:
    """Whether a word holds a number together: "hundred AND fifty", "half A million", "one and A half"."""
    if at == start:
        return False
    word, before, after = tokens[at][0], tokens[at - 1][0], _next(tokens, at)
    if word == "and":
        is_more = after in _SMALL and before in ("hundred", "thousand", "million", "billion")
        return is_more or (after == "a" and at + 2 < len(tokens) and tokens[at + 2][0] == "half")
    return word == "a" and ((before == "half" and after in _MAGNITUDE) or (before == "and" and after == "half"))


def _follows(tokens: list[_Token], at: int, word: str) -> bool:
    """Whether a magnitude belongs to what is before it: "20k" and "20 thousand", but not "20 m" or "5 k"."""
    if at == 0:
        return False
    before, _, end = tokens[at - 1]
    is_glued = tokens[at][1] == end
    return is_glued and before[0].isdigit() if len(word) == 1 else True


def _next(tokens: list[_Token], at: int) -> str:
    return tokens[at + 1][0] if at + 1 < len(tokens) else ""


def _digits(word: str) -> Decimal:
    if _THOUSANDS.match(word):
        return Decimal(word.replace(",", ""))
    if _DOTTED.match(word):
        return Decimal(word.replace(".", "").replace(",", "."))
    return Decimal(word.replace(",", "."))
