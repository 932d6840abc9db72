"""The three assets of a series, materialized through Dagster: together, alone, in any order."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from series_assets.core.plan.series import Series
from series_assets.core.spec.period_units import UNITS
from series_assets.dagster.assets import job_of
from series_assets.dagster.build import build_definitions
from series_assets.dagster.handles import RecordsFile
from series_assets.dagster.partitions import partitions_of
from series_assets.interface import generate
from series_assets.pipeline.workspace import Workspace
from series_assets.storage.files import read_csv
from series_assets_tests.builders import a_series, a_specification, a_user_input, files_in
from series_assets_tests.thorough import thorough

ALL = ("new_records", "reference_table", "dataset")
FIRST, SECOND, THIRD, FOURTH = "2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"


@pytest.fixture(autouse=True, scope="module")
def no_dagster_home() -> Iterator[None]:
    """Record no run of a test in the instance of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAGSTER_HOME", raising=False)
        yield


class Bench:
    """A data folder and a Dagster instance to materialize assets in."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self.instance = instance

    def make(
        self,
        first: str,
        last: str | None = None,
        assets: tuple[str, ...] = ALL,
        series: Series | None = None,
        besides: dg.Definitions | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Materialize assets of one partition, or of a range in one run."""
        series = series or a_series()
        workspace = Workspace(self.folder)
        definitions = build_definitions([series], {"workspace": workspace})
        keys = [dg.AssetKey([series.name, asset]) for asset in assets]
        if besides:
            definitions = dg.Definitions.merge(definitions, besides)
            keys += [asset.key for asset in besides.assets or []]  # type: ignore[union-attr]
        tags = (
            {
                "dagster/asset_partition_range_start": first,
                "dagster/asset_partition_range_end": last,
            }
            if last
            else None
        )
        return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            asset_selection=keys,
            partition_key=None if last else first,
            tags=tags,
            raise_on_error=False,
        )

    def refusal(self, *args: Any, **kwargs: Any) -> str:
        """Materialize what has to fail, and return what the UI shows as the reason."""
        result = self.make(*args, **kwargs)
        assert not result.success
        [failed] = [event for event in result.all_events if event.is_step_failure]
        failure = failed.step_failure_data.user_failure_data
        assert failure is not None, failed.step_failure_data.error
        assert failure.description is not None
        return failure.description

    def materialized(self, asset: str, series: str = "demo") -> set[str]:
        """Return the partitions that the instance has recorded."""
        return set(self.instance.get_materialized_partitions(dg.AssetKey([series, asset])))

    @property
    def files(self) -> dict[str, bytes]:
        """All files made but the database."""
        return files_in(self.folder)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """An empty data folder and an instance of its own."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Bench(tmp_path / "data", instance)


def made_by_command_line(folder: Path, series: Series | None = None) -> dict[str, bytes]:
    """Return the files that the command line's function makes of a series."""
    generate(series=series or a_series(), data_dir=folder)
    return files_in(folder)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the whole series as the command line makes them."""
    return made_by_command_line(tmp_path_factory.mktemp("expected"))


def of_periods(files: dict[str, bytes], *numbers: int) -> dict[str, bytes]:
    """Return those of the files that belong to the datasets of the given numbers."""
    names = {f"dataset_{number}" for number in numbers}
    return {path: data for path, data in files.items() if Path(path).name.split(".")[0] in names}


def nothing_under(folder: Path) -> bool:
    """Tell whether no run has left its scratch folder."""
    return not (folder / ".runs").exists()


def test_one_partition_of_all_assets_makes_the_files_of_its_period(
    bench: Bench, expected: dict[str, bytes]
) -> None:
    """Those of section 8 and no others; the instance knows what was made."""
    assert bench.make(FIRST).success
    assert bench.files == of_periods(expected, 1)
    assert [bench.materialized(asset) for asset in ALL] == [{FIRST}] * 3


def test_partition_after_partition_makes_the_whole_series(
    bench: Bench, expected: dict[str, bytes]
) -> None:
    """Each from what the earlier ones left, in runs of their own."""
    for key in (FIRST, SECOND, THIRD):
        assert bench.make(key).success
    assert bench.files == of_periods(expected, 1, 2, 3)


def test_a_range_in_one_run_makes_the_same_bytes(bench: Bench, expected: dict[str, bytes]) -> None:
    """The files of many periods made in one run are those of the command line."""
    assert bench.make(FIRST, FOURTH).success
    assert bench.files == expected
    assert [bench.materialized(asset) for asset in ALL] == [{FIRST, SECOND, THIRD, FOURTH}] * 3


def test_a_middle_range_makes_exactly_its_periods(bench: Bench, expected: dict[str, bytes]) -> None:
    """Neither earlier nor later ones are touched."""
    assert bench.make(FIRST).success
    assert bench.make(SECOND, THIRD).success
    assert bench.files == of_periods(expected, 1, 2, 3)
    assert bench.materialized("dataset") == {FIRST, SECOND, THIRD}


@pytest.mark.thorough
def test_assets_made_one_by_one_make_the_same_bytes(
    bench: Bench, expected: dict[str, bytes]
) -> None:
    """One asset a run and one partition a run, as somebody clicks through the UI."""
    for key in (FIRST, SECOND):
        for asset in ALL:
            assert bench.make(key, assets=(asset,)).success
    assert bench.files == of_periods(expected, 1, 2)


@pytest.mark.thorough
def test_ranges_of_one_asset_make_the_same_bytes(bench: Bench, expected: dict[str, bytes]) -> None:
    """One asset a run over all partitions: the whole of one before any of the next."""
    for asset in ALL:
        assert bench.make(FIRST, FOURTH, assets=(asset,)).success
    assert bench.files == expected


def test_a_part_of_the_assets_can_be_made(bench: Bench, expected: dict[str, bytes]) -> None:
    """New records do not look at other periods, so the last can be the first to be made."""
    assert bench.make(FOURTH, assets=("new_records",)).success
    made = {"demo/dataset_4.new.yml", "demo/new_records/dataset_4.csv"}
    assert bench.files == {path: expected[path] for path in made}


@pytest.mark.thorough
def test_new_records_in_any_order_make_the_same_bytes(
    bench: Bench, expected: dict[str, bytes]
) -> None:
    """Backwards, then what depends on them forwards."""
    assert bench.make(THIRD, FOURTH, assets=("new_records",)).success
    for key in (SECOND, FIRST):
        assert bench.make(key, assets=("new_records",)).success
    assert bench.make(FIRST, FOURTH, assets=("reference_table", "dataset")).success
    assert bench.files == expected


def test_periods_made_again_are_the_same(bench: Bench, expected: dict[str, bytes]) -> None:
    """Whatever has been made since: none of a later period's entities is drawn."""
    assert bench.make(FIRST, FOURTH).success
    for key in (SECOND, FIRST, FOURTH):
        assert bench.make(key).success
        assert bench.files == expected


