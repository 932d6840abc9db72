"""Tests of the expressions in specifications."""
