"""Tests of the files, the database and the reference table, against real ones."""
