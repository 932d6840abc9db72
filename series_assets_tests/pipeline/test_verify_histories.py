"""Special histories: ties on a day, versions by event time, deleted entities."""

import random
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from series_assets.core.plan.series import Series
from series_assets.core.truth.columns import entities_of
from series_assets.core.truth.fold import fold
from series_assets.interface import generate, truth, verify
from series_assets.pipeline.state import PeriodFold, fold_period, record_states
from series_assets.pipeline.workspace import Workspace
from series_assets.storage import files
from series_assets.storage.tables import state_table
from series_assets_tests.builders import a_series, a_specification, a_user_input

_BY_EVENT = {"track": ["region"], "order_by": "date", "time": "event"}
_OF_PERIOD = """
    SELECT * FROM feed WHERE id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY id, n ORDER BY date DESC, {place}) = 1"""
_OF_DAY = """
    SELECT * FROM feed WHERE id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY id, date ORDER BY {place}) = 1"""


def _on_few_days(**settings: Any) -> Series:
    """Return a series in which entities have several rows on a day."""
    specification = a_specification(number_of_rows=120)
    columns = specification["columns"]
    columns["id"]["frequency_distribution"] = [
        "frequency | probability_vector",
        "1         | 0.2",
        "3         | 0.8",
    ]
    columns["date"] |= {"to": "2024-01-03", "uniques": 3}
    return a_series(specification, a_user_input(truth=_BY_EVENT | settings, num_datasets=3))


def _history(series: Series, data: Path, states: str, place: str) -> pa.Table:
    """Return the history of some states, with one of the tied rows by its place in the file."""
    with duckdb.connect() as db:
        parts = [
            f"SELECT {period.number} AS n, row_number() OVER () AS place, * "
            f"FROM read_csv('{data / series.name / f'dataset_{period.number}.csv'}')"
            for period in series.calendar.periods
        ]
        db.execute(f"CREATE VIEW feed AS {' UNION ALL '.join(parts)}")
        return pa.table(
            db.sql(f"""
            WITH states AS ({states.format(place=place)}),
            compared AS (
              SELECT *, lag(region) OVER e IS DISTINCT FROM region OR lag(n) OVER e IS NULL AS opens
              FROM states WINDOW e AS (PARTITION BY id ORDER BY date))
            SELECT id, region, date AS valid_from, lead(date) OVER (PARTITION BY id ORDER BY date)
              AS valid_to FROM compared WHERE opens""")
        )


@pytest.mark.parametrize(
    ("settings", "states"), [({}, _OF_PERIOD), ({"history": "every_row"}, _OF_DAY)]
)
def test_ties_of_versions_that_begin_with_their_event(
    tmp_path: Path, settings: dict[str, Any], states: str
) -> None:
    """Any of the tied rows of a period or day is accepted; an earlier row is not."""
    series = _on_few_days(**settings)
    generate(series, tmp_path)
    for time in ("exact", "order"):
        report = verify(
            _history(series, tmp_path, states, "place DESC"), series, tmp_path, time=time
        )
        assert report.holds and report.correct == len(truth(series, tmp_path))
        assert report.accepted_ties == 0
        report = verify(_history(series, tmp_path, states, "place"), series, tmp_path, time=time)
        assert report.findings == () and report.accepted_ties > 10
    earlier = states.replace("date DESC", "date") if states is _OF_PERIOD else _OF_PERIOD
    assert not verify(_history(series, tmp_path, earlier, "place"), series, tmp_path).holds


def _by_run(series: Series, data: Path, choice: int) -> pd.DataFrame:
    """Return the history with any of the tied rows; versions begin when a run loaded them."""
    chooser, held, versions = random.Random(choice), dict[str, int](), list[list[Any]]()
    for period in series.calendar.periods:
        rows = pd.read_csv(data / series.name / f"dataset_{period.number}.csv").dropna(subset="id")
        rows["place"] = [chooser.random() for _ in rows.index]
        run = f"2026-01-01 {period.k:02}:00:00"
        for row in rows.sort_values(["date", "place"]).groupby("id").tail(1).itertuples():
            version = held.get(row.id)
            if version is not None:
                if versions[version][1] == row.region:
                    continue
                versions[version][3] = run
            held[row.id] = len(versions)
            versions.append([row.id, row.region, run, None])
    return pd.DataFrame(versions, columns=["id", "region", "valid_from", "valid_to"])


