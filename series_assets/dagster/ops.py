"""The ops of a series: each unpacks, calls the core, the engine or the storage, and hands on.

They work on all partition keys of a run: what goes from one to the next is a mapping from
partition key to value. Values are specifications, integers and the paths of files in the run's
scratch folder, never all the records of a range. What the assets are is in ``assets``.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from series_assets.core.errors import GenerationError, RequestError, SeriesError
from series_assets.core.plan.series import Plan, Series
from series_assets.core.spec.specification import is_select
from series_assets.dagster.handles import (
    AsOf,
    Dataset,
    Draw,
    ExistingRecords,
    Failed,
    NewEntities,
    NewRecords,
)
from series_assets.dagster.resources import Progress, Workspace, check_new_records
from series_assets.dagster.scoping import filled, io_manager_key, kept_by
from series_assets.pipeline.side_by_side import (
    Make,
    made_one_by_one,
    made_side_by_side,
    workers_for,
)

if TYPE_CHECKING:
    from series_assets.core.plan.constraints import Broken
    from series_assets.reporting.profiles import Profile


class _Builder:
    """Makes the ops of one asset of one series; their names are the asset's own.

    ``tools`` are what ops may ask for by the name of a parameter: ``workspace``, ``progress``.
    """

    def __init__(self, series: Series, asset: str, tools: Mapping[str, Any]) -> None:
        self.series = series
        self.tools = tools
        self.graph = f"{series.name}__{asset}"

    def __call__(self, function: Callable[..., Any], description: str, **more: Any) -> Any:
        op = dg.op(
            name=f"{self.graph}__{function.__name__}",
            description=description,
            out=dg.Out(dg.Any, io_manager_key=io_manager_key(self.series.name)),
            **more,
        )
        return op(filled(function, self.tools))

    def scratch(self, context: dg.OpExecutionContext, workspace: Workspace) -> Path:
        try:
            return workspace.scratch(context.run_id, self.graph)
        except SeriesError as error:
            raise Failed.by(error, self.series.name).failure() from None

    def each(
        self,
        context: dg.OpExecutionContext,
        workspace: Workspace,
        given: Mapping[str, Any],
        make: Make,
        progress: Progress,
        rows: int = 0,
    ) -> dict[str, Any]:
        """Make each period's value of what is given for it, in order, until one fails.

        Where it is the first one the op fails. Where others are made, the failure goes on in the
        place of the period: the IO manager keeps those before it, and fails then.
        ``rows`` are those of a period, where records are made, which may happen side by side.
        """
        where = self.series.name
        made: dict[str, Any] = {}
        workers = 1
        if rows:
            from series_assets.engine import libraries

            libraries.load()
            workers = workers_for(len(given), rows, workspace.workers)
        try:
            if workers > 1:
                made.update(made_side_by_side(given, make, progress, workers, where))
            else:
                made.update(made_one_by_one(given, make, progress, where))
            first = next(iter(made.values()), None)
            if isinstance(first, Failed):
                raise first.failure()
        except BaseException:
            workspace.discard_scratch(context.run_id, self.graph)
            raise
        return made


def new_records_graph(series: Series, tools: Mapping[str, Any]) -> dg.GraphDefinition:
    """Return phase 1: change the specification, run Exhibit."""
    build = _Builder(series, "new_records", tools)

    def change_specification(context: dg.OpExecutionContext) -> dict[str, Plan]:
        return {key: series.plan(series.calendar.index(key)) for key in context.partition_keys}

    def run_exhibit(
        context: dg.OpExecutionContext,
        workspace: Workspace,
        progress: Progress,
        plans: dict[str, Plan],
    ) -> dict[str, NewRecords | Failed]:
        folder = build.scratch(context, workspace)

        def make(_: str, plan: Plan, progress: Progress) -> NewRecords:
            return _made_new(series, plan, workspace, progress, folder)

        return build.each(context, workspace, plans, make, progress, series.rows)

    change = build(change_specification, "Change seed, rows and dates for each period.")
    run = build(run_exhibit, "Run Exhibit for the new records.", ins={"plans": dg.In(dg.Any)})

    @dg.graph(name=build.graph, out=dg.GraphOut())
    def new_records() -> Any:
        return run(change())

    return kept_by(new_records, io_manager_key(series.name))


def _made_new(
    series: Series, plan: Plan, workspace: Workspace, progress: Progress, folder: Path
) -> NewRecords:
    if plan.new is None:
        return NewRecords(None, None)
    from series_assets.core.records import as_text
    from series_assets.engine.run import generate_new_records
    from series_assets.reporting.record_summary import contents
    from series_assets.storage import files, sqlite
    from series_assets.storage.lookup_tables import check_lookups

    progress.reached(plan.key, "new records")
    scratch, source = folder / f"exhibit_{plan.number}.db", workspace.layout(series).database
    sqlite.ensure(source, folder)
    check_lookups(series, source)
    sqlite.copy_for_run(source, scratch, plan.new.specification)
    outcome = generate_new_records(plan, scratch)
    scratch.unlink()
    _note(progress, f"{series.name}, period {plan.key} (new records)", outcome.said)
    _note_broken(progress, f"{series.name}, period {plan.key}", "new records", outcome.broken)
    lost = plan.new.rows - len(outcome.records)
    if lost:
        progress.noted(
            f"{series.name}, period {plan.key}: Exhibit left out {lost} of {plan.new.rows} new "
            "records as duplicates (allow_duplicates: false)"
        )
    path, texts = folder / f"new_{plan.number}.csv", as_text(outcome.records)
    files.write_csv(path, texts)
    short = contents(texts, series.first_identifier) if workspace.explained else None
    return NewRecords(path, plan.new.specification, short, outcome.said, outcome.broken)


def _note(progress: Progress, where: str, said: tuple[str, ...]) -> None:
    for line in said:
        if "duplicates" not in line:  # counted and told by ourselves
            progress.noted(f"{where}: Exhibit says: {line}")


def _note_broken(progress: Progress, where: str, part: str, broken: "tuple[Broken, ...]") -> None:
    for one in broken:
        progress.noted(f"{where}: {one.among(part)}")


def reference_table_graph(series: Series, tools: Mapping[str, Any]) -> dg.GraphDefinition:
    """Return phase 3: pick the new entities, which the IO manager adds to the table."""
    build = _Builder(series, "reference_table", tools)

    def pick_new_entities(
        context: dg.OpExecutionContext,
        workspace: Workspace,
        progress: Progress,
        new_records: dict[str, Any],
        previous: dict[str, AsOf],
    ) -> dict[str, NewEntities | Failed]:
        first, folder = min(new_records), build.scratch(context, workspace)

        def make(key: str, made: Any, progress: Progress) -> NewEntities:
            if key == first:  # those of this run follow each other, so the first speaks for all
                _require(series, workspace, key, folder)
            progress.reached(key, "reference table")
            return _picked(series, key, made, workspace, folder)

        return build.each(context, workspace, dict(sorted(new_records.items())), make, progress)

    pick = build(
        pick_new_entities,
        "Pick the first row of every new entity.",
        ins={"new_records": dg.In(dg.Any), "previous": dg.In(dg.Any)},
    )

    @dg.graph(name=build.graph, out=dg.GraphOut())
    def reference_table(new_records: Any, previous: Any) -> Any:
        return pick(new_records, previous)

    return kept_by(reference_table, io_manager_key(series.name))


def _picked(
    series: Series, key: str, new_records: Any, workspace: Workspace, folder: Path
) -> NewEntities:
    from series_assets.core.records import first_rows
    from series_assets.reporting.record_summary import contents
    from series_assets.storage import files

    if not _has_new_records(series, key, new_records):
        return NewEntities(None, 0)
    identifier, shown = series.first_identifier, workspace.explained
    texts = workspace.read_new_records(series, key, None if shown else [identifier])
    places = first_rows(texts[identifier])
    path = folder / f"places_{series.calendar.index(key) + 1}"
    files.write_integers(path, places)
    short = contents(texts.take(places), identifier) if shown else None
    return NewEntities(path, len(places), short)


def _require(series: Series, workspace: Workspace, key: str, folder: Path) -> None:
    from series_assets.storage import sqlite

    sqlite.ensure(workspace.layout(series).database, folder)
    k = series.calendar.index(key)
    if k:
        workspace.reference_table(series).require(k, f"period {key}")


def dataset_graph(series: Series, tools: Mapping[str, Any]) -> dg.GraphDefinition:
    """Return phases 2 and 4: draw entities, change the specification, run Exhibit, combine."""
    build = _Builder(series, "dataset", tools)

    def draw_entities(
        context: dg.OpExecutionContext,
        workspace: Workspace,
        progress: Progress,
        reference_table: dict[str, AsOf],
    ) -> dict[str, Draw | Failed]:
        plans = [series.plan(series.calendar.index(key)) for key in context.partition_keys]
        wanted = {plan.key: plan for plan in plans if plan.existing}
        folder = build.scratch(context, workspace)

        def make(_: str, plan: Plan, __: Progress) -> Draw:
            return _drawn(series, plan, workspace, folder)

        return build.each(context, workspace, wanted, make, progress)

    def change_specification(
        context: dg.OpExecutionContext, draws: dict[str, Draw | Failed]
    ) -> dict[str, Plan | Failed]:
        return {
            key: drawn if isinstance(drawn, Failed) else series.plan(series.calendar.index(key))
            for key, drawn in draws.items()
        }

    def run_exhibit(
        context: dg.OpExecutionContext,
        workspace: Workspace,
        progress: Progress,
        plans: dict[str, Plan | Failed],
        draws: dict[str, Draw],
    ) -> dict[str, ExistingRecords | Failed]:
        folder = build.scratch(context, workspace)

        def make(key: str, plan: Plan, progress: Progress) -> ExistingRecords:
            return _made_existing(series, plan, draws[key], workspace, progress, folder)

        return build.each(context, workspace, plans, make, progress, series.rows)

    def combine(
        context: dg.OpExecutionContext,
        workspace: Workspace,
        progress: Progress,
        new_records: dict[str, Any],
        existing: dict[str, ExistingRecords | Failed],
    ) -> dict[str, Dataset | Failed]:
        folder = build.scratch(context, workspace)

        def make(
            key: str, parts: tuple[Any, ExistingRecords | None], progress: Progress
        ) -> Dataset:
            return _combined(series, key, *parts, workspace, progress, folder, first)

        first = cache(partial(_first_profile, series, workspace))

        given = {
            key: found if isinstance(found := existing.get(key), Failed) else (made, found)
            for key, made in sorted(new_records.items())
        }
        return build.each(context, workspace, given, make, progress, series.rows)

    anything = dg.In(dg.Any)
    draw = build(
        draw_entities,
        "Draw the entities of the existing records from the reference table.",
        ins={"reference_table": anything},
    )
    change = build(
        change_specification,
        "Turn identifiers and static columns into draws from the reference table.",
        ins={"draws": anything},
    )
    run = build(
        run_exhibit,
        "Run Exhibit for the existing records.",
        ins={"plans": anything, "draws": anything},
    )
    join = build(
        combine,
        "Combine new and existing records and shuffle them.",
        ins={"new_records": anything, "existing": anything},
    )

    @dg.graph(name=build.graph, out=dg.GraphOut())
    def dataset(new_records: Any, reference_table: Any) -> Any:
        draws = draw(reference_table)
        return join(new_records, run(change(draws), draws))

    return kept_by(dataset, io_manager_key(series.name))


def _drawn(series: Series, plan: Plan, workspace: Workspace, folder: Path) -> Draw:
    from series_assets.core.plan.sampling import draw
    from series_assets.storage import files, sqlite

    assert plan.existing is not None
    table = workspace.reference_table(series)
    sqlite.ensure(table.layout.database, folder)
    known, part = table.known_before(plan.k), plan.existing
    if known.total < part.entities:
        raise GenerationError(
            f"{series.name}, period {plan.key}: its {part.rows} existing rows need "
            f"{part.entities} entities, but only {known.total} are known before it; raise "
            "fraction_of_new, or let the first period have more rows with an identifier"
        )
    ranks = draw(part.distribution, part.rows, known.total, plan.random_seed, plan.k)
    path = folder / f"drawn_{plan.number}"
    files.write_integers(path, known.keys(ranks))
    return Draw(path)


def _made_existing(
    series: Series,
    plan: Plan,
    draw: Draw,
    workspace: Workspace,
    progress: Progress,
    folder: Path,
) -> ExistingRecords:
    from series_assets.core.records import as_text
    from series_assets.engine.run import generate_existing_records
    from series_assets.storage import files, sqlite

    assert plan.existing is not None
    progress.reached(plan.key, "existing records")
    table, scratch = workspace.reference_table(series), folder / f"exhibit_{plan.number}.db"
    entities = table.fetch(files.read_integers(draw.keys), series.drawn_columns)
    specification = plan.existing.specification
    # The weights of static columns may come from tables that the changed one no longer names.
    sqlite.copy_for_run(table.layout.database, scratch, plan.existing.whole)
    sets = [c.get("anonymising_set") for c in specification["columns"].values()]
    if any(map(is_select, sets)):  # only a statement can name the table itself
        sqlite.write_frame(scratch, series.table, as_text(entities))
    outcome = generate_existing_records(plan, entities, scratch)
    scratch.unlink()
    _note(progress, f"{series.name}, period {plan.key} (existing records)", outcome.said)
    _note_broken(progress, f"{series.name}, period {plan.key}", "existing records", outcome.broken)
    path = folder / f"existing_{plan.number}.csv"
    files.write_csv(path, as_text(outcome.records[table.columns()]))
    return ExistingRecords(path, specification, outcome.said, outcome.broken)


def _combined(
    series: Series,
    key: str,
    new: Any,
    existing: ExistingRecords | None,
    workspace: Workspace,
    progress: Progress,
    folder: Path,
    first: "Callable[[], Profile | None]",
) -> Dataset:
    from series_assets.core.records import combine
    from series_assets.reporting.record_summary import contents
    from series_assets.storage import files

    plan = series.plan(series.calendar.index(key))
    progress.reached(key, "dataset")
    has_new = _has_new_records(series, key, new)
    parts = [workspace.read_new_records(series, key)] if has_new else []
    parts += [files.read_csv(existing.records)] if existing else []
    path, whole = folder / f"dataset_{plan.number}.csv", combine(parts, plan.shuffle_seed)
    if series.over_whole_datasets:
        from series_assets.engine.whole_dataset import with_columns_over_all_rows

        whole = with_columns_over_all_rows(series, plan, whole)
    files.write_csv(path, whole)
    return Dataset(
        path,
        existing.specification if existing else None,
        new=len(parts[0]) if plan.new else 0,
        existing=len(parts[-1]) if existing else 0,
        said=existing.said if existing else (),
        broken=existing.broken if existing else (),
        contents=contents(whole, series.first_identifier) if workspace.explained else None,
        picture=_picture(series, plan, parts, first() if plan.k else None)
        if workspace.explained
        else None,
    )


def _picture(series: Series, plan: Plan, parts: list[Any], first: "Profile | None") -> bytes:
    """Draw what a dataset holds, against the profile of period 1 where there is one."""
    from series_assets.reporting.dataset_plots import dataset_picture
    from series_assets.reporting.profiles import profile_of

    new = parts[0] if plan.new else None
    existing = parts[-1] if plan.existing else None
    profile = profile_of(series, plan.k, new, existing, like=first)
    return dataset_picture(f"{series.name}, dataset {plan.number}: {plan.key}", profile, first)


def _first_profile(series: Series, workspace: Workspace) -> "Profile | None":
    """Return what period 1 looks like; None if it was removed or made from other contents."""
    from series_assets.reporting.profiles import profile_of

    with suppress(RequestError):
        texts = workspace.read_new_records(series, series.calendar.keys[0])
        return profile_of(series, 0, texts, None)
    return None


def _has_new_records(series: Series, key: str, made: Any) -> bool:
    """Tell whether a period has new records; refuse those that are missing or of other files."""
    new, _ = series.counts(series.calendar.index(key))
    if not new:
        return False
    check_new_records(series, key, made.records is not None, made.fingerprint)
    return True
