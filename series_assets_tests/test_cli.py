"""The commands of ``series-assets``: what they make, print and refuse, and how they end."""

import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from click.testing import CliRunner, Result

from series_assets.cli import main
from series_assets.pipeline.progress import PHASES
from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import a_specification, a_user_input, files_in, write_series

KEYS = ("2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01")
PROGRAM = str(Path(sys.executable).with_name("series-assets"))


@pytest.fixture(autouse=True)
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory with series and data of the test's own."""
    (tmp_path / "series").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.delenv("SERIES_ASSETS_STRICT", raising=False)
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(tmp_path / "series"))
    monkeypatch.setenv("SERIES_ASSETS_DATA_DIR", str(tmp_path / "data"))


def call(*arguments: str | Path, typed: str | None = None) -> Result:
    """Run a command; no fault of any kind may end in a traceback."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=typed)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return result


def succeed(*arguments: str | Path, typed: str | None = None) -> str:
    """Run a command that has to work, and return what it printed."""
    result = call(*arguments, typed=typed)
    assert result.exit_code == 0, result.output
    return result.stdout


def refuse(*arguments: str | Path) -> str:
    """Run a command whose input is wrong, and return what it said."""
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    return result.stderr.rstrip("\n")


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a process of its own."""
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def datasets(folder: Path, *numbers: int) -> str:
    """Return the lines that name the datasets."""
    return "".join(f"{folder / f'dataset_{number}.csv'}\n" for number in numbers)


def files_of_dataset(number: int) -> set[str]:
    """Return the names of all files that a dataset comes with."""
    names = {
        f"dataset_{number}.csv",
        f"dataset_{number}.new.yml",
        f"new_records/dataset_{number}.csv",
    }
    return names if number == 1 else names | {f"dataset_{number}.existing.yml"}


def an_impossible_specification(**metadata: Any) -> dict[str, Any]:
    """Return a specification in order, but for what shows when pandas computes it.

    Text cannot be divided by a number.
    """
    specification = a_specification(**metadata)
    specification["derived_columns"] = {"impossible": "(sex / amount)"}
    return specification


