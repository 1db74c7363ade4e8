"""The last result of each benchmark, kept beside it: figures, machine, date and commit.

A benchmark runs as a module from the project's folder, `python -m benchmarks.scaling`, and ends
with one line of JSON. With `RECORD=1` in the environment that line goes to `benchmarks/results/`
too, where the documentation's figures come from.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def record(figures: Mapping[str, Any], name: str | None = None) -> None:
    """Print a benchmark's figures as one line of JSON, and keep them where that is asked for.

    Parameters
    ----------
    figures
        Plain values, under `benchmark` the name of the program.
    name
        Of the record, where a program keeps several.
    """
    print(json.dumps(figures))
    if os.environ.get("RECORD") != "1":
        return
    commit = subprocess.run(
        ["git", "-C", ROOT, "describe", "--always", "--dirty"],
        check=True,
        capture_output=True,
        text=True,
    )
    # Where a bundle or a table lies on this machine is nobody's business.
    words = [Path(word).name if "/" in word else word for word in sys.argv[1:]]
    made = {
        "command": " ".join(["python", "-m", f"benchmarks.{figures['benchmark']}", *words]),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit.stdout.strip(),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load_at_end": round(os.getloadavg()[0], 1),
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name or figures['benchmark']}.json"
    path.write_text(json.dumps({**made, **figures}, indent=1) + "\n", encoding="utf-8")


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    models = [line.split(":")[1].strip() for line in info.splitlines() if "model name" in line]
    return models[0] if models else "unknown processor"
