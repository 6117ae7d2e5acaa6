"""Deliveries that have been taken."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

from storage import StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.index import MemoryIndex


def test_a_delivery_is_taken_once_in_a_week_and_a_greeting_once(tmp_path: Path) -> None:
    """The same key is a duplicate in its workspace alone; after a week it is forgotten, a greeting never."""
    clock = [datetime(2026, 6, 1, tzinfo=UTC)]
    config = StorageConfig(data_dir=tmp_path, now=lambda: clock[0])
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        inbox = memory.inbox
        assert [inbox.take("T1", "event:Ev1"), inbox.take("T1", "event:Ev1"), inbox.take("T2", "event:Ev1")] == [
            True, False, True,
        ]  # fmt: skip
        assert [inbox.greet("T1", "U1"), inbox.greet("T1", "U1")] == [True, False]
        clock[0] += timedelta(days=8)
        assert inbox.take("T1", "event:Ev2")
        assert inbox.take("T1", "event:Ev1")
        assert not inbox.greet("T1", "U1")


def test_of_many_at_once_one_is_first(tmp_path: Path) -> None:
    """The same delivery eight times in parallel is one."""
    with open_memory(StorageConfig(data_dir=tmp_path), embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        taken: list[bool] = []
        threads = [Thread(target=lambda: taken.append(memory.inbox.take("T1", "event:Ev1"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(taken) == [False] * 7 + [True]


def test_a_question_is_taken_up_by_one_a_few_times_and_let_go_after_an_hour(tmp_path: Path) -> None:
    """Not before it has waited, longer each time, by one process at a time; `done` and half an hour end it."""
    clock = [datetime(2026, 6, 1, tzinfo=UTC)]
    config = StorageConfig(data_dir=tmp_path, now=lambda: clock[0])
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as memory:
        inbox = memory.inbox
        for key in ("a", "b", "c"):
            inbox.take("T1", key, {"event": key})
        inbox.take("T1", "d")
        assert inbox.unanswered() == ()
        inbox.done("T1", "b")
        clock[0] += timedelta(minutes=3)
        assert [(d.team_id, d.key, d.work) for d in inbox.unanswered()] == [
            ("T1", "a", {"event": "a"}), ("T1", "c", {"event": "c"}),
        ]  # fmt: skip
        assert inbox.unanswered() == ()
        inbox.done("T1", "c")
        taken = 1
        for _ in range(20):
            clock[0] += timedelta(minutes=1)
            taken += len(inbox.unanswered())
        assert taken == 3
        inbox.take("T1", "e", {"event": "e"})
        clock[0] += timedelta(minutes=61)
        assert inbox.unanswered() == ()
