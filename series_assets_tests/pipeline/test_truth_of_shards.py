"""The history of a sharded series: each part has its own, and together they cover all rows."""

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow.parquet as parquet
import pytest

from series_assets.core.errors import GenerationError, InputError, RequestError
from series_assets.core.plan.series import Series
from series_assets.interface import check, generate, truth, verify
from series_assets.pipeline.parts import run_part
from series_assets.pipeline.phases import complete_part, run_phase
from series_assets.pipeline.progress import FinishedPhase, Progress, phases_of
from series_assets.pipeline.small_run import faults_of_trial
from series_assets.pipeline.truth import expected, expected_parts
from series_assets.pipeline.truth_export import write_expected
from series_assets.pipeline.work import Work
from series_assets.pipeline.workspace import Workspace
from series_assets.reporting.read_history import read_history
from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import a_series, a_specification, a_user_input, files_in

SHARDS = 3
KEYS = ["2024-01-01", "2024-02-01", "2024-03-01"]
TRACK = ["region", "amount"]
_ASKED = {"track": TRACK, "order_by": "date", "write": ["scd1", "scd2"]}


def sharded(shards: int = SHARDS, truth: Any = _ASKED, **keys: Any) -> Series:
    """Return a series of three periods with up to two rows per entity, some without identifier."""
    specification = a_specification(number_of_rows=120)
    column = specification["columns"]["id"]
    column["frequency_distribution"] = ["frequency | probability_vector", "1 | 0.5", "2 | 0.5"]
    column["miss_probability"] = 0.05
    # Few days, so that rows of one entity tie.
    specification["columns"]["date"] |= {"to": "2024-01-04", "uniques": 4}
    specification["columns"]["amount"]["precision"] = "integer"
    own = {"shards": shards, "num_datasets": 3, "manifest": True, "truth": truth}
    return a_series(specification, a_user_input(**(own | keys)))


class _Heard(Progress):
    def __init__(self) -> None:
        self.phases: list[tuple[str, str]] = []

    def finished(self, result: FinishedPhase) -> None:
        self.phases.append((result.period.key, result.phase))


HEARD = _Heard()


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder of the series, generated in one process. Tests only read it."""
    folder = tmp_path_factory.mktemp("made")
    generate(sharded(), folder, executor="none", progress=HEARD)
    return folder


@pytest.fixture
def copy(generated: Path, tmp_path: Path) -> Path:
    """Return a copy of its data folder, to be changed."""
    for name, content in files_in(generated).items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return tmp_path / "data"


def _read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])


def _rows(data: Path) -> pd.DataFrame:
    """Return all delivered rows with their places, read with pandas only."""
    frames = []
    for number in range(1, len(KEYS) + 1):
        for part in range(1, SHARDS + 1):
            frame = _read(data / "demo" / f"dataset_{number}" / f"part-{part:04}.csv")
            place = {"dataset": number, "part": part, "row": range(1, len(frame) + 1)}
            frames.append(frame.assign(**place))
    return pd.concat(frames, ignore_index=True)


def _fold(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the versions after some rows of all parts, computed without regard to shards."""
    keyed = rows.dropna(subset="id").sort_values(["dataset", "date", "row"], kind="stable")
    last = keyed.drop_duplicates(["dataset", "id"], keep="last").sort_values(["id", "dataset"])
    values = last[TRACK].fillna("(missing)")
    before = values.groupby(last["id"]).shift()
    versions = last[(values != before).any(axis=1)].copy()
    by_key = versions.groupby("id")
    versions["version"] = by_key.cumcount() + 1
    versions["opened_in"] = versions["dataset"]
    versions["closed_in"] = by_key["dataset"].shift(-1).astype("Int64")
    names = ["id", *TRACK, "version", "opened_in", "closed_in", "part", "row"]
    return versions[names].sort_values(["part", "id", "version"]).reset_index(drop=True)


def test_the_union_of_the_parts_is_a_fold_of_all_rows(generated: Path) -> None:
    """As of any period, part by part, sorted by identifier and version."""
    series, rows = sharded(), _rows(generated)
    for period in series.calendar.periods:
        wanted = _fold(rows[rows["dataset"] <= period.number])
        found = expected(series, Workspace(generated), "scd2", period).to_pandas()
        found["closed_in"] = found["closed_in"].astype("Int64")
        pd.testing.assert_frame_equal(found[wanted.columns], wanted, check_dtype=False)
        assert found["valid_from"].tolist() == [KEYS[n - 1] for n in wanted["opened_in"]]
        current = expected(series, Workspace(generated), "scd1", period).to_pandas()
        last = wanted.drop_duplicates("id", keep="last")
        assert current[["id", "version"]].values.tolist() == last[["id", "version"]].values.tolist()
    assert wanted["version"].max() == 3
    assert truth(series, generated, at=KEYS[1])["opened_in"].max() == 2


