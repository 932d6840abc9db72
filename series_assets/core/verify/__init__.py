"""Comparing a tester's table with the expected history. Pure: tables in, a report out."""
