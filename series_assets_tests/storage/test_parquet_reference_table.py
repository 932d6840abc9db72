"""A reference table in Parquet gives the same results as one in SQLite."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from series_assets.core.errors import GenerationError, RequestError
from series_assets.core.plan.series import Series
from series_assets.storage.entities import ReferenceTable
from series_assets.storage.layout import Layout
from series_assets.storage.parquet_reference_table import ParquetReferenceTable
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.storage.reference_tables import a_table, entities, keys

_VALUES = {
    "integers": pd.Series([7, None, 0], dtype="Int64"),
    "floats": pd.Series([0.1, None, 1e300], dtype="float64"),
    "days": pd.to_datetime(pd.Series(["2024-01-31", None, "2024-02-29"])),
    "flags": pd.Series([True, None, False], dtype="boolean"),
    "texts": pd.Series(["007", None, "Zoë 東京 🙂"], dtype=object),
    "nothing": pd.Series([None, None, None], dtype=object),
}


def in_parquet(folder: Path, series: Series | None = None) -> ParquetReferenceTable:
    """Return the table of a series whose files are in ``folder / "demo"``."""
    layout = Layout(folder=folder / "demo", database=folder / "exhibit.db")
    return ParquetReferenceTable(series or a_series(), layout)


def both(folder: Path) -> tuple[ReferenceTable, ReferenceTable]:
    """Return a table of either kind with the same three periods."""
    tables = in_parquet(folder), a_table(folder)
    for table in tables:
        table.replace(0, pd.DataFrame({"id": list("abc"), **_VALUES}))
        table.replace(1, None)
        table.replace(2, pd.DataFrame({"id": list("dae"), **_VALUES}).iloc[::-1])
    return tables


def test_rows_come_back_with_the_types_that_sqlite_returns(tmp_path: Path) -> None:
    """In the order of the keys, with repetitions, from any of the periods."""
    tables = both(tmp_path)
    wanted = keys((2, 1), (0, 2), (0, 0), (2, 1), (0, 1))
    found, expected = (table.fetch(wanted, [*reversed(_VALUES), "id"]) for table in tables)
    pd.testing.assert_frame_equal(found, expected)
    assert [table.columns() for table in tables] == [["id", *_VALUES]] * 2


def test_marks_say_what_those_in_sqlite_say(tmp_path: Path) -> None:
    """Also for a period without new entities; the files are those of the layout."""
    found, expected = both(tmp_path)
    assert found.current_counts() == expected.current_counts() == {0: 3, 1: 0, 2: 3}
    assert found.recorded_periods() == expected.recorded_periods()
    assert found.entities_before(3) == expected.entities_before(3)
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet"))
    assert files == [f"demo/reference/period_{n}/part-0001.parquet" for n in (1, 2, 3)]


def test_entities_are_found_as_in_sqlite(tmp_path: Path) -> None:
    """By any identifier, at their first record, before a bound, and as text."""
    tables = both(tmp_path)
    values = ["e", "a", None, "nobody", "a"]
    for before in (None, 0, 1, 3):
        with tables[0].lookup(["id"], before) as found, tables[1].lookup(["id"], before) as wanted:
            places = found.keys("id", values)
            assert places.tolist() == wanted.keys("id", values).tolist()
            assert found.keys("id", values, 1).tolist() == wanted.keys("id", values, 1).tolist()
            columns = ["id", *_VALUES]
            wanted_texts = wanted.texts(places, columns)
            assert {
                name: column.to_pylist() for name, column in found.texts(places, columns).items()
            } == {name: column.to_pylist() for name, column in wanted_texts.items()}


def test_the_same_entities_give_the_same_bytes(tmp_path: Path) -> None:
    """The files have no time stamp, path or host name."""
    for place in ("one", "two"):
        in_parquet(tmp_path / place).replace(0, pd.DataFrame({"id": list("abc"), **_VALUES}))
    one, two = sorted(tmp_path.rglob("*.parquet"))
    assert one.read_bytes() == two.read_bytes()


def test_a_period_of_other_files_is_not_drawn_from(tmp_path: Path) -> None:
    """The messages are those of a table in SQLite."""
    other = a_series(a_specification(random_seed=1))
    tables = in_parquet(tmp_path), a_table(tmp_path)
    for table in tables:
        table.replace(0, entities("a"))
    changed = in_parquet(tmp_path, other), a_table(tmp_path, other)
    messages = []
    for table in changed:
        assert table.current_counts() == {}
        for refused in (
            lambda table=table: table.entities_before(2),
            lambda table=table: table.require_periods(2, "the reader"),
            lambda table=table: table.fetch(keys((0, 0)), ["id"]),
        ):
            with pytest.raises(RequestError) as caught:
                refused()
            messages.append(str(caught.value))
    assert messages[:3] == messages[3:]


def test_other_columns_of_the_same_files_are_refused(tmp_path: Path) -> None:
    """As in SQLite; nothing is written."""
    messages = []
    for table in (in_parquet(tmp_path), a_table(tmp_path)):
        table.replace(0, entities("a"))
        with pytest.raises(GenerationError) as caught:
            table.replace(1, entities("b", more=["x"]))
        messages.append(str(caught.value))
        assert table.current_counts() == {0: 1}
    assert messages[0] == messages[1]


def test_the_files_of_another_series_are_refused(tmp_path: Path) -> None:
    """Before anything is written or removed."""
    in_parquet(tmp_path).replace(0, entities("a"))
    other = in_parquet(tmp_path, a_series(name="other"))
    calls: list[Any] = [
        other.check_owner,
        lambda: other.require_periods(1, "the reader"),
        lambda: other.replace(0, entities("b")),
    ]
    for call in calls:
        with pytest.raises(RequestError) as caught:
            call()
        assert str(caught.value) == (
            f"{tmp_path / 'demo'}: holds the files of the series 'demo'; choose another folder for "
            "this series, or remove those files first"
        )


@pytest.mark.parametrize("content", [b"", b"PAR1 not really PAR1"])
def test_a_file_that_is_no_table_is_named(tmp_path: Path, content: bytes) -> None:
    """With the remedy."""
    table = in_parquet(tmp_path)
    table.replace(0, entities("a"))
    path = table.layout.entities(1)
    path.write_bytes(content)
    with pytest.raises(GenerationError) as caught:
        table.current_counts()
    assert str(caught.value).startswith(f"{path}: cannot be read as a part of the reference table")
    assert str(caught.value).endswith("remove it and regenerate its period")


def test_rows_that_are_gone_are_not_made_up(tmp_path: Path) -> None:
    """A key beyond the end of its file is an error."""
    table = in_parquet(tmp_path)
    table.replace(0, entities("a"))
    with pytest.raises(GenerationError, match="lacks rows that it should have"):
        table.fetch(keys((0, 0), (0, 5)), ["id"])


def test_dropping_removes_its_files_and_nothing_else(tmp_path: Path) -> None:
    """A user's file in one of its folders stays, and so does the folder."""
    table = in_parquet(tmp_path, a_series(user_input=a_user_input(num_datasets=2)))
    for k in range(2):
        table.replace(k, entities("a"))
    note = table.layout.entities(2).with_name("note.txt")
    note.write_text("mine")
    assert table.drop() is True
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [note]
    assert table.drop() is False
    assert np.array(table.columns()).tolist() == []
