"""Posting on schedule: at most once each, and nothing lost in silence."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.poster import NotPosted, Poster
from bot.schedule import next_after
from storage import DigestPlan, Memory, StorageConfig, open_memory
from storage.embedder import HashEmbedder
from storage.errors import NotFound
from storage.index import MemoryIndex

NINE = datetime(2026, 6, 1, 9, tzinfo=UTC)
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NINE

    def __call__(self) -> datetime:
        return self.at


class Wall:
    """Takes what is posted, or does to it what it is told to."""

    def __init__(self) -> None:
        self.slots: list[datetime] = []
        self.trouble: Exception | None = None

    def post(self, _plan: DigestPlan, slot: datetime) -> str:
        if self.trouble:
            raise self.trouble
        self.slots.append(slot)
        return "1.1"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def memory(tmp_path: Path, clock: Clock) -> Iterator[Memory]:
    config = StorageConfig(data_dir=tmp_path, now=clock)
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as made:
        made.of("T1").set_digest("C1", "0 9 * * *", "UTC", accounts="all", made_by="U1", next_at=NINE)
        yield made


@pytest.fixture
def poster(memory: Memory, clock: Clock, wall: Wall) -> Poster:
    return Poster(memory.schedules, wall.post, clock)


def states(memory: Memory) -> list[str]:
    """The states of the digest's slots, the latest first."""
    team = memory.of("T1")
    return [run.state for run in team.digest_runs(team.digests()[0].id)]


def test_a_slot_is_posted_once_however_often_it_is_looked_at(poster: Poster, wall: Wall, memory: Memory) -> None:
    """The second round finds the slot taken."""
    assert [poster.tick(), poster.tick()] == [1, 0]
    assert wall.slots == [NINE]
    assert states(memory) == ["posted"]
    assert memory.of("T1").last_posted(memory.of("T1").digests()[0].id) == NINE


def test_a_clock_set_back_posts_nothing_twice(poster: Poster, wall: Wall, clock: Clock, memory: Memory) -> None:
    """The slot comes again with the same hour: its row is there."""
    poster.tick()
    memory.of("T1").set_digest("C1", "0 9 * * *", "UTC", accounts="all", made_by="U1", next_at=NINE)
    poster.tick()
    clock.at = NINE + timedelta(days=1)
    poster.tick()
    assert wall.slots == [NINE, NINE + timedelta(days=1)]


def test_missed_slots_are_one_post_and_a_slot_too_late_is_skipped(
    poster: Poster, wall: Wall, clock: Clock, memory: Memory
) -> None:
    """After days of standstill one digest is posted within the hour; after the hour none, and it is on record."""
    clock.at = NINE + timedelta(days=3, minutes=20)
    poster.tick()
    assert wall.slots == [NINE + timedelta(days=3)]
    clock.at = NINE + timedelta(days=4, hours=2)
    poster.tick()
    assert len(wall.slots) == 1
    assert states(memory) == ["skipped", "posted"]


def test_what_slack_refuses_is_failed_and_what_it_delays_is_tried_again(
    poster: Poster, wall: Wall, clock: Clock, memory: Memory
) -> None:
    """A rate limit is waited out; a channel that is gone is said."""
    wall.trouble = NotPosted("Slack asked to wait", retry_in=30)
    poster.tick()
    assert states(memory) == ["claimed"]
    wall.trouble, clock.at = None, NINE + timedelta(seconds=31)
    assert poster.tick() == 1
    wall.trouble, clock.at = NotPosted("the channel is gone"), NINE + timedelta(days=1)
    poster.tick()
    assert states(memory)[0] == "failed"


def test_a_lost_answer_is_unknown_until_a_person_sends_it_again(
    poster: Poster, wall: Wall, clock: Clock, memory: Memory
) -> None:
    """Nothing is re-sent by itself; of two clicks on "Send again" one counts."""
    wall.trouble = TimeoutError("no answer")
    poster.tick()
    clock.at += timedelta(minutes=30)
    wall.trouble = None
    assert poster.tick() == 0
    team = memory.of("T1")
    run = team.digest_runs(team.digests()[0].id)[0]
    assert run.state == "unknown"
    team.send_again(run.id)
    with pytest.raises(NotFound):
        team.send_again(run.id)
    assert poster.tick() == 1
    assert wall.slots == [NINE]


def test_the_slots_of_a_process_that_died_are_taken_up_or_shown(
    poster: Poster, wall: Wall, clock: Clock, memory: Memory
) -> None:
    """Before the call it is taken up by another; during the call it is unknown."""
    plan = memory.schedules.due(NINE)[0]
    run = memory.schedules.claim(plan, NINE, NINE + timedelta(days=1), NINE)
    assert run is not None
    clock.at = NINE + timedelta(minutes=5)
    assert poster.tick() == 1
    assert not memory.schedules.sending(run), "the slot is another's now"
    clock.at = NINE + timedelta(days=1)
    plan = memory.schedules.due(clock.at)[0]
    run = memory.schedules.claim(plan, clock.at, clock.at + timedelta(days=1), clock.at)
    assert run is not None
    memory.schedules.sending(run)
    clock.at += timedelta(minutes=5)
    poster.tick()
    assert states(memory)[0] == "unknown"
    assert len(wall.slots) == 1


