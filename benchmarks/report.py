"""Showing what was measured: on the terminal, and as tables in the documents."""

import os
import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.jobs import PHASES
from benchmarks.results import Against, Compared, Large, Result

_BEGIN, _END = "<!-- measured -->", "<!-- end of measured -->"
_PACKAGES = ("pandas", "numpy", "pyarrow", "exhibit", "dagster")


def tables_of(results: Sequence[Result]) -> list[list[list[str]]]:
    """Return the tables, each a list of rows of text, the first of which is the header."""
    against = [one for one in results if isinstance(one, Against)]
    compared = [one for one in results if isinstance(one, Compared)]
    tables = []
    if against:
        tables.append([_AGAINST, *map(_against, against)])
        tables.append([_PHASES, *map(_phases, against)])
    if compared:
        tables.append([_COMPARED, *map(_compared, compared)])
    if large := [one for one in results if isinstance(one, Large)]:
        tables.append([_LARGE, *map(_large, large)])
    return tables


_AGAINST = [
    "series, rows × periods",
    "reference",
    "series_assets",
    "times as fast",
    "in CPU time",
    "peak, reference",
    "peak, series_assets",
    "all processes",
    "goal",
    "met",
]
_PHASES = [
    "µs a row",
    "new records",
    "reference table",
    "dataset",
    "start",
    "end",
]
_LARGE = [
    "series",
    "rows",
    "time",
    "µs a row",
    "bytes a row",
    "all processes",
    "goal",
    "met",
]
_COMPARED = ["job", "one", "", "other", "", "ratio", "goal", "met"]


def _against(one: Against) -> list[str]:
    reference, ours = one.reference, one.ours
    return [
        one.job,
        f"{reference.seconds:.2f} s",
        f"{ours.seconds:.2f} s",
        f"{reference.seconds / ours.seconds:.2f}",
        f"{reference.cpu_seconds / ours.cpu_seconds:.2f}",
        f"{reference.peak_mb:.0f} MB",
        f"{ours.peak_mb:.0f} MB",
        f"{one.ours_together_mb:.0f} MB" if one.ours_together_mb else "",
        one.goal,
        "yes" if one.met else "no",
    ]


def _phases(one: Against) -> list[str]:
    cells = {}
    for phase in PHASES:
        seconds, rows = one.seconds_by_phase.get(phase, 0.0), one.rows_by_phase.get(phase)
        cells[phase] = f"{seconds / rows * 1e6:.1f}" if rows else f"{seconds:.2f} s"
    return [one.job, *(cells[phase] for phase in _PHASES[1:])]


def _compared(one: Compared) -> list[str]:
    met = ("yes" if one.met else "no") if one.goal else ""
    ratio = f"{one.ratio:.2f}"
    return [one.job, one.one, one.one_value, one.other, one.other_value, ratio, one.goal, met]


def _large(one: Large) -> list[str]:
    return [
        one.job,
        f"{one.rows:,}",
        f"{one.taken.seconds:.0f} s",
        f"{one.taken.seconds / one.rows * 1e6:.1f}",
        f"{one.size / one.rows:.0f}" if one.size else "",
        f"{one.taken.peak_mb:.0f} MB",
        one.goal,
        "yes" if one.met else "no",
    ]


def show(results: Sequence[Result], console: Console) -> None:
    """Print the tables."""
    for header, *rows in tables_of(results):
        table = Table(*header, box=None)
        for row in rows:
            table.add_row(*row)
        console.print(table)
        console.print()


def machine() -> str:
    """Say on what was measured."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


def write(results: Sequence[Result], path: Path, command: str) -> None:
    """Put the tables between the markers of a document, with the command that made them.

    Raises ValueError where the document has no markers.
    """
    text = path.read_text(encoding="utf-8")
    found = re.search(f"{re.escape(_BEGIN)}.*{re.escape(_END)}", text, re.DOTALL)
    if found is None:
        raise ValueError(f"{path}: has no place for the tables; put '{_BEGIN}{_END}' there")
    parts = [_BEGIN, f"Made by `{command}` on {machine()}.", *map(_markdown, tables_of(results))]
    block = "\n\n".join([*parts, _END])
    path.write_text(text[: found.start()] + block + text[found.end() :], encoding="utf-8")


def _markdown(table: list[list[str]]) -> str:
    header, *rows = table
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
