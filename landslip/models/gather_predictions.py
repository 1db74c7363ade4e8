"""The test predictions of a model, joined from shards, a shard in memory at a time."""

from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from landslip.data.shard_tables import usable_ids
from landslip.files import InputError, atomic_path
from landslip.models.predictions import Predictions, name_some, read_test


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
    digest: str | None = None
    for paths, target in zip(shards, targets, strict=True):
        digest = _join(model, paths, usable_ids(manifest, split="test"), digest, target)


def _join(
    model: str, paths: Sequence[Path], expected: Iterator[str], digest: str | None, target: Path
) -> str:
    """Write one fold's file; gives the digest of its split, which must be `digest` unless None."""
    schema = pq.read_schema(paths[0])
    with (
        atomic_path(target) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        row = 0
        for path, predictions in _read(model, paths):
            if predictions.split_digest != (digest or predictions.split_digest):
                raise InputError(
                    f"{path} was made with another split ({predictions.split_digest[:12]}) than "
                    f"the predictions before it ({digest}); delete it and run again"
                )
            digest = predictions.split_digest
            ids = predictions.frame["id"].tolist()
            _check_ids(path, ids, list(islice(expected, len(ids))))
            row += len(ids)
            frame = predictions.frame
            writer.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False))
        missing = list(expected)
        if missing:
            raise InputError(
                f"the {len(paths)} shards up to {paths[-1]} lack {name_some(missing)} of "
                f"{row + len(missing)} test patches; delete them and run again"
            )
    assert digest is not None
    return digest


def _read(model: str, paths: Sequence[Path]) -> Iterator[tuple[Path, Predictions]]:
    for path in paths:
        predictions = read_test(path)
        if predictions.model != model:
            raise InputError(f"{path} holds predictions of {predictions.model}, not of {model}")
        yield path, predictions


def _check_ids(path: Path, ids: Sequence[str], expected: Sequence[str]) -> None:
    for row, (found, wanted) in enumerate(zip_longest(ids, expected)):
        if found != wanted:
            raise InputError(
                f"{path}: patch {found} in row {row}, expected {wanted or 'no further one'}; "
                "delete it and run again"
            )
