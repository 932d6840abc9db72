"""One process runs all steps: starting one for each would take longer than most steps."""

import dagster as dg


@dg.definitions
def defs() -> dg.Definitions:
    """Return the executor of the project."""
    return dg.Definitions(executor=dg.in_process_executor)
