"""The shipped series keep every rule, have the declared distributions, and teach enough."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from series_assets.core.plan.series import Series
from series_assets.interface import generate, truth, verify
from series_assets.settings import SHIPPED
from series_assets.storage.loading import load_series
from series_assets_tests.checker import Finished, check
from series_assets_tests.package_checks import failed_findings
from series_assets_tests.statistical.long_series import LongSeries
from series_assets_tests.statistical.shipped import EXPECTED, fold, read_shipped, statistics
from series_assets_tests.statistical.statistic import failures
from series_assets_tests.thorough import mostly_thorough

NAMES = sorted(path.name for path in SHIPPED.iterdir() if path.is_dir())
NEWER = [name for name in NAMES if name not in ("clinic", "school")]


class Generated:
    """A shipped series with its data."""

    def __init__(self, name: str, data: Path) -> None:
        self.place, self.data = SHIPPED / name, data
        self.series: Series = load_series(self.place)
        self.paths = generate(self.series, data)
        self.read: LongSeries = read_shipped(self.place, data / name)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function that generates a series when it is first requested."""
    data, found = tmp_path_factory.mktemp("shipped"), dict[str, Generated]()

    def get(name: str) -> Generated:
        if name not in found:
            found[name] = Generated(name, data)
        return found[name]

    return get


def test_the_series_that_ship_are_the_six_domains() -> None:
    """Each has expectations, so that a new one is not forgotten."""
    assert list(EXPECTED) == NAMES == ["claims", "clinic", "iot", "orders", "school", "telecom"]


@pytest.mark.parametrize("name", mostly_thorough(NAMES, "clinic", "school", "orders"))
def test_a_series_that_ships_keeps_every_promise(made: Any, name: str) -> None:
    """By the independent checker and by the package's own checks."""
    generated = made(name)
    assert len(generated.paths) == generated.series.calendar.count
    check(Finished.of(generated.place, generated.data))
    assert failed_findings(generated.series, generated.data) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_series_that_ships_is_distributed_as_it_says(made: Any, name: str) -> None:
    """Entities, shares of categories, missing values and means are within five standard errors."""
    wrong = failures(list(statistics(made(name).read, EXPECTED[name])))
    assert not wrong, f"\n{wrong}"


@pytest.mark.parametrize("name", NEWER)
def test_the_verifier_accepts_a_correct_pipeline_and_no_other(made: Any, name: str) -> None:
    """A simple pipeline of one load per period passes; one that skips a load does not."""
    generated = made(name)
    starts, settings = generated.series.calendar.keys, generated.read.ask.user_input["truth"]
    history = fold(generated.read, settings, starts)
    report = verify(history, generated.series, generated.data)
    assert report.holds, report.lines()
    assert len(history) == len(truth(generated.series, generated.data))
    assert history.duplicated(generated.read.identifier).sum() > 50
    lacking = history[history["valid_from"] != starts[2]]
    assert not verify(lacking, generated.series, generated.data).holds


@pytest.mark.parametrize("name", NAMES)
def test_the_files_say_what_they_are(name: str) -> None:
    """A comment at the start of both, and one for each thing to learn."""
    for file, most in (("specification.yml", 210), ("user_input.yml", 50)):
        text = (SHIPPED / name / file).read_text("utf-8")
        assert text.startswith("# ")
        assert len(text.splitlines()) < most
        assert max(map(len, text.splitlines())) <= 100
    assert yaml.safe_load((SHIPPED / name / "specification.yml").read_text())["metadata"]["id"] == (
        name
    )


def test_the_document_lists_the_series_with_their_cadence() -> None:
    """As in the user inputs."""
    text = (Path(__file__).parents[1] / "docs" / "ready-series.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| every ([^|,]+), (\d+) times \|", text, re.MULTILINE)
    listed = {}
    for name in NAMES:
        calendar = load_series(SHIPPED / name).calendar
        length = calendar.length
        unit = calendar.unit if length > 1 else calendar.unit.removesuffix("s")
        listed[name] = (f"{length} {unit}" if length > 1 else unit, str(calendar.count))
    assert {name: tuple(others) for name, *others in rows} == listed


def test_the_series_differ_in_what_they_teach() -> None:
    """Every cadence, kind of identifier and constraint occurs in one of them."""
    read = [load_series(SHIPPED / name) for name in NAMES]
    cadences = {(one.user_input.period, one.user_input.length_of_period) for one in read}
    assert cadences == {
        *(("months", 1), ("weeks", 1), ("weeks", 2)),
        *(("quarters", 1), ("days", 1), ("days", 10)),
    }
    columns = [column for one in read for column in one.specification["columns"].values()]
    kinds = {one["anonymising_set"] for one in columns if one["type"] == "uuid"}
    assert kinds == {"uuid", "pseudo_chi", "range"}
    assert any(one.specification["derived_columns"] for one in read)
    assert any(one.user_input.linked_columns for one in read)
    assert any(column.get("paired_columns") for column in columns)
    constraints = [one.specification["constraints"] for one in read]
    assert any(one["basic_constraints"] for one in constraints)
    assert any(one["custom_constraints"] for one in constraints)
