"""The attributes, methods and functions that expressions may use.

All of them are pure functions of their inputs. ``docs/expressions.md`` lists them, which a test
compares. The argument kinds named here are defined in ``arguments``.
"""

from dataclasses import dataclass, field

from series_assets.core.spec.expressions.values import (
    COLUMN,
    DATES,
    GROUPED,
    GROUPS,
    MOMENT,
    NUMBER,
    ROWS,
    SCALAR,
    SHAPE,
    TABLE,
    TEXT,
    TEXTS,
    TIME,
    WEEKS,
    WINDOW,
)

SAME, JOINED, PADDED, REPLACED, CATENATED, CAST, SPLIT, CALCULATED = (
    "same", "joined", "padded", "replaced", "catenated", "cast", "split", "calculated",
)  # fmt: skip
"""How the kind of a result follows from the inputs, where it is not fixed."""
TRUTH, WHOLE = "truth", "whole"
"""The results are numbers: True and False, or whole ones."""

CALCULATIONS = {
    "add": "+", "radd": "+", "sub": "-", "subtract": "-", "rsub": "-", "mul": "*", "multiply": "*",
    "rmul": "*", "div": "/", "divide": "/", "truediv": "/", "rdiv": "/", "rtruediv": "/",
    "floordiv": "//", "rfloordiv": "//", "mod": "%", "rmod": "%", "pow": "**",
}  # fmt: skip
"""The methods that are operators, with their signs."""


@dataclass(frozen=True)
class Use:
    """An attribute or a method: its arguments and its result."""

    gives: str = SAME
    """The kind of the result, or how it follows from the inputs."""
    shape: str = COLUMN
    takes: dict[str, str] | None = field(default=None)
    """The kinds of its parameters, in order; None for an attribute."""
    needs: int = 0
    """The number of required parameters."""
    numbers: bool = False
    """Whether it is for numbers only; text would be concatenated without bound."""


def _methods(
    names: str,
    gives: str = SAME,
    shape: str = COLUMN,
    needs: int = 0,
    numbers: bool = False,
    **takes: str,
) -> dict[str, Use]:
    return dict.fromkeys(names.split(), Use(gives, shape, takes, needs, numbers))


def _attributes(names: str, gives: str, shape: str = COLUMN) -> dict[str, Use]:
    return dict.fromkeys(names.split(), Use(gives, shape))


_CALCULATIONS = " ".join(name for name in CALCULATIONS if name != "pow")
_COMPARISONS = "eq ne lt le gt ge"

