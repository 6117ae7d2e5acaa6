"""What a rep sees first: their deals by urgency, what they owe, the latest notes."""

from dataclasses import dataclass

from bot.desk.base import Viewer
from bot.desk.ledger import Ledger, LedgerVerbs
from bot.desk.week import WEEK, WeekVerbs
from bot.week import Card, card, week
from storage import DigestPlan, Interaction

NOTES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Home:
    """A rep's home. `cards` are their own deals, all deals where they have none (`is_mine` False).

    `plans` are the digests that the rep has scheduled.
    """

    cards: tuple[Card, ...]
    is_mine: bool
    ledger: Ledger
    notes: tuple[Interaction, ...]
    accounts: int
    plans: tuple[DigestPlan, ...] = ()


class HomeVerbs(WeekVerbs, LedgerVerbs):
    """What a rep sees first."""

    def home(self, viewer: Viewer) -> Home:
        """The home of a viewer, computed now. No model words it: somebody looks at an empty tab meanwhile."""
        team, now = self._team(viewer), self.memory.now
        cards = week(card(facts, now - WEEK) for facts in self._all_facts(viewer, now)).cards
        mine = tuple(each for each in cards if each.owner == viewer.user)
        return Home(
            cards=mine or cards,
            is_mine=bool(mine),
            ledger=self.next_steps(viewer),
            notes=team.timeline(limit=NOTES_SHOWN),
            accounts=len(cards),
            plans=tuple(plan for plan in team.digests() if plan.made_by == viewer.user),
        )
