"""User inputs that fit a specification."""

from hypothesis import strategies as st

from series_assets_tests.strategies.names import Content, Draw, Names, rarely, some

DATABASE = "places.db"
"""The database that user inputs with geospatial columns name, in the same folder."""


@st.composite
def user_inputs(draw: Draw, names: Names, specification: Content) -> Content:
    """Draw a user input that fits the specification; columns in filters are often static."""
    columns = specification["columns"]
    moved = draw(some(names.date))
    static = draw(some(names.every, most=4))
    if draw(st.booleans()):
        filtered = _filtered(names, specification["constraints"]["custom_constraints"] or {})
        static += [name for name in draw(some(filtered)) if name not in static]
    user_input: Content = {
        "date_columns": moved,
        "static_columns": static or None,
        "period": draw(st.sampled_from(["months", "weeks", "days"])),
        "length_of_period": draw(st.sampled_from([1, 2, 3, 10, 12])),
        "num_datasets": draw(st.sampled_from([2, 3, 3, 4])),
        "fraction_of_new": draw(st.sampled_from(["1/2", "1/3", "2/3", "9/10", 0, 1])),
    }
    if not any("from" in columns[name] for name in moved) or rarely(draw):
        user_input["start_date"] = draw(st.sampled_from(["2024-01-01", "2024-01-31", "29/02/2024"]))
    if names.geospatial:
        user_input["exhibit_db_path"] = DATABASE
    if draw(st.booleans()):
        user_input["linked_columns"] = draw(linked_columns(names)) or None
    return user_input


def _filtered(names: Names, rules: Content) -> list[str]:
    filters = [rule.get("filter") or "" for rule in rules.values()]
    return [name for name in names.every if any(name in text for text in filters)]


@st.composite
def linked_columns(draw: Draw, names: Names) -> list[str]:
    """Draw columns that are linked to an identifier, other identifiers among them."""
    linked = draw(some(names.uuid, least=1))
    linked += draw(some([*names.categorical, *names.continuous, *names.derived], most=2))
    return linked if len(linked) > 1 else []
