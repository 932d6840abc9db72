"""A broken component is shown as such, and everything else loads."""

from typing import Any

import dagster as dg
import pytest

from series_assets.core.errors import InputError
from series_assets.dagster import component
from series_assets.storage import loading
from series_assets_tests.builders import a_specification, a_user_input
from series_assets_tests.dagster.component.host_project import (
    ASSETS,
    KEYS,
    HostProject,
    asset_keys_of,
    keys_of,
)
from series_assets_tests.materialize import materialize
from series_assets_tests.thorough import mostly_thorough, thorough

_FAULT = (
    "period 'fortnights' is not known; use days, weeks, months or quarters "
    "(here: period: weeks, length_of_period: 2)"
)


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "a fault of the user input": (
        {"specification": a_specification(), "user_input": a_user_input(period="fortnights")},
        f"bad/defs.yaml (user_input): {_FAULT}",
    ),
    "no files": (
        {},
        "bad/specification.yml: there is no such file; a series needs specification.yml and "
        "user_input.yml\nbad/user_input.yml: there is no such file; a series needs "
        "specification.yml and user_input.yml",
    ),
    "no such path": (
        {"specification": "none.yml", "user_input": a_user_input()},
        "none.yml: there is no such file; a series needs specification.yml and user_input.yml",
    ),
    "a name that cannot be": (
        {"specification": a_specification(), "user_input": a_user_input(), "name": "No Name"},
        "bad/defs.yaml (specification): the name 'No Name' cannot name a series; use lower-case "
        "letters, digits and _, a letter first",
    ),
    "a name that is a number": (
        {"specification": a_specification(), "user_input": a_user_input(), "name": "2024"},
        "bad/defs.yaml (specification): the name '2024' cannot name a series; use lower-case "
        "letters, digits and _, a letter first",
    ),
}


@pytest.mark.thorough
def test_two_components_of_one_name_need_the_attribute(project: HostProject) -> None:
    """The first one works; the second is shown as broken, with the remedy."""
    for place in ("eu", "us"):
        (project.defs_folder / place).mkdir()
        project.write_series(f"{place}/orders")
    with pytest.warns(UserWarning, match="is broken"), project.load() as definitions:
        [broken] = keys_of(definitions) - set(asset_keys_of("orders"))
        node = definitions.resolve_asset_graph().get(dg.AssetKey(broken.split("/")))
    assert (
        "us/orders/defs.yaml: the name 'orders' is taken by the series of eu/orders/defs.yaml; "
        in (node.description or "").replace("\\", "")
    )
    assert "set the attribute 'name' of one of the two" in (node.description or "")
    project.write_component("us/orders", {"name": "us_orders"})
    with project.load() as definitions:
        assert keys_of(definitions) == set(asset_keys_of("orders", "us_orders"))


def test_a_component_may_not_have_the_name_of_another_folder(project: HostProject) -> None:
    """The one that comes later is shown as broken, even if its folder has the name."""
    for place in ("orders", "sales"):
        project.write_series(place)
    project.write_component("orders", {"name": "sales"})
    with pytest.warns(UserWarning, match="is broken"), project.load() as definitions:
        [broken] = keys_of(definitions) - set(asset_keys_of("sales"))
        node = definitions.resolve_asset_graph().get(dg.AssetKey(broken.split("/")))
    assert "sales/defs.yaml: the name 'sales' is taken by the series of orders/defs.yaml" in (
        node.description or ""
    ).replace("\\", "")


def test_two_broken_components_of_one_name_do_not_affect_others(project: HostProject) -> None:
    """Each is shown as its own asset."""
    for place in ("eu", "us"):
        (project.defs_folder / place).mkdir()
        project.write_component(f"{place}/orders", BROKEN["a fault of the user input"][0])
    with pytest.warns(UserWarning, match="is broken"), project.load() as definitions:
        assert len(keys_of(definitions)) == 2


