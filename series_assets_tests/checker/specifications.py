"""The specifications that are saved with each dataset."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from datetime import date
from fractions import Fraction
from typing import Any

from series_assets_tests.checker.finished import COLUMN_LISTS, ISO_DAY, ensure, parse_yaml, some
from series_assets_tests.checker.rules import Rules


def check_new_specifications(rules: Rules) -> None:
    """Each saved specification of new records is the original one, changed for its period."""
    for k in range(rules.periods):
        new, _ = rules.counts(k)
        if not new:
            continue
        wanted = _specification_of_period(rules, k, new)
        wanted["metadata"]["random_seed"] += k
        for name in rules.uuids:
            if "uuid_seed" in wanted["columns"][name]:
                wanted["columns"][name]["uuid_seed"] += k
        file = f"dataset_{k + 1}.new.yml"
        _compare_specifications(wanted, _load(rules, file), file)


def check_existing_specifications(rules: Rules) -> None:
    """Each saved specification of existing records is changed as the contract says."""
    seeds: dict[int, str] = {}
    for k in range(rules.periods):
        new, existing = rules.counts(k)
        if new:
            seed = _load(rules, f"dataset_{k + 1}.new.yml")["metadata"]["random_seed"]
            seeds[seed] = f"dataset_{k + 1}.new.yml"
        if not existing:
            continue
        file = f"dataset_{k + 1}.existing.yml"
        found = _load(rules, file)
        seed = found["metadata"]["random_seed"]
        ensure(seed not in seeds, f"{file}: has the random_seed of {seeds.get(seed)}")
        seeds[seed] = file
        _check_mentions(rules, found, file)
        _compare_specifications(_existing_specification(rules, k, existing, seed), found, file)


def _check_mentions(rules: Rules, found: Mapping[str, Any], file: str) -> None:
    constraints = found["constraints"]
    texts = list(constraints.get("basic_constraints") or [])
    for custom in (constraints.get("custom_constraints") or {}).values():
        texts += [custom.get("filter") or "", custom.get("partition") or "", *custom["targets"]]
    texts += (found.get("derived_columns") or {}).values()
    for text in texts:
        odd = rules.mentions(text) & rules.forbidden
        ensure(not odd, f"{file}: '{text}' mentions {some(sorted(odd))}, which cannot hold there")


def _existing_specification(rules: Rules, k: int, rows: int, seed: int) -> dict[str, Any]:
    wanted = _specification_of_period(rules, k, rows)
    metadata, columns = wanted["metadata"], wanted["columns"]
    metadata["random_seed"] = seed
    drawn = [*rules.uuids, *rules.static_outputs]
    gone = {*rules.uuids, *rules.static, *rules.removed_derived}
    for key in COLUMN_LISTS.values():
        metadata[key] = {name for name in metadata[key] if name not in gone}
    metadata["categorical_columns"] |= {*drawn}
    for name in rules.static:
        if rules.outputs(name) != [name]:
            del columns[name]
    first, *others = drawn
    for name in drawn:
        column = columns.get(name, {})
        columns[name] = {
            **(column if column.get("type") == "categorical" else {}),
            "type": "categorical",
            "paired_columns": others if name == first else [first],
            "uniques": max(rows, metadata["inline_limit"] + 1),
            "original_values": "random" if name == first else "See paired column",
            "cross_join_all_unique_values": False,
            "miss_probability": 0,
            "anonymising_set": rules.finished.table,
        }
    constraints = wanted["constraints"]
    constraints["allow_duplicates"] = True
    constraints["basic_constraints"] = [
        text for text in rules.basic if not rules.mentions(text) & rules.forbidden
    ]
    constraints["custom_constraints"] = deepcopy(rules.kept_custom())
    wanted["linked_columns"] = [
        group for group in rules.linked_groups if not set(group[1]) & set(rules.static)
    ]
    wanted["derived_columns"] = {
        name: text
        for name, text in (wanted.get("derived_columns") or {}).items()
        if name not in rules.removed_derived
    }
    return wanted


def _specification_of_period(rules: Rules, k: int, rows: int) -> dict[str, Any]:
    """Return the specification with the rows, the dates and the sums of a period."""
    wanted = deepcopy(dict(rules.specification))
    wanted["metadata"]["number_of_rows"] = rows
    for type_, key in COLUMN_LISTS.items():
        derived = [n for n in wanted["metadata"].get(key) or [] if n in rules.derived]
        wanted["metadata"][key] = {*rules.of_type(type_), *derived}
    for name in rules.of_type("date"):
        column = wanted["columns"][name]
        column["from"], column["to"] = rules.window(name, k)
        if column["from"] and column["to"]:
            size = len(rules.days(name, k))
            column["uniques"] = size if rules.full(name) else min(column["uniques"], size)
    for column in wanted["columns"].values():
        parameters = column.get("distribution_parameters") or {}
        if parameters.get("target_sum") is not None:
            scaled = Fraction(str(parameters["target_sum"])) * Fraction(rows, rules.rows)
            parameters["target_sum"] = float(scaled)
    return wanted


def _compare_specifications(wanted: dict[str, Any], found: dict[str, Any], file: str) -> None:
    found = deepcopy(found)
    for specification in (wanted, found):
        metadata = specification["metadata"]
        for key in COLUMN_LISTS.values():
            metadata[key] = sorted(metadata.get(key) or [])
        for column in specification["columns"].values():
            column["paired_columns"] = sorted(column.get("paired_columns") or [])
        constraints = specification["constraints"]
        # Moved literals are checked elsewhere, see ``check_constraints``.
        for basic in [constraints.get("basic_constraints") or []]:
            basic[:] = [ISO_DAY.sub("DAY", text) for text in basic]
        for custom in (constraints.get("custom_constraints") or {}).values():
            custom["filter"] = ISO_DAY.sub("DAY", custom.get("filter") or "") or None
            custom["targets"] = {n: ISO_DAY.sub("DAY", t) for n, t in custom["targets"].items()}
        derived = specification.get("derived_columns") or {}
        specification["derived_columns"] = {n: ISO_DAY.sub("DAY", t) for n, t in derived.items()}
    faults = list(_differences(_plain(wanted) or {}, _plain(found) or {}, ""))
    ensure(not faults, f"{file}: {'; '.join(faults[:5])}")


def _load(rules: Rules, file: str) -> dict[str, Any]:
    text = (rules.finished.folder / file).read_text(encoding="utf-8")
    loaded: dict[str, Any] = parse_yaml(text)
    return loaded


def _plain(value: Any) -> Any:
    """Return contents without empty values and ``false``, dates and tuples as YAML reads them."""
    if isinstance(value, Mapping):
        plain = {str(key): _plain(part) for key, part in value.items()}
        return {key: part for key, part in plain.items() if part is not None} or None
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value] or None
    return None if value is False else value.isoformat() if isinstance(value, date) else value


def _differences(wanted: Any, found: Any, place: str) -> Iterator[str]:
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key in sorted({*wanted, *found}):
            yield from _differences(wanted.get(key), found.get(key), f"{place}.{key}".strip("."))
    elif isinstance(wanted, float) and isinstance(found, int | float):
        if abs(wanted - found) > 1e-9 * abs(wanted):
            yield f"{place} is {found!r} instead of {wanted!r}"
    elif wanted != found:
        yield f"{place} is {found!r} instead of {wanted!r}"
