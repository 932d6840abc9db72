"""One period from its plan to its files, in plain functions. Imports no Dagster."""
