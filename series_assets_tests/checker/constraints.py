"""Days within their windows, and basic constraints."""

import re

import pandas as pd

from series_assets_tests.checker.finished import Row, ensure, some
from series_assets_tests.checker.periods import iso_days
from series_assets_tests.checker.rules import Rules

_OPERATIONS = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
    "==": lambda left, right: left == right,
}


def check_dates(rules: Rules, rows: list[Row], k: int, existing: bool, where: str) -> None:
    """Dates lie within the window of their period and on its frequency; static ones keep theirs."""
    for name in rules.of_type("date"):
        if (existing and name in rules.static) or "anonymising_set" in rules.columns[name]:
            continue
        days = _possible_days(rules, k)[name]
        odd = {row[name] for row in rows} - days - {""}
        ensure(
            not odd,
            f"{where}: {name} has days outside its window "
            f"{'..'.join(map(str, rules.window(name, k)))} or off its frequency: "
            f"{some(sorted(odd))}",
        )


def _possible_days(rules: Rules, k: int) -> dict[str, set[str]]:
    """Return every day that each date column may have in a period.

    Constraints move dates to a day of another column, or one step of their own frequency away from
    it.
    """
    days = {name: rules.days(name, k) for name in rules.of_type("date")}
    for text in rules.basic:
        parts = _parts(rules, text)
        if parts is None or parts[0] not in days:
            continue
        left, _, right = parts
        step = pd.tseries.frequencies.to_offset(rules.columns[left]["frequency"])
        if right in days:
            index = pd.to_datetime(sorted(days[right]))
        else:
            index = pd.to_datetime([rules.literal(right.strip("'"), left, k)])
        for near in (index - step, index, index + step):
            days[left] |= iso_days(near)
    return days


def _parts(rules: Rules, text: str) -> tuple[str, str, str] | None:
    """Return the sides and the operator of a constraint on one column or one literal, or None."""
    found = re.fullmatch(r"(.+?) (<|>|<=|>=|==) (.+)", text.strip())
    if not found:
        return None
    left, operator, right = (part.strip().strip("~") for part in found.groups())
    literal = re.fullmatch(r"-?\d+(\.\d+)?|'\d{4}-\d{2}-\d{2}'", right)
    return (left, operator, right) if right in rules.header or literal else None


def check_constraints(rules: Rules, rows: list[Row], k: int, existing: bool, where: str) -> None:
    """Basic constraints hold, except for those on static columns in existing records."""
    for place, text in enumerate(rules.basic):
        parts = _parts(rules, text)
        later = [
            _parts(rules, other) or [other.split(" ")[0].strip("~")]
            for other in rules.basic[place + 1 :]
        ]
        if any(found[0] in rules.mentions(text) for found in later):
            continue
        if parts is None or rules.custom or (existing and rules.mentions(text) & {*rules.static}):
            continue
        left, operator, right = parts
        numeric = rules.columns[left]["type"] == "continuous"
        literal = right.strip("'") if right not in rules.header else None
        if literal and not numeric:
            literal = rules.literal(literal, left, k)
        for row in rows:
            pair = row[left], row[right] if literal is None else literal
            values = [float(value) if numeric else value for value in pair if value]
            # Exhibit does not lower numbers below 0 to meet a constraint.
            least = numeric and operator == "<" and len(values) == 2 and values[1] <= 0
            holds = len(values) < 2 or least or _OPERATIONS[operator](*values)
            ensure(holds, f"{where}: '{text}' does not hold for {pair[0]} and {pair[1]}")
