"""Asking: briefs, recall and timelines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.deal import read_deal
from bot.desk.base import Base, Viewer
from bot.health import assess
from bot.scribe import Brief, Claim, Scribe
from storage import Facts, Found, Hit, Interaction, Kind, Resolved, Signal, TeamMemory
from storage.errors import BadInput, UnknownAccount, UnknownNote
from storage.lexicon import asked

RECALL_USAGE = "Say who and what, for example: Acme Corp: what pricing objections came up?"

CHANGED = "Something changed here while this was being written: it is by rules, as things are now."
NOT_SAID = "The notes do not say. The nearest ones:"
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


STEPS = frozenset(("next_step", "promise_us", "promise_them"))
"""Kinds of question that the ledger of next steps answers too."""
ACCOUNTS, CLOSER = 5, 3
"""Accounts that a question of all of them looks at closer, and notes of each."""
FAR = 0.25
"""A note that scores less than this share of the best says nothing to a question of all accounts."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a question, in groups; `objection` and `next_step` are of the best note.

    The groups are kinds of notes, or accounts where all of them were asked.

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

    @property
    def nothing(self) -> str:
        """What is said when nothing on record answers."""
        return f"Nothing on record about that at {self.who if self.account_key else 'any account'}."


class AskVerbs(Base):
    """What can be asked."""

    def brief(
        self,
        viewer: Viewer,
        who: str,
        as_of: datetime | None = None,
        *,
        again: Callable[[], Viewer] | None = None,
    ) -> Brief:
        """What to know before the next touch, computed now from every note on record. Raises as `log` does.

        Where a model words it this may take its deadline, and is true of the moment it comes back: `again` gives the
        viewer as they are then, and raises when they may see it no more. Words about notes that were retracted,
        corrected or added meanwhile, or about an account that was given on, are not shown.
        """
        facts = self.facts(viewer, who, as_of)
        said = self.scribe.brief(facts, assess(facts), read_deal(facts))
        if self.quick is None or said.is_cold_start:
            return said
        now = self.facts(again() if again else viewer, who, as_of)
        plain, before = _plain(self.quick, now), _plain(self.quick, facts)
        if _ground(now) != _ground(facts):
            return replace(plain, notice=CHANGED)
        # Another reading of the same notes may have changed the figures: those are of now, the sentences the model's.
        is_same = said.recommendation == before.recommendation
        action = plain if said.recommended_action == before.recommended_action else said
        return replace(
            plain,
            recommendation=(plain if is_same else said).recommendation,
            recommended_action=action.recommended_action,
            notice=said.notice,
            dropped=said.dropped,
        )

    def plain_brief(self, viewer: Viewer, who: str, as_of: datetime | None = None) -> Brief:
        """The brief by rules, at once, whatever is configured. Raises as `brief` does."""
        return _plain(self.at_once, self.facts(viewer, who, as_of))

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
        if resolved is None:
            return self._recollect(team, viewer, None, _across(team, question))
        account, person = resolved.account.id, resolved.contact.key if resolved.contact else None
        found = team.recall(question, account=account, contact=person)
        if person and found.abstained:
            # What is known about a person is not only what was said to them.
            found = team.recall(question, account=account)
        if found.abstained and asked(question) & STEPS and team.next_steps(account):
            # The ledger has steps even where no note reads like one: the nearest are shown, with the step beside them.
            found = replace(found, hits=found.nearest, abstained=False, nearest=(), reason="")
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

    def is_worded(self, answer: Answer) -> bool:
        """Whether a model has something to word here."""
        return self.quick is not None and bool(answer.found.hits)

    def in_words(self, viewer: Viewer, answer: Answer, *, again: Callable[[], Viewer] | None = None) -> Answer:
        """The answer with a model's words on top, where one is configured; else as it is.

        May take its deadline; `again` gives the viewer as they are when it is over, and raises when they may see it no
        more. Notes that were retracted, corrected or moved meanwhile are left out, and what was said from them.
        """
        if not self.is_worded(answer):
            return answer
        self._team(viewer)
        said = self.scribe.answer(answer.question, answer.found.hits)
        now = self.still(again() if again else viewer, answer)
        if said.notice and not said.dropped:
            return replace(now, notice=_joined(said.notice, now.notice))
        if not said.answerable:
            return replace(now, notice=_joined(now.notice, said.notice, NOT_SAID))
        left = {hit.interaction for hit in now.found.hits}
        words = tuple(claim for claim in said.claims if claim.interaction in left)
        return replace(now, words=words, notice=_joined(said.notice, now.notice))

    def still(self, viewer: Viewer, answer: Answer) -> Answer:
        """An answer without the notes that do not count any more, or not for this viewer, or not in these words."""
        team = self._team(viewer)
        left = tuple(hit for hit in answer.found.hits if _stands(team, hit))
        if len(left) == len(answer.found.hits):
            return answer
        groups = ((name, tuple(hit for hit in hits if hit in left)) for name, hits in answer.groups)
        return replace(
            answer,
            found=replace(answer.found, hits=left, abstained=not left),
            groups=tuple((name, hits) for name, hits in groups if hits),
            notice=CHANGED,
            objection="",
            next_step="",
        )

    def _recollect(self, team: TeamMemory, viewer: Viewer, resolved: Resolved | None, found: Found) -> Answer:
        said: dict[int, tuple[Signal, ...]] = {}
        for hit in found.hits:
            note = team.note(hit.id)
            self._read_unread(team, [note], viewer.tz)
            said[hit.id] = team.signals(hit.id)
        groups: dict[str, list[Hit]] = {} if resolved is None else {OBJECTIONS: [], PROMISES: [], REST: []}
        for hit in found.hits:
            groups.setdefault(_owner(hit, found.hits) if resolved is None else _group(said[hit.id]), []).append(hit)
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


