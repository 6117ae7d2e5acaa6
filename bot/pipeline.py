"""The pipeline: counts and amounts by stage, weighted by health, per owner and period. Pure, over facts."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from statistics import median
from typing import Any

from bot.health import assess
from storage import Facts, Kind, Opportunity

WON, LOST = "won", "lost"
NO_STAGE = "no stage"


@dataclass(frozen=True, slots=True)
class Row:
    """One stage of one owner: deals that are open, their amount, and the amount times health / 100."""

    stage: str
    owner: str
    currency: str
    deals: int
    amount: Decimal
    weighted: Decimal


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The report. `win_rate` is won / (won + lost) of what was closed in the period, None when nothing was.

    `days_to_pilot` is the median of days from the first contact to the day a pilot was agreed, None without any.
    """

    rows: tuple[Row, ...]
    won: int
    lost: int
    won_amount: Decimal
    days_to_pilot: float | None
    pilots: int

    @property
    def win_rate(self) -> float | None:
        """0..1."""
        closed = self.won + self.lost
        return self.won / closed if closed else None


def pipeline(
    deals: Iterable[Facts], *, owner: str = "", since: datetime | None = None, until: datetime | None = None
) -> Pipeline:
    """The report over accounts. `owner` keeps one rep's; the period keeps deals closed and pilots agreed within it."""
    chosen = [facts for facts in deals if not owner or _owner(facts) == owner]
    closed = [deal for facts in chosen for deal in facts.opportunities if _within(deal.closed_at, since, until)]
    won = [deal for deal in closed if deal.status == WON]
    days = [found for facts in chosen if (found := _days_to_pilot(facts, since, until)) is not None]
    return Pipeline(
        rows=_rows(chosen),
        won=len(won),
        lost=sum(deal.status == LOST for deal in closed),
        won_amount=sum((deal.amount or Decimal(0) for deal in won), Decimal(0)),
        days_to_pilot=float(median(days)) if days else None,
        pilots=len(days),
    )


def _rows(deals: Sequence[Facts]) -> tuple[Row, ...]:
    held: dict[tuple[str, str, str], list[tuple[Decimal, Decimal]]] = {}
    for facts in deals:
        share = Decimal(assess(facts).score or 0) / 100
        for deal in facts.opportunities:
            if deal.status not in (WON, LOST):
                amount = deal.amount or Decimal(0)
                key = (facts.account.stage or NO_STAGE, _owner(facts), deal.currency)
                held.setdefault(key, []).append((amount, amount * share))
    return tuple(
        Row(
            *key,
            len(amounts),
            sum((a for a, _ in amounts), Decimal(0)),
            _rounded(sum((w for _, w in amounts), Decimal(0))),
        )
        for key, amounts in sorted(held.items())
    )


def _owner(facts: Facts) -> str:
    return facts.account.owner or (facts.interactions[-1].rep if facts.interactions else "")


def _within(at: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    if at is None:
        # Closed at an unknown time: it counts when no period is asked for.
        return since is None and until is None
    return (since is None or at >= since) and (until is None or at <= until)


def _days_to_pilot(facts: Facts, since: datetime | None, until: datetime | None) -> int | None:
    agreed = [s for s in facts.signals if s.kind is Kind.PILOT_AGREED and not s.pending]
    if not agreed or not facts.interactions:
        return None
    of_note = {note.key: note.occurred_at for note in facts.interactions}
    at = min(of_note[s.interaction] for s in agreed if s.interaction in of_note)
    if not _within(at, since, until):
        return None
    return (_day(at) - _day(min(of_note.values()))).days


def _day(at: datetime) -> date:
    return at.date()


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


def to_csv(report: Pipeline) -> str:
    """The rows as CSV with a header; a cell that a spreadsheet would run as a formula is defused."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["stage", "owner", "currency", "deals", "amount", "weighted"])
    for row in report.rows:
        writer.writerow([_defused(row.stage), _defused(row.owner), row.currency, row.deals, row.amount, row.weighted])
    return out.getvalue()


def _defused(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def to_json(report: Pipeline) -> dict[str, Any]:
    """The report for programs; amounts are strings, as they are exact."""
    return {
        "stages": [
            {
                "stage": row.stage, "owner": row.owner, "currency": row.currency, "deals": row.deals,
                "amount": str(row.amount), "weighted": str(row.weighted),
            }
            for row in report.rows
        ],
        "won": report.won, "lost": report.lost, "won_amount": str(report.won_amount), "win_rate": report.win_rate,
        "days_to_pilot": report.days_to_pilot, "pilots": report.pilots,
    }  # fmt: skip


__all__ = ["Opportunity", "Pipeline", "Row", "pipeline", "to_csv", "to_json"]
