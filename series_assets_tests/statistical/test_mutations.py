"""The suite finds faults: each fault is put back, and statistics fail.

Faults are inserted where the package seeds its runs, samples entities or sets static values.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
from exhibit.core import exhibit as stock

from series_assets.core.plan import sampling, spec_changes
from series_assets.engine import constant_seeds, existing_records, patches, static_columns
from series_assets.pipeline import dataset
from series_assets_tests.statistical.statistic import Statistic
from series_assets_tests.statistical.suite import take

pytestmark = pytest.mark.thorough  # this tests the suite, not the package
PERIODS = 16


def failing(name: str, periods: int = PERIODS) -> list[Statistic]:
    """Return the statistics that are out of bounds over the first periods of a series."""
    return [one for one in take(name, periods) if not one.holds]


def failing_parts(name: str) -> set[str]:
    """Return the names of the statistics that are out of bounds, without columns."""
    return {one.name.split(": ")[-1] for one in failing(name)}


def constant_for(*purposes: str) -> Callable[..., int]:
    """Return a source of seeds that has Exhibit's constants for some purposes."""
    seeded = constant_seeds.seed_for

    def seed_for(constant: int, *purpose: object) -> int:
        return constant if purpose[0] in purposes else seeded(constant, *purpose)

    return seed_for


def test_gaps_from_constant_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing values in the same rows of every run show in rates, counts, rows and pairs."""
    monkeypatch.setattr(constant_seeds, "seed_for", constant_for("gaps"))
    parts = failing_parts("gaps")
    for shown in ("rate, new", "variance of counts, existing", "by row, new, root 3"):
        assert shown in parts
    assert {"same rows, new, next new", "same rows, new, existing of the period"} <= parts
    assert any(" and " in part for part in parts)


def test_numbers_beside_missing_categories_from_a_constant_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Regenerated numbers that are equal show as repeats and correlated ranks."""
    monkeypatch.setattr(constant_seeds, "seed_for", constant_for("again"))
    names = {one.name for one in failing("beside missing")}
    assert {"height: values that come again", "flat: values that come again"} <= names
    assert "height where sex is missing: ranks, new, next new" in names
    assert "paid where sex is missing: ranks, existing, next existing" in names
    assert "paid and flat where sex is missing: ranks, new" in names


def test_existing_records_from_the_seed_of_the_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Existing records equal to the new ones show as repeats and common rows."""
    monkeypatch.setattr(spec_changes, "existing_seed", lambda random_seed, run: random_seed + run.k)
    names = {one.name for one in failing("beside missing")}
    assert "height: values that come again" in names
    assert "height: ranks, new, existing of the period" in names
    same = {one.name for one in failing("every category")}
    assert "region: same values, new, existing of the period" in same
    assert "region: same values, new, next new" not in same


def test_every_run_from_one_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal seeds show in every category, date and number."""

    def always_alike(*_: Any, **__: Any) -> np.random.Generator:
        return np.random.default_rng(0)

    monkeypatch.setattr(stock, "np", constant_seeds.NumpyWith(default_rng=always_alike))
    names = {one.name for one in failing("every category")}
    for column in ("region", "ward", "field", "hospital", "bird", "date"):
        assert f"{column}: same values, new, next new" in names
        assert f"{column}: values by row, existing, root 3" in names


def test_a_linked_group_in_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that is shuffled equally in every run shows in the rows of its columns."""
    monkeypatch.setattr(patches, "seed_for", constant_for("linked"))
    names = {one.name for one in failing("every category", 24)}
    for column in ("board", "place"):
        assert f"{column}: same values, new, existing of the period" in names
        assert f"{column}: values by row, existing, root 3" in names


def test_exhibits_own_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stock Exhibit's constants show in each series with missing values."""
    monkeypatch.setattr(constant_seeds, "replaced_by", lambda _: nullcontext())
    assert "by row, new, root 3" in failing_parts("gaps")
    assert "height: values that come again" in {one.name for one in failing("beside missing")}


def test_only_the_oldest_entities_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entities of later periods that never return show in samples by entity and by age."""

    def draw(distribution: Any, rows: int, *_: int) -> Any:
        return np.arange(sampling.count_entities(distribution, rows))

    monkeypatch.setattr(dataset, "sample_ranks", draw)
    names = {one.name for one in failing("common")}
    assert "draws of each entity, root 3" in names
    assert "draws of entities of the first period" in names
    assert "draws of entities of the last period" in names
    assert "drawn in two periods running" in names


def test_only_the_older_half_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples that favour some entities show by entity and by age."""
    drawn = dataset.sample_ranks

    def draw(distribution: Any, rows: int, eligible: int, *seeds: int) -> Any:
        least = sampling.count_entities(distribution, rows)
        return drawn(distribution, rows, max(least, eligible // 2), *seeds)

    monkeypatch.setattr(dataset, "sample_ranks", draw)
    names = {one.name for one in failing("common")}
    assert {"draws of each entity, root 3", "draws of entities of the last period"} <= names


def test_static_columns_row_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entities whose rows disagree show in each static column."""
    settled = static_columns.StaticValues
    monkeypatch.setattr(settled, "apply_to", lambda _, records: records)
    monkeypatch.setattr(settled, "apply_to_columns", lambda _, made, __: made)
    names = {one.name for one in failing("several rows")}
    changed = {f"{name}: records in which it changed" for name in ("birth", "home", "height")}
    assert changed <= names


def test_crossings_are_cut_at_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Combinations that are always cut off show in their counts."""
    seeded = existing_records.derive

    def derive(*parts: object) -> int:
        return 0 if parts[-1] == "crossing" else seeded(*parts)

    monkeypatch.setattr(existing_records, "derive", derive)
    assert {one.suite for one in failing("crossed")} == {"crossings"}
