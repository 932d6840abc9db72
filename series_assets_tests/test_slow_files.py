"""The order of the tests, and which of them are fast or left out."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from series_assets_tests.slow_files import GROUPS, SECONDS, place_of
from series_assets_tests.thorough import covering

_TESTS = Path(__file__).parent


def test_each_slow_file_is_there() -> None:
    """A moved file needs its entry moved; the longest come first."""
    assert [name for name in (*SECONDS, *GROUPS) if not (_TESTS / name).exists()] == []
    assert list(SECONDS.values()) == sorted(SECONDS.values(), reverse=True)


def test_a_path_is_found_by_its_file_or_its_folder() -> None:
    """Tests of a group count as one, except for slow files in it."""
    assert place_of(_TESTS / "core" / "test_records.py") == "core/test_records.py"
    assert place_of(_TESTS / "end_to_end" / "test_edits.py") == "end_to_end"
    assert place_of(_TESTS / "dagster" / "assets" / "test_refusals.py") == "dagster/assets"
    assert place_of(_TESTS / "checks" / "test_run.py") == "checks"
    assert place_of(_TESTS / "checks" / "test_truth_rule.py") == "checks/test_truth_rule.py"
    assert place_of(Path("/elsewhere/test_one.py")) == "/elsewhere/test_one.py"


@pytest.mark.slow
def test_fast_tests_are_those_of_files_that_are_not_slow() -> None:
    """Except for single tests that are marked otherwise."""
    files = ["test_slow_files.py", "contract_rules", "storage/test_yaml_reading.py"]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--collect-only", "-n", "0", "-q", "-m", "fast"),
            *("-p", "no:cacheprovider", "-o", "addopts=--strict-markers"),
            *(str(_TESTS / name) for name in files),
        ],
        cwd=_TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = {line.partition("/")[2].partition("[")[0] for line in done.stdout.splitlines()}
    of_a_slow_file = "contract_rules/test_periods.py::test_a_series_of_one_dataset"
    of_a_fast_file = "storage/test_yaml_reading.py::test_plain_values_are_those_of_yaml"
    marked_slow = "storage/test_yaml_reading.py::test_as_much_as_the_limits_allow_is_read"
    assert of_a_fast_file in found
    assert not {of_a_slow_file, marked_slow} & found


def test_few_combinations_are_enough_for_each_value_to_occur() -> None:
    """For three values by three, three; a case with a unique value always stays."""
    grid = [{("a", one), ("b", other)} for one in range(3) for other in range(3)]
    chosen = [grid[place] for place in covering(grid)]
    assert len(chosen) == 3
    assert set().union(*chosen) == set().union(*grid)
    assert covering([{1}, {2}, {1, 2}, {3}]) == {2, 3}
    assert covering([]) == set()


@pytest.mark.each_value
@pytest.mark.parametrize("other", [[0], [1], [2]])
@pytest.mark.parametrize("one", ["a", "b", "c"])
def test_a_usual_run_has_few_combinations(
    request: pytest.FixtureRequest, one: str, other: list[int]
) -> None:
    """Three of these nine, with each value once; all of them in the long profile."""
    cases = [item for item in request.session.items if item.name.startswith(_FEW)]
    assert len(cases) == (9 if settings.get_current_profile_name() == "long" else 3)
    assert request.node in cases


_FEW = test_a_usual_run_has_few_combinations.__name__
