"""Keeps the index in step with SQL. The queue is a query: what was indexed as something else than today's signature.

Insert, edit, retraction, a changed model, a lost index: all are this query. Rows are claimed with a lease and a token;
marking compares the row's revision: an edit made while its former words were being embedded is indexed again.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update

from storage import passages
from storage.embedder import Matrix
from storage.errors import IndexDown
from storage.ground import AnyRow, Ground, contact, interaction
from storage.index import Point
from storage.recall import Engines, note_documents, pending
from storage.records import CaughtUp

BATCH = 256
LEASE = timedelta(minutes=2)
TRIES = 8
BACKOFF_LIMIT = timedelta(minutes=10)
"""A row that cannot be indexed is tried again after 1, 2, 4 … seconds, at most this, and left alone after TRIES."""

_i = interaction.c
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Claimed rows, those among them that are to be indexed, and their vectors as they come."""

    token: str
    rows: Sequence[AnyRow]
    living: Sequence[AnyRow]
    vectors: "Future[list[Matrix]]"


class Sync:
    """The one writer of the index."""

    def __init__(self, ground: Ground, engines: Engines) -> None:
        self._ground = ground
        self._engines = engines

    def pending(self) -> int:
        """How many notes wait, parked ones included."""
        with self._ground.db.read() as connection:
            waiting = select(func.count()).select_from(interaction).where(pending(self._engines.signature))
            return connection.execute(waiting).scalar_one()

    def parked(self) -> int:
        """How many notes were given up after TRIES failures."""
        with self._ground.db.read() as connection:
            given_up = and_(pending(self._engines.signature), _i.tries >= TRIES)
            return connection.execute(select(func.count()).select_from(interaction).where(given_up)).scalar_one()

    def catch_up(self, progress: Progress | None = None, limit: int | None = None) -> CaughtUp:
        """Index all that is pending. While one batch is embedded on its own thread the next is claimed and read."""
        total = self.pending() if progress else 0
        done = CaughtUp()
        token = uuid4().hex
        try:
            with ThreadPoolExecutor(1, thread_name_prefix="embed") as lane:
                for batch in _one_ahead(self._batches(lane, token, limit)):
                    done = _add(done, self._finish(batch))
                    if progress:
                        progress(done.indexed + done.removed, total)
            # A flush holds the interpreter for up to 0.1 s, and a killed process loses nothing without it.
            if done.indexed + done.removed >= BATCH:
                self._engines.index.flush()
        except IndexDown as error:
            self._release(token)
            return CaughtUp(done.indexed, done.removed, done.failed, str(error))
        return done

    def forget_claims(self) -> None:
        """Free what a killed process had claimed. Only for who knows that no other process serves this database."""
        with self._ground.db.write() as connection:
            claimed = update(interaction).where(_i.claim_token != "")
            connection.execute(claimed.values(claim_token="", claimed_until=None))

    def verify(self, team_id: str) -> str:
        """Compare the index with SQL; when notes are missing from it, queue the workspace again and say so."""
        with self._ground.db.read() as connection:
            counted = select(func.count()).select_from(interaction).where(self._indexed(team_id))
            expected = connection.execute(counted).scalar_one()
        try:
            found = self._engines.index.count(team_id) if expected else 0
        except IndexDown as error:
            return str(error)
        if found >= expected:
            return ""
        self.requeue(team_id)
        return f"The search index held {found} of {expected} notes; it is being rebuilt from the notes themselves."

    def requeue(self, team_id: str) -> None:
        """Queue all notes of a workspace that count as indexed, and wake the worker."""
        with self._ground.db.write() as connection:
            connection.execute(update(interaction).where(self._indexed(team_id)).values(indexed_as="stale"))
        self._ground.ring()

    def _indexed(self, team_id: str) -> ColumnElement[bool]:
        return and_(_i.team_id == team_id, _i.indexed_as == self._engines.signature, _i.state == "active")

    def _batches(self, lane: ThreadPoolExecutor, token: str, limit: int | None) -> Iterator[_Batch]:
        left = limit
        while left is None or left > 0:
            rows = self._claim(token, BATCH if left is None else min(BATCH, left))
            if not rows:
                return
            left = None if left is None else left - len(rows)
            living = [row for row in rows if row.state == "active"]
            yield _Batch(token, rows, living, lane.submit(self._embed, living))

    def _embed(self, rows: Sequence[AnyRow]) -> list[Matrix]:
        return self._engines.embedder.notes([passages.split(row.text) for row in rows])

    def _claim(self, token: str, size: int) -> Sequence[AnyRow]:
        now = self._ground.now()
        free = and_(
            pending(self._engines.signature),
            or_(_i.claimed_until.is_(None), _i.claimed_until < now),
            or_(_i.retry_at.is_(None), _i.retry_at <= now),
            _i.tries < TRIES,
        )
        # SQLite drops FOR UPDATE: it has one writer anyway.
        chosen = select(_i.id).where(free).order_by(_i.id).limit(size).with_for_update(skip_locked=True)
        claim = update(interaction).where(_i.id.in_(chosen)).values(claim_token=token, claimed_until=now + LEASE)
        claimed = (
            select(*_COLUMNS)
            .outerjoin(contact, contact.c.id == _i.contact_id)
            .where(_i.claim_token == token)
            .order_by(_i.team_id, _i.id)
        )
        with self._ground.db.write() as connection:
            ids = connection.execute(claim.returning(_i.id)).scalars().all()
            return connection.execute(claimed.where(_i.id.in_(ids))).all() if ids else []

    def _finish(self, batch: _Batch) -> CaughtUp:
        try:
            vectors = batch.vectors.result()
            self._write_points(batch, vectors)
        except IndexDown:
            raise
        except Exception as error:  # noqa: BLE001 - one note that cannot be indexed must not stop the others
            return self._one_by_one(batch, error)
        return self._mark(batch.token, batch.rows)

    def _write_points(self, batch: _Batch, vectors: list[Matrix]) -> None:
        ready = {row.id: matrix for row, matrix in zip(batch.living, vectors, strict=True)}
        for team, rows in groupby(batch.rows, key=lambda row: str(row.team_id)):
            mine = list(rows)
            if had_points := [row.id for row in mine if row.indexed_as]:
                self._engines.index.remove(team, had_points)
            points = [p for row in mine if row.id in ready for p in _points(row, ready[row.id])]
            if points:
                self._engines.index.upsert(team, points)

    def _one_by_one(self, batch: _Batch, cause: Exception) -> CaughtUp:
        if len(batch.rows) == 1:
            self._back_off(batch)
            return CaughtUp(failed=1, notice=f"a note could not be indexed: {type(cause).__name__}")
        done = CaughtUp()
        for row in batch.rows:
            living = [row] if row.state == "active" else []
            vectors: Future[list[Matrix]] = Future()
            try:
                vectors.set_result(self._embed(living))
            except Exception as error:  # noqa: BLE001 - as above: it is counted and backed off
                vectors.set_exception(error)
            done = _add(done, self._finish(_Batch(batch.token, [row], living, vectors)))
        return done

    def _mark(self, token: str, rows: Sequence[AnyRow]) -> CaughtUp:
        unchanged = and_(_i.id == bindparam("b_id"), _i.revision == bindparam("b_rev"), _i.claim_token == token)
        mark = update(interaction).where(unchanged).values(indexed_as=bindparam("b_as"), **_FREE)
        living = sum(row.state == "active" for row in rows)
        values = [
            {"b_id": r.id, "b_rev": r.revision, "b_as": self._engines.signature if r.state == "active" else ""}
            for r in rows
        ]
        edited = update(interaction).where(_i.claim_token == token).values(claim_token="", claimed_until=None)
        with self._ground.db.write() as connection:
            connection.execute(mark, values)
            connection.execute(edited.where(_i.id.in_([row.id for row in rows])))
        return CaughtUp(indexed=living, removed=len(rows) - living)

    def _release(self, token: str) -> None:
        # The batch that was begun ahead too: else its notes would wait for the lease to run out.
        with self._ground.db.write() as connection:
            mine = _i.claim_token == token
            connection.execute(update(interaction).where(mine).values(claim_token="", claimed_until=None))

    def _back_off(self, batch: _Batch) -> None:
        row = batch.rows[0]
        wait = min(timedelta(seconds=2**row.tries), BACKOFF_LIMIT)
        later = {
            "tries": row.tries + 1,
            "retry_at": self._ground.now() + wait,
            "claim_token": "",
            "claimed_until": None,
        }
        with self._ground.db.write() as connection:
            mine = and_(_i.id == row.id, _i.claim_token == batch.token)
            connection.execute(update(interaction).where(mine).values(**later))


_COLUMNS = (
    _i.id,
    _i.team_id,
    _i.account_id,
    _i.visibility,
    _i.text,
    _i.state,
    _i.rep,
    _i.revision,
    _i.indexed_as,
    _i.occurred_at,
    _i.tries,
    contact.c.name,
    contact.c.role,
)
_FREE: dict[str, Any] = {"claim_token": "", "claimed_until": None, "tries": 0, "retry_at": None}


def _points(row: AnyRow, matrix: Matrix) -> list[Point]:
    documents = note_documents(row)[: len(matrix)]
    return [
        Point(row.id, n, row.account_id, row.visibility, matrix[n], document) for n, document in enumerate(documents)
    ]


def _one_ahead(batches: Iterator[_Batch]) -> Iterator[_Batch]:
    """Each batch after the next one has been started, so that embedding never waits for writing."""
    waiting: _Batch | None = None
    for batch in batches:
        if waiting is not None:
            yield waiting
        waiting = batch
    if waiting is not None:
        yield waiting


def _add(one: CaughtUp, other: CaughtUp) -> CaughtUp:
    return CaughtUp(
        one.indexed + other.indexed, one.removed + other.removed, one.failed + other.failed, other.notice or one.notice
    )
