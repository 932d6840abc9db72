"""Phase 1 of a period: generate and deliver its new records (contract, section 4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from series_assets.core.plan.constraints import Violation
from series_assets.core.plan.series import Plan, Series
from series_assets.core.records import as_delivered
from series_assets.core.spec.specification import Specification
from series_assets.engine.exhibit_messages import is_about_duplicates
from series_assets.engine.run import generate_new_records
from series_assets.pipeline.facts import Facts, summarize_records
from series_assets.pipeline.formats import in_format, write_records
from series_assets.pipeline.progress import counted
from series_assets.pipeline.workspace import Workspace
from series_assets.storage import files, provenance, scratch_database, sqlite
from series_assets.storage.lookup_tables import check_lookups


@dataclass(frozen=True)
class NewRecords:
    """The new records of a period; texts and specification are None if it has none."""

    texts: pa.Table | None
    """As a consumer reads them: text, None for a missing value."""
    specification: Specification | None
    exhibit_messages: tuple[str, ...] = ()
    unmet: tuple[Violation, ...] = ()
    """The constraints of the specification that some records violate."""
    notes: tuple[str, ...] = ()
    """Notes for the user."""

    @property
    def contents(self) -> str:
        """How many records there are, for people."""
        return counted(0 if self.texts is None else len(self.texts), "row")

    def facts(self, series: Series) -> Facts:
        """Return what is reported of them."""
        if self.texts is None:
            return Facts()
        return Facts(new_rows=len(self.texts), records=summarize_records(series, self.texts))


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
    scratch_database.copy_for_run(source, scratch, plan.new.specification)
    outcome = generate_new_records(plan, scratch, stock_exhibit=workspace.stock_exhibit)
    scratch.unlink()
    where = f"{series.name}, period {plan.key}"
    notes = [*notes_of_run(where, "new records", outcome.exhibit_messages, outcome.broken)]
    lost = plan.new.rows - len(outcome.records)
    if lost:
        notes.append(
            f"{where}: Exhibit dropped {lost} of {plan.new.rows} new records as duplicates "
            "(allow_duplicates: false)"
        )
    return NewRecords(
        in_format(series, as_delivered(outcome.records)),
        plan.new.specification,
        outcome.exhibit_messages,
        outcome.broken,
        tuple(notes),
    )


def notes_of_run(
    where: str, part: str, messages: tuple[str, ...], unmet: tuple[Violation, ...]
) -> Iterator[str]:
    """Yield notes about a run of Exhibit."""
    for line in messages:
        if not is_about_duplicates(line):  # reported separately, with their number
            yield f"{where} ({part}): Exhibit says: {line}"
    for one in unmet:
        yield f"{where}: {one.describe(part)}"


def write_new_records(
    series: Series, plan: Plan, new: NewRecords, workspace: Workspace, folder: Path
) -> None:
    """Deliver new records and their specification. Raises GenerationError."""
    layout, number = workspace.layout(series), plan.period.number
    specification, records = layout.new_specification(number), layout.new_records(number)
    if new.texts is None or new.specification is None:
        with workspace.exclusive_access():
            # Left by a run of other input files.
            for path in (specification, records, layout.other_format.new_records(number)):
                files.remove(path)
        return
    texts, yaml = folder / f"new_{number}.{layout.format}", folder / f"new_{number}.yml"
    write_records(texts, series, new.texts)
    provenance.write_specification(yaml, new.specification, series.fingerprint)
    with workspace.exclusive_access():
        provenance.move_with_specification(
            (texts, records), (yaml, specification), series.fingerprint
        )
        files.remove(layout.other_format.new_records(number))
