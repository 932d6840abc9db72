"""What Exhibit's own words mean: the only module that reads them.

They are Exhibit 0.9.9's, and may be worded anew in another version.
"""

from collections.abc import Sequence

from series_assets.core.errors import SHORT_OF_MEMORY, GenerationError


def complaint(error: Exception, lines: Sequence[str]) -> GenerationError:
    """Return the error that ended a run of Exhibit as one of ours, of no period yet.

    ``lines`` are what Exhibit printed until then.
    """
    if isinstance(error, GenerationError):
        return error
    if isinstance(error, MemoryError):
        return GenerationError(*SHORT_OF_MEMORY)
    if isinstance(error, RuntimeError) and any(line.startswith("VALIDATION") for line in lines):
        return GenerationError("Exhibit refuses the specification: " + " ".join(lines))
    return GenerationError(f"Exhibit failed with {type(error).__name__}: {error}")


def is_about_duplicates(line: str) -> bool:
    """Tell whether a line only says that Exhibit left out duplicate rows, which we count."""
    return "duplicates" in line
