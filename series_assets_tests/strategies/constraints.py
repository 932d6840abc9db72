"""Basic and custom constraints on given columns."""

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from series_assets_tests.strategies.names import Content, Draw, Names, escaped, some

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


@st.composite
def constraints(draw: Draw, names: Names, columns: dict[str, Content]) -> Content:
    """Draw basic and custom constraints on the columns."""
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
    """Draw actions for some rows, for the complete data or by group."""
    rule: Content = {}
    if draw(st.booleans()) and (filters := _filters(draw, names, columns)):
        rule["filter"] = draw(st.sampled_from(filters))
    if draw(st.booleans()):
        groups = [*names.uuid[:1], *names.categorical]
        rule["partition"] = ", ".join(draw(some(groups, least=1, most=2)))
    generated = draw(st.lists(target(names, columns), min_size=1, max_size=2))
    rule["targets"] = dict(found for found in generated if found)
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
    """Draw the columns of a custom constraint and the action on them; None if none is possible."""
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
