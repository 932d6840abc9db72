"""Tests of comparing a table with the expected history."""
