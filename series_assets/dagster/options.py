"""What a host project attaches to the assets of a series: keys, owners, pools, policies.

The names are those that Dagster uses for the same things. What the assets do is not affected.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from series_assets.core.errors import Fault, InputError


@dataclass(frozen=True)
class AssetOptions:
    """Options of the assets of a series; by default nothing is attached."""

    key_prefix: str | Sequence[str] = ()
    """Put in front of the key of every asset: ``[*key_prefix, series, asset]``. Text with slashes
    is several parts."""
    group_name: str | None = None
    """The group of every asset; by default the name of the series."""
    owners: Sequence[str] = ()
    """Owners of every asset: email addresses, and teams as ``team:name``."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every asset, besides those that the package sets."""
    pool: str | None = None
    """The concurrency pool of every op, those of the checks and of the report included."""
    retry_policy: dg.RetryPolicy | None = None
    """How often an op of an asset is tried again. Mistakes in the files are not retried."""
    freshness_policy: dg.FreshnessPolicy | None = None
    """Of the assets that have partitions; ``report`` runs on demand."""
    automation_condition: dg.AutomationCondition | None = None
    """Of the assets that have partitions; ``report`` runs on demand."""

    def key_of(self, series: str, asset: str) -> dg.AssetKey:
        """Return the key of an asset of a series."""
        given = self.key_prefix
        prefix = list(filter(None, given.split("/"))) if isinstance(given, str) else given
        return dg.AssetKey([*prefix, series, asset])

    def check(self, file: str) -> None:
        """Raise InputError where Dagster does not accept an option; ``file`` names their place."""
        try:
            partitions = dg.StaticPartitionsDefinition(["1"])
            key = self.key_of("series", "dataset")
            self._attach(dg.AssetSpec(key, partitions_def=partitions))

            @dg.op(pool=self.pool, retry_policy=self.retry_policy)
            def probe() -> None: ...

        except Exception as error:  # Dagster raises many kinds, some of them private
            lines = str(error).strip().splitlines() or [type(error).__name__]
            remedy = "correct this option of the assets"
            raise InputError([Fault(file, "", lines[0].rstrip("."), remedy)]) from None

    def attach(self, assets: Iterable[dg.AssetsDefinition]) -> list[dg.AssetsDefinition]:
        """Return the assets with owners, tags, group and policies."""
        return [asset.map_asset_specs(self._attach) for asset in assets]

    def _attach(self, spec: dg.AssetSpec) -> dg.AssetSpec:
        given: dict[str, Any] = {"group_name": self.group_name, "owners": list(self.owners)}
        if spec.partitions_def is not None:
            given["freshness_policy"] = self.freshness_policy
            given["automation_condition"] = self.automation_condition
        replaced = {name: value for name, value in given.items() if value}
        return spec.replace_attributes(**replaced).merge_attributes(tags=dict(self.tags))


NO_OPTIONS = AssetOptions()
"""Nothing is attached."""
