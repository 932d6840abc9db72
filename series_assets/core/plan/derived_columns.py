"""Derived columns: what kind they are, and which of them depend on other rows than their own.

The latter are regenerated from all rows of a dataset (contract, section 4.8).
"""

import ast
from collections.abc import Mapping

from series_assets.core.spec import mentions
from series_assets.core.spec.expressions import check_derivation, values
from series_assets.core.spec.expressions.table import TRUTH
from series_assets.core.spec.specification import Specification, calculations_of

ROW_BY_ROW = frozenset(
    {"dt", "str", "cat", "abs", "add", "astype", "between", "clip", "combine_first", "div"}
    | {"divide", "eq", "fillna", "floordiv", "ge", "gt", "isin", "isna", "isnull", "le", "lt"}
    | {"map", "mask", "mod", "mul", "multiply", "ne", "notna", "notnull", "pow", "radd", "rdiv"}
    | {"replace", "rfloordiv", "rmod", "rmul", "round", "rpow", "rsub", "rtruediv", "sub"}
    | {"subtract", "truediv", "where"}
)
"""Attributes of a column whose value in a row depends on that row alone.

That of ``isin`` does where the values are listed; it finds those of a column in any row.
"""
_SYSDATE = "_sysdate"
"""What stands for ``@sysdate``, the same moment in all rows, where a calculation is parsed."""


def calculated_kinds(specification: Specification) -> dict[str, str]:
    """Return the kind of value of each derived column, as far as its calculation tells it.

    It is that of ``expressions.values``, or ``TRUTH`` for True and False.
    """
    found = _calculated_values(specification).items()
    return {name: TRUTH if value.is_truth else value.kind for name, value in found}


def whole_columns(specification: Specification) -> frozenset[str]:
    """Return the derived columns of whole numbers."""
    found = _calculated_values(specification).items()
    return frozenset(n for n, value in found if value.kind == values.NUMBER and value.is_whole)


def _calculated_values(specification: Specification) -> dict[str, values.Value]:
    known = values.of_columns(specification)
    calculations = calculations_of(specification)
    for name, calculation in calculations.items():
        try:
            known[name] = check_derivation(calculation, known)
        except values.RefusedError:  # a column that Exhibit leaves out
            known[name] = values.ANYTHING
    return {name: known[name] for name in calculations}


def looks_at_other_rows(calculation: str) -> bool:
    """Return whether the derived column uses ``df`` or an attribute not in ``ROW_BY_ROW``."""
    tree = _parsed(calculation)
    return tree is None or _uses_other_rows(tree)


def looks_beyond_entity(calculation: str, identifier: str) -> bool:
    """Return whether the derived column depends on rows of other entities than its row's own.

    That of ``df.groupby('id')['amount'].sum()`` does not, where ``id`` is the identifier.
    """
    tree = _parsed(calculation)
    return tree is None or (_uses_other_rows(tree) and not _is_by_entity(tree, identifier))


def _parsed(calculation: str) -> ast.expr | None:
    """Return the syntax of a calculation; None where Python cannot parse it."""
    code = mentions.derivation_code(calculation).replace(values.MOMENT, _SYSDATE)
    try:
        return ast.parse(code.replace("@", "").strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _is_by_entity(node: ast.AST, identifier: str) -> bool:
    """Return whether a calculation combines totals of groups by the identifier, and constants."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.BinOp):
        return _is_by_entity(node.left, identifier) and _is_by_entity(node.right, identifier)
    if isinstance(node, ast.UnaryOp):
        return _is_by_entity(node.operand, identifier)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    of = node.func.value
    if node.func.attr in ROW_BY_ROW and not _is_in_a_column(node):
        parts = (of, *node.args, *(keyword.value for keyword in node.keywords))
        return all(_is_by_entity(part, identifier) for part in parts)
    return _are_groups(of.value if isinstance(of, ast.Subscript) else of, identifier)


def _are_groups(node: ast.AST, identifier: str) -> bool:
    """Return whether a node is ``df.groupby(…)`` by the identifier, with other columns or without.

    With keywords, a group may hold the rows without an identifier, which are in all shards.
    """
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "groupby"
        and isinstance(node.func.value, ast.Name)
        and len(node.args) == 1
        and not node.keywords
        and identifier in _texts_in(node.args[0])
    )


def _texts_in(node: ast.AST) -> list[object]:
    """Return the text that a node is, or those of a list."""
    parts = node.elts if isinstance(node, ast.List) else [node]
    return [part.value for part in parts if isinstance(part, ast.Constant)]


def _uses_other_rows(node: ast.AST) -> bool:
    if isinstance(node, ast.Name) and node.id == "df":
        return True
    if _is_in_a_column(node):
        return True
    if isinstance(node, ast.Attribute):
        within = node.value
        if isinstance(within, ast.Attribute) and within.attr in ("dt", "str"):
            return _uses_other_rows(within.value)
        if isinstance(within, ast.Name) and within.id == _SYSDATE:
            return False
        if node.attr not in ROW_BY_ROW:
            return True
    return any(_uses_other_rows(child) for child in ast.iter_child_nodes(node))


def _is_in_a_column(node: ast.AST) -> bool:
    """Return whether a node looks for values among those of a column, as ``a.isin(b)`` does."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    given = (*node.args, *(keyword.value for keyword in node.keywords))
    listed = all(isinstance(one, ast.List | ast.Tuple) for one in given)
    return node.func.attr == "isin" and not listed


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
