"""Promises of the table of installations: one a workspace, ended at once, and a newer token is never lost."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.database import Database
from storage.ground import Ground
from storage.installs import Installation, Installs
from storage.migrate import upgrade

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

ONE = Installation(
    team_id="T1", installed_at=NOW, app_id="A1", enterprise_id="E1", team_name="Sales", bot_id="B1", bot_user_id="U1",
    scopes="commands,chat:write", token="c1", refresh_token="r1", expires_at=NOW + 12 * HOUR, installed_by="U9",
)  # fmt: skip


@pytest.fixture
def installs(tmp_path: Path) -> Iterator[Installs]:
    db = Database(tmp_path / "rapport.db")
    upgrade(db)
    yield Installs(Ground(db, lambda: NOW))
    db.close()


def test_what_is_saved_is_found(installs: Installs) -> None:
    """Every column comes back as it went in, and an unknown workspace is None."""
    installs.save(ONE)
    assert installs.find("T1") == ONE
    assert installs.find("T2") is None
    assert installs.find("") is None


def test_a_workspace_goes_before_its_organisation(installs: Installs) -> None:
    """An installation of the workspace wins; without one its organisation's answers."""
    whole = replace(ONE, team_id="E1", token="c-whole")
    installs.save(whole)
    assert installs.find("T1", "E1") == whole
    installs.save(ONE)
    assert installs.find("T1", "E1") == ONE
    assert installs.find("T2") is None


def test_installing_again_replaces(installs: Installs) -> None:
    """There is one row a workspace, and installing again after an end takes the end away."""
    installs.save(ONE)
    installs.end("T1", NOW)
    again = replace(ONE, token="c2", refresh_token="", expires_at=None)
    installs.save(again)
    assert installs.all_active() == (again,)
    assert installs.ended_before(NOW + HOUR) == ()


def test_an_end_empties_the_tokens_at_once(installs: Installs) -> None:
    """An ended installation is not found, holds no token, and its first end stands."""
    installs.save(ONE)
    assert installs.end("T1", NOW)
    assert not installs.end("T1", NOW + HOUR)
    assert (installs.find("T1"), installs.all_active()) == (None, ())
    (gone,) = installs.ended_before(NOW + HOUR)
    assert (gone.token, gone.refresh_token, gone.expires_at, gone.ended_at) == ("", "", None, NOW)


def test_a_late_word_of_an_end_spares_what_was_installed_since(installs: Installs) -> None:
    """The end of an earlier installation, told after the next one was made, ends nothing."""
    installs.save(ONE)
    assert not installs.end("T1", NOW + HOUR, since=NOW - HOUR)
    assert installs.find("T1") == ONE
    assert installs.end("T1", NOW + HOUR, since=NOW)


def test_the_grace_is_over_only_after_it(installs: Installs) -> None:
    """Only what ended before the moment is listed, and what is forgotten is gone."""
    installs.save(ONE)
    installs.save(replace(ONE, team_id="T2"))
    installs.end("T1", NOW)
    assert installs.ended_before(NOW) == ()
    assert [gone.team_id for gone in installs.ended_before(NOW + HOUR)] == ["T1"]
    installs.forget("T1")
    assert installs.ended_before(NOW + HOUR) == ()
    assert [held.team_id for held in installs.all_active()] == ["T2"]


def test_what_expires_is_listed(installs: Installs) -> None:
    """Tokens that expire before the moment or have expired; not those without an end, nor of ended installations."""
    installs.save(ONE)
    installs.save(replace(ONE, team_id="T2", expires_at=None))
    installs.save(replace(ONE, team_id="T3", expires_at=NOW - HOUR))
    installs.save(replace(ONE, team_id="T4", expires_at=NOW - HOUR))
    installs.end("T4", NOW)
    assert [held.team_id for held in installs.expiring(NOW + 2 * HOUR)] == ["T3"]
    assert [held.team_id for held in installs.expiring(NOW + 13 * HOUR)] == ["T1", "T3"]


def test_of_two_that_renew_one_token_only_the_first_is_kept(installs: Installs) -> None:
    """Eight at once renew from the same refresh token: one takes it, and what it wrote stays."""
    installs.save(ONE)

    def renew(number: int) -> bool:
        return installs.rotate("T1", "r1", f"token-{number}", f"refresh-{number}", NOW + 24 * HOUR)

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(renew, range(8)))
    assert won.count(True) == 1
    kept = installs.find("T1")
    assert kept is not None
    assert (kept.token, kept.refresh_token) == (f"token-{won.index(True)}", f"refresh-{won.index(True)}")
    assert kept.expires_at == NOW + 24 * HOUR


def test_an_ended_installation_is_not_renewed(installs: Installs) -> None:
    """A renewal that was on its way while the app was removed brings no token back."""
    installs.save(ONE)
    installs.end("T1", NOW)
    assert not installs.rotate("T1", "r1", "c2", "r2", NOW + HOUR)
    assert not installs.rotate("T1", "", "c2", "r2", NOW + HOUR)
    assert installs.ended_before(NOW + HOUR)[0].token == ""


def test_a_state_is_good_once_and_in_time(installs: Installs) -> None:
    """The second time, after its time, and for one that was never issued, the answer is no."""
    installs.issue_state("s1", NOW + HOUR)
    installs.issue_state("s2", NOW + HOUR)
    assert installs.consume_state("s1", NOW)
    assert not installs.consume_state("s1", NOW)
    assert not installs.consume_state("s2", NOW + HOUR)
    assert not installs.consume_state("s2", NOW)
    assert not installs.consume_state("s3", NOW)


def test_stale_states_do_not_pile_up(installs: Installs) -> None:
    """A sweep deletes what is too old and leaves what is not."""
    installs.issue_state("old", NOW)
    installs.issue_state("new", NOW + HOUR)
    installs.sweep_states(NOW)
    assert not installs.consume_state("old", NOW - HOUR)
    assert installs.consume_state("new", NOW)


def test_a_token_is_not_in_a_repr(installs: Installs) -> None:
    """Not even ciphertext is printed by accident."""
    assert "c1" not in repr(ONE)
    assert "r1" not in repr(ONE)
