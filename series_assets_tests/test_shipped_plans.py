"""The plans of the shipped series, as text that can be reviewed as a diff.

``golden/<name>.yml`` has everything about every period before it runs: the complete plans of the
first two periods, and for each later one its differences from the second. After an intended change,
rewrite the files and review the diff::

REWRITE_GOLDEN=1 pytest series_assets_tests/test_shipped_plans.py
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from series_assets.settings import SHIPPED
from series_assets.storage.loading import load_series
from series_assets_tests.plans import plan_as_dict

GOLDEN = Path(__file__).parent / "golden"
SERIES = sorted(path.name for path in SHIPPED.iterdir() if path.is_dir())
HEAD = """\
# The plan of every period of the series {name}; written by test_shipped_plans.py, see there.
# Periods 1 and 2 are whole; a later one is what differs from period 2, by its place in the plan.
"""


class _Plain(yaml.SafeDumper):
    """A YAML dumper without anchors, with indented list items."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _differences(plan: Any, base: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield place and value of what ``plan`` has otherwise than ``base``; None if it has none.

    Lists count as one value.
    """
    if not (isinstance(plan, dict) and isinstance(base, dict)):
        if plan != base:
            yield place, plan
        return
    for key in [*plan, *(key for key in base if key not in plan)]:
        yield from _differences(plan.get(key), base.get(key), f"{place}/{key}" if place else key)


def _told(name: str) -> str:
    series = load_series(SHIPPED / name)
    plans = [plan_as_dict(series.plan(k)) for k in range(series.calendar.count)]
    first, second, *later = plans
    shown = [first, second, *(dict(_differences(plan, second)) for plan in later)]
    texts = [
        yaml.dump([plan], Dumper=_Plain, sort_keys=False, allow_unicode=True, width=96)
        for plan in shown
    ]
    return HEAD.format(name=name) + "\n" + "\n".join(texts)


@pytest.fixture(scope="module", autouse=True)
def _written_anew_if_wanted() -> None:
    """Write the golden files before anything is compared, if requested."""
    if os.environ.get("REWRITE_GOLDEN") == "1":
        for name in SERIES:
            (GOLDEN / f"{name}.yml").write_text(_told(name), encoding="utf-8")


@pytest.mark.parametrize("name", SERIES)
def test_the_plans_are_as_reviewed(name: str) -> None:
    """Seeds, rows, windows and both specifications of every period are the reviewed ones."""
    golden = (GOLDEN / f"{name}.yml").read_text(encoding="utf-8")
    assert golden.splitlines() == _told(name).splitlines()


def test_every_golden_file_is_of_a_series_that_ships() -> None:
    """Removed series leave no plans behind, and new ones are reviewed."""
    assert sorted(path.stem for path in GOLDEN.glob("*.yml")) == SERIES


@pytest.mark.parametrize("name", SERIES)
def test_every_period_is_in_the_golden_file(name: str) -> None:
    """With everything that distinguishes it from others."""
    periods = yaml.safe_load((GOLDEN / f"{name}.yml").read_text(encoding="utf-8"))
    series = load_series(SHIPPED / name)
    assert [period["starts"] for period in periods] == list(series.calendar.keys)
    assert [period["dataset"] for period in periods] == list(range(1, len(periods) + 1))
