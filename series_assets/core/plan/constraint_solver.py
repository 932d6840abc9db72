"""A basic constraint solved for one of the columns on its right side.

``limit > amount*2`` says of ``amount`` that it is below ``limit/2``; Exhibit adjusts only the
column on the left, so a constraint has to be turned round where that column must stay.
"""

import ast

from series_assets.core.spec import mentions

_MIRRORED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "=="}


def solved_for(column: str, constraint: str) -> str | None:
    """Return the constraint with ``column`` alone on its left side.

    None where that cannot be done by plain arithmetic: the column occurs twice, in a method, under
    a fraction bar, or is multiplied by something that is no number.
    """
    parts = mentions.split_constraint(constraint)
    if parts is None:
        return None
    name, operator, right = parts
    wanted = mentions.in_code(column)
    try:
        part: ast.expr = ast.parse(mentions.without_tildes(right), mode="eval").body
    except SyntaxError:
        return None
    if sum(_is(node, wanted) for node in ast.walk(part)) != 1:
        return None
    bound, comparison = mentions.in_code(name), _MIRRORED[operator]
    while not _is(part, wanted):
        step = _peeled(part, wanted, bound)
        if step is None:
            return None
        part, bound, turns = step
        comparison = _MIRRORED[comparison] if turns else comparison
    return f"{wanted} {comparison} {bound.replace(' ', '')}"


def _peeled(part: ast.expr, wanted: str, bound: str) -> tuple[ast.expr, str, bool] | None:
    """Take the outermost operation off a side, do its opposite to the other one.

    Returns both sides, and whether the comparison turns round with it.
    """
    if isinstance(part, ast.UnaryOp) and isinstance(part.op, ast.USub):
        return part.operand, f"(-({bound}))", True
    if not isinstance(part, ast.BinOp):
        return None
    on_left = any(_is(node, wanted) for node in ast.walk(part.left))
    inner, other = (part.left, part.right) if on_left else (part.right, part.left)
    text, number = f"({ast.unparse(other)})", _number(other)
    match part.op:
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
