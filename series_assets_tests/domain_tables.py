"""Tables of several domains, as users might have them in a CSV, generated with numpy."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

Rng = np.random.Generator


@dataclass(frozen=True)
class Domain:
    """A table, the column that identifies its entities, and the expected series."""

    make: Callable[[Rng], pd.DataFrame]
    identifier: str
    period: tuple[str, int]
    moved: tuple[str, ...]

    def table(self) -> pd.DataFrame:
        """Return the table, the same one each time."""
        return self.make(np.random.default_rng(1))


def _days(rng: Rng, rows: int, first: str, days: int) -> pd.DatetimeIndex:
    drawn = rng.integers(0, days, rows)
    drawn[:2] = (0, days - 1)
    return pd.DatetimeIndex(pd.Timestamp(first) + pd.to_timedelta(drawn, unit="D"))


def _weather(rng: Rng) -> pd.DataFrame:
    rows = 2000
    station = rng.choice(["north", "south", "coast"], rows, p=[0.5, 0.3, 0.2])
    usual = pd.Series(station).map({"north": 8.0, "south": 22.0, "coast": 16.0}).to_numpy()
    temperature = np.clip(usual + rng.normal(0, 5, rows), -1, 41).round(1)
    return pd.DataFrame(
        {
            "station": station,
            "measured": _days(rng, rows, "2024-03-01", 7).strftime("%Y-%m-%d"),
            "temperature": temperature,
            "humidity": rng.uniform(0, 100, rows).round(1),
            "pressure": rng.normal(1013, 8, rows).round(2),
            "rain mm": rng.gamma(0.5, 4, rows).round(1),
            "frost": (temperature < 4).astype(int),
        }
    )


def _shop(rng: Rng) -> pd.DataFrame:
    rows = 3000
    popular = 1 / np.arange(1, 61)
    return pd.DataFrame(
        {
            "customer": [f"C{number:05}" for number in rng.integers(0, 900, rows)],
            "ordered": _days(rng, rows, "2024-01-01", 31).strftime("%Y-%m-%d"),
            "product": rng.choice([f"P{n:03}" for n in range(60)], rows, p=popular / popular.sum()),
            "quantity": rng.poisson(2, rows) + 1,
            "amount": np.exp(rng.normal(3, 0.8, rows)).round(2),
            "zip": rng.choice(["01067", "04103", "80331", "99084"], rows, p=[0.4, 0.3, 0.2, 0.1]),
            "gift": rng.choice([0, 1], rows, p=[0.9, 0.1]),
            "discount": rng.choice([0, 0.05, 0.1, 0.2], rows, p=[0.7, 0.1, 0.1, 0.1]),
        }
    )


def _patients(rng: Rng) -> pd.DataFrame:
    rows = 1500
    person = np.arange(500).repeat(3)
    born = _days(rng, 500, "1930-01-01", 30_000)[person]
    admitted = _days(rng, rows, "2023-01-01", 90)
    systolic = rng.normal(130, 15, rows).round()
    return pd.DataFrame(
        {
            "patient": person + 100_000,
            "sex": rng.choice(["F", "M"], 500)[person],
            "born": born.strftime("%Y-%m-%d"),
            "admitted": admitted.strftime("%Y-%m-%d"),
            "discharged": (
                admitted + pd.to_timedelta(rng.integers(0, 14, rows), unit="D")
            ).strftime("%Y-%m-%d"),
            "systolic": systolic.astype(int),
            "diastolic": (systolic - rng.integers(20, 60, rows)).astype(int),
            "weight": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(75, 12, rows).round(1)),
            "smoker": np.where(rng.random(rows) < 0.2, "", rng.choice(["yes", "no"], rows)),
        }
    )


def _ratings(rng: Rng) -> pd.DataFrame:
    rows = 1500
    return pd.DataFrame(
        {
            "user": rng.integers(1, 400, rows),
            "film": rng.choice([f"Film {n}" for n in range(20)], rows),
            "stars": rng.choice([1, 2, 3, 4, 5], rows, p=[0.05, 0.1, 0.2, 0.35, 0.3]),
            "seen": _days(rng, rows, "2024-05-06", 10).strftime("%d/%m/%Y"),
            "minutes": rng.integers(1, 200, rows),
        }
    )


def _telecom(rng: Rng) -> pd.DataFrame:
    rows = 4000
    tariff = rng.choice(["S", "M", "L"], rows, p=[0.6, 0.3, 0.1])
    usual = pd.Series(tariff).map({"S": 0.3, "M": 1.0, "L": 3.0}).to_numpy()
    return pd.DataFrame(
        {
            "msisdn": [f"0{7_000_000_000 + number}" for number in rng.integers(0, 1200, rows)],
            "tariff": tariff,
            "day": _days(rng, rows, "2024-02-01", 29).strftime("%Y-%m-%d"),
            "megabytes": (rng.exponential(300, rows) * usual).round(3),
            "calls": rng.negative_binomial(1, 0.1, rows),
            "seconds": np.where(rng.random(rows) < 0.4, 0, rng.exponential(120, rows)).round(),
            "balance": rng.normal(0, 50, rows).round(2),
        }
    )


def _claims(rng: Rng) -> pd.DataFrame:
    rows = 1000
    return pd.DataFrame(
        {
            "claim": np.arange(rows),
            "opened": _days(rng, rows, "2024-01-01", 91).strftime("%Y-%m-%d"),
            "cost": (rng.pareto(3, rows) * 100 + 10).round(2),
            "score": 100 - rng.exponential(8, rows).clip(0, 100).round(3),
            "agreement": rng.beta(0.5, 0.5, rows).round(5),
            "approved": rng.choice([True, False], rows),
        }
    )


DOMAINS = {
    "weather": Domain(_weather, "reading", ("weeks", 1), ("measured",)),
    "shop": Domain(_shop, "customer", ("months", 1), ("ordered",)),
    "patients": Domain(_patients, "patient", ("months", 3), ("admitted", "discharged")),
    "ratings": Domain(_ratings, "user", ("days", 10), ("seen",)),
    "telecom": Domain(_telecom, "msisdn", ("months", 1), ("day",)),
    "claims": Domain(_claims, "claim", ("months", 3), ("opened",)),
}
