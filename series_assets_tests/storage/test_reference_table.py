"""The reference table keeps entities as they were when new, under permanent keys."""

import multiprocessing
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from series_assets.core.errors import GenerationError, RequestError
from series_assets.core.plan.series import Series
from series_assets.core.records import as_text
from series_assets.storage import sqlite
from series_assets.storage.entities import KnownEntities
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.storage.reference_tables import a_table, entities, keys, rows

_PLACES = 2**32


def another_series() -> Series:
    """Return a series of the same name, periods and columns, with different files."""
    return a_series(a_specification(random_seed=1))


_TYPES = {
    "integers": pd.Series([7, -1, 0], dtype="Int64"),
    "integers, some missing": pd.Series([7, None, 0], dtype="Int64"),
    "floats": pd.Series([0.1, 2.0, -1e300], dtype="float64"),
    "floats, some missing": pd.Series([0.1, None, 2.0], dtype="float64"),
    "days": pd.to_datetime(pd.Series(["2024-01-31", "1899-12-31", "2024-02-29"])),
    "days, some missing": pd.to_datetime(pd.Series(["2024-01-31", None, "2024-02-29"])),
    "truth values": pd.Series([True, False, True], dtype="bool"),
    "truth values, some missing": pd.Series([True, None, False], dtype="boolean"),
    "text": pd.Series(["F", "M", "Zoë 東京 🙂"], dtype=object),
    "text like numbers": pd.Series(["007", "1e5", "1.50"], dtype=object),
    "text like other things": pd.Series(["nan", "2024-01-31", "True"], dtype=object),
    "text with quotes and lines": pd.Series(["a 'b' \"c\"", "one\ntwo", ""], dtype=object),
    "text, some missing": pd.Series(["007", None, "x"], dtype=object),
}


@pytest.mark.parametrize("values", _TYPES.values(), ids=_TYPES.keys())
def test_values_come_back_as_what_they_were(tmp_path: Path, values: "pd.Series[Any]") -> None:
    """Numbers, dates, missing values and leading zeros are preserved."""
    table = a_table(tmp_path)
    whole = pd.DataFrame({"id": ["a", "b", "c"], "kept": values})
    table.replace(0, whole)
    back = table.fetch(keys((0, 0), (0, 1), (0, 2)), ["id", "kept"])
    pd.testing.assert_frame_equal(as_text(back), as_text(whole))
    assert back["kept"].dtype.kind == values.dtype.kind


@pytest.mark.parametrize("values", _TYPES.values(), ids=_TYPES.keys())
def test_values_are_kept_where_an_earlier_period_had_none(
    tmp_path: Path, values: "pd.Series[Any]"
) -> None:
    """A column that has no values in one period keeps its type in the next one."""
    table = a_table(tmp_path)
    table.replace(0, entities("x", kept=[None]))
    table.replace(1, pd.DataFrame({"id": ["a", "b", "c"], "kept": values}))
    back = table.fetch(keys((1, 0), (1, 1), (1, 2)), ["kept"])
    pd.testing.assert_frame_equal(as_text(back), as_text(pd.DataFrame({"kept": values})))


def test_values_are_kept_when_the_files_make_something_else_of_a_column(tmp_path: Path) -> None:
    """A column of dates or booleans that becomes one of codes keeps leading zeros."""
    before = pd.DataFrame(
        {"id": ["a"], "mark": [True], "day": pd.to_datetime(pd.Series(["2024-01-31"]))}
    )
    after = pd.DataFrame({"id": ["a"], "mark": ["007"], "day": ["0012"]}, dtype=object)
    a_table(tmp_path).replace(0, before)
    table = a_table(tmp_path, another_series())
    table.replace(0, after)
    back = table.fetch(keys((0, 0)), ["id", "mark", "day"])
    assert back.to_dict("records") == [{"id": "a", "mark": "007", "day": "0012"}]


def test_a_column_without_any_value_keeps_its_kind(tmp_path: Path) -> None:
    """A static date that is missing in every sampled row is still a date."""
    static = a_user_input(static_columns=["sex", "amount", "date"])
    table = a_table(tmp_path, a_series(user_input=static))
    table.replace(0, entities("x", amount=[None], date=[None]))
    back = table.fetch(keys((0, 0)), ["amount", "date"])
    assert back["amount"].dtype == "float64"
    assert back["date"].dtype.kind == "M"


