"""Run two variants of a task in turn, each in a process of its own, and compare them."""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.recording import processor, record


@dataclass(frozen=True)
class Options:
    """Sizes of one comparison."""

    patches: int
    repeats: int
    threads: int
    folder: Path


@dataclass(frozen=True)
class Measurement:
    """One run of one variant."""

    seconds: float
    peak_bytes: int
    warm_up_seconds: float


@dataclass(frozen=True)
class Variant:
    """A way to do the task; `warm_up` is timed apart (imports, compiled code)."""

    run: Callable[[Options], object]
    warm_up: Callable[[Options], object]


def compare(
    script: str,
    description: str | None,
    *,
    patches: int,
    repeats: int,
    prepare: Callable[[Options], object],
    plain: Variant,
    ours: Variant,
) -> None:
    """Command line of a benchmark: prints a table for people, then one line of JSON."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--patches", type=int, default=patches, help="default: %(default)s")
    parser.add_argument("--repeats", type=int, default=repeats, help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=2, help="of ours; default: %(default)s")
    parser.add_argument("--folder", type=Path, help="for scratch files; default: a temporary one")
    parser.add_argument("--variant", choices=["plain", "ours"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    variants = {"plain": plain, "ours": ours}
    if given.variant:
        options = Options(given.patches, given.repeats, given.threads, given.folder)
        print(json.dumps(asdict(_measure(variants[given.variant], options))))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as scratch:
        options = Options(given.patches, given.repeats, given.threads, Path(scratch))
        print(f"{description}\n{_machine()}", flush=True)
        print(f"making {options.patches} patches", flush=True)
        prepare(options)
        # the first child of ours compiles and keeps the machine code; it is not counted
        compiling = _child(script, "ours", options)
        runs: dict[str, list[Measurement]] = {name: [] for name in variants}
        for _ in range(options.repeats):
            # in turn, so that what else the machine does burdens both
            for name in variants:
                runs[name].append(_child(script, name, options))
    _print(Path(script).stem, options, compiling, runs)


def _measure(variant: Variant, options: Options) -> Measurement:
    start = time.perf_counter()
    variant.warm_up(options)
    warm_up = time.perf_counter() - start
    before = _resident_bytes()
    start = time.perf_counter()
    variant.run(options)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Measurement(seconds, peak - before, warm_up)


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _child(script: str, variant: str, options: Options) -> Measurement:
    command = [
        *(sys.executable, "-m", f"benchmarks.{Path(script).stem}", "--variant", variant),
        *("--patches", str(options.patches), "--threads", str(options.threads)),
        *("--folder", str(options.folder)),
    ]
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Measurement(**json.loads(finished.stdout.splitlines()[-1]))


def _machine() -> str:
    return f"{processor()}, {len(os.sched_getaffinity(0))} cores, numpy {np.__version__}"


def _print(
    name: str, options: Options, compiling: Measurement, runs: dict[str, list[Measurement]]
) -> None:
    seconds = {key: [run.seconds for run in found] for key, found in runs.items()}
    peaks = {key: max(run.peak_bytes for run in found) for key, found in runs.items()}
    middle = {key: float(np.median(found)) for key, found in seconds.items()}
    ratio = middle["plain"] / middle["ours"]
    print(f"\n{'':8}{'seconds':>9}{'least':>9}{'most':>9}{'patches/s':>11}{'peak MB':>9}")
    for key, found in seconds.items():
        print(
            f"{key:8}{middle[key]:9.2f}{min(found):9.2f}{max(found):9.2f}"
            f"{options.patches / middle[key]:11.0f}{peaks[key] / 1e6:9.0f}"
        )
    warm = max(run.warm_up_seconds for run in runs["ours"])
    print(
        f"\nours is {ratio:.1f} times as fast, "
        f"in {peaks['ours'] / peaks['plain']:.3f} of the memory."
        f"\n{options.patches} patches, median of {options.repeats} runs each, plain and ours in "
        f"turn; ours with {options.threads} threads or processes, plain as it comes."
        "\nEach run is a process of its own; files are in the cache (just written)."
        "\nPeak: ru_maxrss of the main process at its end, less what was resident before the task"
        "\n(after imports and warm-up)."
        f"\nNot counted: warm-up of ours, {compiling.warm_up_seconds:.1f} s in the first process, "
        f"which compiles unless code from before fits, then {warm:.1f} s."
    )
    figures = {
        "benchmark": name,
        "ratio": round(ratio, 2),
        "memory_ratio": round(peaks["plain"] / max(peaks["ours"], 1), 2),
        "plain_seconds": [round(value, 3) for value in seconds["plain"]],
        "ours_seconds": [round(value, 3) for value in seconds["ours"]],
        "plain_peak_bytes": peaks["plain"],
        "ours_peak_bytes": peaks["ours"],
        "ours_warm_up_seconds": round(warm, 3),
        "ours_first_warm_up_seconds": round(compiling.warm_up_seconds, 3),
        "patches": options.patches,
        "repeats": options.repeats,
        "threads": options.threads,
        "machine": _machine(),
    }
    record(figures)
