"""Tests of reading the two files of a series."""