@pytest.mark.parametrize("what", mostly_thorough(BROKEN, "a fault of the user input"))
def test_a_broken_series_does_not_affect_others(
    project: HostProject, instance: dg.DagsterInstance, what: str
) -> None:
    """Its asset has the fault as description and failure; other assets can be materialized."""
    attributes, expected_message = BROKEN[what]
    project.write_component("bad", attributes)
    project.write_series("good")
    with pytest.warns(UserWarning, match="is broken"), project.load() as definitions:
        [broken] = keys_of(definitions) - set(asset_keys_of("good"))
        node = definitions.resolve_asset_graph().get(dg.AssetKey(broken.split("/")))
        shown = expected_message.replace("\n", "\\\n")  # one line of Markdown per fault
        assert node.description == f"This series cannot be loaded:\n\n{shown}"
        result = materialize(definitions, instance, broken)
        [failed] = [event for event in result.all_events if event.is_step_failure]
        assert failed.step_failure_data.user_failure_data is not None
        assert failed.step_failure_data.user_failure_data.description == expected_message
        assert materialize(definitions, instance, *asset_keys_of("good"), first=KEYS[0]).success
        assert materialize(definitions, instance, "own").success


def test_an_unexpected_error_does_not_affect_others(
    project: HostProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A series whose loading raises any exception is shown as broken, with its message."""
    parts = component.load_parts

    def failing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "bad":
            raise RuntimeError("odd")
        return parts(name, *args, **kwargs)

    monkeypatch.setattr(component, "load_parts", failing)
    project.write_series("bad")
    project.write_series("good")
    with pytest.warns(UserWarning, match="is broken"), project.load() as definitions:
        assert set(keys_of(definitions)) - set(asset_keys_of("good")) == {"bad/broken"}


def test_a_strict_component_keeps_a_broken_series_from_loading(project: HostProject) -> None:
    """With ``strict``, a broken series fails the deployment."""
    project.write_component("bad", {**BROKEN["a fault of the user input"][0], "strict": True})
    with pytest.raises(Exception, match="building definitions for bad") as caught, project.load():
        pass
    error: BaseException | None = caught.value
    while error is not None and not isinstance(error, InputError):
        error = error.__cause__ or error.__context__
    assert str(error) == f"bad/defs.yaml (user_input): {_FAULT}"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"folder": "~nobody_of_that_name/x"}, "folder '~nobody_of_that_name/x' names the home"),
        ({"specification": "x" * 5000}, "is longer than the system allows; use a shorter one"),
        ({"data_dir": "~nobody_of_that_name"}, "data_dir '~nobody_of_that_name' names the home"),
        ({"folder": "loop"}, "folder 'loop' is a link that leads back to itself; correct the link"),
        ({"user_input": {"num_datasets": 10**120}}, "holds a number of more than 100 digits"),
        *thorough(({"user_input": {"a": [[[]] * 400] * 400}}, "holds more than 100,000 values")),
    ],
)
def test_invalid_paths_and_values_do_not_affect_other_series(
    project: HostProject, attributes: dict[str, Any], expected: str
) -> None:
    """The message has the key and the remedy, and the rest of the project loads."""
    project.write_series("good")
    place = project.write_component("bad", attributes)
    (place / "loop").symlink_to("loop")
    with pytest.warns(UserWarning, match="is broken") as caught, project.load() as definitions:
        keys = {key.to_user_string() for key in definitions.resolve_all_asset_keys()}
    assert {f"good/{asset}" for asset in ASSETS} <= keys
    assert len([key for key in keys if key.endswith("/broken")]) == 1
    assert any(expected in str(warning.message) for warning in caught)


@pytest.mark.parametrize("error", [RecursionError(), MemoryError(), AttributeError("x"), OSError()])
def test_any_exception_while_loading_leaves_the_project_alone(
    project: HostProject, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """An unexpected exception affects only the series in which it occurs."""

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(loading, "build_series", fail)
    project.write_series("bad")
    with pytest.warns(UserWarning, match="series bad is broken"), project.load() as definitions:
        keys = {key.to_user_string() for key in definitions.resolve_all_asset_keys()}
    assert keys >= {"bad/broken", "own", "next_to_own"}
