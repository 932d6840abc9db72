"""A sharded series has the same bytes however it is generated, and readers read all parts."""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest

from series_assets.core.errors import GenerationError
from series_assets.core.plan.series import Plan, Series
from series_assets.interface import check, generate, iter_datasets
from series_assets.pipeline.preview import preview_period
from series_assets.pipeline.progress import FinishedPhase, Progress, phases_of
from series_assets.pipeline.small_run import faults_of_trial
from series_assets.pipeline.workspace import Workspace
from series_assets.reporting.read_history import read_history
from series_assets.storage.files import parts_in, read_records
from series_assets.storage.sqlite import installed_database
from series_assets_tests.builders import a_series, a_specification, a_user_input, files_in

SHARDS = 3
THIRD = "2024-03-01"


def sharded(**keys: object) -> Series:
    """Return a series of four periods of 61 rows in three shards."""
    specification = a_specification(number_of_rows=61)
    return a_series(specification, a_user_input(**({"shards": SHARDS, "manifest": True} | keys)))


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data folder of the series, generated in one process. Tests only read it."""
    folder = tmp_path_factory.mktemp("made")
    generate(sharded(), folder, executor="none")
    return folder


def test_a_dataset_is_a_folder_of_parts(data_folder: Path) -> None:
    """Each has its specifications, its new records and its entities."""
    names = [name for name in files_in(data_folder) if "_2" in name]
    parts = [f"part-000{shard}" for shard in (1, 2, 3)]
    assert sorted(names) == sorted(
        [
            "demo/dataset_2.manifest.json",
            *(f"demo/dataset_2/{part}.csv" for part in parts),
            *(f"demo/dataset_2/specifications/{part}.new.yml" for part in parts),
            *(f"demo/dataset_2/specifications/{part}.existing.yml" for part in parts),
            *(f"demo/new_records/dataset_2/{part}.csv" for part in parts),
            *(f"demo/reference/period_2/{part}.parquet" for part in parts),
        ]
    )
    rows = [len(read_records(path)) for path in parts_in(data_folder / "demo" / "dataset_2")]
    assert rows == [7 + 14, 7 + 14, 6 + 13]


def test_the_bytes_do_not_depend_on_the_processes(data_folder: Path, tmp_path: Path) -> None:
    """Nor on how periods are distributed over runs; no temporary files are left."""
    generate(sharded(), tmp_path, "2024-01-01..2024-02-01", executor="processes:2")
    generate(sharded(), tmp_path, f"{THIRD}..2024-04-01", executor="none")
    assert files_in(tmp_path) == files_in(data_folder)
    assert not (tmp_path / ".runs").exists()


def test_entities_stay_in_their_shard(data_folder: Path) -> None:
    """Existing records are of entities of the same shard, new ones of unknown entities."""
    known: list[set[str]] = [set() for _ in range(SHARDS)]
    for number in range(1, 5):
        for shard, path in enumerate(parts_in(data_folder / "demo" / f"dataset_{number}")):
            new = set(
                read_records(
                    data_folder / "demo" / "new_records" / f"dataset_{number}" / path.name
                )["id"]
            )
            ids = set(read_records(path)["id"])
            assert not new & set().union(*known)
            assert ids - new <= known[shard]
            known[shard] |= new
    assert len(set().union(*known)) == sum(map(len, known))


def test_all_rules_hold_and_a_changed_part_is_found(data_folder: Path, tmp_path: Path) -> None:
    """The examined rows are those of all parts."""
    results = check(sharded(), data_folder)
    assert [result.complaints() for result in results] == [[]] * 4
    counted = {one.rule: one.examined for one in results[1].findings}
    assert counted["counts"] == counted["identifiers"] == 61
    generate(sharded(), tmp_path, "2024-01-01..2024-02-01", executor="none")
    path = parts_in(tmp_path / "demo" / "dataset_2")[2]
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    _, second = check(sharded(), tmp_path)
    assert [finding.rule for finding in second.findings if finding.wrong] == ["counts"]


def test_a_part_that_is_missing_is_named(data_folder: Path, tmp_path: Path) -> None:
    """A dataset without one of its parts is not delivered, and no check skips it."""
    generate(sharded(), tmp_path, "2024-01-01", executor="none")
    layout = Workspace(tmp_path).layout(sharded())
    assert layout.is_delivered(1)
    parts_in(layout.dataset(1))[1].unlink()
    assert not layout.is_delivered(1)
    [result] = check(sharded(), tmp_path)
    assert result.complaints() == [
        f"2024-01-01: {layout.dataset(1)}/part-0002.csv is missing; generate dataset of 2024-01-01"
    ]


def test_trials_and_previews_run_it_in_one_shard() -> None:
    """Few rows suffice to find what fails in any shard."""
    assert list(faults_of_trial(sharded(), installed_database())) == []
    preview = preview_period(sharded(), THIRD, installed_database())
    assert len(preview.dataset) == 61


def test_the_history_counts_all_parts(data_folder: Path) -> None:
    """Rows, entities and origins of a period are those of all its shards."""
    history = read_history(sharded(), Workspace(data_folder).layout(sharded()))
    assert history.all_remarks == []
    assert [one.entities for one in history.periods] == [61, 20, 20, 20]
    for one in history.periods:
        assert one.delivered
        assert (one.delivered.new, one.delivered.existing) == (61, 0) if one.k == 0 else (20, 41)
        assert set(one.delivered.origins) <= set(range(one.k))


def test_the_manifest_covers_all_parts(data_folder: Path) -> None:
    """Each part is a resource; totals are those of all rows."""
    before = b""
    for number in range(1, 5):
        path = data_folder / "demo" / f"dataset_{number}.manifest.json"
        manifest, records = json.loads(path.read_text()), data_folder / "demo" / f"dataset_{number}"
        texts = read_records(records)
        for resource, part in zip(manifest["resources"], parts_in(records), strict=True):
            content = part.read_bytes()
            assert resource["path"] == f"dataset_{number}/{part.name}"
            assert resource["bytes"] == len(content)
            assert resource["hash"] == f"sha256:{sha256(content).hexdigest()}"
        own = manifest["series"]
        assert own["parent"] == (sha256(before).hexdigest() if before else None)
        assert (own["rows"], own["entities"]) == (len(texts), texts["id"].nunique())
        assert float(own["totals"]["amount"]["sum"]) == pytest.approx(
            texts["amount"].astype(float).sum()
        )
        assert own["dates"]["date"] == [texts["date"].min(), texts["date"].max()]
        assert "texts" not in own
        before = path.read_bytes()


def test_datasets_come_as_frames_of_all_parts(data_folder: Path) -> None:
    """Typed, part by part in order."""
    frames = dict(iter_datasets(sharded(num_datasets=2)))
    found = frames["2024-02-01"]
    pd.testing.assert_series_equal(
        found["id"], read_records(data_folder / "demo" / "dataset_2")["id"], check_names=False
    )
    assert found["date"].dtype.kind == "M"


class _Heard(Progress):
    def __init__(self) -> None:
        self.finished_phases: list[FinishedPhase] = []

    def finished(self, result: FinishedPhase) -> None:
        self.finished_phases.append(result)


def test_each_phase_of_each_part_is_reported_once(tmp_path: Path) -> None:
    """So that a progress bar reaches its end."""
    series, heard = sharded(num_datasets=2), _Heard()
    generate(series, tmp_path, executor="processes:2", progress=heard)
    wanted = [(key, phase) for key in series.calendar.keys for phase in phases_of(series)]
    found = [(one.period.key, one.phase) for one in heard.finished_phases]
    assert sorted(found) == sorted(wanted)
    texts = [str(one).rpartition(",")[0] for one in heard.finished_phases]
    assert "dataset, part 3 of 3: 2 of 2: 2024-02-01, 6 new and 13 existing rows" in texts


@pytest.mark.thorough
@pytest.mark.parametrize("executor", ["none", "processes:2"])
def test_a_part_that_fails_is_named_and_what_came_before_stays(
    tmp_path: Path, data_folder: Path, executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command again completes it with the bytes of an undisturbed run."""

    def failing(series: Series, plan: Plan, *more: object) -> object:
        if plan.period.key == THIRD and plan.run.shard == 1:
            raise GenerationError("fails here")
        return original(series, plan, *more)  # type: ignore[arg-type]

    from series_assets.pipeline import dataset

    original: Callable[..., object] = dataset.make_dataset
    with monkeypatch.context() as patch:
        patch.setattr(dataset, "make_dataset", failing)
        with pytest.raises(GenerationError) as caught:
            generate(sharded(), tmp_path, executor=executor)
    assert str(caught.value) == f"demo, period {THIRD}, shard 2 of 3: fails here"
    expected = files_in(data_folder)
    for name in [name for name in expected if "_1" in name or "_2" in name]:
        assert (tmp_path / name).read_bytes() == expected[name]
    assert not (tmp_path / "demo" / "dataset_4").exists()
    generate(sharded(), tmp_path, f"{THIRD}..2024-04-01", executor=executor)
    assert files_in(tmp_path) == expected


