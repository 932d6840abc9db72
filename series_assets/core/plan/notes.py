"""Notes on a valid series that may surprise its user."""

from collections.abc import Iterator

from series_assets.core.plan.series import Series


def notes_of(series: Series) -> Iterator[str]:
    """Yield a sentence on each surprising consequence of the two files."""
    fraction = series.user_input.fraction_of_new
    if fraction > 0 and series.calendar.count > 1 and series.counts(1)[0] == 0:
        rows = "1 row" if series.rows == 1 else f"{series.rows:,} rows"
        yield (
            f"{series.name}/user_input.yml: fraction_of_new {fraction} of {rows} is less than one "
            "record, so no period after the first has new records; raise fraction_of_new or "
            "number_of_rows, or write 0 if that is meant"
        )
