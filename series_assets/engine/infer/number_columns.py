"""Writes the columns of numbers of a specification: distributions, weights and bounds."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pandas as pd

from series_assets.core.spec.specification import Specification
from series_assets.engine.infer import structure
from series_assets.engine.infer.numbers import CategoryEffect, NumberModel, effect_of, fit_numbers
from series_assets.engine.infer.reading import Table

Order = tuple[str, str, str]
"""A column of numbers, a comparison that holds, and another column of numbers."""


def fit_number_columns(
    specification: Specification,
    table: Table,
    frame: pd.DataFrame,
    orders: list[Order],
    weighted: Collection[str],
) -> dict[str, NumberModel]:
    """Return a model for each column of numbers; those in ``weighted`` may depend on a category."""
    columns = specification["columns"]
    listed_ = [
        name
        for name in table.of_kind("category")
        if name in columns and isinstance(columns[name].get("original_values"), list)
    ]
    ordered = {name for one, _, other in orders for name in (one, other)}
    models = {}
    for name in table.of_kind("number"):
        column = table.columns[name]
        models[name] = fit_numbers(
            column.known,
            column.is_integer,
            bounded=_can_be_bounded(name, column.known, column.is_integer),
            spread=name not in ordered,
            effect=_strongest(name, frame, listed_) if name in weighted else None,
        )
    return models


def set_numbers(
    specification: Specification,
    table: Table,
    models: Mapping[str, NumberModel],
    orders: list[Order],
) -> None:
    """Set the distribution of each number, and the constraints between them."""
    # Bounds come last: they never break an order of two numbers, whose ranges follow it.
    named = structure.in_constraint
    constraints = [f"{named(one)} {sign} {named(other)}" for one, sign, other in orders]
    for name, model in models.items():
        is_integer = table.columns[name].is_integer
        constraints += _set_number(specification["columns"], name, is_integer, model)
    specification["constraints"]["basic_constraints"] = constraints


def drop_weights(column: Specification) -> None:
    """Keep the values of a category and their probabilities, without weights."""
    rows = [[cell.strip() for cell in row.split("|")] for row in column["original_values"]]
    place = rows[0].index("probability_vector") + 1
    column["original_values"] = [*_lines([row[:place] for row in rows])]


def _set_number(
    columns: Specification, name: str, is_integer: bool, model: NumberModel
) -> Iterator[str]:
    columns[name]["precision"] = "integer" if is_integer else "float"
    columns[name]["distribution"] = model.distribution
    columns[name]["distribution_parameters"] = model.parameters
    if model.weights:
        category, weights = model.weights
        rows = [[c.strip() for c in row.split("|")] for row in columns[category]["original_values"]]
        middle = sum(weights.values()) / len(weights)
        for place, row in enumerate(rows):
            row.append(name if not place else f"{weights.get(row[0], middle):.4f}")
        columns[category]["original_values"] = [*_lines(rows)]
    for sign, bound in model.bounds:
        if text := structure.literal(bound, is_integer):
            yield f"{structure.in_constraint(name)} {sign} {text}"


def _strongest(name: str, frame: pd.DataFrame, categories: list[str]) -> CategoryEffect | None:
    found = []
    for category in categories:
        known = frame[[name, category]].dropna()
        numbers = known[name].to_numpy(dtype=float)
        if effect := effect_of(numbers, known[category].to_numpy(dtype=object), category):
            found.append(effect)
    return max(found, key=lambda effect: effect.explained_variance, default=None)


def _can_be_bounded(name: str, known: Any, is_integer: bool) -> bool:
    """Return whether constraints can express the column's name and range."""
    ends = (float(known.min()), float(known.max()))
    return structure.in_constraint(name) is not None and all(
        structure.literal(end, is_integer) for end in ends
    )


def _lines(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield " | ".join(cells).rstrip()
