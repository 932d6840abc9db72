"""A user's assets that read a series: their inputs, and the example that maintains a table."""

import importlib
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest

from series_assets.core.plan.series import Series
from series_assets.dagster.build import build_definitions
from series_assets.dagster.handles import RecordsFile, ReferenceTableSnapshot
from series_assets.dagster.partitions import partitions_of
from series_assets.pipeline.workspace import Workspace
from series_assets.storage.files import read_records
from series_assets_tests.builders import a_series, a_user_input
from series_assets_tests.materialize import materialize
from series_assets_tests.projects import EXAMPLE, ROOT, copy_of_the_example

FIRST, SECOND, THIRD = "2024-01-01", "2024-02-01", "2024-03-01"
DIMENSION = "customer_dimension"
ALL = ("customers/new_records", "customers/reference_table", "customers/dataset", DIMENSION)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance for one test."""
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def refusal(result: dg.ExecuteInProcessResult) -> str:
    """Return the reason that the UI shows for the only failure."""
    [failed] = [event for event in result.all_events if event.is_step_failure]
    failure = failed.step_failure_data.user_failure_data
    assert failure is not None, failed.step_failure_data.error
    return failure.description or ""


# Values of inputs


@pytest.fixture(scope="module")
def materialized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a small series with two materialized periods."""
    folder = tmp_path_factory.mktemp("made")
    definitions = build_definitions([a_series()], {"workspace": Workspace(folder)})
    keys = ("demo/new_records", "demo/reference_table", "demo/dataset")
    with dg.DagsterInstance.ephemeral() as instance:
        assert materialize(definitions, instance, *keys, first=FIRST, last=SECOND).success
    return folder


class Reader:
    """A user's asset with one annotated input, and the value that it gets."""

    def __init__(
        self,
        folder: Path,
        annotation: Any,
        asset: str,
        whole: bool,
        series: Series | None = None,
        **given: Any,
    ) -> None:
        self.got: list[Any] = []
        series = series or a_series()

        def reader(records: Any) -> None:
            self.got.append(records)

        reader.__annotations__ = {"return": None}
        if annotation is not None:
            reader.__annotations__["records"] = annotation
        asset_of = dg.asset(
            name="reader",
            ins={"records": dg.AssetIn(key=["demo", asset], **given)},
            partitions_def=None if whole else partitions_of(series.calendar),
            backfill_policy=None if whole else dg.BackfillPolicy.single_run(),
        )
        self.definitions = dg.Definitions.merge(
            build_definitions([series], {"workspace": Workspace(folder)}),
            dg.Definitions(assets=[asset_of(reader)]),
        )


def given_to(
    folder: Path,
    annotation: Any,
    first: str | None = FIRST,
    last: str | None = None,
    asset: str = "dataset",
    **given: Any,
) -> Any:
    """Return the value of an asset's input, or the reason why its run fails."""
    reader = Reader(folder, annotation, asset, first is None, **given)
    with dg.DagsterInstance.ephemeral() as instance:
        result = materialize(reader.definitions, instance, "reader", first=first, last=last)
    if not result.success:
        return refusal(result)
    [got] = reader.got
    return got


def same(frame: pd.DataFrame, path: Path) -> bool:
    """Return whether a data frame has the records of a file, with types."""
    return (
        frame["id"].tolist() == read_records(path)["id"].tolist()
        and str(frame["date"].dtype) == "datetime64[ns]"
        and str(frame["amount"].dtype) == "float64"
    )


def test_a_frame_is_given_where_a_frame_is_asked_for(materialized: Path) -> None:
    """The typed frame of the run's partition."""
    assert same(
        given_to(materialized, pd.DataFrame, SECOND), materialized / "demo" / "dataset_2.csv"
    )


def test_frames_are_given_by_partition_key(materialized: Path) -> None:
    """One for a single partition, all in order for a range."""
    [(key, frame)] = given_to(materialized, dict[str, pd.DataFrame], SECOND).items()
    assert key == SECOND and same(frame, materialized / "demo" / "dataset_2.csv")
    frames = given_to(materialized, dict[str, pd.DataFrame], FIRST, SECOND)
    assert list(frames) == [FIRST, SECOND]
    for number, frame in enumerate(frames.values(), 1):
        assert same(frame, materialized / "demo" / f"dataset_{number}.csv")


def test_arrow_tables_are_given_where_these_are_asked_for(materialized: Path) -> None:
    """Typed, without pandas; also for the entities of a reference table."""
    table = given_to(materialized, pa.Table, SECOND)
    assert (
        table["id"].to_pylist()
        == read_records(materialized / "demo" / "dataset_2.csv")["id"].tolist()
    )
    types = {name: table.schema.field(name).type for name in ("id", "date", "amount")}
    assert types == {"id": pa.string(), "date": pa.date32(), "amount": pa.float64()}
    tables = given_to(materialized, dict[str, pa.Table], FIRST, SECOND)
    assert list(tables) == [FIRST, SECOND] and tables[SECOND] == table
    entities = given_to(materialized, pa.Table, SECOND, asset="reference_table")
    assert len(entities) == 80 and entities.schema.field("date").type == pa.date32()


