"""Accepted expressions, evaluated as Exhibit does: they compute, and access nothing else.

An audit hook listens meanwhile. ``HYPOTHESIS_PROFILE=long`` tries many more.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pandas as pd
import pytest
from exhibit.core.constraints import (
    clean_up_constraint_string,
    get_constraint_mask,
    tokenise_basic_constraint,
)
from exhibit.core.generate.derived import generate_derived_column
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.core.computation import expr as computation
from pandas.core.computation.expr import _preparse

from series_assets.core.spec import expressions
from series_assets.core.spec.expressions import reading, table
from series_assets.core.spec.expressions.values import (
    COLUMN,
    DATES,
    GROUPED,
    GROUPS,
    MOMENT,
    NUMBER,
    SCALAR,
    TABLE,
    TEXT,
    TEXTS,
    TIME,
    WEEKS,
    WINDOW,
    RefusedError,
    Value,
)
from series_assets.core.spec.mentions import derivation_code

COLUMNS = {
    "amount": Value(COLUMN, NUMBER),
    "my los": Value(COLUMN, NUMBER),
    "stays": Value(COLUMN, NUMBER, is_whole=True),
    "region": Value(COLUMN, TEXT, 9),
    "sex": Value(COLUMN, TEXT, 3),
    "date": Value(COLUMN, TIME),
    "a-b": Value(COLUMN, NUMBER),
    "pd": Value(COLUMN, NUMBER),
    "to_csv": Value(COLUMN, NUMBER),
}
SAFE = [name.replace(" ", "__") for name in COLUMNS]


def a_frame(rows: int = 6) -> pd.DataFrame:
    """Return a small table of columns of each kind, with missing values."""
    places = np.arange(rows)
    return pd.DataFrame(
        {
            "amount": [1.5, None, *places[2:] * 7.0],
            "my los": pd.array([2, None, *places[2:]], dtype="Int64"),
            "stays": pd.array([3, None, *places[2:]], dtype="Int64"),
            "region": ["North", None, "%9d aaaa", "aaaaaaaaa", "x-y", "(a+)+"][:rows],
            "sex": ["F", "M", "F", None, "M", "F"][:rows],
            "date": [pd.Timestamp("2024-01-31"), pd.NaT, *pd.date_range("2024-02-27", periods=4)],
            "a-b": places,
            "pd": places * 2,
            "to_csv": places,
        }
    )


# Expressions are read as pandas reads them.

ALPHABET = st.sampled_from(
    [*"~ab.@()[]'\"`&|=<>+*,: \n\t", "__", "amount", "my los", " and ", " == ", "@df", "1", "é"]
)
TEXTS_OF_ANY_KIND = st.lists(ALPHABET, max_size=14).map("".join)


@given(text=TEXTS_OF_ANY_KIND)
def test_constraints_are_rewritten_as_exhibit_does(text: str) -> None:
    """Tildes, blanks in names, and the parts to the sides of the operator."""
    clean = clean_up_constraint_string(text)
    assert reading.of_constraint(text) == clean
    with suppress(TypeError):  # Exhibit's own error for a constraint without three parts
        assert reading.sides(clean) == list(tokenise_basic_constraint(clean))


@given(text=TEXTS_OF_ANY_KIND)
def test_the_tree_that_is_checked_is_the_one_that_pandas_walks(text: str) -> None:
    """After all rewriting of ``@``, ``&`` and ``|`` and of quoted names."""
    try:
        tree = reading.parse(text)
    except RefusedError:
        return
    (line,) = (line.strip() for line in text.splitlines() if line.strip())
    walked = computation.ast.parse(computation.PandasExprVisitor.__init__.__defaults__[0](line))
    assert computation.ast.dump(walked.body[0].value) == computation.ast.dump(tree)
    assert _preparse is not None


# Every entry of the table works.

SAMPLES = {
    "decimals": "1", "number": "1", "periods": "1", "share": "0.5", "summary": "'sum'",
    "ranking": "'dense'", "flag": "True", "value": "1", "constant": "0", "constants": "1",
    "type": "'float'", "values": "[1, 2]", "ends": "'both'", "kept": "'first'", "exponent": "2",
    "width": "1", "pattern": "'(a)'", "text": "'a'", "off": "False", "side": "'left'",
    "character": "'0'", "column": "amount", "frequency": "'D'", "format": "'%Y'", "names": "'sex'",
}  # fmt: skip
OF = {
    COLUMN: "amount", GROUPED: "df.groupby('sex')['amount']", TABLE: "@df", TEXTS: "region.str",
    GROUPS: "df.groupby('sex')", DATES: "date.dt", WEEKS: "date.dt.isocalendar()",
    WINDOW: "amount.rolling(2)", MOMENT: "@sysdate", SCALAR: "amount.mean()",
}  # fmt: skip
LENGTHS = ("days", "seconds", "microseconds", "total_seconds")


def sample(shape: str, name: str) -> str:
    """Return an expression that uses an attribute or method with all its arguments."""
    of, use = OF[shape], table.USES[shape][name]
    if shape == DATES and name in LENGTHS:
        of = "(date - date).dt"
    elif shape == DATES and name in ("start_time", "end_time"):
        of = "date.dt.to_period('M').dt"
    if use.takes is None:
        more = {"str": ".len()", "dt": ".year", "iloc": "[0]", "loc": "[0]", "shape": "[0]"}
        return f"{of.replace('amount', 'region' if name == 'str' else 'date')}.{name}" + (
            more.get(name, "")
        )
    given = {key: SAMPLES[kind] for key, kind in use.takes.items()}
    if shape == TEXTS:
        given = {key: "region" if key == "others" else text for key, text in given.items()}
        given |= {"to_strip": "' '"} if "to_strip" in given else {}
        given |= {"repl": "'b'", "regex": "True", "case": "None"} if name == "replace" else {}
    if "cond" in given:
        given["cond"] = "amount > 1"
    if name == "groupby":
        return f"df.groupby({', '.join(f'{k}={v}' for k, v in given.items())})['amount'].sum()"
    arguments = ", ".join(f"{key}={text}" for key, text in given.items())
    return f"{of}.{name}({arguments})" + {WINDOW: ".mean()", WEEKS: ".week"}.get(use.shape, "")


EVERY_USE = [
    sample(shape, name)
    for shape, uses in table.USES.items()
    for name in uses
    if name not in ("iloc", "loc", "dt") or shape != COLUMN
]
EVERY_FUNCTION = [
    f"{name}(amount, 2)" if name == "arctan2" else f"{name}(amount)" for name in table.FUNCTIONS
]


def evaluated(text: str, frame: pd.DataFrame) -> Any:
    """Return pandas' result of a calculation, in both ways in which Exhibit evaluates it."""
    if "groupby" not in text:
        return generate_derived_column(frame, text)
    safe = frame.rename(columns=lambda name: name.replace(" ", "__"))
    return pd.eval(derivation_code(text), local_dict={"df": safe}, engine="python")


