"""The two files of a series."""

from dataclasses import dataclass

from hypothesis import strategies as st

from series_assets_tests.strategies.columns import (
    categorical_columns,
    continuous_column,
    date_column,
    geospatial_column,
    uuid_columns,
)
from series_assets_tests.strategies.constraints import constraints
from series_assets_tests.strategies.derived_columns import derivations
from series_assets_tests.strategies.names import NAMES, Content, Draw, Names, rarely, some
from series_assets_tests.strategies.user_inputs import user_inputs

_LISTS = {
    "uuid": "uuid_columns",
    "categorical": "categorical_columns",
    "continuous": "numerical_columns",
    "date": "date_columns",
}


@dataclass(frozen=True)
class Files:
    """The contents of the two files of a series."""

    specification: Content
    user_input: Content


@st.composite
def files(draw: Draw) -> Files:
    """Draw the two files of a series."""
    rows = draw(st.integers(20, 120))
    names = Names(
        uuid=draw(some(NAMES["uuid"], least=1)),
        categorical=draw(some(NAMES["categorical"], most=4)),
        continuous=draw(some(NAMES["continuous"])),
        date=draw(some(NAMES["date"])),
        geospatial=draw(some(["home", "seen at"], most=1)) if rarely(draw, 4) else [],
    )
    columns = {name: draw(column) for name, column in uuid_columns(draw, names).items()}
    columns |= draw(categorical_columns(names))
    columns |= {name: draw(continuous_column()) for name in names.continuous}
    columns |= {name: draw(date_column()) for name in names.date}
    columns |= {name: draw(geospatial_column()) for name in names.geospatial}
    derived = draw(derivations(names))
    names.derived = list(derived)
    specification = {
        "metadata": _metadata(draw, names, rows),
        "columns": columns,
        "constraints": draw(constraints(names, columns)),
        "linked_columns": None,
        "derived_columns": derived or None,
        "models": None,
    }
    return Files(specification, draw(user_inputs(names, specification)))


def _metadata(draw: Draw, names: Names, rows: int) -> Content:
    listed = {key: list(getattr(names, type_)) or None for type_, key in _LISTS.items()}
    shown = draw(some(names.derived))
    if shown:
        listed["numerical_columns"] = [*names.continuous, *shown]
    return {
        "number_of_rows": rows,
        **listed,
        "geospatial_columns": list(names.geospatial) or None,
        "inline_limit": draw(st.sampled_from([30, 10, 50])),
        "random_seed": draw(st.integers(0, 99)),
        "id": "demo",
    }
