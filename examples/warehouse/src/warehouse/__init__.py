"""A Dagster project that is fed by a series of datasets."""
