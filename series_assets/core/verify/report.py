"""What a comparison reports: kinds of findings, examples of each, and their wording."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

EXAMPLES = 5
"""How many examples of each finding a report keeps."""


@dataclass(frozen=True)
class Kind:
    """A kind of finding and how it reads."""

    one: str
    """The sentence for a single one."""
    many: str
    """The sentence for several, behind their number."""
    hint: str
    """What to look for."""

    def sentence(self, count: int) -> str:
        """Return the finding as a sentence, without what to look for."""
        return f"{count:,} {self.many}" if count != 1 else f"1 {self.one}"


KINDS: Mapping[str, Kind] = {
    "missing_entity": Kind(
        "key is missing from the table",
        "keys are missing from the table",
        "was a file cut short or not loaded, or does a join drop rows?",
    ),
    "unknown_entity": Kind(
        "key was never delivered",
        "keys were never delivered",
        "does the table hold rows of another source, or rows without a key?",
    ),
    "missing_version": Kind(
        "version is missing",
        "versions are missing",
        "was a load skipped, or does the pipeline not see some changes?",
    ),
    "extra_version": Kind(
        "version should not exist",
        "versions should not exist",
        "does the pipeline open a version where no tracked column changed, or load one twice?",
    ),
    "duplicate_version": Kind(
        "row repeats another",
        "rows repeat another",
        "does a load hold several rows of a key, or was it merged twice?",
    ),
    "two_current": Kind(
        "key has several current rows",
        "keys have several current rows",
        "was the delta merged twice, or does a load hold several rows of a key?",
    ),
    "no_current": Kind(
        "key has no current row",
        "keys have no current row",
        "is a delta read as a full snapshot, so that absence counts as deletion?",
    ),
    "overlap": Kind(
        "version begins before the one before it ends",
        "versions begin before the one before them ends",
        "does the pipeline close a version when it opens the next one?",
    ),
    "inverted_interval": Kind(
        "version does not end after it begins",
        "versions do not end after they begin",
        "did rows arrive late or out of order?",
    ),
    "wrong_valid_from": Kind(
        "version begins at the wrong time",
        "versions begin at the wrong time",
        "does the pipeline take the time of the run, or another column?",
    ),
    "wrong_valid_to": Kind(
        "version ends at the wrong time",
        "versions end at the wrong time",
        "is a delta read as a full snapshot, or is a version not closed?",
    ),
    "wrong_value": Kind(
        "value differs",
        "values differ",
        "does the pipeline take another row, rewrite closed versions, or convert values?",
    ),
    "not_deleted": Kind(
        "deleted key is still current",
        "deleted keys are still current",
        "does the pipeline read the list of deletes?",
    ),
    "wrongly_deleted": Kind(
        "key is marked as deleted",
        "keys are marked as deleted",
        "is a delta read as a full snapshot, so that absence counts as deletion?",
    ),
}
"""The kinds of findings, in the order in which they are reported."""


@dataclass(frozen=True)
class Example:
    """One place where the table differs from the expected history."""

    key: str
    """The identifier of the entity; "" where the table has none."""
    version: int | None
    """The number of the expected version; None where none is expected."""
    column: str
    """The column that differs, by the name it has in the series; "" for rows as such."""
    found: str
    """What the table holds."""
    expected: str
    """What it should hold."""

    def __str__(self) -> str:
        """The example as a line of a report."""
        key = f"key {self.key}" if self.key else "no key"
        version = f", version {self.version}" if self.version is not None else ""
        column = f", {self.column}" if self.column else ""
        return f"{key}{version}{column}: found {self.found}, expected {self.expected}"


@dataclass(frozen=True)
class Finding:
    """All differences of one kind."""

    kind: str
    """A key of ``KINDS``."""
    count: int
    """How many there are: keys, versions, or (``wrong_value``) cells."""
    examples: tuple[Example, ...]
    """The first of them."""

    def __str__(self) -> str:
        """The finding as a sentence, with what to look for."""
        return f"{self.sentence}; {KINDS[self.kind].hint}"

    @property
    def sentence(self) -> str:
        """The finding alone."""
        return KINDS[self.kind].sentence(self.count)


@dataclass(frozen=True)
class VerificationReport:
    """How a table compares with the expected history."""

    series: str
    """Name of the series."""
    as_: str
    """``scd2`` or ``scd1``."""
    at: str
    """First day of the period as of which it was compared."""
    expected: int
    """How many versions (``scd1``: keys) are expected."""
    rows: int
    """How many rows the table has."""
    correct: int
    """How many of the expected ones have a row that is equal in everything compared."""
    findings: tuple[Finding, ...]
    """The kinds that occur, in the order of ``KINDS``."""
    accepted_ties: int = 0
    """How many times another of several tied rows was accepted."""
    ignored_columns: tuple[str, ...] = ()
    """Columns of the table that were not compared."""
    notes: tuple[str, ...] = ()
    """What a reader should know beside the findings."""
    causes: tuple[str, ...] = ()
    """What findings have in common, which names the likely mistake."""

    @property
    def holds(self) -> bool:
        """Whether the table is as expected."""
        return not self.findings

    @property
    def counts(self) -> dict[str, int]:
        """How many differences of each kind there are; only those that occur."""
        return {finding.kind: finding.count for finding in self.findings}

    @property
    def summary(self) -> str:
        """The result as a sentence."""
        unit = "versions" if self.as_ == "scd2" else "keys"
        if self.holds:
            return f"{self.series}: the table is correct as of {self.at}, {self.expected:,} {unit}"
        wrong = f"{self.series}: the table is wrong as of {self.at}"
        if self.correct == self.expected:
            return f"{wrong}, though all {self.expected:,} expected {unit} are there"
        return f"{wrong}, {self.correct:,} of {self.expected:,} expected {unit} are correct"

    def lines(self) -> Iterator[str]:
        """Yield the lines of the report: result, causes, findings with examples, notes."""
        yield self.summary
        yield from (f"likely cause: {cause}" for cause in self.causes)
        for finding in self.findings:
            # A likely cause says more than the hint, and the two may contradict each other.
            yield f"{finding.kind}: {finding.sentence if self.causes else finding}"
            yield from (f"    {example}" for example in finding.examples)
        if self.accepted_ties:
            cases = "1 case" if self.accepted_ties == 1 else f"{self.accepted_ties:,} cases"
            yield f"note: in {cases} the table has another of several tied rows, which is accepted"
        if self.ignored_columns:
            names = ", ".join(name or "''" for name in self.ignored_columns)
            yield f"note: columns not compared: {names}"
        yield from (f"note: {note}" for note in self.notes)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, for JSON."""
        return {
            "series": self.series,
            "as": self.as_,
            "at": self.at,
            "holds": self.holds,
            "expected": self.expected,
            "rows": self.rows,
            "correct": self.correct,
            "findings": [
                {
                    "kind": one.kind,
                    "count": one.count,
                    "message": str(one),
                    "examples": [vars(example) for example in one.examples],
                }
                for one in self.findings
            ],
            "likely_causes": list(self.causes),
            "accepted_ties": self.accepted_ties,
            "ignored_columns": list(self.ignored_columns),
            "notes": list(self.notes),
        }
