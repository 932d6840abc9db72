"""Series of periodic datasets, described by two YAML files and made by Exhibit through Dagster."""
