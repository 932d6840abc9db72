"""Whole specifications with user inputs that fit them, drawn by Hypothesis.

Columns of every type, constraints of every kind, derivations and roles are put together at will;
most of what is drawn makes a series. What has to come of it is not said here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

Draw = st.DrawFn
Content = dict[str, Any]

_NAMES = {
    "uuid": ["id", "record chi", "id number"],
    "categorical": ["sex", "region", "sex at birth", "ward", "Ward name", "code", "amount band"],
    "continuous": ["amount", "height", "amount paid", "id count"],
    "date": ["date", "date updated", "birth", "birth_date"],
    "derived": ["total", "age in days", "date_part", "share of sex"],
}
"""Names of columns by type; many stand within another one."""

_VALUES = ["A", "B", "North West", "007", "12", "2024-01-01", "x, y", 'say "so"', "Ärzte", "nan"]
_PATTERNS = ["C[0-9]{3}[XY]", "[A-Z]{2}", "[ab][0-9]"]
DATABASE = "places.db"
"""The database that a user input with places names; it has to lie beside it."""

_LISTS = {
    "uuid": "uuid_columns",
    "categorical": "categorical_columns",
    "continuous": "numerical_columns",
    "date": "date_columns",
}
_FREQUENCIES = {
    "D": (0, 60),
    "W": (6, 150),
    "MS": (31, 400),
    "ME": (31, 400),
    "QS": (92, 800),
    "QE": (92, 800),
}
"""How many days the window of a date column spans, by its frequency."""

_AT_MONTH_ENDS = [
    *((day, day) for day in (date(2024, 1, 31), date(2024, 2, 29), date(2024, 4, 30))),
    (date(2024, 2, 1), date(2024, 2, 29)),
    (date(2024, 1, 31), date(2024, 2, 29)),
]
"""Windows of a day, a month, or from one month's end to the next."""

_ONE_COLUMN = [
    "make_null",
    "make_not_null",
    "sort_ascending",
    "sort_descending",
    "make_distinct",
    "make_same",
    "make_almost_same",
    "shift_distribution_right",
    "shift_distribution_left",
]
_SKEWS = [
    "sort_and_skew_right",
    "sort_and_skew_left",
    "sort_and_make_peak",
    "sort_and_make_valley",
]
_SEQUENCES = ["generate_as_sequence", "generate_as_repeating_sequence"]

COMPARISONS = st.sampled_from(["<", ">", "<=", ">=", "=="])


@dataclass
class Names:
    """The columns of a specification, by type, in the order they are made."""

    uuid: list[str] = field(default_factory=list)
    categorical: list[str] = field(default_factory=list)
    continuous: list[str] = field(default_factory=list)
    date: list[str] = field(default_factory=list)
    geospatial: list[str] = field(default_factory=list)
    derived: list[str] = field(default_factory=list)

    @property
    def every(self) -> list[str]:
        """All columns, derived ones last."""
        own = [*self.uuid, *self.categorical, *self.continuous, *self.date]
        return [*own, *self.geospatial, *self.derived]


@dataclass(frozen=True)
class Files:
    """The contents of the two files of a series."""

    specification: Content
    user_input: Content


def some(names: Sequence[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[list[Any]]:
    """Return lists of different ones of the names."""
    if not names:
        return st.just([])
    return st.lists(
        st.sampled_from(list(names)), unique=True, min_size=least, max_size=min(most, len(names))
    )


def rarely(draw: Draw, outcomes: int = 8) -> bool:
    """Draw whether something happens that seldom does."""
    return draw(st.integers(0, outcomes - 1)) == outcomes - 1


@st.composite
def files(draw: Draw) -> Files:
    """Draw the two files of a series."""
    rows = draw(st.integers(20, 120))
    names = Names(
        uuid=draw(some(_NAMES["uuid"], least=1)),
        categorical=draw(some(_NAMES["categorical"], most=4)),
        continuous=draw(some(_NAMES["continuous"])),
        date=draw(some(_NAMES["date"])),
        geospatial=draw(some(["home", "seen at"], most=1)) if rarely(draw, 4) else [],
    )
    columns = {name: draw(column) for name, column in _uuid_columns(draw, names).items()}
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
    told = draw(some(names.derived))
    if told:
        listed["numerical_columns"] = [*names.continuous, *told]
    return {
        "number_of_rows": rows,
        **listed,
        "geospatial_columns": list(names.geospatial) or None,
        "inline_limit": draw(st.sampled_from([30, 10, 50])),
        "random_seed": draw(st.integers(0, 99)),
        "id": "demo",
    }


# Columns.


def missing() -> st.SearchStrategy[float]:
    """Return chances of a value to be missing, mostly none."""
    return st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.3, 0.6, 0.9, 1.0])


def _uuid_columns(draw: Draw, names: Names) -> dict[str, st.SearchStrategy[Content]]:
    shared = draw(distributions())
    return {name: uuid_column(place, shared) for place, name in enumerate(names.uuid)}


