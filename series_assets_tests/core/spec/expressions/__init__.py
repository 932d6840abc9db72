"""Tests of what an expression may be, and of expressions evaluated."""
