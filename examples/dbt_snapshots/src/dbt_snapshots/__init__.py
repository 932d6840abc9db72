"""A Dagster project in which dbt keeps the history of a series, and a check verifies it."""
