"""What a rep sees first: their deals by urgency, what they owe, the latest notes."""

from dataclasses import dataclass

from bot.desk.base import Viewer
from bot.desk.ledger import Ledger, LedgerVerbs
from bot.desk.week import WeekVerbs
from bot.week import Card
from storage import Interaction

NOTES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Home:
    """A rep's home. `cards` are their own deals, all deals where they have none (`is_mine` False)."""

    cards: tuple[Card, ...]
    is_mine: bool
    ledger: Ledger
    notes: tuple[Interaction, ...]
    accounts: int


class HomeVerbs(WeekVerbs, LedgerVerbs):
    """What a rep sees first."""

    def home(self, viewer: Viewer) -> Home:
        """The home of a viewer, computed now."""
        team = self._team(viewer)
        cards = self.digest(viewer).week.cards
        mine = tuple(card for card in cards if card.owner == viewer.user)
        return Home(
            cards=mine or cards,
            is_mine=bool(mine),
            ledger=self.next_steps(viewer),
            notes=team.timeline(limit=NOTES_SHOWN),
            accounts=len(cards),
        )
