"""The periods of a series: their rows, their days, and the windows of date columns."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from math import floor

import numpy as np
import pandas as pd
from dateutil.relativedelta import relativedelta

from series_assets_tests.checker.columns import DeclaredColumns


def as_day(value: object) -> date | None:
    """Return a date of the two files as a date: a YAML date, ISO text or day-first text."""
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    form = "%d/%m/%Y" if "/" in str(value) else "%Y-%m-%d"
    return datetime.strptime(str(value).strip(), form).date()


def is_last_of_month(day: date) -> bool:
    """Return whether a day is the last one of its month."""
    return (day + timedelta(days=1)).month != day.month


def iso_days(days: pd.DatetimeIndex) -> set[str]:
    """Return days as ISO text."""
    return set(np.datetime_as_string(days.to_numpy(), unit="D").tolist())


class Periods(DeclaredColumns):
    """The periods of a series, derived from the contents of its two files."""

    def counts(self, k: int) -> tuple[int, int]:
        """Return the number of new and existing rows of a period, in exact arithmetic."""
        if k == 0:
            return self.rows, 0
        fraction = Fraction(str(self.user_input["fraction_of_new"]).replace(" ", ""))
        new = floor(self.rows * fraction)
        return new, self.rows - new

    def step(self, k: int) -> relativedelta:
        """Return the distance of a period from the first one."""
        units = k * self.user_input["length_of_period"]
        if self.user_input["period"] == "quarters":
            return relativedelta(months=3 * units)
        return relativedelta(**{self.user_input["period"]: units})

    @cached_property
    def start(self) -> date:
        """The first day of the first period."""
        firsts = [as_day(self.columns[name].get("from")) for name in self.moved]
        start = as_day(self.user_input.get("start_date")) or min(day for day in firsts if day)
        assert start is not None
        return start

    def key(self, k: int) -> str:
        """Return the first day of a period."""
        return (self.start + self.step(k)).isoformat()

    def window(self, name: str, k: int) -> tuple[date | None, date | None]:
        """Return the first and the last day of a date column in a period."""
        first, last = (as_day(self.columns[name].get(end)) for end in ("from", "to"))
        if name not in self.moved:
            return first, last
        since, to = (day + self.step(k) if day else None for day in (first, last))
        in_months = self.user_input["period"] in ("months", "quarters")
        if to and last and in_months and is_last_of_month(last):
            to += relativedelta(day=31)
            if since and first and is_last_of_month(first):
                since += relativedelta(day=31)
        return since, to

    def full(self, name: str) -> bool:
        """Return whether a date column has all dates of its first window."""
        first, last = self.window(name, 0)
        return bool(first and last and self.columns[name]["uniques"] >= len(self.days(name, 0)))

    def literal(self, text: str, name: str, k: int) -> str:
        """Return a day that a constraint compares with a date column, as it is in a period."""
        day = date.fromisoformat(text)
        if name not in self.moved:
            return text
        for was, is_now in zip(self.window(name, 0), self.window(name, k), strict=True):
            if day == was and is_now:
                return is_now.isoformat()
        return (day + self.step(k)).isoformat()

    def days(self, name: str, k: int) -> set[str]:
        """Return every day that a date column may have in a period, as text."""
        first, last = self.window(name, k)
        frequency, uniques = self.columns[name]["frequency"], self.columns[name]["uniques"]
        if first and last:
            found = pd.date_range(first, last, freq=frequency)
        else:
            found = pd.date_range(start=first, end=last, periods=uniques, freq=frequency)
        return iso_days(found)
