"""Tests of the expected history."""
