"""Tests of creating the files of a new series."""
