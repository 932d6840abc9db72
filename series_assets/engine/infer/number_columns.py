"""Columns of numbers in a specification: how each is made, its weights and its bounds.

Which way to make numbers comes nearest to a table is the business of ``numbers``.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pandas as pd

from series_assets.core.spec.specification import Specification
from series_assets.engine.infer import structure
from series_assets.engine.infer.numbers import Effect, Manner, effect_of, manner_of
from series_assets.engine.infer.reading import Table

Order = tuple[str, str, str]
"""A number, a comparison and another number, between which it holds."""


def manners_of(
    specification: Specification,
    table: Table,
    frame: pd.DataFrame,
    orders: list[Order],
    weighted: Collection[str],
) -> dict[str, Manner]:
    """Return for each column of numbers how it is made.

    ``orders`` hold between two of them; those in ``weighted`` may depend on a category.
    """
    columns = specification["columns"]
    listed_ = [
        name
        for name in table.of_kind("category")
        if name in columns and isinstance(columns[name].get("original_values"), list)
    ]
    ordered = {name for one, _, other in orders for name in (one, other)}
    manners = {}
    for name in table.of_kind("number"):
        column = table.columns[name]
        manners[name] = manner_of(
            column.known,
            column.whole,
            bounded=_can_be_bounded(name, column.known, column.whole),
            spread=name not in ordered,
            effect=_strongest(name, frame, listed_) if name in weighted else None,
        )
    return manners


def set_numbers(
    specification: Specification,
    table: Table,
    manners: Mapping[str, Manner],
    orders: list[Order],
) -> None:
    """Say how each number is made, and what holds between two of them."""
    # Bounds come last: they never break an order of two numbers, as their ranges are in it.
    constraints = [f"{one} {sign} {other}" for one, sign, other in orders]
    for name, manner in manners.items():
        whole = table.columns[name].whole
        constraints += _set_number(specification["columns"], name, whole, manner)
    specification["constraints"]["basic_constraints"] = constraints


def drop_weights(column: Specification) -> None:
    """Leave the values of a category and their chances, without any weight."""
    rows = [[cell.strip() for cell in row.split("|")] for row in column["original_values"]]
    place = rows[0].index("probability_vector") + 1
    column["original_values"] = [*_lines([row[:place] for row in rows])]


def _set_number(columns: Specification, name: str, whole: bool, manner: Manner) -> Iterator[str]:
    columns[name]["precision"] = "integer" if whole else "float"
    columns[name]["distribution"] = manner.distribution
    columns[name]["distribution_parameters"] = manner.parameters
    if manner.weights:
        category, weights = manner.weights
        rows = [[c.strip() for c in row.split("|")] for row in columns[category]["original_values"]]
        middle = sum(weights.values()) / len(weights)
        for place, row in enumerate(rows):
            row.append(name if not place else f"{weights.get(row[0], middle):.4f}")
        columns[category]["original_values"] = [*_lines(rows)]
    for sign, bound in manner.bounds:
        if text := structure.literal(bound, whole):
            yield f"{name} {sign} {text}"


def _strongest(name: str, frame: pd.DataFrame, categories: list[str]) -> Effect | None:
    found = []
    for category in categories:
        known = frame[[name, category]].dropna()
        numbers = known[name].to_numpy(dtype=float)
        if effect := effect_of(numbers, known[category].to_numpy(dtype=object), category):
            found.append(effect)
    return max(found, key=lambda effect: effect.explained, default=None)


def _can_be_bounded(name: str, known: Any, whole: bool) -> bool:
    """Tell whether constraints can name a column and the ends of its range."""
    ends = (float(known.min()), float(known.max()))
    return structure.is_plain(name) and all(structure.literal(end, whole) for end in ends)


def _lines(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield " | ".join(cells).rstrip()
