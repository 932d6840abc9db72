"""Derived columns: which of them look at other rows than their own (contract, section 4.8).

What a calculation may contain at all is not decided here.
"""

import ast
import re
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
    """Return whether a value of the derived column may depend on other rows.

    Every attribute that is not known to work row by row counts, and so does ``df``.
    """
    safe = re.sub(r"\b\s\b", "__", calculation).replace("@", "")
    try:
        tree = ast.parse(safe.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return True
    return _looks_around(tree.body)


def _looks_around(node: ast.AST) -> bool:
    if isinstance(node, ast.Name) and node.id == "df":
        return True
    if isinstance(node, ast.Attribute):
        within = node.value
        if isinstance(within, ast.Attribute) and within.attr in ("dt", "str"):
            return _looks_around(within.value)
        if node.attr not in ROW_BY_ROW:
            return True
    return any(_looks_around(child) for child in ast.iter_child_nodes(node))


def cross_row_columns(specification: Specification, static: frozenset[str]) -> dict[str, str]:
    """Return the derived columns that are computed once new and existing records are together.

    By name, in the order of the specification: those that look at other rows, and those computed
    from one of them; but none that is static.
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
    """Return the derived columns that ``names`` are computed from, however far removed.

    By name, with their calculations, in the order of the specification; without ``names``.
    """
    calculations = calculations_of(specification)
    wanted, open_names = set(names), list(names)
    while open_names:
        mentioned = mentions.in_derivation(calculations[open_names.pop()], calculations)
        open_names += mentioned - wanted
        wanted |= mentioned
    return {n: text for n, text in calculations.items() if n in wanted and n not in names}
