"""Notes on a valid series that may surprise its user."""

from collections.abc import Iterator
from math import prod

from series_assets.core.errors import join_words
from series_assets.core.plan.constraints import bounds_that_blank
from series_assets.core.plan.series import Series

_CONSPICUOUS = 2
"""How many times as high numbers are that make up for missing ones, before a note says so."""


def notes_of(series: Series) -> Iterator[str]:
    """Yield a sentence on each surprising consequence of the two files."""
    yield from _on_no_new_records(series)
    yield from _on_static_identifiers(series)
    yield from _on_sums_with_gaps(series)
    yield from _on_bounds_with_gaps(series)


def _on_no_new_records(series: Series) -> Iterator[str]:
    fraction = series.user_input.fraction_of_new
    if fraction > 0 and series.calendar.count > 1 and series.counts(1)[0] == 0:
        rows = "1 row" if series.rows == 1 else f"{series.rows:,} rows"
        yield (
            f"{series.name}/user_input.yml: fraction_of_new {fraction} of {rows} is less than one "
            "record, so no period after the first has new records; raise fraction_of_new or "
            "number_of_rows, or write 0 if that is intended"
        )


def _on_static_identifiers(series: Series) -> Iterator[str]:
    """Note where listing an identifier has no effect, and its entities have several of it."""
    first, *others = series.roles.identifiers
    if not series.has_repeated_entities:
        return
    for name in others:
        listed = name in series.user_input.static_columns
        if listed and not {first, name} <= {*series.user_input.linked_columns}:
            yield (
                f"{series.name}/user_input.yml: static_columns names '{name}', an identifier that "
                f"is not linked with '{first}': a new entity with several rows has several of it, "
                "of which only the first comes again; set linked_columns to "
                f"[{first}, {name}] to give each entity one"
            )


def _on_sums_with_gaps(series: Series) -> Iterator[str]:
    """Note where numbers make up for missing ones so much that it shows.

    Exhibit gives what a ``target_sum`` then lacks to the rows in which a category is missing.
    """
    columns = series.specification["columns"]
    categories = [name for name in _with_gaps(series) if columns[name]["type"] == "categorical"]
    complete = prod(1 - columns[name]["miss_probability"] for name in categories)
    for name in _with_gaps(series):
        column = columns[name]
        known = 1 - column["miss_probability"]
        total = (column.get("distribution_parameters") or {}).get("target_sum")
        if total is None or complete == 1 or known == 0:
            continue
        times = (1 - complete * known) / ((1 - complete) * known)
        if times >= _CONSPICUOUS:
            yield (
                f"{series.name}/specification.yml: columns.{name}: where {join_words(categories)} "
                f"is missing, numbers are about {times:.0f} times as high as elsewhere, because "
                "Exhibit lets these rows make up for missing numbers, so that all reach "
                f"target_sum; set miss_probability of {name} to 0, or give it target_min and "
                "target_max, if that is not intended"
            )


def _on_bounds_with_gaps(series: Series) -> Iterator[str]:
    """Note where a value goes missing beside a missing bound, which Exhibit does for fractions."""
    columns, gaps = series.specification["columns"], set(_with_gaps(series))
    for text in series.specification["constraints"]["basic_constraints"] or ():
        column, bounds = bounds_that_blank(text, columns)
        if found := sorted(gaps.intersection(bounds)):
            yield (
                f"{series.name}/specification.yml: basic constraint '{text}': where "
                f"{join_words(found, 'or')} is missing, Exhibit leaves {column} missing too"
            )


def _with_gaps(series: Series) -> list[str]:
    """Return the columns in which Exhibit leaves values missing at random."""
    columns = series.specification["columns"]
    return [name for name, column in columns.items() if column.get("miss_probability")]
