"""Launches a backfill in a running Dagster, as its UI does, and waits for its end."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

_LAUNCH = """
mutation ($parameters: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $parameters) {
    ... on LaunchBackfillSuccess { backfillId }
    ... on Error { message }
  }
}"""
_STATUS = """
query ($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } }
}"""
_LOADED = """
{ workspaceOrError { ... on Workspace { locationEntries {
  loadStatus locationOrLoadError { __typename }
} } } }"""


def is_loaded(url: str) -> bool:
    """Return whether the UI's server answers and has loaded the definitions."""
    try:
        [entry] = _ask(url, _LOADED)["workspaceOrError"]["locationEntries"]
    except (OSError, ValueError):
        return False
    return bool(
        entry["loadStatus"] == "LOADED"
        and entry["locationOrLoadError"]["__typename"] == "RepositoryLocation"
    )


def backfill(url: str, assets: Sequence[Sequence[str]], partitions: Sequence[str]) -> str:
    """Materialize partitions of assets, given by their keys; return the status at the end.

    Raises RuntimeError where Dagster refuses the request.
    """
    parameters = {
        "assetSelection": [{"path": list(key)} for key in assets],
        "partitionNames": list(partitions),
        "tags": [],
        "fromFailure": False,
    }
    launched = _ask(url, _LAUNCH, parameters=parameters)["launchPartitionBackfill"]
    if "backfillId" not in launched:
        raise RuntimeError(launched["message"])
    while True:
        found = _ask(url, _STATUS, id=launched["backfillId"])
        status = str(found["partitionBackfillOrError"]["status"])
        if status not in ("REQUESTED", "CANCELING", "FAILING"):
            return status
        time.sleep(1)


def _ask(url: str, query: str, **variables: Any) -> Any:
    """Return what Dagster's GraphQL server answers."""
    request = urllib.request.Request(
        f"{url}/graphql",
        data=json.dumps({"query": query, "variables": variables}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.load(response)
    if "errors" in answer:
        raise RuntimeError(answer["errors"][0]["message"])
    return answer["data"]