def edit(place: Path, **metadata: Any) -> None:
    """Change the specification of a series on disk."""
    path = place / "specification.yml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["metadata"] |= metadata
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def tables(database: Path) -> list[str]:
    """Return the tables of a database by name."""
    with closing(sqlite3.connect(database)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return sorted(name for (name,) in found)


# list


def test_list_shows_series_periods_and_what_has_been_made(tmp_path: Path) -> None:
    """One line a series."""
    write_series(tmp_path / "series")
    write_series(
        tmp_path / "series",
        user_input=a_user_input(period="weeks", length_of_period=2, fraction_of_new="0.25"),
        name="other",
    )
    succeed("generate", "demo", "--periods", "2024-01-01..2024-02-01")
    lines = [re.split(r"\s{2,}", line.strip()) for line in succeed("list").splitlines()]
    assert lines == [
        ["series", "periods", "first", "last", "rows", "new", "datasets"],
        ["demo", "4 × 1 months", "2024-01-01", "2024-04-01", "60", "1/3", "2 of 4"],
        ["other", "4 × 2 weeks", "2024-01-01", "2024-02-12", "60", "1/4", "0 of 4"],
    ]


def test_list_shows_broken_series_with_what_is_wrong(tmp_path: Path) -> None:
    """The others are shown as ever."""
    write_series(tmp_path / "series", name="good")
    write_series(tmp_path / "series", user_input=a_user_input(period="hours"), name="bad")
    result = call("list")
    assert result.exit_code == 0
    assert re.search(r"^ *bad +broken, see below", result.stdout, re.MULTILINE)
    assert re.search(r"^ *good +4 × 1 months", result.stdout, re.MULTILINE)
    assert result.stderr == (
        "bad/user_input.yml: period 'hours' is not known; use days, weeks, months or quarters\n"
    )


def test_list_shows_names_in_full_when_its_output_is_read_by_a_program(tmp_path: Path) -> None:
    """A pipe has no width that a name would have to be cut to."""
    name = "admissions_to_all_hospitals_of_the_region_since_the_reform_of_2021"
    write_series(tmp_path / "series", name=name)
    ended = run("list")
    assert ended.returncode == 0
    assert name in ended.stdout


@pytest.mark.parametrize(
    "command", [["list"], ["validate"], ["generate", "demo"], ["check", "demo"]]
)
def test_a_folder_without_series_is_told(tmp_path: Path, command: list[str]) -> None:
    """It is the wrong folder: the files have other names, or it is a series itself."""
    folder = tmp_path / "series"
    assert refuse(*command) == (
        f"{folder}: holds no series; a series is a folder in it with specification.yml and "
        "user_input.yml (SERIES_ASSETS_SERIES_DIR)"
    )
    (folder / "specification.yml").touch()
    assert refuse(*command) == (
        f"{folder}: is a series itself; name its parent folder, which may hold more series "
        "(SERIES_ASSETS_SERIES_DIR)"
    )


def test_a_series_dir_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By every command, instead of an empty list."""
    nowhere = tmp_path / "nowhere"
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(nowhere))
    for command in (["list"], ["validate"], ["generate", "demo"], ["clean", "demo", "--yes"]):
        assert refuse(*command) == f"{nowhere}: there is no such folder of series"


# validate


def test_validate_tells_every_fault_of_every_series(tmp_path: Path) -> None:
    """Those of both files, in one go; sound series are in order."""
    write_series(tmp_path / "series", name="good")
    write_series(
        tmp_path / "series",
        a_specification(uuid_columns=["ghost"]),
        a_user_input(fraction_of_new=2, num_datasets=0),
        name="bad",
    )
    result = call("validate")
    assert result.exit_code == 2
    assert result.stdout == "good: valid\n"
    assert result.stderr.splitlines() == [
        "bad/specification.yml: metadata.uuid_columns names 'ghost', which is not under columns; "
        "take it off the list, or add the column",
        "bad/user_input.yml: num_datasets 0 is too small; use 1 or more",
        "bad/user_input.yml: fraction_of_new 2 is not between 0 and 1; write it as 1/3, 0.25, 0 "
        "or 1",
    ]


def test_validate_looks_at_the_named_series_only(tmp_path: Path) -> None:
    """One that is broken does not spoil the answer about another."""
    for name in ("one", "two"):
        write_series(tmp_path / "series", name=name)
    write_series(tmp_path / "series", user_input=a_user_input(period="hours"), name="bad")
    assert succeed("validate", "two") == "two: valid\n"
    assert succeed("validate", "two", "one") == "two: valid\none: valid\n"
    assert call("validate", "bad").exit_code == 2


def test_validate_makes_nothing(tmp_path: Path) -> None:
    """Neither a data folder nor a database."""
    write_series(tmp_path / "series")
    succeed("validate")
    assert [path.name for path in tmp_path.iterdir()] == ["series"]


def test_validate_tries_what_only_shows_when_it_is_computed(tmp_path: Path) -> None:
    """A calculation that pandas cannot do is told before a series is begun; nothing is made."""
    write_series(tmp_path / "series", an_impossible_specification(), name="bad")
    write_series(tmp_path / "series", name="good")
    result = call("validate")
    assert result.exit_code == 2
    assert result.stdout == "good: valid\n"
    assert result.stderr.startswith(
        "bad/specification.yml: bad, period 2024-01-01 (new records): the derived column "
        "'(sex / amount)' cannot be computed: TypeError"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["series"]


@pytest.mark.parametrize("command", ["validate", "generate"])
def test_a_table_that_the_database_lacks_is_told(tmp_path: Path, command: str) -> None:
    """Before anything runs, by the file that names it; nothing is made."""
    specification = a_specification()
    specification["columns"]["region"]["anonymising_set"] = "wards"
    write_series(tmp_path / "series", specification)
    assert refuse(command, "demo") == (
        "demo/specification.yml: columns.region.anonymising_set 'wards' needs the table 'wards', "
        f"which {tmp_path / 'data' / 'exhibit.db'} lacks; name the database that has it with "
        "exhibit_db_path in user_input.yml, or add it there"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["series"]


@pytest.mark.parametrize("command", [["validate"], ["generate", "demo"]])
def test_a_database_that_is_none_is_told(tmp_path: Path, command: list[str]) -> None:
    """By its own path, with what to do."""
    write_series(tmp_path / "series")
    database = tmp_path / "data" / "exhibit.db"
    database.parent.mkdir()
    database.write_text("hello" * 1000)
    result = call(*command)
    assert result.exit_code
    assert result.stderr.rstrip("\n") == (
        f"{database}: SQLite reports: file is not a database; it is damaged, or something else: "
        "put it back from a backup, or, if it held nothing of your own, remove it and make all "
        "periods again, which gives the same data"
    )
    database.unlink()
    succeed("generate", "demo", "--quiet")


def test_two_loose_series_do_not_share_a_folder(tmp_path: Path) -> None:
    """Their datasets have the same names; the first one's stay as they are."""
    for name in ("one", "two"):
        specification = a_specification()
        specification["metadata"]["id"] = name
        write_series(tmp_path, specification, name=name)
    commands = {
        name: [
            *("generate", "--quiet", "--output", tmp_path / "out"),
            *("--specification", tmp_path / name / "specification.yml"),
            *("--user-input", tmp_path / name / "user_input.yml"),
        ]
        for name in ("one", "two")
    }
    succeed(*commands["one"])
    before = files_in(tmp_path / "out")
    assert refuse(*commands["two"]) == (
        f"{tmp_path / 'out'}: holds the files of the series 'one'; name another folder for those "
        "of this one, or remove them and the database first"
    )
    assert files_in(tmp_path / "out") == before
    succeed(*commands["one"])


@pytest.mark.parametrize("command", ["validate", "generate", "clean"])
def test_a_series_that_is_not_there_is_answered_with_the_nearest(
    tmp_path: Path, command: str
) -> None:
    """A typing mistake, as it mostly is."""
    write_series(tmp_path / "series")
    write_series(tmp_path / "series", name="other")
    folder = tmp_path / "series"
    told = refuse(command, "dmeo")
    assert told == f"there is no series 'dmeo' in {folder}; did you mean 'demo'?"
    assert (
        refuse(command, "xyz") == f"there is no series 'xyz' in {folder}; known here: demo, other"
    )


def test_naming_the_installed_database_is_a_warning(tmp_path: Path) -> None:
    """The series is in order all the same."""
    named = a_user_input(exhibit_db_path=str(installed_database()))
    write_series(tmp_path / "series", user_input=named)
    result = call("validate")
    assert result.exit_code == 0
    assert result.stdout == "demo: valid\n"
    assert result.stderr == (
        "warning: demo/user_input.yml: exhibit_db_path names the database that ships with Exhibit, "
        "which is never written; a copy in the data folder is used\n"
    )


# generate


def test_generate_makes_all_periods_and_prints_where_they_are(tmp_path: Path) -> None:
    """Whole paths on stdout, and the files of section 8."""
    write_series(tmp_path / "series")
    assert succeed("generate", "demo") == datasets(tmp_path / "data" / "demo", 1, 2, 3, 4)
    expected = set().union(*map(files_of_dataset, (1, 2, 3, 4)))
    assert set(files_in(tmp_path / "data" / "demo")) == expected
    assert "demo_reference" in tables(tmp_path / "data" / "exhibit.db")


def test_the_data_dir_is_data_under_the_working_directory_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path that is printed is whole all the same."""
    monkeypatch.delenv("SERIES_ASSETS_DATA_DIR")
    write_series(tmp_path / "series")
    printed = succeed("generate", "demo", "--periods", KEYS[0])
    assert printed == datasets(tmp_path / "data" / "demo", 1)


def test_generate_makes_one_period_or_a_range_of_them(tmp_path: Path) -> None:
    """Named by their first days; in the end the files are those of a run of all."""
    write_series(tmp_path / "series")
    folder = tmp_path / "data" / "demo"
    assert succeed("generate", "demo", "--periods", KEYS[0]) == datasets(folder, 1)
    assert set(files_in(folder)) == files_of_dataset(1)
    assert succeed("generate", "demo", "--periods", f"{KEYS[1]}..{KEYS[2]}") == datasets(
        folder, 2, 3
    )
    assert succeed("generate", "demo", "--periods", f"{KEYS[3]}..{KEYS[3]}") == datasets(folder, 4)
    in_parts = files_in(folder)
    shutil.rmtree(tmp_path / "data")
    succeed("generate", "demo")
    assert files_in(folder) == in_parts


@pytest.mark.parametrize(
    ("periods", "said"),
    [
        (
            "2024-01-02",
            "--periods 2024-01-02: '2024-01-02' is not the first day of a period of demo; did you "
            "mean '2024-01-01'?",
        ),
        (
            "2024-01-01..soon",
            "--periods 2024-01-01..soon: 'soon' is not the first day of a period of demo; known "
            "here: 2024-01-01, 2024-02-01, 2024-03-01, 2024-04-01",
        ),
        (
            "2024-03-01..2024-01-01",
            "--periods 2024-03-01..2024-01-01 ends before it begins; it is FIRST..LAST",
        ),
        (
            "2024-01-01..2024-02-01..2024-03-01",
            "--periods 2024-01-01..2024-02-01..2024-03-01 is not FIRST..LAST",
        ),
    ],
)
def test_periods_that_are_none_are_refused(tmp_path: Path, periods: str, said: str) -> None:
    """With the periods there are, or the nearest of them; nothing is made."""
    write_series(tmp_path / "series")
    assert refuse("generate", "demo", "--periods", periods) == said
    assert not (tmp_path / "data").exists()


def test_generate_refuses_a_period_before_anything_is_recorded(tmp_path: Path) -> None:
    """It says from which period on to begin; nothing is made, and the remedy works."""
    write_series(tmp_path / "series")
    assert refuse("generate", "demo", "--periods", KEYS[2]) == (
        "demo, period 2024-03-01 draws from all periods before it, but nothing is recorded yet for "
        "2024-01-01, 2024-02-01; first make 2024-01-01..2024-02-01 (materialise new_records and "
        "reference_table of these partitions, or run series-assets generate with --periods "
        "2024-01-01..2024-02-01)"
    )
    assert not (tmp_path / "data").exists()
    succeed("generate", "demo", "--periods", f"{KEYS[0]}..{KEYS[1]}")
    succeed("generate", "demo", "--periods", KEYS[2])


def test_generate_refuses_a_broken_series(tmp_path: Path) -> None:
    """With its faults; the other series are no concern of it."""
    write_series(tmp_path / "series", user_input=a_user_input(period="hours"))
    assert refuse("generate", "demo") == (
        "demo/user_input.yml: period 'hours' is not known; use days, weeks, months or quarters"
    )


def test_quiet_prints_nothing_when_all_goes_well(tmp_path: Path) -> None:
    """Neither on stdout nor on stderr."""
    write_series(tmp_path / "series")
    ended = run("generate", "demo", "--quiet")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert (tmp_path / "data" / "demo" / "dataset_4.csv").exists()


def test_quiet_prints_what_goes_wrong(tmp_path: Path) -> None:
    """Silence would look like success."""
    write_series(tmp_path / "series", user_input=a_user_input(period="hours"))
    assert "period 'hours' is not known" in refuse("generate", "demo", "--quiet")


def test_verbose_shows_each_phase_on_stderr(tmp_path: Path) -> None:
    """With count, rows and time; stdout is still the paths and nothing else."""
    write_series(tmp_path / "series")
    ended = run("generate", "demo", "--periods", KEYS[0], "--verbose")
    assert ended.returncode == 0
    assert ended.stdout == datasets(tmp_path / "data" / "demo", 1)
    lines = [re.sub(r"\d+\.\d s$", "N s", line) for line in ended.stderr.splitlines()]
    assert lines == [
        f"new records 1 of 1: {KEYS[0]}, 60 rows, N s",
        f"reference table 1 of 1: {KEYS[0]}, 60 new entities, N s",
        f"dataset 1 of 1: {KEYS[0]}, 60 new and 0 existing rows, N s",
    ]


def test_verbose_shows_the_log_of_a_recorded_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of Dagster, which records it."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    write_series(tmp_path / "series")
    ended = run("generate", "demo", "--periods", KEYS[0], "--verbose")
    assert ended.returncode == 0
    assert ended.stdout == datasets(tmp_path / "data" / "demo", 1)
    assert "demo__new_records__run_exhibit" in ended.stderr
    assert "RUN_SUCCESS" in ended.stderr


def test_without_verbose_no_log_is_shown(tmp_path: Path) -> None:
    """Where stderr is no terminal there is no progress either."""
    write_series(tmp_path / "series")
    ended = run("generate", "demo", "--periods", KEYS[0])
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_progress_bar_names_period_and_phase(tmp_path: Path) -> None:
    """On a terminal; the paths still go to stdout."""
    specification = a_specification(number_of_rows=8000)  # time for the bar to be drawn
    write_series(tmp_path / "series", specification, a_user_input(num_datasets=12))
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, "generate", "demo"],
        stdout=subprocess.PIPE,
        stderr=terminal,
        env=os.environ
        | {"TERM": "xterm-256color", "COLUMNS": "120", "SERIES_ASSETS_EXECUTOR": "none"},
    )
    os.close(terminal)
    shown = b""
    while True:
        ready, _, _ = select.select([controller], [], [], 60)
        try:
            piece = os.read(controller, 65536) if ready else b""
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(controller)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert printed.decode() == datasets(tmp_path / "data" / "demo", *range(1, 13))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    phases = "|".join(PHASES)
    named = re.findall(rf"demo (20\d\d-\d\d-01): ({phases})", text)
    assert named
    assert re.search(r"\d+/36", text)  # 12 periods of three phases
    assert {phase for _, phase in named} >= {"new records", "dataset"}


def loose(place: Path, output: Path, *more: str) -> list[str]:
    """Return the arguments that make a series of two loose files."""
    return [
        "generate",
        *("--specification", str(place / "specification.yml")),
        *("--user-input", str(place / "user_input.yml")),
        *("--output", str(output)),
        *more,
    ]


def test_two_loose_files_are_made_into_the_output_folder(tmp_path: Path) -> None:
    """Directly into it, the database too; the bytes are those of a named series."""
    place = write_series(tmp_path / "series")
    out = tmp_path / "somewhere" / "out"
    assert succeed(*loose(place, out)) == datasets(out, 1, 2, 3, 4)
    assert set(files_in(out)) == set().union(*map(files_of_dataset, (1, 2, 3, 4)))
    assert "demo_reference" in tables(out / "exhibit.db")
    assert not (tmp_path / "data").exists()
    succeed("generate", "demo")
    assert files_in(tmp_path / "data" / "demo") == files_in(out)


def test_a_relative_output_is_printed_whole(tmp_path: Path) -> None:
    """Who reads the paths may be somewhere else."""
    place = write_series(tmp_path / "loose")
    printed = succeed(*loose(place, Path("out"), "--periods", KEYS[0]))
    assert printed == datasets(tmp_path / "out", 1)


def test_faults_of_loose_files_are_told_with_their_paths(tmp_path: Path) -> None:
    """There is no series whose name could stand for them."""
    place = write_series(tmp_path / "loose", user_input=a_user_input(period="hours"))
    assert refuse(*loose(place, tmp_path / "out")) == (
        f"{place / 'user_input.yml'}: period 'hours' is not known; "
        "use days, weeks, months or quarters"
    )
    assert not (tmp_path / "out").exists()


def test_loose_files_that_are_not_there_are_told(tmp_path: Path) -> None:
    """Both at once."""
    nowhere = tmp_path / "nowhere"
    assert refuse(*loose(nowhere, tmp_path / "out")).splitlines() == [
        f"{nowhere / 'specification.yml'}: there is no such file; correct the path",
        f"{nowhere / 'user_input.yml'}: there is no such file; correct the path",
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            (),
            "name a series, or give --specification, --user-input and --output together",
        ),
        (
            ("--specification", "a.yml", "--output", "out"),
            "name a series, or give --specification, --user-input and --output together",
        ),
        (
            ("demo", "--output", "out"),
            "a named series takes no --specification, --user-input or --output; its data goes to "
            "SERIES_ASSETS_DATA_DIR",
        ),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """With what does."""
    write_series(tmp_path / "series")
    assert refuse("generate", *arguments).endswith(f"Error: {said}")


def test_an_output_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    """Before anything runs."""
    place = write_series(tmp_path / "loose")
    (tmp_path / "taken").write_text("a file")
    said = refuse(*loose(place, tmp_path / "taken" / "out"))
    assert said == (
        f"{tmp_path / 'taken' / 'out'}: cannot be written: Not a directory; name another folder as "
        "--output, or as SERIES_ASSETS_DATA_DIR"
    )


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_a_generation_that_fails_says_where_and_leaves_no_file(
    tmp_path: Path, quiet: tuple[str, ...]
) -> None:
    """Exit code 1: the two files looked right. Series, period, part and the complaint are told."""
    write_series(tmp_path / "series", an_impossible_specification())
    result = call("generate", "demo", *quiet)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert re.fullmatch(
        r"demo, period 2024-01-01 \(new records\): the derived column '\(sex / amount\)' cannot be "
        r"computed: TypeError: .*\n",
        result.stderr,
        re.DOTALL,
    )
    assert files_in(tmp_path / "data") == {}
    assert not (tmp_path / "data" / ".runs").exists()


def test_a_generation_that_fails_shows_no_traceback_in_a_process_of_its_own(
    tmp_path: Path,
) -> None:
    """What Dagster logs of a failure is not for who reads the message."""
    write_series(tmp_path / "series", an_impossible_specification())
    ended = run("generate", "demo")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith(
        "demo, period 2024-01-01 (new records): the derived column '(sex / amount)' cannot be "
    )


def test_a_generation_that_fails_leaves_the_earlier_datasets(tmp_path: Path) -> None:
    """A series that worked and was then edited into one that fails."""
    place = write_series(tmp_path / "series")
    succeed("generate", "demo")
    before = files_in(tmp_path / "data")
    write_series(tmp_path / "series", an_impossible_specification())
    assert call("generate", "demo").exit_code == 1
    assert files_in(tmp_path / "data") == before
    assert place.exists()


def test_an_interrupted_generation_leaves_nothing_half_made(tmp_path: Path) -> None:
    """Ctrl-C ends it with a code that says so, and without a traceback."""
    specification = a_specification(number_of_rows=2000)
    write_series(tmp_path / "series", specification, a_user_input(num_datasets=100))
    process = subprocess.Popen(
        [PROGRAM, "generate", "demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that run in the background of a shell would hand on that it is to be ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    data = tmp_path / "data"
    until = time.monotonic() + 60
    while not list(data.glob("demo/dataset_2.csv")) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed == ""
    assert said.strip() == "interrupted; run it again to generate what is missing"
    made = files_in(data)
    assert "demo/dataset_1.csv" in made and "demo/dataset_100.csv" not in made
    assert not [path for path in made if ".part" in path]
    assert not (data / ".runs").exists()
    assert run("generate", "demo", "--quiet").returncode == 0
    whole = files_in(data)
    assert made.items() <= whole.items() and "demo/dataset_100.csv" in whole


def test_with_a_dagster_home_the_run_is_recorded_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows in the UI like any other: what was made, in which partitions."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    write_series(tmp_path / "series")
    succeed("generate", "demo", "--periods", f"{KEYS[0]}..{KEYS[1]}")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS]
        for asset in ("new_records", "reference_table", "dataset"):
            made = instance.get_materialized_partitions(dg.AssetKey(["demo", asset]))
            assert made == {KEYS[0], KEYS[1]}


def test_a_recorded_run_makes_periods_that_have_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ``release: calendar`` their partitions do not exist yet; the request counts."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    future = a_user_input(release="calendar", start_date="2090-01-01", num_datasets=2)
    write_series(tmp_path / "series", user_input=future)
    succeed("generate", "demo")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        made = instance.get_materialized_partitions(dg.AssetKey(["demo", "dataset"]))
    assert made == {"2090-01-01", "2090-02-01"}


def test_without_a_dagster_home_only_the_files_stay(tmp_path: Path) -> None:
    """No trace of a run in the working directory or the data folder."""
    write_series(tmp_path / "series")
    succeed("generate", "demo", "--periods", KEYS[0])
    assert {path.name for path in tmp_path.iterdir()} == {"series", "data"}
    left = {path.name for path in (tmp_path / "data").iterdir()}
    assert left - {"exhibit.db-wal", "exhibit.db-shm"} == {"demo", "exhibit.db"}


def test_a_dagster_home_that_is_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with Dagster's traceback."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "nowhere"))
    write_series(tmp_path / "series")
    assert refuse("generate", "demo").startswith("DAGSTER_HOME cannot be used: ")


def test_edited_files_refuse_a_later_period_until_the_earlier_ones_are_made_again(
    tmp_path: Path,
) -> None:
    """The message names the command that mends it, and it does."""
    place = write_series(tmp_path / "series")
    succeed("generate", "demo", "--periods", f"{KEYS[0]}..{KEYS[2]}")
    before = files_in(tmp_path / "data")
    edit(place, random_seed=1)
    assert refuse("generate", "demo", "--periods", KEYS[3]) == (
        "demo, period 2024-04-01 draws from all periods before it, but 2024-01-01, 2024-02-01, "
        "2024-03-01 were generated from different versions of the two files; first make "
        "2024-01-01..2024-03-01 (materialise new_records and reference_table of these "
        "partitions, or run series-assets generate with --periods 2024-01-01..2024-03-01)"
    )
    assert files_in(tmp_path / "data") == before
    succeed("generate", "demo", "--periods", "2024-01-01..2024-03-01")
    succeed("generate", "demo", "--periods", KEYS[3])
    in_parts = files_in(tmp_path / "data")
    shutil.rmtree(tmp_path / "data")
    succeed("generate", "demo")
    assert files_in(tmp_path / "data") == in_parts


def test_one_period_made_again_leaves_the_others_to_be_made_again(tmp_path: Path) -> None:
    """After an edit and a new first period, the second is still the old one's."""
    place = write_series(tmp_path / "series")
    succeed("generate", "demo")
    edit(place, random_seed=1)
    succeed("generate", "demo", "--periods", KEYS[0])
    assert refuse("generate", "demo", "--periods", KEYS[2]) == (
        "demo, period 2024-03-01 draws from all periods before it, but 2024-02-01 was "
        "generated from different versions of the two files; first make 2024-02-01 (materialise "
        "new_records and "
        "reference_table of this partition, or run series-assets generate with --periods "
        "2024-02-01)"
    )


def test_a_longer_series_goes_on_from_where_it_is(tmp_path: Path) -> None:
    """More periods are no other contents."""
    write_series(tmp_path / "series")
    succeed("generate", "demo")
    before = files_in(tmp_path / "data" / "demo")
    write_series(tmp_path / "series", user_input=a_user_input(num_datasets=5))
    succeed("generate", "demo", "--periods", "2024-05-01")
    after = files_in(tmp_path / "data" / "demo")
    assert {path: after[path] for path in before} == before
    assert set(after) - set(before) == files_of_dataset(5)


def test_two_loose_series_of_one_name_cannot_share_a_database(tmp_path: Path) -> None:
    """The second is told whose table it is, and each way out works."""
    shutil.copyfile(installed_database(), tmp_path / "shared.db")
    named = a_user_input(exhibit_db_path=str(tmp_path / "shared.db"))
    first = write_series(tmp_path / "first", user_input=named)
    second = write_series(tmp_path / "second", a_specification(random_seed=3), named)
    succeed(*loose(first, tmp_path / "out_1"))
    made = files_in(tmp_path / "out_1")
    assert refuse(*loose(second, tmp_path / "out_2")) == (
        f"{tmp_path / 'shared.db'}: its table demo_reference belongs to the series whose files are "
        f"in {tmp_path / 'out_1'}; name another database as exhibit_db_path, or give this series "
        "another name"
    )
    assert not (tmp_path / "out_2").exists()
    edit(second, id="another")
    succeed(*loose(second, tmp_path / "out_2"))
    own = a_user_input(exhibit_db_path=None)
    third = write_series(tmp_path / "third", a_specification(random_seed=3), own)
    succeed(*loose(third, tmp_path / "out_3"))
    assert files_in(tmp_path / "out_1") == made
    found = [name for name in tables(tmp_path / "shared.db") if name.endswith("_reference")]
    assert found == ["another_reference", "demo_reference"]


# new


def test_new_writes_a_series_that_is_in_order_and_can_be_made_as_it_is(tmp_path: Path) -> None:
    """The template is an example that works."""
    folder = tmp_path / "series" / "mine"
    printed = succeed("new", "mine")
    assert printed == f"{folder / 'specification.yml'}\n{folder / 'user_input.yml'}\n"
    assert succeed("validate", "mine") == "mine: valid\n"
    assert succeed("generate", "mine") == datasets(tmp_path / "data" / "mine", 1, 2, 3)


def test_the_template_explains_every_key_of_a_user_input(tmp_path: Path) -> None:
    """Who fills it in need not look anything up."""
    from series_assets.core.spec.user_input import UserInput

    succeed("new", "mine")
    text = (tmp_path / "series" / "mine" / "user_input.yml").read_text(encoding="utf-8")
    assert set(yaml.safe_load(text)) == set(UserInput.model_fields)
    lines = text.splitlines()
    for name in UserInput.model_fields:
        [place] = [i for i, line in enumerate(lines) if line.startswith(f"{name}:")]
        while lines[place].strip() and not lines[place].startswith("#"):
            place -= 1
        assert lines[place].startswith("#"), name


def test_new_refuses_a_folder_that_is_there(tmp_path: Path) -> None:
    """Nothing in it is touched."""
    place = write_series(tmp_path / "series")
    before = files_in(place)
    assert refuse("new", "demo") == f"{place}: there is such a folder already; choose another name"
    assert files_in(place) == before


@pytest.mark.parametrize("name", ["My-Series", "2024", "", "../outside", "a/b"])
def test_new_refuses_a_name_that_cannot_be_one(tmp_path: Path, name: str) -> None:
    """Before a folder is made."""
    said = refuse("new", name)
    assert (
        f"the name '{name}' cannot name a series; use small letters, digits and _, a letter "
        in said
    )
    assert list((tmp_path / "series").iterdir()) == []


@pytest.fixture
def real_data(tmp_path: Path) -> Path:
    """A CSV as somebody might have it."""
    rows = [
        f"p{i % 40},{'F' if i % 3 else 'M'},2024-01-{i % 28 + 1:02},{i * 7 % 50 + 0.5}"
        for i in range(200)
    ]
    path = tmp_path / "real.csv"
    path.write_text("\n".join(["patient,sex,seen,cost", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("identifier", ["patient", "an_added_one"])
def test_new_from_data_writes_a_series_that_can_be_made(
    tmp_path: Path, real_data: Path, identifier: str
) -> None:
    """It is in order as it is, and has the data's columns and the identifier asked for."""
    succeed("new", "mine", "--from-data", real_data, "--id", identifier)
    assert succeed("validate", "mine") == "mine: valid\n"
    succeed("generate", "mine")
    header = (tmp_path / "data" / "mine" / "dataset_1.csv").read_text(encoding="utf-8")
    columns = set(header.splitlines()[0].split(","))
    assert columns == {identifier, "patient", "sex", "seen", "cost"}


def test_new_from_data_that_are_not_there_leaves_no_folder(tmp_path: Path) -> None:
    """The file is named, and the name is still free."""
    said = refuse("new", "mine", "--from-data", tmp_path / "ghost.csv", "--id", "patient")
    assert "ghost.csv" in said
    assert list((tmp_path / "series").iterdir()) == []


@pytest.mark.parametrize("option", [("--from-data", "real.csv"), ("--id", "patient")])
def test_new_asks_for_data_and_identifier_together(option: tuple[str, str]) -> None:
    """One without the other describes nothing."""
    assert refuse("new", "mine", *option).endswith("Error: --from-data and --id go together")


def test_new_does_not_write_into_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a series dir of one's own it makes one, and says how to use it."""
    monkeypatch.delenv("SERIES_ASSETS_SERIES_DIR")
    result = call("new", "mine")
    assert result.exit_code == 0
    folder = tmp_path / "series"
    assert result.stdout.splitlines()[0] == str(folder / "mine" / "specification.yml")
    assert result.stderr == f"To use it: export SERIES_ASSETS_SERIES_DIR={folder}\n"
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(folder))
    assert succeed("validate", "mine") == "mine: valid\n"


# clean


@pytest.fixture
def two_series(tmp_path: Path) -> Path:
    """Two series that share a data folder, made; returns it."""
    for name, seed in (("demo", 0), ("other", 1)):
        write_series(tmp_path / "series", a_specification(random_seed=seed), name=name)
        succeed("generate", name, "--periods", f"{KEYS[0]}..{KEYS[1]}")
    return tmp_path / "data"


def test_clean_removes_the_files_and_the_table_of_its_series_only(two_series: Path) -> None:
    """Other series, lookup tables, the database and files of the user's own stay."""
    own = two_series / "demo" / "notes.txt"
    own.write_text("mine")
    shipped = tables(installed_database())
    others = files_in(two_series / "other")
    assert succeed("clean", "demo", "--yes") == "removed 7 files and the reference table\n"
    assert files_in(two_series / "demo") == {"notes.txt": b"mine"}
    assert files_in(two_series / "other") == others
    left = sorted([*shipped, "other_reference", "other_reference_periods"])
    assert tables(two_series / "exhibit.db") == left
    own.unlink()
    succeed("clean", "demo", "--yes")
    assert not (two_series / "demo").exists()
    succeed("generate", "other", "--periods", KEYS[2])


def test_clean_leaves_files_whose_names_merely_begin_alike(two_series: Path) -> None:
    """A user's own copy of a dataset is not a file of the series."""
    copies = [
        two_series / "demo" / "dataset_1_checked.csv",
        two_series / "demo" / "dataset_final.csv",
        two_series / "demo" / "new_records" / "dataset_1 (copy).csv",
    ]
    for path in copies:
        path.write_text("mine")
    succeed("clean", "demo", "--yes")
    assert [path.exists() for path in copies] == [True, True, True]


def test_clean_leaves_folders_and_links_under_the_names_of_its_files(two_series: Path) -> None:
    """What a link leads to is never touched, nor the link, nor a folder of anybody's."""
    folder, precious = two_series / "demo", two_series.parent / "precious.csv"
    precious.write_text("mine")
    (folder / "dataset_8.csv").mkdir()
    (folder / "dataset_8.csv" / "mine.txt").write_text("mine")
    (folder / "dataset_9.csv").symlink_to(precious)
    assert succeed("clean", "demo", "--yes") == "removed 7 files and the reference table\n"
    assert sorted(path.name for path in folder.iterdir()) == ["dataset_8.csv", "dataset_9.csv"]
    assert (folder / "dataset_8.csv" / "mine.txt").read_text() == precious.read_text() == "mine"


@pytest.mark.parametrize("place", ["demo", "demo/new_records"])
def test_clean_does_not_follow_a_folder_that_is_a_link(two_series: Path, place: str) -> None:
    """Nothing is removed, the table stays, and the message names the link."""
    away = two_series.parent / "away"
    (two_series / place).rename(away)
    (two_series / place).symlink_to(away)
    before = files_in(two_series), files_in(away)
    result = call("clean", "demo", "--yes")
    assert result.exit_code == 1
    assert result.stderr == (
        f"{two_series / place}: is a link, which is not followed to remove anything; remove the "
        "files where it leads by hand, and then the link\n"
    )
    assert (files_in(two_series), files_in(away)) == before
    assert "demo_reference" in tables(two_series / "exhibit.db")


def test_clean_can_be_repeated_after_a_file_that_could_not_be_removed(
    two_series: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the file; the table goes last, so that nothing is lost from sight."""
    stuck, unlink = two_series / "demo" / "dataset_2.csv", Path.unlink

    def refusing(self: Path, missing_ok: bool = False) -> None:
        if self == stuck:
            raise PermissionError(1, "Operation not permitted")
        unlink(self, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refusing)
        result = call("clean", "demo", "--yes")
    assert result.exit_code == 1
    assert result.stderr == (
        f"{stuck}: cannot be removed: Operation not permitted; the reference table is still there; "
        "make sure that the file can be removed, then run this again\n"
    )
    assert "demo_reference" in tables(two_series / "exhibit.db")
    assert "and the reference table" in succeed("clean", "demo", "--yes")
    assert not (two_series / "demo").exists()


def test_clean_removes_nothing_where_it_cannot_remove_all(
    two_series: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that cannot be written is seen before the first file goes."""
    before, closed = files_in(two_series), two_series / "demo" / "new_records"
    monkeypatch.setattr(os, "access", lambda path, mode: path != closed)
    result = call("clean", "demo", "--yes")
    assert result.exit_code == 1
    assert result.stderr == (
        f"{closed}: its files cannot be removed: the folder cannot be written; nothing was "
        "removed; make it writable, then run this again\n"
    )
    assert files_in(two_series) == before


def test_clean_can_take_over_the_table_of_a_series_whose_folder_is_gone(two_series: Path) -> None:
    """Only on demand; then the series can be made anew."""
    database = two_series / "exhibit.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE demo_reference_periods SET owner = 'gone/demo'")
    for command in (["generate", "demo", "--periods", KEYS[0]], ["clean", "demo", "--yes"]):
        assert "gone/demo, which no longer exists" in refuse(*command)
    succeed("clean", "demo", "--yes", "--take-over")
    assert "demo_reference" not in tables(database)
    succeed("generate", "demo", "--periods", KEYS[0])


def test_a_dropped_reference_table_can_be_made_again(two_series: Path) -> None:
    """It counts as not recorded: the message says what to make, and that works."""
    before = files_in(two_series)
    with closing(sqlite3.connect(two_series / "exhibit.db")) as connection, connection:
        connection.execute("DROP TABLE demo_reference")
    assert "nothing is recorded yet" in refuse("generate", "demo", "--periods", KEYS[1])
    succeed("generate", "demo", "--periods", f"{KEYS[0]}..{KEYS[1]}")
    assert files_in(two_series) == before


def test_clean_asks_first(two_series: Path) -> None:
    """No is no: everything stays. Yes is yes."""
    before = files_in(two_series)
    result = call("clean", "demo", typed="n\n")
    assert result.exit_code == 1
    assert (
        f"Remove 7 files of demo in {two_series / 'demo'}, and its reference table in "
        f"{two_series / 'exhibit.db'}? [y/N]: n" in result.output
    )
    assert files_in(two_series) == before
    assert "demo_reference" in tables(two_series / "exhibit.db")
    assert "removed 7 files and the reference table" in succeed("clean", "demo", typed="y\n")
    assert not (two_series / "demo").exists()


def test_clean_removes_datasets_that_a_shorter_series_no_longer_has(
    tmp_path: Path, two_series: Path
) -> None:
    """They were its files when they were made."""
    longer = write_series(tmp_path / "series", user_input=a_user_input(num_datasets=1))
    assert longer.exists()
    succeed("clean", "demo", "--yes")
    assert not (two_series / "demo").exists()


def test_a_series_that_was_cleaned_can_be_made_again(two_series: Path) -> None:
    """From the start, with the same bytes."""
    before = files_in(two_series)
    succeed("clean", "demo", "--yes")
    assert refuse("generate", "demo", "--periods", KEYS[1]).startswith(
        "demo, period 2024-02-01 draws from all periods before it, but nothing is recorded yet"
    )
    succeed("generate", "demo", "--periods", f"{KEYS[0]}..{KEYS[1]}")
    assert files_in(two_series) == before


def test_cleaning_what_was_never_made_is_no_fault(tmp_path: Path) -> None:
    """And makes nothing."""
    write_series(tmp_path / "series")
    assert succeed("clean", "demo", "--yes") == "removed 0 files\n"
    assert not (tmp_path / "data").exists()


def test_clean_refuses_the_table_of_another_series(tmp_path: Path) -> None:
    """No file is removed either."""
    shutil.copyfile(installed_database(), tmp_path / "shared.db")
    named = a_user_input(exhibit_db_path=str(tmp_path / "shared.db"))
    place = write_series(tmp_path / "series", user_input=named)
    succeed(*loose(place, tmp_path / "out"))
    (tmp_path / "data" / "demo").mkdir(parents=True)
    dataset = tmp_path / "data" / "demo" / "dataset_1.csv"
    dataset.write_text("")
    assert refuse("clean", "demo", "--yes") == (
        f"{tmp_path / 'shared.db'}: its table demo_reference belongs to the series whose files are "
        f"in {tmp_path / 'out'}; name another database as exhibit_db_path, or give this series "
        "another name"
    )
    assert dataset.exists()
    assert "demo_reference" in tables(tmp_path / "shared.db")


# all of them


def test_a_day_that_no_calendar_has_is_a_fault_of_the_input(tmp_path: Path) -> None:
    """YAML itself stumbles over it; the user sees the file all the same."""
    place = write_series(tmp_path / "series") / "user_input.yml"
    text = place.read_text(encoding="utf-8")
    place.write_text(f"{text}start_date: 2024-02-30\n", encoding="utf-8")
    assert refuse("validate").startswith("demo/user_input.yml: ")


@pytest.mark.parametrize("command", ["list", "validate", "generate", "new", "clean"])
def test_every_command_explains_itself(command: str) -> None:
    """With -h as with --help, and in the list of all."""
    assert command in succeed("-h")
    assert succeed(command, "-h") == succeed(command, "--help")


def test_an_unknown_command_is_wrong_input() -> None:
    """Exit code 2, like all wrong input."""
    assert "No such command 'make'" in refuse("make")


_NONE_NEW = (
    "note: demo/user_input.yml: fraction_of_new 1/100 of 60 rows is less than one record, so no "
    "period after the first has new records; raise fraction_of_new or number_of_rows, or write 0 "
    "if that is meant"
)


@pytest.mark.parametrize(
    ("command", "options"), [("validate", ()), ("generate", ("--periods", KEYS[0]))]
)
@pytest.mark.parametrize(("fraction", "noted"), [("1/100", True), ("1/60", False), ("0", False)])
def test_a_fraction_that_gives_no_new_record_is_noted(
    tmp_path: Path, command: str, options: tuple[str, ...], fraction: str, noted: bool
) -> None:
    """It is above 0 and still makes nothing new; that is no fault, and the series is made."""
    write_series(tmp_path / "series", user_input=a_user_input(fraction_of_new=fraction))
    result = call(command, "demo", *options)
    assert result.exit_code == 0, result.output
    notes = [line for line in result.stderr.splitlines() if "fraction_of_new" in line]
    assert notes == ([_NONE_NEW] if noted else [])
