"""Files and tables that checks need: missing, unreadable, or of another version of the series."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from series_assets.checks.run import delivered_keys
from series_assets.core.errors import RequestError
from series_assets.interface import check
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series
from series_assets_tests.checks.delivered_series import (
    KEYS,
    DeliveredSeries,
    full_specification,
    full_user_input,
)


def test_a_missing_dataset_is_reported(delivered: DeliveredSeries) -> None:
    """The message says which period to generate."""
    delivered.path(3).unlink()
    assert delivered.problems(3) == {
        f"{delivered.path(3)} is missing; generate dataset of 2024-03-01"
    }
    assert delivered_keys(Workspace(delivered.data).reference_table(delivered.series)) == [
        *KEYS[:2],
        KEYS[3],
    ]


def test_a_folder_without_datasets_is_refused(tmp_path: Path) -> None:
    """Otherwise a test that asserts that all results hold would pass with a misspelt folder."""
    with pytest.raises(RequestError, match=r"demo: there is no dataset yet in .*/demo; first"):
        check(a_series(), tmp_path)


def test_missing_new_records_are_reported(delivered: DeliveredSeries) -> None:
    """Without them, new rows cannot be distinguished from existing ones."""
    path = delivered.path(3, new=True)
    path.unlink()
    assert delivered.problems(3) == {f"{path} is missing; generate new_records of 2024-03-01"}


def test_without_the_first_dataset_its_new_records_give_the_columns(
    delivered: DeliveredSeries,
) -> None:
    """Its new records have the same columns."""
    delivered.path(1).unlink()
    assert delivered.broken(2) == {}
    delivered.path(1, new=True).unlink()
    assert delivered.problems(2) == {
        f"{delivered.path(1)} is missing; generate dataset of 2024-01-01"
    }


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"id,sex\n1,2,3\n", "CSV parse error: Row #2: Expected 2 columns, got 3: 1,2,3"),
        (b"\xff\xfe\x00", "it is not UTF-8"),
        (
            b"id\n" + b"1\n" * 10_000 + b"\xff\n",
            "In CSV column #0: Row #10002: CSV conversion error to string: invalid UTF8",
        ),
    ],
)
def test_an_unreadable_dataset_is_reported(
    delivered: DeliveredSeries, content: bytes, reason: str
) -> None:
    """The message has the reason and the remedy, whatever the file contains."""
    delivered.path(2).write_bytes(content)
    [problem] = delivered.problems(2)
    assert problem is not None
    assert problem.startswith(f"{delivered.path(2)} cannot be read: {reason}")
    assert problem.endswith("; regenerate dataset of 2024-02-01")


@pytest.mark.parametrize("new", [False, True])
def test_the_rules_apply_to_a_file_with_only_a_header(
    delivered: DeliveredSeries, new: bool
) -> None:
    """All rows of one part, or of both, are missing."""
    header = delivered.path(2, new).read_bytes().partition(b"\n")[0]
    delivered.path(2, new).write_bytes(header + b"\n")
    assert delivered.problems(2) == {None}
    assert delivered.broken(2)["counts"] == (20 if new else 60)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_dataset_without_read_permission_is_reported(delivered: DeliveredSeries) -> None:
    """The message has the system's reason."""
    delivered.path(2).chmod(0)
    assert delivered.problems(2) == {
        f"{delivered.path(2)} cannot be read: Permission denied; regenerate dataset of 2024-02-01"
    }


def test_a_dataset_that_is_a_folder_is_reported(delivered: DeliveredSeries) -> None:
    """The message has the system's reason."""
    delivered.path(2).unlink()
    delivered.path(2).mkdir()
    assert delivered.problems(2) == {
        f"{delivered.path(2)} cannot be read: Is a directory; regenerate dataset of 2024-02-01"
    }


def test_stale_files_are_reported(delivered: DeliveredSeries) -> None:
    """The series has changed since the dataset was generated; only that is reported."""
    other = DeliveredSeries(
        a_series(full_specification(), full_user_input(fraction_of_new=1)), delivered.data
    )
    path = delivered.folder / "dataset_2.new.yml"
    assert other.problems(2) == {
        f"{path} was generated from another version of the series' two files; regenerate "
        "new_records of 2024-02-01"
    }
    (delivered.folder / "dataset_2.existing.yml").unlink()
    assert delivered.problems(2) == {
        f"{delivered.folder / 'dataset_2.existing.yml'} is missing, or does not say what it was "
        "generated from; regenerate dataset of 2024-02-01"
    }


def execute(delivered: DeliveredSeries, *statements: str) -> None:
    """Change the database of a series directly."""
    with closing(sqlite3.connect(delivered.data / "exhibit.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def table_problems(delivered: DeliveredSeries) -> dict[str, str | None]:
    """Return the rules that could not be evaluated on the second dataset, with the reasons."""
    found = delivered.findings(2).items()
    return {name: one.problem for name, one in found if one.problem}


def test_a_stale_reference_table_is_reported(delivered: DeliveredSeries) -> None:
    """The rules that need the table report it; the others are evaluated."""
    execute(delivered, "UPDATE demo_reference_periods SET fingerprint = 'x' WHERE period = 0")
    reason = (
        "demo, period 2024-02-01 samples from all periods before it, but 2024-01-01 was "
        "generated from another version of the series' two files; first generate 2024-01-01 "
        "(materialize new_records and "
        "reference_table of this partition, or run series-assets generate with --periods "
        "2024-01-01)"
    )
    rules = ("identifiers", "static_columns", "linked_columns")
    assert table_problems(delivered) == dict.fromkeys(rules, reason)
    assert delivered.broken(1) == {}


def test_a_missing_reference_table_is_reported(delivered: DeliveredSeries) -> None:
    """It counts as not recorded, and the message says what to generate."""
    execute(delivered, "DROP TABLE demo_reference")
    for problem in table_problems(delivered).values():
        assert problem.startswith("demo, period ")
        assert "nothing is recorded yet for 2024-01-01" in problem
        assert "run series-assets generate with --periods 2024-01-01" in problem


def test_entities_deleted_from_the_table_are_unknown(delivered: DeliveredSeries) -> None:
    """Their entities are unknown."""
    known = delivered.rows(2)[delivered.existing(2)[0]]["id"]
    execute(delivered, f"DELETE FROM demo_reference WHERE id = '{known}'")
    assert delivered.broken(2)["identifiers"] == 1
