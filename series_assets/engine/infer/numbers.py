"""Fits Exhibit's distributions to a column of numbers.

Exhibit scales each run by itself, to a range or to a mean and a standard deviation. Bounds are
basic constraints, which move values beyond them to the bound, or spread them beside it according to
the dispersion. The model with the nearest quantiles is chosen among these candidates:

- uniform between two ends;
- normal, clipped to the range of the table;
- skewed: uniform over a wide range, with values beyond one end spread over a narrow range;
- by category: around a mean for each value of the category that explains the most variance.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_POINTS = 400
_PLACES = (np.arange(_POINTS) + 0.5) / _POINTS
_NORMAL = np.array([NormalDist().inv_cdf(place) for place in _PLACES.tolist()])
"""Quantiles of the standard normal distribution."""
_FLAT = 10**4
"""Integers over a wider range are not scaled to it, as Exhibit would list all of them."""
NEAR = (0.85, 1.18)
"""Preferred ratio of the model's standard deviation to that of the table."""
_CLOSER = 0.87
_FAR = 0.25
_STRONG = 0.15
"""The share of the variance that a category must explain to get weights."""


@dataclass(frozen=True)
class CategoryEffect:
    """How a number depends on a category."""

    column: str
    deviations: dict[str, float]
    """The mean of each value relative to the overall mean, in deviations between values."""
    shares: dict[str, float]
    explained_variance: float
    """The share of the variance that lies between the values."""


@dataclass(frozen=True)
class NumberModel:
    """Parameters of a column of numbers, and how close the result is to the table."""

    distribution: str
    parameters: dict[str, float]
    bounds: tuple[tuple[str, float], ...] = ()
    """Comparisons for basic constraints, such as ``(">=", 0)``."""
    weights: tuple[str, dict[str, float]] | None = None
    """A category with the weights of its values."""
    quantiles: Floats = field(default_factory=lambda: np.empty(0), compare=False)
    """Expected quantiles of the generated numbers."""
    distance: float = 0.0
    """Mean distance of the quantiles from those of the table, in its standard deviations."""

    def note(self, name: str) -> str | None:
        """Return a note if the column differs much from that of the table."""
        if self.distance <= _FAR:
            return None
        return (
            f"Exhibit has no distribution of the shape of {name}: the series approximates its "
            "mean, spread and range, but not the shape in between"
        )


def fit_numbers(
    values: Floats,
    is_integer: bool,
    *,
    bounded: bool,
    spread: bool = True,
    effect: CategoryEffect | None = None,
) -> NumberModel:
    """Return the best model of ``values``, at least three of which differ.

    ``bounded``: whether constraints can name the column. ``spread``: whether values beyond a bound
    may be spread beside it, which a constraint with another column would undo. ``effect``: the
    category that explains the most variance.
    """
    target = _Target(values, is_integer, bounded, spread)
    best = target.nearest(target.candidates())
    assert best is not None
    if effect is not None and effect.explained_variance >= _STRONG:
        weighted = target.nearest(target.weighted_by_category(effect))
        if weighted is not None and weighted.distance < max(_FAR, best.distance + 0.05):
            return weighted
    return best


