"""Everything that imports Dagster: assets, ops, the IO manager, checks, sensors, the component."""
