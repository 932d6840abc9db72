"""Reads and validates the two files of a series."""
