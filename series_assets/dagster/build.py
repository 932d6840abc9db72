"""The one builder of Dagster definitions, for the webserver, the command line and the tests.

Which series there are and where files go is decided by who calls it.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg

from series_assets.core.errors import Fault, InputError
from series_assets.core.plain_text import one_line
from series_assets.core.plan.series import Series
from series_assets.dagster.asset_checks import checks_of
from series_assets.dagster.assets import assets_of, broken_assets, job_of
from series_assets.dagster.io_manager import SeriesIOManager
from series_assets.dagster.ops import Tools
from series_assets.dagster.options import NO_OPTIONS, AssetOptions
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


def report_broken(found: Iterable[Series | BrokenSeries], *, strict: bool) -> None:
    """Warn of each broken series; raise InputError with all of their faults if ``strict``."""
    broken = [one for one in found if isinstance(one, BrokenSeries)]
    if broken and strict:
        raise InputError(fault for one in broken for fault in one.error.faults)
    for one in broken:
        # Shown as if the caller's caller said it.
        warnings.warn(f"series {one_line(one.name)} is broken:\n{one.error}", stacklevel=3)


def build_definitions(
    series: Sequence[Series | BrokenSeries],
    resources: Mapping[str, Any] | None = None,
    # A process for each op would cost more than most ops take.
    executor: dg.ExecutorDefinition | None = dg.in_process_executor,
    *,
    checks: bool = True,
    options: AssetOptions = NO_OPTIONS,
) -> dg.Definitions:
    """Return the definitions of the given series, which can be merged with any others.

    ``resources`` replaces by name what the series work with: ``workspace`` (a ``Workspace``; by
    default the folder ``data`` under the working directory), ``progress`` (a ``Progress``; by
    default the log of the run), ``io_manager``. They belong to the series' assets alone, see
    ``scoping``. ``executor`` is that of the code location; None leaves the choice to others.
    Without ``checks`` the datasets are generated, but not checked. ``options`` are attached to the
    assets of every series. A broken series, or that has the name of one before it, is
    represented by an asset that says what is wrong.
    """
    given = dict(resources or {})
    workspace = given.get("workspace") or Workspace(Path("data").resolve())
    tools = Tools(workspace, given.get("progress"), options)
    sound, broken = _by_name(series)
    io_manager = given.get("io_manager") or SeriesIOManager(sound, workspace)
    built = []
    for one in sound.values():
        try:
            with errors_as_faults(one.name):
                options.check(one.name)
                job = job_of(one, options)
                built.append(
                    _Built(
                        [*assets_of(one, io_manager, tools), report_asset(one, workspace, options)],
                        checks_of(one, workspace, options) if checks else [],
                        job,
                        sensor_of(one, job, options),
                    )
                )
        except InputError as error:
            broken.append(BrokenSeries(one.name, error))
    return dg.Definitions(
        assets=[
            *(a for one in built for a in one.assets),
            *_broken(broken, {one.job.name for one in built}, options),
        ],
        asset_checks=[check for one in built for check in one.checks],
        jobs=[one.job for one in built],
        sensors=[one.sensor for one in built],
        executor=executor,
    )


def _by_name(
    series: Iterable[Series | BrokenSeries],
) -> tuple[dict[str, Series], list[BrokenSeries]]:
    """Return the sound series by name, and the broken ones.

    Files, jobs and reference tables are named after a series: a second one of the same name is
    broken.
    """
    sound: dict[str, Series] = {}
    broken = []
    for one in series:
        if isinstance(one, BrokenSeries):
            broken.append(one)
        elif sound.setdefault(one.name, one) is not one:
            broken.append(BrokenSeries(one.name, InputError([_same_name(one, sound[one.name])])))
    return sound, broken


def _same_name(series: Series, other: Series) -> Fault:
    return Fault(
        series.specification_file,
        "",
        f"the name '{series.name}' is taken by another series ({other.specification_file})",
        "give one of the two folders another name",
    )


def _broken(
    broken: Sequence[BrokenSeries], sound: Set[str], options: AssetOptions
) -> list[dg.AssetsDefinition]:
    """Return the assets of broken series; those that share a name have one to tell all faults."""
    faults: dict[str, list[Fault]] = {}
    for one in broken:
        faults.setdefault(one.name, []).extend(one.error.faults)
    found = []
    for name, all_ in faults.items():
        failing, *external = broken_assets(BrokenSeries(name, InputError(all_)), options)
        # A sound series of the name has the usual assets.
        found += [failing] if name in sound else [failing, *external]
    return found
