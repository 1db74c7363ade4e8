"""Tables of predictions, out of fold and on test: written and read with the same checks."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from landslip.io.files import InputError, read_metadata, read_parquet, write_parquet

OOF_COLUMNS = ("id", "fold", "label", "probability")
TEST_COLUMNS = ("id", "probability")

# Probabilities no further apart tell nothing: rounding in float32 alone sets some so far apart.
_SAME = 1e-6

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What one model of one fold predicts."""

    frame: pd.DataFrame
    """OOF_COLUMNS or TEST_COLUMNS, one row a patch."""
    split_digest: str
    """Digest of the folds that the model was trained on."""
    model: str
    """Name of the model."""


def format_ids(ids: Iterable[object], most: int = 5) -> str:
    """A count and the first few ids, for messages: `7 (a, b, c, d, e ...)`."""
    ids = list(ids)
    shown = ", ".join(str(item) for item in islice(ids, most))
    return f"{len(ids)} ({shown}{' ...' if len(ids) > most else ''})"


def require_patches(path: Path, found: Sequence[str], expected: Sequence[str]) -> None:
    """Refuse a table whose rows are not of these patches, in this order.

    Raises
    ------
    InputError
        A row is of another patch, or missing, or one too many; the message names it.
    """
    if found == expected:
        return
    pairs = enumerate(zip_longest(found, expected, fillvalue="none"))
    row, (got, wanted) = next((row, pair) for row, pair in pairs if len(set(pair)) > 1)
    raise InputError(
        f"{path}: patch {got} in row {row}, expected {wanted}; delete it and run again"
    )


def constant_folds(probability: NDArray[np.float64], fold: NDArray[np.int64]) -> list[int]:
    """Folds of two patches or more that all have the same probability: nothing was learned there.

    Parameters
    ----------
    probability, fold : (n,)
        What one model predicts out of fold.
    """
    found = []
    for number in np.unique(fold).tolist():
        in_fold = probability[fold == number]
        if len(in_fold) > 1 and np.ptp(in_fold) <= _SAME:
            found.append(number)
    return found


def write_oof(
    target: Path, patches: pd.DataFrame, probability: ArrayLike, *, split_digest: str, model: str
) -> None:
    """Write what the model of one fold predicts for that fold's patches.

    The log warns of a model that gives them all the same probability.

    Parameters
    ----------
    target
        Parquet file to write.
    patches
        id, fold and label of the n patches of the fold, which was left out of the training.
    probability : (n,)
        In [0, 1].
    split_digest
        Digest of the folds, kept in the file's metadata.
    model
        Name of the model, kept in the file's metadata.

    Raises
    ------
    InputError
        A probability is NaN or outside [0, 1], or an id comes twice; ids are named.
    """
    kinds = {"id": "str", "fold": "int64", "label": "int8"}
    frame = patches[list(kinds)].astype(kinds).reset_index(drop=True)
    frame["probability"] = np.asarray(probability, dtype=np.float64)
    if constant_folds(frame["probability"].to_numpy(), frame["fold"].to_numpy()):
        log.warning(
            "%s learned nothing in fold %d: all %d patches have the same probability (%.6g)",
            model, frame["fold"].iloc[0], len(frame), frame["probability"].iloc[0],
        )  # fmt: skip
    _write(target, frame, split_digest=split_digest, model=model)


def write_test(
    target: Path,
    *,
    ids: Sequence[str],
    probability: ArrayLike,
    split_digest: str,
    model: str,
) -> None:
    """Write what the model of one fold predicts for the test patches; see `write_oof`."""
    frame = pd.DataFrame(
        {
            "id": pd.Series(list(ids), dtype="str"),
            "probability": np.asarray(probability, dtype=np.float64),
        }
    )
    _write(target, frame, split_digest=split_digest, model=model)


def read_oof(path: Path) -> Predictions:
    """Read and check what `write_oof` wrote.

    Raises
    ------
    InputError
        The file is damaged, lacks a column or its digest, or holds what `write_oof` refuses.
    """
    return _read(path, OOF_COLUMNS)


def read_test(path: Path) -> Predictions:
    """Read and check what `write_test` wrote; see `read_oof`."""
    return _read(path, TEST_COLUMNS)


def check_origin(path: Path, predictions: Predictions, model: str, split_digest: str) -> None:
    """Refuse predictions of another model, or of a training on another split.

    Raises
    ------
    InputError
        They are.
    """
    if predictions.model != model:
        raise InputError(
            f"{path} holds predictions of {predictions.model}, expected of {model}; "
            "delete it and run again"
        )
    if predictions.split_digest != split_digest:
        raise InputError(
            f"{path} was made with another split (digest {predictions.split_digest[:12]}, expected"
            f" {split_digest[:12]}); train {model} again on the present folds"
        )


def _write(target: Path, frame: pd.DataFrame, *, split_digest: str, model: str) -> None:
    _check(target, frame)
    write_parquet(target, frame, {"split_digest": split_digest, "model": model})


def _read(path: Path, columns: Sequence[str]) -> Predictions:
    frame = read_parquet(path, columns)
    metadata = read_metadata(path)
    missing = {"split_digest", "model"} - metadata.keys()
    if missing:
        raise InputError(
            f"{path} does not say its {' and '.join(sorted(missing))} in the file's metadata;"
            " delete it and run again"
        )
    _check(path, frame)
    return Predictions(frame=frame, split_digest=metadata["split_digest"], model=metadata["model"])


def _check(path: Path, frame: pd.DataFrame) -> None:
    """Refuse probabilities that are none, and ids that come twice."""
    if not pd.api.types.is_float_dtype(frame["probability"]):
        raise InputError(
            f"{path}: probability must be floating point, got {frame['probability'].dtype}"
        )
    probability = frame["probability"].to_numpy(dtype=np.float64, na_value=np.nan)
    # NaN compares false with everything, so it is outside too; told apart for the message.
    outside = ~((probability >= 0) & (probability <= 1))
    if outside.any():
        empty = np.isnan(probability)
        what = "NaN" if (empty == outside).all() else "NaN or outside [0, 1]"
        raise InputError(
            f"{path}: of {len(frame)} probabilities, {what}: {format_ids(frame['id'][outside])};"
            " train this model again"
        )
    doubled = frame["id"].duplicated().to_numpy()
    if doubled.any():
        twice = format_ids(frame["id"][doubled])
        raise InputError(f"{path}: ids that come twice: {twice}; delete it and run again")
