"""Opens a memory: engines and clients are made here only. Presence decides: no URL is the embedded engine."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from storage import sparse
from storage.aim import Aims
from storage.database import Database
from storage.embedder import Embedder
from storage.embedder_fastembed import FastembedEmbedder
from storage.errors import CannotOpen, FolderInUse
from storage.ground import Clock, Ground
from storage.index import MemoryIndex, SummaryIndex
from storage.memory import Memory
from storage.migrate import upgrade
from storage.recall import Engines

log = logging.getLogger("rapport.storage")

QUESTIONS_AT_A_TIME = 4
"""Questions embedded side by side; what is more waits its turn."""


def utc_now() -> datetime:
    """The wall clock as aware UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class StorageConfig:
    """Where a memory lives and what it runs on.

    `data_dir` holds the SQLite file and the embedded index. `database_url` (Postgres) and `qdrant_url` move the one or
    the other out. `embedding_model` names a fastembed model; "" is the bundled one.
    """

    data_dir: Path
    database_url: str = ""
    qdrant_url: str = ""
    qdrant_api_key: str = ""
    embedding_model: str = ""
    now: Clock = utc_now
    ring: Callable[[], None] = lambda: None


def open_memory(
    config: StorageConfig, *, embedder: Embedder | None = None, index: SummaryIndex | None = None
) -> Memory:
    """Open or create a memory, upgrade its schema, and hold its index against its notes.

    Raises FolderInUse, ModelMissing, SchemaTooNew or CannotOpen. `embedder` and `index` replace the configured engines.
    """
    on_close: list[Callable[[], Any]] = []
    try:
        on_close.append(_take(config.data_dir))
        db = Database(config.data_dir / "rapport.db", config.database_url)
        on_close.append(db.close)
        upgrade(db)
        chosen = embedder or FastembedEmbedder(config.embedding_model or None)
        on_close.append(chosen.close)
        signature = f"{chosen.signature} {sparse.SCHEME}"
        engine = index or _index(config, chosen.dims, signature)
        on_close.append(engine.close)
        lanes = ThreadPoolExecutor(QUESTIONS_AT_A_TIME, thread_name_prefix="question")
        on_close.append(lanes.shutdown)
    except BaseException:
        while on_close:
            on_close.pop()()
        raise
    engines = Engines(engine, chosen, signature, lanes, Aims.load(chosen.signature))
    memory = Memory(Ground(db, config.now, config.ring), engines, on_close)
    if hasattr(engine, "on_rebuilt"):  # an engine that finds damage while serving begins anew and says so
        engine.on_rebuilt = memory.requeue
    for notice in memory.verify():
        log.warning(notice)
    return memory


class _Elsewhere(MemoryIndex):
    """The index that another process has open."""

    @property
    def kind(self) -> str:
        return "open in another process"


def look_into(config: StorageConfig, *, embedder: Embedder | None = None) -> Memory:
    """A memory that another process has open, for its counts: nothing can be written, and its index is left alone.

    Raises ModelMissing, or CannotOpen when there is none.
    """
    path = config.data_dir / "rapport.db"
    if not path.is_file() and not config.database_url:
        raise CannotOpen(f"There is no memory in {config.data_dir} yet.")
    db = Database(path, config.database_url, looking=True)
    chosen = embedder or FastembedEmbedder(config.embedding_model or None)
    lanes = ThreadPoolExecutor(1)
    engines = Engines(_Elsewhere(), chosen, f"{chosen.signature} {sparse.SCHEME}", lanes)
    return Memory(Ground(db, config.now, config.ring), engines, [db.close, chosen.close, lanes.shutdown])


def _take(folder: Path) -> Callable[[], None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Opened on one thread and closed on another: a lock of the thread would stay held.
        lock = FileLock(folder / "rapport.lock", thread_local=False)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise FolderInUse(str(folder)) from error
    except OSError as error:
        raise CannotOpen(f"The data folder {folder} cannot be used: {error.strerror}.") from error
    return lock.release


def _index(config: StorageConfig, dims: int, signature: str) -> SummaryIndex:
    if config.qdrant_url:
        from storage.index_qdrant import QdrantIndex

        return QdrantIndex(config.qdrant_url, config.qdrant_api_key, dims=dims, signature=signature)
    from storage.index_edge import EdgeIndex

    return EdgeIndex(config.data_dir / "index", dims=dims, signature=signature)
