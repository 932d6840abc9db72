"""The ops of a series' assets: each unpacks, and calls ``pipeline``.

An op that generates records returns a stream of periods. The IO manager iterates over it and stores
each period before the next one is generated, so that only one is in memory, and what came before a
failure is kept. Changed specifications go between ops in Dagster's own storage, so that a run can
be re-executed from its failure.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import dagster as dg

from series_assets.core.plain_text import escape_invisible
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.notes import notes_of
from series_assets.core.plan.series import Plan, Series
from series_assets.core.spec.specification import Specification
from series_assets.dagster.options import NO_OPTIONS, AssetOptions
from series_assets.dagster.run_periods import period_of, periods_of_run
from series_assets.dagster.scoping import between_ops_key, io_manager_key, kept_result
from series_assets.pipeline.progress import FinishedPhase, Progress

if TYPE_CHECKING:
    from series_assets.pipeline.workspace import Workspace


Periods = Generator[tuple[Period, Any], None, None]


@dataclass(frozen=True)
class Tools:
    """What the ops of a series work with."""

    workspace: "Workspace"
    progress: Progress | None = None
    """Where progress goes besides the log of the run."""
    options: AssetOptions = NO_OPTIONS
    """What is attached to the assets."""


@dataclass(frozen=True)
class ChangedSpecifications:
    """What goes from the op that changes specifications to the one that runs Exhibit."""

    fingerprint: str
    """Of the contents of the two files that they were changed from."""
    by_key: dict[str, Specification | None]
    """None for a period that has no such part."""

    def plans(self, series: Series, part: str) -> list[Plan]:
        """Return the plans of the periods with their changed specifications.

        ``part`` is ``new`` or ``existing``. Where the files have been edited since, as before a
        run is re-executed from its failure, the plans are those of the current contents.
        """
        plans = []
        for key, specification in sorted(self.by_key.items()):
            plan = series.plan(period_of(series, key).k)
            planned = getattr(plan, part)
            if planned and specification and self.fingerprint == series.fingerprint:
                changed = {part: replace(planned, specification=specification)}
                plan = replace(plan, **changed)
            plans.append(plan)
        return plans


class PeriodStream:
    """The periods of a run with their results, generated while one iterates, once."""

    def __init__(self, begin: Callable[[], Periods]) -> None:
        self._begin = begin

    def __iter__(self) -> Periods:
        with closing(self._begin()) as periods:
            yield from periods


@dataclass(frozen=True)
class _Ops:
    """The op that makes the periods of an asset, and the one before it, which some assets have."""

    name: str
    description: str
    part: str = ""
    """``new`` or ``existing``: the part of a period whose specification the op before changes."""
    change: str = ""
    """The description of the op before."""


_OPS = {
    "new_records": _Ops(
        "run_exhibit",
        "Run Exhibit for the new records.",
        "new",
        "Change seed, rows and dates for each period.",
    ),
    "reference_table": _Ops("add_new_entities", "Pick the first row of every new entity."),
    "dataset": _Ops(
        "run_exhibit",
        "Sample entities, run Exhibit for the existing records, combine them with the new ones.",
        "existing",
        "Let identifiers and static columns take their values from the reference table.",
    ),
    "state": _Ops("fold_rows", "Compare each entity's last row with its state before the period."),
    "truth": _Ops(
        "write_history",
        "Write the change log, the changed values, and the dimensions that `write` lists.",
    ),
    "manifest": _Ops("write_manifest", "Describe the files that are in place."),
}
"""The ops of each asset."""


def graph_of(series: Series, tools: Tools, asset: str, ins: Sequence[str]) -> dg.GraphDefinition:
    """Return the graph of an asset; its last op runs a phase of ``pipeline.phases``.

    The inputs ``ins`` only say what has to be there: the phase reads what it needs itself.
    """
    ops, name = _OPS[asset], f"{series.name}__{asset}"

    def change_specification(context: dg.OpExecutionContext) -> Any:
        return _changed(series, periods_of_run(series, context), ops.part)

    def make_periods(context: dg.OpExecutionContext, **inputs: Any) -> Any:
        if ops.part:
            plans = inputs["specifications"].plans(series, ops.part)
        else:
            plans = [series.plan(period.k) for period in periods_of_run(series, context)]
        return _stream(series, tools, context, plans, asset)

    def op(function: Callable[..., Any], own: str, description: str, key: str, *of: str) -> Any:
        return dg.op(
            name=f"{name}__{own}",
            description=description,
            ins={one: dg.In(dg.Any) for one in of},
            out=dg.Out(dg.Any, io_manager_key=key),
            pool=tools.options.pool,
            retry_policy=tools.options.retry_policy,
        )(function)

    own_key = io_manager_key(series.name)
    nodes, handed_on = [], {}
    if ops.part:
        between = between_ops_key(series.name)
        nodes.append(op(change_specification, "change_specification", ops.change, between))
        handed_on["specifications"] = dg.DependencyDefinition(nodes[0].name)
    last = op(make_periods, ops.name, ops.description, own_key, *handed_on, *ins)
    return dg.GraphDefinition(
        name=name,
        node_defs=[*nodes, last],
        dependencies={last.name: handed_on},
        input_mappings=[
            dg.InputMapping(
                graph_input_name=one, mapped_node_name=last.name, mapped_node_input_name=one
            )
            for one in ins
        ],
        output_mappings=[kept_result(last.name, own_key)],
    )


def _changed(series: Series, periods: Sequence[Period], part: str) -> ChangedSpecifications:
    """Return the changed specifications of a run's periods, of those that have such a part."""
    parts = {period.key: getattr(series.plan(period.k), part) for period in periods}
    changed = {key: part.specification if part else None for key, part in parts.items()}
    return ChangedSpecifications(series.fingerprint, changed)


def _stream(
    series: Series,
    tools: Tools,
    context: dg.OpExecutionContext,
    plans: Sequence[Plan],
    asset: str,
) -> PeriodStream:
    """Return the periods of a run with what the phase of an asset makes of each."""

    def begin() -> Periods:
        from series_assets.pipeline.phases import run_phase

        progress = _RunLog(context.log, tools.progress)
        if asset == "new_records":
            for note in notes_of(series):
                progress.log(note)
        return run_phase(asset, series, plans, tools.workspace, progress)

    return PeriodStream(begin)


class _RunLog(Progress):
    """Writes finished phases and notes into the log of the run, and passes everything on."""

    def __init__(self, log: Any, then: Progress | None) -> None:
        self._log = log
        self._then = then or Progress()

    def log(self, text: str) -> None:
        """Write a line into the log of the run."""
        self._log.info(escape_invisible(text))

    def reached(self, key: str, phase: str) -> None:
        """Pass it on."""
        self._then.reached(key, phase)

    def finished(self, result: FinishedPhase) -> None:
        """Write a line, and pass it on."""
        self.log(str(result))
        self._then.finished(result)

    def noted(self, text: str) -> None:
        """Write a line, and pass it on."""
        self.log(text)
        self._then.noted(text)
