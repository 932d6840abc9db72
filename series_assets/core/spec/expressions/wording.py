"""Messages of refusals, and what may be used instead."""

import ast

from series_assets.core.errors import nearest
from series_assets.core.spec.expressions import values
from series_assets.core.spec.expressions.reading import shown
from series_assets.core.spec.expressions.table import USES
from series_assets.core.spec.expressions.values import RefusedError

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
    values.COLUMN: "a column has sum, mean, round, fillna, shift, isin, .dt, .str and others",
    values.TABLE: "df has its columns, df['name'], and df.groupby('name')",
    values.GROUPS: "groups have their columns, df.groupby('name')['other']",
    values.GROUPED: "a column by groups has sum, mean, count, min, max, first, agg and others",
    values.TEXTS: ".str has contains, startswith, replace, slice, len, upper and others",
    values.DATES: ".dt has year, month, day, days, strftime, to_period and others",
    values.WINDOW: "a window has sum, mean, min, max and others",
    values.MOMENT: "@sysdate has year, month, day, strftime and others",
    values.SCALAR: "a single value has round",
}


def instead(shape: str) -> str:
    """Return the common attributes of a shape, and where all are listed."""
    return f"{_HAS[shape]} ({SEE})" if shape in _HAS else SEE


def not_listed(name: str, shape: str) -> RefusedError:
    """Return the refusal of an attribute that a shape does not have."""
    near = nearest(name, USES.get(shape, ()))
    hint = f" ({near})" if near else ""
    return RefusedError(f"uses .{name}, which expressions cannot use{hint}", instead(shape))


def not_a_part(node: ast.expr) -> RefusedError:
    """Return the refusal of Python syntax that no expression may contain."""
    what = _OTHERS.get(type(node), "something")
    return RefusedError(f"uses {what}, which expressions cannot use: {shown(node)}", SEE)
