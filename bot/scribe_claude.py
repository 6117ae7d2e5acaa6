"""The scribe over Claude: prompt and schema in, checked value out. When it fails, the plain scribe answers and says so.

The model picks and quotes. Figures, dates, ids, what was told and what was promised come from records; a sentence stays
only when its quote is in a note that it cites and was handed.
"""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import blake2b
from threading import Lock
from typing import Literal, TypeVar

from pydantic import BaseModel

from bot.claude import Claude, Job, Unavailable, Unusable, price_of
from bot.deal import Deal
from bot.grounding import Handed, as_data, cleaned, fitted, is_proved, numbers_known, spoken, verbatim
from bot.health import Health
from bot.scribe import Answer, Brief, Claim, Scribe
from bot.signals import Reading, Sighting, merge, normalise
from bot.week import Bucket, Card, Worded, Wording
from bot.wording import counted
from storage import Facts, Hit, Interaction, Kind, Side, Topic

log = logging.getLogger("rapport.claude")

MOST_CARDS = 120
CARD_TOKENS = 450
"""Tokens of a card at most, as estimated: 50 accounts stay under 30,000 whatever they hold, 120 under 110,000."""

MOST_CLAIMS = 6
REMEMBERED = 256

_Said = TypeVar("_Said", bound=BaseModel)

KindName = Literal[
    "objection", "objection_resolved", "commitment_by_us", "commitment_by_them", "commitment_done", "budget_confirmed",
    "budget_blocked", "competitor", "competitor_resolved", "pilot_requested", "pilot_agreed", "verbal_commitment",
    "next_step", "positive_reaction", "told", "no_response", "pause_agreed", "authority",
]  # fmt: skip
TopicName = Literal[
    "pricing", "budget", "onboarding", "migration", "security", "legal", "integration", "timing", "reliability",
    "authority", "support", "other",
]  # fmt: skip


class SeenSignal(BaseModel):
    """One signal as the model gives it."""

    kind: KindName
    topic: TopicName
    quote: str
    summary: str
    party: Literal["ours", "theirs", ""]
    due_phrase: str
    who: str


class SeenNote(BaseModel):
    """What the model sees in a note."""

    signals: list[SeenSignal]


class SaidClaim(BaseModel):
    """A sentence and its proof."""

    text: str
    cites: list[str]
    quote: str


class SaidBrief(BaseModel):
    """The worded part of a brief."""

    claims: list[SaidClaim]
    action: str
    action_cites: list[str]
    action_quote: str


class SaidAnswer(BaseModel):
    """An answer to a question."""

    answerable: bool
    claims: list[SaidClaim]


class SaidLine(BaseModel):
    """One card's words."""

    card: str
    why: str
    action: str
    bucket: Literal["red", "yellow", "green", ""]
    reason: str


class SaidDigest(BaseModel):
    """All cards' words."""

    lines: list[SaidLine]


@dataclass(frozen=True, slots=True)
class Jobs:
    """The four jobs, one call each, with their models and limits."""

    read: Job = field(default_factory=lambda: Job("read_note", "claude-haiku-5-5", "low", 4000))
    brief: Job = field(default_factory=lambda: Job("brief", "claude-sonnet-5-5", "low", 6000))
    digest: Job = field(default_factory=lambda: Job("digest", "claude-sonnet-5-5", "low", 16000))
    answer: Job = field(default_factory=lambda: Job("answer", "claude-sonnet-5-5", "low", 6000))


