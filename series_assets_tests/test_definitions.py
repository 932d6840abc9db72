"""What Dagster loads: all series of the series dir, broken ones as assets with their faults."""

import itertools
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.asset_backfill import AssetBackfillData

from series_assets.core.errors import InputError
from series_assets.dagster.assets import NAMES
from series_assets.dagster.build import build_definitions
from series_assets.definitions import load
from series_assets.interface import generate
from series_assets.settings import SHIPPED, Settings, from_environment
from series_assets.storage.loading import load_series
from series_assets_tests.builders import a_series, a_user_input, files_in, write_series

SETTINGS = Path(__file__).parents[1] / "docs" / "settings.md"
_FAULT = (
    "bad/user_input.yml: period 'fortnights' is not known; use days, weeks, months or quarters "
    "(here: period: weeks, length_of_period: 2)"
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment with its own Dagster home, series and data."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "dagster.yaml").write_text("telemetry: {enabled: false}\nnux: {enabled: false}\n")
    (tmp_path / "series").mkdir()
    ours = {
        "DAGSTER_HOME": str(home),
        "SERIES_ASSETS_SERIES_DIR": str(tmp_path / "series"),
        "SERIES_ASSETS_DATA_DIR": str(tmp_path / "data"),
        "NO_COLOR": "1",
        "COLUMNS": "500",
    }
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SERIES_ASSETS")}
    return kept | ours


def run(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Run an installed command in another folder than the project."""
    program, *arguments = command
    return subprocess.run(
        [str(Path(sys.executable).with_name(program)), *arguments],
        env=environment,
        cwd=environment["DAGSTER_HOME"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def write_bad(folder: Path, name: str = "bad") -> None:
    """Write an invalid series."""
    write_series(folder, user_input=a_user_input(period="fortnights"), name=name)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with folders for one test."""
    (tmp_path / "series").mkdir()
    return Settings(tmp_path / "series", tmp_path / "data", strict=False)


def keys_of(definitions: dg.Definitions) -> set[str]:
    """Return the keys of all assets, as the UI shows them."""
    keys = definitions.resolve_asset_graph().materializable_asset_keys
    return {key.to_user_string() for key in keys}


def loaded(settings: Settings) -> dg.Definitions:
    """Return what loads, validated by Dagster, regardless of warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        definitions = load(settings)
        dg.Definitions.validate_loadable(definitions)
    return definitions


def assets_of(*names: str) -> set[str]:
    """Return the keys of the assets of valid series."""
    assets = ("new_records", "reference_table", "dataset", "report")
    return {f"{n}/{asset}" for n in names for asset in assets}


def test_the_series_that_ship_load(tmp_path: Path) -> None:
    """Without settings, these are the shipped series."""
    settings = from_environment({})
    assert settings.series_dir == SHIPPED
    shipped = {path.name for path in SHIPPED.iterdir() if path.is_dir()}
    with_truth = ("claims", "iot", "orders", "telecom")
    further = {f"{name}/{asset}" for name in with_truth for asset in ("state", "truth")}
    assert keys_of(loaded(settings)) == assets_of(*shipped) | further | {"claims/manifest"}


def test_adding_a_folder_adds_a_series(settings: Settings) -> None:
    """Nothing else needs to be edited."""
    write_series(settings.series_dir, name="one")
    assert keys_of(loaded(settings)) == assets_of("one")
    write_series(settings.series_dir, name="two")
    assert keys_of(loaded(settings)) == assets_of("one", "two")


def test_a_broken_series_is_an_asset_with_its_faults(settings: Settings) -> None:
    """In its description and metadata, and in a warning at load time."""
    write_bad(settings.series_dir)
    write_series(settings.series_dir, name="good")
    with pytest.warns(UserWarning) as caught:
        definitions = load(settings)
    reported = [str(one.message) for one in caught if one.category is UserWarning]
    assert reported == [f"series bad is broken:\n{_FAULT}"]  # other warnings are Dagster's
    assert keys_of(definitions) == assets_of("good") | {"bad/broken"}
    node = definitions.resolve_asset_graph().get(dg.AssetKey(["bad", "broken"]))
    assert node.group_name == "broken_series"
    assert node.description == f"This series cannot be loaded:\n\n{_FAULT}"
    assert node.metadata["faults"] == dg.TextMetadataValue(_FAULT)


def test_materializing_a_broken_series_fails_with_what_is_wrong(settings: Settings) -> None:
    """With the same message, and without running Exhibit."""
    write_bad(settings.series_dir)
    job = loaded(settings).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert failed.step_failure_data.user_failure_data is not None
    assert failed.step_failure_data.user_failure_data.description == _FAULT
    assert not settings.data_dir.exists()


def test_beside_a_broken_series_others_can_be_materialized(settings: Settings) -> None:
    """One broken series does not affect others."""
    write_bad(settings.series_dir)
    write_series(settings.series_dir, name="good")
    job = loaded(settings).resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(
            instance=instance,
            partition_key="2024-01-01",
            asset_selection=[dg.AssetKey(key.split("/")) for key in assets_of("good")],
        )
    assert result.success
    assert (settings.data_dir / "good" / "dataset_1.csv").exists()


@pytest.mark.parametrize(
    "names",
    [("my-series",), ("my-series", "my series"), ("école",), ("東京",), ("2024",), ("a.b",)],
)
def test_folders_with_invalid_names_do_not_affect_other_series(
    settings: Settings, names: tuple[str, ...]
) -> None:
    """Each is shown as an asset, although assets cannot have such names."""
    for name in names:
        write_series(settings.series_dir, name=name)
    write_series(settings.series_dir, name="good")
    keys = keys_of(loaded(settings))
    assert assets_of("good") <= keys
    assert len(keys - assets_of("good")) == len(names)


_BREAKING = {
    "a day that is none": ("user_input.yml", b"start_date: 2024-02-30\n"),
    "two documents": ("user_input.yml", b"a: 1\n---\nb: 2\n"),
    "bytes": ("user_input.yml", bytes(range(256))),
    "a list": ("specification.yml", b"- metadata\n"),
    "itself": ("specification.yml", b"metadata: &m\n  number_of_rows: *m\n"),
    "a Python object": ("specification.yml", b"metadata: !!python/object:os.system {}\n"),
    "nothing": ("specification.yml", b""),
}


@pytest.mark.parametrize(("file", "content"), _BREAKING.values(), ids=_BREAKING.keys())
def test_whatever_a_file_holds_the_other_series_load(
    settings: Settings, file: str, content: bytes
) -> None:
    """No content of a file breaks the code location."""
    write_series(settings.series_dir, name="good")
    (write_series(settings.series_dir, name="bad") / file).write_bytes(content)
    assert keys_of(loaded(settings)) == assets_of("good") | {"bad/broken"}


def test_an_empty_frequency_distribution_does_not_affect_other_series(settings: Settings) -> None:
    """A list without its header row is a fault like any other."""
    write_series(settings.series_dir, name="good")
    path = write_series(settings.series_dir, name="bad") / "specification.yml"
    text = path.read_text(encoding="utf-8")
    rows = "- frequency | probability_vector\n    - 1         | 1.0\n"
    assert f"frequency_distribution:\n    {rows}" in text
    emptied = text.replace(f"frequency_distribution:\n    {rows}", "frequency_distribution: []\n")
    path.write_text(emptied, encoding="utf-8")
    assert keys_of(loaded(settings)) == assets_of("good") | {"bad/broken"}


def test_strict_settings_refuse_to_load_a_broken_series(settings: Settings) -> None:
    """With the faults of every broken one."""
    write_bad(settings.series_dir)
    write_bad(settings.series_dir, name="worse")
    write_series(settings.series_dir, name="good")
    with pytest.raises(InputError) as caught:
        load(Settings(settings.series_dir, settings.data_dir, strict=True))
    assert str(caught.value) == f"{_FAULT}\n{_FAULT.replace('bad/', 'worse/')}"


def test_strict_settings_load_sound_series(settings: Settings) -> None:
    """Strict settings do not affect valid series."""
    write_series(settings.series_dir, name="good")
    strict = Settings(settings.series_dir, settings.data_dir, strict=True)
    assert keys_of(loaded(strict)) == assets_of("good")


def test_dagster_validates_the_definitions(environment: dict[str, str]) -> None:
    """Dagster's own command accepts the shipped series."""
    del environment["SERIES_ASSETS_SERIES_DIR"]
    ended = run(
        environment, "dagster", "definitions", "validate", "-m", "series_assets.definitions"
    )
    assert ended.returncode == 0, ended.stderr
    assert "Validation successful" in ended.stdout + ended.stderr


@pytest.mark.thorough
def test_dagster_validates_the_definitions_beside_a_broken_series(
    environment: dict[str, str],
) -> None:
    """Unless the settings are strict: then Dagster's command fails with the fault."""
    folder = Path(environment["SERIES_ASSETS_SERIES_DIR"])
    write_bad(folder)
    write_series(folder, name="good")
    loaded(Settings(folder, Path(environment["SERIES_ASSETS_DATA_DIR"]), strict=False))
    command = ("dagster", "definitions", "validate", "-m", "series_assets.definitions")
    strict = run(environment | {"SERIES_ASSETS_STRICT": "1"}, *command)
    assert strict.returncode != 0
    assert _FAULT in strict.stdout + strict.stderr


@pytest.mark.thorough
def test_dagsters_command_makes_the_files_of_ours(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """``dagster asset materialize`` over a range and ``series-assets generate``: same bytes.

    The group selected in the former also has the report.
    """
    place = write_series(Path(environment["SERIES_ASSETS_SERIES_DIR"]))
    materialized = run(
        environment,
        "dagster",
        "asset",
        "materialize",
        "-m",
        "series_assets.definitions",
        "--select",
        "group:demo",
        "--partition-range",
        "2024-01-01...2024-04-01",
    )
    assert materialized.returncode == 0, materialized.stderr
    elsewhere = tmp_path / "elsewhere"
    generate(load_series(place), elsewhere)
    assert files_in(elsewhere)
    generated = files_in(tmp_path / "data")
    assert b"4 of 4 periods" in generated.pop("demo/report.html")
    assert generated == files_in(elsewhere)


class RecordingEnvironment(Mapping[str, str]):
    """An empty environment that records the names that are read."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_every_setting_is_in_the_table_of_settings() -> None:
    """And the table has no others."""
    asked = RecordingEnvironment()
    from_environment(asked)
    assert asked.names
    rows = [line for line in SETTINGS.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    first_cells = [row.split("|")[1].strip().strip("`") for row in rows]
    settings = ("SERIES_ASSETS_", "DAGSTER_HOME")
    named = {cell for cell in first_cells if cell.startswith(settings)}
    assert named == asked.names - {"SERIES_ASSETS_WORKERS"}  # which is refused


@pytest.mark.parametrize(
    ("variables", "strict"),
    [
        ({}, False),
        ({"SERIES_ASSETS_STRICT": "0"}, False),
        ({"SERIES_ASSETS_STRICT": "False"}, False),
        ({"SERIES_ASSETS_STRICT": "off"}, False),
        ({"SERIES_ASSETS_STRICT": "1"}, True),
        ({"SERIES_ASSETS_STRICT": "YES"}, True),
    ],
)
def test_settings_are_lenient_by_default(variables: dict[str, str], strict: bool) -> None:
    """0 means the same as no value."""
    assert from_environment(variables).strict is strict


@pytest.mark.parametrize("name", ["SERIES_ASSETS_STRICT", "SERIES_ASSETS_STOCK_EXHIBIT"])
def test_a_switch_that_means_nothing_is_refused(name: str) -> None:
    """It could mean either."""
    with pytest.raises(InputError) as refused:
        from_environment({name: "maybe"})
    assert str(refused.value) == f"{name}: 'maybe' is neither on nor off; use 1 or 0"


def test_an_empty_variable_counts_as_one_that_is_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data dir is ``data`` in the working directory, the series those of the package."""
    monkeypatch.chdir(tmp_path)
    empty: dict[str, Any] = {
        "SERIES_ASSETS_SERIES_DIR": "",
        "SERIES_ASSETS_DATA_DIR": "",
        "SERIES_ASSETS_STRICT": "",
    }
    assert from_environment(empty) == Settings(SHIPPED.resolve(), tmp_path / "data", strict=False)


@pytest.mark.filterwarnings("ignore:Function `AssetSelection.sources`:DeprecationWarning")
def test_a_backfill_targets_the_periods_it_names_and_no_other() -> None:
    """Also in the middle, whatever the order in which Dagster visits downstream assets.

    That is the order of a set of keys, which differs by name and by process.
    """
    asked = ["2024-02-01", "2024-03-01"]
    names = [f"series_{number}" for number in range(10)]
    graph = build_definitions([a_series(name=name) for name in names]).resolve_asset_graph()
    selections = [NAMES, NAMES[1:], NAMES[2:]]
    with dg.DagsterInstance.ephemeral() as instance:
        for name, selection in itertools.product(names, selections):
            keys = [dg.AssetKey([name, asset]) for asset in selection]
            targets = AssetBackfillData.from_asset_partitions(
                graph, asked, keys, instance, time.time(), all_partitions=False
            ).target_subset
            found = {key: targets.get_partitions_subset(key).get_partition_keys() for key in keys}
            assert {key: sorted(partitions) for key, partitions in found.items()} == (
                dict.fromkeys(keys, asked)
            )
