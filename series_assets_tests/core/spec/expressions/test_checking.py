"""Expressions that a specification may contain, and the messages that refuse all others."""

import ast
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from series_assets.core.spec import expressions
from series_assets.core.spec.exhibit_limits import exhibit_limit_faults
from series_assets.core.spec.expressions import arguments, table, values
from series_assets.core.spec.expressions.patterns import check_pattern
from series_assets.core.spec.expressions.values import RefusedError
from series_assets_tests.builders import a_series, a_specification

DOCUMENT = Path(__file__).parents[4] / "docs" / "expressions.md"
SEE = "(docs/expressions.md lists all)"
A_COLUMN = f"a column has sum, mean, round, fillna, shift, isin, .dt, .str and others {SEE}"


def a_number() -> dict[str, Any]:
    """Return the definition of a column of whole numbers."""
    return a_specification()["columns"]["amount"] | {"precision": "integer"}


def having(*names: str, **sections: Any) -> dict[str, Any]:
    """Return a specification with more number columns, and expressions in its sections."""
    specification = a_specification()
    specification["columns"] |= {name: a_number() for name in names}
    if "basic" in sections:
        specification["constraints"]["basic_constraints"] = [sections["basic"]]
    if "filter" in sections:
        rule = {"filter": sections["filter"], "partition": None, "targets": {"sex": "make_same"}}
        specification["constraints"]["custom_constraints"] = {"one": rule}
    if "derived" in sections:
        specification["derived_columns"] = sections["derived"]
    specification["derived_columns"] = specification["derived_columns"] or {}
    specification["linked_columns"] = []
    return specification


def broken(specification: dict[str, Any]) -> list[str]:
    """Return the faults of a well-formed specification, one sentence each."""
    return [fault.message for fault in exhibit_limit_faults(specification)]


def refusals(specification: dict[str, Any]) -> list[str]:
    """Return the messages about the expressions of a specification."""
    return [str(refusal) for refusal in expressions.refusals(specification)]


# Accepted expressions.

ACCEPTED = [
    "amount", "(amount * 2)", "amount / amount.sum()", "-amount", "amount ** 2", "amount ** -0.5",
    "los.div(stays).round(2)", "(amount - amount.mean()) / amount.std()", "amount.rank()",
    "amount.cumsum()", "amount.shift()", "amount.shift(1, fill_value=0)", "amount.iloc[30]",
    "amount.fillna(0)", "amount.fillna(amount.median())", "amount.clip(0, 100)",
    "amount.clip(lower=los)", "amount.astype('int')", "amount.astype('str') + region",
    "amount.where(sex=='F',0)", "(amount > 50)", "~(amount > 50)", "(amount > 5) & (sex == 'F')",
    "amount.between(1, 9)", "region.isin(['North', 'South'])", "region.str.upper()",
    "region.str.startswith('N', na=False)", "region.str.slice(0, 2)", "region.str[0]",
    "region.str.split('-').str[0]", "region.str.cat(sex, sep='-')", "region + ' (Scotland)'",
    "region.str.contains('^N|h$')", "region.str.replace('o', '0')", "region.replace('West', 'W')",
    "region.str.extract('([A-Z]+)', expand=False)", "date.dt.year", "(date - date).dt.days",
    "date.dt.strftime('%Y-%m')", "date.dt.to_period('M')", "date.dt.to_period('M').dt.end_time",
    "date.dt.isocalendar().week", "date.dt.day_name()", "@sysdate", "(@sysdate - date).dt.days",
    "@sysdate.year", "@randint(1, 7)", "(los * 0 + @randint(1, 7))", "@df.amount", "@df['amount']",
    "@randint(1, 7, @df.shape[0])", "@randint(1, 7, size=60)", "sqrt(amount)", "log10(amount + 1)",
    "@create_timestamp(los, stays, los)", "df.groupby('sex')['amount'].sum()", "index",
    "df.groupby(['sex', 'region']).amount.mean()", "@df.groupby('sex')['amount'].sum()",
    "df.groupby('my stays')['amount'].sum()", "my stays + 1", "amount.rolling(3).mean()",
    "df.groupby('sex', observed=True)['amount'].agg('sum').round(2)", "1", "'text'", "True",
    "region == 'now'", "amount.combine_first(los)", "amount.multiply(2)",
    "+".join(["amount"] * 150),
]  # fmt: skip
FILTERS = [
    "sex == 'F' & amount > 3", "sex in ['F', 'X'] and not amount > 3", "region with_high_frequency",
    "~my stays~ with_low_frequency", "~my stays~ > los", "date > '2024-01-20' and amount < 3",
    "~region.isna()", "region.astype('str') == 'F'", "0 < amount < 9", "amount > -1e3",
    "region.str.len() > 4", "['F'] == sex", "home_latitude > 3", "index == index",
]  # fmt: skip


