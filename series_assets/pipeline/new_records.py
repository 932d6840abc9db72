"""Phase 1 of a period: run Exhibit for its new records, and put them (contract, section 4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from series_assets.core.plan.constraints import Violation
from series_assets.core.plan.series import Plan, Series
from series_assets.core.records import as_delivered
from series_assets.core.spec.specification import Specification
from series_assets.engine.exhibit_messages import is_about_duplicates
from series_assets.engine.run import generate_new_records
from series_assets.pipeline.progress import counted
from series_assets.pipeline.workspace import Workspace
from series_assets.storage import files, provenance, sqlite
from series_assets.storage.lookup_tables import check_lookups


@dataclass(frozen=True)
class NewRecords:
    """The new records of a period; neither texts nor specification where it has none."""

    texts: pd.DataFrame | None
    """As a consumer reads them: text, None where a value is missing."""
    specification: Specification | None
    exhibit_messages: tuple[str, ...] = ()
    unmet: tuple[Violation, ...] = ()
    """The constraints of the specification that some of them do not meet."""
    notes: tuple[str, ...] = ()
    """Sentences worth knowing."""

    @property
    def contents(self) -> str:
        """How many records there are, for people."""
        return counted(0 if self.texts is None else len(self.texts), "row")


def make_new_records(series: Series, plan: Plan, workspace: Workspace, folder: Path) -> NewRecords:
    """Run Exhibit for the new records of a period.

    ``folder`` is for temporary files. Raises SeriesError.
    """
    if plan.new is None:
        return NewRecords(None, None)
    source = workspace.layout(series).database
    sqlite.create_if_missing(source, folder)
    check_lookups(series, source, any_database=workspace.any_database)
    scratch = folder / f"new_{plan.period.number}.db"
    sqlite.copy_for_run(source, scratch, plan.new.specification)
    outcome = generate_new_records(plan, scratch, stock_exhibit=workspace.stock_exhibit)
    scratch.unlink()
    where = f"{series.name}, period {plan.period.key}"
    notes = [*notes_of_run(where, "new records", outcome.exhibit_messages, outcome.broken)]
    lost = plan.new.rows - len(outcome.records)
    if lost:
        notes.append(
            f"{where}: Exhibit left out {lost} of {plan.new.rows} new records as duplicates "
            "(allow_duplicates: false)"
        )
    return NewRecords(
        as_delivered(outcome.records),
        plan.new.specification,
        outcome.exhibit_messages,
        outcome.broken,
        tuple(notes),
    )


def notes_of_run(
    where: str, part: str, messages: tuple[str, ...], unmet: tuple[Violation, ...]
) -> Iterator[str]:
    """Yield what is worth knowing of a run of Exhibit, in sentences."""
    for line in messages:
        if not is_about_duplicates(line):  # they are counted, and noted with their number
            yield f"{where} ({part}): Exhibit says: {line}"
    for one in unmet:
        yield f"{where}: {one.describe(part)}"


def write_new_records(
    series: Series, plan: Plan, made: NewRecords, workspace: Workspace, folder: Path
) -> None:
    """Put new records and their specification in their places. Raises GenerationError."""
    layout, number = workspace.layout(series), plan.period.number
    specification, records = layout.new_specification(number), layout.new_records(number)
    if made.texts is None or made.specification is None:
        with workspace.exclusive_access():
            for path in (specification, records):  # of an earlier run from other contents
                files.remove(path)
        return
    texts, yaml = folder / f"new_{number}.csv", folder / f"new_{number}.yml"
    files.write_csv(texts, made.texts)
    provenance.write_specification(yaml, made.specification, series.fingerprint)
    with workspace.exclusive_access():
        provenance.move_with_specification(
            (texts, records), (yaml, specification), series.fingerprint
        )
