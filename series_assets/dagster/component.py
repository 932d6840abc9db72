"""A series in a ``defs.yaml`` of any Dagster project: ``type: series_assets.SeriesComponent``.

It finds the two parts of the series, in files or written into the ``defs.yaml`` itself, and calls
the builder that everything else calls. What the parts may hold is the business of ``storage`` and
``core``.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import dagster as dg
from pydantic import Field

from series_assets.core.errors import Fault, InputError, as_input_error
from series_assets.core.plan.series import Series
from series_assets.dagster.build import build_definitions, report_broken
from series_assets.dagster.component_attributes import (
    AutomationCondition,
    FreshnessPolicy,
    Part,
    RetryPolicy,
    Tags,
    Text,
)
from series_assets.dagster.options import AssetOptions
from series_assets.dagster.private import claimed_names
from series_assets.pipeline.workspace import Workspace
from series_assets.scaffolding.new_series import write_template
from series_assets.settings import from_environment
from series_assets.storage.loading import (
    SPECIFICATION,
    USER_INPUT,
    BrokenSeries,
    load_parts,
    name_faults,
)
from series_assets.storage.paths import printable, resolve_path
from series_assets.storage.remote import resolved
from series_assets.storage.unexpected_errors import errors_as_faults


class SeriesScaffolder(dg.Scaffolder):
    """Writes the ``defs.yaml`` of a new series, and the two files that it names, commented."""

    def scaffold(self, request: dg.ScaffoldRequest) -> None:
        """Write what ``dg scaffold defs series_assets.SeriesComponent NAME`` asks for.

        Raises ClickException, which ``dg`` shows as a message, where the folder's name cannot name
        a series; files of the two names that are there already stay as they are.
        """
        folder = request.target_path
        if faults := [one.in_file(str(folder)) for one in name_faults(folder.name, _BY_FOLDER)]:
            with suppress(OSError):  # the folder that Dagster has created, if nothing is in it
                folder.rmdir()
            raise click.ClickException(str(InputError(faults)))
        write_template(folder, folder.name)
        dg.scaffold_component(request, {"folder": "."})


_BY_FOLDER = "the folder's name"


@dg.scaffold_with(SeriesScaffolder)
class SeriesComponent(dg.Component, dg.Resolvable, dg.Model, arbitrary_types_allowed=True):
    """A series of periodic datasets: its assets, its sensor, and all that belongs to them.

    The two parts of the series are files of a folder (by default that of the ``defs.yaml``), files
    named one by one, or written into the ``defs.yaml``. Paths are relative to the folder of the
    ``defs.yaml``, that of the data to the root of the project.

    Key prefix, group, owners, tags, pool and retry policy belong to all assets of the series;
    freshness policy and automation condition to those that have partitions.
    """

    folder: Text = Field(
        None,
        description=f"folder with {SPECIFICATION} and {USER_INPUT}, relative to this file; by "
        "default the one this file is in",
    )
    specification: Part = Field(
        None,
        description="instead of the folder's: the path of a specification, or the specification",
    )
    user_input: Part = Field(
        None, description="instead of the folder's: the path of a user input, or its keys"
    )
    name: Text = Field(None, description="what the series is called; by default the folder's name")
    data_dir: Text = Field(
        None,
        description="folder that the data goes to, relative to the root of the project; by "
        "default its folder 'data'",
    )
    key_prefix: str | Sequence[str] | None = Field(
        None,
        description="put in front of the key of each asset of the series",
        examples=["raw", ["lake", "raw"]],
    )
    group_name: str | None = Field(
        None, description="group of the assets; by default the name of the series"
    )
    owners: Sequence[str] | None = Field(
        None,
        description="owners of the assets: email addresses, and teams as team:name",
        examples=[["team:analytics", "somebody@example.com"]],
    )
    tags: Tags = Field(
        {}, description="tags of the assets", examples=[{"tier": "test", "team": "analytics"}]
    )
    pool: str | None = Field(
        None, description="concurrency pool of every op, those of checks and report included"
    )
    retry_policy: RetryPolicy = Field(
        None,
        description="how often a failed op is tried again; mistakes in the files are not retried",
        examples=[{"max_retries": 3, "delay": 5, "backoff": "exponential"}],
    )
    freshness_policy: FreshnessPolicy = Field(
        None,
        description="freshness policy of the assets that have partitions",
        examples=["{{ dg.FreshnessPolicy.time_window(fail_window=datetime.timedelta(days=35)) }}"],
    )
    automation_condition: AutomationCondition = Field(
        None,
        description="automation condition of the assets that have partitions",
        examples=["{{ dg.AutomationCondition.eager() }}"],
    )
    strict: bool = Field(
        False,
        description="whether a broken series keeps the project from loading, instead "
        "of showing as an asset that says what is wrong",
    )

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """Return what ``dg list components`` and the UI show of the component."""
        return dg.ComponentTypeSpec(
            description="A series of realistic periodic datasets, generated with Exhibit.",
            tags=["synthetic data", "test data", "exhibit"],
            produces=["asset", "sensor"],
        )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the definitions of the series, or an asset that says why there are none.

        They merge with any others: they bring no executor, and no resource that others see.
        Raises InputError with every fault where the component is strict.
        """
        series = self._with_free_name(self._series(context), context)
        if isinstance(series, BrokenSeries):
            report_broken([series], strict=self.strict)
            return build_definitions([series], executor=None, options=self._options())
        return build_definitions(
            [series],
            {"workspace": self._workspace(context)},
            executor=None,
            options=self._options(),
        )

    def _options(self) -> AssetOptions:
        """Return what the attributes attach to the assets."""
        given = {field.name: getattr(self, field.name) for field in fields(AssetOptions)}
        return AssetOptions(**{name: one for name, one in given.items() if one is not None})

    def _with_free_name(
        self, series: Series | BrokenSeries, context: dg.ComponentLoadContext
    ) -> Series | BrokenSeries:
        """Return the series, or a broken one where another component has the same name."""
        here = _folder_of(context)
        owner = claimed_names(context).setdefault(series.name, here)
        if owner == here:
            return series
        file, other = (
            (one.relative_to(context.defs_module_path) / "defs.yaml").as_posix()
            for one in (here, owner)
        )
        fault = Fault(
            file,
            "name" if self.name else "",
            f"the name '{series.name}' is taken by the series of {other}",
            "set the attribute 'name' of one of the two to another name",
        )
        faults = series.error.faults if isinstance(series, BrokenSeries) else ()
        # By its file: its folder may have the name that is taken.
        return BrokenSeries(file, InputError([fault, *faults]))

    def _series(self, context: dg.ComponentLoadContext) -> Series | BrokenSeries:
        """Return the series, or what is wrong with it, whatever comes up on the way."""
        here = _folder_of(context)
        file = f"{here.name}/defs.yaml"
        name = self.name or printable(here.name)
        try:
            with errors_as_faults(file):
                self._options().check(file)
                self._workspace(context)
                folder = _absolute("folder", self.folder or ".", here, file)
                name = self.name or printable(folder.name)
                return self._loaded(name, here, folder)
        except InputError as error:
            return BrokenSeries(name, error)

    def _workspace(self, context: dg.ComponentLoadContext) -> Workspace:
        """Return where the data goes. Raises InputError for a path or a setting that is none."""
        file = f"{_folder_of(context).name}/defs.yaml"
        folder = _absolute("data_dir", self.data_dir or "data", context.project_root, file)
        return from_environment().workspace(folder)

    def _loaded(self, name: str, here: Path, folder: Path) -> Series:
        specification, label = self._found(self.specification, SPECIFICATION, here, folder)
        user_input, user_label = self._found(self.user_input, USER_INPUT, here, folder)
        return load_parts(
            name,
            specification,
            user_input,
            labels=(label, user_label),
            named_by="the name" if self.name else _BY_FOLDER,
            folder=user_input.parent if isinstance(user_input, Path) else here,
        )

    def _found(
        self, given: str | Mapping[str, Any] | None, file: str, here: Path, folder: Path
    ) -> tuple[Path | Mapping[str, Any], str]:
        """Return a part of the series, and what messages call it."""
        if given is None:
            return folder / file, f"{folder.name}/{file}"
        if isinstance(given, str):
            key = Path(file).stem
            return _absolute(key, given, here, f"{here.name}/defs.yaml"), given
        return given, f"{here.name}/defs.yaml ({Path(file).stem})"


def _folder_of(context: dg.ComponentLoadContext) -> Path:
    return context.path if context.path.is_dir() else context.path.parent


def _absolute(key: str, written: str, folder: Path, file: str) -> Path:
    """Return the path that a key of a ``defs.yaml`` names. Raises InputError."""
    shown = written if len(written) <= 100 else f"{written[:97]}..."
    with as_input_error(file, key, shown):
        return (resolved if key == "data_dir" else resolve_path)(written, folder)
