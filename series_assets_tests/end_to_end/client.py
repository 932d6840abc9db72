"""A client that sends a running ``dagster dev`` the GraphQL queries of its UI.

``dev_server`` starts it; expectations about the answers are in the tests.
"""

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from series_assets.dagster.assets import NAMES
from series_assets_tests.builders import files_in

_ENDED = ("SUCCESS", "FAILURE", "CANCELED")
_LONG = 300
"""Seconds after which anything has failed, even on a busy machine."""
_TICKS = "ticks { status skipReason error { message } runIds }"

T = TypeVar("T")


def until(found: Callable[[], T | None], seconds: float, what: str) -> T:
    """Return the result of ``found`` as soon as it is not None. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = found()
        if value:
            return value
        time.sleep(0.5)
    raise TimeoutError(f"{what} took more than {seconds} s")


@dataclass(frozen=True)
class Materialization:
    """A recorded materialization of a partition."""

    partition: str | None
    run_id: str
    metadata: Mapping[str, Any]
    """Metadata by label: numbers, text, parsed JSON, and tables as lists of rows."""


@dataclass(frozen=True)
class Tick:
    """A tick of a sensor."""

    status: str
    reason: str | None
    """Why it did nothing, or why it failed."""
    run_ids: Sequence[str]


@dataclass(frozen=True)
class Server:
    """A running ``dagster dev`` and the folders that it works in."""

    url: str
    series_dir: Path
    data_dir: Path

    def ask(self, query: str, **variables: Any) -> Any:
        """Return the data of a query's answer."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            answer = json.load(response)
        if "errors" in answer:
            raise RuntimeError(f"{answer['errors']}, asked: {query}")
        return answer["data"]

    def _do(self, success: str, mutation: str, **variables: Any) -> Any:
        """Return the answer of a mutation, which must be of the type ``success``."""
        [answer] = self.ask(mutation, **variables).values()
        if answer["__typename"] != success:
            raise RuntimeError(f"{answer}, not {success}, asked: {mutation}")
        return answer

    # The code location and its definitions

    def location(self) -> Mapping[str, Any] | None:
        """Return the only code location once it has loaded."""
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            workspace = self.ask("""{
              workspaceOrError { ... on Workspace { locationEntries {
                name loadStatus
                locationOrLoadError {
                  ... on RepositoryLocation { repositories { name } }
                  ... on PythonError { message }
                }
              } } }
            }""")["workspaceOrError"]
            [entry] = workspace.get("locationEntries") or [None]
            if entry and entry["loadStatus"] == "LOADED":
                return entry
        return None

    def _repository(self) -> dict[str, str]:
        location = self.location()
        assert location is not None
        [repository] = location["locationOrLoadError"]["repositories"]
        return {
            "repositoryLocationName": location["name"],
            "repositoryName": repository["name"],
        }

    def reload(self) -> None:
        """Reload the definitions, as the button in the UI does."""
        self._do(
            "WorkspaceLocationEntry",
            """mutation ($name: String!) {
              reloadRepositoryLocation(repositoryLocationName: $name) {
                __typename
                ... on PythonError { message }
                ... on ReloadNotSupported { message }
              }
            }""",
            name=self._repository()["repositoryLocationName"],
        )
        until(self.location, _LONG, "reloading")

    def assets(self) -> dict[str, dict[str, Any]]:
        """Return the details of every asset: group, description, kinds, jobs, partitions."""
        nodes = self.ask("""{ assetNodes {
          assetKey { path } groupName description kinds jobNames isPartitioned partitionKeys
        } }""")["assetNodes"]
        return {"/".join(node["assetKey"]["path"]): node for node in nodes}

    # Runs

    def _parameters(
        self, job: str, assets: Sequence[Sequence[str]], tags: Mapping[str, str]
    ) -> dict[str, Any]:
        selection = [{"path": list(path)} for path in assets]
        chosen = {"assetSelection": selection, "assetCheckSelection": []} if selection else {}
        return {
            "mode": "default",
            "runConfigData": {},
            "selector": {**self._repository(), "jobName": job, **chosen},
            "executionMetadata": {
                "tags": [{"key": key, "value": value} for key, value in tags.items()]
            },
        }

    def _launch(self, parameters: Mapping[str, Any]) -> str:
        answer = self._do(
            "LaunchRunSuccess",
            """mutation ($parameters: ExecutionParams!) {
              launchPipelineExecution(executionParams: $parameters) {
                __typename
                ... on LaunchRunSuccess { run { runId } }
                ... on PythonError { message }
              }
            }""",
            parameters=parameters,
        )
        return str(answer["run"]["runId"])

    def launch(
        self,
        series: str,
        assets: Sequence[str] = NAMES,
        more: Mapping[str, str] | None = None,
        **tags: str,
    ) -> str:
        """Launch one run as the UI does, and return its id.

        ``tags`` are those of ``tags_of``: ``first``, and ``last`` for a range; ``more`` are tags
        by their own names.
        """
        paths = [(series, asset) for asset in assets]
        every = {**tags_of(**tags), **(more or {})}
        return self._launch(self._parameters("__ASSET_JOB", paths, every))

    def reexecute(self, run_id: str, strategy: str) -> str:
        """Re-execute a run that has ended, as the UI does, and return the new run's id.

        ``strategy`` is ``FROM_FAILURE``, ``FROM_ASSET_FAILURE`` or ``ALL_STEPS``.
        """
        answer = self._do(
            "LaunchRunSuccess",
            """mutation ($parameters: ReexecutionParams!) {
              launchRunReexecution(reexecutionParams: $parameters) {
                __typename
                ... on LaunchRunSuccess { run { runId } }
                ... on PythonError { message }
              }
            }""",
            parameters={"parentRunId": run_id, "strategy": strategy},
        )
        return str(answer["run"]["runId"])

    def launch_job(self, series: str, key: str) -> str:
        """Launch the job named after a series for one partition, and return the run's id."""
        return self._launch(self._parameters(series, (), tags_of(key)))

    def launch_each(self, series: str, assets: Sequence[str], keys: Sequence[str]) -> list[str]:
        """Launch a run for each partition at the same time, and return their ids."""
        paths = [(series, asset) for asset in assets]
        parameters = [self._parameters("__ASSET_JOB", paths, tags_of(key)) for key in keys]
        answer = self._do(
            "LaunchMultipleRunsResult",
            """mutation ($parameters: [ExecutionParams!]!) {
              launchMultipleRuns(executionParamsList: $parameters) {
                __typename
                ... on LaunchMultipleRunsResult { launchMultipleRunsResult {
                  __typename
                  ... on LaunchRunSuccess { run { runId } }
                  ... on PythonError { message }
                } }
                ... on PythonError { message }
              }
            }""",
            parameters=parameters,
        )
        launched = answer["launchMultipleRunsResult"]
        assert {one["__typename"] for one in launched} == {"LaunchRunSuccess"}, launched
        return [one["run"]["runId"] for one in launched]

    def end_of(self, run_id: str) -> str:
        """Wait for a run to end, and return its status."""

        def status() -> str | None:
            run = self.ask(
                "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id
            )["runOrError"]
            return run["status"] if run["status"] in _ENDED else None

        return until(status, _LONG, f"run {run_id}")

    def complaints(self, run_id: str) -> list[str]:
        """Return the reasons that the UI shows for a failure."""
        events = self.ask(
            """query ($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {
              ... on ExecutionStepFailureEvent {
                error { message causes { message } } failureMetadata { description }
              }
              ... on RunFailureEvent { error { message causes { message } } }
            } } } }""",
            id=run_id,
        )["logsForRun"]["events"]
        reported = [event["failureMetadata"] for event in events if event.get("failureMetadata")]
        if reported:
            return [failure["description"] for failure in reported]
        errors = [event["error"] for event in events if event.get("error")]
        return [
            " ".join([error["message"], *(cause["message"] for cause in error["causes"])])
            for error in errors
        ]

    def wait_for_success(self, run_id: str) -> None:
        """Wait for a run to succeed."""
        ended = self.end_of(run_id)
        assert ended == "SUCCESS", self.complaints(run_id)

    def runs(self, **tags: str) -> list[dict[str, Any]]:
        """Return id, job, status and tags of the runs with these tags, the newest first."""
        found = self.ask(
            """query ($filter: RunsFilter!) { runsOrError(filter: $filter) {
              ... on Runs { results { runId jobName status startTime endTime tags { key value } } }
            } }""",
            filter={"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        )["runsOrError"]["results"]
        return [{**run, "tags": {tag["key"]: tag["value"] for tag in run["tags"]}} for run in found]

    def step_workers(self, run_id: str) -> int:
        """Return the number of processes that a run started for single steps."""
        events = self.ask(
            """query ($id: ID!) { logsForRun(runId: $id) { ... on EventConnection {
              events { __typename }
            } } }""",
            id=run_id,
        )["logsForRun"]["events"]
        return sum(event["__typename"] == "StepWorkerStartedEvent" for event in events)

    # Backfills

    def backfill(self, series: str, keys: Sequence[str], assets: Sequence[str] = NAMES) -> str:
        """Launch a backfill of assets of a series as the UI does, and return its id."""
        return self.backfill_of([(series, asset) for asset in assets], keys)

    def backfill_of(self, assets: Sequence[Sequence[str]], keys: Sequence[str]) -> str:
        """Launch a backfill of any assets, given by their paths, and return its id."""
        answer = self._do(
            "LaunchBackfillSuccess",
            """mutation ($parameters: LaunchBackfillParams!) {
              launchPartitionBackfill(backfillParams: $parameters) {
                __typename
                ... on LaunchBackfillSuccess { backfillId }
                ... on PythonError { message }
              }
            }""",
            parameters={
                "assetSelection": [{"path": list(path)} for path in assets],
                "partitionNames": list(keys),
                "tags": [],
                "fromFailure": False,
            },
        )
        return str(answer["backfillId"])

    def end_of_backfill(self, backfill_id: str) -> str:
        """Wait for a backfill to end, and return its status."""

        def status() -> str | None:
            found = self.ask(
                """query ($id: String!) { partitionBackfillOrError(backfillId: $id) {
                  ... on PartitionBackfill { status error { message } }
                } }""",
                id=backfill_id,
            )["partitionBackfillOrError"]
            going_on = ("REQUESTED", "CANCELING", "FAILING")
            return None if found["status"] in going_on else found["status"]

        return until(status, _LONG, f"backfill {backfill_id}")

    def runs_of_backfill(self, backfill_id: str) -> list[dict[str, Any]]:
        """Return the runs that a backfill has launched, the newest first."""
        return self.runs(**{"dagster/backfill": backfill_id})

    # Records of an asset

    def materializations(self, series: str, asset: str) -> list[Materialization]:
        """Return every materialization of an asset of a series, the newest first."""
        node = self._node(
            series,
            asset,
            """assetMaterializations { partition runId metadataEntries {
              label
              ... on IntMetadataEntry { intValue }
              ... on TextMetadataEntry { text }
              ... on PathMetadataEntry { path }
              ... on MarkdownMetadataEntry { mdStr }
              ... on JsonMetadataEntry { jsonString }
              ... on TableMetadataEntry { table { records } }
              ... on TableSchemaMetadataEntry { schema { columns { name type } } }
              ... on TableColumnLineageMetadataEntry {
                lineage { columnName columnDeps { assetKey { path } columnName } }
              }
            } }""",
        )
        return [
            Materialization(
                one["partition"],
                one["runId"],
                {entry["label"]: _value(entry) for entry in one["metadataEntries"]},
            )
            for one in node["assetMaterializations"]
        ]

    def times_made(self, series: str, asset: str) -> dict[str | None, int]:
        """Return how often each partition of an asset was materialized."""
        return dict(
            Counter(generated.partition for generated in self.materializations(series, asset))
        )

    def partitions(self, series: str, asset: str) -> dict[str, int]:
        """Return the number of materialized and of failed partitions of an asset."""
        node = self._node(series, asset, "partitionStats { numMaterialized numFailed }")
        stats = node["partitionStats"]
        return {"materialized": stats["numMaterialized"], "failed": stats["numFailed"]}

    def staleness(self, series: str, asset: str, keys: Sequence[str]) -> list[str]:
        """Return whether partitions are shown as ``FRESH``, ``STALE`` or ``MISSING``."""
        node = self._node(
            series,
            asset,
            "staleStatusByPartition(partitions: $keys)",
            keys=list(keys),
        )
        return list(node["staleStatusByPartition"])

    def _node(self, series: str, asset: str, wanted: str, **variables: Sequence[str]) -> Any:
        declared = "".join(f", ${name}: [String!]!" for name in variables)
        return self.ask(
            f"""query ($key: AssetKeyInput!{declared}) {{ assetNodeOrError(assetKey: $key) {{
              ... on AssetNode {{ {wanted} }}
            }} }}""",
            key={"path": [series, asset]},
            **variables,
        )["assetNodeOrError"]

    # Sensors

    def _sensor_of(self, series: str) -> dict[str, str]:
        return {**self._repository(), "sensorName": f"{series}_next_period"}

    def start_sensor(self, series: str) -> None:
        """Turn the sensor of a series on."""
        self._do(
            "Sensor",
            """mutation ($sensor: SensorSelector!) {
              startSensor(sensorSelector: $sensor) {
                __typename ... on PythonError { message }
              }
            }""",
            sensor=self._sensor_of(series),
        )

    def stop_sensor(self, series: str) -> None:
        """Turn the sensor of a series off.

        A tick that ends in the same moment may write the state it read, in which the sensor is on
        (Dagster's daemon reads and writes without a transaction). Then it is turned off again.
        """

        def stays_off() -> bool:
            self._do(
                "StopSensorMutationResult",
                """mutation ($id: String!) {
                  stopSensor(id: $id) { __typename ... on PythonError { message } }
                }""",
                id=self._state_of_sensor(series, "id")["id"],
            )
            time.sleep(1)
            return not self.sensor_is_on(series)

        until(stays_off, 30, f"sensor of {series} is off")

    def sensor_is_on(self, series: str) -> bool:
        """Return whether the sensor of a series is on."""
        return bool(self._state_of_sensor(series, "status")["status"] == "RUNNING")

    def ticks(self, series: str) -> list[Tick]:
        """Return the ticks of the sensor of a series, the latest first."""
        ticks = self._state_of_sensor(series, _TICKS)["ticks"]
        return [
            Tick(
                one["status"],
                one["skipReason"] or (one["error"] or {}).get("message"),
                one["runIds"],
            )
            for one in ticks
        ]

    def _state_of_sensor(self, series: str, wanted: str) -> Any:
        return self.ask(
            f"""query ($sensor: SensorSelector!) {{ sensorOrError(sensorSelector: $sensor) {{
              ... on Sensor {{ sensorState {{ {wanted} }} }}
            }} }}""",
            sensor=self._sensor_of(series),
        )["sensorOrError"]["sensorState"]

    # Files

    def files(self, series: str) -> dict[str, bytes]:
        """Return the delivered files of a series."""
        return files_in(self.data_dir / series)


def tags_of(first: str | None = None, last: str | None = None) -> dict[str, str]:
    """Return the tags that give a run its partition or range of partitions."""
    if first is None:
        return {}
    if last is None:
        return {"dagster/partition": first}
    return {
        "dagster/asset_partition_range_start": first,
        "dagster/asset_partition_range_end": last,
    }


def _value(entry: Mapping[str, Any]) -> Any:
    """Return the value of a metadata entry."""
    [value] = [value for key, value in entry.items() if key != "label"]
    if "jsonString" in entry:
        return json.loads(value)
    if "table" in entry:
        return [json.loads(record) for record in value["records"]]
    if "schema" in entry:
        return {column["name"]: column["type"] for column in value["columns"]}
    if "lineage" in entry:
        return {
            column["columnName"]: [
                "/".join((*source["assetKey"]["path"], source["columnName"]))
                for source in column["columnDeps"]
            ]
            for column in value
        }
    return value
