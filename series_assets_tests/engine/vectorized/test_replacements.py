"""Each fast replacement alone, against the part of Exhibit or of our own that it replaces."""

import itertools
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from exhibit.core import constraints, formatters, utils
from exhibit.core.generate import categorical, continuous
from hypothesis import event, given
from hypothesis import strategies as st

from series_assets.core.plan import identifiers
from series_assets.core.plan.identifiers import IdentifierPlan
from series_assets.core.spec.frequency_distribution import parse_distribution
from series_assets.engine.constraint_actions import CorrectedHandler
from series_assets.engine.vectorized import categories, numbers, tables
from series_assets.engine.vectorized import identifiers as fast_identifiers
from series_assets.engine.vectorized.registry import FastHandler
from series_assets_tests.engine.stock_comparison import INSTALLED, assert_same_frames

_WEIGHTS = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0, float("nan"), float("inf"), -0.5])
_VALUES = ["A", "B", "C", None]


@st.composite
def numbers_to_make(draw: st.DrawFn) -> tuple[dict[str, Any], pd.DataFrame]:
    """Draw a specification of one number, with weights, and the rows to generate it for."""
    rows = draw(st.integers(1, 40))
    names = ["one", "two"][: draw(st.integers(0, 2))]
    frame = pd.DataFrame({"id": range(rows)})
    for name in names:
        column = pd.Series(draw(st.lists(st.sampled_from(_VALUES), min_size=rows, max_size=rows)))
        frame[name] = column.astype("category") if draw(st.booleans()) else column.astype(object)
    weights = constraints.namedtuple("Weights", ["weight", "equal_weight"])
    table = {
        ("n", name, value): {"weights": weights(draw(_WEIGHTS), 0.5)}
        for name in names
        for value in draw(st.lists(st.sampled_from(_VALUES), unique=True))
    }
    parameters = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "dispersion": st.sampled_from([0, 0.1, 1.5, -0.2, None]),
                "target_mean": st.sampled_from([10, 0.5, -3]),
                "target_std": st.sampled_from([1, 0.5, 0, -1]),
            },
        )
    )
    column = {
        "distribution": draw(st.sampled_from(["weighted_uniform", "normal", "other"])),
        "distribution_parameters": parameters,
        "precision": "float",
    }
    specification = {
        "columns": {"n": column},
        "weights_table": table,
        "weights_table_target_cols": names,
    }
    return specification, frame


@given(drawn=numbers_to_make())
def test_numbers_are_those_that_are_made_row_by_row(
    drawn: tuple[dict[str, Any], pd.DataFrame],
) -> None:
    """Unscaled numbers: whatever weights, gaps and parameters; covered cases make no row alone."""
    specification, frame = drawn
    calls: Counter[str] = Counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(continuous, "scale_continuous_column", lambda series, **_: series)
        wanted = _made(continuous.generate_continuous_column, specification, frame)
        own = continuous.generate_cont_val

        def counted(row: Any, *args: Any, **kwargs: Any) -> Any:
            calls["row"] += 1
            return own(row, *args, **kwargs)

        patch.setattr(continuous, "generate_cont_val", counted)
        found = _made(numbers.generate_continuous_column, specification, frame)
    if isinstance(wanted[0], pd.Series):
        assert_same_frames(wanted[0].to_frame(), found[0].to_frame())
        assert wanted[1] == found[1]
    else:
        assert wanted == found
    event(f"{type(wanted[0]).__name__}, {'row by row' if calls else 'over columns'}")
    weights = [one["weights"].weight for one in specification["weights_table"].values()]
    column = specification["columns"]["n"]
    parameters = column["distribution_parameters"]
    plain = (
        all(np.isfinite(weight) or np.isnan(weight) for weight in weights)
        and column["distribution"] != "other"
        and parameters.get("dispersion", 0) is not None
        and parameters.get("target_std", 1) >= 0
        and None not in {value for _, _, value in specification["weights_table"]}
    )
    assert not (plain and calls)


def _made(make: Callable[..., Any], specification: dict[str, Any], frame: pd.DataFrame) -> Any:
    rng = np.random.default_rng(5)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            generated = make({**specification, "_rng": rng}, frame.copy(), "n")
    except (OverflowError, TypeError, ValueError) as error:
        return type(error), str(error)
    return generated, rng.bit_generator.state