@pytest.mark.parametrize("annotation", [pd.DataFrame, pa.Table])
@pytest.mark.parametrize("content", [b"", b"id,region\n\xff,1\n", b"a,b\n1,2,3\n"])
def test_a_damaged_file_is_named_with_what_to_do(
    materialized: Path, tmp_path: Path, annotation: type, content: bytes
) -> None:
    """Instead of the error of the library that reads it."""
    shutil.copytree(materialized, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "demo" / "dataset_2.csv"
    file.write_bytes(content)
    message = given_to(tmp_path, annotation, SECOND)
    assert f"{file} cannot be read: " in message
    assert f"; materialize dataset of {SECOND} again" in message


@pytest.mark.parametrize("annotation", [pd.DataFrame, pa.Table])
def test_a_file_with_other_columns_is_refused(
    materialized: Path, tmp_path: Path, annotation: type
) -> None:
    """An asset downstream would otherwise compute with other data, or fail somewhere else."""
    shutil.copytree(materialized, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "demo" / "dataset_2.csv"
    read_records(file).rename(columns={"region": "area"}).to_csv(file, index=False)
    assert given_to(tmp_path, annotation, SECOND) == (
        f"{file} has other columns than the series: without region, with area; "
        f"materialize dataset of {SECOND} again"
    )


@pytest.mark.parametrize("asset", ["dataset", "new_records"])
@pytest.mark.parametrize("annotation", [pd.DataFrame, Path])
def test_a_file_of_another_version_of_the_series_is_refused(
    materialized: Path, annotation: type, asset: str
) -> None:
    """Its number may be that of another period since."""
    edited = a_series(user_input=a_user_input(length_of_period=2))
    key = edited.calendar.keys[1]
    message = given_to(materialized, annotation, key, asset=asset, series=edited)
    verb = "was" if asset == "dataset" else "were"
    assert f"demo, period {key}: its {asset.replace('_', ' ')} {verb} generated from" in message
    assert message.endswith(f"the series' two files; materialize {asset} again")


def test_lazy_frames_are_given_where_these_are_asked_for(materialized: Path) -> None:
    """With the types of the Arrow table."""
    polars = pytest.importorskip("polars")
    frame = given_to(materialized, polars.LazyFrame, SECOND)
    assert isinstance(frame, polars.LazyFrame)
    assert frame.collect().to_arrow()["id"].to_pylist() == (
        read_records(materialized / "demo" / "dataset_2.csv")["id"].tolist()
    )


def test_paths_are_given_where_paths_are_asked_for(materialized: Path) -> None:
    """For tools that read files themselves."""
    paths = [materialized / "demo" / f"dataset_{number}.csv" for number in (1, 2)]
    assert given_to(materialized, Path, SECOND) == paths[1]
    assert given_to(materialized, dict[str, Path], FIRST, SECOND) == dict(
        zip((FIRST, SECOND), paths, strict=True)
    )
    of_new = given_to(materialized, Path, SECOND, asset="new_records")
    assert of_new == materialized / "demo" / "new_records" / "dataset_2.csv"


@pytest.mark.parametrize("annotation", [None, dict[str, RecordsFile], Any])
def test_handles_are_given_by_partition_key_where_nothing_else_is_asked_for(
    materialized: Path, annotation: Any
) -> None:
    """To read a range file by file; also for a missing period."""
    handles = given_to(materialized, annotation, SECOND, THIRD)
    assert {key: (handle.exists, handle.records) for key, handle in handles.items()} == {
        SECOND: (True, materialized / "demo" / "dataset_2.csv"),
        THIRD: (False, None),
    }
    assert same(handles[SECOND].load(), materialized / "demo" / "dataset_2.csv")


def test_a_single_handle_is_given_where_it_is_asked_for(materialized: Path) -> None:
    """The one of the run's partition."""
    handle = given_to(materialized, RecordsFile, SECOND)
    assert (handle.key, handle.path()) == (SECOND, materialized / "demo" / "dataset_2.csv")


def test_the_entities_so_far_are_given_as_a_frame(materialized: Path) -> None:
    """Those known after the period and no later ones, as first recorded."""
    firsts = [
        read_records(materialized / "demo" / "new_records" / f"dataset_{n}.csv")["id"].tolist()
        for n in (1, 2)
    ]
    frames = given_to(materialized, dict[str, pd.DataFrame], FIRST, SECOND, asset="reference_table")
    assert frames[FIRST]["id"].tolist() == firsts[0]
    assert frames[SECOND]["id"].tolist() == firsts[0] + firsts[1]
    assert str(frames[SECOND]["amount"].dtype) == "float64"
    assert given_to(materialized, ReferenceTableSnapshot, SECOND, asset="reference_table").exists
    assert not given_to(materialized, ReferenceTableSnapshot, THIRD, asset="reference_table").exists


def test_the_entities_have_no_file_to_be_given(materialized: Path) -> None:
    """The message names the types that are possible."""
    assert given_to(materialized, Path, SECOND, asset="reference_table") == (
        "demo: the entities up to a period have no file of their own; annotate the input "
        "pd.DataFrame to get its entities, or ReferenceTableSnapshot"
    )


@pytest.mark.parametrize("annotation", [pd.DataFrame, dict[str, pd.DataFrame], Path])
def test_a_missing_period_is_reported_before_the_asset_runs(
    materialized: Path, annotation: Any
) -> None:
    """With the asset to materialize first."""
    assert given_to(materialized, annotation, THIRD) == (
        "demo, period 2024-03-01: its dataset is missing; materialize dataset first"
    )


def test_entities_of_a_missing_period_are_reported_too(materialized: Path) -> None:
    """With the message of the reference table."""
    reported = given_to(materialized, pd.DataFrame, THIRD, asset="reference_table")
    assert reported.startswith("demo, the reference table after period 2024-03-01 samples from")
    assert "nothing is recorded yet for 2024-03-01" in reported


def test_one_frame_cannot_be_given_for_many_periods(materialized: Path) -> None:
    """The message says which type to use."""
    assert given_to(materialized, pd.DataFrame, FIRST, SECOND) == (
        "the input 'records' asks for DataFrame, which holds one period, but this run has 2; "
        "annotate it dict[str, DataFrame] to get each under its partition key, or let the asset "
        "have the partitions of the series and run one at a time"
    )


@pytest.mark.parametrize(
    ("annotation", "shown"),
    [
        (list[str], "List[str]"),
        (str, "str"),
        (pd.Series, "Series"),
        (dict[str, pd.Series], "Dict[str, pandas.core.series.Series]"),
        (pd.DataFrame | None, "Optional[pandas.core.frame.DataFrame]"),
    ],
)
def test_an_annotation_that_cannot_be_provided_names_those_that_can(
    materialized: Path, annotation: Any, shown: str
) -> None:
    """In one line, before the asset runs."""
    assert given_to(materialized, annotation, FIRST) == (
        f"the input 'records' is annotated {shown}, which a series cannot provide; annotate it "
        "pandas.DataFrame, pyarrow.Table, polars.LazyFrame, pathlib.Path, RecordsFile, "
        "ReferenceTableSnapshot or StateSnapshot for one period, dict[str, ...] around one of "
        "these for any number of periods, or not at all"
    )


@pytest.mark.thorough
def test_an_asset_without_partitions_gets_all_periods(materialized: Path) -> None:
    """It fails if one is missing, unless it allows that."""
    assert given_to(materialized, dict[str, pd.DataFrame], None) == (
        "demo, period 2024-03-01: its dataset is missing; materialize dataset first"
    )
    metadata = {"allow_missing_partitions": True}
    frames = given_to(materialized, dict[str, pd.DataFrame], None, metadata=metadata)
    assert list(frames) == [FIRST, SECOND]


def test_a_value_can_be_loaded_outside_of_runs(materialized: Path) -> None:
    """As in a notebook, with Dagster's own ``load_asset_value``."""
    definitions = build_definitions([a_series()], {"workspace": Workspace(materialized)})
    key = dg.AssetKey(["demo", "dataset"])
    frame = definitions.load_asset_value(key, python_type=pd.DataFrame, partition_key=SECOND)
    assert isinstance(frame, pd.DataFrame)
    assert same(frame, materialized / "demo" / "dataset_2.csv")


# The example


class Example:
    """A copy of the example project, loaded in this process."""

    def __init__(self, root: Path, definitions: dg.Definitions) -> None:
        self.root = root
        self.definitions = definitions

    def customers(self) -> pd.DataFrame:
        """Return the table in the database."""
        with closing(sqlite3.connect(self.root / "warehouse.db")) as connection:
            query = "SELECT * FROM customer ORDER BY customer_id"
            return pd.read_sql(query, connection).set_index("customer_id")

    def expected(self, *numbers: int) -> pd.DataFrame:
        """Return the expected table, computed independently from the files."""
        rows: dict[str, dict[str, str]] = {}
        for number in numbers:
            frame = read_records(self.root / "data" / "customers" / f"dataset_{number}.csv")
            frame["amount"] = frame["amount"].astype(float)
            period = f"2024-{number:02}-01"
            for order in frame.sort_values(["ordered_on", "amount"]).to_dict("records"):
                known = rows.get(order["customer_id"], {})
                rows[order["customer_id"]] = {
                    "born": order["born"],
                    "town": order["town"],
                    "tier": order["tier"],
                    "first_seen": known.get("first_seen", period),
                    "last_seen": period,
                }
        return pd.DataFrame.from_dict(rows, orient="index").sort_index().rename_axis("customer_id")


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Example]:
    """The example project in a folder for one test."""
    root = copy_of_the_example(tmp_path / "warehouse")
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root / "src"))
    definitions = importlib.import_module("warehouse.definitions").defs()
    dg.Definitions.validate_loadable(definitions)
    yield Example(root, definitions)
    for name in [name for name in sys.modules if name.split(".")[0] == "warehouse"]:
        del sys.modules[name]


