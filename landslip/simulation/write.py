"""Simulated patches as files, laid out as the competition lays out its own."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray

from landslip.io.files import atomic_path, file_digest, write_text
from landslip.io.temporaries import clear_temporaries
from landslip.simulation.patches import simulate_batch

logger = logging.getLogger(__name__)

# patches that share a random stream: part of what a seed means, whatever the workers
BLOCK = 32
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SPLITS = ("train", "test")


def draw_ids(rng: np.random.Generator, n: int) -> list[str]:
    """Draw n different names in the manner of ``ID_HUD1ST``."""
    numbers = rng.choice(len(ALPHABET) ** 6, n, replace=False)
    places = len(ALPHABET) ** np.arange(6)
    letters = np.array(list(ALPHABET))[numbers[:, None] // places % len(ALPHABET)]
    return ["ID_" + "".join(row) for row in letters]


def draw_labels(rng: np.random.Generator, n: int, positives: float) -> NDArray[np.int64]:
    """Labels (n,) in random order, of which exactly ``round(positives * n)`` are 1."""
    labels = np.zeros(n, np.int64)
    labels[: round(positives * n)] = 1
    return rng.permutation(labels)


def write_block(
    folder: Path, ids: list[str], labels: NDArray[np.int64], size: int, seed: tuple[int, ...]
) -> dict[str, str]:
    """Simulate and write one block of patches; return the SHA-256 of each file by its name.

    Parameters
    ----------
    folder
        Where ``<ID>.npy`` go, (row, column, 12) float64 each.
    ids, labels
        Of the block, in step.
    size
        Rows and columns of a patch.
    seed
        Of the block's random stream.
    """
    patches = simulate_batch(np.random.default_rng(seed), labels, size)
    digests = {}
    for name, patch in zip(ids, patches, strict=True):
        path = folder / f"{name}.npy"
        with atomic_path(path, durable=False) as temporary:
            np.save(temporary, patch, allow_pickle=False)
        digests[f"{folder.name}/{path.name}"] = file_digest(path)
    return digests


def simulate_patches(
    folder: Path,
    *,
    train: int,
    test: int,
    positives: float,
    size: int,
    seed: int,
    workers: int = 1,
    test_positives: float | None = None,
) -> None:
    """Write a simulated data set.

    ``Train.csv`` (ID, label), ``Test.csv`` (ID) and ``TestLabels.csv`` (ID, label) stand beside
    ``train_data/<ID>.npy`` and ``test_data/<ID>.npy``, and ``patches.csv`` (path, sha256) names
    them all. The tables are written last, so that a run cut short leaves none; running again
    writes the same patches.

    Parameters
    ----------
    folder
        Made if absent.
    train, test
        Number of patches.
    positives
        Share of landslides, 0 to 1; the count is rounded and exact.
    size
        Rows and columns of a patch, pixels of 10 m, at least 16.
    seed
        The same seed gives the same bytes, whatever `workers`.
    workers
        Processes to share the work.
    test_positives
        Share of landslides in the test patches; `positives` if not given.
    """
    shares = {"train": positives, "test": positives if test_positives is None else test_positives}
    counts = {"train": train, "test": test}
    rng = np.random.default_rng(seed)
    ids = draw_ids(rng, train + test)
    names = {"train": ids[:train], "test": ids[train:]}
    labels = {split: draw_labels(rng, counts[split], shares[split]) for split in SPLITS}

    def blocks() -> Iterator[tuple[Path, list[str], NDArray[np.int64], int, tuple[int, ...]]]:
        for number, split in enumerate(SPLITS):
            for start in range(0, counts[split], BLOCK):
                part = slice(start, start + BLOCK)
                place = folder / f"{split}_data"
                stream = (seed, number, start // BLOCK)
                yield place, names[split][part], labels[split][part], size, stream

    for split in SPLITS:
        (folder / f"{split}_data").mkdir(parents=True, exist_ok=True)
        clear_temporaries(folder / f"{split}_data")
    # loky's workers do not import the caller's main module again, as spawn would
    pool = Parallel(n_jobs=workers, backend="loky", return_as="generator_unordered")
    total, logged, digests = train + test, 0, dict[str, str]()
    for written in pool(delayed(write_block)(*block) for block in blocks()):
        digests |= written
        done = len(digests)
        if done - logged >= max(total // 10, 500) or done == total:
            logger.info("simulated %d of %d patches", done, total)
            logged = done

    # The tables say that the patches are there: these reach the disk first.
    os.sync()
    listing = pd.DataFrame(sorted(digests.items()), columns=["path", "sha256"])
    answers = {s: pd.DataFrame({"ID": names[s], "label": labels[s]}) for s in SPLITS}
    for name, table in {
        "patches.csv": listing,
        "TestLabels.csv": answers["test"],
        "Test.csv": answers["test"][["ID"]],
        "Train.csv": answers["train"],
    }.items():
        write_text(folder / name, table.to_csv(index=False, lineterminator="\n"))