@given(
    seed=st.integers(0, 2**40),
    rows=st.integers(0, 300),
    miss=st.sampled_from([0.0, 0.2, 1.0]),
    frequencies=st.lists(
        st.tuples(st.integers(1, 4), st.sampled_from([0.0, 0.5, 1.0, 3.0])), min_size=1, max_size=3
    ).filter(lambda pairs: any(share for _, share in pairs)),
    kind=st.sampled_from(["uuid", "uuid", "pseudo_chi", "range"]),
)
def test_identifiers_are_those_of_the_core(
    seed: int, rows: int, miss: float, frequencies: list[tuple[int, float]], kind: str
) -> None:
    """As categories, which Exhibit makes of them at once."""
    message = [f"{frequency} | {share}" for frequency, share in frequencies]
    plan = IdentifierPlan(
        column="id",
        kind=kind,
        seed=seed,
        order_seed=seed % 2**32,
        series_seed=1,
        distribution=parse_distribution(["frequency | probability_vector", *message]),
        miss_probability=miss,
        issued=0,
    )
    wanted = identifiers.generate(plan, rows).astype("category")
    found = fast_identifiers.generate(plan, rows).astype("category")
    pd.testing.assert_series_equal(wanted, found)
    assert found.cat.codes.dtype == wanted.cat.codes.dtype
    assert found.cat.categories.tolist() == wanted.cat.categories.tolist()


TABLES: dict[str, tuple[list[str], dict[str, list[Any]]]] = {
    "texts": ([], {"code": ["b", "a", "c"]}),
    "whole numbers": ([], {"code": [3, 1, 2]}),
    "with chances": ([], {"code": ["b", "a", "c"], "probability_vector": ["0.1", "0.2", "0.7"]}),
    "with a pair": (["name"], {"code": ["b", "a", "c"], "name": ["B", "A", "A"]}),
    "pair without values": (["name", "label"], {"code": ["b", "a", "c"]}),
    "of several kinds": (["name"], {"code": ["b", "a", None], "name": [1.5, 2.0, None]}),
}


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("name", TABLES)
def test_values_of_the_database_are_taken_as_stock_exhibit_takes_them(
    monkeypatch: pytest.MonkeyPatch, name: str, complete: bool
) -> None:
    """Rows of any table, drawn with the same random numbers."""
    pairs, table = TABLES[name]
    column = {"anonymising_set": "random", "uniques": 3, "paired_columns": pairs}
    monkeypatch.setattr(categorical, "set", lambda names=(): SortedNames(names), raising=False)
    monkeypatch.setattr(categorical, "query_exhibit_database", lambda *_, **__: pd.DataFrame(table))
    wanted, found = (
        _drawn(
            generator,
            {"code": {"type": "categorical", **column}},
            lambda one: one._generate_from_sql("code", column, complete),
        )
        for generator in (categorical.CategoricalDataGenerator, categories.CategoricalDataGenerator)
    )
    assert_same_frames(wanted[0], found[0])
    assert wanted[1] == found[1]


class SortedNames(set[str]):
    """A sorted set of names, so that stock Exhibit's columns are sorted too."""

    def __iter__(self) -> Any:
        return iter(sorted(set.__iter__(self)))

    def __sub__(self, other: Any) -> "SortedNames":
        return SortedNames(set.__sub__(self, other))


LISTED: dict[str, tuple[str, list[str], dict[str, list[str]]]] = {
    "values": ("random", [], {"code": ["x", "a", "c"]}),
    "values that repeat": ("random", ["name"], {"code": ["x", "x", "c"], "paired_name": [*"123"]}),
    "a pair": ("random", ["name"], {"code": ["x", "a", "c"], "paired_name": ["1", "1", "2"]}),
    "a ready-made set": ("birds", ["name"], {"code": ["x", "a", "c"], "paired_name": [*"112"]}),
    "a ready-made column": ("mountains.peak", [], {"code": ["x", "a", "c"]}),
}