@pytest.mark.parametrize("text", ACCEPTED)
def test_a_derived_column_that_computes_is_accepted(text: str) -> None:
    """Columns, literals, operators, Exhibit's own names, and methods that only compute."""
    assert refusals(having("los", "stays", "my stays", derived={"made": text})) == []


@pytest.mark.parametrize("text", FILTERS)
def test_a_filter_that_compares_is_accepted(text: str) -> None:
    """Comparisons, lists, pandas' keywords and Exhibit's two."""
    specification = having("los", "my stays", filter=text)
    specification["columns"]["home"] = {"type": "geospatial"}
    assert refusals(specification) == []


@pytest.mark.parametrize(
    "text",
    ["amount > 20", "~my stays~ <= los", "los >= amount*0.5", "date >= '2024-01-05'",
     "amount >= amount.mean()", "date == date", "amount < 1e3", "los <= los+~my stays~"],
)  # fmt: skip
def test_a_basic_constraint_that_compares_is_accepted(text: str) -> None:
    """A column compared with a number, a date or a calculation."""
    assert refusals(having("los", "my stays", basic=text)) == []


def test_derived_columns_may_be_used_in_later_ones() -> None:
    """The kind of the first column, text or number, is known in the second."""
    first = {"code": "region + '1'", "twice": "amount * 2"}
    assert refusals(having(derived={**first, "next": "twice * 2 + code.str.len()"})) == []
    assert refusals(having(derived={**first, "next": "code * 2"})) == [
        "derived_columns.next 'code * 2' calculates with text in code * 2, where * would repeat or "
        "format it; make numbers of it by .astype('float')"
    ]


def test_an_example_of_exhibits_is_left_alone_unless_it_could_run() -> None:
    """Exhibit's placeholders are skipped; one that calls a function is refused."""
    assert refusals(having(derived={"Example_derived_column": "Example"})) == []
    assert refusals(having(derived={"Example": "amount.to_csv('x')"})) != []


# Refused expressions, and their messages.

