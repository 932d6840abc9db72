"""Writes the two files of a new series: from a template, or inferred from real data."""
