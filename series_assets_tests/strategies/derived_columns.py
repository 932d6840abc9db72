"""Derived columns over given columns."""

from collections.abc import Sequence

from hypothesis import strategies as st

from series_assets_tests.strategies.names import NAMES, Draw, Names, some


@st.composite
def derivations(draw: Draw, names: Names) -> dict[str, str]:
    """Draw derived columns, some computed from others."""
    generated: dict[str, str] = {}
    for name in draw(some(NAMES["derived"], most=2)):
        numbers = list(names.continuous)
        numbers += [other for other, text in generated.items() if "groupby" not in text]
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
            generated[name] = draw(st.sampled_from(found))
    return generated


def _groupings(names: Names) -> list[str]:
    return [
        f"df.groupby('{by}')['{number}'].{how}()"
        for by in [*names.uuid[:1], *names.categorical]
        for number in names.continuous
        for how in ("sum", "count", "mean")
    ]


def _over_all_rows(numbers: Sequence[str]) -> list[str]:
    """Return calculations in which each row's result depends on the other rows."""
    forms = ["({0} / {0}.sum())", "({0} - {0}.mean())", "{0}.rank()", "{0}.shift()"]
    return [form.format(number) for number in numbers for form in forms]
