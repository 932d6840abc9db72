"""One broken series does not affect others, whatever exception its loading raises."""

import os
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from series_assets import definitions
from series_assets.cli import main
from series_assets.core.errors import InputError
from series_assets.core.plan.build import build_series
from series_assets.core.plan.series import Series
from series_assets.dagster import build
from series_assets.settings import Settings
from series_assets.storage import loading
from series_assets.storage.loading import BrokenSeries, find_series, load_series
from series_assets.storage.unexpected_errors import errors_as_faults
from series_assets_tests.builders import a_user_input, write_series
from series_assets_tests.thorough import thorough


class PanicException(BaseException):
    """Like the exception of pydantic's compiled part, which is not an Exception."""


def _kinds() -> list[BaseException]:
    """Return one of every kind of exception that Python has, and those of our own libraries."""
    found: list[BaseException] = [PanicException("here"), Warning("odd")]
    waiting = [Exception]
    while waiting:
        kind = waiting.pop()
        if kind.__module__ == "builtins":
            waiting += kind.__subclasses__()
            try:
                found.append(kind("something"))
            except TypeError:
                found.append(_with_more(kind))
    return found


def _with_more(kind: type[Exception]) -> Exception:
    if kind is UnicodeDecodeError:
        return UnicodeDecodeError("utf-8", b"\xff", 0, 1, "something")
    if kind is UnicodeEncodeError:
        return UnicodeEncodeError("utf-8", "x", 0, 1, "something")
    if kind is UnicodeTranslateError:
        return UnicodeTranslateError("x", 0, 1, "something")
    return kind("something", [ValueError()])  # a group of exceptions


KINDS = _kinds()
_USUAL = KINDS[::6]
_OTHERS = [error for error in KINDS if error not in _USUAL]


def break_loading(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make the loading of the series 'bad' raise an error."""

    def fail(name: str, *args: Any, **kwargs: Any) -> Series:
        if name == "bad":
            raise error
        return build_series(name, *args, **kwargs)

    monkeypatch.setattr(loading, "build_series", fail)


@pytest.mark.parametrize(
    "error", [*_USUAL, *thorough(*_OTHERS)], ids=lambda error: type(error).__name__
)
def test_any_exception_while_loading_leaves_other_series_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """On the command line and in Dagster; the broken series shows the error."""
    for name in ("bad", "good"):
        write_series(tmp_path / "series", name=name)
    break_loading(monkeypatch, error)
    bad, good = find_series(tmp_path / "series")
    assert isinstance(good, Series)
    assert isinstance(bad, BrokenSeries)
    [fault] = bad.error.faults
    assert fault.file == "bad/specification.yml and bad/user_input.yml"
    assert fault.message.startswith("could not be loaded")
    assert bad.error.__cause__ is error
    environment = {
        "SERIES_ASSETS_SERIES_DIR": str(tmp_path / "series"),
        "SERIES_ASSETS_DATA_DIR": str(tmp_path / "data"),
    }
    listed = CliRunner().invoke(main, ["list"], env=environment)
    assert listed.exit_code == 0, listed.exception
    assert "good" in listed.stdout
    assert str(fault) in listed.stderr
    settings = Settings(tmp_path / "series", tmp_path / "data", strict=False)
    with pytest.warns(UserWarning, match="series bad is broken"):
        loaded = definitions.load(settings)
    keys = {key.to_user_string() for key in loaded.resolve_all_asset_keys()}
    assert keys >= {"bad/broken", "good/dataset"}


def test_every_kind_of_exception_is_among_them() -> None:
    """Including the most unexpected ones."""
    names = {type(error).__name__ for error in KINDS}
    assert len(names) > 50
    assert names > {"RecursionError", "MemoryError", "AttributeError", "KeyError", "AssertionError"}


def test_an_unexpected_error_has_its_place_and_asks_for_a_report() -> None:
    """A message that helps to fix it, instead of a traceback."""
    with pytest.raises(InputError) as caught, errors_as_faults("demo"):
        loading.name_faults(3, "x").__next__()  # type: ignore[arg-type]
    assert str(caught.value).startswith("demo: could not be loaded: TypeError: ")
    assert " (storage/loading.py, line " in str(caught.value)
    assert str(caught.value).endswith(
        "); this is a bug in series_assets, please report it with both files"
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_what_ends_a_process_still_does(error: BaseException) -> None:
    """An interrupt is not a fault of a file."""
    with pytest.raises(type(error)), errors_as_faults("demo"):
        raise error


def test_a_series_that_dagster_does_not_take_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if its definitions fail rather than its files."""

    def fail(series: Series, *rest: Any) -> Any:
        if series.name == "bad":
            raise dg.DagsterInvalidDefinitionError("something")
        return kept(series, *rest)

    kept = build.sensor_of
    monkeypatch.setattr(build, "sensor_of", fail)
    for name in ("bad", "good"):
        write_series(tmp_path, name=name)
    loaded = build.build_definitions(find_series(tmp_path))
    graph = loaded.resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.materializable_asset_keys}
    assert {key for key in keys if key.startswith("bad")} == {"bad/broken"}
    assert "good/dataset" in keys


