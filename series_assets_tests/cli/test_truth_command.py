"""``series-assets truth``: its files and output, and what it refuses."""

from pathlib import Path

import pyarrow.parquet as parquet

from series_assets_tests.builders import write_series
from series_assets_tests.cli.commands import refuse, succeed


def test_a_history_is_printed_or_written_as_parquet(history: Path) -> None:
    """With types, and the columns of the tool."""
    printed = succeed("truth", "clinic", "--as", "scd1")
    assert printed.splitlines()[0] == "id,sex,region,amount,version,since,is_deleted"
    assert succeed("truth", "clinic", "--as", "changes").startswith("dataset,row,id,op,version")
    succeed("truth", "clinic", "--profile", "dlt", "--output", "dlt.parquet")
    schema = parquet.read_schema(history / "dlt.parquet")
    assert str(schema.field("_dlt_valid_from").type) == "timestamp[us, tz=UTC]"
    assert str(schema.field("amount").type) == "double"
    assert "4 of 4, 4 with truth" in " ".join(succeed("list").split())


def test_a_dataset_that_cannot_be_read_is_named(history: Path) -> None:
    """And not the file that is written from it."""
    dataset = history / "data" / "clinic" / "dataset_2.csv"
    dataset.unlink()
    dataset.mkdir()
    assert refuse("truth", "clinic", "--as", "changes", "--output", "changes.csv") == (
        f"{dataset} cannot be read: Is a directory; run series-assets generate clinic --periods "
        "2024-02-01"
    )
    dataset.rmdir()
    succeed("generate", "clinic")


def test_what_cannot_be_given_is_refused(history: Path) -> None:
    """With an alternative, and exit code 2."""
    assert refuse("truth", "clinic", "--at", "2024-02-02") == (
        "--at 2024-02-02 is not the first day of a period of clinic; did you mean '2024-02-01'?"
    )
    assert refuse("truth", "clinic", "--output", "a.xlsx") == (
        f"{history / 'a.xlsx'}: is neither CSV nor Parquet; name it .csv or .parquet"
    )
    assert refuse("truth", "clinic", "--as", "changes", "--profile", "dbt") == (
        "clinic: profiles apply to scd1 and scd2 only, not to the change log; leave out the profile"
    )
    succeed("clean", "clinic", "--yes")
    assert not (history / "data" / "clinic").exists()
    assert refuse("truth", "clinic") == (
        "clinic: nothing of its history is recorded yet; first run series-assets generate clinic"
    )
    write_series(history / "series", name="clinic")
    assert refuse("truth", "clinic") == (
        "clinic: its user input has no truth block, so its history is not recorded; add "
        "truth: {} to clinic/user_input.yml, then generate its periods again"
    )
