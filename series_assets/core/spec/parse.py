"""Reads a specification: validates its form, and that its parts do not contradict each other.

Exhibit's undocumented limits are in ``exhibit_limits``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from series_assets.core.errors import Fault, InputError, fault_at, nearest, sentence, suggestion
from series_assets.core.spec.column_types import LISTS_DERIVED, TYPES
from series_assets.core.spec.mentions import split_constraint
from series_assets.core.spec.pydantic_faults import faults_of, keys_of
from series_assets.core.spec.schema import (
    KNOWN_KEYS,
    REMEDIES,
    CategoricalColumn,
    Constraints,
    ContinuousColumn,
    DateColumn,
    SpecificationForm,
)
from series_assets.core.spec.specification import PAIRED, Specification, columns_of_type, is_select


def read_specification(content: object, file: str) -> Specification:
    """Return the specification in ``content``, the parsed YAML of ``file``, which stays as it is.

    In the result every column is listed in the metadata, optional keys are filled in and all days
    are in ISO form. Raises InputError with every fault of the form, or else with every
    contradiction.
    """
    if not isinstance(content, Mapping):
        raise InputError([Fault(file, "", "the file does not hold an Exhibit specification")])
    columns = content.get("columns")
    names = columns if isinstance(columns, Mapping) else ()
    if not_text := [name for name in names if not isinstance(name, str)]:
        raise InputError(
            Fault(file, f"columns.{name}", "has a name that is not text", "put it in quotes")
            for name in not_text
        )
    try:
        form = SpecificationForm.model_validate(dict(content))
    except ValidationError as error:
        known = KNOWN_KEYS | {name: keys_of(type_.form) for name, type_ in TYPES.items()}
        raise InputError(faults_of(error, file, known, REMEDIES, TYPES)) from None
    faults = [fault.in_file(file) for fault in _contradictions(form)]
    if faults:
        raise InputError(faults)
    return _completed(_unshared(content), form)


def _contradictions(form: SpecificationForm) -> Iterator[Fault]:
    columns = form.columns
    derived = form.derived_columns or {}
    if not any(column.type == "uuid" for column in columns.values()):
        yield fault_at(
            "columns", "has no uuid column", "the entities of a series need an identifier"
        )
    for name in sorted(columns.keys() & derived.keys()):
        yield fault_at(f"derived_columns.{name}", "has the name of a column")
    for type_, meaning in TYPES.items():
        key = meaning.metadata_list
        for name in getattr(form.metadata, key) or []:
            if name in derived and type_ == LISTS_DERIVED:
                continue
            if name not in columns:
                yield fault_at(
                    f"metadata.{key}",
                    f"names '{name}', which is not under columns",
                    sentence("take it off the list, or add the column", nearest(name, columns)),
                )
            elif columns[name].type != type_:
                its = columns[name].type
                yield fault_at(
                    f"metadata.{key}",
                    f"names '{name}', whose type is {its}",
                    f"it belongs in {TYPES[its].metadata_list}",
                )
    for name, column in columns.items():
        if isinstance(column, CategoricalColumn):
            yield from _of_categorical(name, column, columns)
        elif isinstance(column, ContinuousColumn):
            targets = column.distribution_parameters.model_dump(exclude={"dispersion"})
            if all(value is None for value in targets.values()):
                yield fault_at(
                    f"columns.{name}.distribution_parameters",
                    "has no target",
                    f"Exhibit needs one of {', '.join(targets)}",
                )
        elif isinstance(column, DateColumn):
            yield from _of_date(name, column)
    for _, members in form.linked_columns or []:
        for name in members:
            if name not in columns or columns[name].type != "categorical":
                yield fault_at(
                    "linked_columns", f"names '{name}', which is not a categorical column"
                )
    yield from _of_constraints(form.constraints, columns)


def _of_categorical(
    name: str, column: CategoricalColumn, columns: Mapping[str, Any]
) -> Iterator[Fault]:
    place = f"columns.{name}"
    for pair in column.paired_columns or []:
        if pair not in columns or columns[pair].type != "categorical":
            yield fault_at(
                f"{place}.paired_columns", f"names '{pair}', which is not a categorical column"
            )
    values = column.original_values
    if isinstance(values, list) and values[0].split("|")[0].strip() != name:
        yield fault_at(f"{place}.original_values", f"has no header row that starts with '{name}'")
    if values == PAIRED and not column.paired_columns:
        yield fault_at(f"{place}.original_values", f"is '{PAIRED}', but paired_columns is empty")
    if column.cross_join_all_unique_values and values != PAIRED:
        if not isinstance(values, list):
            yield fault_at(
                place, "is cross-joined", "Exhibit needs its values listed in original_values"
            )
        elif len(values) - 2 != column.uniques:
            yield fault_at(
                f"{place}.uniques",
                f"is {column.uniques}, but original_values has {len(values) - 2}",
            )


def _of_date(name: str, column: DateColumn) -> Iterator[Fault]:
    place = f"columns.{name}"
    if is_select(column.anonymising_set):
        return
    if column.from_ is None and column.to is None:
        yield fault_at(place, "has neither from nor to", "give the first day as from: '2024-01-01'")
    elif column.from_ and column.to and column.to < column.from_:
        yield fault_at(
            f"{place}.to", f"{column.to} is before from {column.from_}", "swap them or fix one"
        )


def _of_constraints(constraints: Constraints, columns: Mapping[str, Any]) -> Iterator[Fault]:
    for text in constraints.basic_constraints or []:
        parts = split_constraint(text)
        if parts is None:
            yield fault_at(
                "constraints.basic_constraints",
                f"'{text}' is not 'column operator expression' with one of < > <= >= == "
                "between spaces",
            )
        elif parts[0] not in columns:
            yield fault_at(
                "constraints.basic_constraints",
                f"'{text}' starts with an unknown column",
                suggestion(parts[0], columns),
            )
        elif not TYPES[columns[parts[0]].type].adjustable:
            type_ = columns[parts[0]].type
            yield fault_at("constraints.basic_constraints", f"'{text}' adjusts a {type_} column")
    for name, custom in (constraints.custom_constraints or {}).items():
        for key, names in [
            ("partition", custom.partition),
            *(("targets", t) for t in custom.targets),
        ]:
            for column in filter(None, map(str.strip, (names or "").split(","))):
                if column not in columns:
                    yield fault_at(
                        f"constraints.custom_constraints.{name}.{key}",
                        f"names '{column}', which is not under columns",
                    )


def _unshared(value: Any) -> Any:
    """Return a deep copy without the shared objects that YAML's anchors create."""
    if isinstance(value, Mapping):
        return {key: _unshared(item) for key, item in value.items()}
    return [_unshared(item) for item in value] if isinstance(value, list) else value


def _completed(specification: Specification, form: SpecificationForm) -> Specification:
    metadata = specification["metadata"] = dict(specification["metadata"])
    for type_, meaning in TYPES.items():
        key = meaning.metadata_list
        known = metadata.get(key) or []
        metadata[key] = [
            *known,
            *(c for c in columns_of_type(specification, type_) if c not in known),
        ]
    for name, column in specification["columns"].items():
        model = form.columns[name]
        if isinstance(model, DateColumn):
            column.update({"from": model.from_} if "from" in column else {})
            column.update({"to": model.to} if "to" in column else {})
            column["frequency"] = model.frequency
        if isinstance(model, CategoricalColumn):
            column.setdefault("paired_columns", None)
        if isinstance(model, CategoricalColumn | DateColumn):
            column["cross_join_all_unique_values"] = bool(model.cross_join_all_unique_values)
    specification["constraints"].setdefault("custom_constraints", None)
    for key, nothing in (("linked_columns", []), ("derived_columns", {})):
        specification[key] = specification.get(key) or nothing
    return specification