@pytest.mark.parametrize("name", LISTED)
def test_listed_values_are_drawn_as_stock_exhibit_draws_them(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The list changes in the same way too: a ready-made set takes its place."""
    monkeypatch.setenv("EXHIBIT_DB_URL", f"sqlite:///{INSTALLED}?mode=ro")
    chosen, pairs, values = LISTED[name]
    table = pd.DataFrame(values)
    table.loc[3] = ["Missing data"] * len(table.columns)
    table["probability_vector"] = pd.Series([0.5, 0.1, 0.7, 0.0], dtype=object)
    column = {
        "type": "categorical",
        "uniques": 3,
        "paired_columns": pairs or None,
        "anonymising_set": chosen,
        "original_values": table,
    }
    results = []
    for generator in (categorical.CategoricalDataGenerator, categories.CategoricalDataGenerator):
        columns = {"code": dict(column)}
        generated, state = _drawn(generator, columns, lambda one: one._generate_anon_series("code"))
        results.append((pd.DataFrame(generated), columns["code"]["original_values"], state))
    assert_same_frames(results[0][0], results[1][0])
    assert_same_frames(results[0][1], results[1][1])
    assert results[0][2] == results[1][2]


def _drawn(
    generator: Any, columns: dict[str, Any], draw: Callable[[Any], Any]
) -> tuple[Any, dict[str, Any]]:
    rng = np.random.default_rng(3)
    metadata = {
        "id": "demo",
        "inline_limit": 30,
        "categorical_columns": ["code"],
        "date_columns": [],
    }
    specification = {"_rng": rng, "columns": columns, "metadata": metadata}
    return draw(generator(specification, 50)), rng.bit_generator.state


@given(rows=st.integers(1, 3000))
def test_the_shuffle_is_exhibits(rows: int) -> None:
    """The order that is worked out once is the one Exhibit works out each time."""
    column = pd.Series(np.arange(rows) * 2, index=np.arange(rows) + 5, name="n")
    pd.testing.assert_series_equal(categories.shuffled(column), utils.shuffle_data(column))


_PLAIN = st.sampled_from([0, 1, -4, 7.5, -0.5, 20, 1e-9, 3e9, float("nan")])
_ANY = _PLAIN | st.just(float("inf"))


@given(
    pairs=st.lists(st.tuples(_ANY, _PLAIN), min_size=1, max_size=30)
    | st.lists(st.tuples(_ANY, _ANY), min_size=1, max_size=30),
    comparison=st.sampled_from(["<", ">", "<=", ">=", "=="]),
    dispersion=st.sampled_from([0, 0.1, 0.1, 2, 2, 1e-18, -0.1, None]),
    precision=st.sampled_from(["integer", "float"]),
    index=st.sampled_from([0, 7]),
)
def test_basic_constraints_are_those_of_the_corrected_handler(
    pairs: list[tuple[float, float]],
    comparison: str,
    dispersion: float | None,
    precision: str,
    index: int,
) -> None:
    """Numbers below and above 0, missing ones, infinite ones, and intervals of no width."""
    event(check_bounds(pairs, comparison, dispersion, precision, index))


@pytest.mark.parametrize("precision", ["integer", "float"])
@pytest.mark.parametrize("dispersion", [0, 0.1, 2])
@pytest.mark.parametrize("comparison", ["<", ">", "<=", ">=", "=="])
def test_basic_constraints_between_numbers_of_all_kinds(
    comparison: str, dispersion: float, precision: str
) -> None:
    """Values below, at and above each bound, several times."""
    kinds = [-4, -0.5, 0, 0.25, 1, 7.5, 20, 3e9, float("nan")]
    pairs = [*itertools.product(kinds, kinds)] * 3
    check_bounds(pairs, comparison, dispersion, precision, 0)


def check_bounds(
    pairs: list[tuple[float, float]],
    comparison: str,
    dispersion: float | None,
    precision: str,
    index: int,
) -> str:
    """Compare the fast handler with the corrected one; return which way it took."""
    records = pd.DataFrame(pairs, columns=["x", "y"], dtype=float)
    records.index = records.index + index
    records["id"] = "a"
    if precision == "integer":
        finite = records["x"].where(np.isfinite(records["x"])).round()
        records["x"] = finite.astype("Int64")
    column = {
        "type": "continuous",
        "precision": precision,
        "distribution_parameters": {"dispersion": dispersion},
    }
    results = []
    calls: Counter[str] = Counter()

    class Counted(FastHandler):
        def adjust_value_to_constraint(self, *args: Any) -> Any:
            calls["row"] += 1
            return super().adjust_value_to_constraint(*args)

    for handler in (CorrectedHandler, Counted):
        rng = np.random.default_rng(1)
        one = handler({"_rng": rng, "columns": {"x": column}}, records)
        given_ones = records.copy()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # as in a run
                generated = one.adjust_dataframe_to_fit_constraint(records, f"x {comparison} y")
        except (OverflowError, TypeError, ValueError) as error:
            results.append((type(error), str(error)))
            continue
        assert_same_frames(records, given_ones)
        results.append((generated, rng.bit_generator.state))
    (wanted, state), (found, fast_state) = results
    if isinstance(wanted, pd.DataFrame):
        assert_same_frames(wanted, found)
    else:
        assert wanted is found
    assert state == fast_state
    bounds = [bound for _, bound in pairs]
    finite = all(np.isfinite(bound) or np.isnan(bound) for bound in bounds)
    if finite and dispersion in (0, 0.1, 2):
        assert not calls
    return f"{type(wanted).__name__}, {'row by row' if calls else 'over columns'}"


@given(
    st.lists(st.tuples(st.sampled_from(["A", "B b", "Missing data"]), st.floats(0, 1)), max_size=4)
)
def test_tables_are_read_as_exhibit_reads_them(rows: list[tuple[str, float]]) -> None:
    """Again and again, whatever is done to one that was read before."""
    lines = ["name  | probability_vector", *(f"{name} | {weight}" for name, weight in rows)]
    expected = formatters.parse_original_values(lines)
    for _ in range(2):
        found = tables.parse_original_values(lines)
        assert_same_frames(found, expected)
        found["name"] = "changed"


@pytest.mark.parametrize("given", ["regex", "See paired column", None])
def test_what_is_no_table_stays_as_it_is(given: str | None) -> None:
    """As in Exhibit."""
    assert tables.parse_original_values(given) == formatters.parse_original_values(given)
