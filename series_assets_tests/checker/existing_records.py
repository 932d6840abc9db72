"""Existing records: entities of earlier periods, as recorded, sampled evenly, and shuffled."""

from collections import Counter
from math import sqrt

from series_assets_tests.checker.delivered import DeliveredData
from series_assets_tests.checker.finished import ensure


def check_existing(data: DeliveredData, k: int) -> None:
    """Existing records are of entities of earlier periods, with their recorded values."""
    rules, where = data.rules, f"dataset_{k + 1}.csv"
    first = rules.uuids[0]
    known = {name: row for made in data.entities[:k] for name, row in made.items()}
    kept = [*rules.uuids, *rules.static_outputs]
    for row in data.existing[k]:
        ensure(row[first], f"{where}: an existing record has no {first}: {row}")
        ensure(
            row[first] in known,
            f"{where}: an existing record has {first} {row[first]}, which no earlier period issued",
        )
        recorded = known[row[first]]
        for name in kept:
            ensure(
                row[name] == recorded[name],
                f"{where}: {first} {row[first]} has {name} {row[name]!r}, recorded was "
                f"{recorded[name]!r}",
            )
    rows = rules.counts(k)[1]
    found = Counter(Counter(row[first] for row in data.existing[k]).values())
    wanted = rules.repetitions(first, rows)
    ensure(
        found == wanted,
        f"{where}: the existing records repeat entities {dict(found)}, not {dict(wanted)}",
    )


def check_origins(data: DeliveredData, k: int) -> None:
    """Each earlier period contributes entities in proportion to its share of all of them.

    The bound is six standard deviations of sampling without replacement, plus three entities for
    small samples.
    """
    first = data.rules.uuids[0]
    drawn = {row[first] for row in data.existing[k]}
    counts = [len(made) for made in data.entities[:k]]
    total = sum(counts)
    for j, count in enumerate(counts):
        if total < 2 or not drawn:
            continue
        found = len(drawn & data.entities[j].keys())
        share = count / total
        expected = len(drawn) * share
        spread = expected * (1 - share) * (total - len(drawn)) / (total - 1)
        ensure(
            abs(found - expected) <= 6 * sqrt(spread) + 3 and (found or expected < 20),
            f"dataset_{k + 1}.csv: {found} of its {len(drawn)} entities are of period {j + 1}, "
            f"about {expected:.1f} are expected",
        )


def check_shuffled(data: DeliveredData, k: int) -> None:
    """New records are neither all at the start nor all at the end of a dataset."""
    new = data.new[k]
    if len({tuple(row.values()) for row in new}) >= 10:
        ensure(
            data.datasets[k][: len(new)] != new and data.datasets[k][-len(new) :] != new,
            f"dataset_{k + 1}.csv: its new records are not shuffled",
        )