@pytest.mark.thorough
def test_a_longer_series_leaves_the_earlier_datasets_as_they_are(
    bench: Bench, expected: dict[str, bytes]
) -> None:
    """Raising num_datasets lets the series go on from where it is."""
    assert bench.make(FIRST, FOURTH).success
    longer = a_series(user_input=a_user_input(num_datasets=5))
    assert bench.make("2024-05-01", series=longer).success
    assert of_periods(bench.files, 1, 2, 3, 4) == expected
    assert set(of_periods(bench.files, 5)) == {
        "demo/dataset_5.csv",
        "demo/dataset_5.new.yml",
        "demo/dataset_5.existing.yml",
        "demo/new_records/dataset_5.csv",
    }


@pytest.mark.thorough
def test_two_series_in_one_folder_do_not_disturb_each_other(
    bench: Bench, expected: dict[str, bytes], tmp_path: Path
) -> None:
    """They share a database and nothing in it."""
    other = a_series(a_specification(random_seed=5, id="other"), name="other")
    for first, last in ((FIRST, None), (SECOND, FOURTH)):
        assert bench.make(first, last).success
        assert bench.make(first, last, series=other).success
    assert bench.files == expected | made_by_command_line(tmp_path / "other", other)


def test_what_was_made_is_told_with_each_partition(bench: Bench) -> None:
    """Path and rows are those of the partition, also in a run of several."""
    assert bench.make(FIRST, SECOND).success
    records = bench.instance.fetch_materializations(dg.AssetKey(["demo", "dataset"]), 10).records
    told = {
        record.partition_key: {
            name: entry.value for name, entry in record.asset_materialization.metadata.items()
        }
        for record in records
        if record.asset_materialization
    }
    folder = bench.folder / "demo"
    facts = [
        (FIRST, str(folder / "dataset_1.csv"), 60, 0),
        (SECOND, str(folder / "dataset_2.csv"), 20, 40),
    ]
    assert {
        (key, told[key]["path"], told[key]["new_rows"], told[key]["existing_rows"]) for key in told
    } == set(facts)


