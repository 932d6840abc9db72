"""How a series keeps to itself in a project that has other assets: IO managers under its own keys.

Two series from different places may live in one code location, beside assets with resources of
their own. So neither is under the project's default key.
"""

from typing import Any

import dagster as dg


def io_manager_key(series: str) -> str:
    """Return the key of the IO manager that keeps the assets of a series."""
    return f"{series}_io_manager"


def between_ops_key(series: str) -> str:
    """Return the key of the IO manager for what goes from op to op: Dagster's own storage."""
    return f"{series}_between_ops"


def kept_result(op: str, key: str) -> dg.OutputMapping:
    """Return the result of a graph, that of an op; it names the IO manager ``key`` as the op does.

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

    return Kept(graph_output_name="result", mapped_node_name=op, mapped_node_output_name="result")