def test_rows_have_keys_of_their_period_and_place(tmp_path: Path) -> None:
    """Each row also has the date of the period that introduced the entity."""
    table = a_table(tmp_path)
    table.replace(1, entities("c"))
    table.replace(0, entities("a", "b"))
    assert rows(table, "SELECT * FROM demo_reference ORDER BY reference_key") == [
        (0, "2024-01-01", "a"),
        (1, "2024-01-01", "b"),
        (_PLACES, "2024-02-01", "c"),
    ]


def test_making_a_period_again_replaces_its_rows_and_no_others(tmp_path: Path) -> None:
    """Entities that it no longer introduces are removed, all others keep their keys."""
    table = a_table(tmp_path)
    for k, names in enumerate(["abc", "de", "fg"]):
        table.replace(k, entities(*names))
    table.replace(1, entities("z"))
    found = rows(table, "SELECT reference_key, id FROM demo_reference ORDER BY reference_key")
    assert found == [
        *zip(range(3), "abc", strict=True),
        (_PLACES, "z"),
        (2 * _PLACES, "f"),
        (2 * _PLACES + 1, "g"),
    ]
    assert table.current_counts() == {0: 3, 1: 1, 2: 2}


def test_a_period_without_new_entities_is_recorded_as_such(tmp_path: Path) -> None:
    """Its earlier rows are removed, and later periods can run."""
    table = a_table(tmp_path)
    table.replace(0, entities("a"))
    table.replace(1, entities("b"))
    table.replace(1, None)
    assert table.current_counts() == {0: 1, 1: 0}
    assert rows(table, "SELECT id FROM demo_reference") == [("a",)]
    table.require_periods(2, "period 2024-03-01")


def test_a_replacement_that_fails_leaves_the_rows_as_they_were(tmp_path: Path) -> None:
    """Deleting and inserting rows are one transaction."""
    table = a_table(tmp_path)
    table.replace(0, entities("a", "b"))
    before = rows(table, "SELECT * FROM demo_reference"), table.current_counts()
    with pytest.raises(UnicodeEncodeError):
        table.replace(0, entities("c", "d", "\ud800"))
    assert (rows(table, "SELECT * FROM demo_reference"), table.current_counts()) == before


def test_a_first_period_that_fails_leaves_no_table(tmp_path: Path) -> None:
    """Creating the tables belongs to the same transaction as filling them."""
    table = a_table(tmp_path)
    with pytest.raises(UnicodeEncodeError):
        table.replace(0, entities("\ud800"))
    assert rows(table, "SELECT name FROM sqlite_master") == []
    assert table.columns() == []


def test_only_entities_of_earlier_periods_are_known(tmp_path: Path) -> None:
    """Never those of the period itself or of later ones, whatever was generated since."""
    table = a_table(tmp_path)
    for k, names in enumerate(["abc", "de", "fg", "h"]):
        table.replace(k, entities(*names))
    assert [table.entities_before(k).total for k in range(4)] == [0, 3, 5, 7]
    known = table.entities_before(2)
    every = known.keys(np.arange(known.total))
    assert table.fetch(every, ["id"])["id"].tolist() == list("abcde")


def test_rows_made_from_other_files_are_not_known(tmp_path: Path) -> None:
    """They stay until their period is regenerated, but are never sampled."""
    a_table(tmp_path).replace(0, entities("a"))
    table = a_table(tmp_path, another_series())
    assert table.current_counts() == {}
    table.replace(0, entities("b", "c"))
    assert table.current_counts() == {0: 2}


def test_nothing_is_known_before_anything_was_made(tmp_path: Path) -> None:
    """A query creates no database."""
    table = a_table(tmp_path)
    assert table.current_counts() == {}
    assert table.drop() is False
    table.check_owner()
    assert not table.layout.database.exists()


def test_fetching_keeps_the_order_and_the_repeats_of_the_keys(tmp_path: Path) -> None:
    """One row per key, as an entity may have several rows in a period."""
    table = a_table(tmp_path)
    table.replace(0, entities("a", "b", sex=["F", "M"]))
    table.replace(1, entities("c", sex=["F"]))
    wanted = keys((1, 0), (0, 1), (1, 0), (0, 0), (0, 1))
    back = table.fetch(wanted, ["sex", "id"])
    assert list(back.columns) == ["sex", "id"]
    assert back["id"].tolist() == ["c", "b", "c", "a", "b"]
    assert back["sex"].tolist() == ["F", "M", "F", "F", "M"]


