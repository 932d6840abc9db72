"""Runs of one series at the same time: all write the same bytes, or report what to do."""

import pytest

from series_assets_tests.interference.runs import (
    GENERATE_ALL,
    GENERATE_EACH,
    KEYS,
    Runs,
    Snapshot,
    assert_succeeded,
    error_message,
)


def test_runs_of_one_series_at_once(runs: Runs, undisturbed: Snapshot) -> None:
    """All succeed with the same bytes, even if they all find no database yet."""
    for result in runs.run_concurrently([GENERATE_ALL] * 3):
        assert_succeeded(result)
    assert Snapshot.read(runs.data) == undisturbed
    assert {path.name for path in runs.data.iterdir()} == {"demo", "exhibit.db"}


@pytest.mark.thorough
def test_periods_made_again_side_by_side(runs: Runs, undisturbed: Snapshot) -> None:
    """As in a backfill of several runs, with a run of the complete range at the same time."""
    assert_succeeded(runs.run())
    for result in runs.run_concurrently([*GENERATE_EACH, GENERATE_ALL]):
        assert_succeeded(result)
    assert Snapshot.read(runs.data) == undisturbed


def test_periods_made_first_side_by_side(runs: Runs, undisturbed: Snapshot) -> None:
    """A period that runs before those that it samples from reports that, and can run later."""
    for _ in KEYS:
        result = runs.run_concurrently(GENERATE_EACH)
        for one in result:
            if one.exit_code:
                assert "samples from all periods before it, but nothing is recorded yet for" in (
                    error_message(one, one.exit_code)
                )
        if not any(one.exit_code for one in result):
            break
    assert [one.exit_code for one in result] == [0] * len(KEYS)
    assert Snapshot.read(runs.data) == undisturbed
