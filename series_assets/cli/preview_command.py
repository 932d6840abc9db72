"""The command that shows a small period of a series without writing it: ``preview``."""

from typing import TYPE_CHECKING

import click

from series_assets import interrupts
from series_assets.cli.errors import report_errors
from series_assets.cli.lookup import valid_series
from series_assets.settings import from_environment
from series_assets.storage.layout import Layout
from series_assets.terminal import echo, print_table

if TYPE_CHECKING:
    import pandas as pd

    from series_assets.pipeline.preview import Preview

_SHOWN = 2
"""Records of each part that are shown."""


@click.command()
@click.argument("name")
@click.option("--period", metavar="DAY", help="The first day of the period; default: the second.")
@report_errors
def preview(name: str, period: str | None) -> None:
    """Show a small period of a series without writing files.

    It shows the first rows, which dates move, and what existing records keep. Existing
    records are about entities of the first period.
    """
    settings = from_environment()
    series = valid_series(settings, name)

    with interrupts.exit_on_interrupt():
        from series_assets.pipeline.preview import preview_period
        from series_assets.storage.lookup_tables import check_lookups
        from series_assets.storage.sqlite import installed_database

    database = Layout.of(series, settings.data_dir).database
    check_lookups(series, database, any_database=settings.any_database)
    source = database if database.exists() else installed_database()
    _print(preview_period(series, period, source, stock_exhibit=settings.stock_exhibit))


def _print(shown: "Preview") -> None:
    new, existing = shown.new_records, shown.existing_records
    echo(f"{shown.series}, period {shown.period}: {len(new)} new and {len(existing)} existing rows")
    echo("\nFirst rows, with one line for each column of the data")
    parts = {"new": _texts(new), "existing": _texts(existing)}
    rows = {
        f"{part} {number}": texts[number - 1]
        for part, texts in parts.items()
        for number in range(1, len(texts) + 1)
    }
    lines = shown.columns.itertuples(index=False, name=None)
    table = [
        [name, type_, in_existing, *(row[place] for row in rows.values())]
        for place, (name, type_, in_existing) in enumerate(lines)
    ]
    print_table(("column", "type", "existing records", *rows), table, cut_off=True)
    _print_frame("Dates that move", ("column", "first period", "this period"), shown.moved)
    _print_frame(
        "Constraints in existing records", ("constraint", "existing records"), shown.constraints
    )
    for note in shown.notes:
        echo(f"note: {note}", err=True)


def _print_frame(title: str, columns: tuple[str, ...], frame: "pd.DataFrame") -> None:
    if len(frame):
        echo(f"\n{title}")
        print_table(columns, frame.itertuples(index=False, name=None))


def _texts(records: "pd.DataFrame") -> list[list[str]]:
    """Return the first records as a CSV has them."""
    from series_assets.core.records import as_text

    shown = as_text(records.head(_SHOWN))
    return [["" if value is None else value for value in row] for row in shown.to_numpy().tolist()]
