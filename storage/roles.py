"""Who is meant by a role: "the lawyer" is Klaus, when Klaus is on record as Legal Counsel. Pure.

Notes call people by name, questions by what they do. A role in a question is a trade ("finance", "nursing") beside a
rank ("chief", "head"), or a word that is both ("cfo", "counsel").
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from storage import lexicon

_TRADES: Mapping[str, str] = {
    "finance": "finance financial treasurer treasury controller accounting accountant money purse bursar budget",
    "legal": "legal law contracts compliance",
    "technology": "it tech technology technical systems infrastructure information digital software data",
    "security": "security infosec privacy protection cyber",
    "operations": "operations operational ops logistics dispatch fleet transport production plant manufacturing",
    "delivery": "delivery shipping distribution warehouse depot supply",
    "nursing": "nursing nurse ward",
    "medical": "medical clinical physician doctor",
    "people": "hr human people personnel talent workforce",
    "procurement": "procurement purchasing sourcing buying buyer vendor",
    "sales": "sales commercial revenue",
    "marketing": "marketing brand communications communication",
    "maintenance": "maintenance network field engineering engineer technicians works",
    "union": "union council labour labor steward staff",
    "service": "support service customer helpdesk guest",
    "product": "product programme program project",
    "quality": "quality audit risk",
    "research": "research science scientific lab laboratory",
    "teaching": "teaching faculty academic education students registrar",
    "claims": "claims underwriting actuarial",
    "facilities": "facilities facility estate property building buildings",
    "online": "ecommerce e-commerce online web shop",
}
_PEOPLE: Mapping[str, str] = {
    "cfo": "finance", "treasurer": "finance", "controller": "finance", "accountant": "finance", "bursar": "finance",
    "cio": "technology", "cto": "technology", "techie": "technology", "techies": "technology",
    "ciso": "security", "dpo": "security",
    "coo": "operations", "dispatcher": "operations",
    "cno": "nursing", "nurse": "nursing", "matron": "nursing", "cmo": "marketing",
    "chro": "people", "buyer": "procurement", "purchaser": "procurement", "cro": "sales",
    "lawyer": "legal", "lawyers": "legal", "counsel": "legal", "attorney": "legal", "solicitor": "legal",
    "ceo": "top", "founder": "top", "owner": "top", "president": "top", "md": "top",
    "doctor": "medical", "physician": "medical", "engineer": "maintenance",
    "registrar": "teaching", "dean": "teaching", "provost": "teaching", "professor": "teaching",
}  # fmt: skip
"""Words that name a person by trade alone."""

_RANKS = frozenset(
    """chief head director boss manager lead leader vp officer president executive person people guy man woman lady team
    side folks department dept chap representative representatives rep reps contact specialist coordinator sponsor
    champion supervisor superintendent partner principal""".split()
)
_TRADE_OF = {lexicon.stem(word): trade for trade, words in _TRADES.items() for word in words.split()}


def meant(question: str, people: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The names among `people` (name, role) whom the question calls by their role. Those named as well are left out."""
    asked = _called(lexicon.words(question))
    return tuple(name for name, role in people if role and not asked.isdisjoint(_trades(role)))


@lru_cache(maxsize=4096)
def _trades(role: str) -> frozenset[str]:
    """The trades of a role on record."""
    words = lexicon.words(role)
    return frozenset(_known(words)) | {_PEOPLE[word] for word in words if word in _PEOPLE}


def _called(words: list[str]) -> frozenset[str]:
    """The trades a question calls somebody by: a person's word, or a trade beside a rank ("head of nursing")."""
    found = {_PEOPLE[word] for word in words if word in _PEOPLE}
    for place, word in enumerate(words):
        if word in _RANKS:
            after = words[place + 2 : place + 4] if words[place + 1 : place + 2] == ["of"] else []
            found |= set(_known(words[max(0, place - 2) : place] + after))
    return frozenset(found)


def _known(words: Iterable[str]) -> Iterable[str]:
    return (_TRADE_OF[stem] for word in words if (stem := lexicon.stem(word)) in _TRADE_OF)