def test_fetching_more_rows_than_a_statement_has_variables_works(tmp_path: Path) -> None:
    """SQLite's limit on variables does not limit the rows of a period."""
    table = a_table(tmp_path)
    count = 50_000
    table.replace(0, pd.DataFrame({"id": [f"e{i}" for i in range(count)]}, dtype=object))
    order = np.random.default_rng(0).permutation(count)
    back = table.fetch(order.astype(np.int64), ["id"])
    assert back["id"].tolist() == [f"e{i}" for i in order]


def test_a_missing_row_is_reported(tmp_path: Path) -> None:
    """If a row was deleted by hand, none is invented."""
    table = a_table(tmp_path)
    table.replace(0, entities("a"))
    with pytest.raises(GenerationError) as caught:
        table.fetch(keys((0, 0), (0, 1)), ["id"])
    assert str(caught.value) == (
        f"{table.layout.database}: demo_reference lacks rows that it should have; "
        "regenerate its periods"
    )


@pytest.mark.parametrize(
    "name",
    [
        "two words",
        'a "quoted" one',
        "it's",
        "select",
        "order",
        "rowid",
        "key",
        "value",
        "period",
        "Zoë 東京",
        "a.b",
        "?",
        "[x]",
        "-- x",
    ],
)
def test_columns_may_have_any_name(tmp_path: Path, name: str) -> None:
    """Blanks, quotes, SQL keywords and any alphabet."""
    table = a_table(tmp_path)
    whole = pd.DataFrame({"id": ["a", "b"], name: ["x", "y"]}, dtype=object)
    table.replace(0, whole)
    assert table.columns() == ["id", name]
    pd.testing.assert_frame_equal(table.fetch(keys((0, 0), (0, 1)), ["id", name]), whole)


def test_the_table_is_in_wal_mode(tmp_path: Path) -> None:
    """Readers do not block a run."""
    table = a_table(tmp_path)
    table.replace(0, entities("a"))
    assert rows(table, "PRAGMA journal_mode") == [("wal",)]


def _record(folder: Path, k: int) -> None:
    table = a_table(folder)
    for _ in range(5):
        table.replace(k, entities(*(f"{k}-{place}" for place in range(200))))


@pytest.mark.thorough
@pytest.mark.slow
def test_processes_that_record_at_once_lose_nothing(tmp_path: Path) -> None:
    """Concurrent runs of several periods wait for each other."""
    context = multiprocessing.get_context("spawn")
    started = [context.Process(target=_record, args=(tmp_path, k)) for k in range(3)]
    for process in started:
        process.start()
    for process in started:
        process.join(60)
    assert [process.exitcode for process in started] == [0, 0, 0]
    assert a_table(tmp_path).current_counts() == {0: 200, 1: 200, 2: 200}


def test_periods_that_are_recorded_are_not_asked_for(tmp_path: Path) -> None:
    """Only earlier periods are required; the first period requires none."""
    table = a_table(tmp_path)
    table.require_periods(0, "period 2024-01-01")
    table.replace(0, entities("a"))
    table.require_periods(1, "period 2024-02-01")


def test_a_missing_period_is_named(tmp_path: Path) -> None:
    """The message says what to materialize or run first."""
    table = a_table(tmp_path)
    table.replace(0, entities("a"))
    with pytest.raises(RequestError) as caught:
        table.require_periods(2, "period 2024-03-01")
    assert str(caught.value) == (
        "demo, period 2024-03-01 samples from all periods before it, but nothing is recorded yet "
        "for 2024-02-01; first generate 2024-02-01 (materialize new_records and reference_table of "
        "this partition, or run series-assets generate with --periods 2024-02-01)"
    )


def test_many_missing_periods_are_named_by_their_span(tmp_path: Path) -> None:
    """The message stays short."""
    table = a_table(tmp_path, a_series(user_input=a_user_input(num_datasets=9)))
    with pytest.raises(RequestError) as caught:
        table.require_periods(8, "period 2024-09-01")
    assert str(caught.value) == (
        "demo, period 2024-09-01 samples from all periods before it, but nothing is recorded yet "
        "for 2024-01-01, 2024-02-01, … 2024-08-01; first generate 2024-01-01..2024-08-01 "
        "(materialize new_records and reference_table of these partitions, or run series-assets "
        "generate with --periods 2024-01-01..2024-08-01)"
    )


