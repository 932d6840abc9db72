"""Printing for people: whatever stands in a name, a value or a message, the terminal obeys none.

Everything that the command line prints goes through here.
"""

import click
from rich.text import Text

from series_assets.core.plain_text import one_line, visible


def echo(text: str, err: bool = False) -> None:
    """Print a message, with its own line breaks, to stdout or to stderr."""
    click.echo(visible(text), err=err)


def cell(text: str) -> Text:
    """Return a text for a table: one line, and no markup of rich's."""
    return Text(one_line(text))
