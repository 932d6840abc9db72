"""Returning memory to the system between periods.

Without it a process keeps what the largest period so far needed, in pieces that the next period
does not quite fit into, so that a long series takes more memory with every period.
"""

import ctypes
import gc
import sys
from contextlib import suppress

import pyarrow as pa

_PAYS_FROM = 10_000
"""Rows of a period from which memory is returned: it takes some hundredths of a second."""


def release_unused(rows: int) -> None:
    """Return memory that is free after a period of so many rows."""
    if rows < _PAYS_FROM:
        return
    gc.collect()  # records are in reference cycles of Exhibit, and garbage is looked for rarely
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # a C library other than glibc
            ctypes.CDLL(None).malloc_trim(0)
