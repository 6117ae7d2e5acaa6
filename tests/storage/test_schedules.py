"""Schedules in SQL: a slot has one owner, whose word counts while the slot is theirs, and nothing goes silently."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.database import Database
from storage.errors import NotFound, RapportError
from storage.ground import Ground
from storage.migrate import upgrade
from storage.schedules import LEASE, DigestPlan, DigestRun, Schedules, ScheduleVerbs

NINE = datetime(2026, 6, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
CLICKS = 4


class Clock:
    """A clock that is set by hand."""

    at = NINE

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ground(tmp_path: Path, clock: Clock) -> Iterator[Ground]:
    db = Database(tmp_path / "test.db")
    upgrade(db)
    yield Ground(db, clock)
    db.close()


@pytest.fixture
def team(ground: Ground) -> ScheduleVerbs:
    made = ScheduleVerbs(ground, "T1", None)
    planned(made)
    return made


@pytest.fixture
def schedules(ground: Ground, team: ScheduleVerbs) -> Schedules:
    return Schedules(ground)


def planned(team: ScheduleVerbs, channel: str = "C1", next_at: datetime | None = NINE) -> DigestPlan:
    """Every day at nine."""
    return team.set_digest(channel, "0 9 * * *", "UTC", accounts="all", made_by="U1", next_at=next_at)


def claimed(schedules: Schedules, reason: str = "") -> DigestRun:
    """The slot that is due, taken."""
    plan = schedules.due(NINE)[0]
    run = schedules.claim(plan, NINE, NINE + DAY, NINE, reason=reason)
    assert run is not None
    return run


def last(team: ScheduleVerbs) -> DigestRun:
    """The digest's latest slot."""
    return team.digest_runs(team.digests()[0].id)[0]


def test_a_channel_has_one_digest_and_keeps_its_record(team: ScheduleVerbs, schedules: Schedules) -> None:
    """Setting it again changes it in place: the slots that were posted stay known."""
    run = claimed(schedules)
    again = team.set_digest("C1", "30 8 * * 1", "Europe/Berlin", accounts="mine", made_by="U2", next_at=NINE + DAY)
    assert team.digests() == (again,)
    assert (again.cron, again.tz, again.accounts, again.made_by) == ("30 8 * * 1", "Europe/Berlin", "mine", "U2")
    assert team.digest_runs(again.id) == (run,)


def test_a_digest_that_ended_is_gone_with_its_slots(team: ScheduleVerbs, schedules: Schedules) -> None:
    """What its worker still says of a slot finds nothing, and is no error."""
    run = claimed(schedules)
    assert team.end_digest("C1")
    assert not team.end_digest("C1")
    assert not schedules.sending(run)
    assert schedules.sweep(NINE + DAY) == ()
    assert schedules.plan_of(run) is None


def test_only_what_has_come_is_due_the_longest_waiting_first(team: ScheduleVerbs, schedules: Schedules) -> None:
    """A digest without a next slot, or with a later one, is not."""
    planned(team, "C2", NINE - DAY)
    planned(team, "C3", None)
    planned(team, "C4", NINE + timedelta(seconds=1))
    assert [plan.channel for plan in schedules.due(NINE)] == ["C2", "C1"]


def test_a_slot_is_claimed_once_by_many_at_the_same_moment(team: ScheduleVerbs, tmp_path: Path, clock: Clock) -> None:
    """Several connections of their own to one file, and one plan read by all: one gets the slot."""
    plan = team.digests()[0]

    def claim(own: Ground) -> bool:
        return Schedules(own).claim(plan, NINE, NINE + DAY, NINE) is not None

    assert at_once(tmp_path, clock, claim) == [False] * (CLICKS - 1) + [True]
    assert len(team.digest_runs(plan.id)) == 1