class ClaudeScribe:
    """Scribe over Claude, falling back to `plain`. Thread-safe."""

    def __init__(self, claude: Claude, plain: Scribe, jobs: Jobs | None = None) -> None:
        self._claude = claude
        self._plain = plain
        self._jobs = jobs or Jobs()
        self._briefs: OrderedDict[str, Brief] = OrderedDict()
        self._lock = Lock()

    @property
    def name(self) -> str:
        """Prompt and model that read notes: a change of either reads them again."""
        return self._jobs.read.signature

    def read(self, note: Interaction) -> Reading:
        """What the model and the rules see together; when the model is away the rules' reading, under their name."""
        rules = self._plain.read(note)
        said_by = "a customer" if note.external else "our rep"
        user = f"Written by {said_by}.\n<note>\n{as_data(note.text)}\n</note>"
        try:
            seen = self._asked(self._jobs.read, user, SeenNote)
        except Unusable:
            # Asked again it would fare no better, and the notes behind it in the queue would never be read.
            return replace(rules, read_as=self.name)
        except Unavailable:
            return rules
        # Grounded before the merge: a made-up quote must not push out what the rules saw.
        grounded = tuple(_sighting(s, note) for s in seen.signals if is_proved(s.quote, note.text))
        return merge(rules, Reading(grounded, self.name))

    def price_of(self, notes: int, characters: int) -> Decimal:
        """What reading that many notes would cost, estimated in dollars."""
        return price_of(self._jobs.read, notes, characters)

    def brief(self, facts: Facts, health: Health, deal: Deal) -> Brief:
        """The plain brief with its recommendation in the model's words; each sentence proved, the others left out."""
        plain = self._plain.brief(facts, health, deal)
        if plain.is_cold_start:
            return plain
        key = self._key(facts, plain)
        if (held := self._held(key)) is not None:
            return held
        handed = Handed.of(deal.notes)
        try:
            said = self._asked(self._jobs.brief, _brief_question(plain, handed), SaidBrief)
        except Unavailable as error:
            return replace(plain, notice=_without(error))
        worded = _worded_brief(plain, said, handed)
        self._hold(key, worded)
        return worded

    def digest(self, cards: Sequence[Card]) -> Worded:
        """One call for all cards. Those not handed over, and all when the model is away, keep their own words."""
        own = self._plain.digest(cards)
        handed = {f"C{number}": card for number, card in enumerate(_chosen(cards), 1)}
        if not handed:
            return own
        try:
            said = self._asked(self._jobs.digest, "\n".join(map(_card_text, handed, handed.values())), SaidDigest)
        except Unavailable as error:
            return replace(own, notice=_without(error))
        better = {
            handed[line.card].account: _wording(line, handed[line.card]) for line in said.lines if line.card in handed
        }
        return Worded({**own.lines, **better})

    def answer(self, question: str, hits: Sequence[Hit]) -> Answer:
        """An answer from recalled notes; the plain one with a notice when the model is away."""
        if not hits:
            return self._plain.answer(question, hits)
        notes = [_as_note(hit) for hit in hits]
        handed = Handed.of(notes)
        user = f"<question>{as_data(question)}</question>\n{handed.text()}"
        try:
            said = self._asked(self._jobs.answer, user, SaidAnswer)
        except Unavailable as error:
            return replace(self._plain.answer(question, hits), notice=_without(error))
        if not said.answerable:
            return Answer(False)
        claims, dropped = _proved(said.claims[:MOST_CLAIMS], handed)
        return Answer(bool(claims), tuple(claims), _left_out(dropped), dropped)

    def _asked(self, job: Job, user: str, shape: type[_Said]) -> _Said:
        """An answer, or Unavailable and nothing else: the plain scribe stands behind every question."""
        try:
            return self._claude.ask(job, user, shape)
        except Unavailable:
            raise
        except Exception as error:
            # A gateway's page, a locked ledger: none of it may cost the rep the brief. The name alone is logged, since
            # the text of an error may quote the answer, and so a note.
            log.warning("%s: failed with %s", job.name, type(error).__name__)
            raise Unavailable("it failed") from error

    def _key(self, facts: Facts, plain: Brief) -> str:
        notes = [(note.id, note.revision, note.read_as) for note in facts.interactions]
        steps = [(s.id, s.done_at, s.dropped_at, s.due, s.owner) for s in facts.next_steps]
        # The plain brief holds all figures and lines: what changes any of them changes the key.
        told = repr((facts.account.key, notes, steps, self._jobs.brief.signature, plain))
        return blake2b(told.encode(), digest_size=16).hexdigest()

    def _held(self, key: str) -> Brief | None:
        with self._lock:
            if key in self._briefs:
                self._briefs.move_to_end(key)
            return self._briefs.get(key)

    def _hold(self, key: str, brief: Brief) -> None:
        with self._lock:
            self._briefs[key] = brief
            while len(self._briefs) > REMEMBERED:
                self._briefs.popitem(last=False)


def _sighting(seen: SeenSignal, note: Interaction) -> Sighting:
    """What the model saw, with the words the note has; what the note does not say of it is left out."""
    summary = spoken(seen.summary, [note], 120)
    return Sighting(
        kind=Kind(seen.kind),
        topic=Topic(seen.topic),
        quote=verbatim(seen.quote, note.text),
        summary=summary if numbers_known(summary, note.text) else "",
        party=Side(seen.party) if seen.party else None,
        due_phrase=seen.due_phrase[:60] if _says(note.text, seen.due_phrase) else "",
        who=cleaned(seen.who)[:80] if _says(f"{note.text}\n{note.contact}", seen.who) else "",
    )


def _without(error: Unavailable) -> str:
    """The quiet line under what the plain scribe wrote in Claude's place."""
    return f"Written without Claude: {error}."


def _says(text: str, words: str) -> bool:
    return bool(normalise(words)) and normalise(words) in normalise(cleaned(text))