def test_a_line_says_which_row_of_which_part_it_is_about(generated: Path) -> None:
    """The files of a period add up to the change log of the series, and refer to its rows."""
    rows = _rows(generated).set_index(["dataset", "part", "row"])["id"]
    log = truth(sharded(), generated, "changes")
    assert list(log.columns[:4]) == ["dataset", "part", "row", "id"]
    assert list(zip(log["dataset"], log["part"], log["row"], strict=True)) == rows.index.tolist()
    assert log["id"].isna().tolist() == rows.isna().tolist()
    assert set(log["op"]) == {"insert", "update", "unchanged", "superseded", "unkeyed"}
    assert log["tied"].any()
    later = log[log["op"] == "update"]
    before = zip(later["previous_dataset"], later["part"], later["previous_row"], strict=True)
    assert rows.loc[list(before)].tolist() == later["id"].tolist()
    for number in range(1, 4):
        for part in range(1, SHARDS + 1):
            name = f"part-{part:04}.csv"
            of_part = log[(log["dataset"] == number) & (log["part"] == part)]
            written = _read(generated / "demo" / "truth" / f"changes_{number}" / name)
            assert list(written.columns) == list(log.columns[1:])
            assert written["op"].tolist() == of_part["op"].tolist()
            cells = _read(generated / "demo" / "truth" / f"cells_{number}" / name)
            assert list(cells.columns) == ["part", "row", "id", "column", "before", "after"]
            assert len(cells) == of_part["changed"].sum()


def test_dimensions_are_written_in_parts(generated: Path) -> None:
    """The parts of a period together are the dimension as of that period."""
    for kind in ("scd1", "scd2"):
        table = expected(sharded(), Workspace(generated), kind, sharded().calendar.period(1))
        places = sorted((generated / "demo" / "truth" / f"{kind}_2").iterdir())
        assert len(places) == SHARDS
        written = pd.concat(map(_read, places), ignore_index=True)
        assert list(written.columns) == table.column_names
        assert written["id"].tolist() == table["id"].to_pylist()


def test_the_bytes_do_not_depend_on_the_processes(generated: Path, tmp_path: Path) -> None:
    """Nor on the runs; each phase of each part is reported once."""
    series = sharded()
    generate(series, tmp_path, f"{KEYS[0]}..{KEYS[1]}", executor="processes:2")
    generate(series, tmp_path, KEYS[2], executor="none")
    assert files_in(tmp_path) == files_in(generated)
    assert not (tmp_path / ".runs").exists()
    generate(series, tmp_path, KEYS[1], executor="none")
    assert files_in(tmp_path) == files_in(generated)
    wanted = [(key, phase) for key in KEYS for phase in phases_of(series)]
    assert Counter(HEARD.phases) == Counter(wanted)


@pytest.mark.parametrize("asset", ["new_records", "reference_table", "dataset", "state", "truth"])
def test_a_part_that_is_generated_once_more_changes_nothing(
    copy: Path, generated: Path, asset: str
) -> None:
    """Dask does so at any time, if a worker that held the facts of a part dies."""
    workspace = Workspace(copy)
    with workspace.scratch() as folder:
        work = Work(sharded(), workspace, folder)
        task = partial(complete_part, asset)
        run_part(task, work.packed(), work.series.calendar.period(1), 1)
    assert files_in(copy) == files_in(generated)


