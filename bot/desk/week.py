"""Over many deals: the digest, the hand-off, the pipeline, and a score through time."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.deal import read_deal
from bot.desk.base import Base, Viewer
from bot.health import Moment, assess, history
from bot.pipeline import Pipeline, pipeline
from bot.schedule import next_after, parse
from bot.scribe import Brief, Claim, Pledge
from bot.week import Card, Week, Worded, Wording, card, week, worded
from bot.wording import ENGLISH, language_named
from storage import Account, DigestPlan, DigestRun, Facts, Handoff, NextStep, TeamMemory
from storage.errors import BadInput

WEEK = timedelta(7)
_DATES_IN = re.compile(r"\bdates(?:\s+in)?\s+(\S+)", re.I)


@dataclass(frozen=True, slots=True)
class Digest:
    """The week as of a moment against `since`; `of` says whose in words, `language` how its days are said."""

    week: Week
    as_of: datetime
    since: datetime
    of: str = "everyone"
    notice: str = ""
    language: str = ENGLISH


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which digest: whose deals, as of when against when, and how its days are said."""

    mine: bool
    accounts: Collection[str] | None
    as_of: datetime
    since: datetime | None
    language: str


@dataclass(frozen=True, slots=True)
class Pack:
    """What the new owner of an account gets: the brief, the steps that moved, what not to say, three things to do."""

    handoff: Handoff
    account: Account
    brief: Brief
    steps: tuple[NextStep, ...]
    open_promises: tuple[Pledge, ...]
    not_to_say: tuple[Claim, ...]
    actions: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """A deal's health replayed at each of its notes, oldest first, and the concerns that came back."""

    account: Account
    moments: tuple[Moment, ...]
    now: Moment
    concerns: tuple[Claim, ...]


