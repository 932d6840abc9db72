"""What a period does to the history: read its dataset, look up states, fold, record the states."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pyarrow as pa

from series_assets.core.errors import RequestError
from series_assets.core.plan.calendar import Period
from series_assets.core.plan.series import Series
from series_assets.core.truth.columns import entities_of
from series_assets.core.truth.fold import Fold, fold
from series_assets.pipeline.facts import Facts, summarize_fold
from series_assets.pipeline.progress import counted
from series_assets.pipeline.workspace import Workspace
from series_assets.storage import files, provenance
from series_assets.storage.tables import state_table, states_of


@dataclass(frozen=True)
class PeriodFold:
    """What a period does to the history, and which delivered file says so."""

    fold: Fold
    content: str
    """SHA-256 of the delivered file, in hexadecimal digits."""

    @property
    def contents(self) -> str:
        """What the period did, in words."""
        versions, ties = counted(self.fold.versions, "version"), counted(self.fold.ties, "tie")
        return f"{versions} opened, {ties}"

    def facts(self, series: Series) -> Facts:
        """Return what is reported of it."""
        return Facts(fold=summarize_fold(series, self.fold))


def recorded_periods(series: Series, workspace: Workspace) -> int:
    """Return of how many periods the states are recorded and current, those of all shards."""
    return states_of(series, workspace.layout(series)).recorded_periods()


def fold_period(
    series: Series, period: Period, workspace: Workspace, texts: pa.Table | None = None
) -> PeriodFold:
    """Return what the delivered dataset of a period does to the history before it.

    Of a shard it is that of its part: entities stay in their shard. Changes nothing, and may be
    called again at any time: the states before a period stay what they were. ``texts`` is what the
    dataset contains, which else is read from it.

    Raises RequestError where the dataset or the states before it are missing or come from other
    contents, GenerationError where ``time: event`` cannot date a row.
    """
    truth = series.history
    content = read_dataset(series, period, workspace)
    names = (truth.key, *truth.track, *((truth.order_by,) if truth.order_by else ()))
    wanted = list(dict.fromkeys(names))
    if texts is None:
        with _explained_damage(series, workspace, period):
            rows = files.parse_table(content, wanted)
    else:
        rows = texts.select(wanted)
    entities = entities_of(rows[truth.key])
    earlier = state_table(series, workspace.layout(series)).latest(entities.keys, period.k)
    return PeriodFold(fold(truth, period, rows, entities, earlier), sha256(content).hexdigest())


def read_delivered(
    series: Series, period: Period, workspace: Workspace, names: Sequence[str]
) -> pa.Table:
    """Return columns of a delivered dataset, or of the part of a shard, as text.

    Raises RequestError where it is missing or damaged.
    """
    with _explained_damage(series, workspace, period):
        return files.read_table(workspace.layout(series).dataset(period.number), names)


def _explained_damage(
    series: Series, workspace: Workspace, period: Period
) -> AbstractContextManager[None]:
    """Raise RequestError where a block cannot read the dataset of a period."""
    remedy = f"run series-assets generate {series.name} --periods {period.key}"
    return files.explain_read_errors(workspace.layout(series).dataset(period.number), remedy)


def read_dataset(series: Series, period: Period, workspace: Workspace) -> bytes:
    """Return the bytes of the dataset of a period.

    Raises RequestError where it is missing, comes from other contents or cannot be read.
    """
    layout = workspace.layout(series)
    with workspace.exclusive_access():
        provenance.require_delivered(series, layout, period)
        with _explained_damage(series, workspace, period):
            return layout.dataset(period.number).read_bytes()


def record_states(
    series: Series,
    period: Period,
    folded: PeriodFold,
    workspace: Workspace,
    folder: Path | None = None,
) -> None:
    """Record the states of a period in place of those it had before. Raises RequestError.

    Its manifest is removed first: that one says that all of the period's files are complete. For a
    part, ``run_parts`` does so.
    ``folder`` is for temporary files, which object storage needs.
    """
    if series.shard is None:
        with workspace.exclusive_access():
            files.remove(workspace.layout(series).manifest(period.number))
    state_table(series, workspace.layout(series)).replace(
        period.k, folded.fold.states, folded.content, folder
    )


def recorded_fold(series: Series, period: Period, workspace: Workspace) -> PeriodFold:
    """Return what a period did whose states are recorded, as ``fold_period``.

    Raises RequestError where they are not, or come from another dataset than is there now.
    """
    recorded = state_table(series, workspace.layout(series)).content(period.k)
    folded = fold_period(series, period, workspace)
    if folded.content != recorded:
        raise RequestError(
            "its states were computed from a dataset other than the one that is there now",
            f"first run series-assets generate {series.name} --periods {period.key}, or "
            "materialize state of that partition",
            series=series.name,
            period=period.key,
        )
    return folded