@pytest.mark.parametrize(
    "assets",
    [ALL, *thorough((("reference_table",),), (("dataset",),))],
    ids=["all", "reference_table", "dataset"],
)
def test_a_period_without_the_ones_before_refuses_and_says_what_to_make(
    bench: Bench, expected: dict[str, bytes], assets: tuple[str, ...]
) -> None:
    """The message names the partitions, and what it says to do works."""
    if assets != ALL:
        assert bench.make(FIRST, THIRD, assets=("new_records",)).success
    assert bench.refusal(THIRD, assets=assets) == (
        "demo, period 2024-03-01 samples from all periods before it, but nothing is recorded yet "
        "for 2024-01-01, 2024-02-01; first generate 2024-01-01..2024-02-01 (materialize "
        "new_records and reference_table of these partitions, or run series-assets generate with "
        "--periods 2024-01-01..2024-02-01)"
    )
    assert "demo/dataset_3.csv" not in bench.files
    assert bench.make(FIRST, SECOND, assets=("new_records", "reference_table")).success
    assert bench.make(THIRD).success
    assert bench.files["demo/dataset_3.csv"] == expected["demo/dataset_3.csv"]


def test_a_range_without_the_periods_before_refuses(bench: Bench) -> None:
    """The first of the range is the one that cannot be made."""
    assert bench.refusal(SECOND, FOURTH) == (
        "demo, period 2024-02-01 samples from all periods before it, but nothing is recorded yet "
        "for 2024-01-01; first generate 2024-01-01 (materialize new_records and reference_table "
        "of this partition, or run series-assets generate with --periods 2024-01-01)"
    )
    assert bench.materialized("reference_table") == bench.materialized("dataset") == set()


@pytest.mark.parametrize("key", [SECOND, *thorough(FIRST)])
def test_a_dataset_without_its_new_records_refuses_and_says_what_to_make(
    bench: Bench, key: str, expected: dict[str, bytes]
) -> None:
    """A file that somebody removed is not taken for a period without new records."""
    assert bench.make(FIRST, SECOND).success
    number = 1 if key == FIRST else 2
    (bench.folder / "demo" / "new_records" / f"dataset_{number}.csv").unlink()
    (bench.folder / "demo" / f"dataset_{number}.csv").unlink()
    assert bench.refusal(key, assets=("dataset",)) == (
        f"demo, period {key}: its new records are missing; materialize new_records first"
    )
    assert bench.make(key, assets=("new_records", "dataset")).success
    assert bench.files == of_periods(expected, 1, 2)


@pytest.mark.parametrize("key", [SECOND, *thorough(FIRST)])
def test_a_reference_table_without_the_new_records_refuses_and_says_what_to_make(
    bench: Bench, key: str, expected: dict[str, bytes]
) -> None:
    """Otherwise the period's entities would be lost from all later draws, without a word."""
    if key == SECOND:
        assert bench.make(FIRST).success
    assert bench.refusal(key, assets=("reference_table",)) == (
        f"demo, period {key}: its new records are missing; materialize new_records first"
    )
    assert bench.make(key, assets=("new_records", "reference_table")).success
    assert bench.make(SECOND, THIRD).success
    assert bench.files["demo/dataset_3.csv"] == expected["demo/dataset_3.csv"]


def test_a_period_that_would_draw_from_rows_of_other_files_refuses(bench: Bench) -> None:
    """The message names the periods to make again, and making them works."""
    assert bench.make(FIRST, THIRD).success
    edited = a_series(a_specification(random_seed=1))
    assert bench.refusal(FOURTH, series=edited) == (
        "demo, period 2024-04-01 samples from all periods before it, but 2024-01-01, 2024-02-01, "
        "2024-03-01 were generated from different versions of the two files; first generate "
        "2024-01-01..2024-03-01 (materialize new_records and reference_table of these "
        "partitions, or run series-assets generate with --periods 2024-01-01..2024-03-01)"
    )
    again = ("new_records", "reference_table")
    assert bench.make(FIRST, THIRD, assets=again, series=edited).success
    assert bench.make(FOURTH, series=edited).success


