"""A checker of generated series, from the outside: their files and database against the contract.

It reads what a consumer can read and derives every rule from the two files of the series; it uses
none of the package's own rules. ``check`` raises an AssertionError that names the file and the
fault. ``rules`` derives the rules, ``delivered`` reads the data; each other module has the checks
of one subject.
"""

from series_assets_tests.checker.check import check
from series_assets_tests.checker.finished import Finished

__all__ = ["Finished", "check"]