@st.composite
def distributions(draw: Draw) -> list[str]:
    """Draw how many rows an entity has."""
    frequencies = draw(some([1, 2, 3, 5], least=1))
    shares = [draw(st.sampled_from(["1.0", "0.5", "0.25", "3"])) for _ in frequencies]
    rows = [f"{n} | {share}" for n, share in zip(frequencies, shares, strict=True)]
    return ["frequency | probability_vector", *rows]


@st.composite
def uuid_column(draw: Draw, place: int, shared: list[str]) -> Content:
    """Draw an identifier, most of them of the shared distribution; seeds lie far apart."""
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
    """Draw a column of listed values, cross-joined now and then."""
    values = draw(some(_VALUES, least=1, most=5))
    return _categorical(
        draw,
        uniques=len(values),
        original_values=draw(table([name], [[value] for value in values], numbers)),
        cross_join_all_unique_values=rarely(draw, 5),
    )


@st.composite
def ready_made_column(draw: Draw, name: str, numbers: list[str]) -> Content:
    """Draw a column whose values are those of a set that comes with Exhibit."""
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
    """Draw two columns whose values belong together."""
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
    """Draw the listed values with their chances, and weights for some of the numbers."""
    weighted = draw(some(numbers))
    share = st.sampled_from(["0.500", "0.250", "1.000", "0.010"])
    weight = st.sampled_from(["0.500", "0.100", "0.900", "0.000"])
    made = [[*header, "probability_vector", *weighted]]
    made += [[*row, draw(share), *(draw(weight) for _ in weighted)] for row in rows]
    made += [["Missing data"] * len(header) + ["0.000"] + [draw(weight) for _ in weighted]]
    return [" | ".join(row) for row in made]


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
    """Draw a column of days of any frequency, its window closed or open at one end."""
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


# Constraints and derivations.


@st.composite
def geospatial_column(draw: Draw) -> Content:
    """Draw a column of places, from the hexagons of the table ``places``."""
    return {
        "type": "geospatial",
        "h3_table": "places",
        "distribution": draw(st.sampled_from(["uniform", "people"])),
        "miss_probability": draw(missing()),
    }


def escaped(name: str) -> str:
    """Return a name as constraints and filters write it."""
    return f"~{name}~" if " " in name else name


@st.composite
def constraints(draw: Draw, names: Names, columns: dict[str, Content]) -> Content:
    """Draw what has to hold between the columns."""
    basic = draw(st.lists(basic_constraint(names), max_size=2)) if _adjustable(names) else []
    custom = [draw(custom_constraint(names, columns)) for _ in range(draw(st.integers(0, 2)))]
    kept = {f"rule {place}": rule for place, rule in enumerate(custom) if rule["targets"]}
    return {
        "allow_duplicates": draw(st.booleans()),
        "basic_constraints": basic or None,
        "custom_constraints": kept or None,
    }


def _adjustable(names: Names) -> bool:
    return bool(names.continuous or names.date)


@st.composite
def basic_constraint(draw: Draw, names: Names) -> str:
    """Draw a constraint on a number or a date."""
    left = draw(st.sampled_from([*names.continuous, *names.date]))
    of_kind = names.date if left in names.date else names.continuous
    others = [escaped(name) for name in of_kind if name != left]
    if left in names.date:
        days = [f"'2024-{day}'" for day in ("01-15", "01-31", "02-29")]
        right = st.sampled_from([*others, *others, *others, *days])
    else:
        scaled = [f"{name}*2" for name in others] + [f"{name}+1" for name in others]
        right = st.sampled_from([*others, *others, *scaled, "20", "0", "55.5"])
    return f"{escaped(left)} {draw(COMPARISONS)} {draw(right)}"


@st.composite
def custom_constraint(draw: Draw, names: Names, columns: dict[str, Content]) -> Content:
    """Draw actions for some rows, over the whole or by groups; none where nothing can be done."""
    rule: Content = {}
    if draw(st.booleans()) and (filters := _filters(draw, names, columns)):
        rule["filter"] = draw(st.sampled_from(filters))
    if draw(st.booleans()):
        groups = [*names.uuid[:1], *names.categorical]
        rule["partition"] = ", ".join(draw(some(groups, least=1, most=2)))
    made = draw(st.lists(target(names, columns), min_size=1, max_size=2))
    rule["targets"] = dict(found for found in made if found)
    return rule


def _filters(draw: Draw, names: Names, columns: dict[str, Content]) -> list[str]:
    found = [f"{escaped(name)} > {draw(st.sampled_from([10, 0, 90]))}" for name in names.continuous]
    found += [f"{escaped(name)} > '2024-01-15'" for name in names.date]
    for name in names.categorical:
        values = columns[name]["original_values"]
        value = values[1].split("|")[0].strip() if isinstance(values, list) else "2"
        found.append(f"{escaped(name)} == '{value}'")
        found.append(f"{escaped(name)} with_{draw(st.sampled_from(['high', 'low']))}_frequency")
    if len(found) > 1:
        *_, one, other = [text for text in found if "frequency" not in text] * 2
        found.append(f"({one}) {draw(st.sampled_from(['&', '|']))} ({other})")
    return found


