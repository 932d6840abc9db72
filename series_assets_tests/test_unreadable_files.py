"""Files and paths that no reader expects: each ends in one message, and takes no series down."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from series_assets.cli import main
from series_assets.core.errors import InputError
from series_assets.core.plan.series import Series
from series_assets.dagster import build
from series_assets.dagster.build import build_definitions
from series_assets.storage import loading
from series_assets.storage.loading import BrokenSeries, find_series, load_series
from series_assets_tests.builders import a_specification, a_user_input, write_series

_BOMB = "[" + ", ".join(
    ["&l0 [x, x, x, x, x, x, x, x, x]"]
    + [f"&l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 9)]
) + "]"  # fmt: skip


def _said(place: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_series(place)
    return str(caught.value)


def _with_line(tmp_path: Path, line: str) -> Path:
    place = write_series(tmp_path, user_input=a_user_input())
    file = place / "user_input.yml"
    key = line.partition(":")[0]
    kept = [one for one in file.read_text().splitlines() if not one.startswith(f"{key}:")]
    file.write_text("\n".join([line, *kept]) + "\n")
    return place


@pytest.mark.parametrize(
    ("line", "part"),
    [
        (f"fraction_of_new: {_BOMB}", "more than 100,000 values"),
        (f"fraction_of_new: {'[' * 60}{']' * 60}", "nested more than 50 levels deep"),
        ("fraction_of_new: &a [*a]", "refers to itself"),
        (f"num_datasets: {'9' * 5000}", "is too long for a number"),
        ("num_datasets: !!int abc", "is not a whole number"),
        ("num_datasets: 0x", "0x"),
        ("num_datasets: {{ x }}", "a key has to be plain text"),
        ("fraction_of_new: 1e-999999999", "fraction"),
        ("exhibit_db_path: ~nobody_of_that_name/x.db", "names the home of a user"),
        ('exhibit_db_path: "a\\0b"', "NUL"),
        (f"exhibit_db_path: {'x' * 5000}", "is longer than the system allows"),
        ("# " + "x" * 2_000_000, "the limit is 2 MB"),
    ],
)
def test_what_cannot_be_read_is_told_at_once(tmp_path: Path, line: str, part: str) -> None:
    """By the file, the fault and, for limits, the limit; in a second or two."""
    began = time.monotonic()
    said = _said(_with_line(tmp_path, line))
    assert said.startswith("demo/user_input.yml: ")
    assert part in said
    assert "a fault of series_assets" not in said
    assert time.monotonic() - began < 5


def test_a_pipe_in_place_of_the_database_is_told(tmp_path: Path) -> None:
    """Nobody writes into it, so reading it would wait for ever."""
    place = _with_line(tmp_path, "exhibit_db_path: pipe.db")
    os.mkfifo(place / "pipe.db")
    assert _said(place).startswith("demo/user_input.yml: exhibit_db_path 'pipe.db' ")


@pytest.mark.parametrize("frequency", ["ms", "h", "s", "0D"])
def test_a_frequency_below_a_day_is_refused(tmp_path: Path, frequency: str) -> None:
    """The month's start is ``MS``; milliseconds would ask for gigabytes."""
    specification = a_specification()
    column = next(c for c in specification["columns"].values() if c["type"] == "date")
    column["frequency"] = frequency
    said = _said(write_series(tmp_path, specification))
    assert said.startswith("demo/specification.yml: columns.")
    assert "frequency" in said
    assert "did you mean" in said or frequency != "ms"


@pytest.mark.parametrize("output", ["x" * 5000, "a/" + "y" * 300])
def test_an_output_that_is_too_long_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    """Before anything is made."""
    monkeypatch.chdir(tmp_path)
    place = write_series(tmp_path)
    files = ["--specification", str(place / "specification.yml")]
    files += ["--user-input", str(place / "user_input.yml"), "--output", output]
    result = CliRunner().invoke(main, ["generate", *files])
    assert result.exit_code == 2
    assert result.stderr.startswith("--output ")
    assert "is longer than the system allows; use a shorter one" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("odd"),
        MemoryError(),
        RecursionError("deep"),
        OSError(5, "I/O error"),
        KeyError(),
    ],
)
def test_whatever_loading_one_series_raises_the_others_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Foreseen or not, it becomes the message of that series."""
    for name in ("bad", "good"):
        write_series(tmp_path, a_specification(), name=name)
    build_series = loading.build_series

    def failing(name: str, *args: object, **kwargs: object) -> Series:
        if name == "bad":
            raise error
        return build_series(name, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(loading, "build_series", failing)
    bad, good = find_series(tmp_path)
    assert isinstance(bad, BrokenSeries)
    assert isinstance(good, Series)
    assert "bad/" in str(bad.error)


def test_a_series_that_dagster_cannot_show_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shown as broken, by its name."""
    series = [load_series(write_series(tmp_path, name=name)) for name in ("bad", "good")]
    job_of = build.job_of

    def failing(one: Series) -> object:
        if one.name == "bad":
            raise RuntimeError("odd")
        return job_of(one)

    monkeypatch.setattr(build, "job_of", failing)
    definitions = build_definitions(series)
    keys = {key.to_user_string() for key in definitions.resolve_asset_graph().get_all_asset_keys()}
    assert any(key.startswith("good") for key in keys)
    assert [key for key in keys if key.startswith("bad")] == ["bad/broken"]


@pytest.mark.parametrize("after", ["click", "rich.console"])
def test_an_interrupt_while_it_starts_ends_quietly(tmp_path: Path, after: str) -> None:
    """A line and exit code 130, whatever is being imported."""
    write_series(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "series_assets", "validate"],
        env=os.environ | {"SERIES_ASSETS_SERIES_DIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.rstrip().endswith(f" {after}"):
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert said.strip().splitlines()[-1] == "interrupted"
