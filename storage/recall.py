"""Recall: what was asked, inside a hard scope, from the index united with the notes that are not in it yet.

The scope comes first: an account's key or name, or conditions that SQL turns into note ids. Ranking sees nothing
outside it, and hydration from SQL drops whatever has been retracted or hidden since it was indexed.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    literal,
    not_,
    or_,
    select,
    union_all,
)

from storage import passages, ranking, sparse
from storage.aim import Aim, Aims
from storage.alike import threaded
from storage.embedder import Embedder
from storage.errors import IndexDown, UnknownAccount
from storage.ground import AnyRow, Ground, account, alias, contact, interaction, opportunity, signal
from storage.index import ORDINAL_BITS, Posting, Scope, SummaryIndex, Vector, point_id
from storage.payload import PayloadVerbs
from storage.records import Facts, Found, Hit, Kind, Resolved
from storage.remembered import Lately
from storage.where import Where, parse_query

CANDIDATES = 2000
"""Grains of one scope that are ranked: the nearest by meaning and as many for each word."""

FRESH_EMBEDDED = 64
"""Notes not yet indexed that are embedded for a question; more than that are ranked by their words alone."""

COPIES = 5
"""Hits looked at beyond those asked for: a note pasted twice must not push another one out."""

SELECTED = 300
"""Notes of a larger scope that are looked at by their meaning, and as many by their words."""

SCOPES_KEPT, ROWS_KEPT = 64, 100
"""Scopes, and notes of each, whose rows are kept while nothing is written: who asks about an account asks again."""

_i = interaction.c


@dataclass(frozen=True, slots=True)
class Engines:
    """What recall needs beside the database."""

    index: SummaryIndex
    embedder: Embedder
    signature: str
    lanes: ThreadPoolExecutor
    aims: Aims = field(default_factory=Aims.none)
    lately: "Lately[_Known]" = field(default_factory=lambda: Lately(SCOPES_KEPT))


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a question may see: the index's hard filter, the same in SQL, and the people it may name, with roles."""

    index: Scope
    shape: "_Shape"
    conditions: tuple[ColumnElement[bool], ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    people: tuple[tuple[str, str], ...] = ()

    def narrowed(self, query: Select[Any]) -> Select[Any]:
        """The query inside the conditions; a query that stays as it is keeps what SQLAlchemy has cached for it."""
        return query.where(*self.conditions) if self.conditions else query


@dataclass(frozen=True)
class _Note:
    """A note's row, and what is made of its text when it is told, and again when it is told again."""

    row: AnyRow

    @cached_property
    def said(self) -> tuple[int, str]:
        """The same for notes that say the same of the same account."""
        return self.row[_OWNER], " ".join(self.row[_TEXT].casefold().split())

    @cached_property
    def passages(self) -> tuple[str, ...]:
        """Its passages, by ordinal - 1."""
        return tuple(passages.split(self.row[_TEXT]))


@dataclass(frozen=True, slots=True)
class _Known:
    """What SQL said of a scope in an edition of the database: it, its notes not yet indexed, and rows of its notes."""

    edition: int | None
    scope: _Scope
    fresh: Sequence[AnyRow]
    rows: dict[int, _Note] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Meant:
    """What a question means: its vector and what it is after."""

    vector: Vector
    aim: Aim


@dataclass(frozen=True, slots=True)
class _Told:
    """A question read in its scope: the postings of its terms (None: the index is away), and what its words say where
    the scope is indexed and fits."""

    known: _Known
    asked: ranking.Question
    postings: tuple[Posting, ...] | None
    trouble: str = ""
    laid_out: ranking.Scope | None = None
    said: ranking.Words | None = None


def pending(signature: str | BindParameter[str]) -> ColumnElement[bool]:
    """Notes whose points are not what they should be: the queue, as a condition.

    Two ranges instead of `<>`, so that an index on the column can serve it among 100,000 notes.
    """
    differs = or_(_i.indexed_as < signature, _i.indexed_as > signature)
    return and_(differs, not_(and_(_i.state != "active", _i.indexed_as == "")))


class RecallVerbs(PayloadVerbs):
    """What can be asked."""

    def __init__(self, ground: Ground, team_id: str, audience: frozenset[str] | None, engines: Engines) -> None:
        super().__init__(ground, team_id, audience)
        self._engines = engines

    def facts(self, who: Resolved, as_of: datetime | None = None) -> Facts:
        """As the ledger gives them; objections without a topic are grouped by their meaning."""
        return threaded(super().facts(who, as_of), self._engines.embedder)

    def all_facts(self, as_of: datetime | None = None) -> tuple[Facts, ...]:
        """As the ledger gives them; objections without a topic are grouped by their meaning."""
        return tuple(threaded(facts, self._engines.embedder) for facts in super().all_facts(as_of))

    def recall(
        self,
        question: str,
        *,
        account: str | int | None = None,
        contact: str | None = None,
        opportunity: str | None = None,
        channel: str | None = None,
        rep: str | None = None,
        stage: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        kinds: Sequence[Kind] = (),
        where: Mapping[str, Any] | None = None,
        limit: int = 10,
        abstain: bool = True,
    ) -> Found:
        """The notes that answer a question, best first; no note outside the scope ever appears.

        `account` is a key or a name (or our id); without it every account is asked. The other filters combine.
        With `abstain=False` the ranked notes come back whatever their score. Raises UnknownAccount, AmbiguousName,
        UnknownField. When the index is away the notes are ranked by their words and `notice` says so.
        """
        filters = _filters(contact, opportunity, channel, rep, stage, since, until, kinds)
        # Embedding takes longest and needs no lock of Python's: a second thread looks up the words meanwhile.
        inside: Future[_Scope] = Future()
        lane = self._engines.lanes.submit(self._told, question, account, filters, where, inside)
        vector = self._engines.embedder.question(question)
        meant = _Meant(vector, self._engines.aims.of(vector))
        near, trouble = self._near(meant, inside)
        told = lane.result()
        trouble = trouble or told.trouble
        notice = f"{trouble} These notes were ranked by their words alone." if trouble else ""
        ranked = self._ranked(told, meant, near, limit + COPIES)
        hits = self._hydrate(told, ranked.notes, limit)
        if abstain and (ranked.abstained or not hits):
            return Found(question, (), True, hits[:3], ranked.reason, notice)
        return Found(question, hits, False, (), "", notice)

    def query(self, query: Mapping[str, Any]) -> Found:
        """Recall by the query JSON (`labels, propertyName, query, where, limit`)."""
        checked = parse_query(query)
        return self.recall(checked.question, where=checked.where, limit=checked.limit)

    def _scope(
        self,
        connection: Connection,
        wanted: str | int | None,
        filters: list[ColumnElement[bool]],
        where: Mapping[str, Any] | None,
    ) -> _Scope:
        owner = self._account_id(connection, wanted)
        accounts = None if owner is None else (owner,)
        asked = {"t": self.team_id, "a": owner}
        people = () if owner is None else tuple((name, role) for name, role in connection.execute(_PEOPLE, asked))
        shape = _shape(owner is not None, self.audience is not None)
        values = {"t": self.team_id, "a": owner, "audience": sorted(self.audience or ()), "s": self._engines.signature}
        if not filters and not where:
            return _Scope(Scope(accounts, None, self.audience), shape, (), values, people)
        conditions = (*filters, Where(connection, self.team_id).condition(where or {}))
        notes = tuple(connection.execute(shape.ids.where(*conditions), values).scalars())
        return _Scope(Scope(accounts, notes, self.audience), shape, conditions, values, people)

    def _account_id(self, connection: Connection, wanted: str | int | None) -> int | None:
        if wanted is None or isinstance(wanted, int):
            return wanted
        found = connection.execute(_BY_KEY, {"t": self.team_id, "k": wanted}).scalar()
        if found is None and not wanted.strip():
            raise UnknownAccount(wanted)
        return found if found is not None else self._resolve(connection, wanted).account.id

    def _told(
        self,
        question: str,
        account: str | int | None,
        filters: list[ColumnElement[bool]],
        where: Mapping[str, Any] | None,
        inside: Future[_Scope],
    ) -> _Told:
        """All that can be known of a question before its vector is; `inside` is given the scope as soon as it is."""
        try:
            known = self._known_of(account, filters, where)
        except BaseException as error:
            inside.set_exception(error)
            raise
        scope = known.scope
        inside.set_result(scope)
        names = [name for name, _ in scope.people]
        asked = ranking.parse(question, names, self._now().date(), scope.people)
        try:
            postings = self._postings(scope.index, asked)
        except IndexDown as error:
            return _Told(known, asked, None, str(error))
        grains = postings[asked.row("length")][0]
        if known.fresh or len(grains) >= CANDIDATES:
            return _Told(known, asked, postings)
        # The usual case, a scope that fits and is indexed: all but the meaning can be weighed already.
        laid_out = ranking.Scope.of(asked, np.sort(grains), postings)
        return _Told(known, asked, postings, "", laid_out, laid_out.words())

    def _known_of(
        self,
        account: str | int | None,
        filters: list[ColumnElement[bool]],
        where: Mapping[str, Any] | None,
    ) -> _Known:
        """The scope, and its notes that are not indexed yet: read before the index, a note that is indexed in between
        is found in both, and never in neither."""
        edition = None if account is None or filters or where else self._ground.db.edition()
        key = (self.team_id, account, self.audience)
        known = self._engines.lately.get(edition, key)
        if known is None:
            with self._read() as connection:
                scope = self._scope(connection, account, filters, where)
                fresh = connection.execute(scope.narrowed(scope.shape.fresh), scope.values).all()
            known = _Known(edition, scope, fresh)
            self._engines.lately.keep(edition, key, known)
        return known

    def _near(self, meant: _Meant, inside: Future[_Scope]) -> tuple[ranking.Evidence | None, str]:
        try:
            return self._nearest(inside.result().index, meant), ""
        except IndexDown as error:
            return None, str(error)

    def _nearest(self, scope: Scope, meant: _Meant) -> ranking.Evidence:
        towards = meant.aim.towards
        near = self._engines.index.candidates(self.team_id, scope, meant.vector, (), CANDIDATES, towards=towards)
        return ranking.Evidence(near.points, ranking.Sense(near.cosines, near.pulls, meant.aim), ())

    def _postings(self, scope: Scope, asked: ranking.Question) -> tuple[Posting, ...]:
        return self._engines.index.candidates(self.team_id, scope, None, asked.dimensions, CANDIDATES).postings

    def _ranked(self, told: _Told, meant: _Meant, near: ranking.Evidence | None, limit: int) -> ranking.Ranking:
        asked, scope = told.asked, told.known.scope
        if near is None or told.postings is None:
            with self._read() as connection:
                rows = connection.execute(scope.narrowed(scope.shape.newest), scope.values).all()
            return ranking.rank(asked, _by_words(asked, rows), limit)
        if told.laid_out is not None and told.said is not None:
            return ranking.rank_scope(told.laid_out, told.said, near.sense_at(told.laid_out.points), limit)
        found = replace(near, postings=told.postings)
        if len(found.postings[asked.row("length")][0]) >= CANDIDATES:
            # An index that fails between two looks leaves the first: the nearest, with the words they hold.
            with suppress(IndexDown):
                found = self._selected(scope.index, meant, found, asked)
        return ranking.rank(asked, self._united(asked, meant, found, told.known.fresh), limit)

    def _selected(
        self, scope: Scope, meant: _Meant, found: ranking.Evidence, asked: ranking.Question
    ) -> ranking.Evidence:
        """The candidates of a scope too large to be ranked whole: the nearest notes and those that hold most words."""
        best = [*_first_notes(found.points), *_first_notes(_by_rarity(asked, found.postings))]
        narrow = replace(scope, notes=tuple(dict.fromkeys(best)))
        return replace(self._nearest(narrow, meant), postings=self._postings(narrow, asked))

    def _united(
        self, asked: ranking.Question, meant: _Meant, found: ranking.Evidence, fresh: Sequence[AnyRow]
    ) -> ranking.Evidence:
        if not fresh:
            return found
        return _without(found, {row.id for row in fresh}).plus(asked.terms, self._fresh_grains(meant, fresh))

    def _fresh_grains(self, meant: _Meant, rows: Sequence[AnyRow]) -> list[ranking.Grain]:
        living = [row for row in rows if row.state == "active"]
        near = living[:FRESH_EMBEDDED]
        vectors = self._engines.embedder.notes([passages.split(row.text) for row in near])
        grains: list[ranking.Grain] = []
        for row, matrix in zip(near, vectors, strict=True):
            towards = meant.aim.towards
            cosines, pull = matrix @ meant.vector, np.zeros(len(matrix)) if towards is None else matrix @ towards
            grains += [
                ranking.Grain(point_id(row.id, n), float(cosines[n]), float(pull[n]), document)
                for n, document in enumerate(note_documents(row))
                if n < len(cosines)
            ]
        return grains + _worded(living[FRESH_EMBEDDED:])

    def _hydrate(self, told: _Told, ranked: Sequence[ranking.Ranked], limit: int) -> tuple[Hit, ...]:
        """The hits' own words, as they are now: a note retracted while it was looked for is not among them."""
        edition, known = self._ground.db.edition(), told.known
        held = known.rows if edition is not None and edition == known.edition else {}
        notes = {r.note_id: note for r in ranked if (note := held.get(r.note_id)) is not None}
        if missing := [r.note_id for r in ranked if r.note_id not in notes]:
            # Asked again, a scope is read whole as far as it is kept: who asks twice asks on.
            wanted = dict.fromkeys([*missing, *(_others(told, held) if held else ())])
            values = {**known.scope.values, "ids": list(wanted)}
            with self._read() as connection:
                found = connection.execute(known.scope.narrowed(known.scope.shape.hydrated), values).all()
            read = {row.id: _Note(row) for row in found}
            notes |= read
            if len(held) + len(read) <= ROWS_KEPT:
                held.update(read)
        hits = [(notes[r.note_id], r) for r in ranked if r.note_id in notes]
        return tuple(_hit(note, r) for note, r in _copies_last(hits)[:limit])


_BY_KEY = select(account.c.id).where(
    account.c.team_id == bindparam("t"), account.c.key == bindparam("k"), account.c.merged_into.is_(None)
)
# The account's own name counts as known too: asked for, it is no stranger's.
_PEOPLE = union_all(
    select(contact.c.name, contact.c.role).where(
        contact.c.team_id == bindparam("t"), contact.c.account_id == bindparam("a")
    ),
    select(account.c.name, literal("")).where(account.c.team_id == bindparam("t"), account.c.id == bindparam("a")),
    select(alias.c.name, literal("")).where(alias.c.team_id == bindparam("t"), alias.c.account_id == bindparam("a")),
)


_HITS = (
    select(
        _i.id,
        _i.account_id,
        _i.key,
        _i.text,
        _i.rep,
        _i.channel,
        _i.occurred_at,
        _i.permalink,
        account.c.name.label("account"),
        account.c.key.label("account_key"),
        contact.c.name.label("contact"),
        opportunity.c.key.label("opportunity"),
    )
    .join(account, account.c.id == _i.account_id)
    .outerjoin(contact, contact.c.id == _i.contact_id)
    .outerjoin(opportunity, opportunity.c.id == _i.opportunity_id)
)
_OWNER, _TEXT = 1, 3
"""Where the account and the text are among these columns."""


@dataclass(frozen=True, slots=True)
class _Shape:
    """The queries of one kind of scope. Built once: putting them together takes longer than running them."""

    ids: Select[Any]
    newest: Select[Any]
    fresh: Select[Any]
    hydrated: Select[Any]


@cache
def _shape(of_one_account: bool, limited: bool) -> _Shape:
    """The queries for one account or for all, for an audience or for the operator.

    `newest` and `fresh` hold retracted notes too: their points may still be in the index, and have to be taken out of
    what it found.
    """
    team = _i.team_id == bindparam("t")
    inside = [_i.account_id == bindparam("a")] if of_one_account else []
    inside += [or_(_i.visibility == "", _i.visibility.in_(bindparam("audience", expanding=True)))] if limited else []
    living = and_(team, _i.state == "active", *inside)
    documents = (
        select(_i.id, _i.text, _i.occurred_at, _i.rep, _i.state, contact.c.name, contact.c.role)
        .outerjoin(contact, contact.c.id == _i.contact_id)
        .limit(CANDIDATES)
    )
    # SQLite would walk the whole workspace by id to spare itself a sort of few rows. Ordered by a sum, and with the
    # workspace in a sum where no account is named, it takes the index on the account, or the one on `indexed_as`.
    here = team if of_one_account else _i.team_id.concat("") == bindparam("t")
    return _Shape(
        ids=select(_i.id).where(living),
        newest=documents.where(team, *inside).order_by(_i.id.desc()),
        fresh=documents.where(here, *inside, pending(bindparam("s"))).order_by((_i.id + 0).desc()),
        hydrated=_HITS.where(living).where(_i.id.in_(bindparam("ids", expanding=True))),
    )


def note_documents(row: AnyRow) -> list[dict[int, float]]:
    """The sparse documents of a note's grains: the whole note, then its passages when it has two or more."""
    parts = passages.split(row.text)
    people = (row.name or "", row.role or "")
    whole = sparse.document(row.text, ordinal=0, occurred_at=row.occurred_at, people=people, rep=row.rep)
    if len(parts) < 2:
        return [whole]
    return [whole, *(sparse.document(part, ordinal=n) for n, part in enumerate(parts, 1))]


def _filters(
    person: str | None,
    deal: str | None,
    channel: str | None,
    rep: str | None,
    stage: str | None,
    since: datetime | None,
    until: datetime | None,
    kinds: Sequence[Kind],
) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if person:
        people = select(contact.c.id).where(or_(contact.c.key == person, contact.c.name.ilike(person)))
        where.append(_i.contact_id.in_(_inside(people.where(contact.c.team_id == _i.team_id))))
    if deal:
        deals = select(opportunity.c.id).where(opportunity.c.key == deal, opportunity.c.team_id == _i.team_id)
        where.append(_i.opportunity_id.in_(_inside(deals)))
    if stage:
        staged = select(account.c.id).where(account.c.stage == stage, account.c.team_id == _i.team_id)
        where.append(_i.account_id.in_(_inside(staged)))
    if kinds:
        said = select(signal.c.interaction_id).where(signal.c.kind.in_([k.value for k in kinds]))
        where.append(_i.id.in_(_inside(said.where(signal.c.team_id == _i.team_id))))
    where += [_i.channel == channel] if channel else []
    where += [_i.rep == rep] if rep else []
    where += [_i.occurred_at >= since] if since else []
    where += [_i.occurred_at <= until] if until else []
    return where


def _inside(query: Select[Any]) -> Select[Any]:
    """The query as a condition on the notes: what else the queries around it join is not what it asks."""
    return query.correlate(interaction)


def _without(found: ranking.Evidence, notes: set[int]) -> ranking.Evidence:
    gone = np.fromiter(notes, dtype=np.int64)

    def keep(ids: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.flatnonzero(~np.isin(ids >> ORDINAL_BITS, gone))

    kept = keep(found.points)
    postings = tuple((ids[keep(ids)], weights[keep(ids)]) for ids, weights in found.postings)
    return ranking.Evidence(found.points[kept], found.sense.at(kept), postings)


def _worded(rows: Sequence[AnyRow]) -> list[ranking.Grain]:
    return [ranking.Grain(point_id(r.id, n), 0.0, 0.0, d) for r in rows for n, d in enumerate(note_documents(r))]


def _by_words(asked: ranking.Question, rows: Sequence[AnyRow]) -> ranking.Evidence:
    nothing = ranking.Evidence(
        np.empty(0, np.int64),
        ranking.Sense(np.empty(0, np.float32)),
        tuple((np.empty(0, np.int64), np.empty(0, np.float32)) for _ in asked.dimensions),
    )
    return nothing.plus(asked.terms, _worded([row for row in rows if row.state == "active"]))


def _copies_last(told: list[tuple[_Note, ranking.Ranked]]) -> list[tuple[_Note, ranking.Ranked]]:
    """The notes in their order, but what says the same words as one before it behind all others."""
    seen: set[tuple[int, str]] = set()
    first: list[tuple[_Note, ranking.Ranked]] = []
    again: list[tuple[_Note, ranking.Ranked]] = []
    for note, ranked in told:
        (again if note.said in seen else first).append((note, ranked))
        seen.add(note.said)
    return first + again


def _others(told: _Told, held: Mapping[int, _Note]) -> list[int]:
    """The notes of the scope that are not held, if all of them can be."""
    notes = [] if told.laid_out is None else told.laid_out.layout.notes.tolist()
    return [note for note in notes if note not in held] if len(notes) <= ROWS_KEPT else []


def _first_notes(points: NDArray[np.int64]) -> list[int]:
    """The notes of the first points, each once."""
    return list(dict.fromkeys((points >> ORDINAL_BITS).tolist()))[:SELECTED]


def _by_rarity(asked: ranking.Question, postings: Sequence[Posting]) -> NDArray[np.int64]:
    """Points by how many of the question's terms they hold, the rare ones counting more."""
    told = [ids for term, (ids, _) in zip(asked.terms, postings, strict=True) if term.role != "meta" and len(ids)]
    if not told:
        return np.zeros(0, np.int64)
    rarity = np.concatenate([np.full(len(ids), np.log1p(CANDIDATES / len(ids))) for ids in told])
    points, place = np.unique(np.concatenate(told), return_inverse=True)
    return np.asarray(points[np.argsort(-np.bincount(place, rarity), kind="stable")])


def _hit(note: _Note, ranked: ranking.Ranked) -> Hit:
    # Taken apart at once: a row looks up a name in a third of a microsecond, and there are twelve.
    number, owner, key, text, rep, channel, at, permalink, name, account_key, person, deal = note.row
    parts = note.passages if ranked.ordinal else ()
    quote = parts[ranked.ordinal - 1] if 0 < ranked.ordinal <= len(parts) else text
    score = round(ranked.score, 4)
    return Hit(
        key, score, text, quote, name, account_key, rep, channel, at, person or "", deal or "", permalink, number, owner
    )