def test_send_again_is_for_one_click_of_many(
    team: ScheduleVerbs, schedules: Schedules, tmp_path: Path, clock: Clock
) -> None:
    """The others are told so."""
    run = claimed(schedules)
    schedules.sending(run)
    schedules.unknown(run, "no answer")

    def click(own: Ground) -> bool:
        try:
            return ScheduleVerbs(own, "T1", None).send_again(run.id).is_wanted
        except NotFound:
            return False

    assert at_once(tmp_path, clock, click) == [False] * (CLICKS - 1) + [True]
    assert last(team).token != run.token


def test_a_first_digest_that_many_set_at_once_is_one(team: ScheduleVerbs, tmp_path: Path, clock: Clock) -> None:
    """A double click is no error to anybody."""
    assert at_once(tmp_path, clock, lambda own: bool(planned(ScheduleVerbs(own, "T1", None), "C7"))) == [True] * CLICKS
    assert [plan.channel for plan in team.digests()] == ["C1", "C7"]


def test_a_slot_that_has_its_row_only_moves_on(team: ScheduleVerbs, schedules: Schedules) -> None:
    """A schedule set back to a slot that was posted does not give it out again, and does not stay there either."""
    run = claimed(schedules)
    plan = planned(team)
    assert schedules.claim(plan, NINE, NINE + DAY, NINE) is None
    assert team.digests()[0].next_at == NINE + DAY
    assert team.digest_runs(plan.id) == (run,)


def test_a_plan_that_was_changed_meanwhile_is_not_claimed(team: ScheduleVerbs, schedules: Schedules) -> None:
    """The worker read Monday, a person said Tuesday: Monday is not posted."""
    plan = team.digests()[0]
    planned(team, next_at=NINE + DAY)
    assert schedules.claim(plan, NINE, NINE + DAY, NINE) is None
    assert team.digest_runs(plan.id) == ()


def test_a_slot_goes_forward_only(team: ScheduleVerbs, schedules: Schedules) -> None:
    """It is sent once, and what is posted is neither failed nor unknown nor given back."""
    run = claimed(schedules)
    assert not schedules.posted(run, "1.1"), "it was never sent"
    assert schedules.sending(run)
    assert not schedules.sending(run)
    assert schedules.posted(run, "1.1")
    assert not schedules.failed(run, "no")
    assert not schedules.unknown(run, "no")
    assert not schedules.release(run, NINE)
    assert not schedules.skip(run, "no")
    assert schedules.sweep(NINE + DAY) == ()
    assert (last(team).state, last(team).posted_ts, last(team).reason) == ("posted", "1.1", "")
    with pytest.raises(NotFound):
        team.send_again(run.id)


def test_an_abandoned_claim_is_handed_on_and_its_owner_shut_out(team: ScheduleVerbs, schedules: Schedules) -> None:
    """Within the lease nobody takes it; after it one does, and the first may not send."""
    run = claimed(schedules)
    assert schedules.sweep(NINE + LEASE) == ()
    ((plan, again),) = schedules.sweep(NINE + LEASE + timedelta(seconds=1))
    assert (plan.channel, again.slot, again.id) == ("C1", NINE, run.id)
    assert schedules.sweep(NINE + LEASE + timedelta(seconds=2)) == ()
    assert not schedules.sending(run)
    assert schedules.sending(again)


def test_the_call_has_a_lease_of_its_own(team: ScheduleVerbs, schedules: Schedules, clock: Clock) -> None:
    """A slot that waited long before it was sent is not taken for abandoned while Slack is asked."""
    run = claimed(schedules)
    clock.at = NINE + LEASE
    assert schedules.sending(run)
    schedules.sweep(NINE + LEASE * 2)
    assert last(team).state == "sending"
    assert schedules.sweep(NINE + LEASE * 2 + timedelta(seconds=1)) == (), "it is nobody's to send again"
    assert last(team).state == "unknown"


@pytest.mark.parametrize("state", ["posted", "failed"])
def test_who_was_given_up_too_early_still_has_the_last_word(
    team: ScheduleVerbs, schedules: Schedules, state: str
) -> None:
    """Its answer came after the lease: better than unknown, as long as nobody has sent it again."""
    run = claimed(schedules)
    schedules.sending(run)
    schedules.sweep(NINE + DAY)
    assert schedules.posted(run, "1.1") if state == "posted" else schedules.failed(run, "no such channel")
    assert last(team).state == state


