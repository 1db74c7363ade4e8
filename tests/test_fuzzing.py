"""Whatever bytes a reader is given, it reads them or refuses them by name."""

import ctypes
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz import harness
from fuzz.harness import Outcome, Reader, fuzz

from landslip.io.files import InputError
from project import ROOT

COUNT = 100
# Every reader of the program; that these are all is tested below.
READERS = (
    "csv", "npy", "config", "store", "parquet", "npz", "record", "sums", "lightgbm", "xgboost",
    "network", "weights", "state", "bundle", "bundle-zip", "geotiff", "jp2", "scene", "safe",
    "safe-zip", "stac", "vector", "inventory", "sample", "review", "map",
)  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of COUNT mutants of each reader, in a process whose forks hold one thread."""
    counts = tmp_path_factory.mktemp("fuzz") / "counts.json"
    command = [sys.executable, str(ROOT / "tests" / "fuzz_readers.py"), "--json", str(counts)]
    ended = subprocess.run(
        [*command, "--count", str(COUNT), "--seed", "7"], cwd=ROOT, capture_output=True, text=True,
        env=harness.environment(), check=False,
    )  # fmt: skip
    assert counts.exists(), ended.stderr[-3000:]
    return dict(json.loads(counts.read_text()))


@pytest.mark.parametrize("reader", READERS)
def test_mutants_are_read_or_refused_by_name(reader: str, told: dict[str, Any]) -> None:
    outcome = told[reader]
    assert outcome["refused"] + outcome.get("read", 0) == COUNT, outcome["told"]
    assert outcome["refused"] > COUNT / 10, "mutants are so mild that they test nothing"


def test_every_reader_is_among_them(told: dict[str, Any]) -> None:
    assert sorted(told) == sorted(READERS)


def found_by(read: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """What the program says of a reader that takes what is right and answers mutants so."""
    monkeypatch.setattr(harness, "SECONDS", 0.5)

    def make(folder: Path) -> list[Path]:
        (folder / "a.bin").write_bytes(b"right")
        return [folder / "a.bin"]

    def careful(path: Path) -> None:
        if path.read_bytes() != b"right":
            read(path)

    return fuzz("own", Reader(make=make, read=careful), numbers=range(5), seed=1)


def spin(path: Path) -> None:
    sum(iter(int, 1))


def refuse_without_a_name(path: Path) -> None:
    raise InputError("something is damaged")


def refuse_for_want_of_memory(path: Path) -> None:
    try:
        np.empty(2 << 30, np.uint8)
    except MemoryError as error:
        raise InputError(f"{path} is damaged") from error


@pytest.mark.parametrize(
    ("read", "kind", "words"),
    [
        (lambda path: ctypes.string_at(0), "signal", "SIGSEGV"),
        (spin, "signal", "0.5 s of processor time"),
        (lambda path: {}["x"], "exception", "KeyError"),
        (refuse_without_a_name, "unnamed", "InputError"),
        (refuse_for_want_of_memory, "memory", "MemoryError"),
    ],
)
def test_a_crash_a_hang_and_all_else_is_found_and_has_a_number(
    read: Callable[[Path], object], kind: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = found_by(read, monkeypatch)
    (found,) = outcome.findings.values()
    assert found.kind == kind
    assert words in found.what
    # A mutant may be what it was made of.
    assert found.count == 5 - outcome.counts["read"] > 2


def test_a_mutant_follows_from_reader_seed_and_number(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.json", "b.csv")]
    paths[0].write_text('{"a": [1, 2.5, "x"], "b": {"c": null}}')
    paths[1].write_text("ID,label\nx,1\n")
    first, second = (harness.Mutants("own", "", paths, seed) for seed in (1, 2))
    assert [first.of(n) for n in range(50)] == [first.of(n) for n in range(50)]
    assert [first.of(n) for n in range(50)] != [second.of(n) for n in range(50)]