DATABASES = {
    "a pipe": ("pipe.db", "is not an SQLite database; name one that is, or leave it empty"),
    "a device": ("/dev/zero", "is not an SQLite database; name one that is, or leave it empty"),
    "NUL": ("a\0.db", "NUL"),
    "nobody's home": (
        "~nobody_of_that_name/x.db",
        "names the home of an unknown user; write it out",
    ),
    "too long": ("x" * 5000, "is longer than the system allows; use a shorter one"),
    "a long name": ("x" * 300 + ".db", "is longer than the system allows; use a shorter one"),
    "a loop": ("loop.db", "is a link that leads back to itself; correct the link"),
}


@pytest.mark.parametrize(("named", "expected"), DATABASES.values(), ids=DATABASES.keys())
def test_an_impossible_database_path_is_reported(tmp_path: Path, named: str, expected: str) -> None:
    """Without waiting, and without affecting other series."""
    place = write_series(tmp_path, user_input=a_user_input(exhibit_db_path=named), name="bad")
    write_series(tmp_path, name="good")
    os.mkfifo(place / "pipe.db")
    (place / "loop.db").symlink_to("loop.db")
    bad, good = find_series(tmp_path)
    assert isinstance(good, Series)
    assert isinstance(bad, BrokenSeries)
    [fault] = bad.error.faults
    assert fault.file == "bad/user_input.yml"
    assert expected in fault.message
    assert len(str(fault)) < 600


def _refusing(monkeypatch: pytest.MonkeyPatch, owner: Any, function: str, folder: Path) -> None:
    kept = getattr(owner, function)

    def refuse(path: Any, *args: Any, **kwargs: Any) -> Any:
        if str(path).startswith(str(folder)):
            raise PermissionError(13, "Permission denied", str(path))
        return kept(path, *args, **kwargs)

    monkeypatch.setattr(owner, function, refuse)


def test_a_folder_that_may_not_be_read_is_a_broken_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may contain a series; the others load."""
    for name in ("bad", "good"):
        write_series(tmp_path, name=name)
    _refusing(monkeypatch, os, "listdir", tmp_path / "bad")
    bad, good = find_series(tmp_path)
    assert isinstance(good, Series)
    assert isinstance(bad, BrokenSeries)
    assert str(bad.error) == (
        "bad: this folder cannot be read: Permission denied; make sure that you may read it"
    )


def test_an_unreadable_database_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the system's reason."""
    (tmp_path / "x.db").write_bytes(b"")
    place = write_series(tmp_path, user_input=a_user_input(exhibit_db_path="../x.db"))
    monkeypatch.setattr(loading, "is_database", _denied)
    [found] = find_series(tmp_path)
    assert isinstance(found, BrokenSeries)
    assert str(found.error) == (
        f"{place.name}/user_input.yml: exhibit_db_path '../x.db' cannot be read: Permission "
        "denied; make sure that you may read it, or name another"
    )


def _denied(_: Path) -> bool:
    raise PermissionError(13, "Permission denied")


def test_links_in_place_of_both_files_are_a_broken_series(tmp_path: Path) -> None:
    """Dangling links do not make a series disappear."""
    place = tmp_path / "demo"
    place.mkdir()
    (place / "specification.yml").symlink_to("nowhere")
    (place / "user_input.yml").symlink_to("user_input.yml")
    [found] = find_series(tmp_path)
    assert isinstance(found, BrokenSeries)
    assert len(found.error.faults) == 2


def test_a_folder_whose_name_is_no_text_is_a_broken_series(tmp_path: Path) -> None:
    """Its name can still be displayed."""
    place = write_series(tmp_path, name="good")
    place.rename(tmp_path / os.fsdecode(b"\xff\xfe"))
    write_series(tmp_path, name="good")
    found = find_series(tmp_path)
    assert [one.name for one in found] == ["good", "\\udcff\\udcfe"]
    build.build_definitions(found).resolve_all_asset_keys()
    [broken] = [one for one in found if isinstance(one, BrokenSeries)]
    str(broken.error).encode()


@pytest.mark.parametrize("written", ["loop", "x" * 5000])
def test_an_impossible_folder_path_is_reported(tmp_path: Path, written: str) -> None:
    """If one series is loaded by its folder."""
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(InputError):
        load_series(tmp_path / written)
