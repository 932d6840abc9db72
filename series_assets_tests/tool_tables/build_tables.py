"""Build the tables of this folder with the tools themselves, from datasets of the series that ship.

Each tool runs in an environment of its own, which this script creates::

    python -m series_assets_tests.tool_tables.build_tables FOLDER [TOOL|TABLE]...

``FOLDER`` takes the environments, the series and the tools' projects. The tables are written as
Parquet beside this file. Loads have the first day of their period as their time.
"""

import subprocess
import sys
import venv
from pathlib import Path
from textwrap import dedent
from typing import Any

from series_assets import generate
from series_assets.core.plan.series import Series
from series_assets_tests.tool_tables.series import TRACKED, with_truth

HERE = Path(__file__).parent
PACKAGES = {
    "dbt": ["dbt-core==1.11.*", "dbt-duckdb==1.11.*"],
    "dlt": ["dlt[duckdb]==1.31.*"],
    "merge": ["duckdb"],
    "sqlmesh": ["sqlmesh==0.236.*"],
}


def environment(folder: Path, tool: str) -> Path:
    """Return the folder of an environment's programs, and create the environment if missing."""
    place = folder / f"env-{tool}"
    if not place.exists():
        venv.create(place, with_pip=True)
        command = [place / "bin" / "pip", "install", "-q", *PACKAGES[tool]]
        subprocess.run(command, check=True)
    return place / "bin"


def feed(series: Series, data: Path, *, raw: bool, ties: str = "DESC") -> str:
    """Return SQL for the rows of period ``{n}``: all, or the last one of each entity.

    With ``ties="ASC"``, the first of several rows with the same date counts as the last.
    """
    truth = series.truth
    assert truth is not None
    columns = ", ".join([truth.key, *truth.track, truth.order_by or ""])
    file = data / series.name / "dataset_{n}.csv"
    rows = f"SELECT *, row_number() OVER () AS place FROM read_csv('{file}', all_varchar=true)"
    last = (
        f" QUALIFY row_number() OVER (PARTITION BY {truth.key} "
        f"ORDER BY {truth.order_by} DESC, place {ties}) = 1"
    )
    known = f" WHERE {truth.key} IS NOT NULL"
    return f"SELECT {columns} FROM ({rows}){known}{'' if raw else last}"