def test_new_records_of_other_files_are_not_recorded_as_if_made_by_these(bench: Bench) -> None:
    """Rows of the reference table know what made them: here that was not the files of now."""
    assert bench.make(FIRST).success
    edited = a_series(a_specification(random_seed=1))
    assert bench.refusal(FIRST, assets=("reference_table",), series=edited) == (
        "demo, period 2024-01-01: its new records were generated from different versions of "
        "the two files; regenerate new_records"
    )
    workspace = Workspace(bench.folder)
    assert workspace.reference_table(edited).current_counts() == {}
    again = ("new_records", "reference_table")
    assert bench.make(FIRST, assets=again, series=edited).success
    assert workspace.reference_table(edited).current_counts() == {0: 60}


def test_a_dataset_is_not_made_of_new_records_of_other_files(bench: Bench) -> None:
    """Its bytes would depend on more than the files of now."""
    assert bench.make(FIRST, SECOND).success
    edited = a_series(a_specification(random_seed=1))
    again = ("new_records", "reference_table")
    assert bench.make(FIRST, assets=again, series=edited).success
    before = bench.files["demo/dataset_2.csv"]
    assert bench.refusal(SECOND, assets=("dataset",), series=edited) == (
        "demo, period 2024-02-01: its new records were generated from different versions of "
        "the two files; regenerate new_records"
    )
    assert bench.files["demo/dataset_2.csv"] == before
    assert bench.make(SECOND, assets=("new_records", "dataset"), series=edited).success


def test_no_new_records_means_none_after_the_first_period(bench: Bench) -> None:
    """Fraction 0: no specification, no file, and no entity that was not in the first period."""
    series = a_series(user_input=a_user_input(fraction_of_new=0))
    assert bench.make(FIRST, SECOND, series=series).success
    assert bench.make(THIRD, series=series).success
    assert sorted(of_periods(bench.files, 2, 3)) == [
        "demo/dataset_2.csv",
        "demo/dataset_2.existing.yml",
        "demo/dataset_3.csv",
        "demo/dataset_3.existing.yml",
    ]
    first, later = (
        set(read_csv(bench.folder / "demo" / f"dataset_{number}.csv")["id"]) for number in (1, 3)
    )
    assert later == first  # 60 rows, each entity once
    assert bench.materialized("new_records") == {FIRST, SECOND, THIRD}


def test_only_new_records_means_no_existing_ones(bench: Bench) -> None:
    """Fraction 1: no specification of existing records, and no entity twice."""
    series = a_series(user_input=a_user_input(fraction_of_new=1))
    assert bench.make(FIRST, SECOND, series=series).success
    assert bench.make(THIRD, series=series).success
    assert not [path for path in bench.files if "existing" in path]
    seen = [
        identifier
        for number in (1, 2, 3)
        for identifier in read_csv(bench.folder / "demo" / f"dataset_{number}.csv")["id"]
    ]
    assert len(seen) == len(set(seen)) == 180


def test_a_part_that_has_no_rows_any_more_loses_its_files(bench: Bench) -> None:
    """Whoever picks up a dataset finds no specification of earlier files beside it."""
    assert bench.make(FIRST, SECOND).success
    fresh = a_series(user_input=a_user_input(fraction_of_new=1))
    assert bench.make(FIRST, SECOND, series=fresh).success
    assert "demo/dataset_2.existing.yml" not in bench.files
    known = a_series(user_input=a_user_input(fraction_of_new=0))
    assert bench.make(FIRST, SECOND, series=known).success
    assert sorted(of_periods(bench.files, 2)) == [
        "demo/dataset_2.csv",
        "demo/dataset_2.existing.yml",
    ]


def code_version(series: Series, asset: str) -> str | None:
    """Return the code version that Dagster has of an asset."""
    graph = build_definitions([series]).resolve_asset_graph()
    return graph.get(dg.AssetKey([series.name, asset])).code_version


