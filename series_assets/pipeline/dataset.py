"""Phases 2 and 4 of a period: existing records and the dataset (contract, sections 5 and 7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from series_assets.core.errors import GenerationError
from series_assets.core.plan.constraints import Violation
from series_assets.core.plan.sampling import sample_ranks
from series_assets.core.plan.series import Plan, Series
from series_assets.core.records import as_delivered, combine
from series_assets.core.spec.specification import Specification
from series_assets.engine.derived_columns import with_columns_over_all_rows
from series_assets.engine.run import generate_existing_records
from series_assets.pipeline.facts import Facts, summarize_records
from series_assets.pipeline.formats import in_format, write_records
from series_assets.pipeline.new_records import notes_of_run
from series_assets.pipeline.progress import counted
from series_assets.pipeline.workspace import Workspace
from series_assets.storage import files, provenance, scratch_database, sqlite
from series_assets.storage.cleaning import remove_surplus


@dataclass(frozen=True)
class ExistingRecords:
    """The existing records of a period, as text, and their specification."""

    texts: pa.Table
    specification: Specification
    exhibit_messages: tuple[str, ...]
    unmet: tuple[Violation, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Dataset:
    """The dataset of a period, as text, and the two parts that it combines."""

    texts: pa.Table
    new: pa.Table | None
    existing: ExistingRecords | None

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes for the user."""
        return self.existing.notes if self.existing else ()

    @property
    def counts(self) -> tuple[int, int]:
        """The numbers of new and of existing records."""
        new = 0 if self.new is None else len(self.new)
        return new, len(self.existing.texts) if self.existing else 0

    @property
    def contents(self) -> str:
        """How many new and existing records there are, for people."""
        new, existing = self.counts
        return f"{new:,} new and {counted(existing, 'existing row')}"

    def facts(self, series: Series) -> Facts:
        """Return what is reported of it."""
        return Facts(*self.counts, records=summarize_records(series, self.texts))


def make_dataset(
    series: Series, plan: Plan, new: pa.Table | None, workspace: Workspace, folder: Path
) -> Dataset:
    """Generate the existing records of a period and combine them with its new ones (text).

    ``folder`` is for temporary files. Raises SeriesError.
    """
    existing = make_existing_records(series, plan, workspace, folder) if plan.existing else None
    parts = (new, existing.texts if existing else None)
    return Dataset(combined(series, plan, parts, workspace.stock_exhibit), new, existing)


def combined(
    series: Series, plan: Plan, parts: Iterable[pa.Table | None], stock_exhibit: bool
) -> pa.Table:
    """Return the dataset of both parts of a period, of which one may be missing."""
    texts = combine((part for part in parts if part is not None), plan.shuffle_seed)
    if not series.cross_row_columns:
        return texts
    wide = with_columns_over_all_rows(series, plan, texts, stock_exhibit=stock_exhibit)
    return in_format(series, wide)


def make_existing_records(
    series: Series, plan: Plan, workspace: Workspace, folder: Path
) -> ExistingRecords:
    """Sample the entities of a period and run Exhibit for their existing records.

    Raises SeriesError.
    """
    part = plan.existing
    assert part is not None
    [table] = workspace.reference_table(series).parts
    sqlite.create_if_missing(table.layout.database, folder)
    entities = sample_entities(series, plan, workspace)
    scratch = folder / f"existing_{plan.period.number}.db"
    # Weights of static columns may need tables that the changed specification does not name.
    scratch_database.copy_for_run(table.layout.database, scratch, part.unmodified_specification)
    outcome = generate_existing_records(
        plan, entities, scratch, stock_exhibit=workspace.stock_exhibit
    )
    scratch.unlink()
    where = f"{series.name}, period {plan.key}"
    return ExistingRecords(
        in_format(series, as_delivered(outcome.records[table.columns()])),
        part.specification,
        outcome.exhibit_messages,
        outcome.broken,
        tuple(notes_of_run(where, "existing records", outcome.exhibit_messages, outcome.broken)),
    )


def sample_entities(series: Series, plan: Plan, workspace: Workspace) -> pd.DataFrame:
    """Return an entity for each existing row of a period: identifiers and static columns, typed.

    Raises GenerationError if there are too few, RequestError if an earlier period is missing.
    """
    part = plan.existing
    assert part is not None
    [table] = workspace.reference_table(series).parts
    known = table.entities_before(plan.period.k)
    if known.total < part.entities:
        raise GenerationError(
            f"its {part.rows} existing rows need {part.entities} entities, but only {known.total} "
            "are known from earlier periods",
            "raise fraction_of_new, or give the first period more rows with an identifier",
            series=series.name,
            period=plan.key,
        )
    ranks = sample_ranks(
        part.distribution, part.rows, known.total, plan.random_seed, *plan.run.place
    )
    return table.fetch(known.keys(ranks), series.reference_columns)


def write_dataset(
    series: Series, plan: Plan, dataset: Dataset, workspace: Workspace, folder: Path
) -> None:
    """Deliver a dataset and the specification of its existing records.

    Raises RequestError if its file of new records has changed in the meantime, or GenerationError.
    """
    layout, number = workspace.layout(series), plan.period.number
    texts, yaml = folder / f"dataset_{number}.{layout.format}", folder / f"existing_{number}.yml"
    write_records(texts, series, dataset.texts)
    if dataset.existing:
        provenance.write_specification(yaml, dataset.existing.specification, series.fingerprint)
    with workspace.exclusive_access():
        if plan.new is not None:  # they are delivered with it, and have to match
            provenance.require_new_records(series, layout, plan.period)
        if series.shard is None:  # else run_parts does it, once for all parts
            files.remove(layout.manifest(number))  # it states that all is complete
        if not series.shard:  # once, not for each shard
            remove_surplus(layout, number, history=bool(series.truth))
        if not series.truth and series.shard is None:
            for path in layout.truth_files(number):  # left by a run with a truth block
                files.remove(path)
        provenance.move_with_specification(
            (texts, layout.dataset(number)),
            (yaml if dataset.existing else None, layout.existing_specification(number)),
            series.fingerprint,
        )
        files.remove(layout.other_format.dataset(number))
