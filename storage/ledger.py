"""Next steps and promises as records, and the facts of a deal put together."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Select, and_, insert, or_, select, update

from storage.clean import clean_line
from storage.errors import BadInput, NotFound
from storage.ground import AnyRow, account, interaction, next_step, signal
from storage.notes import NoteVerbs, select_notes, to_interaction, to_signal
from storage.records import Contact, Facts, Interaction, NextStep, Opportunity, Resolved, Side, Signal, Topic

_Held = TypeVar("_Held", Contact, Opportunity)
_n = next_step.c
STEP_COLUMNS = (
    _n.id,
    _n.key,
    _n.account_id,
    account.c.name.label("account"),
    account.c.key.label("account_key"),
    _n.title,
    _n.side,
    _n.owner,
    _n.due,
    _n.done_at,
    _n.dropped_at,
    _n.created_at,
    _n.interaction_id,
    interaction.c.key.label("interaction"),
    _n.quote,
    _n.is_promise,
    _n.topic,
    _n.snoozed_until,
    _n.reminded_on,
)


def to_step(row: AnyRow) -> NextStep:
    """A row of the ledger as a record."""
    values = dict(row._mapping)
    values.update(side=Side(row.side), topic=Topic(row.topic), interaction=row.interaction or "")
    return NextStep(**values)


class LedgerVerbs(NoteVerbs):
    """What can be done with next steps and promises; and `facts`, which reads all of a deal."""

    def next_steps(
        self,
        account_id: int | None = None,
        *,
        owner: str = "",
        open_only: bool = True,
        due_by: date | None = None,
    ) -> tuple[NextStep, ...]:
        """Next steps and promises the audience may see, the earliest due first, those without a date last."""
        query = self._select_steps()
        query = query.where(_n.account_id == account_id) if account_id is not None else query
        query = query.where(_n.owner == owner) if owner else query
        query = query.where(_n.done_at.is_(None), _n.dropped_at.is_(None)) if open_only else query
        query = query.where(_n.due <= due_by) if due_by else query
        with self._read() as connection:
            rows = connection.execute(query.order_by(_n.due.is_(None), _n.due, _n.id)).all()
        return tuple(to_step(row) for row in rows)

    def add_next_step(
        self,
        account_id: int,
        title: str,
        *,
        owner: str = "",
        due: date | None = None,
        side: Side = Side.OURS,
        is_promise: bool = False,
    ) -> NextStep:
        """A next step by hand."""
        words = clean_line(title)
        if not words:
            raise BadInput("A next step needs a title.")
        with self._write() as connection:
            found = self._account(connection, account_id)
            values: dict[str, Any] = {
                "team_id": self.team_id,
                "account_id": found.id,
                "key": f"step-{uuid4().hex[:12]}",
                "title": words,
                "owner": owner,
                "due": due,
                "side": side.value,
                "is_promise": is_promise,
                "created_at": self._now(),
                "properties": {},
            }
            made = connection.execute(insert(next_step).values(**values).returning(_n.id)).scalar_one()
        return self.next_step(made)

    def next_step(self, step_id: int) -> NextStep:
        """One step the audience may see. Raises NotFound."""
        with self._read() as connection:
            row = connection.execute(self._select_steps().where(_n.id == step_id)).first()
        if row is None:
            raise NotFound("There is no such next step here.")
        return to_step(row)

    def settle_next_step(self, step_id: int, *, done: bool = True, dropped: bool = False) -> NextStep:
        """Mark a step done or dropped, or (neither) open again."""
        self.next_step(step_id)
        now = self._now()
        marks = {"done_at": now if done and not dropped else None, "dropped_at": now if dropped else None}
        return self._update_step(step_id, marks)

    def move_next_step(self, step_id: int, *, owner: str | None = None, due: date | None = None) -> NextStep:
        """Give a step another owner or another day."""
        self.next_step(step_id)
        changes: dict[str, Any] = {} if owner is None else {"owner": owner}
        return self._update_step(step_id, changes | ({"due": due} if due else {}))

    def snooze_next_step(self, step_id: int, until: date) -> NextStep:
        """Do not remind of a step before a day. Its due date stays: a promise does not move by being put off."""
        self.next_step(step_id)
        return self._update_step(step_id, {"snoozed_until": until, "reminded_on": None})

    def mark_reminded(self, step_ids: Sequence[int], day: date) -> tuple[int, ...]:
        """Claim the reminder of a day for these steps; returns those that nobody had claimed for it."""
        with self._write() as connection:
            mine = and_(_n.team_id == self.team_id, _n.id.in_(step_ids))
            fresh = or_(_n.reminded_on.is_(None), _n.reminded_on < day)
            claim = update(next_step).where(mine, fresh).values(reminded_on=day).returning(_n.id)
            return tuple(connection.execute(claim).scalars())

    def facts(self, who: Resolved, as_of: datetime | None = None) -> Facts:
        """Everything on record about an account as of a moment: all its notes the audience may see, never a selection.

        For a person the notes are those with that person, or that name them; the account's own steps and deals stay.
        """
        moment = as_of or self._now()
        with self._read() as connection:
            people = self._contacts(connection, who.account.id)
            notes = self._notes_until(connection, who, moment)
            signals = self._signals_of(connection, who.account.id, notes)
            steps = connection.execute(
                self._select_steps().where(_n.account_id == who.account.id, _n.created_at <= moment).order_by(_n.id)
            ).all()
            deals = self._opportunities(connection, who.account.id)
        return Facts(
            account=who.account,
            as_of=moment,
            contact=who.contact,
            contacts=people,
            opportunities=deals,
            interactions=notes,
            signals=signals,
            next_steps=tuple(to_step(row) for row in steps),
        )

    def all_facts(self, as_of: datetime | None = None) -> tuple[Facts, ...]:
        """The facts of every account, in six queries however many accounts there are."""
        moment = as_of or self._now()
        with self._read() as connection:
            notes = connection.execute(
                select_notes()
                .where(self._seen(), _at_most(moment))
                .order_by(interaction.c.occurred_at, interaction.c.id)
            ).all()
            steps = connection.execute(self._select_steps().where(_n.created_at <= moment).order_by(_n.id)).all()
            told = connection.execute(
                select(signal).where(signal.c.team_id == self.team_id).order_by(signal.c.id)
            ).all()
            people = _by_account(self._contacts(connection))
            deals = _by_account(self._opportunities(connection))
        by_account = _grouped([to_interaction(row) for row in notes])
        of_note = _rows_by_note(told)
        ledger: dict[int, list[NextStep]] = {}
        for row in steps:
            ledger.setdefault(row.account_id, []).append(to_step(row))
        return tuple(
            Facts(
                account=owner,
                as_of=moment,
                contacts=tuple(people.get(owner.id, ())),
                opportunities=tuple(deals.get(owner.id, ())),
                interactions=tuple(by_account.get(owner.id, ())),
                signals=tuple(
                    to_signal(row, note.key, note.occurred_at)
                    for note in by_account.get(owner.id, ())
                    for row in of_note.get(note.id, ())
                ),
                next_steps=tuple(ledger.get(owner.id, ())),
            )
            for owner in self.accounts()
        )

    def _select_steps(self) -> Select[Any]:
        # A step taken from a note is seen by those who may see the note; a retracted note's steps are not seen.
        visible = or_(_n.interaction_id.is_(None), self._seen())
        return (
            select(*STEP_COLUMNS)
            .join(account, account.c.id == _n.account_id)
            .outerjoin(interaction, interaction.c.id == _n.interaction_id)
            .where(_n.team_id == self.team_id, visible)
        )

    def _update_step(self, step_id: int, values: dict[str, Any]) -> NextStep:
        with self._write() as connection:
            if values:
                mine = and_(_n.team_id == self.team_id, _n.id == step_id)
                connection.execute(update(next_step).where(mine).values(**values))
        return self.next_step(step_id)

    def _notes_until(self, connection: Connection, who: Resolved, moment: datetime) -> tuple[Interaction, ...]:
        query = select_notes().where(self._seen(), interaction.c.account_id == who.account.id, _at_most(moment))
        if who.contact is not None:
            query = query.where(self._about(who.contact.id, who.contact.name))
        rows = connection.execute(query.order_by(interaction.c.occurred_at, interaction.c.id))
        return tuple(to_interaction(row) for row in rows)

    def _about(self, contact_id: int, name: str) -> ColumnElement[bool]:
        first = name.split(maxsplit=1)[0]
        named = interaction.c.text.icontains(first, autoescape=True) if len(first) > 2 else interaction.c.id.is_(None)
        # A note without a person is about whoever is asked for: at most accounts one person is talked to.
        return or_(interaction.c.contact_id == contact_id, interaction.c.contact_id.is_(None), named)

    def _signals_of(
        self, connection: Connection, account_id: int, notes: tuple[Interaction, ...]
    ) -> tuple[Signal, ...]:
        mine = select(signal).where(signal.c.team_id == self.team_id, signal.c.account_id == account_id)
        of_note = _rows_by_note(connection.execute(mine.order_by(signal.c.id)).all())
        return tuple(to_signal(row, n.key, n.occurred_at) for n in notes for row in of_note.get(n.id, ()))


def _at_most(moment: datetime) -> ColumnElement[bool]:
    return interaction.c.occurred_at <= moment


def _grouped(notes: list[Interaction]) -> dict[int, list[Interaction]]:
    by_account: dict[int, list[Interaction]] = {}
    for note in notes:
        by_account.setdefault(note.account_id, []).append(note)
    return by_account


def _by_account(records: Sequence[_Held]) -> dict[int, list[_Held]]:
    found: dict[int, list[_Held]] = {}
    for record in records:
        found.setdefault(record.account_id, []).append(record)
    return found


def _rows_by_note(rows: Any) -> dict[int, list[AnyRow]]:
    by_note: dict[int, list[AnyRow]] = {}
    for row in rows:
        by_note.setdefault(row.interaction_id, []).append(row)
    return by_note


def end_of(day: date) -> datetime:
    """The last moment of a day in UTC: "as of 3 May" includes what was said on 3 May."""
    return datetime.combine(day, time.max, UTC)


__all__ = ["LedgerVerbs", "end_of", "to_step"]
