"""The reference table: the first record of every entity, with its period."""

import sqlite3

from series_assets_tests.checker.delivered import DeliveredData
from series_assets_tests.checker.finished import ensure, some


def check_reference_table(data: DeliveredData) -> None:
    """The table has the first record of every entity, with its period, in their order."""
    rules, table = data.rules, data.rules.finished.table
    ensure("temp" not in table, f"{table}: Exhibit drops tables with 'temp' in their name")
    header = data.headers["dataset_1.csv"]
    connection = sqlite3.connect(f"file:{rules.finished.database}?mode=ro&immutable=1", uri=True)
    try:
        described = connection.execute(f"PRAGMA table_info({table})").fetchall()
        types = {name: type_ for _, name, type_, *_ in described}
        lost = [name for name in header if name not in types]
        ensure(not lost, f"{table}: lacks the columns {some(lost)}")
        more = [name for name in types if name not in header]
        ensure(len(more) == 2, f"{table}: has {some(more)} beside the columns of the data")
        key = next(name for _, name, *_, primary in described if primary)
        period = next(name for name in more if name != key)
        names = ", ".join(_quoted(name) for name in [period, *header])
        rows = connection.execute(f"SELECT {names} FROM {table} ORDER BY {key}").fetchall()
    finally:
        connection.close()
    truths = {name for name in header if types[name] == "BOOLEAN"}
    found = [
        (row[0], *(_as_text(v, n in truths) for n, v in zip(header, row[1:], strict=True)))
        for row in rows
    ]
    wanted = [
        (rules.key(k), *row.values())
        for k, made in enumerate(data.entities)
        for row in made.values()
    ]
    for made, right in zip(found, wanted, strict=False):
        ensure(made == right, f"{table}: holds {made} where new_records have {right}")
    ensure(
        len(found) == len(wanted), f"{table}: holds {len(found)} entities instead of {len(wanted)}"
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _as_text(value: object, truth: bool) -> str:
    if value is None:
        return ""
    return str(bool(value)) if truth else repr(value) if isinstance(value, float) else str(value)
