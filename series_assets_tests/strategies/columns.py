"""Columns of every type."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from series_assets_tests.strategies.names import Content, Draw, Names, rarely, some

_VALUES = ["A", "B", "North West", "007", "12", "2024-01-01", "x, y", 'say "so"', "Ärzte", "nan"]


_PATTERNS = ["C[0-9]{3}[XY]", "[A-Z]{2}", "[ab][0-9]"]


_FREQUENCIES = {
    "D": (0, 60),
    "W": (6, 150),
    "MS": (31, 400),
    "ME": (31, 400),
    "QS": (92, 800),
    "QE": (92, 800),
}
"""The smallest and largest number of days in a window, by frequency."""


_AT_MONTH_ENDS = [
    *((day, day) for day in (date(2024, 1, 31), date(2024, 2, 29), date(2024, 4, 30))),
    (date(2024, 2, 1), date(2024, 2, 29)),
    (date(2024, 1, 31), date(2024, 2, 29)),
]
"""Windows of a day, of a month, or from one month's end to the next."""


def missing() -> st.SearchStrategy[float]:
    """Return probabilities of missing values, mostly 0."""
    return st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.3, 0.6, 0.9, 1.0])


def uuid_columns(draw: Draw, names: Names) -> dict[str, st.SearchStrategy[Content]]:
    """Draw the identifiers of a series, most of them with the same distribution."""
    shared = draw(distributions())
    return {name: uuid_column(place, shared) for place, name in enumerate(names.uuid)}


@st.composite
def distributions(draw: Draw) -> list[str]:
    """Draw a frequency distribution: how many rows an entity has."""
    frequencies = draw(some([1, 2, 3, 5], least=1))
    shares = [draw(st.sampled_from(["1.0", "0.5", "0.25", "3"])) for _ in frequencies]
    rows = [f"{n} | {share}" for n, share in zip(frequencies, shares, strict=True)]
    return ["frequency | probability_vector", *rows]


@st.composite
def uuid_column(draw: Draw, place: int, shared: list[str]) -> Content:
    """Draw an identifier, usually with the shared distribution; seeds are far apart."""
    seed = {} if place == 0 and draw(st.booleans()) else {"uuid_seed": 1000 * (place + 1)}
    return {
        "type": "uuid",
        **seed,
        "frequency_distribution": draw(distributions()) if rarely(draw) else list(shared),
        "miss_probability": draw(st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.1, 0.4])),
        "anonymising_set": draw(st.sampled_from(["uuid", "pseudo_chi", "range"])),
    }


@st.composite
def categorical_columns(draw: Draw, names: Names) -> dict[str, Content]:
    """Draw the categorical columns, some of them in pairs."""
    columns: dict[str, Content] = {}
    left = list(names.categorical)
    while left:
        name = left.pop(0)
        if left and draw(st.booleans()):
            columns |= draw(pair_of_columns(name, left.pop(0), names.continuous))
            continue
        kinds = [listed_column(name, names.continuous), ready_made_column(name, names.continuous)]
        columns[name] = draw(st.one_of(kinds[0], kinds[0], regex_column(), kinds[1]))
    return columns


def _categorical(draw: Draw, **keys: Any) -> Content:
    return {
        "type": "categorical",
        "paired_columns": None,
        "cross_join_all_unique_values": False,
        "miss_probability": draw(missing()),
        "anonymising_set": "random",
        **keys,
    }


@st.composite
def listed_column(draw: Draw, name: str, numbers: list[str]) -> Content:
    """Draw a column of listed values, which is sometimes cross-joined."""
    values = draw(some(_VALUES, least=1, most=5))
    return _categorical(
        draw,
        uniques=len(values),
        original_values=draw(table([name], [[value] for value in values], numbers)),
        cross_join_all_unique_values=rarely(draw, 5),
    )


@st.composite
def ready_made_column(draw: Draw, name: str, numbers: list[str]) -> Content:
    """Draw a column with the values of a set that ships with Exhibit."""
    count = draw(st.integers(1, 5))
    values = [[f"{name} {place}"] for place in range(count)]
    return _categorical(
        draw,
        uniques=count,
        original_values=draw(table([name], values, numbers)),
        anonymising_set=draw(st.sampled_from(["birds", "birds.common_name", "mountains.peak"])),
    )