def _across(team: TeamMemory, question: str) -> Found:
    """What answers over all accounts, account by account: who asked for it is often not where it was settled."""
    found = team.recall(question)
    by_account: dict[int, list[Hit]] = {}
    for hit in _not_far(found.hits):
        by_account.setdefault(hit.account_id, []).append(hit)
    for account, hits in list(by_account.items())[:ACCOUNTS]:
        closer = _not_far(team.recall(question, account=account, limit=CLOSER).hits)
        hits += [hit for hit in closer if hit.id not in {known.id for known in hits}]
    return replace(found, hits=tuple(hit for hits in by_account.values() for hit in hits))


def _not_far(hits: Sequence[Hit]) -> list[Hit]:
    return [hit for hit in hits if hit.score >= FAR * hits[0].score]


def _plain(scribe: Scribe, facts: Facts) -> Brief:
    return scribe.brief(facts, assess(facts), read_deal(facts))


def _ground(facts: Facts) -> tuple[object, ...]:
    """What sentences about an account stand on: whose it is, the words of its notes, and the steps that are settled.

    What a reader made of the notes is not in it: the same words read anew do not make a sentence wrong.
    """
    settled = {(s.title, s.done_at, s.dropped_at) for s in facts.next_steps if not s.is_open}
    return facts.account.key, facts.account.owner, [(n.id, n.text) for n in facts.interactions], settled


def _stands(team: TeamMemory, hit: Hit) -> bool:
    try:
        note = team.note(hit.id)
    except UnknownNote:
        return False
    return (note.text, note.account_id) == (hit.text, hit.account_id)


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in dict.fromkeys(sentences) if sentence)


def _group(signals: Sequence[Signal]) -> str:
    groups = {_GROUP_OF.get(s.kind, REST) for s in signals}
    return next((name for name in (OBJECTIONS, PROMISES) if name in groups), REST)


def _owner(hit: Hit, hits: Sequence[Hit]) -> str:
    """The account's name, and its key where another one has the same name."""
    namesakes = {other.account_id for other in hits if other.account == hit.account}
    return hit.account if len(namesakes) == 1 else f"{hit.account} ({hit.account_key})"


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
