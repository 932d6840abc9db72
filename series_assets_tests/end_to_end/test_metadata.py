"""The metadata of a partition in Dagster is its own, whichever run materialized it."""

from series_assets_tests.end_to_end.client import Server
from series_assets_tests.end_to_end.delivered_files import rows_of
from series_assets_tests.end_to_end.served_series import KEYS


def test_each_dataset_of_a_range_tells_its_own(server: Server, ranged: str) -> None:
    """Its period, rows, files and first rows, as in the data folder."""
    made = {one.partition: one.metadata for one in server.materializations(ranged, "dataset")}
    assert list(made) == list(reversed(KEYS))
    ends = ("2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30")
    for number, (key, end) in enumerate(zip(KEYS, ends, strict=True), start=1):
        told, path = made[key], server.data_dir / ranged / f"dataset_{number}.csv"
        rows = rows_of(path)
        new = 30 if number == 1 else 10
        assert told["path"] == str(path)
        assert (told["dataset_number"], told["period_start"], told["period_end"]) == (
            number,
            key,
            end,
        )
        assert told["dagster/row_count"] == len(rows) == 30
        assert (told["new_rows_requested"], told["existing_rows_requested"]) == (new, 30 - new)
        assert (told["new_rows"], told["existing_rows"]) == (new, 30 - new)
        assert told["first_rows"] == rows[: len(told["first_rows"])] != []
        assert list(told["dagster/column_schema"]) == list(rows[0])
        assert told["dagster/column_lineage"]["id"] == [
            f"{ranged}/{asset}/id" for asset in ("new_records", "reference_table")
        ]
        assert {row["file"]: row["bytes"] for row in told["files"]} == {
            str(file): file.stat().st_size for file in path.parent.glob(f"dataset_{number}.*")
        }
    assert len({str(told["seeds"]) for told in made.values()}) == 4


def test_what_specification_diff_is_told_as_a_diff(server: Server, ranged: str) -> None:
    """For new records: seeds, rows and dates of their period."""
    made = {one.partition: one.metadata for one in server.materializations(ranged, "new_records")}
    diff = made[KEYS[1]]["specification_diff"].splitlines()
    assert diff[0] == "```diff"
    for line in (
        "-  number_of_rows: 30",
        "+  number_of_rows: 10",
        "-    from: '2024-01-01'",
        "+    from: '2024-02-01'",
        "+    to: '2024-02-29'",
    ):
        assert line in diff
    assert "specification_diff" not in made[KEYS[0]]


def test_the_reference_table_tells_how_it_grows(server: Server, ranged: str) -> None:
    """The new entities of each period, and their total."""
    made = {
        one.partition: one.metadata for one in server.materializations(ranged, "reference_table")
    }
    grown = [(made[key]["new_entities"], made[key]["total_entities"]) for key in KEYS]
    assert grown == [(30, 30), (10, 40), (10, 50), (10, 60)]
