"""What a run reports while it goes on."""

PHASES = ("new records", "reference table", "dataset")
"""The phases of each period, in their order."""


class Progress:
    """Receives the progress of a run; this one ignores it, the command line shows a bar."""

    def reached(self, key: str, phase: str) -> None:
        """Take note that ``phase`` of the period with the partition key ``key`` begins."""

    def noted(self, text: str) -> None:
        """Take note of something that is no fault, but worth knowing."""