@dataclass
class _Target:
    values: Floats
    is_integer: bool
    bounded: bool
    spread: bool

    def __post_init__(self) -> None:
        self.least, self.greatest = float(self.values.min()), float(self.values.max())
        self.mean, self.deviation = float(self.values.mean()), float(self.values.std(ddof=1))
        self.quantiles = np.quantile(self.values, _PLACES)

    def nearest(self, candidates: Iterable[NumberModel]) -> NumberModel | None:
        """Return the nearest model, preferring those with about the right deviation."""
        every = list(candidates)
        near = [way for way in every if self.is_near(way)] or every
        best = min(near, key=self.distance, default=None)
        return replace(best, distance=self.distance(best)) if best else None

    def is_near(self, way: NumberModel) -> bool:
        ratio = way.quantiles.std() / self.quantiles.std() if self.quantiles.std() else 1
        return bool(NEAR[0] <= ratio <= NEAR[1])

    def distance(self, way: NumberModel) -> float:
        """Return the distance of the quantiles from the table's, in its deviations."""
        far = float(np.abs(way.quantiles - self.quantiles).mean()) / self.deviation
        return far + 0.01 * len(way.bounds)

    def candidates(self) -> Iterator[NumberModel]:
        yield self.uniform()
        if self.bounded:
            yield from self.clipped(_NORMAL, "normal", {"dispersion": 0.0})
            yield from self.skewed()

    def uniform(self) -> NumberModel:
        reach = self.deviation * np.sqrt(12)
        return self._between(reach, _PLACES, "weighted_uniform", 0.1)

    def _between(
        self, reach: float, places: Floats, distribution: str, dispersion: float
    ) -> NumberModel:
        """Return numbers spread over ``reach``, which is moved and cut to fit into the range."""
        middle = float(np.average(places))
        if not self.least <= self.mean - reach * middle <= self.greatest - reach:
            reach *= _CLOSER  # so that the mean, too, is nearer to that of the table
        reach = float(min(reach, self.greatest - self.least))
        low = self.mean - reach * middle
        low = max(self.least, min(low, self.greatest - reach))
        high = min(low + reach, self.greatest)
        if self.is_integer:
            low, high = np.ceil(low - 0.25), np.floor(high + 0.25)
        quantiles = low + (high - low) * places
        if self.is_integer and high - low > _FLAT:
            # Leave a margin, as a run may slightly exceed the ends.
            mean, deviation = float(quantiles.mean()), 0.93 * float(quantiles.std())
            parameters = {"target_mean": _rounded(mean), "target_std": _rounded(deviation)}
        else:
            parameters = {"target_min": float(low), "target_max": float(high)}
        return NumberModel(
            distribution, {"dispersion": dispersion, **parameters}, quantiles=quantiles
        )

    def clipped(
        self,
        shape: Floats,
        distribution: str,
        parameters: dict[str, float],
        weights: tuple[str, dict[str, float]] | None = None,
    ) -> Iterator[NumberModel]:
        """Yield a shape of mean 0 and deviation 1, shifted, scaled and clipped to fit."""
        mean, deviation = self.mean, self.deviation
        wanted = float(self.quantiles.std()), float(self.quantiles.mean())
        quantiles = shape
        for _ in range(60):
            quantiles = np.clip(mean + deviation * shape, self.least, self.greatest)
            if not quantiles.std():
                return
            deviation *= float(np.clip(wanted[0] / quantiles.std(), 0.8, 1.25))
            deviation = min(deviation, 20 * self.deviation)
            mean += wanted[1] - float(quantiles.mean())
        free = mean + deviation * shape
        quantiles = np.sort(np.clip(free, self.least, self.greatest))
        tails = distribution == "normal"
        margin = 0.1 * deviation  # a run may slightly exceed the ends
        bounds = []
        if tails or free.min() < self.least + margin:
            bounds.append((">=", self.least))
        if tails or free.max() > self.greatest - margin:
            bounds.append(("<=", self.greatest))
        yield NumberModel(
            distribution,
            {**parameters, "target_mean": _rounded(mean), "target_std": _rounded(deviation)},
            tuple(bounds),
            weights,
            _resampled(quantiles),
        )

    def skewed(self) -> Iterator[NumberModel]:
        """Yield models of two uniform parts, a narrow and a wide one, from the same end."""
        right = self.quantiles.mean() >= np.median(self.quantiles)
        ends = [self.least, *(self.quantiles[place] for place in (4, 20))]
        if not right:
            ends = [self.greatest, *(self.quantiles[-1 - place] for place in (4, 20))]
        for end in dict.fromkeys(float(np.round(end) if self.is_integer else end) for end in ends):
            from_end = np.abs(self.quantiles - end)
            first, second = float(from_end.mean()), float((from_end**2).mean())
            for share in (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5):
                narrow = share * first
                room = (self.greatest - end) if right else (end - self.least)
                wide = (3 * second - 2 * first * narrow) / (2 * first - narrow)
                wide = min(wide, room)
                if wide <= narrow or not self.least <= end <= self.greatest:
                    continue
                part = float(np.clip((wide - 2 * first) / (wide - narrow), 0.0, 0.97))
                if part == 0.0 or not self._spreads(end, narrow, right):
                    continue
                yield self._parts(end, narrow, wide, part, right)

    def _spreads(self, end: float, narrow: float, right: bool) -> bool:
        """Return whether Exhibit can spread numbers so far; it does so relative to the bound."""
        return (
            self.spread
            and end != 0
            and narrow / abs(end) <= 10**4
            and (right or end <= 0 or narrow < end)
        )

    def _parts(
        self, end: float, narrow: float, wide: float, part: float, right: bool
    ) -> NumberModel:
        count = round(part * _POINTS)
        near = narrow * (np.arange(count) + 0.5) / max(count, 1)
        far = wide * (np.arange(_POINTS - count) + 0.5) / max(_POINTS - count, 1)
        side = 1 if right else -1
        quantiles = np.sort(end + side * np.concatenate([near, far]))
        reach = wide / (1 - part)
        middle = end + side * (wide - reach / 2)
        other = ("<=", self.greatest) if right else (">=", self.least)
        return NumberModel(
            "weighted_uniform",
            {
                "dispersion": _rounded(narrow / abs(end)) if narrow else 0.1,
                "target_mean": _rounded(middle),
                "target_std": _rounded(reach / np.sqrt(12)),
            },
            (other, (">=" if right else "<=", end)),
            quantiles=quantiles,
        )

    def weighted_by_category(self, effect: CategoryEffect) -> Iterator[NumberModel]:
        """Yield models around a mean for each category, as far apart as in the table.

        Exhibit's noise is proportional to the weight, so weights close to 1 keep it about even.
        """
        furthest = max(map(abs, effect.deviations.values()))
        lowest = -min(effect.deviations.values())
        for height in (0.2 / furthest, 0.5 / max(lowest, 0.5), 0.85 / max(lowest, 0.85)):
            weights = {name: 1 + height * far for name, far in effect.deviations.items()}
            yield from self._weighted(effect, weights)

    def _weighted(self, effect: CategoryEffect, weights: dict[str, float]) -> Iterator[NumberModel]:
        shares = np.array([effect.shares[name] for name in weights])
        factors = np.array(list(weights.values()))
        between = float((shares * (factors - (shares * factors).sum()) ** 2).sum())
        left = (1 - effect.explained_variance) / max(effect.explained_variance, 1e-6)
        noise = _rounded(float(np.sqrt(3 * between * left / (shares * factors**2).sum())), 4)
        counts = np.maximum(1, np.round(4000 * shares)).astype(int)
        every = np.repeat(factors, counts)
        draws = np.random.default_rng(0).uniform(-1, 1, len(every))
        shape = np.sort(every * (1 + noise * draws))
        if not shape.std():
            return
        short = {name: _rounded(weight, 5) for name, weight in weights.items()}
        if self.bounded:
            shape = (shape - shape.mean()) / shape.std()
            given = {"dispersion": noise}
            yield from self.clipped(shape, "weighted_uniform", given, (effect.column, short))
            return
        places = _resampled((shape - shape[0]) / (shape[-1] - shape[0]))
        reach = self.deviation / float(places.std())
        way = self._between(reach, places, "weighted_uniform", noise)
        yield replace(way, weights=(effect.column, short))


