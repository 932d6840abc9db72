"""Tests of the files of a series that is started anew."""