def test_new_customers_are_inserted_and_known_ones_updated(
    example: Example, instance: dg.DagsterInstance
) -> None:
    """Partition by partition, the table agrees with the files."""
    materialize(example.definitions, instance, *ALL, first=FIRST)
    before = example.customers()
    pd.testing.assert_frame_equal(before, example.expected(1))
    materialize(example.definitions, instance, *ALL, first=SECOND)
    after = example.customers()
    pd.testing.assert_frame_equal(after, example.expected(1, 2))
    known = after.loc[before.index]
    assert len(after) > len(before)
    assert (known["town"] != before["town"]).any()
    assert (known["born"] == before["born"]).all()


def test_of_several_orders_in_a_period_the_latest_counts(example: Example) -> None:
    """In any order of the shuffled dataset."""
    warehouse = importlib.import_module("warehouse.defs.dimension").Warehouse(path="warehouse.db")
    orders = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b"],
            "born": pd.to_datetime(["1990-01-01"] * 3),
            "town": ["later", "sooner", "only"],
            "tier": ["gold", "basic", "basic"],
            "amount": [1.0, 2.0, 3.0],
            "ordered_on": pd.to_datetime(["2024-01-20", "2024-01-10", "2024-01-15"]),
        }
    )
    assert warehouse.load(FIRST, [], orders) == {"new": 2, "known": 0, "so_far": 2}
    assert example.customers()["town"].to_dict() == {"a": "later", "b": "only"}


