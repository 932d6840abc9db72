"""Checks the arguments of methods and functions, by the argument kinds that the table names."""

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from series_assets.core.errors import join_words, nearest, sentence
from series_assets.core.spec.expressions import values
from series_assets.core.spec.expressions.reading import shown
from series_assets.core.spec.expressions.table import WORDS
from series_assets.core.spec.expressions.values import RefusedError, Value, joined

_LIMITS = {"decimals": (-20, 20), "periods": (-1_000_000, 1_000_000), "width": (0, 200)}
_LONGEST = 200
_FREQUENCY = re.compile(r"\d{0,4}[A-Za-z]{1,5}(-[A-Z]{3})?")
_FORMAT = re.compile(r"(?:%[AaBbcdfGHIjMmpSUuVWwXxYyZz%]|[^%]){1,50}")
_WHAT = {
    "flag": "True or False",
    "off": "False",
    "share": "a number from 0 to 1",
    "text": f"a quoted string of at most {_LONGEST} characters",
    "character": "one character in quotes",
    "pattern": "a pattern in quotes",
    "constant": "a number, a quoted string, True or False",
    "constants": "a number, a quoted string, or a list of them",
    "values": "a list such as ['a', 'b'], or a column",
    "number": "a number, or a column of numbers",
    "value": "a column, a number, a quoted string, or a calculation",
    "column": "a column",
    "exponent": f"a number up to {values.MOST_FACTORS}",
    "frequency": "a frequency of pandas in quotes, such as 'M'",
    "format": "a format such as '%Y-%m-%d', with letters right after %",
    "names": "a column's name in quotes, or a list of such",
    **{kind: f"a whole number from {low} to {high}" for kind, (low, high) in _LIMITS.items()},
}
KINDS = (*_WHAT, *WORDS)
"""Every kind of argument that the table may name."""


@dataclass(frozen=True)
class Given:
    """A checked argument, with its value if it is a constant."""

    value: Value
    constant: object = None


def described(kind: str) -> str:
    """Return a description of a kind of argument."""
    return _WHAT.get(kind) or join_words(f"'{word}'" for word in WORDS[kind])


def literal(node: ast.expr) -> object:
    """Return the value of a constant with its sign. Raises ValueError for another node."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        number = literal(node.operand)
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ValueError
        return -number if isinstance(node.op, ast.USub) else number
    if isinstance(node, ast.Constant) and (
        node.value is None or isinstance(node.value, bool | int | float | str)
    ):
        return node.value
    raise ValueError


def of_constant(constant: object) -> Value:
    """Return the value of a constant."""
    if isinstance(constant, str):
        return Value(values.SCALAR, values.TEXT, max(1, len(constant)))
    digits = len(str(abs(constant))) if type(constant) is int else 1
    is_truth = constant is None or isinstance(constant, bool)
    is_whole = type(constant) is int
    return Value(values.SCALAR, values.NUMBER, 1 + digits // 18, is_truth, is_whole)


def by_parameter(
    name: str, takes: Mapping[str, str], needs: int, node: ast.Call
) -> dict[str, ast.expr]:
    """Return the arguments of a call to ``name`` by parameter, of which the first are required.

    Raises RefusedError for too many, unknown or missing arguments.
    """
    if any(keyword.arg is None for keyword in node.keywords):
        raise RefusedError("uses **, which expressions cannot use", "name the arguments")
    if len(node.args) > len(takes):
        most = f"takes {len(takes)} at most" if takes else "takes none"
        raise RefusedError(f"gives {name} {len(node.args)} arguments", f"it {most}")
    nodes = dict(zip(takes, node.args, strict=False))
    for keyword in node.keywords:
        parameter = str(keyword.arg)
        if parameter not in takes or parameter in nodes:
            known = f"it takes {', '.join(takes)}" if takes else "it takes none"
            raise RefusedError(f"gives {name} the unknown argument {parameter}", known)
        nodes[parameter] = keyword.value
    if missing := [parameter for parameter in list(takes)[:needs] if parameter not in nodes]:
        raise RefusedError(f"calls {name} without {missing[0]}", "add this argument")
    return nodes


def checked(
    parameter: str, kind: str, node: ast.expr, evaluate: Callable[[ast.expr], Value]
) -> Given:
    """Return an argument of a kind; ``evaluate`` checks one that is itself an expression.

    Raises RefusedError for an argument of another kind.
    """
    is_list = isinstance(node, ast.List | ast.Tuple)
    if kind in ("value", "number", "column") or (kind == "values" and not is_list):
        value = evaluate(node)
        unusable = value.kind == values.PARTS and kind != "values"
        if unusable or (kind == "number" and value.kind == values.TEXT):
            raise _wrong(parameter, kind, node)
        if kind in ("column", "values") and value.shape != values.COLUMN:
            raise _wrong(parameter, kind, node)
        return Given(value)
    if kind in ("values", "constants", "names") and isinstance(node, ast.List | ast.Tuple):
        each = [_constant(parameter, kind, item) for item in node.elts]
        if not each:
            raise _wrong(parameter, kind, node)
        return Given(joined(map(of_constant, each)), each)
    constant = _constant(parameter, kind, node)
    return Given(of_constant(constant), constant)


def _constant(parameter: str, kind: str, node: ast.expr) -> object:
    try:
        constant = literal(node)
    except ValueError:
        raise _wrong(parameter, kind, node) from None
    if not _fits(kind, constant):
        raise _wrong(parameter, kind, node, constant)
    return constant


def _fits(kind: str, constant: object) -> bool:
    if kind in ("constant", "constants", "values"):
        return constant is not None or kind == "constant"
    if kind in ("flag", "off"):
        return constant is False or (kind == "flag" and constant in (True, None))
    if kind in _LIMITS:
        low, high = _LIMITS[kind]
        return type(constant) is int and low <= constant <= high
    if kind in ("share", "exponent"):
        most = 1 if kind == "share" else values.MOST_FACTORS
        number = type(constant) in (int, float) and isinstance(constant, int | float)
        return number and (-most if kind == "exponent" else 0) <= constant <= most  # type: ignore[operator]
    if not isinstance(constant, str):
        return False
    if kind in WORDS:
        return constant in WORDS[kind]
    if kind == "frequency":
        return bool(_FREQUENCY.fullmatch(constant))
    if kind == "format":
        return bool(_FORMAT.fullmatch(constant))
    return len(constant) == 1 if kind == "character" else len(constant) <= _LONGEST


def _wrong(parameter: str, kind: str, node: ast.expr, constant: object = None) -> RefusedError:
    near = nearest(constant, WORDS.get(kind, ())) if isinstance(constant, str) else ""
    remedy = sentence(f"it has to be {described(kind)}", near)
    return RefusedError(f"gives {parameter} as {shown(node)}", remedy)
