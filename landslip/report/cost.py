"""Time and memory of every job, from the benchmark files that Snakemake writes."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.io.files import InputError, write_text
from landslip.report.plots import Axes, FixedLocator, FuncFormatter, NullLocator
from landslip.report.style import BLUE, FAINT, VERMILION, draw_placeholder, drawing
from landslip.report.wording import duration, memory

_MEBIBYTE_IN_MB = 1024**2 / 1e6
# Less than this no Python holds that has read a table.
_PYTHON_MIB = 30
_SECONDS = (0.1, 1, 10, 60, 600, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600)
_MEMORY = tuple(step * 10**power for power in range(1, 6) for step in (1, 2, 5))


def draw_cost(*, benchmarks: Mapping[str, Path], target: Path) -> None:
    """Draw and tabulate the time and memory of all jobs.

    Parameters
    ----------
    benchmarks
        Label of each job -> its .jsonl. Jobs whose labels differ only in a last part `fold0`,
        `fold1`, ... or `shard0`, `shard1`, ... (after / or _) are one row.
    target
        PNG file to write; beside it as CSV the table: part, jobs, missing (jobs without a benchmark
        file), seconds (sum), longest_seconds, memory_mb (peak of the largest job), load (CPU
        percent, mean).

    Raises
    ------
    InputError
        A file is there and is no benchmark.
    """
    jobs = read_benchmarks(benchmarks)
    summary = summarise(jobs)
    write_text(target.with_suffix(".csv"), summary.to_csv(index=False, lineterminator="\n"))
    measured = jobs.dropna(subset="seconds")
    parts = summary.loc[summary["jobs"] > 0, "part"].tolist()
    with drawing(target, height=1.1 + 0.27 * max(len(parts), 4)) as figure:
        time, space = figure.subplots(1, 2, sharey=True)
        if not parts:
            draw_placeholder(time, "No job left a benchmark file.")
            space.set_visible(False)
            return
        rows = measured["part"].map({part: row for row, part in enumerate(parts)}).to_numpy()
        _dots(time, measured["seconds"].clip(lower=0.05).to_numpy(), rows, BLUE, "o")
        _dots(space, measured["memory_mb"].to_numpy(), rows, VERMILION, "D")
        time.set_yticks(range(len(parts)), parts)
        time.set_ylim(len(parts) - 0.4, -0.6)
        time.set_title("Time of each job")
        time.set_xlabel("Wall clock (logarithmic)")
        space.set_title("Peak memory of each job")
        space.set_xlabel("Resident memory (logarithmic)")
        _scale(time, _SECONDS, measured["seconds"], duration_tick)
        _scale(space, _memory_ticks(measured["memory_mb"]), measured["memory_mb"], memory)


def read_benchmarks(benchmarks: Mapping[str, Path]) -> pd.DataFrame:
    """One row a job: part, seconds, memory_mb, load; NaN where nothing was measured.

    A job that was repeated has its mean time and its highest memory.
    """
    rows = []
    for label, path in benchmarks.items():
        runs = _read(path)
        # Less where Snakemake looked only before Python had started, as at jobs of a moment.
        peaks = runs["max_rss"].where(runs["max_rss"] >= _PYTHON_MIB)
        rows.append(
            {
                "part": re.sub(r"[/_](fold|shard)\d+$", "", label),
                "seconds": runs["s"].mean(),
                "memory_mb": peaks.max() * _MEBIBYTE_IN_MB,
                "load": runs["mean_load"].mean(),
            }
        )
    return pd.DataFrame(rows, columns=["part", "seconds", "memory_mb", "load"])


def summarise(jobs: pd.DataFrame) -> pd.DataFrame:
    """Sum up the jobs of each part: a row a part, in the order in which parts first come."""
    grouped = jobs.groupby("part", sort=False)
    return pd.DataFrame(
        {
            "jobs": grouped["seconds"].count(),
            "missing": grouped["seconds"].apply(lambda seconds: int(seconds.isna().sum())),
            "seconds": grouped["seconds"].sum(),
            "longest_seconds": grouped["seconds"].max(),
            "memory_mb": grouped["memory_mb"].max(),
            "load": grouped["load"].mean(),
        }
    ).reset_index()


def duration_tick(seconds: float) -> str:
    """3600 -> '1 h'."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return duration(seconds) if seconds < 1 else f"{seconds:g} s"


def _read(path: Path) -> pd.DataFrame:
    """A row for each time that a job ran; no rows where there is no file.

    What is no number is NaN: Snakemake writes NA for jobs too short to be measured.
    """
    names = ("s", "max_rss", "mean_load")
    try:
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        records = [json.loads(line) for line in lines if line]
        if not all(isinstance(record, dict) for record in records):
            raise ValueError("a line is no object")
        listed = {name: [record.get(name) for record in records] for name in names}
        return pd.DataFrame({name: pd.to_numeric(listed[name], errors="coerce") for name in names})
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(
            f"{path} is not a benchmark of Snakemake ({error}); delete it and run its job again"
        ) from error


def _memory_ticks(values: pd.Series) -> Sequence[float]:
    """1, 2, 5, 10, ... where there is room to name all, else powers of ten."""
    inside = [tick for tick in _MEMORY if values.min() <= tick <= values.max()]
    return _MEMORY if len(inside) <= 6 else _MEMORY[::3]


def _dots(
    axes: Axes, values: NDArray[np.float64], rows: NDArray[np.int64], colour: str, marker: str
) -> None:
    axes.plot(values, rows, marker, color=colour, ms=5.5, alpha=0.65, mec="white", mew=0.5)
    axes.grid(axis="y", color=FAINT, lw=0.5)
    axes.tick_params(axis="y", length=0)


def _scale(
    axes: Axes, ticks: Iterable[float], values: pd.Series, text: Callable[[float], str]
) -> None:
    """A logarithmic axis with ticks that people count in."""
    axes.set_xscale("log")
    low, high = values.min(), values.max()
    if np.isfinite(low):
        axes.set_xlim(max(low, 0.05) / 1.6, max(high, 0.1) * 1.6)
    axes.xaxis.set_major_locator(FixedLocator(list(ticks)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
