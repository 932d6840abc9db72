"""``series-assets generate``: its files, output, messages and exit codes."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import dagster as dg
import pytest

from series_assets.pipeline.progress import PHASES
from series_assets_tests.builders import a_specification, a_user_input, files_in, write_series
from series_assets_tests.cli.commands import (
    KEYS,
    PROGRAM,
    an_impossible_specification,
    call,
    datasets,
    edit,
    files_of_dataset,
    refuse,
    run,
    succeed,
    tables,
)


def test_generate_makes_all_periods_and_prints_where_they_are(tmp_path: Path) -> None:
    """Absolute paths on stdout, and the files of section 8 of the contract."""
    write_series(tmp_path / "series")
    assert succeed("generate", "demo") == datasets(tmp_path / "data" / "demo", 1, 2, 3, 4)
    expected = set().union(*map(files_of_dataset, (1, 2, 3, 4)))
    assert set(files_in(tmp_path / "data" / "demo")) == expected
    assert "demo_reference" in tables(tmp_path / "data" / "exhibit.db")


def test_the_data_dir_is_data_under_the_working_directory_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The printed paths are absolute."""
    monkeypatch.delenv("SERIES_ASSETS_DATA_DIR")
    write_series(tmp_path / "series")
    printed = succeed("generate", "demo", "--periods", KEYS[0])
    assert printed == datasets(tmp_path / "data" / "demo", 1)


def test_generate_makes_one_period_or_a_range_of_them(tmp_path: Path) -> None:
    """Named by their first days; the files are those of a single run."""
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
    ("periods", "message"),
    [
        (
            "2024-01-02",
            "--periods 2024-01-02: '2024-01-02' is not the first day of a period of demo; did you "
            "mean '2024-01-01'?",
        ),
        (
            "2024-02-10",
            "--periods 2024-02-10: '2024-02-10' is not the first day of a period of demo; did you "
            "mean '2024-02-01'?",
        ),
        (
            "99999999999-1-1",
            "--periods 99999999999-1-1: '99999999999-1-1' is not the first day of a period of "
            "demo; known here: 2024-01-01, 2024-02-01, 2024-03-01, 2024-04-01",
        ),
        (
            "2024-2-1",
            "--periods 2024-2-1: '2024-2-1' is not the first day of a period of demo; did you mean "
            "'2024-02-01'?",
        ),
        (
            "2025-02-01",
            "--periods 2025-02-01: '2025-02-01' is not the first day of a period of demo; its "
            "periods begin on 2024-01-01, 2024-02-01, 2024-03-01, 2024-04-01",
        ),
        (
            "2024-01-01..soon",
            "--periods 2024-01-01..soon: 'soon' is not the first day of a period of demo; known "
            "here: 2024-01-01, 2024-02-01, 2024-03-01, 2024-04-01",
        ),
        (
            "2024-03-01..2024-01-01",
            "--periods 2024-03-01..2024-01-01 ends before it begins; write FIRST..LAST",
        ),
        (
            "2024-02-01..",
            "--periods 2024-02-01..: the last period is missing; write FIRST..LAST",
        ),
        (
            "..2024-02-01",
            "--periods ..2024-02-01: the first period is missing; write FIRST..LAST",
        ),
        (
            "2024-01-01..2024-02-01..2024-03-01",
            "--periods 2024-01-01..2024-02-01..2024-03-01 is not FIRST..LAST",
        ),
    ],
)
def test_periods_that_are_none_are_refused(tmp_path: Path, periods: str, message: str) -> None:
    """With the existing periods, or the nearest ones; nothing is generated."""
    write_series(tmp_path / "series")
    assert refuse("generate", "demo", "--periods", periods) == message
    assert not (tmp_path / "data").exists()


