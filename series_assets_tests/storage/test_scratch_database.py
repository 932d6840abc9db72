"""A run of Exhibit gets the tables that it may read, without reference tables."""

from pathlib import Path

import pandas as pd

from series_assets.storage import scratch_database
from series_assets_tests.storage.databases import a_database, contents, drawing_from, names, rows


def test_a_scratch_copy_has_the_tables_that_columns_name(tmp_path: Path) -> None:
    """The set of a column, and Exhibit's values of this specification, and nothing else."""
    source = a_database(
        tmp_path / "some.db",
        "CREATE TABLE mountains (range, peak)",
        "CREATE TABLE birds (common_name)",
        "CREATE TABLE temp_demo_region (region)",
        "CREATE TABLE temp_other_region (region)",
    )
    scratch_database.copy_for_run(source, tmp_path / "scratch.db", drawing_from("mountains.peak"))
    assert names(tmp_path / "scratch.db") == ["mountains", "temp_demo_region"]


def test_a_scratch_copy_has_all_tables_where_a_statement_may_name_any(tmp_path: Path) -> None:
    """Statements are not parsed, so all of the user's tables are copied."""
    source = a_database(
        tmp_path / "some.db", "CREATE TABLE mine (region)", "CREATE TABLE other (region)"
    )
    specification = drawing_from("SELECT mine.region AS region FROM mine")
    scratch_database.copy_for_run(source, tmp_path / "scratch.db", specification)
    assert names(tmp_path / "scratch.db") == ["mine", "other"]


def test_a_scratch_copy_has_what_views_show(tmp_path: Path) -> None:
    """As a table, since a statement may use a view like one."""
    source = a_database(
        tmp_path / "some.db",
        "CREATE TABLE mine (region, open)",
        "INSERT INTO mine VALUES ('North', 1), ('South', 0)",
        "CREATE VIEW open_ones AS SELECT region FROM mine WHERE open",
    )
    scratch = tmp_path / "scratch.db"
    specification = drawing_from("SELECT open_ones.region AS region FROM open_ones")
    scratch_database.copy_for_run(source, scratch, specification)
    assert names(scratch) == ["mine", "open_ones"]
    assert rows(scratch, "SELECT * FROM open_ones") == [("North",)]


def test_a_scratch_copy_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    """A run only reads the database, and keeps its mode."""
    source = a_database(tmp_path / "some.db", "CREATE TABLE mountains (peak)")
    before = source.read_bytes()
    scratch_database.copy_for_run(source, tmp_path / "scratch.db", drawing_from("mountains.peak"))
    assert source.read_bytes() == before


def test_a_scratch_copy_leaves_reference_tables_behind(tmp_path: Path) -> None:
    """They may be large, and sampled entities are passed in another way."""
    source = a_database(
        tmp_path / "some.db",
        "CREATE TABLE mine (region)",
        "CREATE TABLE demo_reference (id)",
        "CREATE TABLE demo_reference_periods (period)",
        "CREATE TABLE other_reference (id)",
        "CREATE TABLE other_reference_periods (period)",
    )
    specification = drawing_from("SELECT mine.region AS region FROM mine")
    scratch_database.copy_for_run(source, tmp_path / "scratch.db", specification)
    assert names(tmp_path / "scratch.db") == ["mine"]


def test_a_scratch_copy_takes_no_table_of_the_user_for_a_reference_table(tmp_path: Path) -> None:
    """Even if a user's table has a table of periods beside it."""
    source = a_database(
        tmp_path / "some.db", "CREATE TABLE wards (region)", "CREATE TABLE wards_periods (period)"
    )
    specification = drawing_from("SELECT wards.region AS region FROM wards")
    scratch_database.copy_for_run(source, tmp_path / "scratch.db", specification)
    assert names(tmp_path / "scratch.db") == ["wards", "wards_periods"]


def test_a_scratch_copy_keeps_values_types_and_the_order_of_rows(tmp_path: Path) -> None:
    """Exhibit generates the same values from a copy."""
    source = a_database(
        tmp_path / "some.db",
        'CREATE TABLE mine ("a name" TEXT PRIMARY KEY, number, "code" VARCHAR(4))',
        "INSERT INTO mine VALUES ('z', 1, '007'), ('a', 2.5, NULL), ('m', 'text', '010')",
    )
    before = contents(source)
    scratch = tmp_path / "scratch.db"
    scratch_database.copy_for_run(source, scratch, drawing_from("SELECT * FROM mine"))
    assert rows(scratch, "SELECT * FROM mine") == rows(source, "SELECT * FROM mine ORDER BY rowid")
    types = [row[1:3] for row in rows(scratch, "PRAGMA table_info(mine)")]
    assert types == [("a name", "TEXT"), ("number", ""), ("code", "VARCHAR(4)")]
    assert contents(source) == before


def test_a_scratch_copy_is_made_afresh(tmp_path: Path) -> None:
    """It has nothing of an earlier run's copy."""
    source = a_database(tmp_path / "some.db", "CREATE TABLE mountains (peak)")
    scratch = a_database(tmp_path / "scratch.db", "CREATE TABLE leftover (a)")
    scratch_database.copy_for_run(source, scratch, drawing_from("mountains.peak"))
    assert names(scratch) == ["mountains"]


def test_a_frame_is_put_into_a_database_in_place_of_an_earlier_one(tmp_path: Path) -> None:
    """With any column names, and missing values as missing."""
    path = tmp_path / "scratch.db"
    for values in (["x", "y"], ["007", None]):
        frame = pd.DataFrame({'my "id"': values, "order": ["1", "2"]}, dtype=object)
        scratch_database.write_frame(path, "demo_reference", frame)
    assert rows(path, "SELECT * FROM demo_reference") == [("007", "1"), (None, "2")]


def test_tables_can_be_copied_under_another_prefix(tmp_path: Path) -> None:
    """They replace earlier ones; tables without the prefix stay."""
    source = a_database(
        tmp_path / "source.db",
        "CREATE TABLE temp_old_region (region)",
        "INSERT INTO temp_old_region VALUES ('North'), ('South')",
        "CREATE TABLE other (a)",
    )
    target = a_database(
        tmp_path / "target.db", "CREATE TABLE temp_new_region (b)", "CREATE TABLE mine (a)"
    )
    assert scratch_database.copy_renamed(source, target, "temp_old_", "temp_new_") is True
    assert names(target) == ["mine", "temp_new_region"]
    assert rows(target, "SELECT * FROM temp_new_region") == [("North",), ("South",)]
    assert names(source) == ["other", "temp_old_region"]


def test_without_tables_to_copy_no_database_is_made(tmp_path: Path) -> None:
    """A series without values in the database needs none."""
    source = a_database(tmp_path / "source.db", "CREATE TABLE other (a)")
    assert (
        scratch_database.copy_renamed(source, tmp_path / "target.db", "temp_old_", "temp_new_")
        is False
    )
    assert not (tmp_path / "target.db").exists()
