"""Profiles and histories for plots and report pages."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from series_assets.core.plan.calendar import Calendar
from series_assets.reporting.history import History, PeriodHistory, RowsByOrigin
from series_assets.reporting.profiles import Profile, profile_records

_KINDS = ("text", "text", "real", "integer", "date")


def records(rows: int, columns: int, seed: int) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return a data frame of text with columns of each kind in turn, and their kinds."""
    rng = np.random.default_rng(seed)
    generated: dict[str, list[str | None]] = {}
    kinds = {}
    for place in range(columns):
        name = f"column_{place}"
        values: list[str] = [
            [f"{n:032x}" for n in rng.integers(0, 2**60, rows).tolist()],
            rng.choice(["North", "South", "East", "the far West and beyond"], rows).tolist(),
            [repr(n) for n in rng.normal(50, 20, rows).tolist()],
            [str(n) for n in rng.integers(0, 180, rows).tolist()],
            (np.datetime64("2024-01-01") + rng.integers(0, 31, rows)).astype(str).tolist(),
        ][place % 5]
        gone = rng.random(rows) < 0.02
        generated[name] = [None if no else text for text, no in zip(values, gone, strict=True)]
        kinds[name] = _KINDS[place % 5]
    return pd.DataFrame(generated, dtype=object), kinds


def two_periods(columns: int, rows: int = 300) -> tuple[Profile, Profile]:
    """Return the profiles of a first and of a later period."""
    before, kinds = records(rows, columns, 0)
    after, _ = records(rows, columns, 1)
    first = profile_records(before, None, kinds, moving=["column_4"], start=date(2024, 1, 1))
    return first, profile_records(
        after[: rows // 3],
        after[rows // 3 :],
        kinds,
        moving=["column_4"],
        start=date(2024, 1, 1),
        like=first,
    )


def a_history(count: int, missing: Sequence[int] = (), lacking: Sequence[int] = ()) -> History:
    """Return the history of a series, with missing periods and missing rows."""
    rng = np.random.default_rng(0)
    keys = Calendar(date(2001, 1, 1), "months", 1, count).keys
    periods = []
    for k in range(count):
        new, existing = (240, 0) if k == 0 else (80, 160)
        counts = rng.multinomial(existing, np.full(max(k, 1), 1 / max(k, 1)))
        delivered = RowsByOrigin(
            new - (7 if k in lacking else 0),
            {origin: int(rows) for origin, rows in enumerate(counts) if rows},
        )
        gone = k in missing
        periods.append(
            PeriodHistory(
                k, keys[k], new, existing, None if gone else delivered, None if gone else 60
            )
        )
    return History("demo", periods)
