"""What is compared with what, at which sizes, and what is aimed at."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import inputs
from benchmarks.children import Child, Taken, command, interleaved, program, seconds_in
from benchmarks.job import Job, Scale, environment_of
from benchmarks.results import Against, Compared, Result, compared
from benchmarks.shards import (
    measure_executors,
    measure_large,
    measure_memory_of_shards,
    measure_object_storage,
)

PHASES = ("start", "new records", "reference table", "dataset", "end")


def _against(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure both series against the reference driver, and ours once more by phase."""
    rows, periods = scale.rows(job.rows), scale.periods(job.periods)
    for name in scale.series:
        source, data = inputs.write_series(folder / "series", name, rows, periods), folder / "data"
        anew = partial(shutil.rmtree, data, ignore_errors=True)

        children = {
            "reference": Child(program("reference", source, data), {}, anew),
            "ours": Child(command("generate", name, "--quiet"), environment_of(folder), anew),
        }
        taken = interleaved(children, scale.times)
        together = children["ours"].watched().peak_mb
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
        source = inputs.write_series(folder / "series", name, rows, periods, **job.user_input)
        environment, keys = environment_of(folder), _keys(source)
        Child(command("generate", name, "--quiet"), environment).run()
        children = {
            key: Child(command("generate", name, "--quiet", "--periods", key), environment)
            for key in (keys[1], keys[-1])
        }
        taken = interleaved(children, scale.times)
        early, late = taken[keys[1]], taken[keys[-1]]
        yield compared(
            f"{name} {job.name}",
            ("period 2", early.seconds, "s"),
            (f"period {periods}", late.seconds, "s"),
            job.at_most,
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
                environment_of(place) | {"SERIES_ASSETS_EXECUTOR": "none"},
                partial(shutil.rmtree, place / "data", ignore_errors=True),
            )
        peaks = {label: child.watched().peak_mb for label, child in children.items()}
        yield compared(
            f"{name} {job.name}",
            (f"{few} periods", peaks["few"], "MB"),
            (f"{many} periods", peaks["many"], "MB"),
            job.at_most,
        )
        shutil.rmtree(folder)


def _truth(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure the CPU time of the history of periods against that of their rows."""
    rows, periods = scale.rows(job.rows), scale.periods(job.periods)
    for name in scale.series:
        source = inputs.write_series(folder / "series", name, rows, periods, **job.user_input)
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
        of_files = median(run["state"] + run["truth"] for run in runs)
        of_all = median(run["state"] + run["record"] + run["truth"] for run in runs)
        label, made = f"{name} {job.name}", ("rows", of_rows, "s")
        yield compared(label, made, ("fold and files", of_files, "s"), job.at_most)
        yield compared(label, made, ("with the recording of states", of_all, "s"))
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
                environment_of(place) | {"SERIES_ASSETS_EXECUTOR": executor},
                partial(shutil.rmtree, place / "data", ignore_errors=True),
            )
            for executor in ("none", "processes:2")
        }
        taken = interleaved(children, scale.times)
        yield compared(
            f"{name} {rows}x{periods}",
            ("one worker", taken["none"].seconds, "s"),
            ("two workers", taken["processes:2"].seconds, "s"),
        )
        shutil.rmtree(place)


def _help(job: Job, folder: Path, scale: Scale) -> Iterator[Result]:
    """Measure what a user waits for the help, against Python doing nothing."""
    python = Child([*command()[:1], "-c", "pass"], {})
    children = {"python": python, "help": Child(command("--help"), {})}
    taken = interleaved(children, scale.times)
    yield compared(
        "--help",
        ("python -c pass", taken["python"].seconds, "s"),
        ("series-assets --help", taken["help"].seconds, "s"),
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
        user_input={"fraction_of_new": 0.9},
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
        user_input={"truth": {}},
    ),
    Job(
        "late_truth",
        "period 100 against period 2, with a history",
        _late,
        rows=5_000,
        periods=100,
        at_most=1.15,
        user_input={"truth": {}},
    ),
    Job("uuid_demo", "a sample, one run of Exhibit", _sample, rows=50_000, at_least=10),
    Job("inpatients_demo", "a sample, one run of Exhibit", _sample, rows=50_000, at_least=10),
    Job("workers", "two processes against one", _workers),
    Job(
        "shards",
        "2.5 million rows in 25 shards: two processes, and two workers of Dask, against one",
        measure_executors,
        rows=2_500_000,
        periods=2,
        shards=25,
    ),
    Job(
        "object_storage",
        "the same rows as Parquet to a local S3 server, against local CSV",
        measure_object_storage,
        rows=2_500_000,
        periods=2,
        shards=25,
        at_most=1.3,
    ),
    Job(
        "shards_memory",
        "peak memory of 40 shards against that of 2 of the same size",
        measure_memory_of_shards,
        rows=50_000,
        periods=2,
        shards=40,
        at_most=1.15,
    ),
    Job(
        "30_million",
        "10 million rows a period in 100 shards, measured once",
        measure_large,
        rows=10_000_000,
        periods=3,
        shards=100,
    ),
    Job("help", "how long --help takes", _help),
)
"""All there is to measure, in the order in which it is measured."""
