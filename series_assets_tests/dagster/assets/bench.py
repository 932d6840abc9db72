"""A data folder and a Dagster instance in which tests materialize assets."""

from pathlib import Path
from typing import Any

import dagster as dg

from series_assets.core.plan.series import Series
from series_assets.dagster.build import build_definitions
from series_assets.interface import generate
from series_assets.pipeline.workspace import Workspace
from series_assets_tests.builders import a_series, files_in

ALL = ("new_records", "reference_table", "dataset")


FIRST, SECOND, THIRD, FOURTH = "2024-01-01", "2024-02-01", "2024-03-01", "2024-04-01"


class AssetBench:
    """A data folder and a Dagster instance in which tests materialize assets."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance) -> None:
        self.folder = folder
        self.instance = instance

    def materialize(
        self,
        first: str,
        last: str | None = None,
        assets: tuple[str, ...] = ALL,
        series: Series | None = None,
        more: dg.Definitions | None = None,
    ) -> dg.ExecuteInProcessResult:
        """Materialize assets of one partition, or of a range in one run."""
        series = series or a_series()
        workspace = Workspace(self.folder)
        definitions = build_definitions([series], {"workspace": workspace})
        keys = [dg.AssetKey([series.name, asset]) for asset in assets]
        if more:
            definitions = dg.Definitions.merge(definitions, more)
            keys += [asset.key for asset in more.assets or []]  # type: ignore[union-attr]
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

    def failure_message(self, *args: Any, **kwargs: Any) -> str:
        """Materialize assets, which must fail, and return the reason that the UI shows."""
        result = self.materialize(*args, **kwargs)
        assert not result.success
        [failed] = [event for event in result.all_events if event.is_step_failure]
        failure = failed.step_failure_data.user_failure_data
        assert failure is not None, failed.step_failure_data.error
        assert failure.description is not None
        return failure.description

    def recorded_partitions(self, asset: str, series: str = "demo") -> set[str]:
        """Return the partitions that the instance has recorded as materialized."""
        return set(self.instance.get_materialized_partitions(dg.AssetKey([series, asset])))

    @property
    def files(self) -> dict[str, bytes]:
        """All files in the data folder except the database."""
        return files_in(self.folder)


def files_by_command_line(folder: Path, series: Series | None = None) -> dict[str, bytes]:
    """Return the files that the command line writes for a series."""
    generate(series=series or a_series(), data_dir=folder)
    return files_in(folder)


def files_of_datasets(files: dict[str, bytes], *numbers: int) -> dict[str, bytes]:
    """Return those of the files that belong to the datasets with the given numbers."""
    names = {f"dataset_{number}" for number in numbers}
    return {path: data for path, data in files.items() if Path(path).name.split(".")[0] in names}


def has_no_scratch(folder: Path) -> bool:
    """Return whether no run has left its scratch folder behind."""
    return not (folder / ".runs").exists()
