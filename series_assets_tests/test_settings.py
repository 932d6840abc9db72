"""Settings are read once from the environment, and passed on."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import dagster as dg
import pytest
import yaml
from click.testing import CliRunner
from dagster.components.testing import create_defs_folder_sandbox

from series_assets import definitions, interface
from series_assets.cli import main
from series_assets.dagster.host import series_definitions
from series_assets.engine.vectorized import registry
from series_assets.pipeline import executors
from series_assets.settings import from_environment
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_specification, a_user_input, write_series
from series_assets_tests.materialize import materialize

STOCK, ANY = "SERIES_ASSETS_STOCK_EXHIBIT", "SERIES_ASSETS_ANY_DATABASE"
KEYS = ("2024-01-01", "2024-02-01")
_DATA = "person,sex,amount\n" + "".join(f"p{n},{'mf'[n % 2]},{n * 7 % 50}\n" for n in range(60))


@pytest.fixture(autouse=True)
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a series whose database belongs to another program."""
    database = tmp_path / "own.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE regions (region)")
    given = a_user_input(exhibit_db_path=str(database), num_datasets=2)
    write_series(tmp_path / "series", a_specification(), given)
    (tmp_path / "data.csv").write_text(_DATA)
    monkeypatch.chdir(tmp_path)
    for name in ("DAGSTER_HOME", STOCK):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(tmp_path / "series"))
    monkeypatch.setenv("SERIES_ASSETS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("SERIES_ASSETS_EXECUTOR", "none")
    monkeypatch.setenv(ANY, "1")


@pytest.fixture
def fast_runs(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[None]]:
    """A list of the runs of Exhibit with the fast loops."""
    runs: list[None] = []
    replacements = registry.replacements

    def counted() -> object:
        runs.append(None)
        return replacements()

    monkeypatch.setattr(registry, "replacements", counted)
    yield runs


def _command(*arguments: str) -> str:
    return CliRunner().invoke(main, arguments).output


def _generate(folder: Path) -> str:
    return _command("generate", "demo")


def _generate_recorded(folder: Path) -> str:
    (folder / "home").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(folder / "home"))
        return _command("generate", "demo")


def _validate(folder: Path) -> str:
    return _command("validate", "demo")


def _from_data(folder: Path) -> str:
    return _command("new", "more", "--from-data", str(folder / "data.csv"), "--id", "person")


def _interface(folder: Path) -> str:
    try:
        interface.generate(load_series(folder / "series" / "demo"), folder / "data")
    except Exception as error:
        return str(error)
    return ""


def _iterated(folder: Path) -> str:
    try:
        list(interface.iter_datasets(load_series(folder / "series" / "demo")))
    except Exception as error:
        return str(error)
    return ""


def _definitions(folder: Path) -> str:
    return _materialized(definitions.load(from_environment()))


def _component(folder: Path) -> str:
    with create_defs_folder_sandbox() as sandbox:
        attributes = {"folder": str(folder / "series" / "demo")}
        content = {"type": "series_assets.SeriesComponent", "attributes": attributes}
        (sandbox.defs_folder_path / "defs.yaml").write_text(yaml.safe_dump(content))
        with sandbox.build_all_defs() as loaded:
            return _materialized(loaded)


def _materialized(loaded: dg.Definitions) -> str:
    assets = [f"demo/{name}" for name in ("new_records", "reference_table", "dataset")]
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(loaded, instance, *assets, first=KEYS[0], last=KEYS[1])
        failures = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return "".join(str(one.user_failure_data or one.error) for one in failures)


_MAKING = [_generate, _generate_recorded, _interface, _iterated, _definitions, _component]


@pytest.mark.each_value
@pytest.mark.parametrize("way", [*_MAKING, _validate, _from_data])
@pytest.mark.parametrize("stock_exhibit", [True, False])
def test_stock_exhibit_makes_the_data_where_the_setting_says_so(
    way: Callable[[Path], str],
    stock_exhibit: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fast_runs: list[None],
) -> None:
    """And only there, in every way to generate."""
    if stock_exhibit:
        monkeypatch.setenv(STOCK, "1")
    way(tmp_path)
    assert bool(fast_runs) is not stock_exhibit


def _host(folder: Path) -> str:
    return _materialized(series_definitions(folder / "series" / "demo", data_dir=folder / "data"))


@pytest.mark.parametrize("way", [_definitions, _component, _host])
def test_the_executor_is_that_of_the_setting(
    way: Callable[[Path], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also for the series of another project."""
    asked = set()

    def workers_for(periods: int, rows: int, executor: str) -> int:
        asked.add(executor)
        return 1

    monkeypatch.setattr(executors, "workers_for", workers_for)
    assert way(tmp_path) == ""
    assert asked == {"none"}


@pytest.mark.parametrize(
    ("value", "on"), [(None, False), ("", False), ("0", False), ("no", False), ("1", True)]
)
def test_a_switch_is_on_where_it_says_so(value: str | None, on: bool) -> None:
    """An unset or empty variable means off."""
    environment = {} if value is None else dict.fromkeys((STOCK, ANY), value)
    settings = from_environment(environment)
    assert (settings.stock_exhibit, settings.any_database) == (on, on)


@pytest.mark.each_value
@pytest.mark.parametrize("way", [*_MAKING, _validate])
@pytest.mark.parametrize("meant", [True, False])
def test_a_database_of_another_program_is_used_where_the_setting_says_so(
    way: Callable[[Path], str], meant: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every way to generate or validate."""
    monkeypatch.setenv(ANY, "1" if meant else "0")
    refused = f"set {ANY}=1 to use it anyway" in " ".join(way(tmp_path).split())
    assert refused is not meant
