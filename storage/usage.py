"""What a model was used for: tokens and estimated cost, by workspace, day and model."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import and_, func, insert, select, update

from storage.ground import Ground, usage

_u = usage.c


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of a model on a day. `cost` is an estimate in dollars."""

    team_id: str
    day: date
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost: Decimal


class UsageBook:
    """The book of every workspace's use. Thread-safe."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def add(self, team_id: str, model: str, input_tokens: int, output_tokens: int, cost: Decimal) -> None:
        """Write one call down, on today's page."""
        today = self._ground.now().date()
        page = and_(_u.team_id == team_id, _u.day == today, _u.model == model)
        more = {
            "calls": _u.calls + 1,
            "input_tokens": _u.input_tokens + input_tokens,
            "output_tokens": _u.output_tokens + output_tokens,
        }
        with self._ground.db.write() as connection:
            # Money is kept as an integer: what is added to it has to be bound as money, too.
            row = connection.execute(select(_u.cost).where(page).with_for_update()).first()
            if row is not None:
                connection.execute(update(usage).where(page).values(**more, cost=row.cost + cost))
                return
            fresh = {
                "team_id": team_id, "day": today, "model": model, "calls": 1, "input_tokens": input_tokens,
                "output_tokens": output_tokens, "cost": cost,
            }  # fmt: skip
            connection.execute(insert(usage).values(**fresh))

    def this_month(self) -> Decimal:
        """The estimated cost of this month, over all workspaces."""
        first = self._ground.now().date().replace(day=1)
        with self._ground.db.read() as connection:
            return connection.execute(select(func.sum(_u.cost)).where(_u.day >= first)).scalar() or Decimal(0)

    def pages(self, limit: int = 31) -> tuple[Usage, ...]:
        """The latest pages."""
        with self._ground.db.read() as connection:
            rows = connection.execute(select(usage).order_by(_u.day.desc(), _u.team_id, _u.model).limit(limit))
            return tuple(Usage(*row) for row in rows)