@pytest.mark.parametrize("executor", ["none", "processes:2"])
def test_a_period_that_fails_has_no_manifest(
    copy: Path, executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of it may have changed."""
    _refuse_history(monkeypatch)
    with pytest.raises(GenerationError, match="a stone"):
        generate(sharded(), copy, KEYS[1], executor=executor)
    assert [(copy / "demo" / f"dataset_{n}.manifest.json").exists() for n in (1, 2, 3)] == [
        True,
        False,
        True,
    ]


@pytest.mark.parametrize("asset", ["dataset", "state"])
def test_an_asset_that_changes_a_period_withdraws_its_manifest(copy: Path, asset: str) -> None:
    """Before the first part of it changes."""
    series = sharded()
    [_] = run_phase(asset, series, [series.plan(1)], Workspace(copy), Progress())
    assert not (copy / "demo" / "dataset_2.manifest.json").exists()
    assert (copy / "demo" / "dataset_1.manifest.json").exists()


@pytest.mark.parametrize("executor", ["none", "processes:2"])
def test_periods_before_one_whose_manifest_stays_are_complete(
    tmp_path: Path, generated: Path, executor: str
) -> None:
    """Also those whose parts are being generated when that shows."""
    stone = tmp_path / "demo" / "dataset_2.manifest.json" / "stone"
    stone.mkdir(parents=True)
    with pytest.raises(GenerationError, match=KEYS[1]):
        generate(sharded(), tmp_path, executor=executor)
    first = "demo/dataset_1.manifest.json"
    assert (tmp_path / first).read_bytes() == (generated / first).read_bytes()


def _refuse_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each part fail after its dataset is in place."""

    def refuse(*_: Any) -> None:
        raise GenerationError("a stone")

    monkeypatch.setattr("series_assets.pipeline.phases.write_truth", refuse)


def _by_duckdb(data: Path, order: str = "date DESC") -> pd.DataFrame:
    """Return the dimension that a pipeline builds from all parts, the last row of each load."""
    loads = ", ".join(f"({n}, '{key}')" for n, key in enumerate(KEYS, 1))
    query = f"""
        WITH rows AS (
            SELECT *, regexp_extract(filename, 'dataset_(\\d+)', 1)::int AS n
            FROM read_csv('{data}/demo/dataset_*/part-*.csv', all_varchar = true, filename = true)
            WHERE id IS NOT NULL),
        states AS (
            SELECT *, lag(region) OVER e IS DISTINCT FROM region
                OR lag(amount) OVER e IS DISTINCT FROM amount AS opens
            FROM (SELECT * FROM rows
                QUALIFY row_number() OVER (PARTITION BY id, n ORDER BY {order}) = 1)
            WINDOW e AS (PARTITION BY id ORDER BY n)),
        versions AS (SELECT * FROM states WHERE opens)
        SELECT id, region, amount, l.day AS valid_from,
            lead(l.day) OVER (PARTITION BY id ORDER BY v.n) AS valid_to
        FROM versions v JOIN (VALUES {loads}) l(n, day) ON v.n = l.n
    """
    return duckdb.sql(query).df()


def test_a_correct_table_of_all_parts_is_accepted(generated: Path) -> None:
    """Built by SQL from the delivered files; tied rows may be taken in any order."""
    report = verify(_by_duckdb(generated), sharded(), generated)
    assert report.holds, list(report.lines())
    assert report.expected == report.correct == report.rows
    assert report.accepted_ties


def test_a_fault_in_one_part_is_found(generated: Path) -> None:
    """Likely causes are searched in all parts."""
    table = _by_duckdb(generated).sort_values(["id", "valid_from"], ignore_index=True)
    last = sorted((generated / "demo" / "dataset_3").iterdir())[SHARDS - 1]
    row = table.index[table["id"].isin(_read(last)["id"])][-1]
    table.loc[row, "region"] = "Nowhere"
    report = verify(table, sharded(), generated)
    assert report.counts == {"wrong_value": 1}
    assert report.findings[0].examples[0].key == table.loc[row, "id"]
    wrong = verify(_by_duckdb(generated, "date ASC"), sharded(), generated)
    assert not wrong.holds
    assert any("a later row of the key supersedes" in cause for cause in wrong.causes)
    lacking = table[~table["id"].isin(_read(last)["id"])]
    assert verify(lacking, sharded(), generated).counts["missing_entity"]


def _rename_an_operation(data: Path) -> None:
    path = data / "demo" / "truth" / "changes_2" / "part-0003.csv"
    path.write_text(path.read_text().replace(",insert,", ",update,", 1))


def _change_a_part(data: Path) -> None:
    path = data / "demo" / "dataset_2" / "part-0002.csv"
    path.write_text(path.read_text().replace("North", "South", 1))


def _change_a_hash(data: Path) -> None:
    path = data / "demo" / "dataset_2.manifest.json"
    manifest = json.loads(path.read_text())
    manifest["resources"][1]["hash"] = "sha256:0"
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (_rename_an_operation, "the number of insert in dataset_2.manifest.json is '"),
        (
            _change_a_part,
            "its states were computed from a dataset other than the one that is there now",
        ),
        (_change_a_hash, "hash in dataset_2.manifest.json is 'sha256:0'"),
    ],
)
def test_the_rule_on_histories_reads_all_parts(
    copy: Path, change: Callable[[Path], None], finding: str
) -> None:
    """It holds for generated files, and its numbers are those of all parts."""
    [result] = check(sharded(), copy, KEYS[1])
    assert result.holds, result.complaints()
    [rule] = [one for one in result.findings if one.rule == "truth"]
    assert rule.examined == sum(int(count) for count in rule.facts.values()) == 120
    change(copy)
    [result] = check(sharded(), copy, KEYS[1])
    assert finding in str(result.complaints())


