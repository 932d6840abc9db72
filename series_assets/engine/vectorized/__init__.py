"""Vectorized replacements of Exhibit's slow loops, with bit-identical results.

``registry`` lists them. A result has the values, types and index of stock Exhibit's, and leaves
the random generators in the same state. Cases that are not covered are left to stock Exhibit.
"""
