"""Where the project keeps its files."""

from pathlib import Path

PROJECT = Path(__file__).parents[2]
SERIES = Path(__file__).parent / "defs" / "school"
DBT = PROJECT / "dbt"
DATA = PROJECT / "data"
"""The delivered files: ``school/dataset_1.csv`` and so on."""
WAREHOUSE = PROJECT / "warehouse.duckdb"
"""What dbt writes, see ``dbt/profiles.yml``."""