def test_a_slot_that_could_not_be_sent_within_the_hour_is_skipped_and_no_burst_follows(
    poster: Poster, wall: Wall, clock: Clock, memory: Memory
) -> None:
    """Claimed by a process that died, then three days of standstill: the newest slot is posted, not the old one."""
    plan = memory.schedules.due(NINE)[0]
    assert memory.schedules.claim(plan, NINE, NINE + timedelta(days=1), NINE)
    clock.at = NINE + timedelta(days=3, minutes=5)
    assert poster.tick() == 1
    assert wall.slots == [NINE + timedelta(days=3)]
    assert states(memory) == ["posted", "skipped"]


def test_what_a_person_sends_again_is_never_too_late(poster: Poster, wall: Wall, clock: Clock, memory: Memory) -> None:
    """ "Send again" on the next morning is meant, and a rate limit does not make it forgotten."""
    wall.trouble = TimeoutError("no answer")
    poster.tick()
    clock.at += timedelta(hours=20)
    team = memory.of("T1")
    team.send_again(team.digest_runs(team.digests()[0].id)[0].id)
    wall.trouble = NotPosted("Slack asked to wait", retry_in=30)
    assert poster.tick() == 0
    wall.trouble = None
    clock.at += timedelta(seconds=31)
    assert poster.tick() == 1
    assert wall.slots == [NINE]


def test_one_digest_that_cannot_be_counted_does_not_stop_the_others(
    poster: Poster, wall: Wall, memory: Memory, caplog: pytest.LogCaptureFixture
) -> None:
    """Its zone is gone from the system; the log names the digest and no words."""
    team = memory.of("T1")
    for channel, next_at in (("C0", NINE - timedelta(days=1)), ("C9", NINE + timedelta(days=90))):
        team.set_digest(channel, "0 9 * * *", "Gone/Zone", accounts="all", made_by="U1", next_at=next_at)
    assert poster.tick() == 1
    assert wall.slots == [NINE]
    assert caplog.text.count("cannot be counted: ZoneInfoNotFoundError") == 2


def test_a_clock_that_was_ahead_for_a_moment_does_not_silence_a_digest(
    poster: Poster, wall: Wall, clock: Clock, memory: Memory
) -> None:
    """A round in the wrong year, then right days again: they have their slots."""
    clock.at = NINE + timedelta(days=400)
    poster.tick()
    clock.at = NINE + timedelta(hours=1)
    poster.tick()
    clock.at = NINE + timedelta(days=1)
    poster.tick()
    assert wall.slots == [NINE + timedelta(days=400), NINE + timedelta(days=1)]
    team = memory.of("T1")
    assert team.last_posted(team.digests()[0].id) == NINE + timedelta(days=1)


def test_each_slot_is_claimed_when_its_turn_comes(memory: Memory, clock: Clock) -> None:
    """Many digests at nine, each slow to send: none waits in a claim that runs out."""
    for number in range(2, 6):
        memory.of("T1").set_digest(f"C{number}", "0 9 * * *", "UTC", accounts="all", made_by="U1", next_at=NINE)
    others = memory.schedules

    def slow(_plan: DigestPlan, _slot: datetime) -> str:
        clock.at += timedelta(seconds=100)
        assert others.sweep(clock.at) == ()
        return "1.1"

    assert Poster(memory.schedules, slow, clock).tick() == 5
    team = memory.of("T1")
    assert {run.state for plan in team.digests() for run in team.digest_runs(plan.id)} == {"posted"}


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    config = StorageConfig(data_dir=tmp_path_factory.mktemp("lasting"))
    with open_memory(config, embedder=HashEmbedder(), index=MemoryIndex()) as made:
        yield made


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(-3000, 4000), min_size=1, max_size=12), st.sampled_from(ZONES))
def test_a_clock_that_jumps_posts_no_slot_twice(lasting: Memory, jumps: list[int], zone: str) -> None:
    """Minutes back and forth at will, over both changes of the clock, with the digest set anew between: once each."""
    team, clock, wall = lasting.of("T1"), Clock(), Wall()
    clock.at = datetime(2026, 10, 24, tzinfo=UTC)
    team.end_digest("C1")
    poster = Poster(lasting.schedules, wall.post, clock)
    for number, jump in enumerate(jumps):
        if number % 3 == 0:
            coming = next_after("30 2 * * *", zone, clock.at)
            team.set_digest("C1", "30 2 * * *", zone, accounts="all", made_by="U1", next_at=coming)
        clock.at += timedelta(minutes=jump)
        poster.tick()
    assert len(wall.slots) == len(set(wall.slots))
    runs = team.digest_runs(team.digests()[0].id, 100)
    assert {run.slot for run in runs if run.state == "posted"} == set(wall.slots)
    assert {run.state for run in runs} <= {"posted", "skipped"}


def test_another_workspace_neither_sees_nor_ends_a_digest(memory: Memory) -> None:
    """Digests are a workspace's own."""
    assert memory.of("T2").digests() == ()
    assert not memory.of("T2").end_digest("C1")
    assert memory.of("T1").end_digest("C1")
    assert memory.of("T1").digests() == ()
