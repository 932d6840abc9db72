"""The columns that the two files declare: types, identifiers, static columns, frequencies."""

from collections import Counter
from functools import cached_property
from math import ceil
from typing import Any

import pandas as pd

from series_assets_tests.checker.finished import COLUMN_LISTS, Finished


class DeclaredColumns:
    """The columns of a series, derived from the contents of its two files."""

    def __init__(self, finished: Finished) -> None:
        self.finished = finished
        self.specification = finished.specification
        self.user_input = finished.user_input
        self.metadata = self.specification["metadata"]
        self.columns: dict[str, Any] = self.specification["columns"]
        self.derived = {
            name: text
            for name, text in (self.specification.get("derived_columns") or {}).items()
            if "Example" not in name
        }
        self.rows = int(self.metadata["number_of_rows"])
        self.periods = int(self.user_input.get("num_datasets", 3))
        self.uuids = self.of_type("uuid")
        self.moved = list(self.user_input["date_columns"])
        constraints = self.specification["constraints"]
        self.basic: list[str] = constraints.get("basic_constraints") or []
        self.custom: dict[str, Any] = constraints.get("custom_constraints") or {}
        self.linked_groups = self.specification.get("linked_columns") or []

    def of_type(self, type_: str) -> list[str]:
        """Return the columns of a type, those that the metadata lists first."""
        listed = [n for n in self.metadata.get(COLUMN_LISTS[type_]) or [] if n in self.columns]
        more = [n for n, c in self.columns.items() if c["type"] == type_ and n not in listed]
        return [*listed, *more]

    def outputs(self, name: str) -> list[str]:
        """Return the columns of the data that a column of the specification is written as."""
        if self.columns.get(name, {}).get("type") == "geospatial":
            return [f"{name}_latitude", f"{name}_longitude"]
        return [name]

    @cached_property
    def header(self) -> set[str]:
        """The columns of the data."""
        return {out for name in (*self.columns, *self.derived) for out in self.outputs(name)}

    @cached_property
    def linked(self) -> list[str]:
        """The identifiers that are linked one to one."""
        return [name for name in self.user_input.get("linked_columns") or [] if name in self.uuids]

    @cached_property
    def static(self) -> list[str]:
        """The columns that an entity keeps besides its identifiers, in specification order."""
        kept = set(self.user_input.get("static_columns") or [])
        if self.linked:
            kept |= set(self.user_input["linked_columns"])
        groups = [{name, *(c.get("paired_columns") or [])} for name, c in self.columns.items()]
        groups += [set(members) for _, members in self.linked_groups]
        groups = [group for group in groups if len(group) > 1]
        while any(group & kept and not group <= kept for group in groups):
            kept |= set().union(*(group for group in groups if group & kept))
        every = [*self.columns, *self.derived]
        return [name for name in every if name in kept and name not in self.uuids]

    @cached_property
    def static_outputs(self) -> list[str]:
        """The columns of the data that an entity keeps besides its identifiers."""
        return [out for name in self.static for out in self.outputs(name)]

    @cached_property
    def crossed(self) -> bool:
        """Whether columns are cross-joined."""
        return any(c.get("cross_join_all_unique_values") for c in self.columns.values())

    def shares(self, name: str) -> list[tuple[int, float]]:
        """Return the pairs of a frequency and its share of the rows."""
        cells = [row.split("|") for row in self.columns[name]["frequency_distribution"][1:]]
        shares = pd.Series([float(share) for _, share in cells])
        return [
            (int(cell[0]), float(share))
            for cell, share in zip(cells, shares / shares.sum(), strict=True)
        ]

    def repetitions(self, name: str, rows: int) -> Counter[int]:
        """Return how many entities have how many of the given rows, as Exhibit lays them out.

        The entities of a frequency follow one another as many times as the frequency says; surplus
        rows are cut from the end.
        """
        entities: list[tuple[int, int]] = []
        for frequency, share in self.shares(name):
            block = [(frequency, i) for i in range(ceil(rows * share / frequency))]
            entities += block * frequency
        return Counter(Counter(entities[:rows]).values())

    def allotted(self, name: str, rows: int) -> int:
        """Return the number of identifiers that are allotted to rows, before any is cut."""
        return sum(ceil(rows * share / frequency) for frequency, share in self.shares(name))
