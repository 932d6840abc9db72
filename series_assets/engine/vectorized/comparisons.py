"""Comparisons of two columns, or of a column and a number, without evaluating an expression.

pandas parses an expression and looks up all columns each time, which takes longer than comparing a
hundred rows. The results here are those of the same operation on the same columns.
"""

import operator
import re
from collections.abc import Callable
from typing import Any

import pandas as pd

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
}
_NAME = r"[A-Za-z_]\w*"
_COMPARISON = re.compile(rf"({_NAME}) (<=|>=|==|<|>) ({_NAME}|[0-9]+|[0-9]+\.[0-9]+)", re.ASCII)
_PYTHON = {"True", "False", "None", "index", "and", "or", "not", "in", "is", "if", "else", "lambda"}


def comparison(records: pd.DataFrame, condition: str) -> "pd.Series[Any] | None":
    """Return what pandas evaluates ``condition`` to; None where it is no plain comparison.

    Either side is a column of the same kind, dates or numbers, or the right one a number.
    """
    parts = _parts(condition)
    if parts is None:
        return None
    name, sign, other = parts
    left = _column(records, name)
    if left is None:
        return None
    right = _number(other) if other[0].isdigit() else _column(records, other)
    if right is None or isinstance(right, pd.Series) != (not other[0].isdigit()):
        return None
    if _kind(left) is None or _kind(left) != _kind(right):
        return None
    return OPERATORS[sign](left, right)


def value_of(records: pd.DataFrame, expression: str) -> Any:
    """Return what pandas evaluates the right side of a constraint to."""
    if re.fullmatch(_NAME, expression, re.ASCII) and expression not in _PYTHON:
        column = _column(records, expression)
        if column is not None:
            return column
    return named_columns(records, expression).eval(expression, engine="python")


def named_columns(records: pd.DataFrame, expression: str) -> pd.DataFrame:
    """Return the columns that an expression may name, under the names it uses; copies nothing."""
    names = {name: str(name).replace(" ", "__") for name in records.columns}
    named = [name for name, safe in names.items() if safe in expression]
    return records[named].rename(columns=names, copy=False)


def _parts(condition: str) -> tuple[str, str, str] | None:
    match = _COMPARISON.fullmatch(condition.strip())
    if match is None or _PYTHON.intersection(match.groups()):
        return None
    name, sign, other = match.groups()
    return name, sign, other


def _column(records: pd.DataFrame, safe: str) -> "pd.Series[Any] | None":
    """Return the one column of that name, in which spaces are written as ``__``."""
    names = [name for name in records.columns if str(name).replace(" ", "__") == safe]
    if len(names) != 1:
        return None
    column = records[names[0]]
    return column if isinstance(column, pd.Series) else None


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


def _kind(value: Any) -> str | None:
    """Return whether a value or a column is a date or a number; None if neither."""
    if not isinstance(value, pd.Series):
        return "number"
    dtype = value.dtype
    if dtype == "datetime64[ns]":
        return "date"
    return "number" if dtype in ("float64", "int64", "Int64") else None
