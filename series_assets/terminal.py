"""Printing to a terminal. Everything that the command line prints goes through here.

Names, values and messages are shown as text: no control sequence or markup in them has an effect.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from series_assets.core.plain_text import escape_invisible, one_line
from series_assets.pipeline.progress import FinishedPhase, Progress

_WIDE = 500
"""Columns of the output where no terminal limits them."""


def echo(text: str, err: bool = False) -> None:
    """Print a message, with its own line breaks, to stdout or to stderr."""
    click.echo(escape_invisible(text), err=err)


def echo_data(text: str) -> None:
    """Print a file to stdout: escaped on a terminal, unchanged into a pipe or another file."""
    shown = escape_invisible(text) if sys.stdout.isatty() else text
    click.echo(shown, nl=False)


def cell(text: str) -> Text:
    """Return a text for a table cell: one line, without markup."""
    return Text(one_line(text))


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, cut_off: bool = False
) -> None:
    """Print a table to stdout. On a terminal its cells are wrapped, or ``cut_off``.

    Where a program reads the output, they are complete.
    """
    table = Table(box=None)
    for name in columns:
        table.add_column(cell(name), no_wrap=cut_off, overflow="ellipsis" if cut_off else "fold")
    for row in rows:
        table.add_row(*map(cell, row))
    width = None if sys.stdout.isatty() else _WIDE
    Console(file=sys.stdout, highlight=False, width=width).print(table)


@contextmanager
def progress_bar(
    name: str, steps: int, *, quiet: bool = False, verbose: bool = False
) -> Iterator[Progress]:
    """Provide a Progress for a run of a series with so many steps, its phases of periods.

    It draws a bar on stderr and prints notes above it. ``verbose`` prints a line for each phase
    instead, ``quiet`` prints nothing. If stderr is not a terminal, only notes are printed.
    """
    console = Console(stderr=True)
    if quiet:
        yield Progress()
    elif verbose:
        yield _VerboseProgress(console)
    elif not console.is_terminal:
        yield _NotesOnly(console)
    else:
        description = TextColumn("{task.description}", markup=False)
        columns = (description, BarColumn(), MofNCompleteColumn())
        with Bar(*columns, console=console, transient=True) as bar:
            yield _BarProgress(console, bar, name, steps)


class _NotesOnly(Progress):
    def __init__(self, console: Console) -> None:
        self._console = console

    def noted(self, text: str) -> None:
        self._print(f"note: {text}")

    def _print(self, line: str) -> None:
        self._console.print(Text(escape_invisible(line)), soft_wrap=True)


class _VerboseProgress(_NotesOnly):
    def finished(self, result: FinishedPhase) -> None:
        self._print(str(result))


class _BarProgress(_NotesOnly):
    def __init__(self, console: Console, bar: Bar, name: str, steps: int) -> None:
        super().__init__(console)
        self._bar, self._name = bar, name
        self._task = bar.add_task(name, total=steps)

    def reached(self, key: str, phase: str) -> None:
        self._bar.update(self._task, advance=1, description=f"{self._name} {key}: {phase}")
