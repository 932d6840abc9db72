"""A run of a range in progress: each partition appears as soon as it is stored."""

import re

from series_assets_tests.end_to_end.client import Server
from series_assets_tests.end_to_end.served_series import KEYS

_LOG = """query ($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
  __typename
  ... on MessageEvent { message stepKey }
  ... on MaterializationEvent { assetKey { path } partition }
} } } }"""


def test_partitions_of_a_range_appear_one_by_one(server: Server, ranged: str) -> None:
    """In the run's log, between lines with number, rows and time."""
    [run_id] = {one.run_id for one in server.materializations(ranged, "dataset")}
    shown = []
    for event in server.ask(_LOG, id=run_id)["logsForRun"]["events"]:
        if event.get("assetKey"):
            shown.append((event["assetKey"]["path"][-1], event["partition"]))
        elif event["__typename"] == "LogMessageEvent":
            if line := re.fullmatch(r"(.+) (\d) of 4: (\S+), (.+), \d+\.\d s", event["message"]):
                shown.append(line.groups())
        elif event["__typename"] == "ExecutionStepSuccessEvent":
            shown.append(event["stepKey"])
    begun = shown.index(("dataset", KEYS[0]))
    assert shown[begun : begun + 9] == [
        ("dataset", KEYS[0]),
        ("dataset", "1", KEYS[0], "30 new and 0 existing rows"),
        ("dataset", KEYS[1]),
        ("dataset", "2", KEYS[1], "10 new and 20 existing rows"),
        ("dataset", KEYS[2]),
        ("dataset", "3", KEYS[2], "10 new and 20 existing rows"),
        ("dataset", "4", KEYS[3], "10 new and 20 existing rows"),
        ("dataset", KEYS[3]),
        f"{ranged}__dataset.{ranged}__dataset__run_exhibit",
    ]
