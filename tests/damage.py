"""Damage in what jobs read: which rules are walked, and whether the next job that reads sees it.

A finished run is taken job by job, as a dry run names them, so a new rule is walked by itself.
"""

import contextlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from landslip.engine.jobs import verify_inputs
from landslip.io.files import InputError
from project import ROOT
from runs import snakemake

# Where damage shows elsewhere: in a line of sums for what this job does not read; in pixels, which
# are compared with the checksums of the store's index as they are read.
ELSEWHERE = (".sha256", ".pixels.h5")


@dataclass(frozen=True)
class Job:
    """A job as a dry run prints it."""

    rule: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def jobs_in(
    folder: Path,
    *targets: str,
    config: dict[str, Any] | None,
    root: Path = ROOT,
    flags: Sequence[str] = ("--forceall",),
) -> list[Job]:
    """All jobs that make something."""
    answer = snakemake(folder, "-n", *flags, "--", *targets, config=config, root=root)
    assert answer.returncode == 0, answer.stderr[-3000:]
    jobs = []
    start = r"^(?:local)?(?:rule|checkpoint) (\w+):$"
    parts = re.split(start, answer.stdout + answer.stderr, flags=re.MULTILINE)
    for rule, block in zip(parts[1::2], parts[2::2], strict=True):
        named = dict(re.findall(r"^    (input|output): (.+)$", block, re.MULTILINE))
        if "output" in named:
            inputs, outputs = (named.get(key, "") for key in ("input", "output"))
            jobs.append(Job(rule, *(tuple(filter(None, t.split(", "))) for t in (inputs, outputs))))
    return jobs


def rules_in(*names: str) -> set[str]:
    """Rules that make something, by the files that they stand in."""
    found = set()
    for name in names:
        text = (ROOT / "rules" / name).read_text(encoding="utf-8")
        parts = re.split(r"^ *(?:rule|checkpoint) (\w+):$", text, flags=re.MULTILINE)
        for rule, block in zip(parts[1::2], parts[2::2], strict=True):
            if re.search(r"^ +output:$", block, re.MULTILINE):
                found.add(rule)
        found |= set(re.findall(r"^use rule \w+ as (\w+) with:", text, re.MULTILINE))
    return found


def damages(content: bytes, seed: int) -> Iterator[bytes]:
    """Some bytes changed, each alone, among them the last and in a footer; or the end cut off."""
    anywhere = Random(seed).choices(range(len(content)), k=2)
    for place in {0, len(content) - 1, max(len(content) - 6, 0), *anywhere}:
        changed = bytearray(content)
        changed[place] ^= 1 << seed % 8
        yield bytes(changed)
    yield content[:-1]
    yield content[: len(content) // 2]
    yield content + b"\0"


def overwrite(path: Path | str, content: bytes) -> None:
    """Change a file's content and not its time of change."""
    times = os.stat(path)
    Path(path).write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def unguarded(folder: Path, jobs: Iterable[Job]) -> dict[str, set[str]]:
    """Damage every file that each job of a finished run reads, as the file's reader would find it.

    Folders, and what belongs to the program, are left out.

    Returns
    -------
    dict
        Rule -> files whose damage its job would not see before it reads them. What it does see is
        refused by the file's name, or an AssertionError says what was not.
    """
    found: dict[str, set[str]] = {}
    tried: dict[tuple[str, ...], bool] = {}
    with contextlib.chdir(folder):
        for job in jobs:
            own = found.setdefault(job.rule, set())
            if not all(map(os.path.exists, job.inputs)):
                continue
            sums = [path for path in job.inputs if path.endswith(".sha256")]
            for path in job.inputs:
                if not os.path.isfile(path) or Path(path).is_relative_to(ROOT):
                    continue
                # Every file is compared for itself, whatever else the job reads.
                key = (path, *sums)
                if key not in tried:
                    tried[key] = _is_seen(path, sums, seed=len(tried))
                if not tried[key]:
                    own.add(path)
    return found


def _is_seen(path: str, sums: Sequence[str], *, seed: int) -> bool:
    """Whether any damage is refused by the file's name; with `ELSEWHERE`, at least no other."""
    content = Path(path).read_bytes()
    seen = []
    for damaged in damages(content, seed):
        overwrite(path, damaged)
        try:
            verify_inputs([path, *(one for one in sums if one != path)])
        except InputError as error:
            assert path in str(error), (path, str(error))
            seen.append(True)
        except FileNotFoundError as error:
            assert path.endswith(".sha256"), (path, error)
        else:
            seen.append(path.endswith(ELSEWHERE))
        finally:
            overwrite(path, content)
    assert all(seen) or not any(seen), f"some damage in {path} is seen and some is not"
    return all(seen)
