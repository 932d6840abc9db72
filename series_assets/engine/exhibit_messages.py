"""Interpretation of Exhibit's messages; no other module reads them.

They are those of Exhibit 0.9.9 and may differ in another version.
"""

from collections.abc import Sequence

from series_assets.core.errors import SHORT_OF_MEMORY, GenerationError


def as_generation_error(error: Exception, lines: Sequence[str]) -> GenerationError:
    """Return the error that ended a run of Exhibit as a GenerationError.

    ``lines`` are what Exhibit has printed.
    """
    if isinstance(error, GenerationError):
        return error
    if isinstance(error, MemoryError):
        return GenerationError(*SHORT_OF_MEMORY)
    if isinstance(error, RuntimeError) and any(line.startswith("VALIDATION") for line in lines):
        return GenerationError("Exhibit refuses the specification: " + " ".join(lines))
    problem = f"Exhibit failed with {type(error).__name__}: {error}"
    if "create a subregion" in str(error):
        return GenerationError(
            f"{problem.rstrip('.')} for a group of geo_make_regions",
            "use fewer groups, more cells in its h3_table or another random_seed",
        )
    return GenerationError(problem)


def is_about_duplicates(line: str) -> bool:
    """Return whether a line only reports that Exhibit removed duplicate rows."""
    return "duplicates" in line
