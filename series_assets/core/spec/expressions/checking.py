"""Walks the syntax tree of an expression and refuses whatever is not in the table."""

import ast
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from series_assets.core.errors import nearest, sentence
from series_assets.core.spec.expressions import arguments, results, values
from series_assets.core.spec.expressions.arguments import Given, of_constant
from series_assets.core.spec.expressions.patterns import check_pattern
from series_assets.core.spec.expressions.reading import LOCAL, shown
from series_assets.core.spec.expressions.table import FUNCTIONS, SUPPLIED, USES, Use
from series_assets.core.spec.expressions.values import RefusedError, Value, joined
from series_assets.core.spec.expressions.wording import SEE, instead, not_a_part, not_listed

DERIVED, BY_GROUPS, CONSTRAINT = "derived", "by groups", "constraint"
"""The context of an expression, which decides where pandas looks up names."""

_DEEPEST = 50
_MOST_ROWS = 1_000_000
_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
}  # fmt: skip
_WHOLE = Value(values.SCALAR, values.NUMBER, is_whole=True)
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)


class Checker:
    """Checks one expression; afterwards ``unknown`` has the names that are not columns."""

    def __init__(self, columns: Mapping[str, Value], place: str) -> None:
        """``columns`` are keyed by their names in code, with ``__`` for blanks."""
        self._columns = columns
        self._place = place
        self._depth = 0
        self.unknown: list[str] = []
        self._clock: str | None = None
        self._times = False

    def check(self, node: ast.expr) -> Value:
        """Return the result's value. Raises RefusedError if any part is not allowed."""
        value = self._value(node)
        # pandas replaces 'now' and 'today' by the current time where it compares dates.
        if self._clock and self._times:
            raise RefusedError(
                f"says '{self._clock}' beside a date, for which pandas reads the clock",
                "use @sysdate in a derived column, or a date such as '2024-01-31'",
            )
        return value

    def _value(self, node: ast.expr) -> Value:
        found = self._visit(node)
        if found.shape not in (values.COLUMN, values.SCALAR, values.MOMENT):
            raise RefusedError(f"uses {shown(node)} as if it were a column", instead(found.shape))
        return replace(found, shape=values.SCALAR) if found.shape == values.MOMENT else found

    def _visit(self, node: ast.expr) -> Value:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise RefusedError(f"nests more than {_DEEPEST} deep", "split it over several columns")
        try:
            found = self._of_node(node)
        finally:
            self._depth -= 1
        self._times |= found.kind == values.TIME
        return found

    def _of_node(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name():
                return self._name(node)
            case ast.UnaryOp():
                value = self._value(node.operand)
                found = values.combined("-", value, _WHOLE, partial(shown, node))
                inverts = isinstance(node.op, ast.Invert | ast.Not)
                return replace(found, is_truth=value.is_truth and inverts)
            case ast.BinOp():
                return self._calculation(node)
            case ast.BoolOp():
                return _truth(joined(map(self._value, node.values)))
            case ast.Compare():
                return self._comparison(node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return self._call(node)
        raise not_a_part(node)

    def _constant(self, node: ast.Constant) -> Value:
        try:
            constant = arguments.literal(node)
        except ValueError:
            raise RefusedError(
                f"has {shown(node)}, which is neither a number nor a string",
                "write a number, or a quoted string",
            ) from None
        self._note_clock(constant)
        return values.bounded(of_constant(constant), partial(shown, node))

    def _note_clock(self, constant: object) -> None:
        for item in constant if isinstance(constant, list) else [constant]:
            if isinstance(item, str) and item.strip().lower() in ("now", "today"):
                self._clock = item

    def _argument(self, parameter: str, kind: str, node: ast.expr) -> Given:
        given = arguments.checked(parameter, kind, node, self._value)
        self._note_clock(given.constant)
        return given

    def _name(self, node: ast.Name) -> Value:
        name = node.id
        if name.startswith(LOCAL) or self._place == BY_GROUPS:
            return self._supplied(name.removeprefix(LOCAL), name)
        if name.startswith("__"):
            raise RefusedError(f"uses the name {name}", "no name begins with two underscores")
        if name in self._columns:
            return self._columns[name]
        if name == "index":
            return replace(_WHOLE, shape=values.COLUMN)
        if name in SUPPLIED and self._place == DERIVED:
            raise RefusedError(f"uses {name} without its @", f"write @{name}")
        self.unknown.append(name)
        return values.ANYTHING

    def _supplied(self, name: str, written: str) -> Value:
        if self._place == CONSTRAINT:
            raise RefusedError(
                f"uses @{name}",
                "constraints and filters can only use columns: compute it in a derived column",
            )
        if name == "df":
            return Value(values.TABLE, values.ANY)
        if name == "sysdate":
            return Value(values.MOMENT, values.TIME)
        if name in SUPPLIED:
            raise RefusedError(f"uses {name} without its parentheses", f"write @{name}(...)")
        if written.startswith(LOCAL):
            known = "@sysdate, @randint(...), @create_timestamp(...) and @df are all there are"
            raise RefusedError(f"uses @{name}", known)
        remedy = f"write df['{name}']" if name in self._columns else ""
        raise RefusedError(f"uses {name} beside groupby, where Exhibit knows only df", remedy)

    def _calculation(self, node: ast.BinOp) -> Value:
        chain = [node]
        while isinstance(chain[-1].left, ast.BinOp):
            chain.append(chain[-1].left)
        left = self._value(chain[-1].left)
        for step in reversed(chain):
            if isinstance(step.op, ast.Pow):
                left = values.power(left, self._exponent(step), partial(shown, step))
            elif type(step.op) in _SIGNS:
                right = self._value(step.right)
                left = values.combined(_SIGNS[type(step.op)], left, right, partial(shown, step))
            else:
                raise RefusedError(
                    f"uses an operator that pandas does not know in {shown(step)}",
                    "use + - * / // % or **",
                )
        return left

    def _exponent(self, node: ast.BinOp) -> float:
        given = self._argument("the exponent", "exponent", node.right)
        assert isinstance(given.constant, int | float)
        return given.constant

    def _comparison(self, node: ast.Compare) -> Value:
        sides = [self._side(side) for side in (node.left, *node.comparators)]
        if not all(isinstance(sign, _COMPARISONS) for sign in node.ops):
            raise RefusedError(f"uses is in {shown(node)}", "compare with ==")
        return _truth(joined(sides))

    def _side(self, node: ast.expr) -> Value:
        if isinstance(node, ast.List | ast.Tuple):
            return self._argument("the list", "values", node).value
        return self._value(node)

    def _attribute(self, node: ast.Attribute) -> Value:
        of = self._visit(node.value)
        if of.shape in (values.TABLE, values.GROUPS) and _is_column_of_a_table(
            node.attr, self._columns
        ):
            return self._of_table(of.shape, node.attr)
        use = self._use(of, node)
        if use.takes is not None:
            raise RefusedError(
                f"uses .{node.attr} without its parentheses", f"write .{node.attr}(...)"
            )
        return results.of_attribute(use, of)

    def _use(self, of: Value, node: ast.Attribute) -> Use:
        use = USES.get(of.shape, {}).get(node.attr)
        if use is None:
            raise not_listed(node.attr, of.shape)
        if (use.numbers and of.kind in (values.TEXT, values.PARTS)) or (
            of.kind == values.PARTS and (of.shape, node.attr) not in _FOR_LISTS
        ):
            remedy = (
                "take one part by .str[0]" if of.kind == values.PARTS else "use .astype('float')"
            )
            raise RefusedError(f"uses .{node.attr} on text, which it is not for", remedy)
        return use

    def _of_table(self, shape: str, name: str) -> Value:
        column = self._columns[name]
        return replace(column, shape=values.GROUPED if shape == values.GROUPS else values.COLUMN)

    def _subscript(self, node: ast.Subscript) -> Value:
        of = self._visit(node.value)
        try:
            key = arguments.literal(node.slice)
        except ValueError:
            raise RefusedError(
                f"has {shown(node.slice)} between square brackets, where pandas takes a "
                "number or a name in quotes",
                "select rows with .where(condition)",
            ) from None
        if of.shape in (values.TABLE, values.GROUPS):
            if key not in self._columns:
                raise RefusedError(
                    f"asks for df['{key}'], which is not a known column",
                    "name a column, or put the one it needs before it",
                )
            return self._of_table(of.shape, str(key))
        if type(key) is int and abs(key) < 10**9:
            if of.shape == values.SHAPE:
                return _WHOLE
            if of.shape == values.TEXTS:
                return Value(values.COLUMN, values.TEXT, of.size)
            if of.shape in (values.COLUMN, values.ROWS):
                return replace(of, shape=values.SCALAR)
        raise RefusedError(f"has [{shown(node.slice)}] after {shown(node.value)}", SEE)

    def _call(self, node: ast.Call) -> Value:
        if isinstance(node.func, ast.Name):
            return self._function(node, node.func.id)
        if not isinstance(node.func, ast.Attribute):
            raise RefusedError(
                f"calls {shown(node.func)}", "only methods and functions can be called"
            )
        of = self._visit(node.func.value)
        use = self._use(of, node.func)
        if use.takes is None:
            raise RefusedError(
                f"calls .{node.func.attr}, which is not a method", "leave out its parentheses"
            )
        given = self._given(f".{node.func.attr}", use.takes, use.needs, node)
        self._check_meaning(node.func.attr, of, given)
        part = partial(shown, node)
        return values.bounded(results.of_method(node.func.attr, use, of, given, part), part)

    def _given(
        self, name: str, takes: Mapping[str, str], needs: int, node: ast.Call
    ) -> dict[str, Given]:
        nodes = arguments.by_parameter(name, takes, needs, node)
        return {
            parameter: self._argument(parameter, takes[parameter], value)
            for parameter, value in nodes.items()
        }

    def _check_meaning(self, name: str, of: Value, given: Mapping[str, Given]) -> None:
        if "by" in given:
            keys = given["by"].constant
            for key in keys if isinstance(keys, list) else [keys]:
                if key not in self._columns:
                    raise RefusedError(f"groups by '{key}', which is not a known column")
        if "pat" in given and of.shape == values.TEXTS and results.is_regex(name, given):
            pattern = str(given["pat"].constant)
            try:
                check_pattern(pattern, of.characters)
            except RefusedError as error:
                problem = f"has the pattern '{pattern}', which {error.problem}"
                raise RefusedError(problem, error.remedy) from None

    def _function(self, node: ast.Call, name: str) -> Value:
        plain = name.removeprefix(LOCAL)
        supplied = self._place != CONSTRAINT and (name != plain or self._place == BY_GROUPS)
        if supplied and plain == "randint":
            return self._randint(node)
        if supplied and plain == "create_timestamp":
            takes = dict.fromkeys(("hour_column", "minute_column", "second_column"), "column")
            self._given("@create_timestamp", takes, 3, node)
            return Value(values.COLUMN, values.TIME)
        if name in FUNCTIONS and name not in self._columns:
            takes = dict.fromkeys(("x", "y") if name == "arctan2" else ("x",), "number")
            given = self._given(name, takes, len(takes), node)
            of = joined(one.value for one in given.values())
            return Value(of.shape, values.NUMBER, is_whole=name == "abs" and of.is_whole)
        remedy = f"use a method of a column ({SEE})"
        if supplied or name != plain or plain in SUPPLIED:
            self._name(ast.Name(name))
            raise RefusedError(f"calls {shown(node.func)}, which is not a function", remedy)
        if near := nearest(name, FUNCTIONS):
            remedy = sentence(near, remedy)
        raise RefusedError(f"calls {name}(...), which expressions cannot call", remedy)

    def _randint(self, node: ast.Call) -> Value:
        takes = {"low": "number", "high": "number", "size": "number"}
        given = self._given("@randint", takes, 1, node)
        if any(one.value.shape == values.COLUMN for one in given.values()):
            raise RefusedError(
                "gives @randint a column", "give it numbers, and @df.shape[0] as its size"
            )
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        size = node.args[2] if len(node.args) > 2 else named.get("size")
        if size is None:
            return _WHOLE
        if shown(size) not in ("@df.shape[0]", "df.shape[0]"):
            limit = isinstance(size, ast.Constant) and type(size.value) is int
            if not limit or not 0 < size.value <= _MOST_ROWS:  # type: ignore[attr-defined]
                raise RefusedError(
                    f"gives @randint the size {shown(size)}", "use @df.shape[0], the number of rows"
                )
        return replace(_WHOLE, shape=values.COLUMN)


_FOR_LISTS = {
    *((values.COLUMN, name) for name in ("str", "isna", "notna")),
    *((values.TEXTS, name) for name in ("get", "len")),
}
"""What may be used on columns of lists."""


def _truth(sides: Value) -> Value:
    """Return the value of a comparison, or of a combination of some, of these sides."""
    return Value(sides.shape, values.NUMBER, is_truth=True)


def _is_column_of_a_table(name: str, columns: Mapping[str, Value]) -> bool:
    """Return whether ``df.name`` is a column; pandas' own attributes take precedence."""
    if name not in columns or name.startswith("_"):
        return False
    import pandas as pd
    from pandas.core.groupby import DataFrameGroupBy

    return not hasattr(pd.DataFrame, name) and not hasattr(DataFrameGroupBy, name)
