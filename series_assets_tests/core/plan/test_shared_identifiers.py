"""Identifiers that two series share are predicted from their seeds."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from series_assets.cli import main
from series_assets.core.plan import identifiers
from series_assets.core.plan.seeds import LIMIT
from series_assets.core.plan.series import Series
from series_assets.core.plan.shared_identifiers import default_uuid_seed, shared_identifiers
from series_assets.definitions import load
from series_assets.settings import Settings
from series_assets_tests.builders import a_series, a_specification, a_user_input, write_series


def seeded(name: str, seed: int, periods: int = 3, kind: str = "uuid") -> Series:
    """Return a series called ``name`` whose identifier has a seed."""
    specification: dict[str, Any] = a_specification()
    specification["columns"]["id"] |= {"uuid_seed": seed, "anonymising_set": kind}
    return a_series(specification, a_user_input(num_datasets=periods), name=name)


def values(series: Series) -> set[Any]:
    """Return every identifier of all periods of a series."""
    return {
        value
        for k in range(series.calendar.count)
        for plan in series.identifier_plans(k)
        for value in identifiers.generate(plan, series.counts(k)[0])
    }


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (seeded("a", 0), seeded("b", 0), True),
        (seeded("a", 0), seeded("b", 1), True),
        (seeded("a", 0), seeded("b", 2), True),
        (seeded("a", 0), seeded("b", 3), False),
        (seeded("a", 9), seeded("b", 0, periods=10), True),
        (seeded("a", 9), seeded("b", 0, periods=9), False),
        (seeded("a", 5, kind="pseudo_chi"), seeded("b", 5, kind="pseudo_chi"), True),
        (seeded("a", 5), seeded("b", 5, kind="pseudo_chi"), False),
    ],
)
def test_series_are_noted_where_they_do_share_identifiers(
    one: Series, other: Series, shared: bool
) -> None:
    """The prediction from the seeds agrees with the identifiers themselves."""
    assert bool(values(one) & values(other)) is shared
    assert bool(shared_identifiers([one, other])) is shared


def test_the_note_says_how_to_part_them() -> None:
    """It names series, columns and seeds, and a seed that separates them."""
    one, other = seeded("a", 0, periods=5), seeded("b", 1)
    [note] = shared_identifiers([other, one])
    own = default_uuid_seed("b")
    assert str(note) == (
        "a and b share identifiers: a.id and b.id (uuid_seed 0 and 1); unless their entities are "
        f"meant to be the same, give b a uuid_seed at least 5 away, such as {own}"
    )
    assert shared_identifiers([one, seeded("b", own)]) == ()


def test_a_copy_gets_the_seed_not_the_original() -> None:
    """A copied series has the default seed of the original."""
    copied = default_uuid_seed("visits")
    [note] = shared_identifiers([seeded("copy", copied), seeded("visits", copied)])
    assert str(note).endswith(
        f"give copy a uuid_seed at least 3 away, such as {default_uuid_seed('copy')}"
    )


def test_keys_that_count_from_0_are_no_shared_identifiers() -> None:
    """Every table of integer keys starts at 0."""
    assert shared_identifiers([seeded("a", 0, kind="range"), seeded("b", 0, kind="range")]) == ()


def test_every_series_that_shares_is_named() -> None:
    """Also if a long series overlaps with several that do not overlap with each other."""
    many = [seeded("long", 0, periods=50), seeded("b", 10), seeded("c", 20), seeded("d", 21)]
    named = {name for note in shared_identifiers(many) for name in (note.first, note.second)}
    assert named == {"long", "b", "c", "d"}
    assert [note.second for note in shared_identifiers(many)] == ["b", "c", "d"]


def test_seeds_of_new_series_lie_far_apart() -> None:
    """For a hundred names with three columns, seeds differ by a thousand periods or more."""
    seeds = sorted(
        default_uuid_seed(f"series_{n}", place) for n in range(100) for place in range(3)
    )
    assert all(other - one > 1_000 for one, other in pairwise(seeds))
    assert seeds[0] >= 1_000_000
    assert default_uuid_seed("x", 999) + 1_000_000 < LIMIT
    assert default_uuid_seed("orders") == default_uuid_seed("orders")


def test_validate_notes_series_that_share_identifiers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a note, not a fault, because it may be intended."""
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(tmp_path))
    for name in ("one", "other"):
        write_series(tmp_path, name=name)
    done = CliRunner().invoke(main, ["validate", "other"])
    assert (done.exit_code, done.stdout) == (0, "other: valid\n")
    assert done.stderr.startswith("note: one and other share identifiers: one.id and other.id")


def test_loading_a_folder_warns_of_series_that_share_identifiers(tmp_path: Path) -> None:
    """Dagster loads both, and shows the warning."""
    for name in ("one", "other"):
        write_series(tmp_path, name=name)
    settings = Settings(tmp_path, tmp_path / "data", strict=True)
    with pytest.warns(UserWarning, match="one and other share identifiers"):
        definitions = load(settings)
    keys = {key.path[0] for key in definitions.resolve_all_asset_keys()}
    assert {"one", "other"} <= keys


def test_new_series_share_no_identifiers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two new series validate without a note."""
    monkeypatch.setenv("SERIES_ASSETS_SERIES_DIR", str(tmp_path))
    for name in ("one", "other"):
        assert CliRunner().invoke(main, ["new", name]).exit_code == 0
    done = CliRunner().invoke(main, ["validate"])
    assert (done.stdout, done.stderr) == ("one: valid\nother: valid\n", "")
