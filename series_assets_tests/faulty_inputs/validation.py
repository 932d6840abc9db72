"""Commands that validate faulty files, and files with one changed value."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from series_assets.cli import main
from series_assets_tests.builders import write_series

ABSENT = object()
"""Used instead of a value, this removes the key."""


Content = dict[str, Any]


def changed(content: Content, place: str, value: object) -> Content:
    """Return a copy of the content with another value at ``place``: ``columns/sex/type``."""
    content = deepcopy(content)
    *above, key = place.split("/")
    inside = content
    for part in above:
        inside = inside[part]
    if value is ABSENT:
        del inside[key]
    else:
        inside[key] = value
    return content


def _everything_below(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def messages_of(folder: Path, *arguments: str) -> list[str]:
    """Run a command that must refuse its input, and return its messages.

    It must end with exit code 2, print nothing to stdout, show no traceback and leave no file
    behind.
    """
    before = _everything_below(folder)
    environment = {
        "SERIES_ASSETS_SERIES_DIR": str(folder / "series"),
        "SERIES_ASSETS_DATA_DIR": str(folder / "data"),
        "DAGSTER_HOME": "",
    }
    result = CliRunner().invoke(main, arguments, env=environment)
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert _everything_below(folder) == before
    return result.stderr.splitlines()


def validate(folder: Path, specification: Content, user_input: Content) -> list[str]:
    """Write the two files of a series and return the messages of ``validate``."""
    write_series(folder / "series", specification, user_input)
    return messages_of(folder, "validate", "demo")
