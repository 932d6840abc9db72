"""The one builder of Dagster definitions, for the webserver, the command line and the tests.

Which series there are and where files go is decided by who calls it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from series_assets.assets import assets_of, broken_asset, job_of
from series_assets.checks import checks_of
from series_assets.core.series import Series
from series_assets.io_managers import SeriesIOManager
from series_assets.report import report_asset
from series_assets.resources import Progress, Workspace
from series_assets.sensors import sensor_of
from series_assets.storage.loading import BrokenSeries


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
    default the folder ``data`` under the working directory), ``progress`` (a ``Progress``),
    ``io_manager``. They belong to the series' assets alone, see ``scoping``. ``executor`` is that
    of the code location; None leaves the choice to others. Without ``checks`` the datasets are
    made, but not checked.
    """
    tools = {"progress": Progress(), **(resources or {})}
    workspace = tools.setdefault("workspace", Workspace(data_dir=str(Path("data").resolve())))
    sound = {one.name: one for one in series if isinstance(one, Series)}
    io_manager = tools.pop("io_manager", None) or SeriesIOManager(sound, workspace)
    assets = [asset for one in sound.values() for asset in assets_of(one, io_manager, tools)]
    assets += [report_asset(one, workspace) for one in sound.values()]
    assets += [broken_asset(one) for one in series if isinstance(one, BrokenSeries)]
    return dg.Definitions(
        assets=assets,
        asset_checks=[checks_of(one, workspace) for one in sound.values()] if checks else [],
        jobs=[job_of(one) for one in sound.values()],
        sensors=[sensor_of(one) for one in sound.values()],
        executor=executor,
    )
