"""The metadata of a partition in Dagster is its own, whichever run materialized it."""

from series_assets_tests.end_to_end.client import Server
from series_assets_tests.end_to_end.delivered_files import rows_of
from series_assets_tests.end_to_end.served_series import KEYS


def test_each_dataset_of_a_range_tells_its_own(server: Server, ranged: str) -> None:
    """Its period, rows, files and first rows, as in the data folder."""
    generated = {one.partition: one.metadata for one in server.materializations(ranged, "dataset")}
    assert list(generated) == list(reversed(KEYS))
    ends = ("2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30")
    for number, (key, end) in enumerate(zip(KEYS, ends, strict=True), start=1):
        reported, path = generated[key], server.data_dir / ranged / f"dataset_{number}.csv"
        rows = rows_of(path)
        new = 30 if number == 1 else 10
        assert reported["path"] == str(path)
        assert (reported["dataset_number"], reported["period_start"], reported["period_end"]) == (
            number,
            key,
            end,
        )
        assert reported["dagster/row_count"] == len(rows) == 30
        assert (reported["new_rows_requested"], reported["existing_rows_requested"]) == (
            new,
            30 - new,
        )
        assert (reported["new_rows"], reported["existing_rows"]) == (new, 30 - new)
        assert reported["first_rows"] == rows[: len(reported["first_rows"])] != []
        assert list(reported["dagster/column_schema"]) == list(rows[0])
        assert reported["dagster/column_lineage"]["id"] == [
            f"{ranged}/{asset}/id" for asset in ("new_records", "reference_table")
        ]
        assert {row["file"]: row["bytes"] for row in reported["files"]} == {
            str(file): file.stat().st_size for file in path.parent.glob(f"dataset_{number}.*")
        }
    assert len({str(reported["seeds"]) for reported in generated.values()}) == 4


def test_the_specification_diff_is_shown_as_a_diff(server: Server, ranged: str) -> None:
    """For new records: seeds, rows and dates of their period."""
    generated = {
        one.partition: one.metadata for one in server.materializations(ranged, "new_records")
    }
    diff = generated[KEYS[1]]["specification_diff"].splitlines()
    assert diff[0] == "```diff"
    for line in (
        "-  number_of_rows: 30",
        "+  number_of_rows: 10",
        "-    from: '2024-01-01'",
        "+    from: '2024-02-01'",
        "+    to: '2024-02-29'",
    ):
        assert line in diff
    assert "specification_diff" not in generated[KEYS[0]]


def test_the_reference_table_tells_how_it_grows(server: Server, ranged: str) -> None:
    """The new entities of each period, and their total."""
    generated = {
        one.partition: one.metadata for one in server.materializations(ranged, "reference_table")
    }
    grown = [(generated[key]["new_entities"], generated[key]["total_entities"]) for key in KEYS]
    assert grown == [(30, 30), (10, 40), (10, 50), (10, 60)]
