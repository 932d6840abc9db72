"""What the project defines: Dagster finds it here."""
