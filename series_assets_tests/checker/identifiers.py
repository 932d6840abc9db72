"""Identifiers of new records: new, repeated as their frequency says, one to one if linked."""

from collections import Counter

from series_assets_tests.checker.delivered import DeliveredData
from series_assets_tests.checker.finished import ensure, some
from series_assets_tests.checker.rules import Rules


def check_new_identifiers(data: DeliveredData) -> None:
    """No identifier is issued twice, and ranges continue where the previous period ended."""
    rules = data.rules
    for name in rules.uuids:
        seen: dict[str, int] = {}
        issued = 0
        for k, rows in enumerate(data.new):
            where = f"new_records/dataset_{k + 1}.csv"
            values = Counter(row[name] for row in rows if row[name])
            again = {value: seen[value] for value in values if value in seen}
            ensure(
                not again,
                f"{where}: {name} has identifiers of earlier periods: {some(again)} (the first "
                f"is of period {next(iter(again.values()), 0) + 1})",
            )
            seen |= dict.fromkeys(values, k)
            _check_repetitions(rules, name, values, len(rows), where)
            asked = rules.counts(k)[0]
            count = rules.allotted(name, asked) if asked else 0
            if rules.columns[name]["anonymising_set"] == "range" and not rules.crossed:
                odd = [v for v in values if not issued <= int(v) < issued + count]
                ensure(
                    not odd,
                    f"{where}: {name} has {some(odd)}; its range is {issued} to "
                    f"{issued + count - 1}",
                )
            issued += count


def _check_repetitions(
    rules: Rules, name: str, values: Counter[str], rows: int, where: str
) -> None:
    found, wanted = Counter(values.values()), rules.repetitions(name, rows)
    exact = not rules.crossed and rules.specification["constraints"]["allow_duplicates"]
    if exact and not rules.columns[name]["miss_probability"]:
        ensure(found == wanted, f"{where}: {name} repeats {dict(found)}, not {dict(wanted)}")
    most = max((frequency for frequency, _ in rules.shares(name)), default=1)
    ensure(
        max(found, default=0) <= most,
        f"{where}: an entity of {name} has {max(found, default=0)} rows, at most {most} may have",
    )


def check_links(data: DeliveredData) -> None:
    """Linked identifiers are one to one over all periods."""
    rows = [row for made in data.new for row in made]
    for name in data.rules.linked[1:]:
        there: dict[str, str] = {}
        back: dict[str, str] = {}
        for row in rows:
            left, right = row[data.rules.linked[0]], row[name]
            if left and right:
                one = there.setdefault(left, right) == right and back.setdefault(right, left)
                ensure(
                    one == left,
                    f"{data.rules.linked[0]} and {name} are not one to one: {left} has {right} "
                    f"beside {there[left]}, {right} has {left} beside {back.get(right)}",
                )
