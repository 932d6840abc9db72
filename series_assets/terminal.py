"""Printing for people: whatever stands in a name, a value or a message, the terminal obeys none.

Everything that the command line prints goes through here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.text import Text

from series_assets.core.plain_text import escape_invisible, one_line
from series_assets.pipeline.progress import FinishedPhase, Progress


def echo(text: str, err: bool = False) -> None:
    """Print a message, with its own line breaks, to stdout or to stderr."""
    click.echo(escape_invisible(text), err=err)


def cell(text: str) -> Text:
    """Return a text for a table: one line, and no markup of rich's."""
    return Text(one_line(text))


@contextmanager
def progress_bar(
    name: str, steps: int, *, quiet: bool = False, verbose: bool = False
) -> Iterator[Progress]:
    """Provide a Progress for a run of so many phases of periods of a series.

    It draws a bar on stderr and prints notes above it; a line a phase if ``verbose``; nothing if
    ``quiet``; notes alone where stderr is no terminal.
    """
    console = Console(stderr=True)
    if quiet:
        yield Progress()
    elif verbose:
        yield _Lines(console)
    elif not console.is_terminal:
        yield _Notes(console)
    else:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
        )
        with Bar(*columns, console=console, transient=True) as bar:
            yield _Drawn(console, bar, name, steps)


class _Notes(Progress):
    """Prints notes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def noted(self, text: str) -> None:
        """Print a note."""
        self._console.print(Text(escape_invisible(f"note: {text}")), soft_wrap=True)


class _Lines(_Notes):
    """Prints phases too."""

    def finished(self, result: FinishedPhase) -> None:
        """Print a line."""
        self._console.print(Text(escape_invisible(str(result))), soft_wrap=True)


class _Drawn(_Notes):
    """Draws a bar of phases."""

    def __init__(self, console: Console, bar: Bar, name: str, steps: int) -> None:
        super().__init__(console)
        self._bar, self._name = bar, name
        self._task = bar.add_task(name, total=steps)

    def reached(self, key: str, phase: str) -> None:
        """Move the bar."""
        self._bar.update(self._task, advance=1, description=f"{self._name} {key}: {phase}")