MORE = ["amount.iloc[0]", "amount.loc[0]", "date.dt.year", "amount.rank(method='min', pct=True)"]


@pytest.mark.parametrize("text", [*EVERY_USE, *EVERY_FUNCTION, *MORE])
@pytest.mark.filterwarnings("ignore")
def test_everything_in_the_table_is_accepted_and_computes(text: str) -> None:
    """With each of its arguments, on a table with missing values."""
    known = expressions.check_derivation(text, COLUMNS)
    result = evaluated(text, a_frame())
    assert result is not None
    assert not known.is_whole or are_whole(result)


def are_whole(result: Any) -> bool:
    """Return whether all numbers that are known are whole."""
    return all(float(number).is_integer() for number in pd.Series(result).dropna())


@pytest.mark.parametrize(
    ("text", "is_whole"),
    [
        ("date.dt.year", True),
        ("date.dt.year * 100 + date.dt.month", True),
        ("date.sub(date.shift(1)).dt.days", True),
        ("region.str.len() // 2", True),
        ("stays ** 2", True),
        ("stays % 2 - 1", True),
        ("-stays.abs()", True),
        ("stays.where(amount > 2, 0)", True),
        ("stays.fillna(0).clip(0, 3)", True),
        ("stays.shift(1)", True),
        ("stays.sum()", True),
        ("stays.agg('max')", True),
        ("stays * (amount > 2)", True),
        ("stays.isna().sum()", True),
        ("abs(stays)", True),
        ("df.groupby('sex')['stays'].agg('sum')", True),
        ("stays.add(1).sub(date.dt.day)", True),
        ("amount.fillna(0).astype('int')", True),
        ("date.dt.isocalendar().week", True),
        ("df.groupby('sex')['stays'].sum()", True),
        ("df.groupby('sex')['amount'].count()", True),
        ("date.dt.year / 2", False),
        ("stays.div(2)", False),
        ("stays ** 0.5", False),
        ("stays.mean()", False),
        ("stays.agg('mean')", False),
        ("stays.rolling(2).mean()", False),
        ("stays.where(amount > 2, amount)", False),
        ("stays.clip(0.5)", False),
        ("amount.round()", False),
        ("amount > 2", False),
        ("df.groupby('sex')['stays'].mean()", False),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_is_known_to_be_whole(text: str, is_whole: bool) -> None:
    """Whatever type the numbers have beside missing ones; a mean, or a half, need not be."""
    assert expressions.check_derivation(text, COLUMNS).is_whole == is_whole
    assert are_whole(evaluated(text, a_frame())) or not is_whole


# No accepted expression accesses anything else.

_HARMFUL = (
    "os.", "subprocess.", "shutil.", "socket.", "ctypes.", "sqlite3.", "pickle.", "marshal.",
    "code.", "urllib.", "tempfile.", "webbrowser.", "cpython.", "fcntl.", "signal.", "glob.",
    "http.", "smtplib.", "ftplib.", "pty.", "import", "exec", "open", "compile",
)  # fmt: skip
_PARSING = "<unknown>"
"""The file name in events of Python's parser for a text that is only parsed."""
_heard: list[str] = []
_listening = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _listening and event.startswith(_HARMFUL):
        if event == "compile" and arguments[1] == _PARSING:
            return
        if event == "open" and str(arguments[0]).endswith(".py") and arguments[1] == "r":
            return  # a warning shows the line of pandas' that it comes from
        _heard.append(f"{event} {arguments!r:.200}")


sys.addaudithook(_hook)


@contextmanager
def listening() -> Iterator[tuple[list[str], set[str]]]:
    """Record audit events of opening, importing and running, and attributes, during the block.

    The attributes are those that the expression itself looks up.
    """
    global _listening
    asked: set[str] = set()

    def recorded(thing: Any, name: str, *default: Any) -> Any:
        if not isinstance(thing, computation.BaseExprVisitor):
            asked.add(name)
        return getattr(thing, name, *default)

    _heard.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(computation, "getattr", recorded, raising=False)
        _listening = True
        try:
            yield _heard, asked
        finally:
            _listening = False


INTERNAL = {"assigner", "value", "name", "return_type", "operand_types", "is_datetime", "type"}
"""Attributes that pandas' evaluator looks up on its own objects."""
ATTRIBUTES = (
    {name for uses in table.USES.values() for name in uses} | INTERNAL | {*SAFE} - {"to_csv"}
)


def run_as_exhibit_does(text: str, how: str, frame: pd.DataFrame) -> Any:
    """Evaluate an expression in its place in a specification, ignoring failures."""
    with suppress(Exception):
        if how == "derived":
            return generate_derived_column(frame, text)
        return get_constraint_mask(frame, clean_up_constraint_string(text))
    return None


def is_accepted(text: str, how: str) -> bool:
    """Return whether an expression is valid in a derived column or a filter."""
    try:
        if how == "derived":
            expressions.check_derivation(text, COLUMNS)
        else:
            expressions.check_constraint(text, COLUMNS)
    except RefusedError:
        return False
    return True


_BAD_NAMES = ["os", "__import__", "eval", "open", "np", "re", "ghost", "__builtins__", "print"]
_BAD_ATTRIBUTES = sorted(
    {name for thing in (pd.Series, pd.DataFrame, str, np.float64) for name in dir(thing)}
)
_GOOD_ATTRIBUTES = sorted({name for uses in table.USES.values() for name in uses})
_ARGUMENTS = sorted({name for uses in table.USES.values() for use in uses.values()
                     for name in use.takes or {}})  # fmt: skip


def trees(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return larger expressions built from smaller ones, by every rule of the grammar."""
    attribute = st.sampled_from(_GOOD_ATTRIBUTES) | st.sampled_from(_BAD_ATTRIBUTES)
    operator = st.sampled_from(
        ["+", "-", "*", "/", "//", "%", "**", "&", "|", "==", "!=", "<", ">=", "@", "<<", "in"]
    )
    argument = st.one_of(
        inner, st.builds("{}={}".format, st.sampled_from(_ARGUMENTS), inner), st.just("**df")
    )
    arguments = st.lists(argument, max_size=2).map(", ".join)
    return st.one_of(
        st.builds("({} {} {})".format, inner, operator, inner),
        st.builds("{}.{}".format, inner, attribute),
        st.builds("{}.{}({})".format, inner, attribute, arguments),
        st.builds("{}({})".format, inner, arguments),
        st.builds("{}[{}]".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{}(~{})".format, st.sampled_from(["", "-"]), inner),
        st.builds("(lambda x: {})".format, inner),
        st.builds("[x for x in {}]".format, inner),
        st.builds("f'{{{}}}'".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("(x := {})".format, inner),
        st.builds("`{}`".format, inner),
        st.builds("{{{}: {}}}".format, inner, inner),
        st.builds("{}\n{}".format, inner, inner),
        st.builds("~{}~ > 3".format, inner),
    )


LEAVES = st.one_of(
    st.sampled_from([*COLUMNS, *SAFE, "index", "df", "@df", "@sysdate"]),
    st.sampled_from(["1", "0.5", "-2", "'a'", "'F'", "True", "None", "9", "99999999999", "['F']"]),
    st.sampled_from(_BAD_NAMES),
    st.sampled_from([f"@{name}" for name in ("pd", "np", "randint", "self", *_BAD_NAMES)]),
    st.sampled_from([*EVERY_USE, *EVERY_FUNCTION]),
    st.sampled_from(["'sum'", "'to_csv'", "'D'", "'(a+)+'", "df.groupby('sex')['amount'].sum()"]),
)
ANY_EXPRESSION = st.recursive(LEAVES, trees, max_leaves=5)
NUMBERS = st.sampled_from([text for text in (*EVERY_USE, *EVERY_FUNCTION) if "groupby" not in text])
COMPUTING = st.recursive(
    NUMBERS | st.sampled_from(["amount", "my los", "region", "date", "2", "'a'"]),
    lambda inner: st.one_of(
        st.builds("({}{}{})".format, inner, st.sampled_from([*"+-*/%><", "**", "=="]), inner),
        st.builds("{}.{}({})".format, inner, st.sampled_from(_GOOD_ATTRIBUTES), inner),
        st.builds("{}.{}".format, inner, st.sampled_from(_GOOD_ATTRIBUTES)),
    ),
    max_leaves=4,
)
_EXAMPLES = 20_000 if settings.get_current_profile_name() == "long" else 500


def reaches_nothing(text: str, how: str) -> None:
    """Evaluate an expression under the audit hook, and compare its accesses with the table."""
    frame = a_frame()
    started = time.monotonic()
    with listening() as (heard, asked):
        generated = run_as_exhibit_does(text, how, frame)
    assert heard == []
    assert asked <= ATTRIBUTES
    assert time.monotonic() - started < 5
    if isinstance(generated, pd.Series) and generated.dtype == object:
        assert generated.map(lambda cell: len(str(cell))).max() <= 10_100


@pytest.fixture(scope="module", autouse=True)
def _libraries_are_loaded() -> None:
    """Let pandas import what it imports lazily, before the hook listens."""
    for text in (*EVERY_USE, *EVERY_FUNCTION):
        run_as_exhibit_does(text, "derived", a_frame())
    run_as_exhibit_does("sex with_high_frequency", "filter", a_frame())


def test_the_hook_hears_what_an_expression_does(tmp_path: os.PathLike[str]) -> None:
    """Otherwise the other tests would prove nothing."""
    target = os.path.join(tmp_path, "x")  # noqa: PTH118
    for text in (f"amount.to_csv('{target}')", f"@pd.io.common.os.mkdir('{target}1')"):
        assert not is_accepted(text, "derived")
        with listening() as (heard, asked):
            run_as_exhibit_does(text, "derived", a_frame())
        assert any(one.startswith(("open", "os.mkdir")) for one in heard), text
        assert not asked <= ATTRIBUTES


def found_harmless(strategy: st.SearchStrategy[str], at_least: int) -> Callable[[], None]:
    """Return a search for an accepted expression that accesses more than it may."""
    accepted: list[str] = []

    @settings(max_examples=_EXAMPLES)
    @given(text=strategy, how=st.sampled_from(["derived", "derived", "filter"]))
    def search(text: str, how: str) -> None:
        if is_accepted(text, how):
            accepted.append(text)
            reaches_nothing(text, how)

    def searched() -> None:
        search()
        assert len(set(accepted)) >= at_least

    return searched


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_whatever_is_accepted_of_pythons_grammar_reaches_nothing() -> None:
    """Names, attributes, calls, lambdas, comprehensions, f-strings and backticks."""
    found_harmless(ANY_EXPRESSION, at_least=10)()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_whatever_is_accepted_of_the_table_reaches_nothing() -> None:
    """Mostly valid expressions, built from the table's entries."""
    found_harmless(COMPUTING, at_least=40)()
