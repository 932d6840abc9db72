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
from series_assets.dagster.scoping import between_ops_key, io_manager_key, kept_by
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


def new_records_graph(series: Series, tools: Tools) -> dg.GraphDefinition:
    """Return phase 1: change the specification, run Exhibit."""
    name = f"{series.name}__new_records"

    @period_op(series, tools, name, "Change seed, rows and dates for each period.", between=True)
    def change_specification(context: dg.OpExecutionContext) -> Any:
        return _changed(series, periods_of_run(series, context), "new")

    @period_op(series, tools, name, "Run Exhibit for the new records.", ins=["specifications"])
    def run_exhibit(context: dg.OpExecutionContext, specifications: Any) -> Any:
        return period_stream(
            series, tools, context, specifications.plans(series, "new"), "new_records_of"
        )

    @dg.graph(name=name, out=dg.GraphOut())
    def new_records() -> Any:
        return run_exhibit(change_specification())

    return kept_by(new_records, io_manager_key(series.name))


def reference_table_graph(series: Series, tools: Tools) -> dg.GraphDefinition:
    """Return phase 3: pick the new entities, which the IO manager adds to the table."""
    return single_op_graph(
        series,
        tools,
        "reference_table",
        "add_new_entities",
        "Pick the first row of every new entity.",
        ins=["new_records", "previous"],
        phase="new_entities_of",
    )


def dataset_graph(series: Series, tools: Tools) -> dg.GraphDefinition:
    """Return phases 2 and 4: change the specification, draw entities, run Exhibit, combine."""
    name = f"{series.name}__dataset"

    @period_op(
        series,
        tools,
        name,
        "Let identifiers and static columns take their values from the reference table.",
        between=True,
    )
    def change_specification(context: dg.OpExecutionContext) -> Any:
        return _changed(series, periods_of_run(series, context), "existing")

    @period_op(
        series,
        tools,
        name,
        "Sample entities, run Exhibit for the existing records, combine them with the new ones.",
        ins=["specifications", "new_records", "reference_table"],
    )
    def run_exhibit(
        context: dg.OpExecutionContext,
        specifications: Any,
        new_records: dict[str, Any],
        reference_table: dict[str, Any],
    ) -> Any:
        return period_stream(
            series, tools, context, specifications.plans(series, "existing"), "datasets_of"
        )

    @dg.graph(name=name, out=dg.GraphOut())
    def dataset(new_records: Any, reference_table: Any) -> Any:
        return run_exhibit(change_specification(), new_records, reference_table)

    return kept_by(dataset, io_manager_key(series.name))


def single_op_graph(
    series: Series,
    tools: Tools,
    asset: str,
    op: str,
    description: str,
    *,
    ins: Sequence[str],
    phase: str,
) -> dg.GraphDefinition:
    """Return the graph of an asset with one op, which runs a phase of ``pipeline.phases``.

    The inputs ``ins`` only say what has to be there: the phase reads what it needs itself.
    """
    name = f"{series.name}__{asset}"

    def run_phase(context: dg.OpExecutionContext, **inputs: Any) -> Any:
        plans = [series.plan(period.k) for period in periods_of_run(series, context)]
        return period_stream(series, tools, context, plans, phase)

    run_phase.__name__ = op
    node = period_op(series, tools, name, description, ins=ins)(run_phase)
    graph = dg.GraphDefinition(
        name=name,
        node_defs=[node],
        input_mappings=[
            dg.InputMapping(
                graph_input_name=one, mapped_node_name=node.name, mapped_node_input_name=one
            )
            for one in ins
        ],
        output_mappings=[
            dg.OutputMapping(
                graph_output_name="result",
                mapped_node_name=node.name,
                mapped_node_output_name="result",
            )
        ],
    )
    return kept_by(graph, io_manager_key(series.name))


def period_op(
    series: Series,
    tools: Tools,
    graph: str,
    description: str,
    *,
    ins: Sequence[str] = (),
    between: bool = False,
) -> Callable[[Callable[..., Any]], dg.OpDefinition]:
    """Return a decorator that makes an op, named after its function and the asset's graph."""
    key = between_ops_key(series.name) if between else io_manager_key(series.name)

    def decorate(function: Callable[..., Any]) -> dg.OpDefinition:
        return dg.op(
            name=f"{graph}__{function.__name__}",
            description=description,
            ins={name: dg.In(dg.Any) for name in ins},
            out=dg.Out(dg.Any, io_manager_key=key),
            pool=tools.options.pool,
            retry_policy=tools.options.retry_policy,
        )(function)

    return decorate


def _changed(series: Series, periods: Sequence[Period], part: str) -> ChangedSpecifications:
    """Return the changed specifications of a run's periods, of those that have such a part."""
    parts = {period.key: getattr(series.plan(period.k), part) for period in periods}
    changed = {key: part.specification if part else None for key, part in parts.items()}
    return ChangedSpecifications(series.fingerprint, changed)


def period_stream(
    series: Series,
    tools: Tools,
    context: dg.OpExecutionContext,
    plans: Sequence[Plan],
    phase: str,
) -> PeriodStream:
    """Return the periods of a run with what a phase of ``pipeline.phases`` makes of each."""

    def begin() -> Periods:
        from series_assets.pipeline import phases

        progress = _RunLog(context.log, tools.progress)
        if phase == "new_records_of":
            for note in notes_of(series):
                progress.log(note)
        periods: Periods = getattr(phases, phase)(series, plans, tools.workspace, progress)
        return periods

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
