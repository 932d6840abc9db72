"""Tests of everything that imports Dagster."""