def build_dbt(series: Series, data: Path, folder: Path, target: Path, **how: Any) -> None:
    """Snapshot the datasets period by period with the strategy ``check``."""
    truth = series.truth
    assert truth is not None
    project = folder / f"dbt-{target.stem}"
    for name, text in {
        "dbt_project.yml": """
            name: feed
            version: "1.0.0"
            profile: feed
            flags: {send_anonymous_usage_stats: false}
            """,
        "profiles.yml": f"""
            feed:
              target: dev
              outputs: {{dev: {{type: duckdb, path: "{project}/feed.duckdb"}}}}
            """,
        "macros/time.sql": (
            "{% macro snapshot_get_time() %}'{{ var(\"day\") }}'::timestamp{% endmacro %}"
        ),
        "models/delivered.sql": "{{ config(materialized='view') }} {{ var('rows') }}",
        "snapshots/dim.yml": f"""
            snapshots:
              - name: dim
                relation: ref('delivered')
                config:
                  unique_key: {truth.key}
                  strategy: check
                  check_cols: [{", ".join(truth.track)}]
                  hard_deletes: {how["hard_deletes"]}
            """,
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(dedent(text))
    runner = f"""
        import json, sys
        from dbt.cli.main import dbtRunner
        for day, rows in json.loads(sys.argv[1]):
            arguments = ["build", "--project-dir", "{project}", "--profiles-dir", "{project}",
                         "--vars", json.dumps({{"day": day, "rows": rows}}), "--quiet"]
            assert dbtRunner().invoke(arguments).success
        import duckdb
        with duckdb.connect("{project}/feed.duckdb") as connection:
            connection.execute("COPY (SELECT * FROM dim ORDER BY ALL) TO '{target}'"
                               " (FORMAT parquet, COMPRESSION zstd)")
        """
    run(environment(folder, "dbt"), runner, series, feed(series, data, raw=how["raw"]))


def build_merge(series: Series, data: Path, folder: Path, target: Path, **how: Any) -> None:
    """Close changed versions with MERGE and insert the new ones, in DuckDB."""
    truth = series.truth
    assert truth is not None
    key, names = truth.key, ", ".join([truth.key, *truth.track])
    differ = " OR ".join(f"dim.{name} IS DISTINCT FROM new.{name}" for name in truth.track)
    same = " AND ".join(f"dim.{name} IS NOT DISTINCT FROM new.{name}" for name in truth.track)
    runner = f"""
        import json, sys, duckdb
        connection = duckdb.connect()
        for number, (day, rows) in enumerate(json.loads(sys.argv[1])):
            connection.execute(f"CREATE OR REPLACE TABLE new AS {{rows}}")
            if not number:
                connection.execute("CREATE TABLE dim AS SELECT {names}, NULL::DATE AS valid_from, "
                                   "NULL::DATE AS valid_to FROM new LIMIT 0")
            connection.execute(f\"\"\"
                MERGE INTO dim USING (
                  SELECT {key} AS merge_key, * FROM new
                  UNION ALL
                  SELECT NULL, new.* FROM new JOIN dim USING ({key})
                  WHERE dim.valid_to IS NULL AND ({differ})) AS new
                ON dim.{key} = new.merge_key AND dim.valid_to IS NULL
                WHEN MATCHED AND NOT ({same}) THEN UPDATE SET valid_to = DATE '{{day}}'
                WHEN NOT MATCHED THEN INSERT ({names}, valid_from)
                  VALUES ({", ".join(f"new.{one}" for one in [key, *truth.track])}, DATE '{{day}}')
                \"\"\")
        connection.execute("COPY (SELECT * FROM dim ORDER BY ALL) TO '{target}'"
                           " (FORMAT parquet, COMPRESSION zstd)")
        """
    run(environment(folder, "merge"), runner, series, feed(series, data, **how))


def build_dlt(series: Series, data: Path, folder: Path, target: Path, **how: Any) -> None:
    """Load the datasets period by period with the strategy ``scd2``.

    The identifier is the ``merge_key``, so that a delivery says nothing about other entities. Only
    tracked columns are loaded, because dlt opens a version if any column changes.
    """
    truth = series.truth
    assert truth is not None
    project = folder / f"dlt-{target.stem}"
    project.mkdir(exist_ok=True)
    runner = f"""
        import json, os, sys
        os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
        import dlt, duckdb
        warehouse = "{project}/warehouse.duckdb"
        pipeline = dlt.pipeline("feed", pipelines_dir="{project}", dataset_name="feed",
                                destination=dlt.destinations.duckdb(warehouse))
        for day, rows in json.loads(sys.argv[1]):
            found = duckdb.sql(f"SELECT {", ".join([truth.key, *truth.track])} FROM ({{rows}})")
            names = found.columns
            delivered = [dict(zip(names, row)) for row in found.fetchall()]
            resource = dlt.resource(
                delivered, name="dim", merge_key="{truth.key}",
                columns={{name: {{"data_type": "text"}} for name in names}},
                write_disposition={{"disposition": "merge", "strategy": "scd2",
                                    "boundary_timestamp": day}})
            pipeline.run(resource).raise_on_failed_jobs()
        with duckdb.connect(warehouse) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("COPY (SELECT * FROM feed.dim ORDER BY ALL) TO '{target}'"
                               " (FORMAT parquet, COMPRESSION zstd)")
        """
    run(environment(folder, "dlt"), runner, series, feed(series, data, **how))


def build_sqlmesh(series: Series, data: Path, folder: Path, target: Path, **how: Any) -> None:
    """Run a model of the kind ``SCD_TYPE_2_BY_COLUMN`` once per period.

    As by default in SQLMesh, versions of the first run start in 1970.
    """
    truth = series.truth
    assert truth is not None
    project = folder / f"sqlmesh-{target.stem}"
    (project / "models").mkdir(parents=True, exist_ok=True)
    (project / "models" / "dim.sql").write_text(
        dedent(f"""
            MODEL (
              name main.dim,
              kind SCD_TYPE_2_BY_COLUMN (
                unique_key {truth.key},
                columns [{", ".join(truth.track)}]
              ),
              cron '@daily',
              start '2000-01-01'
            );
            SELECT {", ".join(f"{name}::TEXT AS {name}" for name in (truth.key, *truth.track))}
            FROM feed.delivered
            """)
    )
    runner = f"""
        import json, os, sys
        os.environ["SQLMESH__DISABLE_ANONYMIZED_ANALYTICS"] = "true"
        from sqlmesh import Context
        from sqlmesh.core.config import Config, DuckDBConnectionConfig, ModelDefaultsConfig
        config = Config(
            default_connection=DuckDBConnectionConfig(database="{project}/warehouse.duckdb"),
            model_defaults=ModelDefaultsConfig(dialect="duckdb"))
        context = Context(paths=["{project}"], config=config)
        warehouse = context.engine_adapter
        warehouse.execute("CREATE SCHEMA feed")
        for number, (day, rows) in enumerate(json.loads(sys.argv[1])):
            warehouse.cursor.execute(f"CREATE OR REPLACE TABLE feed.delivered AS {{rows}}")
            if number:
                context.run(execution_time=day, ignore_cron=True)
            else:
                context.plan(auto_apply=True, no_prompts=True, execution_time=day)
        warehouse.cursor.execute("COPY (SELECT * FROM main.dim ORDER BY ALL) TO '{target}'"
                                 " (FORMAT parquet, COMPRESSION zstd)")
        """
    run(environment(folder, "sqlmesh"), runner, series, feed(series, data, **how))


def run(programs: Path, runner: str, series: Series, rows: str) -> None:
    """Run a program in an environment with the days and the rows of all periods."""
    import json

    periods = series.calendar.periods
    loads = json.dumps([[one.key, rows.format(n=one.number)] for one in periods])
    subprocess.run([programs / "python", "-c", dedent(runner), loads], check=True)


TABLES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "dbt_school": (build_dbt, "school", {"hard_deletes": "ignore", "raw": False}),
    "dbt_clinic": (build_dbt, "clinic", {"hard_deletes": "ignore", "raw": False}),
    "dbt_school_as_snapshot": (build_dbt, "school", {"hard_deletes": "invalidate", "raw": False}),
    "dbt_school_new_record": (build_dbt, "school", {"hard_deletes": "new_record", "raw": False}),
    "dbt_clinic_raw": (build_dbt, "clinic", {"hard_deletes": "ignore", "raw": True}),
    "dlt_school": (build_dlt, "school", {"raw": False}),
    "dlt_clinic": (build_dlt, "clinic", {"raw": False}),
    "dlt_clinic_raw": (build_dlt, "clinic", {"raw": True}),
    "merge_school": (build_merge, "school", {"raw": False}),
    "merge_clinic": (build_merge, "clinic", {"raw": False}),
    "merge_clinic_other_ties": (build_merge, "clinic", {"raw": False, "ties": "ASC"}),
    "sqlmesh_school": (build_sqlmesh, "school", {"raw": False}),
    "sqlmesh_clinic": (build_sqlmesh, "clinic", {"raw": False}),
    "sqlmesh_clinic_raw": (build_sqlmesh, "clinic", {"raw": True}),
}
"""The tool, the series and the function that build each table."""


def main(folder: Path, wanted: list[str]) -> None:
    """Build the tables of some tools, or some tables by name; by default all."""
    data = folder / "data"
    series = {name: with_truth(folder / "series", name) for name in TRACKED}
    for one in series.values():
        generate(one, data)
    for name, (build, source, how) in TABLES.items():
        if not wanted or name in wanted or name.partition("_")[0] in wanted:
            build(series[source], data, folder, HERE / f"{name}.parquet", **how)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