@st.composite
def regex_column(draw: Draw) -> Content:
    """Draw a column whose values are made from a pattern."""
    return _categorical(
        draw,
        uniques=draw(st.integers(1, 20)),
        original_values="regex",
        anonymising_set=draw(st.sampled_from(_PATTERNS)),
    )


@st.composite
def pair_of_columns(draw: Draw, name: str, other: str, numbers: list[str]) -> dict[str, Content]:
    """Draw two paired columns."""
    chosen = draw(st.sampled_from(["random", "random", "birds", "mountains"]))
    values = draw(some(_VALUES, least=1, most=5))
    pairs = [[value, draw(st.sampled_from(["one", "2", "three 3"]))] for value in values]
    shared = {
        "uniques": len(values),
        "cross_join_all_unique_values": chosen == "random" and rarely(draw, 5),
        "miss_probability": draw(missing()),
        "anonymising_set": chosen,
    }
    original = draw(table([name, f"paired_{other}"], pairs, numbers))
    first = _categorical(draw, **shared) | {"original_values": original}
    second = _categorical(draw, **shared) | {"original_values": "See paired column"}
    return {name: first | {"paired_columns": [other]}, other: second | {"paired_columns": [name]}}


@st.composite
def table(draw: Draw, header: list[str], rows: list[list[str]], numbers: list[str]) -> list[str]:
    """Draw a table of values with their probabilities, and weights for some of the numbers."""
    weighted = draw(some(numbers))
    share = st.sampled_from(["0.500", "0.250", "1.000", "0.010"])
    weight = st.sampled_from(["0.500", "0.100", "0.900", "0.000"])
    generated = [[*header, "probability_vector", *weighted]]
    generated += [[*row, draw(share), *(draw(weight) for _ in weighted)] for row in rows]
    generated += [["Missing data"] * len(header) + ["0.000"] + [draw(weight) for _ in weighted]]
    return [" | ".join(row) for row in generated]


@st.composite
def continuous_column(draw: Draw) -> Content:
    """Draw a column of numbers with any combination of targets."""
    low = draw(st.sampled_from([0, 1, -20, 10.5, 200]))
    targets = {
        "target_sum": draw(st.sampled_from([1000, 50, 12345.67])),
        "target_min": low,
        "target_max": low + draw(st.sampled_from([100, 1, 7.5])),
        "target_mean": draw(st.sampled_from([10, 0.5, 100])),
        "target_std": draw(st.sampled_from([1, 0.5, 20])),
    }
    chosen = draw(
        st.one_of(st.just(["target_min", "target_max"]), some(list(targets), least=1, most=5))
    )
    dispersion = draw(st.sampled_from([{}, {"dispersion": 0}, {"dispersion": 0.1}]))
    return {
        "type": "continuous",
        "precision": draw(st.sampled_from(["float", "integer"])),
        "distribution": draw(st.sampled_from(["weighted_uniform", "normal"])),
        "distribution_parameters": dispersion | {name: targets[name] for name in chosen},
        "miss_probability": draw(missing()),
    }


@st.composite
def date_column(draw: Draw) -> Content:
    """Draw a date column of any frequency, with a closed window or one that is open at one end."""
    frequency = draw(st.sampled_from(list(_FREQUENCIES)))
    shortest, longest = _FREQUENCIES[frequency]
    first = draw(st.dates(date(2023, 12, 1), date(2024, 3, 31)))
    last = first + timedelta(days=draw(st.integers(shortest, longest)))
    if frequency == "D" and rarely(draw, 3):
        first, last = draw(st.sampled_from(_AT_MONTH_ENDS))
    window = {"from": first.isoformat(), "to": last.isoformat()}
    if rarely(draw):
        del window[draw(st.sampled_from(["from", "to"]))]
    crossed = rarely(draw)
    return {
        "type": "date",
        "cross_join_all_unique_values": crossed,
        "miss_probability": 0.0 if crossed else draw(missing()),
        **window,
        "uniques": draw(st.integers(1, 4 if crossed else 40)),
        "frequency": frequency,
    }


@st.composite
def geospatial_column(draw: Draw) -> Content:
    """Draw a geospatial column over the hexagons of the table ``places``."""
    return {
        "type": "geospatial",
        "h3_table": "places",
        "distribution": draw(st.sampled_from(["uniform", "people"])),
        "miss_probability": draw(missing()),
    }