def test_who_was_given_up_is_not_heard_after_a_person_has_sent_it_again(
    team: ScheduleVerbs, schedules: Schedules
) -> None:
    """The slot has another owner now."""
    run = claimed(schedules)
    schedules.sending(run)
    schedules.sweep(NINE + DAY)
    team.send_again(run.id)
    assert not schedules.posted(run, "1.1")
    ((_, again),) = schedules.sweep(NINE)
    assert again.is_wanted
    assert schedules.sending(again)


def test_what_was_put_off_waits_until_then(schedules: Schedules) -> None:
    """Slack said how long: not before, and then once."""
    run = claimed(schedules)
    schedules.sending(run)
    assert schedules.release(run, NINE + timedelta(hours=1))
    assert not schedules.sending(run), "it has no owner while it waits"
    assert schedules.sweep(NINE + timedelta(hours=1)) == ()
    assert len(schedules.sweep(NINE + timedelta(hours=1, seconds=1))) == 1


Ending = Callable[[Schedules, DigestRun], object]


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (lambda schedules, run: schedules.posted(run, "1.1"), "stands for 2 missed"),
        (lambda schedules, run: schedules.failed(run, "no"), "no; stands for 2 missed"),
        (lambda schedules, run: schedules.unknown(run, "no"), "no; stands for 2 missed"),
        (
            lambda schedules, _run: schedules.sweep(NINE + DAY),
            "the process ended while it was being sent; stands for 2 missed",
        ),
    ],
)
def test_slots_that_were_missed_stay_on_record_whatever_becomes_of_the_one_that_stands_for_them(
    team: ScheduleVerbs, schedules: Schedules, ending: Ending, reason: str
) -> None:
    """Else they would be lost in silence."""
    run = claimed(schedules, "stands for 2 missed")
    schedules.sending(run)
    ending(schedules, run)
    assert last(team).reason == reason
    if last(team).state != "posted":
        assert team.send_again(run.id).reason == "sent again by a person; stands for 2 missed"


def test_the_last_posted_slot_has_come(team: ScheduleVerbs, schedules: Schedules, clock: Clock) -> None:
    """Changes are counted from a slot that was posted, not from one of a clock that was ahead."""
    plan = team.digests()[0]
    assert team.last_posted(plan.id) is None
    run = claimed(schedules)
    assert team.last_posted(plan.id) is None
    schedules.sending(run)
    schedules.posted(run, "1.1")
    assert team.last_posted(plan.id) == NINE
    clock.at = NINE - DAY
    assert team.last_posted(plan.id) is None


def test_a_digest_is_moved_only_from_where_it_was_seen(team: ScheduleVerbs, schedules: Schedules) -> None:
    """Of two that set it right one does."""
    assert schedules.beyond(NINE) == ()
    (plan,) = schedules.beyond(NINE - DAY)
    assert schedules.move(plan, NINE - DAY)
    assert not schedules.move(plan, NINE + DAY)
    assert team.digests()[0].next_at == NINE - DAY


def test_a_slot_of_another_workspace_is_not_there(ground: Ground, schedules: Schedules) -> None:
    """Neither seen nor sent again, though its id is known."""
    run = claimed(schedules)
    schedules.sending(run)
    schedules.failed(run, "no")
    other = ScheduleVerbs(ground, "T2", None)
    assert other.digest_runs(run.digest_id) == ()
    assert other.last_posted(run.digest_id) is None
    with pytest.raises(RapportError):
        other.send_again(run.id)


def at_once(folder: Path, clock: Clock, act: Callable[[Ground], bool]) -> list[bool]:
    """What each of several gets, sorted: each with a database object of its own, as replicas have."""
    grounds = [Ground(Database(folder / "test.db"), clock) for _ in range(CLICKS)]
    with ThreadPoolExecutor(CLICKS) as pool:
        got = list(pool.map(act, grounds))
    for own in grounds:
        own.db.close()
    return sorted(got)