REFUSED = [
    ("@pd.io.common.os.system('touch x')",
     "uses @pd; @sysdate, @randint(...), @create_timestamp(...) and @df are all there are"),
    ("@df.to_csv('x')", "uses .to_csv, which expressions cannot use; df has its columns, "
     f"df['name'], and df.groupby('name') {SEE}"),
    ("amount.to_csv('x')", f"uses .to_csv, which expressions cannot use; {A_COLUMN}"),
    ("amount.to_csv", f"uses .to_csv, which expressions cannot use; {A_COLUMN}"),
    ("amount.pipe(@pd.to_pickle, 'x')", f"uses .pipe, which expressions cannot use; {A_COLUMN}"),
    ("amount.sun()", "uses .sun, which expressions cannot use (did you mean 'sum'?); " + A_COLUMN),
    ("region.str.__class__", "uses .__class__, which expressions cannot use; .str has contains, "
     f"startswith, replace, slice, len, upper and others {SEE}"),
    ("df.groupby('sex').apply(1)", "uses .apply, which expressions cannot use; groups have their "
     f"columns, df.groupby('name')['other'] {SEE}"),
    ("__import__('os').system('x')", "calls __import__(...), which expressions cannot call; use a "
     "method of a column (docs/expressions.md lists all)"),
    ("(lambda: 1)()", "calls lambda: 1; only methods and functions can be called"),
    ("f'{amount}'", "uses an f-string, which expressions cannot use: f'{amount}'; "
     "docs/expressions.md lists all"),
    ("`amount`", "has backticks; write ~my column~ in a constraint, the plain name elsewhere"),
    ("y = amount", "assigns with =; compare with =="),
    ("amount.sum", "uses .sum without its parentheses; write .sum(...)"),
    ("amount.str()", "calls .str, which is not a method; leave out its parentheses"),
    ("amount.agg('to_csv')", "gives func as 'to_csv'; it has to be 'sum', 'mean', 'median', "
     "'std', 'var', 'min', 'max', 'count', 'nunique', 'first' or 'last'"),
    ("amount.sum(axis=0)", "gives .sum the unknown argument axis; it takes none"),
    ("amount.round(1, 2)", "gives .round 2 arguments; it takes 1 at most"),
    ("amount.fillna()", "calls .fillna without value; add this argument"),
    ("amount.sum(**sex)", "uses **, which expressions cannot use; name the arguments"),
    ("9**9**9", "gives the exponent as 9 ** 9; it has to be a number up to 200"),
    ("'a'*10**9", "calculates with text in 'a' * 10 ** 9, where * would repeat or format it; make "
     "numbers of it by .astype('float')"),
    ("region.str.pad(10**9)", "gives width as 10 ** 9; it has to be a whole number from 0 to 200"),
    ("region.sum()", "uses .sum on text, which it is not for; use .astype('float')"),
    ("region.str.contains('(a+)+$')", "has the pattern '(a+)+$', which repeats a group, which can "
     "take forever; repeat a character or [a class]"),
    ("date > 'now'", "says 'now' beside a date, for which pandas reads the clock; use @sysdate in "
     "a derived column, or a date such as '2024-01-31'"),
    ("df.groupby('sex')['amount'].sum() + amount", "uses amount beside groupby, where Exhibit "
    "knows only df; write df['amount']"),
    ("pd.io.common.os.system('groupby')",
     "uses pd beside groupby, where Exhibit knows only df"),
    ("df.groupby('ghost')['amount'].sum()", "groups by 'ghost', which is not a known column"),
    ("@randint(1, 7, 10**12)",
     "gives @randint the size 10 ** 12; use @df.shape[0], the number of rows"),
    ("amount[sex=='F']", "has sex == 'F' between square brackets, where pandas takes a number or a "
     "name in quotes; select rows with .where(condition)"),
    ("sysdate", "uses sysdate without its @; write @sysdate"),
    ("-" * 60 + "1", "nests more than 50 deep; split it over several columns"),
    ("amount +", "is not an expression that pandas can read; fix its syntax"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_what_else_there_is_is_refused_with_the_part_and_the_remedy(text: str, why: str) -> None:
    """The message has the key, the expression, the part at fault, and the alternatives."""
    specification = having(derived={"made": text})
    assert refusals(specification) == [f"derived_columns.made '{text}' {why}"]
    assert f"derived_columns.made '{text}' {why}" in broken(specification)


REACHING = [
    "amount.to_pickle('x')", "amount.values.tofile('x')", "amount.array", "amount.apply(print)",
    "amount.map('{}'.format)", "'{0.__class__}'.format(amount)", "amount.__class__.__init__",
    "amount.mean().tofile('x')", "amount.plot()", "amount.style", "amount.attrs", "amount.T",
    "@df.eval('amount')", "@df.query('amount')", "@df.plot", "@df.to_sql('x', 'y')", "@df._mgr",
    "@pd.eval('1')", "@np.random.seed(1)", "@re.compile('x')", "@__builtins__", "@df.__class__",
    "pd.to_pickle(df, 'groupby')", "np.save('groupby', df)", "df.groupby('sex').pipe(1)",
    "df.groupby(amount)['amount'].sum()", "df.groupby('sex')['amount'].apply(print)",
    "df.groupby('sex')['amount'].agg(print)", "df.groupby('sex')['amount'].__class__",
    "df.groupby('sex')._selected_obj", "amount.dt.tz_localize('x')", "date.dt.to_pydatetime()",
    "date.dt._parent", "region.str._parent", "region.str.encode('utf8')", "region.str.format(1)",
    "region.str.translate(1)", "region.str.repeat(9)", "region.str.join('x')",
    "sex.str.decode('x')",
    "region.str.get_dummies()", "region.str.cat()", "region.str.extract('x')", "region.dtype",
    "region.str.extract('x', expand=True)", "amount.astype('object')", "amount.astype('category')",
    "amount.convert_dtypes()", "amount.infer_objects()", "amount.explode()", "amount.repeat(9)",
    "amount.sample(3)", "amount.reindex([1])", "amount.to_frame()", "amount.items()", "amount.loc",
    "amount.iloc.sum()",
    "amount.prod()", "amount.cumprod()", "amount.rpow(9)", "amount.pow(amount)", "2 ** amount",
    "@sysdate.now()", "@sysdate.to_pydatetime()", "@sysdate.__class__", "@sysdate.strftime('%9d')",
    "@randint", "@create_timestamp", "@create_timestamp(1, 2, 3)", "@randint(1, 7, dtype='x')",
    "@randint(1, amount)", "df.groupby('sex')", "@df", "amount.str", "amount.dt", "region.str.len",
    "amount.iloc[0:3]", "amount.iloc[sex]", "amount[0][0]", "amount.loc['x'].x", "df.a.groupby(1)",
    "[x for x in amount]", "{1: 2}", "{1, 2}", "(amount, sex)", "[amount]", "(y := amount)",
    "amount.isin([sex])", "amount.replace({1: 2}, 3)", "amount.fillna(method='ffill')", "...",
    "amount.where(lambda x: x)", "amount.where(sex=='F',lambda: 0)", "b'x'", "1j",
    "amount.sum(*sex)",
    "amount << 3", "amount ^ amount", "amount.quantile([0.1])", "amount.rolling('3D').mean()",
    "amount.rolling(10**9).mean()", "amount.round(10**6)", "amount.shift(periods=10**12)",
    "region % 5", "'%999999999d' % 5", "region.mod(5)", "region.mul(9)", "amount.rmod('%9d')",
    "region * amount", "amount.mul(region)", "region.cumsum()", "region.mean()", "10 ** 400",
    "amount ** 201", "((amount ** 100) ** 100)", "region.str.split('x') * 3", "region.agg('sum')",
    "region.str.split('x') + region.str.split('y')", "df.groupby('sex')['region'].sum()",
    "date.isin(['Today'])", "date.where(amount>1,'now ')", "date.fillna('now')",
    "date.dt.strftime('%999d')", "date.dt.strftime('%-999d')", "date.dt.month_name('x')",
    "date.dt.floor('99999999999D')", "sum(amount)", "print(1)", "eval('1')", "open('x')",
    "getattr(amount, 'to_csv')", "amount\n@pd.x", "amount; amount", "import os", "del amount",
    "__pd_eval_local_pd.io", "__builtins__", "amount.__getattribute__('to_csv')('x')",
    "ａmount.ｔo_csv('x')", "amount.str.__init__.__globals__", "1 .__class__", "''.__class__",
    "amount." * 300 + "x", "amount.isin(amount.to_csv('x'))", "amount.fillna(amount.to_csv('x'))",
    "amount + (amount.to_csv('x') or 1)", "amount if amount.to_csv('x') else 1",
    "not_there.to_csv('x')", "9" * 4000, "x" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("text", REACHING)
def test_nothing_that_reaches_further_is_accepted(text: str) -> None:
    """Output, callables, Python's built-ins, other objects of pandas, unbounded calculations."""
    (refusal,) = expressions.refusals(having(derived={"made": text}))
    assert refusal.place == "derived_columns.made"
    assert refusal.why


@pytest.mark.parametrize("section", ["basic", "filter"])
@pytest.mark.parametrize(
    "expression",
    ["@pd.io.common.os.system('x')", "sex.to_csv('x')", "@df.to_csv('x')", "amount.apply(1)",
     "@sysdate", "@clean_string", "@self", "__pd_eval_local_df", "`amount`", "10**9**9"],
)  # fmt: skip
def test_constraints_and_filters_allow_less(section: str, expression: str) -> None:
    """Anything with an @ is refused, and anything that a derived column may not contain."""
    text = f"amount > {expression}"
    (refusal,) = expressions.refusals(having(**{section: text}))
    assert refusal.text == text


def test_the_name_of_a_column_is_no_loophole() -> None:
    """A column whose name is an expression cannot be used in one."""
    attack = "@pd.io.common.os.mkdir('x')"
    place = "constraints.basic_constraints"
    assert refusals(having(attack, basic=f"~{attack}~ > amount")) == [
        f"{place} '~{attack}~ > amount' names the column '{attack}', which pandas would read as "
        "something else; rename the column"
    ]
    assert refusals(having(attack, basic=f"{attack} > amount")) == [
        f"{place} '{attack} > amount' names the column '{attack}', which pandas would read as "
        "something else; rename the column"
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [("a-b", "a-b * 2"), ("inf", "inf + 1"), ("__pd_eval_local_pd", "__pd_eval_local_pd.io"),
     ("(a)", "(a) + 1"), ("a.b", "a.b + 1"), ("ﬁne", "ﬁne + 1"), ("pd", "pd + df.groupby('a')"),
     ("to_csv", "@df.to_csv"), ("pipe", "df.groupby('a').pipe"), ("_mgr", "@df._mgr"),
     ("groupby", "groupby + 1"), ("df", "df.to_csv('x')"), ("sum()", "sum() + 1")],
)  # fmt: skip
def test_a_column_that_would_be_read_as_something_else(name: str, text: str) -> None:
    """The name means something else to pandas than the column."""
    assert refusals(having(name, "a", "b", derived={"made": text})) != []


def test_columns_of_odd_names_do_no_harm_where_they_are_not_meant() -> None:
    """In quotes they are names, and parts of other words are not mentions."""
    odd = ["a-b", "a.b", "2024", "%", "None", "sum()", "@a", "class"]
    for text in ("a - b", "df.groupby('a-b')['a.b'].sum()", "amount.sum() % 3", "a > 2024"):
        assert refusals(having("a", "b", *odd, derived={"made": text})) == []
    assert refusals(having("_a", derived={"made": "_a + 1"})) == []


def test_a_dangerous_expression_has_no_other_message() -> None:
    """There is one message per expression; unknown names are reported as usual."""
    specification = having(derived={"made": "@pd.x + ghost", "other": "ghost + 1"})
    message = broken(specification)
    assert len(message) == 2
    assert message[0].startswith("derived_columns.made '@pd.x + ghost' uses @pd; ")
    assert message[1].startswith(
        "derived_columns.other 'ghost + 1' names 'ghost', which is not a known column"
    )


def test_a_long_expression_or_one_of_several_lines_is_shown_in_one() -> None:
    """Messages stay readable."""
    (message,) = refusals(having(derived={"made": "amount\n@pd.x"}))
    assert message == "derived_columns.made 'amount\\n@pd.x' has 2 lines; an expression has one"
    (message,) = refusals(having(derived={"made": "x" * 3000}))
    assert message.endswith("...' is longer than 2000 characters; split it over several derived "
                         "columns")  # fmt: skip
    assert len(message) < 400


@pytest.mark.parametrize("value", ["now", " Today"])
def test_a_date_is_not_assigned_from_the_clock(value: str) -> None:
    """Some texts assigned to a date column would be read as the current time."""
    specification = having(filter="amount > 3")
    rule = specification["constraints"]["custom_constraints"]["one"]
    rule["targets"] = {"date": f"assign_value${value}"}
    assert broken(specification) == [
        "constraints.custom_constraints.one.targets.date "
        f"'assign_value${value}' reads the clock, so that no two runs agree; write a date, such as "
        "2024-01-31"
    ]


def test_a_model_is_named_without_a_path() -> None:
    """Exhibit unpickles the file that a model's name leads to."""
    for name in ("../../x", "a/b", "a.b", "x\n", ""):
        (message,) = broken(having() | {"models": {name: {}}})
        assert "is not the plain name of a model" in message


# Limits of sizes.


def test_texts_cannot_grow_without_limit() -> None:
    """Doubling a text from column to column is refused where it could reach 10,000 characters."""
    doubling = {f"c{n}": f"c{n - 1} + c{n - 1}" if n else "region + region" for n in range(20)}
    (first, *_) = refusals(having(derived=doubling))
    assert first == (
        "derived_columns.c9 'c8 + c8' could make strings of more than 10000 characters in c8 + c8; "
        "shorten it"
    )


def test_integers_cannot_grow_without_limit() -> None:
    """Squaring from column to column is refused where 200 factors are possible."""
    squares = {f"c{n}": f"c{n - 1} * c{n - 1}" if n else "amount * amount" for n in range(20)}
    (first, *_) = refusals(having(derived=squares))
    assert first == (
        "derived_columns.c7 'c6 * c6' multiplies more than 200 numbers into one in c6 * c6; "
        "shorten it"
    )


def test_replacing_counts_how_long_the_text_can_get() -> None:
    """Every character could be replaced, and every replacement again."""
    text = "region.str.replace('', 'xxxxxxxxxx')" + ".str.replace('', 'xxxxxxxxxx')" * 3
    (message,) = refusals(having(derived={"made": text}))
    assert "could make strings of more than 10000 characters" in message


@pytest.mark.parametrize(
    ("pattern", "characters", "allowed"),
    [
        ("^North|South$", 18, True), (r"[A-Z]{2}-\d+", 18, True), (r"(\d+)-(\d+)", 18, True),
        ("a+", 1000, True), ("", 10, True), (r"\(x\)", 10, True), ("[(]+", 10, True),
        ("(a+)+", 5, False), ("(a|b)*", 5, False), ("(?:x)?", 5, False), ("(x){2,9}", 5, False),
        ("a*a*a*a*a*a*a*b", 18, False), ("a+b+", 1000, False), (r"(a)\1", 5, False),
        ("(?=a)b", 5, False), ("(?i)a", 5, False), ("(", 5, False), ("a" * 201, 5, False),
        ("a?" * 30, 5, False), ("a?" * 9 + "a" * 9, 9, False), ("*", 5, False),
    ],
)  # fmt: skip
def test_patterns_that_could_take_forever(pattern: str, characters: int, allowed: bool) -> None:
    """Quantified groups, back references, and too many quantifiers for long texts."""
    with nullcontext() if allowed else pytest.raises(RefusedError):
        check_pattern(pattern, characters)


# The table and its document.


def test_the_table_names_only_what_is_known() -> None:
    """Each argument has a check, and no name starts with an underscore."""
    for shape, uses in table.USES.items():
        for name, use in uses.items():
            assert not name.startswith("_"), (shape, name)
            assert set(use.takes or {}.values()) is not None
            assert set((use.takes or {}).values()) <= set(arguments.KINDS), (shape, name)
            assert use.needs <= len(use.takes or {})


def documented() -> set[tuple[str, str, str]]:
    """Return the names that the document's tables list, with their objects and arguments."""
    found: set[tuple[str, str, str]] = set()
    of = ""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = re.fullmatch(r"#+ .*\(`(.+)`\)", line)
            of = heading[1] if heading else ""
        row = re.fullmatch(r"\| (`.+?`) \| (.*) \|", line)
        if of and row:
            takes = ", ".join(re.findall(r"`(\w+)`", row[2]))
            found |= {(of, name, takes) for name in re.findall(r"`\.?(\w+)`", row[1])}
    return found


def test_the_document_lists_exactly_what_may_be_used() -> None:
    """Every name with its arguments, under its object, and nothing else."""
    allowed = {
        (shape, name, ", ".join(use.takes or {}))
        for shape, uses in table.USES.items()
        for name, use in uses.items()
    }
    allowed |= {("functions", name, "") for name in table.FUNCTIONS}
    assert documented() == allowed


def test_the_document_describes_every_kind_of_argument() -> None:
    """In the words of the messages."""
    text = " ".join(DOCUMENT.read_text(encoding="utf-8").split())
    used = {kind for uses in table.USES.values() for use in uses.values()
            for kind in (use.takes or {}).values()}  # fmt: skip
    for kind in used:
        assert arguments.described(kind) in text, kind


@pytest.mark.parametrize("text", ["amount + 1", "amount.sum()"])
def test_what_is_shown_of_an_expression_reads_as_written(text: str) -> None:
    """Parts of expressions are shown in Python's notation."""
    assert expressions.reading.shown(ast.parse(text, mode="eval").body) == text


def test_a_series_whose_expressions_are_allowed_can_be_built() -> None:
    """The expressions are checked when the files are read."""
    assert a_series(having(derived={"made": "amount * 2"})).name == "demo"
    assert values.of_columns(a_specification())["sex"].kind == values.TEXT
