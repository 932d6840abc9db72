"""Solve a basic constraint for a column on its right side.

``limit > amount*2`` means that ``amount`` is below ``limit/2``. Exhibit adjusts only the column on
the left, so a constraint has to be rearranged where that column must not change.
"""

import ast

from series_assets.core.spec import mentions

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "=="}


def solved_for(column: str, constraint: str) -> str | None:
    """Return the constraint with ``column`` alone on its left side.

    None if plain arithmetic cannot do that: the column occurs twice, in a method, in a
    denominator, or is multiplied by something other than a number.
    """
    parts = mentions.split_constraint(constraint)
    if parts is None:
        return None
    name, operator, right = parts
    variable = mentions.in_code(column)
    try:
        side: ast.expr = ast.parse(mentions.constraint_code(right), mode="eval").body
    except SyntaxError:
        return None
    if sum(_is(node, variable) for node in ast.walk(side)) != 1:
        return None
    bound, comparison = mentions.in_code(name), _MIRRORED[operator]
    while not _is(side, variable):
        inverted = _invert_outermost(side, variable, bound)
        if inverted is None:
            return None
        side, bound, flips = inverted
        comparison = _MIRRORED[comparison] if flips else comparison
    return f"{variable} {comparison} {bound.replace(' ', '')}"


def _invert_outermost(
    side: ast.expr, variable: str, bound: str
) -> tuple[ast.expr, str, bool] | None:
    """Remove the outermost operation from a side and apply its inverse to the bound.

    Returns both sides, and whether the comparison flips.
    """
    if isinstance(side, ast.UnaryOp) and isinstance(side.op, ast.USub):
        return side.operand, f"(-({bound}))", True
    if not isinstance(side, ast.BinOp):
        return None
    on_left = any(_is(node, variable) for node in ast.walk(side.left))
    inner, other = (side.left, side.right) if on_left else (side.right, side.left)
    text, number = f"({ast.unparse(other)})", _number(other)
    match side.op:
        case ast.Add():
            return inner, f"({bound}-{text})", False
        case ast.Sub() if on_left:
            return inner, f"({bound}+{text})", False
        case ast.Sub():
            return inner, f"({text}-{bound})", True
        case ast.Mult() if number:
            return inner, f"({bound}/{text})", number < 0
        case ast.Div() if number and on_left:
            return inner, f"({bound}*{text})", number < 0
    return None


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _number(node: ast.expr) -> float | None:
    try:
        value = ast.literal_eval(node)
    except ValueError:
        return None
    return value if isinstance(value, int | float) else None
