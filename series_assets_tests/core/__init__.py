"""Tests of the pure part of the package: no Dagster, no Exhibit, no files."""