@pytest.mark.thorough
def test_a_partition_that_is_run_again_changes_nothing(
    example: Example, instance: dg.DagsterInstance
) -> None:
    """Neither the last one, nor an earlier one, which reverts nothing."""
    assert materialize(example.definitions, instance, *ALL, first=FIRST, last=THIRD).success
    table = example.customers()
    for key in (THIRD, FIRST, SECOND):
        result = materialize(example.definitions, instance, DIMENSION, first=key)
        assert result.success
        pd.testing.assert_frame_equal(example.customers(), table)


@pytest.mark.thorough
def test_a_range_in_one_run_makes_the_same_table(
    example: Example, instance: dg.DagsterInstance
) -> None:
    """In the order of the partitions, each with its own metadata."""
    assert materialize(example.definitions, instance, *ALL, first=FIRST, last=SECOND).success
    assert materialize(example.definitions, instance, *ALL, first=THIRD, last="2024-06-01").success
    pd.testing.assert_frame_equal(example.customers(), example.expected(*range(1, 7)))
    counted = {}
    for record in instance.fetch_materializations(dg.AssetKey([DIMENSION]), limit=20).records:
        materialization = record.asset_materialization
        assert materialization is not None
        counted[materialization.partition] = materialization.metadata["new"].value
    assert counted == example.customers().groupby("first_seen").size().to_dict()


@pytest.mark.thorough
def test_a_partition_without_those_before_is_refused(
    example: Example, instance: dg.DagsterInstance
) -> None:
    """The message names them, and the table is unchanged."""
    assert materialize(example.definitions, instance, *ALL[:3], first=FIRST, last=THIRD).success
    assert materialize(example.definitions, instance, DIMENSION, first=FIRST).success
    table = example.customers()
    assert refusal(materialize(example.definitions, instance, DIMENSION, first=THIRD)) == (
        "2024-03-01 builds on 2024-02-01, not loaded yet; materialize those partitions of this "
        "asset first"
    )
    pd.testing.assert_frame_equal(example.customers(), table)


def test_the_document_shows_the_example_as_it_is() -> None:
    """Every block of the page that names a file of the example equals that file."""
    page = (ROOT / "docs" / "downstream.md").read_text(encoding="utf-8")
    shown = re.findall(r"`(\S+)`:\n\n```\w+\n(.*?)```", page, re.DOTALL)
    files = {name: (EXAMPLE / name).read_text(encoding="utf-8") for name, _ in shown}
    assert len(files) == 5
    assert dict(shown) == files
