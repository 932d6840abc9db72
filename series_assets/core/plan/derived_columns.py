"""Derived columns: which of them depend on other rows than their own (contract, section 4.8)."""

import ast
from collections.abc import Mapping

from series_assets.core.spec import mentions
from series_assets.core.spec.specification import Specification, calculations_of

ROW_BY_ROW = frozenset(
    {"dt", "str", "cat", "abs", "add", "astype", "between", "clip", "combine_first", "div"}
    | {"divide", "eq", "fillna", "floordiv", "ge", "gt", "isin", "isna", "isnull", "le", "lt"}
    | {"map", "mask", "mod", "mul", "multiply", "ne", "notna", "notnull", "pow", "radd", "rdiv"}
    | {"replace", "rfloordiv", "rmod", "rmul", "round", "rpow", "rsub", "rtruediv", "sub"}
    | {"subtract", "truediv", "where"}
)
"""Attributes of a column whose value in a row depends on that row alone."""


def looks_at_other_rows(calculation: str) -> bool:
    """Return whether the derived column uses ``df`` or an attribute not in ``ROW_BY_ROW``."""
    code = mentions.derivation_code(calculation).replace("@", "")
    try:
        tree = ast.parse(code.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return True
    return _uses_other_rows(tree.body)


def _uses_other_rows(node: ast.AST) -> bool:
    if isinstance(node, ast.Name) and node.id == "df":
        return True
    if isinstance(node, ast.Attribute):
        within = node.value
        if isinstance(within, ast.Attribute) and within.attr in ("dt", "str"):
            return _uses_other_rows(within.value)
        if node.attr not in ROW_BY_ROW:
            return True
    return any(_uses_other_rows(child) for child in ast.iter_child_nodes(node))


def cross_row_columns(specification: Specification, static: frozenset[str]) -> dict[str, str]:
    """Return the derived columns to compute once new and existing records are combined.

    Those that depend on other rows, directly or through another one, and are not static; names
    and calculations in the order of the specification.
    """
    calculations = calculations_of(specification)
    found: dict[str, str] = {}
    for name, calculation in calculations.items():
        if name in static:
            continue
        if mentions.in_derivation(calculation, found) or looks_at_other_rows(calculation):
            found[name] = calculation
    return found


def needed_for(names: Mapping[str, str], specification: Specification) -> dict[str, str]:
    """Return the derived columns that ``names`` depend on, directly or not, without ``names``."""
    calculations = calculations_of(specification)
    wanted, open_names = set(names), list(names)
    while open_names:
        mentioned = mentions.in_derivation(calculations[open_names.pop()], calculations)
        open_names += mentioned - wanted
        wanted |= mentioned
    return {n: text for n, text in calculations.items() if n in wanted and n not in names}
