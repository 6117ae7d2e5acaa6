"""Notes: logged once, kept verbatim, corrected and retracted without losing a word, read back in time order."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    case,
    delete,
    exists,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError

from storage.accounts import ACCOUNT_COLUMNS, AccountVerbs
from storage.clean import clean_line, moment, name_key, note_text
from storage.errors import BadInput, UnknownNote
from storage.ground import (
    AnyRow,
    account,
    alias,
    channel_account,
    contact,
    interaction,
    next_step,
    opportunity,
    signal,
)
from storage.records import Account, Interaction, Kind, Logged, NewNote, NoteReading, Signal, State

_i = interaction.c
INTERACTION_COLUMNS = (
    _i.id,
    _i.key,
    _i.team_id,
    _i.account_id,
    account.c.name.label("account"),
    account.c.key.label("account_key"),
    _i.text,
    _i.rep,
    _i.channel,
    _i.occurred_at,
    _i.outcome,
    contact.c.name.label("contact"),
    opportunity.c.key.label("opportunity"),
    _i.permalink,
    _i.external,
    _i.visibility,
    _i.state,
    _i.revision,
    _i.read_as,
    _i.properties,
)


REJECTED = "rejected_signals"
"""The property that keeps what a person said a note does not say: [kind, topic, quote] each."""

AT_ONCE = 500
"""Readings kept by one statement: a database takes only so many values in one."""

TRY_AGAIN: dict[str, Any] = {"tries": 0, "retry_at": None}
"""Other words are another chance for a note that could not be indexed."""


def select_notes() -> Select[Any]:
    """All that a note record holds, with the names of its account, contact and deal."""
    return (
        select(*INTERACTION_COLUMNS)
        .join(account, account.c.id == _i.account_id)
        .outerjoin(contact, contact.c.id == _i.contact_id)
        .outerjoin(opportunity, opportunity.c.id == _i.opportunity_id)
    )


def to_interaction(row: AnyRow) -> Interaction:
    """A row of `select_notes` as a record."""
    values = dict(row._mapping)
    values.update(contact=row.contact or "", opportunity=row.opportunity or "", state=State(row.state))
    return Interaction(**values)


class NoteVerbs(AccountVerbs):
    """What can be done with notes."""

    def log(self, account_id: int, note: NewNote) -> Logged:
        """Keep a note; committed when this returns. The same `source_key` again gives the first receipt back.

        A note on an account with exactly one open deal belongs to that deal; with several, `open_opportunities` of the
        receipt lists them and none is guessed. Raises EmptyNote, NoteTooLong, UnknownAccount, NotSaved.
        """
        words = note_text(note.text)
        try:
            with self._write() as connection:
                owner = self._account(connection, account_id)
                earlier = self._delivered(connection, note.source_key)
                if earlier is not None:
                    return earlier
                return self._insert_note(connection, owner, note, words)
        except BadInput:
            # Another process may have written the same delivery in between.
            with self._read() as connection:
                earlier = self._delivered(connection, note.source_key)
            if earlier is None:
                raise
            return earlier

    def note(self, interaction_id: int) -> Interaction:
        """One note the audience may see. Raises UnknownNote."""
        with self._read() as connection:
            row = connection.execute(select_notes().where(self._seen(), _i.id == interaction_id)).first()
        if row is None:
            raise UnknownNote
        return to_interaction(row)

    def note_by_key(self, key: str, account_id: int | None = None) -> Interaction:
        """The note with the user's own key. Raises UnknownNote when there is none, or more than one account has it."""
        query = select_notes().where(self._seen(), _i.key == key)
        with self._read() as connection:
            rows = connection.execute(query if account_id is None else query.where(_i.account_id == account_id)).all()
        if len(rows) != 1:
            raise UnknownNote
        return to_interaction(rows[0])

    def timeline(
        self,
        account_id: int | None = None,
        *,
        contact_id: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int | None = None,
    ) -> tuple[Interaction, ...]:
        """Notes by time, newest first: exact and complete, never by likeness. All accounts without `account_id`."""
        query = select_notes().where(self._seen(), *self._person(account_id, contact_id))
        query = query.where(_i.occurred_at >= since) if since else query
        query = query.where(_i.occurred_at <= until) if until else query
        query = query.order_by(_i.occurred_at.desc(), _i.id.desc()).limit(limit)
        with self._read() as connection:
            return tuple(to_interaction(row) for row in connection.execute(query))

    def correct(self, interaction_id: int, text: str, by: str, *, rejected: Collection[int] = ()) -> Interaction:
        """Put other words in a note's place; the former words stay in its history. Raises EmptyNote, UnknownNote.

        `rejected` are ids of signals that are wrong: no later reading brings them back. What a person confirmed stays
        where its quote is still in the words.
        """
        words = note_text(text)
        with self._write() as connection:
            self._living(connection, interaction_id)
            self._keep_version(connection, interaction_id, by)
            refused = [*self._rejected(connection, interaction_id), *self._named(connection, interaction_id, rejected)]
            self._rewrite(connection, interaction_id, words, refused)
        return self.note(interaction_id)

    def retract(self, interaction_id: int, by: str) -> None:
        """Take a note out of recall, briefs and health at once. It stays in history, and `restore` brings it back."""
        with self._write() as connection:
            self._living(connection, interaction_id)
            self._set_state(connection, interaction_id, State.RETRACTED, by)
            self._forget_derived(connection, interaction_id)

    def refuse(self, interaction_id: int, by: str) -> None:
        """Retract a note of somebody who may not log. An account that holds nothing else goes with it for good."""
        with self._write() as connection:
            row = self._living(connection, interaction_id)
            self._set_state(connection, interaction_id, State.RETRACTED, by)
            self._forget_derived(connection, interaction_id)
            # An indexed note has points, which only its row knows: its account stays.
            if not row.indexed_as and not self._holds_more(connection, row.account_id, interaction_id):
                mine = (account.c.team_id == self.team_id) & (account.c.id == row.account_id)
                connection.execute(delete(account).where(mine))

    def _holds_more(self, connection: Connection, account_id: int, interaction_id: int) -> bool:
        tables = (interaction, contact, opportunity, next_step, channel_account, alias)
        parts = [
            select(literal(1)).where(table.c.team_id == self.team_id, table.c.account_id == account_id)
            for table in tables
        ]
        parts[0] = parts[0].where(_i.id != interaction_id)
        return connection.execute(union_all(*parts).limit(1)).first() is not None

    def restore(self, interaction_id: int, by: str) -> Interaction:
        """Undo a retraction."""
        with self._write() as connection:
            gone = select(_i.id).where(*self._one(interaction_id), _i.state == "retracted", self._open())
            if connection.execute(gone).first() is None:
                raise UnknownNote
            self._set_state(connection, interaction_id, State.ACTIVE, by)
        return self.note(interaction_id)

    def undo_correction(self, interaction_id: int, by: str) -> Interaction:
        """Bring a note's former words back."""
        former = self.history(interaction_id)
        if not former:
            raise UnknownNote
        with self._write() as connection:
            self._living(connection, interaction_id)
            self._keep_version(connection, interaction_id, by)
            refused = list(former[-1].properties.get(REJECTED, ()))
            self._rewrite(connection, interaction_id, former[-1].text, refused)
        return self.note(interaction_id)

    def last_change(self, interaction_id: int) -> tuple[datetime, str]:
        """When and by whom a note was written down or last corrected. Raises UnknownNote."""
        former = select(_i.state_at, _i.state_by).where(
            _i.team_id == self.team_id, _i.version_of == interaction_id, _i.state == "superseded"
        )
        with self._read() as connection:
            self._living(connection, interaction_id)
            row = connection.execute(former.order_by(_i.revision.desc())).first()
            if row is None:
                row = connection.execute(select(_i.logged_at, _i.rep).where(*self._one(interaction_id))).one()
        return row[0], row[1]

    def standing(self, interaction_id: int) -> tuple[State, int]:
        """Whether a note counts, and its revision, for a note that may have been retracted. Raises UnknownNote."""
        mine = select(_i.state, _i.revision).where(*self._one(interaction_id), self._open())
        with self._read() as connection:
            row = connection.execute(mine).first()
        if row is None:
            raise UnknownNote
        return State(row.state), row.revision

    def history(self, interaction_id: int) -> tuple[Interaction, ...]:
        """The former versions of a note, oldest first."""
        query = select_notes().where(
            _i.team_id == self.team_id, _i.version_of == interaction_id, self._open(), _i.state == "superseded"
        )
        with self._read() as connection:
            return tuple(to_interaction(row) for row in connection.execute(query.order_by(_i.revision)))

    def set_opportunity(self, interaction_id: int, opportunity_key: str) -> Interaction:
        """Say which deal a note belongs to. Raises BadInput when the account has no such deal."""
        with self._write() as connection:
            row = self._living(connection, interaction_id)
            deal = self._deal(connection, row.account_id, opportunity_key)
            fresh = {"opportunity_id": deal, "revision": row.revision + 1, **_stale(row.indexed_as)}
            connection.execute(update(interaction).where(*self._one(interaction_id)).values(**fresh))
            steps = (next_step.c.team_id == self.team_id) & (next_step.c.interaction_id == interaction_id)
            connection.execute(update(next_step).where(steps).values(opportunity_id=deal))
        return self.note(interaction_id)

    def save_readings(self, readings: Sequence[NoteReading]) -> int:
        """Keep what a reader understood of notes, in one transaction; returns how many were kept.

        A note that has changed meanwhile is left out: it will be read again. What a person confirmed stays, and derived
        steps that are done, dropped or were confirmed stay as they are.
        """
        by_note = {reading.note_id: reading for reading in readings}
        with self._write() as connection:
            ids = list(by_note)
            parts = (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))
            return sum(self._save_some(connection, by_note, some) for some in parts)

    def _save_some(self, connection: Connection, by_note: Mapping[int, NoteReading], ids: Sequence[int]) -> int:
        asked = select(_i.id, _i.revision, _i.account_id, _i.occurred_at, _i.rep, _i.opportunity_id, _i.properties)
        asked = asked.where(_i.team_id == self.team_id, _i.id.in_(ids), _i.state == "active").order_by(_i.id)
        # Nobody may change a note between this and its mark (SQLite locks as a whole anyway).
        found = [row for row in connection.execute(asked.with_for_update()) if row.revision == by_note[row.id].revision]
        readers = {by_note[row.id].read_as for row in found}
        for read_as in readers:
            read = [row.id for row in found if by_note[row.id].read_as == read_as]
            mine = update(interaction).where(_i.team_id == self.team_id, _i.id.in_(read))
            connection.execute(mine.values(read_as=read_as))
        if found:
            kept = {row.id: _not_refused(by_note[row.id], row.properties.get(REJECTED, ())) for row in found}
            self._replace_signals(connection, found, by_note, kept)
            self._replace_steps(connection, found, by_note, kept)
        return len(found)

    def signals(self, interaction_id: int) -> tuple[Signal, ...]:
        """What a note says, as read so far."""
        note = self.note(interaction_id)
        with self._read() as connection:
            mine = select(signal).where(signal.c.team_id == self.team_id, signal.c.interaction_id == note.id)
            rows = connection.execute(mine.order_by(signal.c.id)).all()
        return tuple(to_signal(row, note.key, note.occurred_at) for row in rows)

    def confirm(self, signal_id: int, by: str) -> None:
        """A person says that a signal is right: it counts, and no later reading removes it."""
        visible = select(_i.id).where(self._seen())
        mine = (signal.c.team_id == self.team_id) & (signal.c.id == signal_id) & signal.c.interaction_id.in_(visible)
        with self._write() as connection:
            connection.execute(update(signal).where(mine).values(confirmed_by=by, pending=False))

    def _insert_note(self, connection: Connection, owner: Account, note: NewNote, words: str) -> Logged:
        deals = [o.key for o in self._opportunities(connection, owner.id) if o.status == "open"]
        chosen = note.opportunity or (deals[0] if len(deals) == 1 else "")
        key = clean_line(note.key) or f"note-{uuid4().hex[:12]}"
        now = self._now()
        values: dict[str, Any] = {
            "team_id": self.team_id,
            "account_id": owner.id,
            "opportunity_id": self._deal(connection, owner.id, chosen) if chosen else None,
            "contact_id": self._person_named(connection, owner.id, note.contact),
            "key": key,
            "source_key": note.source_key or None,
            "text": words,
            "channel": clean_line(note.channel, 40) or "note",
            "rep": note.rep,
            "outcome": clean_line(note.outcome),
            "occurred_at": moment(note.occurred_at or now, "occurred_at"),
            "logged_at": now,
            "permalink": note.permalink,
            "external": note.external,
            "visibility": note.visibility,
            "properties": {},
        }
        try:
            row_id = connection.execute(insert(interaction).values(**values).returning(_i.id)).scalar_one()
        except IntegrityError as error:
            raise BadInput(f"There is already a note with the id '{key}' on {owner.name}.") from error
        ask = tuple(deals) if len(deals) > 1 and not chosen else ()
        return Logged(row_id, key, owner, values["occurred_at"], note.rep, True, chosen, ask)

    def _delivered(self, connection: Connection, source_key: str) -> Logged | None:
        if not source_key:
            return None
        earlier = select(_i.id, _i.key, _i.occurred_at, _i.rep, _i.account_id).where(
            _i.team_id == self.team_id, _i.source_key == source_key
        )
        row = connection.execute(earlier).first()
        if row is None:
            return None
        return Logged(row.id, row.key, self._account(connection, row.account_id), row.occurred_at, row.rep, False)

    def _person_named(self, connection: Connection, account_id: int, name: str) -> int | None:
        """The id of a person at the account, made when the name is new."""
        wanted = name_key(name)
        if not wanted:
            return None
        for known in self._contacts(connection, account_id):
            if wanted in (name_key(known.name), name_key(known.key)):
                return known.id
        values = {"team_id": self.team_id, "account_id": account_id, "key": wanted.replace(" ", "-")}
        values |= {"name": clean_line(name), "name_key": wanted}
        made = insert(contact).values(**values, role="", properties={}).returning(contact.c.id)
        return int(connection.execute(made).scalar_one())

    def _deal(self, connection: Connection, account_id: int, key: str) -> int:
        for deal in self._opportunities(connection, account_id):
            if deal.key == key:
                return deal.id
        raise BadInput(f"This account has no opportunity '{key}'.")

    def _person(self, account_id: int | None, contact_id: int | None) -> list[ColumnElement[bool]]:
        wanted = [] if account_id is None else [_i.account_id == account_id]
        return wanted if contact_id is None else [*wanted, _i.contact_id == contact_id]

    def _one(self, interaction_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return _i.team_id == self.team_id, _i.id == interaction_id

    def _open(self) -> ColumnElement[bool]:
        return _i.team_id == self.team_id if self.audience is None else self._open_to_audience()

    def _living(self, connection: Connection, interaction_id: int) -> AnyRow:
        wanted = select(_i.id, _i.revision, _i.indexed_as, _i.account_id).where(self._seen(), _i.id == interaction_id)
        row = connection.execute(wanted).first()
        if row is None:
            raise UnknownNote
        return row

    def _set_state(self, connection: Connection, interaction_id: int, state: State, by: str) -> None:
        stale = {"indexed_as": case((_i.indexed_as == "", ""), else_="stale"), **TRY_AGAIN}
        fresh = {"state": state.value, "state_at": self._now(), "state_by": by, "read_as": "", **stale}
        bump = update(interaction).where(*self._one(interaction_id)).values(revision=_i.revision + 1, **fresh)
        connection.execute(bump)

    def _keep_version(self, connection: Connection, interaction_id: int, by: str) -> None:
        row = connection.execute(select(interaction).where(*self._one(interaction_id))).one()
        values = dict(row._mapping)
        values.update(
            key=f"{row.key}~{row.revision}",
            source_key=None,
            state=State.SUPERSEDED.value,
            state_at=self._now(),
            state_by=by,
            version_of=row.id,
            indexed_as="",
        )
        del values["id"]
        connection.execute(insert(interaction).values(**values))

    def _rewrite(self, connection: Connection, interaction_id: int, words: str, refused: list[Any]) -> None:
        """Other words, not yet read, in a note's place."""
        old = connection.execute(select(_i.properties, _i.indexed_as).where(*self._one(interaction_id))).one()
        properties = {k: v for k, v in old.properties.items() if k != REJECTED} | (
            {REJECTED: refused} if refused else {}
        )
        fresh = {"text": words, "properties": properties, "read_as": "", **_stale(old.indexed_as)}
        mine = update(interaction).where(*self._one(interaction_id))
        connection.execute(mine.values(revision=_i.revision + 1, **fresh))
        s = signal.c
        read = (s.team_id == self.team_id) & (s.interaction_id == interaction_id)
        confirmed = connection.execute(select(s.id, s.kind, s.topic, s.quote).where(read, s.confirmed_by != "")).all()
        kept = [r.id for r in confirmed if r.quote in words and not _is_refused(r.kind, r.quote, refused)]
        self._forget_derived(connection, interaction_id, kept)

    def _rejected(self, connection: Connection, interaction_id: int) -> list[Any]:
        properties = connection.execute(select(_i.properties).where(*self._one(interaction_id))).scalar_one()
        return list(properties.get(REJECTED, ()))

    def _named(self, connection: Connection, interaction_id: int, ids: Collection[int]) -> list[list[str]]:
        """What tells the signals of a note again, whoever reads it: kind, topic and words."""
        s = signal.c
        mine = (s.team_id == self.team_id) & (s.interaction_id == interaction_id) & s.id.in_(list(ids))
        return [list(row) for row in connection.execute(select(s.kind, s.topic, s.quote).where(mine).order_by(s.id))]

    def _forget_derived(self, connection: Connection, interaction_id: int, kept: Sequence[int] = ()) -> None:
        read = (signal.c.team_id == self.team_id) & (signal.c.interaction_id == interaction_id)
        connection.execute(delete(signal).where(read, signal.c.id.not_in(kept)))
        open_steps = (
            (next_step.c.team_id == self.team_id)
            & (next_step.c.interaction_id == interaction_id)
            & next_step.c.derived
            & next_step.c.done_at.is_(None)
            & next_step.c.dropped_at.is_(None)
        )
        connection.execute(delete(next_step).where(open_steps))

    def _replace_signals(
        self,
        connection: Connection,
        notes: Sequence[AnyRow],
        readings: Mapping[int, NoteReading],
        kept: Mapping[int, Sequence[Signal]],
    ) -> None:
        s = signal.c
        mine = (s.team_id == self.team_id) & s.interaction_id.in_([note.id for note in notes])
        right = select(s.interaction_id, s.kind, s.topic, s.quote).where(mine, s.confirmed_by != "")
        confirmed: dict[int, list[AnyRow]] = {}
        for row in connection.execute(right):
            confirmed.setdefault(row.interaction_id, []).append(row)
        connection.execute(delete(signal).where(mine, s.confirmed_by == ""))
        fresh = [
            {
                "team_id": self.team_id,
                "account_id": note.account_id,
                "interaction_id": note.id,
                "kind": said.kind.value,
                "topic": said.topic.value,
                "quote": said.quote,
                "summary": said.summary,
                "party": said.party.value if said.party else "",
                "due": said.due,
                "who": said.who,
                "confirmed_by": said.confirmed_by,
                "pending": said.pending,
                "read_as": readings[note.id].read_as,
            }
            for note in notes
            for said in kept[note.id]
            if not _is_settled(said.kind.value, said.topic.value, said.quote, confirmed.get(note.id, ()))
        ]
        if fresh:
            connection.execute(insert(signal), fresh)

    def _replace_steps(
        self,
        connection: Connection,
        notes: Sequence[AnyRow],
        readings: Mapping[int, NoteReading],
        kept: Mapping[int, Sequence[Signal]],
    ) -> None:
        n = next_step.c
        ids = [note.id for note in notes]
        mine = (n.team_id == self.team_id) & n.interaction_id.in_(ids) & n.derived
        s = signal.c
        right = exists().where(
            s.team_id == self.team_id, s.interaction_id == n.interaction_id, s.confirmed_by != "", s.quote == n.quote
        )
        stays = _settled() | right
        settled: dict[int, list[str]] = {}
        for row in connection.execute(select(n.interaction_id, n.quote).where(mine, stays)):
            settled.setdefault(row.interaction_id, []).append(row.quote)
        connection.execute(delete(next_step).where(mine, ~stays))
        fresh = [
            {
                "team_id": self.team_id,
                "account_id": note.account_id,
                "interaction_id": note.id,
                "opportunity_id": note.opportunity_id,
                "key": f"step-{uuid4().hex[:12]}",
                "created_at": note.occurred_at,
                "derived": True,
                "properties": {},
                **_step_values(step, note.rep),
            }
            for note in notes
            for step in _steps_of(readings[note.id], kept[note.id])
            if not any(_overlap(str(step.get("quote", "")), quote) for quote in settled.get(note.id, ()))
        ]
        if fresh:
            connection.execute(insert(next_step), fresh)


def to_signal(row: AnyRow, key: str, at: datetime) -> Signal:
    """A row of `signal` as a record, with its note's key and time."""
    from storage.records import Side, Topic

    return Signal(
        kind=Kind(row.kind),
        topic=Topic(row.topic),
        quote=row.quote,
        summary=row.summary,
        party=Side(row.party) if row.party else None,
        due=row.due,
        who=row.who,
        interaction_id=row.interaction_id,
        interaction=key,
        at=at,
        confirmed_by=row.confirmed_by,
        pending=row.pending,
        id=row.id,
    )


def _is_refused(kind: str, quote: str, refused: Sequence[Sequence[str]]) -> bool:
    """Whether a person has said that this is wrong: another reader may cut the words, and name the topic, otherwise."""
    return any(kind == k and _overlap(quote, q) for k, _, q in refused)


def _overlap(one: str, other: str) -> bool:
    return bool(one and other) and (one in other or other in one)


_OF_ONE_KIND = (
    frozenset({Kind.PILOT_REQUESTED, Kind.PILOT_AGREED}),
    frozenset({Kind.BUDGET_CONFIRMED, Kind.BUDGET_BLOCKED}),
    frozenset({Kind.OBJECTION, Kind.OBJECTION_RESOLVED}),
    frozenset({Kind.COMPETITOR, Kind.COMPETITOR_RESOLVED}),
    frozenset({Kind.COMMITMENT_BY_US, Kind.COMMITMENT_BY_THEM, Kind.COMMITMENT_DONE, Kind.NEXT_STEP}),
)
"""Readings of the same words that cannot all be right."""


def _is_settled(kind: str, topic: str, quote: str, confirmed: Sequence[AnyRow]) -> bool:
    """Whether a person has said what these words are: the same again, or another reading of them, adds nothing."""
    rivals = next((family for family in _OF_ONE_KIND if kind in family), frozenset({kind}))
    return any(
        (kind, topic) == (row.kind, row.topic) or (row.kind in rivals and _overlap(quote, row.quote))
        for row in confirmed
    )


def _not_refused(reading: NoteReading, refused: Sequence[Sequence[str]]) -> list[Signal]:
    return [s for s in reading.signals if not _is_refused(s.kind, s.quote, refused)]


def _steps_of(reading: NoteReading, signals: Sequence[Signal]) -> list[Mapping[str, Any]]:
    """The steps of a reading without those that only refused signals made."""
    quotes = {s.quote for s in reading.signals} - {s.quote for s in signals}
    return [step for step in reading.steps if step.get("quote", "") not in quotes]


def _settled() -> ColumnElement[bool]:
    return next_step.c.done_at.is_not(None) | next_step.c.dropped_at.is_not(None) | ~next_step.c.derived


def _step_values(step: Mapping[str, Any], rep: str) -> dict[str, Any]:
    ours = step.get("side", "ours") == "ours"
    return {
        "title": clean_line(step["title"]),
        "side": "ours" if ours else "theirs",
        "is_promise": bool(step.get("is_promise")),
        "owner": step.get("owner") or (rep if ours else ""),
        "due": step.get("due"),
        "topic": str(step.get("topic", "other")),
        "quote": step.get("quote", ""),
    }


def _stale(indexed_as: str) -> dict[str, Any]:
    # An edited note that had been indexed still has points to be replaced; a new one has none.
    return {"indexed_as": "stale" if indexed_as else "", **TRY_AGAIN}


__all__ = ["ACCOUNT_COLUMNS", "INTERACTION_COLUMNS", "NoteVerbs", "select_notes", "to_interaction", "to_signal"]
