"""How a series keeps to itself in a project that has other assets: no resource under a shared key.

Two series from different places may live in one code location, beside assets with resources of
their own. So what a series works with is handed to its ops when they are made, and its IO manager
has a key of its own, which never is the project's default one.
"""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import dagster as dg


def io_manager_key(series: str) -> str:
    """Return the key under which the IO manager of a series is bound to its assets."""
    return f"{series}_io_manager"


def filled(function: Callable[..., Any], values: Mapping[str, Any]) -> Callable[..., Any]:
    """Return ``function`` with those parameters filled in that ``values`` names.

    Dagster does not see them, and asks for no resource of their names.
    """
    signature = inspect.signature(function)
    ours = {name: values[name] for name in signature.parameters if name in values}

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **ours, **kwargs)

    left = [one for name, one in signature.parameters.items() if name not in ours]
    call.__signature__ = signature.replace(parameters=left)  # type: ignore[attr-defined]
    hints = function.__annotations__
    call.__annotations__ = {name: hint for name, hint in hints.items() if name not in ours}
    return call


def kept_by(graph: dg.GraphDefinition, key: str) -> dg.GraphDefinition:
    """Return a graph whose outputs name the IO manager ``key``, as those of its ops do.

    Where only the ops name one, Dagster asks for the default ``io_manager`` on behalf of the
    graph, and leaves it out of jobs in which no op needs it: runs of single assets then fail.
    """

    class Kept(dg.OutputMapping):
        def get_definition(self, is_dynamic: bool) -> Any:
            plain = super().get_definition(is_dynamic)
            return type(plain)(
                dagster_type=plain.dagster_type,
                name=plain.name,
                description=plain.description,
                io_manager_key=key,
            )

    return dg.GraphDefinition(
        name=graph.name,
        description=graph.description,
        node_defs=graph.node_defs,
        dependencies=graph.dependencies,
        input_mappings=graph.input_mappings,
        output_mappings=[Kept(*mapping) for mapping in graph.output_mappings],
    )