def _resampled(quantiles: Floats) -> Floats:
    """Return ``_POINTS`` quantiles."""
    return quantiles if len(quantiles) == _POINTS else np.quantile(quantiles, _PLACES)


def _rounded(number: float, digits: int = 9) -> float:
    return float(f"{number:.{digits}g}")


def effect_of(
    numbers: Floats, categories: NDArray[Any], column: str, least_rows: int = 5
) -> CategoryEffect | None:
    """Return the effect of a category on a number, adjusted for the number of categories.

    None if there is none. Both arrays have the same length and no missing values.
    """
    found, codes = np.unique(categories, return_inverse=True)
    if len(found) < 2 or len(numbers) < least_rows * len(found):
        return None
    counts = np.bincount(codes)
    means = np.bincount(codes, weights=numbers) / counts
    total = float(((numbers - numbers.mean()) ** 2).sum())
    between = float((counts * (means - numbers.mean()) ** 2).sum())
    if not total or not between:
        return None
    rest = (total - between) / max(len(numbers) - len(found), 1)
    explained_variance = max(0.0, (between - (len(found) - 1) * rest) / total)
    shares = counts / counts.sum()
    # Shrink the means of few rows towards the overall mean.
    far = (means - numbers.mean()) * counts / (counts + least_rows)
    spread = float(np.sqrt((shares * far**2).sum()))
    names: Sequence[str] = [str(name) for name in found]
    return CategoryEffect(
        column,
        dict(zip(names, (far / spread).tolist(), strict=True)),
        dict(zip(names, shares.tolist(), strict=True)),
        explained_variance,
    )