@st.composite
def target(draw: Draw, names: Names, columns: dict[str, Content]) -> tuple[str, str] | None:
    """Draw the columns of a custom constraint and what is done with them."""
    every = [*names.categorical, *names.continuous, *names.date]
    listed = [name for name in names.categorical if _lists_values(columns[name])]
    choices: list[Callable[[], tuple[str, str]]] = []

    def add(actions: list[str], fitting: Sequence[str], most: int = 2) -> None:
        if fitting:
            choices.append(
                lambda: (
                    ", ".join(draw(some(fitting, least=1, most=most))),
                    draw(st.sampled_from(actions)),
                )
            )

    add(_ONE_COLUMN, every)
    add(_ONE_COLUMN, names.categorical)
    add(_SEQUENCES, listed, most=1)
    add(["make_outlier", "make_outlier, sort_ascending"], names.continuous)
    add(["assign_value$7"], names.continuous, most=1)
    add(["assign_value$other"], names.categorical, most=1)
    if names.continuous and len(every) > 1:
        number = draw(st.sampled_from(names.continuous))
        others = [name for name in every if name != number]
        choices.append(
            lambda: (
                f"{draw(st.sampled_from(others))}, {number}",
                draw(st.sampled_from(_SKEWS)),
            )
        )
    return draw(st.sampled_from(choices))() if choices else None


def _lists_values(column: Content) -> bool:
    return isinstance(column["original_values"], list)


@st.composite
def derivations(draw: Draw, names: Names) -> dict[str, str]:
    """Draw derived columns, some made of others."""
    made: dict[str, str] = {}
    for name in draw(some(_NAMES["derived"], most=2)):
        numbers = list(names.continuous)
        numbers += [other for other, text in made.items() if "groupby" not in text]
        found = [f"({left} / 2)" for left in numbers]
        found += [f"({left} + {right})" for left in numbers for right in numbers if left != right]
        found += [
            f"({left} - {right}).dt.days"
            for left in names.date
            for right in names.date
            if left != right
        ]
        found += [f"{name}.dt.year" for name in names.date]
        found += _groupings(names)
        found += _over_all_rows(numbers)
        if found:
            made[name] = draw(st.sampled_from(found))
    return made


def _groupings(names: Names) -> list[str]:
    return [
        f"df.groupby('{by}')['{number}'].{how}()"
        for by in [*names.uuid[:1], *names.categorical]
        for number in names.continuous
        for how in ("sum", "count", "mean")
    ]


def _over_all_rows(numbers: Sequence[str]) -> list[str]:
    """Return calculations of which each row's result depends on the others."""
    forms = ["({0} / {0}.sum())", "({0} - {0}.mean())", "{0}.rank()", "{0}.shift()"]
    return [form.format(number) for number in numbers for form in forms]


# User inputs.


@st.composite
def user_inputs(draw: Draw, names: Names, specification: Content) -> Content:
    """Draw a user input that fits the specification; what filters mention is often static."""
    columns = specification["columns"]
    moved = draw(some(names.date))
    static = draw(some(names.every, most=4))
    if draw(st.booleans()):
        filtered = _filtered(names, specification["constraints"]["custom_constraints"] or {})
        static += [name for name in draw(some(filtered)) if name not in static]
    said: Content = {
        "date_columns": moved,
        "static_columns": static or None,
        "period": draw(st.sampled_from(["months", "weeks", "days"])),
        "length_of_period": draw(st.sampled_from([1, 2, 3, 10, 12])),
        "num_datasets": draw(st.sampled_from([2, 3, 3, 4])),
        "fraction_of_new": draw(st.sampled_from(["1/2", "1/3", "2/3", "9/10", 0, 1])),
    }
    if not any("from" in columns[name] for name in moved) or rarely(draw):
        said["start_date"] = draw(st.sampled_from(["2024-01-01", "2024-01-31", "29/02/2024"]))
    if names.geospatial:
        said["exhibit_db_path"] = DATABASE
    if draw(st.booleans()):
        said["linked_columns"] = draw(linked_columns(names)) or None
    return said


def _filtered(names: Names, rules: Content) -> list[str]:
    filters = [rule.get("filter") or "" for rule in rules.values()]
    return [name for name in names.every if any(name in text for text in filters)]


@st.composite
def linked_columns(draw: Draw, names: Names) -> list[str]:
    """Draw columns linked to an identifier, identifiers among them."""
    linked = draw(some(names.uuid, least=1))
    linked += draw(some([*names.categorical, *names.continuous, *names.derived], most=2))
    return linked if len(linked) > 1 else []