def _contents(folder: Path) -> Iterator[str]:
    yield from (name for name in files_in(folder) if "dataset_1" in name)


def test_totals_of_an_entity_are_over_its_rows_in_the_dataset(tmp_path: Path) -> None:
    """A derived column grouped by the identifier is the same by part as over all rows."""
    specification = a_specification(number_of_rows=60)
    column = specification["columns"]["id"]
    column["frequency_distribution"] = ["frequency | probability_vector", "3 | 1.0"]
    specification["derived_columns"] = {"total": "df.groupby('id')['amount'].sum()"}
    series = a_series(specification, a_user_input(shards=2, num_datasets=2))
    generate(series, tmp_path, executor="none")
    rows = read_records(tmp_path / "demo" / "dataset_2").astype({"amount": float, "total": float})
    expected = rows.groupby("id")["amount"].transform("sum")
    assert rows["total"].to_numpy() == pytest.approx(expected.to_numpy())
    assert [result.complaints() for result in check(series, tmp_path)] == [[], []]


def test_another_number_of_shards_leaves_nothing_of_the_former(tmp_path: Path) -> None:
    """From one to several, from several to fewer, and back to one; also with another format."""
    for shards, form in ((1, "csv"), (3, "parquet"), (2, "csv"), (1, "csv")):
        series = sharded(shards=shards, format=form, num_datasets=1)
        generate(series, tmp_path, executor="none")
        fresh = tmp_path.parent / f"{tmp_path.name}_fresh_{shards}"
        if not fresh.exists():
            generate(series, fresh, executor="none")
        assert list(_contents(tmp_path)) == list(_contents(fresh))


@pytest.mark.parametrize("executor", ["none", "processes:2"])
def test_a_manifest_that_cannot_be_removed_fails_its_period_alone(
    tmp_path: Path, executor: str
) -> None:
    """Periods before it are completed first."""
    generate(sharded(), tmp_path, executor="none")
    manifest = tmp_path / "demo" / "dataset_3.manifest.json"
    manifest.unlink()
    (manifest / "taken").mkdir(parents=True)
    before = (tmp_path / "demo" / "dataset_2.manifest.json").read_bytes()
    (tmp_path / "demo" / "dataset_2.manifest.json").unlink()
    with pytest.raises(GenerationError, match=f"^demo, period {THIRD}: "):
        generate(sharded(), tmp_path, executor=executor)
    assert (tmp_path / "demo" / "dataset_2.manifest.json").read_bytes() == before