def test_generate_refuses_a_period_before_anything_is_recorded(tmp_path: Path) -> None:
    """The message names the period to start with, and following it works."""
    write_series(tmp_path / "series")
    assert refuse("generate", "demo", "--periods", KEYS[2]) == (
        "demo, period 2024-03-01 samples from all periods before it, but nothing is recorded yet "
        "for 2024-01-01, 2024-02-01; first generate 2024-01-01..2024-02-01 (materialize "
        "new_records and reference_table of these partitions, or run series-assets generate with "
        "--periods 2024-01-01..2024-02-01)"
    )
    assert not (tmp_path / "data").exists()
    succeed("generate", "demo", "--periods", f"{KEYS[0]}..{KEYS[1]}")
    succeed("generate", "demo", "--periods", KEYS[2])


def test_generate_refuses_a_broken_series(tmp_path: Path) -> None:
    """With its faults; other series have no effect."""
    write_series(tmp_path / "series", user_input=a_user_input(period="hours"))
    assert refuse("generate", "demo") == (
        "demo/user_input.yml: period 'hours' is not known; use days, weeks, months or quarters"
    )


def test_quiet_prints_nothing_when_all_goes_well(tmp_path: Path) -> None:
    """Neither on stdout nor on stderr."""
    write_series(tmp_path / "series")
    ended = call("generate", "demo", "--quiet")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", "")
    assert (tmp_path / "data" / "demo" / "dataset_4.csv").exists()


def test_quiet_prints_what_goes_wrong(tmp_path: Path) -> None:
    """Otherwise a failure would look like success."""
    write_series(tmp_path / "series", user_input=a_user_input(period="hours"))
    assert "period 'hours' is not known" in refuse("generate", "demo", "--quiet")


@pytest.mark.thorough
def test_verbose_shows_each_phase_on_stderr(tmp_path: Path) -> None:
    """With number, rows and time; stdout still has only the paths."""
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


@pytest.mark.thorough
def test_verbose_shows_the_log_of_a_recorded_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dagster's log."""
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
    """If stderr is no terminal, there is no progress either."""
    write_series(tmp_path / "series")
    ended = call("generate", "demo", "--periods", KEYS[0])
    assert (ended.exit_code, ended.stderr) == (0, "")


@pytest.mark.thorough
def test_the_progress_bar_names_period_and_phase(tmp_path: Path) -> None:
    """On a terminal; the paths still go to stdout."""
    specification = a_specification(number_of_rows=6000)  # time for the bar to be drawn
    write_series(tmp_path / "series", specification, a_user_input(num_datasets=8))
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
    assert printed.decode() == datasets(tmp_path / "data" / "demo", *range(1, 9))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    phases = "|".join(PHASES)
    named = re.findall(rf"demo (20\d\d-\d\d-01): ({phases})", text)
    assert named
    assert re.search(r"\d+/24", text)  # 8 periods of three phases
    assert {phase for _, phase in named} >= {"new records", "dataset"}


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_a_generation_that_fails_says_where_and_leaves_no_file(
    tmp_path: Path, quiet: tuple[str, ...]
) -> None:
    """Exit code 1, as the files were valid, with series, period, part and error."""
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
    """Dagster's log of the failure is not shown."""
    write_series(tmp_path / "series", an_impossible_specification())
    ended = run("generate", "demo")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    assert ended.stderr.startswith(
        "demo, period 2024-01-01 (new records): the derived column '(sex / amount)' cannot be "
    )


def test_a_generation_that_fails_leaves_the_earlier_datasets(tmp_path: Path) -> None:
    """After an edit, a series that used to work fails."""
    place = write_series(tmp_path / "series")
    succeed("generate", "demo")
    before = files_in(tmp_path / "data")
    write_series(tmp_path / "series", an_impossible_specification())
    assert call("generate", "demo").exit_code == 1
    assert files_in(tmp_path / "data") == before
    assert place.exists()


def test_an_interrupted_generation_leaves_nothing_half_made(tmp_path: Path) -> None:
    """Ctrl-C ends it with exit code 130 and without a traceback."""
    specification = a_specification(number_of_rows=300)
    write_series(tmp_path / "series", specification, a_user_input(num_datasets=20))
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
    printed, message = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed == ""
    assert message.strip() == "interrupted; run it again to generate what is missing"
    generated = files_in(data)
    assert "demo/dataset_1.csv" in generated and "demo/dataset_20.csv" not in generated
    assert not [path for path in generated if ".part" in path]
    assert not (data / ".runs").exists()
    ended = run("generate", "demo", "--quiet")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    whole = files_in(data)
    assert generated.items() <= whole.items() and "demo/dataset_20.csv" in whole


