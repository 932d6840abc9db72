"""Reads a table of real data as text, then infers the type of each column.

Codes keep their zeros, texts their spelling. What Exhibit cannot represent is changed and noted.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from series_assets.core.errors import Fault, InputError, fault_at, join_words
from series_assets.core.plan.series import BOOKKEEPING
from series_assets.core.records import as_text
from series_assets.core.spec.exhibit_limits import TAKEN_NAMES, UNUSABLE
from series_assets.core.spec.specification import MISSING
from series_assets.engine.infer.values import Column, parse_column

MISSING_TEXTS = frozenset(
    {"nan", "NaN", "NaT", "None", "<NA>", "NULL", "null", "N/A", "n/a", "#N/A", MISSING}
)
"""Texts of a missing value, beside an empty cell."""
_COUNTRY_CODE = re.compile("[A-Z]{2}")
_TIDIED = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029|]")


@dataclass(frozen=True)
class Table:
    """A table of data with typed columns."""

    columns: Mapping[str, Column]
    rows: int
    notes: tuple[str, ...]

    def of_kind(self, kind: Literal["category", "number", "date"]) -> list[str]:
        """Return the columns of a kind, in the order of the table."""
        return [name for name, column in self.columns.items() if column.kind == kind]

    def frame(self) -> pd.DataFrame:
        """Return the values as text, ``float64`` or ``datetime64[ns]``."""
        return pd.DataFrame({name: column.values for name, column in self.columns.items()})


def read(data: Path, identifier: str) -> Table:
    """Return the table in a CSV or Parquet file, with the column ``identifier`` as text.

    Raises InputError if it cannot be read, or cannot become a series.
    """
    texts = _read_texts(data)
    notes = [*_stripped(texts)]
    if fault := next(_name_faults([*map(str, texts.columns)]), None):
        raise InputError([fault.in_file(str(data))])
    columns, tidied = {}, []
    for name in texts.columns:
        values = _known(texts[name])
        tidy = _tidy(values)
        if not tidy.equals(values):
            tidied.append(name)
        columns[name] = parse_column(name, tidy, as_text=name == identifier)
    if tidied:
        notes.append(
            f"line breaks and | in the values of {join_words(tidied, 'and')} become spaces and /: "
            "a specification lists one value per line, followed by |"
        )
    notes += [column.note for column in columns.values() if column.note]
    return Table(columns, len(texts), tuple(notes))


def _read_texts(data: Path) -> pd.DataFrame:
    readers = {".csv": _read_csv, ".parquet": _read_parquet}
    read_texts = readers.get(data.suffix.lower())
    if read_texts is None:
        problem, remedy = "is not a CSV or Parquet file", "its name has to end in .csv or .parquet"
        raise InputError([Fault(str(data), "", problem, remedy)])
    frame = read_texts(data)
    if frame.empty:
        raise InputError([Fault(str(data), "", "has no rows", "name a table with data")])
    frame.columns = [str(name) for name in frame.columns]
    return frame


def _read_parquet(data: Path) -> pd.DataFrame:
    """Return the columns of a Parquet file as text. Raises InputError if it cannot be read."""
    try:
        with data.open("rb") as stream:
            table = parquet.read_table(stream, use_threads=False)
    except FileNotFoundError:
        raise InputError([Fault(str(data), "", "there is no such file")]) from None
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError([Fault(str(data), "", f"cannot be read as Parquet: {reason}")]) from None
    for field in table.schema:
        if pa.types.is_nested(field.type):
            problem = f"its column '{field.name}' has nested values ({field.type})"
            raise InputError([Fault(str(data), "", problem, "leave it out, or split it")])
    types = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int64Dtype()}
    frame = as_text(table.to_pandas(types_mapper=types.get, ignore_metadata=True))
    return frame.where(frame.ne(""), None)


def _read_csv(data: Path) -> pd.DataFrame:
    try:
        header = _header(data)
        frame = pd.read_csv(
            data, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig"
        )
    except FileNotFoundError:
        raise InputError([Fault(str(data), "", "there is no such file")]) from None
    except UnicodeError:
        fault = fault_at("", "is not text in UTF-8", "save it as CSV in UTF-8")
        raise InputError([fault.in_file(str(data))]) from None
    except pd.errors.EmptyDataError:
        raise InputError([Fault(str(data), "", "has no rows", "name a table with data")]) from None
    except (OSError, ValueError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise InputError([Fault(str(data), "", f"cannot be read as CSV: {reason}")]) from None
    for sign, word in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and sign in header[0]:
            fault = fault_at("", f"has cells separated by {word}", "save it with commas")
            raise InputError([fault.in_file(str(data))])
    if not frame.empty and not isinstance(frame.index, pd.RangeIndex):
        problem = "has rows with more cells than its first line has names"
        raise InputError([Fault(str(data), "", problem, "give every column a name")])
    return frame


def _header(data: Path) -> list[str]:
    with data.open(encoding="utf-8-sig", newline="") as stream:
        return next(csv.reader(stream), [])


def _stripped(texts: pd.DataFrame) -> Iterator[str]:
    """Strip column names in place if they stay different; yield a note about it."""
    bare = [name.strip() for name in texts.columns]
    if bare != list(texts.columns) and len(set(bare)) == len(bare) and all(bare):
        changed = [new for new, old in zip(bare, texts.columns, strict=True) if new != old]
        texts.columns = bare
        yield f"spaces at the ends of names are removed: {', '.join(changed)}"


def _name_faults(names: list[str]) -> Iterator[Fault]:
    folded: dict[str, str] = {}
    for name in names:
        if "|" in name:
            yield fault_at(
                f"its column '{name}'",
                "has a |, which separates cells in a specification",
                "rename it",
            )
        elif UNUSABLE.search(name) or name != name.strip() or not name.isprintable() or not name:
            yield fault_at(
                f"its column {name!r}",
                "has a name that Exhibit would misread",
                "leave out ~ | , ` $, tabs, line breaks, and spaces at its ends",
            )
        elif name in TAKEN_NAMES or name.lower() in BOOKKEEPING:
            yield fault_at(
                f"its column '{name}'", "has a name that is used for something else", "rename it"
            )
        alike = folded.setdefault(name.lower().replace(" ", "__"), name)
        if alike != name:
            yield fault_at(
                f"its columns '{alike}' and '{name}'",
                "cannot be told apart by Exhibit and SQLite",
                "rename one of them",
            )


def _known(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the texts of a column, stripped, None where a value is missing."""
    bare = texts.str.strip()
    bare = bare.where(~bare.isin([*MISSING_TEXTS, ""]), None)
    others = bare[bare.notna() & (bare != "NA")]
    if (bare == "NA").any() and not (len(others) and others.map(_is_country_code).all()):
        bare = bare.where(bare != "NA", None)
    return bare.astype(object).where(bare.notna(), None)


def _is_country_code(text: str) -> bool:
    return _COUNTRY_CODE.fullmatch(text) is not None


def _tidy(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return texts that fit into a table row with ``|`` between cells."""
    odd = texts.str.contains(_TIDIED, na=False)
    if not odd.any():
        return texts
    plain = texts[odd].str.replace("|", "/", regex=False)
    tidy = texts.copy()
    tidy[odd] = plain.str.replace(_TIDIED, " ", regex=True).str.strip()
    return tidy.where(tidy.notna() & (tidy != ""), None)
