"""The test predictions of a model, joined from shards, a few patches in memory at a time."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pandas as pd

from landslip.data.shard_tables import usable_ids
from landslip.io.files import InputError
from landslip.io.large_tables import count_rows, write_blocks
from landslip.models.predictions import PredictionReader, check_origin, name_some


def gather_predictions(
    *, model: str, shards: Sequence[Sequence[Path]], manifest: Path, targets: Sequence[Path]
) -> None:
    """Write test.parquet of every fold.

    Parameters
    ----------
    shards
        For each fold, what `landslip.models.predictions.write_test` wrote of every shard, in order.
    manifest
        manifest.parquet: the test patches, in order, and whether they could be read.
    targets
        For each fold, parquet that `landslip.models.predictions.read_test` reads.

    Raises
    ------
    InputError
        The shards are not every readable test patch, each once and in order, or they are of another
        model or of several splits; the file is named. A file is damaged.
    """
    first = PredictionReader(shards[0][0])
    origin = {"split_digest": first.split_digest, "model": model}
    for paths, target in zip(shards, targets, strict=True):
        expected = usable_ids(manifest, split="test")
        write_blocks(target, _blocks(paths, expected, **origin), origin)


def _blocks(
    paths: Sequence[Path], expected: Iterator[str], model: str, split_digest: str
) -> Iterator[pd.DataFrame]:
    """Rows of one fold's file, a shard at a time."""
    row = 0
    for path in paths:
        reader = PredictionReader(path)
        check_origin(path, reader, model, split_digest)
        ids = list(islice(expected, count_rows(path)))
        row += len(ids)
        probability = reader.take(ids)
        reader.end()
        yield pd.DataFrame({"id": pd.Series(ids, dtype="str"), "probability": probability})
    missing = list(expected)
    if missing:
        raise InputError(
            f"the {len(paths)} shards up to {paths[-1]} lack {name_some(missing)} of "
            f"{row + len(missing)} test patches; delete them and run again"
        )
