"""Series with ``format: parquet``: typed values of the CSV, for every reader."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from series_assets.core.errors import SeriesError
from series_assets.core.plan.series import Series
from series_assets.core.typed_records import typed_table, types_of
from series_assets.interface import check, generate, iter_datasets, truth
from series_assets.pipeline.workspace import Workspace
from series_assets.storage.files import parse_table, read_header, read_table
from series_assets_tests.builders import a_series, a_specification, a_user_input, files_in

_SCHEMA = {
    "id": pa.string(),
    "number": pa.int64(),
    "sex": pa.string(),
    "region": pa.string(),
    "amount": pa.float64(),
    "visits": pa.int64(),
    "date": pa.date32(),
    "born": pa.date32(),
    "double": pa.float64(),
    "label": pa.string(),
    "share": pa.float64(),
    "large": pa.string(),
    "odd": pa.string(),
    "flags": pa.float64(),
}


def _series(**keys: Any) -> Series:
    specification = a_specification(
        uuid_columns=["id", "number"],
        numerical_columns=["amount", "visits"],
        date_columns=["date", "born"],
    )
    columns = specification["columns"]
    columns["number"] = {**columns["id"], "anonymising_set": "range"}
    columns["visits"] = {**columns["amount"], "precision": "integer", "miss_probability": 0.3}
    columns["born"] = {**columns["date"], "from": "1990-01-01", "to": "1999-12-31", "uniques": 900}
    columns["born"]["miss_probability"] = 0.2
    specification["derived_columns"] = {
        "double": "visits * 2",
        "label": "region.str.upper()",
        "share": "amount / amount.sum()",
        "large": "amount > 50",
        "odd": "~(large | visits.isna())",
        "flags": "large * 1",
    }
    asked = {"static_columns": ["sex", "born", "visits"], "manifest": True, "num_datasets": 3}
    block = {"track": ["region", "amount"], "order_by": "date"}
    return a_series(specification, a_user_input(**(asked | {"truth": block} | keys)))


@pytest.fixture(scope="module")
def both_formats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same series as CSV and as Parquet, each in a folder of that name."""
    folder = tmp_path_factory.mktemp("formats")
    for format_ in ("csv", "parquet"):
        generate(_series(format=format_), folder / format_, executor="none")
    return folder


def _paths(both_formats: Path, format_: str) -> list[Path]:
    return sorted((both_formats / format_ / "demo").rglob(f"dataset_*.{format_}"))


def test_the_files_have_the_values_of_the_csv_in_one_schema(both_formats: Path) -> None:
    """Types follow from the specification; nothing else differs."""
    texts, typed = _paths(both_formats, "csv"), _paths(both_formats, "parquet")
    assert len(texts) == len(typed) == 6
    for one, other in zip(texts, typed, strict=True):
        table = parquet.read_table(other)
        assert dict(zip(table.schema.names, table.schema.types, strict=True)) == _SCHEMA
        assert table == typed_table(read_table(one), types_of(_series()))
        assert table["visits"].null_count


def test_a_file_is_compressed_and_says_nothing_of_its_origin(both_formats: Path) -> None:
    """One row group, without pandas' metadata, a time stamp or a host name."""
    file = parquet.ParquetFile(_paths(both_formats, "parquet")[0])
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert set(file.metadata.metadata or {}) <= {b"ARROW:schema"}
    assert file.schema_arrow.metadata is None


def test_the_bytes_are_the_same_in_any_run(both_formats: Path, tmp_path: Path) -> None:
    """With several processes, and for a regenerated period."""
    series = _series(format="parquet")
    generate(series, tmp_path, executor="processes:2")
    assert files_in(tmp_path) == files_in(both_formats / "parquet")
    generate(series, tmp_path, series.calendar.keys[1])
    assert files_in(tmp_path) == files_in(both_formats / "parquet")


def test_what_reads_datasets_reads_both_formats(both_formats: Path) -> None:
    """Checks, the history, and the Python interface."""
    csv, typed = _series(), _series(format="parquet")
    assert all(result.holds for result in check(typed, both_formats / "parquet"))
    pd.testing.assert_frame_equal(
        truth(typed, both_formats / "parquet"), truth(csv, both_formats / "csv")
    )
    names = ["visits", "double", "flags"]  # integers that have a decimal point in the CSV
    frames = zip(iter_datasets(csv), iter_datasets(typed), strict=True)
    for (key, one), (other_key, other) in frames:
        assert key == other_key
        one[names], other[names] = one[names].astype(float), other[names].astype(float)
        pd.testing.assert_frame_equal(one, other)


