"""The three assets of a series, materialized through Dagster."""