USES: dict[str, dict[str, Use]] = {
    COLUMN: {
        **_attributes("str", SAME, TEXTS),
        **_attributes("dt", SAME, DATES),
        **_attributes("iloc loc", SAME, ROWS),
        **_attributes("size", WHOLE, SCALAR),
        **_methods("sum mean median", SAME, SCALAR, numbers=True),
        **_methods("std var sem skew kurt", SAME, SCALAR, numbers=True),
        **_methods("min max", SAME, SCALAR),
        **_methods("count nunique", WHOLE, SCALAR),
        **_methods("any all", TRUTH, SCALAR),
        **_methods("quantile", SAME, SCALAR, numbers=True, q="share"),
        **_methods("agg", SAME, SCALAR, 1, True, func="summary"),
        **_methods("abs cumsum", numbers=True),
        **_methods("cummin cummax ffill bfill"),
        **_methods("round", decimals="decimals"),
        **_methods("clip", JOINED, lower="number", upper="number"),
        **_methods("diff", periods="periods"),
        **_methods("pct_change", NUMBER, periods="periods"),
        **_methods("shift", JOINED, periods="periods", fill_value="constant"),
        **_methods("rank", NUMBER, method="ranking", ascending="flag", pct="flag"),
        **_methods("fillna", JOINED, needs=1, value="value"),
        **_methods("combine_first", JOINED, needs=1, other="column"),
        **_methods("where mask", JOINED, needs=1, cond="value", other="value"),
        **_methods("replace", JOINED, needs=2, to_replace="constants", value="constants"),
        **_methods("astype", CAST, needs=1, dtype="type"),
        **_methods("isna notna isnull notnull", TRUTH),
        **_methods("isin", TRUTH, needs=1, values="values"),
        **_methods("between", TRUTH, needs=2, left="value", right="value", inclusive="ends"),
        **_methods("duplicated", TRUTH, keep="kept"),
        **_methods(_CALCULATIONS, CALCULATED, needs=1, other="value", fill_value="number"),
        **_methods("pow", CALCULATED, needs=1, other="exponent"),
        **_methods(_COMPARISONS, TRUTH, needs=1, other="value"),
        **_methods("rolling", SAME, WINDOW, 1, True, window="width", min_periods="width"),
        **_methods("expanding", SAME, WINDOW, 0, True, min_periods="width"),
    },
    WINDOW: _methods("sum mean median min max std var count"),
    TEXTS: {
        **_methods("contains", TRUTH, needs=1, pat="pattern", case="flag", na="constant",
                   regex="flag"),
        **_methods("match fullmatch", TRUTH, needs=1, pat="pattern", case="flag", na="constant"),
        **_methods("count", WHOLE, needs=1, pat="pattern"),
        **_methods("extract", SAME, needs=2, pat="pattern", expand="off"),
        **_methods("replace", REPLACED, needs=2, pat="pattern", repl="text", n="periods",
                   case="flag", regex="flag"),
        **_methods("split rsplit", SPLIT, pat="text", n="periods"),
        **_methods("startswith endswith", TRUTH, needs=1, pat="text", na="constant"),
        **_methods("find rfind", WHOLE, needs=1, sub="text", start="periods", end="periods"),
        **_methods("len", WHOLE),
        **_methods("lower upper title capitalize swapcase", TEXT),
        **_methods("strip lstrip rstrip", TEXT, to_strip="text"),
        **_methods("removeprefix", TEXT, needs=1, prefix="text"),
        **_methods("removesuffix", TEXT, needs=1, suffix="text"),
        **_methods("slice", TEXT, start="periods", stop="periods", step="periods"),
        **_methods("get", TEXT, needs=1, i="periods"),
        **_methods("zfill", PADDED, needs=1, width="width"),
        **_methods("ljust rjust center", PADDED, needs=1, width="width", fillchar="character"),
        **_methods("pad", PADDED, needs=1, width="width", side="side", fillchar="character"),
        **_methods("cat", CATENATED, needs=1, others="column", sep="text", na_rep="text"),
        **_methods("isalpha isdigit isnumeric isdecimal isalnum isspace islower isupper istitle",
                   TRUTH),
    },
    DATES: {
        **_attributes("year month day quarter hour minute second microsecond nanosecond", WHOLE),
        **_attributes("dayofweek day_of_week weekday dayofyear day_of_year", WHOLE),
        **_attributes("days_in_month daysinmonth days seconds microseconds", WHOLE),
        **_attributes("is_month_start is_month_end is_quarter_start is_quarter_end", TRUTH),
        **_attributes("is_year_start is_year_end is_leap_year", TRUTH),
        **_attributes("date start_time end_time", TIME),
        **_methods("total_seconds", NUMBER),
        **_methods("day_name month_name", TEXT),
        **_methods("normalize", TIME),
        **_methods("floor ceil round to_period", TIME, needs=1, freq="frequency"),
        **_methods("strftime", TEXT, needs=1, date_format="format"),
        **_methods("isocalendar", NUMBER, WEEKS),
    },
    WEEKS: _attributes("year week day", WHOLE),
    MOMENT: {
        **_attributes("year month day quarter hour minute second", WHOLE, SCALAR),
        **_attributes("dayofweek day_of_week dayofyear day_of_year", WHOLE, SCALAR),
        **_methods("strftime", TEXT, SCALAR, 1, format="format"),
    },
    TABLE: {
        **_methods("groupby", SAME, GROUPS, 1, by="names", observed="flag", sort="flag",
                   dropna="flag"),
        **_attributes("shape", NUMBER, SHAPE),
    },
    GROUPS: {},
    GROUPED: {
        **_methods("sum mean median std var sem", numbers=True),
        **_methods("min max first last"),
        **_methods("count nunique size", WHOLE),
        **_methods("any all", TRUTH),
        **_methods("quantile", SAME, numbers=True, q="share"),
        **_methods("agg", SAME, COLUMN, 1, True, func="summary"),
    },
    SCALAR: {**_methods("round", SAME, SCALAR, decimals="decimals")},
}  # fmt: skip
"""Attributes and methods by the shape of the object."""

FUNCTIONS = (
    "abs", "arccos", "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "ceil", "cos",
    "cosh", "exp", "expm1", "floor", "log", "log10", "log1p", "sin", "sinh", "sqrt", "tanh",
)  # fmt: skip
"""The functions of pandas' own language, for numbers."""

SUPPLIED = ("sysdate", "randint", "create_timestamp", "df")
"""What Exhibit supplies beside the columns, in derived columns only."""

WORDS: dict[str, tuple[str, ...]] = {
    "summary": ("sum", "mean", "median", "std", "var", "min", "max", "count", "nunique",
                "first", "last"),
    "type": ("int", "int64", "Int64", "float", "float64", "str", "bool"),
    "ranking": ("average", "min", "max", "first", "dense"),
    "ends": ("both", "neither", "left", "right"),
    "side": ("left", "right", "both"),
    "kept": ("first", "last"),
}  # fmt: skip
"""The allowed words for a kind of argument."""
