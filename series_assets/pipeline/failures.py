"""What goes wrong while a period is made, as one error that names series and period."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from series_assets.core.errors import NO_MEMORY, GenerationError, SeriesError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series


class PeriodError(GenerationError):
    """A period that could not be made. Survives the way from one process to another."""

    def __init__(self, message: str, trace: str | None = None) -> None:
        super().__init__(message, trace)
        self.message = message
        self.trace = trace
        """The traceback of what no user can mend; None where the message is all there is."""

    def __str__(self) -> str:
        return self.message


@contextmanager
def naming(series: Series, period: Period) -> Iterator[None]:
    """Turn every error of a block into a PeriodError that names the series and the period."""
    try:
        yield
    except PeriodError:
        raise
    except Exception as error:
        raise period_error(error, f"{series.name}, period {period.key}") from error


def period_error(error: Exception, where: str) -> PeriodError:
    """Return the error of a period; ``where`` names series and period."""
    cause = error.__cause__ if isinstance(error, GenerationError) else None
    if isinstance(error, SeriesError):
        trace = "".join(traceback.format_exception(cause)) if cause else None
        text = str(error)
        return PeriodError(text if where in text else f"{where}: {text}", trace)
    text = f"{where}: failed unexpectedly: {type(error).__name__}: {error}"
    if isinstance(error, MemoryError):
        text = f"{where}: {NO_MEMORY}"
    return PeriodError(text, "".join(traceback.format_exception(error)))