@pytest.mark.parametrize("asset", ALL)
def test_the_code_version_follows_the_content_of_the_two_files(asset: str) -> None:
    """Edited files mark what was made from them as stale; more periods do not."""
    version = code_version(a_series(), asset)
    assert version
    assert code_version(a_series(), asset) == version
    assert code_version(a_series(a_specification(number_of_rows=61)), asset) != version
    for edited in (a_user_input(fraction_of_new="1/2"), a_user_input(static_columns=["region"])):
        assert code_version(a_series(user_input=edited), asset) != version
    longer = a_user_input(num_datasets=9, release="immediate")
    assert code_version(a_series(user_input=longer), asset) == version


def test_assets_are_grouped_and_named_after_their_series() -> None:
    """Key prefix and group are the series' name, and each asset says what it is."""
    graph = build_definitions([a_series(), a_series(name="other")]).resolve_asset_graph()
    nodes = {key: graph.get(key) for key in graph.materializable_asset_keys}
    assert {key.to_user_string() for key in nodes} == {
        f"{name}/{asset}" for name in ("demo", "other") for asset in (*ALL, "report")
    }
    assert all(node.group_name == key.path[0] for key, node in nodes.items())
    assert all(node.description for node in nodes.values())


def test_assets_have_the_periods_as_partitions_and_are_backfilled_in_one_run() -> None:
    """The keys are the starts of the periods; a backfill makes no run a period."""
    graph = build_definitions([a_series()]).resolve_asset_graph()
    for asset in ALL:
        node = graph.get(dg.AssetKey(["demo", asset]))
        assert node.partitions_def is not None
        assert node.partitions_def.get_partition_keys() == [FIRST, SECOND, THIRD, FOURTH]
        assert node.backfill_policy == dg.BackfillPolicy.single_run()


def test_assets_depend_on_each_other_as_the_data_goes() -> None:
    """The reference table on itself as well, one period before."""
    graph = build_definitions([a_series()]).resolve_asset_graph()
    parents = {
        asset: {key.path[-1] for key in graph.get(dg.AssetKey(["demo", asset])).parent_keys}
        for asset in ALL
    }
    assert parents == {
        "new_records": set(),
        "reference_table": {"new_records", "reference_table"},
        "dataset": {"new_records", "reference_table"},
    }


def test_a_run_that_succeeds_leaves_no_scratch(bench: Bench) -> None:
    """In the data folder are the series' files and the database, nothing else."""
    assert bench.make(FIRST, SECOND).success
    assert nothing_under(bench.folder)
    assert {path.name for path in bench.folder.iterdir()} >= {"demo", "exhibit.db"}
    assert {path.name for path in bench.folder.iterdir() if ".db" not in path.name} == {"demo"}


def test_a_run_that_is_refused_leaves_no_scratch(bench: Bench) -> None:
    """Also where an earlier asset of the run was made."""
    bench.refusal(THIRD)
    assert nothing_under(bench.folder)


def failing_series() -> Series:
    """Return a series with a derived column that cannot be computed.

    pandas cannot divide text by a number; that shows when Exhibit evaluates it.
    """
    specification = a_specification()
    specification["derived_columns"] = {"impossible": "(sex / amount)"}
    return a_series(specification)


def test_a_run_that_exhibit_fails_in_leaves_no_scratch_and_no_file(bench: Bench) -> None:
    """The message says which series, period and part it was, and what Exhibit said."""
    told = bench.refusal(FIRST, series=failing_series())
    assert told.startswith(
        "demo, period 2024-01-01 (new records): the derived column '(sex / amount)' cannot be "
        "computed: TypeError"
    )
    assert bench.files == {}
    assert nothing_under(bench.folder)


@pytest.mark.parametrize(
    ("asset", "path"),
    [("new_records", "new_records/dataset_2.csv"), ("dataset", "dataset_2.csv")],
)
def test_a_run_that_cannot_put_a_file_down_leaves_no_scratch(
    bench: Bench, asset: str, path: str
) -> None:
    """The message names period and file, and making it again works once the place is free."""
    assert bench.make(FIRST).success
    place = bench.folder / "demo" / path
    place.mkdir(parents=True)
    assert bench.refusal(SECOND) == (
        f"demo, period {SECOND}: {place}: cannot be written: Is a directory; free the place or "
        "choose another folder, then run it again"
    )
    assert SECOND not in bench.materialized(asset)
    assert nothing_under(bench.folder)
    place.rmdir()
    assert bench.make(SECOND).success


