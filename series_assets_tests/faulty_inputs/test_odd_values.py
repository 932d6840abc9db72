"""Odd values at every place of both files never cause a traceback."""

import os
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from series_assets.cli import main
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.faulty_inputs.validation import (
    ABSENT,
    Content,
    changed,
)

ODD = [None, "", 0, -1, 1.5, True, "x", [], {}, [None], [1], {"x": 1}, {1: 2}, float("nan")]
ODD += [10**30, "9999-12-31", [[1, 2]], ABSENT]


def _places(content: object, above: str = "") -> list[str]:
    found = []
    for key, value in content.items() if isinstance(content, dict) else ():
        place = f"{above}/{key}" if above else key
        found += [place, *_places(value, place)]
    return found


def _check_odd_values(folder: Path, file: str, content: Content, place: str) -> None:
    """Validate a series with odd values at one place of one file.

    All odd values with ``HYPOTHESIS_PROFILE=long``, otherwise a third of them, chosen by the place.
    """
    target = write_series(folder) / file
    step = 1 if os.environ.get("HYPOTHESIS_PROFILE") == "long" else 3
    for odd in ODD[len(place) % step :: step]:
        text = yaml.safe_dump(changed(content, place, odd), sort_keys=False)
        target.write_text(text, encoding="utf-8")
        environment = {"SERIES_ASSETS_SERIES_DIR": str(folder)}
        result = CliRunner().invoke(main, ["validate"], env=environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), odd
        assert all(line.startswith("demo/") for line in result.stderr.splitlines()), odd
        assert bool(result.exit_code) == bool(result.stderr), odd


@pytest.mark.parametrize("place", _places(a_specification()))
def test_odd_values_in_the_specification_cause_no_traceback(tmp_path: Path, place: str) -> None:
    """Any value at any place leads to messages about the series, or to none."""
    _check_odd_values(tmp_path, "specification.yml", a_specification(), place)


@pytest.mark.parametrize("place", [*a_user_input(), "release", "start_date", "linked_columns"])
def test_odd_values_in_the_user_input_cause_no_traceback(tmp_path: Path, place: str) -> None:
    """Any value of any key leads to messages about the series, or to none."""
    user_input = a_user_input(release="calendar", start_date="2024-01-01", linked_columns=None)
    _check_odd_values(tmp_path, "user_input.yml", user_input, place)