def test_with_a_dagster_home_the_run_is_recorded_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The UI shows it with its materialized partitions."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    write_series(tmp_path / "series")
    succeed("generate", "demo", "--periods", f"{KEYS[0]}..{KEYS[1]}")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS]
        for asset in ("new_records", "reference_table", "dataset"):
            generated = instance.get_materialized_partitions(dg.AssetKey(["demo", asset]))
            assert generated == {KEYS[0], KEYS[1]}


@pytest.mark.thorough
def test_a_recorded_run_makes_periods_that_have_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ``release: calendar``, their partitions do not exist yet; they are still generated."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    future = a_user_input(release="calendar", start_date="2090-01-01", num_datasets=2)
    write_series(tmp_path / "series", user_input=future)
    succeed("generate", "demo")
    with dg.DagsterInstance.from_config(str(home)) as instance:
        generated = instance.get_materialized_partitions(dg.AssetKey(["demo", "dataset"]))
    assert generated == {"2090-01-01", "2090-02-01"}


def test_without_a_dagster_home_only_the_files_stay(tmp_path: Path) -> None:
    """No trace of a run is in the working directory or the data folder."""
    write_series(tmp_path / "series")
    succeed("generate", "demo", "--periods", KEYS[0])
    assert {path.name for path in tmp_path.iterdir()} == {"series", "data"}
    left = {path.name for path in (tmp_path / "data").iterdir()}
    assert left - {"exhibit.db-wal", "exhibit.db-shm"} == {"demo", "exhibit.db"}


def test_an_invalid_dagster_home_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Dagster's traceback."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "nowhere"))
    write_series(tmp_path / "series")
    assert refuse("generate", "demo").startswith("DAGSTER_HOME cannot be used: ")


def test_edited_files_refuse_a_later_period_until_the_earlier_ones_are_made_again(
    tmp_path: Path,
) -> None:
    """The message has a command that fixes it, and it works."""
    place = write_series(tmp_path / "series")
    succeed("generate", "demo", "--periods", f"{KEYS[0]}..{KEYS[2]}")
    before = files_in(tmp_path / "data")
    edit(place, random_seed=1)
    assert refuse("generate", "demo", "--periods", KEYS[3]) == (
        "demo, period 2024-04-01 samples from all periods before it, but 2024-01-01, 2024-02-01, "
        "2024-03-01 were generated from another version of the series' two files; first generate "
        "2024-01-01..2024-03-01 (materialize new_records and reference_table of these "
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
    """After an edit and a new first period, the second is still of the old version."""
    place = write_series(tmp_path / "series")
    succeed("generate", "demo")
    edit(place, random_seed=1)
    succeed("generate", "demo", "--periods", KEYS[0])
    assert refuse("generate", "demo", "--periods", KEYS[2]) == (
        "demo, period 2024-03-01 samples from all periods before it, but 2024-02-01 was "
        "generated from another version of the series' two files; first generate 2024-02-01 "
        "(materialize new_records and "
        "reference_table of this partition, or run series-assets generate with --periods "
        "2024-02-01)"
    )


def test_a_longer_series_goes_on_from_where_it_is(tmp_path: Path) -> None:
    """More periods do not make earlier ones stale."""
    write_series(tmp_path / "series")
    succeed("generate", "demo")
    before = files_in(tmp_path / "data" / "demo")
    write_series(tmp_path / "series", user_input=a_user_input(num_datasets=5))
    succeed("generate", "demo", "--periods", "2024-05-01")
    after = files_in(tmp_path / "data" / "demo")
    assert {path: after[path] for path in before} == before
    assert set(after) - set(before) == files_of_dataset(5)
