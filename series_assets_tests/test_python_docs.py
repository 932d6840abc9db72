"""The examples of ``docs/python.md`` run as shown, and its list of functions is complete."""

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import series_assets
from series_assets.core.records import typed
from series_assets.storage.files import read_records
from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import a_specification, a_user_input, write_series

DOCUMENT = Path(__file__).parents[1] / "docs" / "python.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_each_example_runs(block: str, tmp_path: Path) -> None:
    """In a folder that contains the series ``orders``; a test in it is collected and passes."""
    write_series(tmp_path / "series", a_specification(number_of_rows=30), name="orders")
    file = tmp_path / "test_example.py"
    file.write_text(block, encoding="utf-8")
    is_test = "def test_" in block
    command = (
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        if is_test
        else [sys.executable]
    )
    done = subprocess.run(
        [*command, str(file)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(DOCUMENT.parents[1]), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not is_test or "1 passed" in done.stdout


def test_every_function_is_listed_with_its_parameters() -> None:
    """With defaults."""
    rows = re.findall(r"^\| `(\w+)\((.*?)\)` \|", TEXT, re.MULTILINE)
    documented = {name: re.sub(r"\s", "", parameters) for name, parameters in rows}
    assert documented.keys() == {
        "load_series",
        "generate",
        "iter_datasets",
        "preview",
        "check",
        "truth",
        "verify",
    }
    for name, parameters in documented.items():
        signature = inspect.signature(getattr(series_assets, name))
        plain = [
            one.replace(annotation=inspect.Parameter.empty) for one in signature.parameters.values()
        ]
        own = str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))
        assert re.sub(r"[\s'\"]", "", own) == f"({parameters})".replace('"', "")


def test_datasets_in_memory_leave_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor in the folder for temporary files, also if the iteration stops early."""
    place = write_series(tmp_path / "series", a_specification(number_of_rows=30), name="orders")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    before = sorted(tmp_path.rglob("*"))
    datasets = series_assets.iter_datasets(series_assets.load_series(place))
    key, frame = next(datasets)
    assert (key, len(frame)) == ("2024-01-01", 30)
    datasets.close()  # type: ignore[attr-defined]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_series_of_two_files_is_called_after_the_specification(tmp_path: Path) -> None:
    """It has the same data as from a folder of that name."""
    place = write_series(tmp_path / "series", a_specification(number_of_rows=30), name="demo")
    loose = series_assets.Series.from_files(place / "specification.yml", place / "user_input.yml")
    assert loose.name == "demo"
    generated = series_assets.generate(loose, tmp_path / "loose", flat=True)
    same = series_assets.generate(series_assets.load_series(place), tmp_path / "named")
    assert [path.read_bytes() for path in generated] == [path.read_bytes() for path in same]
    assert all(one.holds for one in series_assets.check(loose, tmp_path / "loose", flat=True))


def test_datasets_in_memory_leave_a_named_database_as_it_is(tmp_path: Path) -> None:
    """The series can be generated into files before and after, with the same data."""
    database = tmp_path / "mine.db"
    shutil.copyfile(installed_database(), database)
    place = write_series(
        tmp_path / "series",
        a_specification(number_of_rows=30),
        a_user_input(exhibit_db_path=str(database)),
        name="orders",
    )
    series = series_assets.load_series(place)
    before = database.read_bytes()
    in_memory = dict(series_assets.iter_datasets(series))
    assert database.read_bytes() == before
    paths = series_assets.generate(series, tmp_path / "data")
    from_files = [typed(read_records(path), series.kinds) for path in paths]
    assert [frame.to_dict("list") for frame in in_memory.values()] == [
        frame.to_dict("list") for frame in from_files
    ]
    again = dict(series_assets.iter_datasets(series))
    assert list(again) == list(in_memory)
    assert all(one.holds for one in series_assets.check(series, tmp_path / "data"))
