"""Tests of what is inferred from real data."""
