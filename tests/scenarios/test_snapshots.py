"""What Slack is shown is what was reviewed."""

import json

import pytest

from tests import snapshots
from tests.scenarios.limits import broken

KEPT = json.loads(snapshots.FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shown() -> dict[str, object]:
    return snapshots.shown()


def test_the_same_views_are_kept(shown: dict[str, object]) -> None:
    """None is missing from the file, and none in it is gone."""
    assert set(shown) == set(KEPT)


@pytest.mark.parametrize("name", sorted(KEPT))
def test_a_view_is_as_it_was_reviewed(shown: dict[str, object], name: str) -> None:
    """After a change on purpose: `python -m tests.snapshots`, and the difference is read in review."""
    assert json.loads(json.dumps(shown[name])) == KEPT[name]


@pytest.mark.parametrize("name", sorted(KEPT))
def test_what_is_kept_fits_slack(name: str) -> None:
    """Every message, form and home is within Slack's limits."""
    for view in KEPT[name] if isinstance(KEPT[name], list) else [KEPT[name]]:
        assert broken(view.get("type", "message"), view) == []
