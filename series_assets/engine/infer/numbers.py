"""How a column of numbers is made by Exhibit so that it looks like one of a table.

Exhibit scales each run of its own: to a range, which every run then reaches, or to a mean and a
deviation. Bounds are basic constraints, which move what lies beyond them to the bound, or
spread it behind the bound as far as the dispersion says. From these come four ways, of which the
one is taken whose quantiles lie nearest to those of the table:

- even: between two ends;
- normal: cut off at the least and at the greatest number of the table;
- askew: even over a wide range, and what lies beyond one end spread over a narrow range beside it;
- by category: around a mean for each value of the category that says most about the number.
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
"""Quantiles of deviation 1 and mean 0."""
_FLAT = 10**4
"""Whole numbers further apart than this are not scaled to a range: Exhibit lists all of them."""
NEAR = (0.85, 1.18)
"""The deviation of what is made, in terms of that of the table, where there is a choice."""
_CLOSER = 0.87
_FAR = 0.25
_STRONG = 0.15
"""The share of the variance that a category has to explain to be given weights."""


@dataclass(frozen=True)
class Effect:
    """What a category says about a number."""

    column: str
    deviations: dict[str, float]
    """For each value how far its mean lies from the mean of all, in deviations between values."""
    chances: dict[str, float]
    explained: float
    """The share of the variance between the values."""


@dataclass(frozen=True)
class Manner:
    """A way to make a column of numbers, and how near it comes."""

    distribution: str
    parameters: dict[str, float]
    bounds: tuple[tuple[str, float], ...] = ()
    """Comparisons that become basic constraints: ``(">=", 0)``."""
    weights: tuple[str, dict[str, float]] | None = None
    """A category and the weights of its values."""
    made: Floats = field(default_factory=lambda: np.empty(0), compare=False)
    """Quantiles of what it makes."""
    distance: float = 0.0
    """How far these lie from those of the table on average, in deviations of the table."""

    def note(self, name: str) -> str | None:
        """Return what there is to be told of how a column differs from that of the table."""
        if self.distance <= _FAR:
            return None
        return (
            f"Exhibit has no distribution of the shape of {name}: its mean, spread and range are "
            "about those of the data, but how its values lie between is not"
        )


def manner_of(
    values: Floats,
    whole: bool,
    *,
    bounded: bool,
    spread: bool = True,
    effect: Effect | None = None,
) -> Manner:
    """Return the best way to make numbers like ``values``, of which at least three differ.

    ``bounded``: whether constraints can name the column. ``spread``: whether what lies beyond
    a bound may be spread behind it, which a constraint with another column would undo.
    ``effect``: the category that says most about it.
    """
    target = _Target.of(values, whole, bounded, spread)
    best = target.nearest(target.ways())
    assert best is not None
    if effect is not None and effect.explained >= _STRONG:
        weighted = target.nearest(target.by_category(effect))
        if weighted is not None and weighted.distance < max(_FAR, best.distance + 0.05):
            return weighted
    return best


@dataclass(frozen=True)
class _Target:
    least: float
    greatest: float
    mean: float
    deviation: float
    quantiles: Floats
    whole: bool
    bounded: bool
    spread: bool

    @classmethod
    def of(cls, values: Floats, whole: bool, bounded: bool, spread: bool) -> "_Target":
        return cls(
            float(values.min()),
            float(values.max()),
            float(values.mean()),
            float(values.std(ddof=1)),
            np.quantile(values, _PLACES),
            whole,
            bounded,
            spread,
        )

    def nearest(self, ways: Iterable[Manner]) -> Manner | None:
        """Return the way that comes nearest, of those with about the right deviation."""
        every = list(ways)
        near = [way for way in every if self.is_near(way)] or every
        best = min(near, key=self.distance, default=None)
        return replace(best, distance=self.distance(best)) if best else None

    def is_near(self, way: Manner) -> bool:
        ratio = way.made.std() / self.quantiles.std() if self.quantiles.std() else 1
        return bool(NEAR[0] <= ratio <= NEAR[1])

    def distance(self, way: Manner) -> float:
        """Return how far the quantiles lie from those of the table, in its deviations."""
        far = float(np.abs(way.made - self.quantiles).mean()) / self.deviation
        return far + 0.01 * len(way.bounds)

    def ways(self) -> Iterator[Manner]:
        yield self.even()
        if self.bounded:
            yield from self.cut(_NORMAL, "normal", {"dispersion": 0.0})
            yield from self.askew()

    def even(self) -> Manner:
        reach = self.deviation * np.sqrt(12)
        return self._between(reach, _PLACES, "weighted_uniform", 0.1)

    def _between(
        self, reach: float, places: Floats, distribution: str, dispersion: float
    ) -> Manner:
        """Return numbers spread over ``reach``, which is moved and cut to fit into the range."""
        middle = float(np.average(places))
        if not self.least <= self.mean - reach * middle <= self.greatest - reach:
            reach *= _CLOSER  # so that the mean, too, is nearer to that of the table
        reach = float(min(reach, self.greatest - self.least))
        low = self.mean - reach * middle
        low = max(self.least, min(low, self.greatest - reach))
        high = min(low + reach, self.greatest)
        if self.whole:
            low, high = np.ceil(low - 0.25), np.floor(high + 0.25)
        made = low + (high - low) * places
        if self.whole and high - low > _FLAT:
            # A margin, as the ends of a run lie now and then a bit beyond.
            mean, deviation = float(made.mean()), 0.93 * float(made.std())
            parameters = {"target_mean": _short(mean), "target_std": _short(deviation)}
        else:
            parameters = {"target_min": float(low), "target_max": float(high)}
        return Manner(distribution, {"dispersion": dispersion, **parameters}, made=made)

    def cut(
        self,
        shape: Floats,
        distribution: str,
        parameters: dict[str, float],
        weights: tuple[str, dict[str, float]] | None = None,
    ) -> Iterator[Manner]:
        """Yield a shape of mean 0 and deviation 1 that is moved, stretched and cut off to fit."""
        mean, deviation = self.mean, self.deviation
        wanted = float(self.quantiles.std()), float(self.quantiles.mean())
        made = shape
        for _ in range(60):
            made = np.clip(mean + deviation * shape, self.least, self.greatest)
            if not made.std():
                return
            deviation *= float(np.clip(wanted[0] / made.std(), 0.8, 1.25))
            deviation = min(deviation, 20 * self.deviation)
            mean += wanted[1] - float(made.mean())
        free = mean + deviation * shape
        made = np.sort(np.clip(free, self.least, self.greatest))
        tails = distribution == "normal"
        margin = 0.1 * deviation  # the ends of a run lie now and then a bit beyond
        bounds = []
        if tails or free.min() < self.least + margin:
            bounds.append((">=", self.least))
        if tails or free.max() > self.greatest - margin:
            bounds.append(("<=", self.greatest))
        yield Manner(
            distribution,
            {**parameters, "target_mean": _short(mean), "target_std": _short(deviation)},
            tuple(bounds),
            weights,
            _thinned(made),
        )

    def askew(self) -> Iterator[Manner]:
        """Yield two even parts, both from one end on: what lies beyond it is spread over one."""
        right = self.quantiles.mean() >= np.median(self.quantiles)
        ends = [self.least, *(self.quantiles[place] for place in (4, 20))]
        if not right:
            ends = [self.greatest, *(self.quantiles[-1 - place] for place in (4, 20))]
        for end in dict.fromkeys(float(np.round(end) if self.whole else end) for end in ends):
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
        """Tell whether Exhibit can spread numbers so far: in multiples of the bound itself."""
        return (
            self.spread
            and end != 0
            and narrow / abs(end) <= 10**4
            and (right or end <= 0 or narrow < end)
        )

    def _parts(self, end: float, narrow: float, wide: float, part: float, right: bool) -> Manner:
        count = round(part * _POINTS)
        near = narrow * (np.arange(count) + 0.5) / max(count, 1)
        far = wide * (np.arange(_POINTS - count) + 0.5) / max(_POINTS - count, 1)
        side = 1 if right else -1
        made = np.sort(end + side * np.concatenate([near, far]))
        reach = wide / (1 - part)
        middle = end + side * (wide - reach / 2)
        other = ("<=", self.greatest) if right else (">=", self.least)
        return Manner(
            "weighted_uniform",
            {
                "dispersion": _short(narrow / abs(end)) if narrow else 0.1,
                "target_mean": _short(middle),
                "target_std": _short(reach / np.sqrt(12)),
            },
            (other, (">=" if right else "<=", end)),
            made=made,
        )

    def by_category(self, effect: Effect) -> Iterator[Manner]:
        """Yield numbers around a mean for each category, as far apart as in the table.

        Exhibit's noise grows with the weight; weights that differ little make it about even.
        """
        furthest = max(map(abs, effect.deviations.values()))
        lowest = -min(effect.deviations.values())
        for height in (0.2 / furthest, 0.5 / max(lowest, 0.5), 0.85 / max(lowest, 0.85)):
            weights = {name: 1 + height * far for name, far in effect.deviations.items()}
            yield from self._weighted(effect, weights)

    def _weighted(self, effect: Effect, weights: dict[str, float]) -> Iterator[Manner]:
        chances = np.array([effect.chances[name] for name in weights])
        factors = np.array(list(weights.values()))
        between = float((chances * (factors - (chances * factors).sum()) ** 2).sum())
        left = (1 - effect.explained) / max(effect.explained, 1e-6)
        noise = _short(float(np.sqrt(3 * between * left / (chances * factors**2).sum())), 4)
        counts = np.maximum(1, np.round(4000 * chances)).astype(int)
        every = np.repeat(factors, counts)
        draws = np.random.default_rng(0).uniform(-1, 1, len(every))
        shape = np.sort(every * (1 + noise * draws))
        if not shape.std():
            return
        short = {name: _short(weight, 5) for name, weight in weights.items()}
        if self.bounded:
            shape = (shape - shape.mean()) / shape.std()
            given = {"dispersion": noise}
            yield from self.cut(shape, "weighted_uniform", given, (effect.column, short))
            return
        places = _thinned((shape - shape[0]) / (shape[-1] - shape[0]))
        reach = self.deviation / float(places.std())
        way = self._between(reach, places, "weighted_uniform", noise)
        yield replace(way, weights=(effect.column, short))


def _thinned(made: Floats) -> Floats:
    """Return as many quantiles as there are places."""
    return made if len(made) == _POINTS else np.quantile(made, _PLACES)


def _short(number: float, digits: int = 9) -> float:
    return float(f"{number:.{digits}g}")


def effect_of(
    numbers: Floats, categories: NDArray[Any], column: str, least_rows: int = 5
) -> Effect | None:
    """Return what a category says about a number, corrected for its many values; None if nothing.

    Both without missing values, of one length.
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
    explained = max(0.0, (between - (len(found) - 1) * rest) / total)
    chances = counts / counts.sum()
    # Means of few rows are drawn towards the mean of all.
    far = (means - numbers.mean()) * counts / (counts + least_rows)
    spread = float(np.sqrt((chances * far**2).sum()))
    names: Sequence[str] = [str(name) for name in found]
    return Effect(
        column,
        dict(zip(names, (far / spread).tolist(), strict=True)),
        dict(zip(names, chances.tolist(), strict=True)),
        explained,
    )
