"""Asking: briefs, recall and timelines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.deal import read_deal
from bot.desk.base import Base, Viewer
from bot.health import assess
from bot.scribe import Brief, Claim
from storage import Facts, Found, Hit, Interaction, Kind, Resolved, Signal, TeamMemory
from storage.errors import BadInput, UnknownAccount

RECALL_USAGE = "Say who and what, for example: Acme Corp: what pricing objections came up?"

OBJECTIONS, PROMISES, REST = "Objections", "Promises and next steps", "Also on record"
_ASKING = frozenset(
    ("what", "when", "which", "who", "whose", "why", "where", "how", "did", "does", "are", "were", "any")
)
"""A question that begins with one of these begins with no name, however alike some name is."""
_GROUP_OF = {
    Kind.OBJECTION: OBJECTIONS,
    Kind.BUDGET_BLOCKED: OBJECTIONS,
    Kind.COMPETITOR: OBJECTIONS,
    Kind.COMMITMENT_BY_US: PROMISES,
    Kind.COMMITMENT_BY_THEM: PROMISES,
    Kind.NEXT_STEP: PROMISES,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a question, in groups; `objection` and `next_step` are of the best note.

    `words` is the answer put into words, each sentence proved by a note; empty where no model words answers.
    """

    who: str
    question: str
    found: Found
    groups: tuple[tuple[str, tuple[Hit, ...]], ...] = ()
    objection: str = ""
    next_step: str = ""
    account: str = ""
    account_key: str = ""
    words: tuple[Claim, ...] = ()
    notice: str = ""


class AskVerbs(Base):
    """What can be asked."""

    def brief(self, viewer: Viewer, who: str, as_of: datetime | None = None) -> Brief:
        """What to know before the next touch, computed now from every note on record. Raises as `log` does."""
        facts = self.facts(viewer, who, as_of)
        return self.scribe.brief(facts, assess(facts), read_deal(facts))

    def plain_brief(self, viewer: Viewer, who: str) -> Brief:
        """The brief by rules, at once, whatever is configured. Raises as `brief` does."""
        facts = self.facts(viewer, who)
        return self.at_once.brief(facts, assess(facts), read_deal(facts))

    def facts(self, viewer: Viewer, who: str, as_of: datetime | None = None) -> Facts:
        """All on record about an account or a person, every note read."""
        team = self._team(viewer)
        resolved = self._who(team, who, viewer)
        self._read_unread(team, team.timeline(resolved.account.id), viewer.tz)
        return team.facts(resolved, as_of)

    def recall(self, viewer: Viewer, who: str, question: str) -> Answer:
        """The notes that answer a question about an account or a person; with an empty `who`, about every account."""
        if not question.strip():
            raise BadInput(RECALL_USAGE)
        team = self._team(viewer)
        resolved = self._who(team, who, viewer) if who else None
        account = resolved.account.id if resolved else None
        person = resolved.contact.key if resolved and resolved.contact else None
        found = team.recall(question, account=account, contact=person)
        if person and found.abstained:
            # What is known about a person is not only what was said to them.
            found = team.recall(question, account=account)
        return self._recollect(team, viewer, resolved, found)

    def recall_line(self, viewer: Viewer, line: str) -> Answer:
        """`who: question`; a question alone is asked of every account."""
        if not line.strip():
            raise BadInput(RECALL_USAGE)
        who, question = self._split(viewer, line, RECALL_USAGE)
        if ":" not in line and line.rstrip().endswith("?"):
            if who.casefold() in _ASKING:
                return self.recall(viewer, "", line)
            try:
                self._who(self._team(viewer), who, viewer)
            except UnknownAccount:
                return self.recall(viewer, "", line)
        return self.recall(viewer, who, question)

    def timeline(self, viewer: Viewer, who: str) -> tuple[Interaction, ...]:
        """Every note of an account or a person, newest first."""
        team = self._team(viewer)
        resolved = self._who(team, who, viewer)
        contact = resolved.contact.id if resolved.contact else None
        return team.timeline(resolved.account.id, contact_id=contact)

    def in_words(self, answer: Answer) -> Answer:
        """The answer with a model's words on top, where one is configured; else as it is. May take its deadline."""
        if self.quick is None or answer.found.abstained:
            return answer
        said = self.scribe.answer(answer.question, answer.found.hits)
        if said.notice and not said.dropped:
            return replace(answer, notice=said.notice)
        if not said.answerable:
            return replace(answer, notice="The notes do not say. The nearest ones:")
        return replace(answer, words=said.claims, notice=said.notice)

    def _recollect(self, team: TeamMemory, viewer: Viewer, resolved: Resolved | None, found: Found) -> Answer:
        said: dict[int, tuple[Signal, ...]] = {}
        for hit in found.hits:
            note = team.note(hit.id)
            self._read_unread(team, [note], viewer.tz)
            said[hit.id] = team.signals(hit.id)
        groups: dict[str, list[Hit]] = {OBJECTIONS: [], PROMISES: [], REST: []}
        for hit in found.hits:
            groups[_group(said[hit.id])].append(hit)
        best = found.hits[0] if found.hits else None
        return Answer(
            who=_shown(resolved),
            question=found.question,
            found=found,
            groups=tuple((name, tuple(hits)) for name, hits in groups.items() if hits),
            objection=_quote(said[best.id]) if best else "",
            next_step=_step(team, best) if best else "",
            account=resolved.account.name if resolved else (best.account if best else ""),
            account_key=resolved.account.key if resolved else "",
        )


def _group(signals: Sequence[Signal]) -> str:
    groups = {_GROUP_OF.get(s.kind, REST) for s in signals}
    return next((name for name in (OBJECTIONS, PROMISES) if name in groups), REST)


def _quote(signals: Sequence[Signal]) -> str:
    return next((s.quote for s in signals if s.kind is Kind.OBJECTION), "")


def _step(team: TeamMemory, hit: Hit) -> str:
    steps = team.next_steps(hit.account_id)
    own = [s for s in steps if s.interaction_id == hit.id]
    return (own or list(steps))[0].title if steps else ""


def _shown(resolved: Resolved | None) -> str:
    if resolved is None:
        return "every account"
    return f"{resolved.contact.name} ({resolved.account.name})" if resolved.contact else resolved.account.name