def test_ties_of_versions_that_begin_with_their_load(tmp_path: Path) -> None:
    """A table with the times of runs is right with any of the tied rows."""
    series = _on_few_days(time="load")
    generate(series, tmp_path)
    for choice in range(6):
        table = _by_run(series, tmp_path, choice)
        for time in ("rank", "order"):
            report = verify(table, series, tmp_path, time=time)
            assert report.findings == () and report.accepted_ties > 10


@pytest.fixture(scope="module")
def deleting(tmp_path_factory: pytest.TempPathFactory) -> tuple[Series, Path, list[str]]:
    """A series whose third period deletes some entities, its folder, and their keys."""
    folder = tmp_path_factory.mktemp("deleting")
    track = {"track": ["region"], "order_by": "date"}
    series = a_series(user_input=a_user_input(truth=track, num_datasets=3))
    generate(series, folder)
    workspace, period = Workspace(folder), series.calendar.periods[-1]
    rows = files.read_table(folder / series.name / "dataset_3.csv")
    known = truth(series, folder, at=series.calendar.keys[1])["id"]
    deleted = sorted(set(known) - set(rows["id"].to_pylist()))[:8]
    assert len(deleted) == 8 and series.truth is not None
    entities = entities_of(rows["id"], deleted)
    earlier = state_table(series, workspace.layout(series)).latest(entities.keys, period.k)
    done = fold(series.truth, period, rows, entities, earlier, deleted)
    assert done.operations["delete"] == 8
    content = fold_period(series, period, workspace).content
    record_states(series, period, PeriodFold(done, content), workspace)
    return series, folder, deleted


def _of_dbt(series: Series, folder: Path) -> pd.DataFrame:
    table = truth(series, folder, profile="dbt")
    return table.assign(dbt_is_deleted="False")


def _with_deletions(table: pd.DataFrame, deleted: list[str], day: str) -> pd.DataFrame:
    """Return a table with the rows that dbt adds with ``hard_deletes: new_record``."""
    last = table[table["id"].isin(deleted)].drop_duplicates("id", keep="last").index
    both = table.loc[[*table.index, *last]].reset_index(drop=True)
    added = both.index[len(table) :]
    both.loc[added, "dbt_valid_from"] = pd.Timestamp(day)
    both.loc[added, "dbt_valid_to"] = pd.NaT
    both.loc[added, "dbt_is_deleted"] = "True"
    return both


def test_deleted_entities_have_a_row_or_a_gap(deleting: tuple[Series, Path, list[str]]) -> None:
    """As dbt writes them with ``new_record`` or ``invalidate``."""
    series, folder, deleted = deleting
    table = _of_dbt(series, folder)
    for found in (table, _with_deletions(table, deleted, "2024-03-01")):
        report = verify(found, series, folder, profile="dbt")
        assert report.holds and report.correct == len(table)


def test_entities_that_are_not_deleted_are_found(
    deleting: tuple[Series, Path, list[str]],
) -> None:
    """In a history they are still open, in a current state they still have a row."""
    series, folder, deleted = deleting
    table = _of_dbt(series, folder)
    last = table[table["id"].isin(deleted)].drop_duplicates("id", keep="last").index
    table.loc[last, "dbt_valid_to"] = pd.NaT
    report = verify(table, series, folder, profile="dbt")
    assert report.counts == {"wrong_valid_to": 8, "not_deleted": 8}
    example = report.findings[-1].examples[0]
    assert (example.found, example.expected) == ("current", "deleted")
    state = truth(series, folder, "scd1")
    assert verify(state, series, folder, as_="scd1").holds
    assert verify(state[~state["is_deleted"]], series, folder, as_="scd1").holds
    kept = state.drop(columns="is_deleted")
    assert verify(kept, series, folder, as_="scd1").counts == {"not_deleted": 8}


def test_entities_that_are_wrongly_deleted_are_found(
    deleting: tuple[Series, Path, list[str]],
) -> None:
    """As by a delta that is read as a full snapshot."""
    series, folder, _ = deleting
    table = _of_dbt(series, folder)
    current = table[table["dbt_valid_to"].isna() & (table["dbt_valid_from"] < "2024-03-01")]
    wrong = current["id"].tolist()[:5]
    marked = _with_deletions(table, wrong, "2024-03-01")
    marked.loc[current.index[:5], "dbt_valid_to"] = pd.Timestamp("2024-03-01")
    report = verify(marked, series, folder, profile="dbt")
    assert report.counts == {"wrong_valid_to": 5, "wrongly_deleted": 5}
    state = truth(series, folder, "scd1")
    state.loc[state["id"].isin(wrong), "is_deleted"] = True
    assert verify(state, series, folder, as_="scd1").counts == {"wrongly_deleted": 5}
