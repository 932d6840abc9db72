"""Runs of a series' first two periods, with stock Exhibit's loops and with their replacements."""

import random
from collections import Counter
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import pytest
from exhibit.core import constraints
from exhibit.core import exhibit as stock
from exhibit.core.generate import continuous, missing

from series_assets.core import records
from series_assets.core.errors import GenerationError
from series_assets.core.plan import sampling
from series_assets.core.plan.series import Series
from series_assets.engine.run import generate_existing_records, generate_new_records
from series_assets.storage import scratch_database

INSTALLED = Path(str(files("exhibit") / "db" / "exhibit.db"))
BY_GROUPS = ("sort_values", "make_distinct", "make_same", "generate_as_sequence", "make_outlier")


@dataclass
class Outcome:
    """The results of the runs of a series, with stock Exhibit's loops or without."""

    frames: list[pd.DataFrame] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)
    """Exhibit's messages, and the error message of a run that failed."""
    states: list[Any] = field(default_factory=list)
    """The states of all random generators after each run."""
    loops: Counter[str] = field(default_factory=Counter)
    """How often each of stock Exhibit's slow loops ran."""


def run_both_ways(series: Series, source: Path = INSTALLED) -> tuple[Outcome, Outcome]:
    """Generate the first new and existing records with stock's loops, and without them."""
    return run_one_way(series, source, stock_exhibit=True), run_one_way(
        series, source, stock_exhibit=False
    )


def run_one_way(series: Series, source: Path = INSTALLED, *, stock_exhibit: bool) -> Outcome:
    """Generate the first new and existing records, with stock Exhibit's loops or without."""
    outcome = Outcome()
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        _watch(patch, outcome)
        try:
            _run(series, source, Path(folder) / "exhibit.db", outcome, stock_exhibit)
        except GenerationError as error:
            outcome.messages.append(str(error))
    return outcome


def _run(
    series: Series, source: Path, scratch: Path, outcome: Outcome, stock_exhibit: bool
) -> None:
    first = series.plan(0)
    assert first.new is not None
    scratch_database.copy_for_run(source, scratch, first.new.specification)
    new = generate_new_records(first, scratch, stock_exhibit=stock_exhibit)
    outcome.frames.append(new.records)
    outcome.messages.append(new.exhibit_messages)
    second = series.plan(1)
    part = second.existing
    if part is None:
        return
    known = records.as_text(new.records)
    places = records.first_row_positions(known[series.first_identifier].tolist())
    if len(places) < part.entities:
        return
    ranks = sampling.sample_ranks(part.distribution, part.rows, len(places), second.random_seed, 1)
    drawn = known[series.reference_columns].take(places[ranks]).reset_index(drop=True)
    scratch_database.copy_for_run(source, scratch, part.unmodified_specification)
    entities = records.typed(drawn, series.kinds)
    existing = generate_existing_records(second, entities, scratch, stock_exhibit=stock_exhibit)
    outcome.frames.append(existing.records)
    outcome.messages.append(existing.exhibit_messages)


def _watch(patch: pytest.MonkeyPatch, outcome: Outcome) -> None:
    """Count stock Exhibit's loops, and record the generators' states at the end of each run."""
    run = stock.Exhibit.execute_spec

    def run_and_note(self: Any) -> None:
        run(self)
        outcome.states.append(
            (
                self.spec_dict["_rng"].bit_generator.state,
                random.getstate(),
                [np.asarray(part).tolist() for part in np.random.get_state()[1:]],
            )
        )

    patch.setattr(stock.Exhibit, "execute_spec", run_and_note)
    for module in (continuous, missing):
        _count(patch, outcome, module, "generate_cont_val")
    _count(patch, outcome, constraints.ConstraintHandler, "adjust_value_to_constraint")
    _count(patch, outcome, missing.MissingDataGenerator, "add_missing_data")
    for name in BY_GROUPS:
        _count(patch, outcome, constraints.ConstraintHandler, name, by_groups=True)


def _count(
    patch: pytest.MonkeyPatch, outcome: Outcome, owner: Any, name: str, by_groups: bool = False
) -> None:
    own = getattr(owner, name)

    def counted(*args: Any, **kwargs: Any) -> Any:
        # Without any rows, pandas tries a function on a row of missing values.
        nothing = isinstance(args[0], pd.Series) and args[0].isna().all()
        # An action is a loop only with groups: its fourth argument after the handler itself.
        grouped = any(args[4:5]) or kwargs.get("partition_cols")
        if not nothing and (grouped or not by_groups):
            outcome.loops[name] += 1
        return own(*args, **kwargs)

    patch.setattr(owner, name, counted)


def assert_same(stock_way: Outcome, fast: Outcome) -> None:
    """Assert that both ways gave the same results, to the bit."""
    assert stock_way.messages == fast.messages
    assert len(stock_way.frames) == len(fast.frames)
    for one, other in zip(stock_way.frames, fast.frames, strict=True):
        assert_same_frames(one, other)
    assert stock_way.states == fast.states


def assert_same_frames(one: pd.DataFrame, other: pd.DataFrame) -> None:
    """Assert equal values, types, index and columns, and in object columns equal value types."""
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    for name, column in one.items():
        if column.dtype == object:
            assert [type(value) for value in column] == [type(value) for value in other[name]]
        if column.dtype == float:
            assert column.to_numpy().tobytes() == other[name].to_numpy().tobytes()
