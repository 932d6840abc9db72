"""Tests of inferring a series from real data."""
