"""Exhibit's slow loops again, over whole columns: the same results to the bit, only sooner.

One module a part, and ``registry`` with the list of what stands in for what. A result has the
values, types and index that stock Exhibit's would have, and leaves the random generators where
stock Exhibit leaves them. What a replacement does not cover it leaves to stock Exhibit.
"""
