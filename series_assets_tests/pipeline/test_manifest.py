"""Manifests are readable by existing tools, form a chain, and are the last file of a period."""

import json
import subprocess
import sys
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from series_assets.core.errors import RequestError
from series_assets.core.plan.series import Series
from series_assets.interface import generate
from series_assets.storage.files import read_records
from series_assets_tests.builders import a_series, a_specification, a_user_input, files_in


def _series(**keys: Any) -> Series:
    return a_series(None, a_user_input(manifest=True, **keys))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A series of four periods with manifests and a history."""
    folder = tmp_path_factory.mktemp("manifests")
    generate(_series(truth={}), folder)
    return folder


def _manifest(data: Path, number: int) -> Any:
    return json.loads((data / "demo" / f"dataset_{number}.manifest.json").read_text("utf-8"))


def test_each_manifest_describes_its_dataset(data: Path) -> None:
    """Hash, bytes, rows, exact totals and dates are those of the file."""
    for number in range(1, 5):
        manifest = _manifest(data, number)
        path = data / "demo" / f"dataset_{number}.csv"
        (resource,), own = manifest["resources"], manifest["series"]
        assert resource["path"] == path.name
        assert resource["bytes"] == path.stat().st_size
        assert resource["hash"] == f"sha256:{sha256(path.read_bytes()).hexdigest()}"
        rows = read_records(path)
        assert [field["name"] for field in resource["schema"]["fields"]] == list(rows.columns)
        assert (own["rows"], own["entities"]) == (len(rows), rows["id"].nunique())
        total = own["totals"]["amount"]
        assert total["count"] == rows["amount"].notna().sum()
        assert Decimal(total["sum"]) == sum(map(Decimal, rows["amount"].dropna()))
        assert own["dates"] == {"date": [rows["date"].min(), rows["date"].max()]}
        assert sum(own["operations"].values()) + own["superseded"] + own["unkeyed"] == len(rows)


def test_each_manifest_names_the_one_before(data: Path) -> None:
    """By its digest, so that a changed period shows in all later ones."""
    assert _manifest(data, 1)["series"]["parent"] is None
    for number in range(2, 5):
        before = (data / "demo" / f"dataset_{number - 1}.manifest.json").read_bytes()
        assert _manifest(data, number)["series"]["parent"] == sha256(before).hexdigest()


@pytest.mark.slow
def test_frictionless_accepts_each_and_finds_a_file_that_was_cut(
    data: Path, tmp_path: Path
) -> None:
    """``frictionless validate --type package``, as a consumer runs it."""
    paths = sorted((data / "demo").glob("*.manifest.json"))
    program = (
        "import sys\nfrom frictionless import Package\n"
        "print([Package(path).validate().valid for path in sys.argv[1:]])"
    )
    cut = tmp_path / paths[0].name
    cut.write_bytes(paths[0].read_bytes())
    whole = (data / "demo" / "dataset_1.csv").read_bytes()
    (tmp_path / "dataset_1.csv").write_bytes(whole[: len(whole) // 2])
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, paths), str(cut)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == str([True] * len(paths) + [False]), done.stderr


def test_a_manifest_needs_no_history_and_changes_no_other_file(data: Path, tmp_path: Path) -> None:
    """Then it has no operations; without the key there is no manifest."""
    generate(_series(), tmp_path)
    assert not {"operations", "superseded", "unkeyed"} & _manifest(tmp_path, 2)["series"].keys()
    generate(a_series(), tmp_path)
    assert list((tmp_path / "demo").glob("*.manifest.json")) == []
    plain = files_in(tmp_path)
    assert plain.items() <= files_in(data).items()


def test_a_manifest_whose_predecessor_is_missing_is_refused(tmp_path: Path) -> None:
    """Also if it is stale, because the chain would lead to another version of the series."""
    generate(a_series(), tmp_path)
    path = tmp_path / "demo" / "dataset_2.manifest.json"
    with pytest.raises(RequestError) as caught:
        generate(_series(), tmp_path, "2024-03-01")
    assert str(caught.value) == (
        f"{path} is missing, but the next manifest has to refer to it; first run series-assets "
        "generate demo "
        "--periods 2024-02-01, or materialize manifest of that partition"
    )
    generate(_series(), tmp_path, "2024-01-01..2024-02-01")
    path.write_text(path.read_text().replace(_series().fingerprint, "another"))
    with pytest.raises(
        RequestError, match="was generated from another version of the series' two files"
    ):
        generate(_series(), tmp_path, "2024-03-01")


def test_a_column_without_values_has_a_total_and_no_dates(tmp_path: Path) -> None:
    """The sum is 0, and there is no first date."""
    specification = a_specification()
    for name in ("amount", "date"):
        specification["columns"][name]["miss_probability"] = 1.0
    series = a_series(specification, a_user_input(manifest=True, num_datasets=1))
    generate(series, tmp_path)
    own = _manifest(tmp_path, 1)["series"]
    assert own["totals"] == {"amount": {"count": 0, "sum": "0"}}
    assert own["dates"] == {}
