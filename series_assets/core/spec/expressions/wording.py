"""The words in which a refusal says what may be used instead."""

import ast

from series_assets.core.errors import nearest
from series_assets.core.spec.expressions.reading import shown
from series_assets.core.spec.expressions.table import USES
from series_assets.core.spec.expressions.values import (
    COLUMN,
    DATES,
    GROUPED,
    GROUPS,
    MOMENT,
    SCALAR,
    TABLE,
    TEXTS,
    WINDOW,
    RefusedError,
)

SEE = "docs/expressions.md lists all"
_OTHERS: dict[type[ast.expr], str] = {
    ast.Lambda: "a lambda", ast.ListComp: "a comprehension", ast.SetComp: "a comprehension",
    ast.DictComp: "a comprehension", ast.GeneratorExp: "a comprehension",
    ast.NamedExpr: "an assignment", ast.JoinedStr: "an f-string", ast.IfExp: "if … else",
    ast.Dict: "a dictionary", ast.Set: "a set", ast.Starred: "a star", ast.Await: "await",
    ast.Yield: "yield", ast.YieldFrom: "yield", ast.Slice: "a slice",
    ast.List: "a list outside of in [...] and isin([...])",
    ast.Tuple: "a list outside of in [...] and isin([...])",
}  # fmt: skip
_HAS = {
    COLUMN: "a column has sum, mean, round, fillna, shift, isin, .dt, .str and others",
    TABLE: "df has its columns, df['name'], and df.groupby('name')",
    GROUPS: "groups have their columns, df.groupby('name')['other']",
    GROUPED: "a column by groups has sum, mean, count, min, max, rank, shift and others",
    TEXTS: ".str has contains, startswith, replace, slice, len, upper and others",
    DATES: ".dt has year, month, day, days, strftime, to_period and others",
    WINDOW: "a window has sum, mean, min, max and others",
    MOMENT: "@sysdate has year, month, day, strftime and others",
    SCALAR: "a single value has round",
}


def instead(shape: str) -> str:
    """Return what a thing of a shape has, and where all of it is listed."""
    return f"{_HAS[shape]} ({SEE})" if shape in _HAS else SEE


def not_listed(name: str, shape: str) -> RefusedError:
    """Return the refusal of an attribute that nothing of a shape may be asked for."""
    near = nearest(name, USES.get(shape, ()))
    hint = f" ({near})" if near else ""
    return RefusedError(f"uses .{name}, which an expression may not{hint}", instead(shape))


def not_a_part(node: ast.expr) -> RefusedError:
    """Return the refusal of a piece of Python that no expression may have."""
    what = _OTHERS.get(type(node), "something")
    return RefusedError(f"uses {what}, which an expression may not: {shown(node)}", SEE)
