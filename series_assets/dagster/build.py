"""The one builder of Dagster definitions, for the webserver, the command line and the tests.

Which series there are and where files go is decided by who calls it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from series_assets.core.errors import InputError
from series_assets.core.plan.series import Series
from series_assets.dagster.asset_checks import checks_of
from series_assets.dagster.assets import assets_of, broken_asset, job_of
from series_assets.dagster.io_manager import SeriesIOManager
from series_assets.dagster.ops import Tools
from series_assets.dagster.report_asset import report_asset
from series_assets.dagster.sensors import sensor_of
from series_assets.pipeline.workspace import Workspace
from series_assets.storage.loading import BrokenSeries
from series_assets.storage.unexpected_errors import errors_as_faults


class _Built(NamedTuple):
    """What a series is to Dagster."""

    assets: Sequence[Any]
    checks: Sequence[Any]
    job: Any
    sensor: Any


def build_definitions(
    series: Sequence[Series | BrokenSeries],
    resources: Mapping[str, Any] | None = None,
    # A process for each op would cost more than most ops take.
    executor: dg.ExecutorDefinition | None = dg.in_process_executor,
    *,
    checks: bool = True,
) -> dg.Definitions:
    """Return the definitions of the given series, which can be merged with any others.

    ``resources`` replaces by name what the series work with: ``workspace`` (a ``Workspace``; by
    default the folder ``data`` under the working directory), ``progress`` (a ``Progress``; by
    default the log of the run), ``io_manager``. They belong to the series' assets alone, see
    ``scoping``. ``executor`` is that of the code location; None leaves the choice to others.
    Without ``checks`` the datasets are made, but not checked.
    """
    given = dict(resources or {})
    workspace = given.get("workspace") or Workspace(Path("data").resolve())
    tools = Tools(workspace, given.get("progress"))
    sound = {one.name: one for one in series if isinstance(one, Series)}
    io_manager = given.get("io_manager") or SeriesIOManager(sound, workspace)
    broken = [one for one in series if isinstance(one, BrokenSeries)]
    built = []
    for one in sound.values():
        try:
            with errors_as_faults(one.name):
                job = job_of(one)
                built.append(
                    _Built(
                        [*assets_of(one, io_manager, tools), report_asset(one, workspace)],
                        [checks_of(one, workspace)] if checks else [],
                        job,
                        sensor_of(one, job),
                    )
                )
        except InputError as error:
            broken.append(BrokenSeries(one.name, error))
    return dg.Definitions(
        assets=[*(a for one in built for a in one.assets), *map(broken_asset, broken)],
        asset_checks=[check for one in built for check in one.checks],
        jobs=[one.job for one in built],
        sensors=[one.sensor for one in built],
        executor=executor,
    )