# ------------------------------------------------------------------------------------------------------------- briefs


def _brief_question(plain: Brief, handed: Handed) -> str:
    health = plain.health
    open_now = [claim.text for claim in plain.objections if claim.status == "open"]
    owed = [f"{p.side}: {p.text}" for p in (*plain.promises, *plain.next_steps) if p.status != "kept"]
    figures = [
        f"Account: {plain.account}",
        f"Person: {plain.person or 'the account as a whole'}",
        f"Today: {plain.at.isoformat()}",
        f"Health: {health.score} of 100, {health.label}, {health.momentum.value}",
        f"At risk: {health.risk or 'no'}",
        f"Open objections: {'; '.join(open_now) or 'none'}",
        f"Promises and next steps: {'; '.join(owed) or 'none'}",
        f"Action by the rules: {plain.recommended_action.text}",
    ]
    return "\n".join([*(as_data(line) for line in figures), handed.text()])


def _worded_brief(plain: Brief, said: SaidBrief, handed: Handed) -> Brief:
    claims, dropped = _proved(said.claims[:4], handed)
    action = SaidClaim(text=said.action, cites=said.action_cites, quote=said.action_quote)
    better = _proved([action], handed)[0] if said.action.strip() else []
    return replace(
        plain,
        recommendation=tuple(claims) or plain.recommendation,
        recommended_action=better[0] if better else plain.recommended_action,
        dropped=dropped,
        notice=_left_out(dropped),
    )


def _proved(said: Sequence[SaidClaim], handed: Handed) -> tuple[list[Claim], int]:
    """The sentences that a note proves, and how many were left out."""
    kept: list[Claim] = []
    for claim in said:
        note = handed.proof(claim.cites, claim.quote)
        text = spoken(claim.text, [note]) if note else ""
        if note and text and numbers_known(text, note.text, note.occurred_at.date().isoformat()):
            quote = verbatim(claim.quote, note.text)
            kept.append(Claim(text, note.key, quote, note.occurred_at.date(), note.rep, note.contact))
    return kept, len(said) - len(kept)


def _left_out(dropped: int) -> str:
    if not dropped:
        return ""
    return f"{counted(dropped, 'statement')} without support {'was' if dropped == 1 else 'were'} left out."


# ------------------------------------------------------------------------------------------------------------ digests


def _chosen(cards: Sequence[Card]) -> list[Card]:
    """The cards worth a model's words: the red and the changed first; in an order that says nothing."""
    order = list(Bucket)
    worth = sorted(cards, key=lambda c: (order.index(c.bucket), not c.changed, -abs(c.change or 0), c.account))
    return sorted(worth[:MOST_CARDS], key=lambda c: blake2b(c.account.encode(), digest_size=8).digest())


def _card_text(alias: str, card: Card) -> str:
    lines = [
        f"score {card.health.score} {card.health.label}, {card.health.momentum.value}",
        f"changed by {card.change}" if card.change else "",
        f"open: {', '.join(card.issues)}" if card.issues else "",
        f"silent for {card.silence} days" if card.silence else "",
        f"next step: {card.next_step}" if card.next_step else "no next step",
        f"last quote: {card.last_quote}" if card.last_quote else "",
        f"why by the rules: {card.why}",
        f"action by the rules: {card.action}",
    ]
    body = fitted("; ".join(line for line in lines if line), CARD_TOKENS)
    name = fitted(card.name[:80], 40).replace('"', "")
    return f'<card id="{alias}" name="{name}" bucket="{card.bucket.value}">{body}</card>'


def _wording(line: SaidLine, card: Card) -> Wording:
    """The model's words for a card; a move needs a reason, and rests on the card's own notes."""
    shown = _card_text("", card)
    why, action, reason = (_as_card(words, shown) for words in (line.why, line.action, line.reason))
    moved = Bucket(line.bucket) if line.bucket and reason and line.bucket != card.bucket.value else None
    return Wording(
        why or card.why, action or card.action, moved, reason if moved else "", card.interactions if moved else ()
    )


def _as_card(words: str, shown: str) -> str:
    """The model's words if they may be shown: with a number that the card does not have they are not."""
    text = spoken(words, [])
    return text if numbers_known(text, shown) else ""


def _as_note(hit: Hit) -> Interaction:
    return Interaction(
        id=hit.id,
        key=hit.interaction,
        team_id="",
        account_id=hit.account_id,
        account=hit.account,
        account_key=hit.account_key,
        text=hit.text,
        rep=hit.rep,
        channel=hit.channel,
        occurred_at=hit.occurred_at,
        contact=hit.contact,
    )
