"""Parses the dates of the two files (contract, section 1): days without times."""

import re
from datetime import date, datetime

from series_assets.core.errors import InvalidValueError

FIRST, LAST = date(1677, 9, 22), date(2262, 4, 11)
"""The range of pandas' timestamps, and so of Exhibit's dates."""

_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")

DAY_SCHEMA = {
    "anyOf": [
        {
            "type": "string",
            "pattern": r"^\s*(\d{4}-\d{1,2}-\d{1,2}([Tt ].*)?|\d{1,2}/\d{1,2}/\d{4})\s*$",
        },
        {"type": "null"},
    ]
}
"""A date or nothing as a JSON Schema; YAML dates reach an editor as text."""


def parse_date(value: object) -> date:
    """Return the day of an ISO text, a YAML date, or a day-first ``dd/mm/yyyy``.

    Raises InvalidValueError.
    """
    if isinstance(value, datetime):
        if value.time() != datetime.min.time():
            raise InvalidValueError(f"{value} has a time of day", "only whole days are supported")
        return value.date()
    if isinstance(value, date):
        return value
    text = str(value).strip()
    try:
        if found := _ISO.fullmatch(text):
            year, month, day = map(int, found.groups())
            return date(year, month, day)
        if found := _DAY_FIRST.fullmatch(text):
            day, month, year = map(int, found.groups())
            return date(year, month, day)
    except ValueError:
        raise InvalidValueError(f"'{text}' does not exist in the calendar") from None
    raise InvalidValueError(f"{value!r} is not a date", "write it as 2024-01-31 or 31/01/2024")
