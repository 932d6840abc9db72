"""The metadata of each partition in Dagster: correct, its own, and read from the disk."""

import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from series_assets.core.plan.series import Series
from series_assets.dagster.assets import keys_of
from series_assets.dagster.build import build_definitions
from series_assets.pipeline.workspace import Workspace
from series_assets.storage.files import read_records
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_series, a_specification, a_user_input, write_series
from series_assets_tests.dagster.recorded_metadata import table

FIRST, SECOND, THIRD = "2024-01-01", "2024-02-01", "2024-03-01"
Told = dict[str, dict[str, Any]]


def generate_periods(
    folder: Path, instance: dg.DagsterInstance, series: Series, first: str, last: str, **more: Any
) -> dict[str, Told]:
    """Generate periods in one run, and return the metadata by asset and partition."""
    workspace = Workspace(data_dir=str(folder), **more)
    definitions = build_definitions([series], {"workspace": workspace})
    result = definitions.resolve_job_def(series.name).execute_in_process(
        instance=instance,
        tags={
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        },
    )
    assert result.success
    return {key.path[-1]: _told(instance, key) for key in keys_of(series.name)}


def _told(instance: dg.DagsterInstance, key: dg.AssetKey) -> Told:
    records = instance.fetch_materializations(key, 100).records
    return {
        str(record.partition_key): dict(record.asset_materialization.metadata)
        for record in records
        if record.asset_materialization
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of these tests."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def recorded(folder: Path) -> Iterator[dict[str, Told]]:
    """The metadata of three periods that were generated in one run."""
    specification = a_specification()
    specification["columns"]["region"]["miss_probability"] = 0.5
    specification["derived_columns"] = {"double": "(amount * 2)"}
    own = a_user_input(static_columns=["sex"])
    with dg.DagsterInstance.ephemeral() as instance:
        yield generate_periods(folder, instance, a_series(specification, own), FIRST, THIRD)


def plain(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return the values that are numbers or text."""
    values = {name: entry.value for name, entry in metadata.items()}
    return {name: value for name, value in values.items() if isinstance(value, int | str)}


def test_counts_and_days_of_new_records(recorded: dict[str, Told]) -> None:
    """Each partition has its own, also in a run of a range."""
    wanted = [(FIRST, 1, "2024-01-31", 60), (SECOND, 2, "2024-02-29", 20)]
    for key, number, last, rows in wanted:
        found = plain(recorded["new_records"][key])
        assert {
            "dataset_number": number,
            "period_start": key,
            "period_end": last,
            "rows_requested": rows,
            "dagster/row_count": rows,
        }.items() <= found.items()
        assert found["path"].endswith(f"demo/new_records/dataset_{number}.csv")


def test_counts_of_the_reference_table(recorded: dict[str, Told]) -> None:
    """New entities, and their total from period to period."""
    so_far = 0
    for key in (FIRST, SECOND, THIRD):
        found = plain(recorded["reference_table"][key])
        assert found["new_entities"] == plain(recorded["new_records"][key])["new_entities"] > 0
        so_far += found["new_entities"]
        assert found["total_entities"] == so_far
        assert found["dagster/table_name"] == "demo_reference"


def test_counts_of_a_dataset(recorded: dict[str, Told], folder: Path) -> None:
    """Requested and delivered, new and existing, and the entities available for sampling."""
    found = plain(recorded["dataset"][THIRD])
    records = read_records(folder / "demo" / "dataset_3.csv")
    assert {
        "new_rows": 20,
        "existing_rows": 40,
        "new_rows_requested": 20,
        "existing_rows_requested": 40,
        "dagster/row_count": 60,
        "entities": records["id"].nunique(),
        "earlier_entities": plain(recorded["reference_table"][SECOND])["total_entities"],
    }.items() <= found.items()


def test_seeds_are_those_of_the_saved_specifications(
    recorded: dict[str, Told], folder: Path
) -> None:
    """The seeds that were used are shown."""
    for key, number in ((SECOND, 2), (THIRD, 3)):
        for asset, part in (("new_records", "new"), ("dataset", "existing")):
            text = (folder / "demo" / f"dataset_{number}.{part}.yml").read_text()
            seeds = recorded[asset][key]["seeds"].value
            assert seeds["random_seed"] == yaml.safe_load(text)["metadata"]["random_seed"]


def test_files_with_their_sizes(recorded: dict[str, Told], folder: Path) -> None:
    """Those of the partition, as on the disk."""
    [*files] = table(recorded["dataset"][SECOND]["files"])
    assert [Path(file["file"]).name for file in files] == [
        "dataset_2.csv",
        "dataset_2.new.yml",
        "dataset_2.existing.yml",
    ]
    for file in files:
        assert Path(file["file"]).stat().st_size == file["bytes"]
    assert len(table(recorded["dataset"][FIRST]["files"])) == 2


def test_the_first_rows_and_the_columns(recorded: dict[str, Told], folder: Path) -> None:
    """As in the file: the text of the first rows, types, missing values."""
    metadata = recorded["dataset"][SECOND]
    records = read_records(folder / "demo" / "dataset_2.csv")
    missing = int(records["region"].isna().sum())
    assert missing > 0
    first = records.head(5).fillna("").to_dict("records")
    assert table(metadata["first_rows"]) == first
    schema = metadata["dagster/column_schema"].schema
    assert [(column.name, column.type, column.description) for column in schema.columns] == [
        ("id", "text", "identifies the entity; issued once, kept for life; 0 missing"),
        ("sex", "text", "belongs to the entity, which keeps its value; 0 missing"),
        ("region", "text", f"generated afresh in each period; {missing} missing"),
        ("date", "date", "its dates move with the period; 0 missing"),
        ("amount", "number", "generated afresh in each period; 0 missing"),
        ("double", "number", "computed from other columns; (amount * 2); 0 missing"),
    ]
    assert [column.tags["role"] for column in schema.columns] == [
        "identifier",
        "static",
        "generated",
        "moved",
        "generated",
        "derived",
    ]
    region = {"column": "region", "type": "text", "role": "generated", "missing": missing}
    assert region in table(metadata["columns"])


def test_the_lineage_of_columns(recorded: dict[str, Told]) -> None:
    """Existing records take identifiers and static columns from the reference table."""
    lineage = {
        asset: {
            column: ["/".join((*dep.asset_key.path, dep.column_name)) for dep in deps]
            for column, deps in recorded[asset][SECOND][
                "dagster/column_lineage"
            ].value.deps_by_column.items()
        }
        for asset in ("reference_table", "dataset")
    }
    assert lineage["dataset"]["id"] == ["demo/new_records/id", "demo/reference_table/id"]
    assert lineage["dataset"]["sex"] == ["demo/new_records/sex", "demo/reference_table/sex"]
    assert lineage["dataset"]["amount"] == ["demo/new_records/amount"]
    assert lineage["reference_table"]["sex"] == ["demo/new_records/sex"]
    assert "dagster/column_lineage" not in recorded["new_records"][SECOND]


def test_nothing_empty_is_shown(recorded: dict[str, Told]) -> None:
    """No table without rows, no text without words."""
    for by_partition in recorded.values():
        for metadata in by_partition.values():
            for name, entry in metadata.items():
                assert entry.value not in ("", [], {}), name
                if isinstance(entry, dg.TableMetadataValue):
                    assert entry.records, name


def test_the_definitions_show_columns_and_places_before_the_first_run(tmp_path: Path) -> None:
    """And the two files that describe the series."""
    specification = a_specification()
    specification["derived_columns"] = {"double": "(amount * 2)"}
    folder = write_series(tmp_path / "series", specification, a_user_input(), name="demo")
    data = tmp_path / "data"
    definitions = build_definitions([load_series(folder)], {"workspace": Workspace(data)})
    graph = definitions.resolve_asset_graph()
    shown = {key.path[-1]: graph.get(key).metadata for key in keys_of("demo")}
    places = {
        "new_records": data / "demo" / "new_records",
        "reference_table": data / "exhibit.db",
        "dataset": data / "demo",
    }
    for name, metadata in shown.items():
        assert metadata["path"] == dg.MetadataValue.path(places[name])
        assert metadata["dagster/uri"] == places[name].as_uri()
        columns = metadata["dagster/column_schema"].columns
        assert {column.name: column.type for column in columns}["double"] == "number"
        references = metadata["dagster/code_references"].code_references
        assert [reference.file_path for reference in references] == [
            str(folder / "specification.yml"),
            str(folder / "user_input.yml"),
        ]
    assert shown["reference_table"]["dagster/table_name"] == "demo_reference"


def test_the_specification_diff(recorded: dict[str, Told]) -> None:
    """A diff against the user's file: seeds, rows, dates; for existing records also sampling."""
    new = recorded["new_records"][SECOND]["specification_diff"].value
    assert new.startswith("```diff\n") and new.endswith("\n```")
    for line in ("-  number_of_rows: 60", "+  number_of_rows: 20"):
        assert line in new.splitlines()
    assert any(line.strip() == "+    from: '2024-02-01'".strip() for line in new.splitlines())
    existing = recorded["dataset"][SECOND]["specification_diff"].value
    assert "+    anonymising_set: demo_reference" in existing.splitlines()
    assert "specification_diff" not in recorded["new_records"][FIRST]
    assert "specification_diff" not in recorded["dataset"][FIRST]


def test_what_exhibit_output(tmp_path: Path) -> None:
    """Word for word."""
    specification = a_specification()
    specification["constraints"]["allow_duplicates"] = False
    specification["metadata"]["uuid_columns"] = ["id"]
    specification["columns"]["id"]["miss_probability"] = 1.0
    with dg.DagsterInstance.ephemeral() as instance:
        series = a_series(specification, a_user_input(fraction_of_new=1))
        found = generate_periods(tmp_path, instance, series, FIRST, FIRST)["new_records"][FIRST]
    lost = 60 - found["dagster/row_count"].value
    assert lost > 0
    assert f"Deleted {lost} duplicates" in found["exhibit_output"].value
    assert found["rows_requested"].value == 60


def test_a_period_without_new_records_says_so(tmp_path: Path) -> None:
    """No file, no seeds, no rows."""
    with dg.DagsterInstance.ephemeral() as instance:
        series = a_series(user_input=a_user_input(fraction_of_new=0))
        found = generate_periods(tmp_path, instance, series, FIRST, SECOND)
    assert plain(found["new_records"][SECOND]) == {
        "dataset_number": 2,
        "period_start": SECOND,
        "period_end": "2024-02-29",
        "rows_requested": 0,
        "dagster/row_count": 0,
    }
    assert plain(found["reference_table"][SECOND])["new_entities"] == 0
    assert plain(found["dataset"][SECOND])["new_rows"] == 0


def test_what_is_told_can_be_stored(recorded: dict[str, Told]) -> None:
    """Dagster keeps it as JSON; nothing but plain values may be in it."""
    for by_partition in recorded.values():
        for metadata in by_partition.values():
            for entry in metadata.values():
                json.loads(dg.serialize_value(entry))


def test_a_picture_of_each_dataset(recorded: dict[str, Told]) -> None:
    """As a PNG within the text, so that the UI needs no other address."""
    shown = {key: metadata["plot"].value for key, metadata in recorded["dataset"].items()}
    assert len(set(shown.values())) == 3
    for text in shown.values():
        head, _, content = text.partition("data:image/png;base64,")
        assert head.startswith("![") and content.endswith(")")
        assert b64decode(content[:-1]).startswith(b"\x89PNG")
