"""What is compared with what, at which sizes, and what is aimed at."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import inputs
from benchmarks.children import Child, Taken, command, interleaved, program, seconds_in
from benchmarks.shards import measure_shards

SERIES = ("school", "clinic")
PHASES = ("start", "new records", "reference table", "dataset", "end")


@dataclass(frozen=True)
class Scale:
    """How large the jobs are; ``smoke`` only shows that they run."""

    times: int
    smoke: bool = False

    def rows(self, rows: int) -> int:
        """Return the rows of a job."""
        return min(rows, 60) if self.smoke else rows

    def periods(self, periods: int) -> int:
        """Return the periods of a job."""
        return min(periods, 3) if self.smoke else periods

    @property
    def series(self) -> tuple[str, ...]:
        """The series that a job is measured on."""
        return SERIES[-1:] if self.smoke else SERIES


@dataclass(frozen=True)
class Compared:
    """Two things that were measured by turns."""

    job: str
    one: str
    one_value: str
    other: str
    other_value: str
    ratio: float
    goal: str
    met: bool


@dataclass(frozen=True)
class Against:
    """A whole series: the reference driver, and ``series-assets generate``."""

    job: str
    reference: Taken
    ours: Taken
    ours_together_mb: float
    """Peak of all processes of ours; 0 where the system does not tell."""
    goal: str
    met: bool
    seconds_by_phase: Mapping[str, float]
    rows_by_phase: Mapping[str, int]


Result = Compared | Against


@dataclass(frozen=True)
class Job:
    """Something to measure, by a name that can be asked for."""

    name: str
    says: str
    measure: Callable[["Job", Path, Scale], Iterator[Result]]
    rows: int = 0
    periods: int = 0
    shards: int = 1
    at_least: float = 0
    """Times as fast as the reference, where that is the goal."""
    at_most: float = 0
    """Share of the reference's (or the other one's) time or memory, where that is the goal."""
    peak_at_most: float = 0
    """Share of the reference's peak memory, where that is a goal besides."""
    said: Mapping[str, Any] = field(default_factory=dict)
    """What the user input says otherwise than that of the series."""


def _named(job: Job, folder: Path) -> dict[str, str]:
    return {
        "SERIES_ASSETS_SERIES_DIR": str(folder / "series"),
        "SERIES_ASSETS_DATA_DIR": str(folder / "data"),
    }