def test_a_period_generated_from_other_files_is_named(tmp_path: Path) -> None:
    """The message says what to regenerate; valid periods are kept."""
    before = a_table(tmp_path)
    for k in range(3):
        before.replace(k, entities("a"))
    table = a_table(tmp_path, another_series())
    table.replace(0, entities("b"))
    with pytest.raises(RequestError) as caught:
        table.require_periods(3, "period 2024-04-01")
    assert str(caught.value) == (
        "demo, period 2024-04-01 samples from all periods before it, but 2024-02-01, 2024-03-01 "
        "were generated from another version of the series' two files; first generate "
        "2024-02-01..2024-03-01 (materialize new_records and reference_table of these partitions, "
        "or run series-assets "
        "generate with --periods 2024-02-01..2024-03-01)"
    )
    table.replace(1, entities("b"))
    table.replace(2, entities("b"))
    table.require_periods(3, "period 2024-04-01")


def test_missing_and_stale_periods_are_named_together(tmp_path: Path) -> None:
    """In one message with one remedy."""
    a_table(tmp_path).replace(0, entities("a"))
    table = a_table(tmp_path, another_series())
    with pytest.raises(RequestError) as caught:
        table.require_periods(2, "period 2024-03-01")
    assert str(caught.value) == (
        "demo, period 2024-03-01 samples from all periods before it, but nothing is recorded yet "
        "for 2024-02-01 and 2024-01-01 was generated from another version of the series' two "
        "files; first generate 2024-01-01..2024-02-01 (materialize new_records and reference_table "
        "of these partitions, or run series-assets generate with --periods 2024-01-01..2024-02-01)"
    )


def test_more_periods_and_another_release_make_no_row_stale(tmp_path: Path) -> None:
    """These keys are not in the fingerprint."""
    a_table(tmp_path).replace(0, entities("a"))
    longer = a_user_input(num_datasets=9, release="immediate")
    a_table(tmp_path, a_series(user_input=longer)).require_periods(1, "period 2024-02-01")


def test_a_table_with_other_columns_is_recreated(tmp_path: Path) -> None:
    """Its rows were generated from other files and are useless."""
    a_table(tmp_path).replace(0, entities("a", sex=["F"]))
    table = a_table(tmp_path, another_series())
    table.replace(0, entities("b", colour=["red"]))
    assert table.columns() == ["id", "colour"]
    assert table.current_counts() == {0: 1}


def test_new_records_with_other_columns_are_refused_among_periods_made_alike(
    tmp_path: Path,
) -> None:
    """The rows of other periods are still valid and not lost."""
    table = a_table(tmp_path)
    table.replace(0, entities("a", sex=["F"]))
    with pytest.raises(GenerationError) as caught:
        table.replace(1, entities("b", colour=["red"]))
    assert str(caught.value) == (
        "demo, period 2024-02-01: its new records have different columns from those of the periods "
        "recorded so far; nothing was recorded"
    )
    assert rows(table, "SELECT id, sex FROM demo_reference") == [("a", "F")]


def test_the_table_of_another_series_is_refused(tmp_path: Path) -> None:
    """If two series of one name share a database, the second fails with the owner's folder."""
    a_table(tmp_path, data="first").replace(0, entities("a"))
    table = a_table(tmp_path, data="second")
    sentence = (
        f"{tmp_path / 'exhibit.db'}: its table demo_reference belongs to the series whose files "
        f"are in {tmp_path / 'first'}; name another database as exhibit_db_path, or give this "
        "series another name"
    )
    for refused in (
        lambda: table.replace(0, entities("b")),
        lambda: table.require_periods(1, "period 2024-02-01"),
        table.drop,
        table.check_owner,
    ):
        with pytest.raises(RequestError) as caught:
            refused()
        assert str(caught.value) == sentence
    assert rows(table, "SELECT id FROM demo_reference") == [("a",)]


def test_data_and_database_can_be_moved_together(tmp_path: Path) -> None:
    """A table knows its series by its path relative to the database."""
    before = tmp_path / "before"
    before.mkdir()
    a_table(before).replace(0, entities("a"))
    (tmp_path / "before").rename(tmp_path / "after")
    table = a_table(tmp_path / "after")
    table.check_owner()
    table.require_periods(1, "period 2024-02-01")