def test_the_manifest_and_the_report_add_up_operations(generated: Path) -> None:
    """Of all parts, in agreement with the change log."""
    log = truth(sharded(), generated, "changes")
    history = read_history(sharded(), Workspace(generated).layout(sharded()))
    for period in history.periods:
        counted = dict(log[log["dataset"] == period.k + 1]["op"].value_counts())
        assert period.operations == counted
        path = generated / "demo" / f"dataset_{period.k + 1}.manifest.json"
        own = json.loads(path.read_text())["series"]
        found = own["operations"] | {name: own[name] for name in ("superseded", "unkeyed")}
        assert {name: count for name, count in found.items() if count} == counted


def test_exports_are_written_part_by_part(generated: Path, tmp_path: Path) -> None:
    """With the schema of the specification; in Parquet, each part is a row group."""
    series, workspace = sharded(), Workspace(generated)
    for form, groups in (("scd2", SHARDS), ("changes", SHARDS * 3)):
        table = expected(series, workspace, form)
        for suffix in ("csv", "parquet"):
            target = tmp_path / f"{form}.{suffix}"
            write_expected(series, expected_parts(series, workspace, form), "plain", target)
        read = _read(tmp_path / f"{form}.csv")
        assert list(read.columns) == table.column_names
        assert read["id"].fillna("").tolist() == table["id"].fill_null("").to_pylist()
        file = parquet.ParquetFile(tmp_path / f"{form}.parquet")
        assert file.num_row_groups == groups
        assert file.read()["row"].to_pylist() == table["row"].to_pylist()
    typed = parquet.read_schema(tmp_path / "scd2.parquet")
    types = [str(typed.field(name).type) for name in ("region", "amount", "valid_to", "part")]
    assert types == ["string", "int64", "date32[day]", "int64"]


def test_a_part_whose_predecessor_is_missing_is_refused(copy: Path) -> None:
    """Before anything runs, and before other parts are exported."""
    (copy / "demo" / "states" / "period_2" / "part-0002.parquet").unlink()
    with pytest.raises(RequestError) as caught:
        generate(sharded(), copy, KEYS[2])
    assert str(caught.value) == (
        "demo, period 2024-03-01: its states follow from those before it, but the states of "
        "2024-02-01 are missing, or were generated from another version of the two files or of an "
        "earlier period; first run series-assets generate demo --periods 2024-02-01, or "
        "materialize state "
        "of these partitions"
    )
    parts = expected_parts(sharded(), Workspace(copy), "scd2", sharded().calendar.period(2))
    with pytest.raises(RequestError, match="the states of 2024-02-01"):
        next(parts)
    assert truth(sharded(), copy)["opened_in"].max() == 1


def test_nothing_is_left_of_another_number_of_shards_or_of_the_block(tmp_path: Path) -> None:
    """A run leaves the files of a run in an empty folder, also if it requests fewer files."""
    no_cells = {"track": ["region"], "cells": False}
    for place, (shards, block) in enumerate([(3, _ASKED), (2, _ASKED), (2, no_cells), (2, None)]):
        series = sharded(shards, block, num_datasets=1)
        generate(series, tmp_path / "data", executor="none")
        generate(series, tmp_path / f"fresh{place}", executor="none")
        assert files_in(tmp_path / "data") == files_in(tmp_path / f"fresh{place}")
    assert not [name for name in ("truth", "states") if (tmp_path / "data/demo" / name).exists()]


@pytest.mark.thorough
def test_versions_of_each_row_in_parquet_parts(tmp_path: Path) -> None:
    """Dated by event, from typed datasets; the table that Python gives is correct."""
    block = {"track": TRACK, "order_by": "date", "history": "every_row", "time": "event"}
    series = sharded(truth=block, format="parquet")
    generate(series, tmp_path, executor="none")
    assert [result.complaints() for result in check(series, tmp_path)] == [[]] * 3
    table = truth(series, tmp_path)
    assert set(table["part"]) == {1, 2, 3}
    assert table["valid_from"].nunique() > 3
    report = verify(table, series, tmp_path)
    assert report.holds, list(report.lines())
    previewed = faults_of_trial(series, installed_database())
    assert list(previewed) == []


def test_a_column_called_part_is_refused() -> None:
    """The files have their own column of that name; a series of one shard may have it."""
    specification = a_specification()
    columns, metadata = specification["columns"], specification["metadata"]
    metadata["uuid_columns"] = ["part"]
    columns["part"] = columns.pop("id")
    specification["columns"] = {"part": columns.pop("part"), **columns}
    a_series(specification, a_user_input(truth={}))
    with pytest.raises(InputError) as caught:
        a_series(specification, a_user_input(truth={}, shards=2))
    assert str(caught.value) == (
        "demo/user_input.yml: truth cannot be used, since its files have a column 'part' of their "
        "own beside the identifier of that name; rename the identifier in the specification"
    )