def _against(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure both series against the reference driver, and ours once more by phase."""
    rows, periods = scale.rows(job.rows), scale.periods(job.periods)
    for name in scale.series:
        source, data = inputs.write_series(folder / "series", name, rows, periods), folder / "data"
        anew = partial(shutil.rmtree, data, ignore_errors=True)

        children = {
            "reference": Child(program("reference", source, data), {}, anew),
            "ours": Child(command("generate", name, "--quiet"), _named(job, folder), anew),
        }
        taken = interleaved(children, scale.times)
        together = children["ours"].peak_together()
        phases = Child(program("phases", source, data), {}, anew).run()
        new = _new_rows(source, rows, periods)
        reference, ours = taken["reference"], taken["ours"]
        goal, met = _goal(job, reference, ours, together)
        yield Against(
            job=f"{name} {job.name}",
            reference=reference,
            ours=ours,
            ours_together_mb=together,
            goal=goal,
            met=met,
            seconds_by_phase=seconds_in(phases),
            rows_by_phase={
                "new records": new,
                "reference table": new,
                "dataset": rows * periods,
            },
        )
        anew()


def _goal(job: Job, reference: Taken, ours: Taken, together: float) -> tuple[str, bool]:
    """Return what a job aims at, and whether it is met; memory by all processes ``together``."""
    goals = []
    if job.at_least:
        fast = reference.seconds >= job.at_least * ours.seconds
        goals.append((f"≥ {job.at_least} times as fast", fast))
    if job.at_most:
        goals.append(
            (f"≤ {job.at_most} of its time", ours.seconds <= job.at_most * reference.seconds)
        )
    if job.peak_at_most:
        small = max(ours.peak_mb, together) <= job.peak_at_most * reference.peak_mb
        goals.append((f"peak ≤ {job.peak_at_most} of it", small))
    return ", ".join(text for text, _ in goals), all(met for _, met in goals)


def _new_rows(source: Path, rows: int, periods: int) -> int:
    from series_assets.storage.loading import load_series

    series = load_series(source)
    return sum(series.counts(k)[0] for k in range(periods))


def _late(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure the last period of many against the second, once all before are made."""
    rows, periods = scale.rows(job.rows), scale.periods(job.periods)
    for name in scale.series:
        source = inputs.write_series(folder / "series", name, rows, periods, **job.said)
        environment, keys = _named(job, folder), _keys(source)
        Child(command("generate", name, "--quiet"), environment).run()
        children = {
            key: Child(command("generate", name, "--quiet", "--periods", key), environment)
            for key in (keys[1], keys[-1])
        }
        taken = interleaved(children, scale.times)
        early, late = taken[keys[1]], taken[keys[-1]]
        yield _shares(
            job,
            f"{name} {job.name}",
            ("period 2", early.seconds, "s"),
            (f"period {periods}", late.seconds, "s"),
        )
        shutil.rmtree(folder)


def _keys(source: Path) -> tuple[str, ...]:
    from series_assets.storage.loading import load_series

    return load_series(source).calendar.keys


def _memory(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure the peak memory of all processes for many periods against that for four.

    In one worker: how many are used depends on the number of periods.
    """
    few, many = scale.periods(4), scale.periods(job.periods)
    for name in scale.series:
        children = {}
        for label, periods in (("few", few), ("many", many)):
            place = folder / label
            inputs.write_series(place / "series", name, scale.rows(job.rows), periods)
            children[label] = Child(
                command("generate", name, "--quiet"),
                _named(job, place) | {"SERIES_ASSETS_EXECUTOR": "none"},
                partial(shutil.rmtree, place / "data", ignore_errors=True),
            )
        peaks = {label: child.peak_together() for label, child in children.items()}
        yield _shares(
            job,
            f"{name} {job.name}",
            (f"{few} periods", peaks["few"], "MB"),
            (f"{many} periods", peaks["many"], "MB"),
        )
        shutil.rmtree(folder)


def _truth(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure the CPU time of the history of periods against that of their rows."""
    rows, periods = scale.rows(job.rows), scale.periods(job.periods)
    for name in scale.series:
        source = inputs.write_series(folder / "series", name, rows, periods, **job.said)
        runs = [
            seconds_in(
                Child(
                    program("phases", source, folder / "data", "cpu"),
                    {},
                    partial(shutil.rmtree, folder / "data", ignore_errors=True),
                ).run()
            )
            for _ in range(scale.times)
        ]
        of_rows = median(sum(run[phase] for phase in PHASES[1:-1]) for run in runs)
        of_truth = median(run["state"] + run["truth"] for run in runs)
        yield _shares(job, f"{name} {job.name}", ("rows", of_rows, "s"), ("history", of_truth, "s"))
        shutil.rmtree(folder)


def _sample(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure one run of Exhibit as the series does it against stock Exhibit."""
    source = inputs.write_sample(folder / "series", job.name, scale.rows(job.rows))
    for label, environment, how in (
        ("stock Exhibit", {}, "stock"),
        ("with SERIES_ASSETS_STOCK_EXHIBIT=1", {"SERIES_ASSETS_STOCK_EXHIBIT": "1"}, "ours"),
    ):
        children = {
            "stock": Child(program("single_run", source, folder, how), environment),
            "ours": Child(program("single_run", source, folder, "ours"), {}),
        }
        seconds: dict[str, list[float]] = {name: [] for name in children}
        for _ in range(scale.times):
            for name, child in children.items():
                seconds[name].append(seconds_in(child.run())["run"])
        stock, ours = median(seconds["stock"]), median(seconds["ours"])
        yield Compared(
            job=job.name,
            one=label,
            one_value=f"{stock:.2f} s",
            other="series_assets",
            other_value=f"{ours:.2f} s",
            ratio=stock / ours,
            goal=f"≥ {job.at_least} times as fast" if how == "stock" else "",
            met=how != "stock" or stock >= job.at_least * ours,
        )


def _workers(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure what two processes gain over one, at sizes around those from which they are used."""
    name = scale.series[-1]
    asked = ((100, 6), (100, 12), (100, 24), (5_000, 4), (5_000, 12), (200_000, 4))
    for rows, periods in dict.fromkeys((scale.rows(r), scale.periods(p)) for r, p in asked):
        place = folder / f"{rows}x{periods}"
        inputs.write_series(place / "series", name, rows, periods)
        children = {
            executor: Child(
                command("generate", name, "--quiet"),
                _named(job, place) | {"SERIES_ASSETS_EXECUTOR": executor},
                partial(shutil.rmtree, place / "data", ignore_errors=True),
            )
            for executor in ("none", "processes:2")
        }
        taken = interleaved(children, scale.times)
        yield _shares(
            job,
            f"{name} {rows}x{periods}",
            ("one worker", taken["none"].seconds, "s"),
            ("two workers", taken["processes:2"].seconds, "s"),
        )
        shutil.rmtree(place)


def _shards(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure a sharded series in two processes, and on two workers, against one process."""
    name, shards = SERIES[-1], 3 if scale.smoke else job.shards
    rows, periods = scale.rows(job.rows), scale.periods(job.periods)
    taken = measure_shards(folder, name, rows, periods, shards, scale.times)
    one = ("none", taken["none"].seconds, "s")
    for other, goal in (("processes:2", 0.6), ("dask", 0.65)):
        found = (f"{other}, two workers" if other == "dask" else other, taken[other].seconds, "s")
        yield _shares(replace(job, at_most=goal), f"{name} {job.name}", one, found)
    peak = max(taken[one].peak_mb for one in ("none", "processes:2"))
    limit = replace(job, at_most=1.0)
    yield _shares(
        limit, f"{name} {job.name}", ("limit", 700, "MB"), ("largest process", peak, "MB")
    )


def _help(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure what a user waits for the help, against Python doing nothing."""
    python = Child([*command()[:1], "-c", "pass"], {})
    children = {"python": python, "help": Child(command("--help"), {})}
    taken = interleaved(children, scale.times)
    yield _shares(
        job,
        "--help",
        ("python -c pass", taken["python"].seconds, "s"),
        ("series-assets --help", taken["help"].seconds, "s"),
    )


def _shares(
    job: Job, label: str, one: tuple[str, float, str], other: tuple[str, float, str]
) -> Compared:
    ratio = other[1] / one[1]

    def shown(value: float, unit: str) -> str:
        return f"{value:.2f} s" if unit == "s" else f"{value:.0f} {unit}"

    return Compared(
        job=label,
        one=one[0],
        one_value=shown(*one[1:]),
        other=other[0],
        other_value=shown(*other[1:]),
        ratio=ratio,
        goal=f"≤ {job.at_most}" if job.at_most else "",
        met=not job.at_most or ratio <= job.at_most,
    )


_WHOLE = "both series against the reference driver"
JOBS = (
    Job("100x5", _WHOLE, _against, rows=100, periods=5, at_most=1.1),
    Job("50kx4", _WHOLE, _against, rows=50_000, periods=4, at_least=7),
    Job("200kx4", _WHOLE, _against, rows=200_000, periods=4, at_least=10, peak_at_most=1.0),
    Job("100x60", _WHOLE, _against, rows=100, periods=60, at_most=0.5),
    Job(
        "late",
        "period 100 against period 2, drawing from all before",
        _late,
        rows=5_000,
        periods=100,
        at_most=1.15,
    ),
    Job(
        "millions",
        "period 40 against period 2, nearly all entities new",
        _late,
        rows=50_000,
        periods=40,
        at_most=1.15,
        said={"fraction_of_new": 0.9},
    ),
    Job(
        "memory",
        "peak memory of 40 periods against that of 4",
        _memory,
        rows=50_000,
        periods=40,
        at_most=1.15,
    ),
    Job(
        "truth",
        "the history of periods against their rows, in CPU time",
        _truth,
        rows=200_000,
        periods=4,
        at_most=0.34,
        said={"truth": {}},
    ),
    Job(
        "late_truth",
        "period 100 against period 2, with a history",
        _late,
        rows=5_000,
        periods=100,
        at_most=1.15,
        said={"truth": {}},
    ),
    Job("uuid_demo", "a sample, one run of Exhibit", _sample, rows=50_000, at_least=10),
    Job("inpatients_demo", "a sample, one run of Exhibit", _sample, rows=50_000, at_least=10),
    Job("workers", "two processes against one", _workers),
    Job(
        "shards",
        "2.5 million rows in 25 shards: two processes, and two workers of Dask, against one",
        _shards,
        rows=2_500_000,
        periods=2,
        shards=25,
    ),
    Job("help", "how long --help takes", _help),
)
"""All there is to measure, in the order in which it is measured."""