class WeekVerbs(Base):
    """What can be done with many deals at once."""

    def digest(
        self,
        viewer: Viewer,
        *,
        mine: bool = False,
        accounts: Collection[str] | None = None,
        as_of: datetime | None = None,
        since: datetime | None = None,
        again: Callable[[], Viewer] | None = None,
        language: str = ENGLISH,
    ) -> Digest:
        """The week of every account, of the viewer's own (`mine`), or of the given keys.

        `since` is the last digest, `language` that of the days. May take the scribe's deadline; `again` gives the
        viewer as they are when it is over. What has changed meanwhile is in the cards' own words.
        """
        asked = _Asked(mine, accounts, as_of or self.memory.now, since, language)
        plain = self._plain_digest(viewer, asked)
        cards = plain.week.cards
        # A quiet week is one line, whoever words it.
        if self.quick is None or plain.week.is_quiet:
            return plain
        said = self.scribe.digest(cards)
        now = self._plain_digest(again() if again else viewer, asked)
        better = worded(now.week.cards, _of_these(said, cards, now.week.cards))
        return replace(now, week=week(better), notice=said.notice)

    def plain_digest(self, viewer: Viewer, *, mine: bool = False) -> Digest:
        """The digest in the cards' own words, at once, whatever is configured."""
        return self._plain_digest(viewer, _Asked(mine, None, self.memory.now, None, ENGLISH))

    def _plain_digest(self, viewer: Viewer, asked: _Asked) -> Digest:
        before = asked.since or asked.as_of - WEEK
        wanted = asked.accounts
        chosen = [f for f in self._all_facts(viewer, asked.as_of) if wanted is None or f.account.key in wanted]
        cards = [card(facts, before, language=asked.language) for facts in chosen]
        if asked.mine:
            cards = [c for c in cards if c.owner == viewer.user]
        return Digest(week(cards), asked.as_of, before, "you" if asked.mine else "everyone", language=asked.language)

    def plan_digest(self, viewer: Viewer, channel: str, text: str, tz: str) -> DigestPlan:
        """Schedule a channel's digest from what a person typed; "mine" or "all" chooses the deals. Raises BadInput.

        A zone in the text wins over `tz`, and "dates de" says its days in German. Without a choice it is the account
        linked to the channel, else all.
        """
        text, language = _language_of(text)
        words = text.split()
        zone = next((word for word in words if "/" in word or word == "UTC"), tz)
        chosen = next((word for word in words if word in ("mine", "all", "linked")), "")
        plan = parse(" ".join(word for word in words if word not in (zone, chosen)), zone)
        team = self._team(viewer)
        accounts = chosen or ("linked" if team.channel_account(channel) else "all")
        return team.set_digest(
            channel,
            plan.cron,
            plan.tz,
            accounts=accounts,
            made_by=viewer.user,
            next_at=next_after(plan.cron, plan.tz, self.memory.now),
            language=language,
        )

    def end_digest(self, viewer: Viewer, channel: str) -> bool:
        """Take a channel's digest away; False when it has none."""
        return self._team(viewer).end_digest(channel)

    def digest_plans(self, viewer: Viewer) -> tuple[tuple[DigestPlan, tuple[DigestRun, ...]], ...]:
        """The digests of the workspace, each with its latest slots."""
        team = self._team(viewer)
        return tuple((plan, team.digest_runs(plan.id, 5)) for plan in team.digests())

    def send_again(self, viewer: Viewer, run_id: int) -> None:
        """Have a slot sent again of which nobody knows whether it was posted. Raises NotFound."""
        self._team(viewer).send_again(run_id)

    def hand_off(self, viewer: Viewer, who: str, to: str) -> Pack:
        """Give an account and our open steps there to another rep. Raises UnknownAccount, AmbiguousName, BadInput."""
        team = self._team(viewer)
        resolved = self._who(team, who, viewer)
        self._read_unread(team, team.timeline(resolved.account.id), viewer.tz)
        handoff = team.hand_over(resolved.account.id, to, viewer.user)
        return self._pack(team, handoff)

    def undo_hand_off(self, viewer: Viewer, handoff_id: int) -> Handoff:
        """Take a hand-off back. Raises NotFound."""
        return self._team(viewer).undo_handoff(handoff_id)

    def pipeline(
        self, viewer: Viewer, *, owner: str = "", since: datetime | None = None, until: datetime | None = None
    ) -> Pipeline:
        """The pipeline report of everyone, or of one owner."""
        return pipeline(self._all_facts(viewer, self.memory.now), owner=owner, since=since, until=until)

    def course(self, viewer: Viewer, who: str, as_of: datetime | None = None) -> Course:
        """The score of a deal through time. Raises as `brief` does."""
        team = self._team(viewer)
        resolved = self._who(team, who, viewer)
        self._read_unread(team, team.timeline(resolved.account.id), viewer.tz)
        facts = team.facts(resolved, as_of)
        last = facts.interactions[-1].key if facts.interactions else ""
        now = Moment(last, facts.as_of, assess(facts))
        # Concerns are records: no model is asked for them.
        concerns = self.at_once.brief(facts, now.health, read_deal(facts)).concerns
        return Course(facts.account, history(facts), now, concerns)

    def _all_facts(self, viewer: Viewer, as_of: datetime) -> tuple[Facts, ...]:
        team = self._team(viewer)
        while unread := self.memory.never_read(viewer.team, (self.at_once.name, self.scribe.name)):
            self._read_unread(self.memory.of(viewer.team), unread, viewer.tz)
        return team.all_facts(as_of)

    def _pack(self, team: TeamMemory, handoff: Handoff) -> Pack:
        account = next(a for a in team.accounts() if a.id == handoff.account_id)
        # By rules: the account is given on already, and who did it waits to see that.
        facts = team.facts(team.who(account.key))
        brief = self.at_once.brief(facts, assess(facts), read_deal(facts))
        steps = tuple(s for s in team.next_steps(account.id) if s.id in handoff.steps)
        promises = tuple(p for p in brief.promises if p.status != "kept")
        ahead = tuple(p for p in (*promises, *brief.next_steps) if p.side == "ours" and p.status != "kept")
        settled = tuple(c for c in brief.objections if c.status == "resolved")
        return Pack(
            handoff=handoff,
            account=account,
            brief=brief,
            steps=steps,
            open_promises=promises,
            not_to_say=(*brief.told, *settled),
            actions=(brief.recommended_action, *ahead)[:3],
        )


def _language_of(text: str) -> tuple[str, str]:
    """What was typed without "dates de", and that language's code. Raises BadInput for one that CLDR does not know."""
    asked = _DATES_IN.search(text)
    if asked is None:
        return text, ENGLISH
    language = language_named(asked[1])
    if not language:
        raise BadInput(f"I do not know the language '{asked[1][:40]}'; use a code such as en, de or fr.")
    return text[: asked.start()] + text[asked.end() :], language


def _of_these(said: Worded, then: Collection[Card], now: Collection[Card]) -> dict[str, Wording]:
    """The wordings of the cards that are as they were when they were handed over."""
    same = {c.account for c in frozenset(then) & frozenset(now)}
    return {account: wording for account, wording in said.lines.items() if account in same}
