"""The rules of a series, derived from the contents of its two files."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from series_assets_tests.checker.periods import Periods

_OVER_OTHER_ROWS = re.compile(r"groupby|\.(sum|mean|rank|shift|cumsum|min|max|median|std|count)\(")


class Rules(Periods):
    """The requirements of constraints and derived columns, and which existing records can keep."""

    def targets(self, *actions: str) -> set[str]:
        """Return the columns that custom constraints change, with any action or some of them."""
        return {
            name.strip()
            for custom in self.custom.values()
            for names, action in (custom.get("targets") or {}).items()
            if not actions or any(word in action for word in actions)
            for name in names.split(",")
        }

    def may_lack(self, name: str) -> bool:
        """Return whether values of a column may be missing."""
        blanking = self.targets("make_null", "sequence", "make_distinct")
        return name in blanking or name in self.lacking

    @cached_property
    def lacking(self) -> set[str]:
        """The columns with missing values, and those computed from them.

        Exhibit leaves a number or a date empty if the value that it is compared with, or grouped
        by, is missing.
        """
        found = {name for name, column in self.columns.items() if column["miss_probability"]}
        found |= self.targets("make_null", "sequence", "make_distinct")
        while True:
            more = {
                t.split(" ", 1)[0]
                if "~" not in t
                else next(n for n in self.columns if t.startswith((n + " ", f"~{n}~ ")))
                for t in self.basic
                if self.mentions(t) & found
            }
            for custom in self.custom.values():
                groups = {n.strip() for n in (custom.get("partition") or "").split(",")}
                if groups & found:
                    more |= {n.strip() for names in custom["targets"] for n in names.split(",")}
                for names in custom["targets"]:
                    these = {n.strip() for n in names.split(",")}
                    if these & found:
                        more |= these
            if more <= found:
                return found
            found |= more

    @cached_property
    def over_all_rows(self) -> list[str]:
        """The derived columns that are computed over all rows of a dataset."""
        found = depending_on_other_rows(self.derived, self._derivation_mentions)
        return [name for name in found if name not in self.static]

    @cached_property
    def removed_derived(self) -> set[str]:
        """The derived columns that existing records are generated without."""
        forbidden = {*self.static, *self.static_outputs, *self.moved}
        lost = {name for name in self.derived if name in self.static}
        while True:
            more = {
                name
                for name, text in self.derived.items()
                if name not in lost and self._derivation_mentions(text) & (forbidden | lost)
            }
            if not more:
                return lost
            lost |= more

    @cached_property
    def forbidden(self) -> set[str]:
        """The columns that a specification of existing records must not mention."""
        return {*self.static, *self.static_outputs, *self.moved, *self.removed_derived}

    def mentions(self, text: str) -> set[str]:
        """Return the columns that a constraint or a filter mentions, by exact name."""
        return self._named(re.sub(r"'[^']*'|\"[^\"]*\"", " ", text).replace("~", " "))

    def _derivation_mentions(self, text: str) -> set[str]:
        return self._named(text)

    def _named(self, text: str) -> set[str]:
        found = set()
        names = {*self.columns, *self.derived, *self.header}
        for name in sorted(names, key=len, reverse=True):
            forms = {re.escape(name), re.escape(name.replace(" ", "__"))}
            text, times = re.subn(rf"(?<!\w)({'|'.join(forms)})(?!\w)", " ", text)
            found |= {name} if times else set()
        return found

    def kept_custom(self) -> dict[str, Any]:
        """Return the custom constraints that existing records are generated with."""
        kept = {}
        for name, custom in self.custom.items():
            partition = {n.strip() for n in (custom.get("partition") or "").split(",")}
            if (self.mentions(custom.get("filter") or "") | partition) & self.forbidden:
                continue
            targets = {
                names: action
                for names, action in custom["targets"].items()
                if not {n.strip() for n in names.split(",")} & self.forbidden
            }
            if targets:
                kept[name] = {**custom, "targets": targets}
        return kept


def depending_on_other_rows(derived: Mapping[str, str], mentions: Any) -> list[str]:
    """Return the derived columns that depend on other rows, directly or through each other."""
    found: list[str] = []
    while True:
        more = [
            name
            for name, text in derived.items()
            if name not in found
            and (_OVER_OTHER_ROWS.search(text) or mentions(text).intersection(found))
        ]
        if not more:
            return found
        found += more
