"""Turns whatever goes wrong in a period into one error that names the series and the period."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from series_assets.core.errors import SHORT_OF_MEMORY, GenerationError, LocatedError, SeriesError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series


class PeriodError(GenerationError):
    """A period that could not be generated."""

    def __init__(
        self, problem: str, remedy: str = "", *, trace: str | None = None, **where: Any
    ) -> None:
        super().__init__(problem, remedy, **where)
        self.trace = trace
        """The traceback of an unexpected error; None if the message says everything."""


@contextmanager
def as_period_errors(series: Series, period: Period) -> Iterator[None]:
    """Turn every error of a block into a PeriodError that names the series and the period."""
    try:
        yield
    except PeriodError:
        raise
    except Exception as error:
        raise period_error(error, series.name, series.key_of(period)) from error


def period_error(error: Exception, series: str, period: str = "") -> PeriodError:
    """Return an error as one of a period, or of the series as a whole."""
    if isinstance(error, PeriodError):
        return error
    if isinstance(error, LocatedError):
        cause = error.__cause__ if isinstance(error, GenerationError) else None
        placed = error.in_period(series, period)
        return PeriodError(
            placed.problem,
            placed.remedy,
            trace="".join(traceback.format_exception(cause)) if cause else None,
            file=placed.file,
            series=placed.series,
            period=placed.period,
            part=placed.part,
            colon=placed.colon,
        )
    if isinstance(error, SeriesError):
        return PeriodError(str(error), series=series, period=period)
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, MemoryError):
        return PeriodError(*SHORT_OF_MEMORY, trace=trace, series=series, period=period)
    problem = f"failed unexpectedly: {type(error).__name__}: {error}"
    return PeriodError(problem, trace=trace, series=series, period=period)
