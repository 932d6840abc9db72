"""Values that are written in another way, and whether the report says how."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from unicodedata import normalize

import pandas as pd
import pytest

from series_assets.core.plan.series import Series
from series_assets.interface import generate, truth, verify
from series_assets_tests.builders import a_series, a_specification, a_user_input
from series_assets_tests.columns import a_category, a_date, with_columns


@pytest.fixture(scope="module")
def series() -> Series:
    """A series that tracks a text with letters beyond ASCII, and a day."""
    specification = with_columns(
        a_specification(),
        town=a_category("town", {"Århus": 0.5, "Nowa Łódź": 0.5}),
        zip=a_category("zip", {"01067": 0.5, "80331": 0.5}),
        paid=a_date("2024-01-01", "2024-01-31", 31),
    )
    return a_series(specification, a_user_input(truth={"track": ["town", "zip", "paid"]}))


@pytest.fixture(scope="module")
def data(series: Series, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which it was generated."""
    folder = tmp_path_factory.mktemp("values")
    generate(series, folder)
    return folder


def _in_latin_1(text: str) -> str:
    return text.encode().decode("latin-1")


def _as_number(text: str) -> str:
    return str(int(text))


def test_a_few_rows_are_no_pattern(series: Series, data: Path) -> None:
    """Two closed versions with the values of the next ones may be chance."""
    table = pd.DataFrame(truth(series, data))
    follows = table["id"].eq(table["id"].shift(-1)) & table["town"].ne(table["town"].shift(-1))
    table.loc[follows[follows].index[:2], "town"] = table["town"].shift(-1)
    report = verify(table, series, data)
    assert report.counts == {"wrong_value": 2} and report.causes == ()


def _day_first(day: str) -> str:
    return f"{day[8:]}/{day[5:7]}/{day[:4]}"


def _swapped(day: str) -> str:
    return f"{day[:4]}-{day[8:10]}-{day[5:7]}" if day[8:10] <= "12" else day


@pytest.mark.parametrize(
    ("column", "change", "cause"),
    [
        ("town", _in_latin_1, "column 'town' was read in another encoding; the deliveries are UTF"),
        ("zip", _as_number, "column 'zip' has lost its leading zeros; read it as text"),
        (
            "paid",
            _day_first,
            "column 'paid' has dates as DD/MM/YYYY; write ISO dates, such as 2024-",
        ),
        ("paid", _swapped, "column 'paid' has day and month swapped"),
        ("paid", "{} 01:00".format, "column 'paid' is 1 hour later than delivered"),
        (
            "town",
            partial(normalize, "NFD"),
            "column 'town' has letters in another Unicode normal form than the deliveries",
        ),
        (
            "town",
            lambda text: text.replace(" ", "\xa0"),
            "column 'town' has other spaces within its values than the deliveries, such as non-",
        ),
    ],
)
def test_values_in_another_form(
    series: Series, data: Path, column: str, change: Callable[[str], str], cause: str
) -> None:
    """All wrong values of a column have it in common."""
    table = pd.DataFrame(truth(series, data)).astype({"paid": str})
    table[column] = table[column].map(change)
    report = verify(table, series, data)
    assert report.causes and report.causes[0].startswith(cause)