def downstream(received: dict[str, Any]) -> dg.Definitions:
    """Return an asset as a user might write it: it reads the datasets of its partitions."""

    @dg.asset(
        partitions_def=partitions_of(a_series().calendar),
        ins={"dataset": dg.AssetIn(key=["demo", "dataset"])},
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def report(dataset: dict[str, RecordsFile]) -> None:
        received.update({key: file.load() for key, file in dataset.items()})

    return dg.Definitions(assets=[report])


def test_a_users_own_asset_reads_the_dataset_of_its_partition(bench: Bench) -> None:
    """As a typed frame, under the partition's key."""
    received: dict[str, Any] = {}
    assert bench.make(FIRST, besides=downstream(received)).success
    assert list(received) == [FIRST]
    frame = received[FIRST]
    assert len(frame) == 60
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        "id": "object",
        "sex": "object",
        "region": "object",
        "amount": "float64",
        "date": "datetime64[ns]",
    }


def test_a_users_own_asset_reads_the_datasets_of_a_range(bench: Bench) -> None:
    """One entry a partition, in a run by itself as well."""
    assert bench.make(FIRST, THIRD).success
    received: dict[str, Any] = {}
    assert bench.make(SECOND, THIRD, assets=(), besides=downstream(received)).success
    assert sorted(received) == [SECOND, THIRD]
    for key, number in ((SECOND, 2), (THIRD, 3)):
        file = bench.folder / "demo" / f"dataset_{number}.csv"
        assert received[key]["id"].tolist() == read_csv(file)["id"].tolist()


def test_a_users_own_asset_that_returns_a_value_keeps_it(bench: Bench) -> None:
    """With an IO manager of the user's choice beside ours."""

    @dg.asset(
        partitions_def=partitions_of(a_series().calendar),
        ins={"dataset": dg.AssetIn(key=["demo", "dataset"])},
        io_manager_key="of_the_user",
    )
    def rows(dataset: dict[str, RecordsFile]) -> int:
        [file] = dataset.values()
        return len(file.load())

    own = dg.Definitions(assets=[rows], resources={"of_the_user": dg.mem_io_manager})
    result = bench.make(FIRST, besides=own)
    assert result.success
    assert result.output_for_node("rows") == 60


def test_a_users_own_asset_is_told_of_a_dataset_that_is_missing(bench: Bench) -> None:
    """A period that was not made yet gives a message that says so, not a puzzle."""
    result = bench.make(FIRST, assets=(), besides=downstream({}))
    [failed] = [event for event in result.all_events if event.is_step_failure]
    failure = failed.step_failure_data
    error = failure.error
    assert error is not None
    told = [failure.user_failure_data and failure.user_failure_data.description, error.message]
    told.append(error.cause.message if error.cause else None)
    assert any(
        "its dataset is missing; materialize dataset first" in (text or "") for text in told
    ), told


@pytest.mark.parametrize("unit", UNITS)
def test_the_description_says_how_often_a_period_begins(unit: str) -> None:
    """In words of the unit, in the singular for a period of one."""
    for length, words in ((1, UNITS[unit].singular), (2, f"2 {unit}")):
        series = a_series(user_input=a_user_input(period=unit, length_of_period=length))
        description = job_of(series).description
        assert description is not None
        assert f": 4 periods, one every {words} from 2024-01-01, of 60 rows each" in description


def test_a_range_of_quarters_is_materialized(bench: Bench) -> None:
    """Through Dagster, with a partition for each quarter; the dates are those of the quarter."""
    series = a_series(user_input=a_user_input(period="quarters"))
    assert bench.make("2024-01-01", "2024-07-01", series=series).success
    made = bench.instance.get_materialized_partitions(dg.AssetKey(["demo", "dataset"]))
    assert made == {"2024-01-01", "2024-04-01", "2024-07-01"}
    days = read_csv(bench.folder / "demo" / "dataset_3.csv")["date"]
    assert days.str.startswith("2024-07-").all()