def test_the_table_of_a_series_whose_folder_is_away_is_taken_over_only_on_demand(
    tmp_path: Path,
) -> None:
    """Its disk may be unmounted; the message names the folder and the option."""
    first = a_table(tmp_path, data="first")
    first.replace(0, entities("a"))
    first.layout.folder.rmdir()
    second = a_table(tmp_path, data="second")
    for refused in (
        lambda: second.replace(0, entities("b")),
        lambda: second.require_periods(1, "period 2024-02-01"),
        second.drop,
        second.check_owner,
    ):
        with pytest.raises(RequestError) as caught:
            refused()
        assert str(caught.value) == (
            f"{tmp_path / 'exhibit.db'}: its table demo_reference belongs to the series whose "
            f"files were in {tmp_path / 'first'}, which no longer exists; restore that folder, or, "
            "if it is gone permanently, run series-assets clean demo --take-over, which removes "
            "the "
            "table and the files of this series, and regenerate all periods"
        )
    assert rows(second, "SELECT id FROM demo_reference") == [("a",)]
    second.check_owner(take_over=True)
    assert second.drop(take_over=True) is True
    second.replace(0, entities("b"))
    assert second.current_counts() == {0: 1}
    first.layout.folder.mkdir()
    with pytest.raises(RequestError, match="belongs to the series whose files are in"):
        first.drop(take_over=True)


def test_a_table_that_was_dropped_counts_as_not_recorded(tmp_path: Path) -> None:
    """Its periods are required again, and can be regenerated."""
    table = a_table(tmp_path)
    table.replace(0, entities("a"))
    with sqlite.open_database(table.layout.database) as connection:
        connection.execute("DROP TABLE demo_reference")
    assert table.current_counts() == {}
    for refused in (
        lambda: table.require_periods(1, "period 2024-02-01"),
        lambda: table.replace(1, None),
    ):
        with pytest.raises(RequestError, match="nothing is recorded yet for 2024-01-01"):
            refused()
    table.replace(0, entities("b"))
    table.replace(1, None)
    assert table.current_counts() == {0: 1, 1: 0}


@pytest.mark.parametrize("refused", ["check_owner", "drop", "replace", "require"])
def test_a_table_of_another_program_is_refused(tmp_path: Path, refused: str) -> None:
    """A user's table that has the same name is neither read nor written."""
    table = a_table(tmp_path)
    with sqlite.open_database(table.layout.database) as connection:
        connection.execute("CREATE TABLE demo_reference (id)")
        connection.execute("INSERT INTO demo_reference VALUES ('mine')")
    calls = {
        "check_owner": table.check_owner,
        "drop": table.drop,
        "replace": lambda: table.replace(0, entities("a")),
        "require": lambda: table.require_periods(1, "period 2024-02-01"),
    }
    with pytest.raises(RequestError) as caught:
        calls[refused]()
    assert str(caught.value) == (
        f"{table.layout.database}: its table demo_reference was not created by series_assets; "
        "rename it, or name another database as exhibit_db_path"
    )
    assert rows(table, "SELECT * FROM demo_reference") == [("mine",)]


def test_dropping_removes_the_table_and_what_belongs_to_it_only(tmp_path: Path) -> None:
    """Lookup tables and tables of other series stay."""
    table, other = a_table(tmp_path), a_table(tmp_path, a_series(name="other"), data="other")
    with sqlite.open_database(table.layout.database) as connection:
        connection.execute("CREATE TABLE birds (common_name)")
    table.replace(0, entities("a"))
    other.replace(0, entities("b"))
    assert table.drop() is True
    assert rows(table, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name") == [
        ("birds",),
        ("other_reference",),
        ("other_reference_periods",),
    ]
    assert table.drop() is False


@given(st.lists(st.integers(0, 5), max_size=8))
def test_ranks_go_through_the_entities_of_all_periods_in_order(counts: list[int]) -> None:
    """Rank by rank: each entity once, periods without entities skipped."""
    known = KnownEntities(tuple(counts))
    places = [[k * _PLACES + place for place in range(n)] for k, n in enumerate(counts)]
    expected = list(chain.from_iterable(places))
    assert known.total == len(expected)
    assert known.keys(np.arange(known.total)).tolist() == expected


def test_keys_have_the_shape_of_the_ranks() -> None:
    """In their order, with repetitions."""
    known = KnownEntities((2, 0, 3))
    assert known.keys(np.array([4, 0, 4, 2])).tolist() == [
        2 * _PLACES + 2,
        0,
        2 * _PLACES + 2,
        2 * _PLACES,
    ]