def test_a_file_is_read_by_column_from_its_path_or_its_bytes(both_formats: Path) -> None:
    """As for CSV: a missing column is a KeyError, anything else a ValueError."""
    path = _paths(both_formats, "parquet")[0]
    assert sorted(read_header(path)) == sorted(_SCHEMA)
    table = read_table(path, ["date", "id"])
    assert table.column_names == ["date", "id"] and set(table.schema.types) == {pa.string()}
    assert parse_table(path.read_bytes(), ["date", "id"]) == table
    with pytest.raises(KeyError, match="other"):
        read_table(path, ["other"])
    broken = both_formats / "broken.parquet"
    broken.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match="Parquet"):
        read_table(broken)


def test_the_manifest_describes_a_parquet_file(both_formats: Path) -> None:
    """Its fields have the types of the file; everything else is as with CSV."""
    import json

    one, other = (
        json.loads((both_formats / format_ / "demo" / "dataset_2.manifest.json").read_text())
        for format_ in ("csv", "parquet")
    )
    [resource] = other["resources"]
    assert resource["path"] == "dataset_2.parquet" and resource["format"] == "parquet"
    assert "encoding" not in resource
    types = {field["name"]: field["type"] for field in resource["schema"]["fields"]}
    assert types["visits"] == "integer" and types["double"] == "number" and types["born"] == "date"
    apart = {"fingerprint", "parent"}
    assert {k: v for k, v in one["series"].items() if k not in apart} == {
        k: v for k, v in other["series"].items() if k not in apart
    }


def test_another_format_replaces_the_files(both_formats: Path, tmp_path: Path) -> None:
    """The format is in the fingerprint, so all periods are regenerated and none remains twice."""
    csv, typed = _series(), _series(format="parquet")
    assert csv.fingerprint == _series(format="csv").fingerprint != typed.fingerprint
    generate(csv, tmp_path)
    keys = csv.calendar.keys
    with pytest.raises(SeriesError, match="another version of the series' two files"):
        generate(typed, tmp_path, keys[1])
    generate(typed, tmp_path)
    assert files_in(tmp_path) == files_in(both_formats / "parquet")


def test_a_value_that_does_not_fit_its_type_is_reported() -> None:
    """With the column, the value and the remedy."""
    specification = a_specification()
    specification["columns"]["amount"]["precision"] = "integer"
    series = a_series(specification)
    table = pa.table({"amount": pa.array(["1", "2.5"])})
    with pytest.raises(SeriesError) as caught:
        typed_table(table, types_of(series))
    assert str(caught.value) == (
        "its column 'amount' has the value '2.5', which is not a whole number, so that it does not "
        "fit into a Parquet file; use format: csv, or correct the column"
    )


def test_clean_finds_the_files(both_formats: Path) -> None:
    """Files of either format belong to the series."""
    layout = Workspace(both_formats / "parquet").layout(_series(format="parquet"))
    assert set(_paths(both_formats, "parquet")) <= set(layout.existing_files())


@pytest.mark.thorough
def test_the_parts_of_a_sharded_series_are_parquet(tmp_path: Path) -> None:
    """In folders of parts, with the same bytes for any number of processes; checks work."""
    specification = a_specification()
    series = a_series(specification, a_user_input(format="parquet", shards=2, manifest=True))
    generate(series, tmp_path / "one", executor="none")
    generate(series, tmp_path / "two", executor="processes:2")
    files = files_in(tmp_path / "one")
    assert files_in(tmp_path / "two") == files
    parts = sorted((tmp_path / "one" / "demo" / "dataset_2").glob("part-*"))
    assert [path.name for path in parts] == ["part-0001.parquet", "part-0002.parquet"]
    assert sum(len(parquet.read_table(path)) for path in parts) == 60
    assert all(result.holds for result in check(series, tmp_path / "one"))
    csv = a_series(specification, a_user_input(shards=2))
    generate(csv, tmp_path / "one")
    left = (tmp_path / "one" / "demo").glob("**/dataset_*/part-*.parquet")
    assert list(left) == []
