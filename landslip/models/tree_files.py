"""A trained tree model on disk: the library's own file, the rest as JSON beside it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from landslip.files import InputError, atomic_path, read_json, write_json
from landslip.models.boosting import Floats, Trees, load
from landslip.models.predictions import name_some

FORMAT_VERSION = 1
SUFFIXES = {"lightgbm": ".txt", "xgboost": ".ubj"}


@dataclass(frozen=True, kw_only=True)
class StoredTrees:
    """A tree model loaded from its files."""

    trees: Trees
    columns: list[str]
    """Features that it reads, in order, as `{channel}_{statistic}`."""
    description: dict[str, Any]
    """What model.json says."""
    threads: int = 1

    def predict(self, features: Floats) -> Floats:
        """Probability of a landslide.

        Parameters
        ----------
        features : (n, column), in the order of `columns`

        Returns
        -------
        (n,), in [0, 1]

        Raises
        ------
        ValueError
            The number of columns is another, or a value is NaN or infinite.
        """
        if features.ndim != 2 or features.shape[1] != len(self.columns):
            raise ValueError(
                f"features have the shape {features.shape}, expected (n, {len(self.columns)})"
            )
        finite = np.isfinite(features).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"features are not finite in rows {name_some(np.flatnonzero(~finite))}"
            )
        if len(features) == 0:
            return np.zeros(0)
        return self.trees.predict(np.ascontiguousarray(features), self.threads)


def save_trees(
    trees: Trees, *, kind: str, weights: Path, description: Path, facts: Mapping[str, Any]
) -> None:
    """Write the model and a JSON that suffices to load and apply it.

    Parameters
    ----------
    kind
        lightgbm or xgboost.
    weights, description
        Where they go, in one folder.
    facts
        What else a reader wants to know (model name, fold, seed, settings); plain JSON values.
    """
    data = trees.to_bytes()
    with atomic_path(weights) as temporary:
        temporary.write_bytes(data)
    write_json(
        description,
        {
            "format_version": FORMAT_VERSION,
            "kind": kind,
            "weights": weights.name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "columns": trees.columns,
            **facts,
        },
    )


def load_trees(description: Path, *, threads: int = 1) -> StoredTrees:
    """Load a model from its model.json and the weights beside it.

    Raises
    ------
    InputError
        The files are of another format version or kind, the weights lie outside the folder of
        `description`, or their bytes are not those that were stored.
    """
    told = read_json(description)
    expected = {"format_version", "kind", "columns", "weights", "sha256"}
    if not isinstance(told, dict) or expected - told.keys():
        missing = sorted(expected - told.keys()) if isinstance(told, dict) else sorted(expected)
        raise InputError(f"{description} does not describe a tree model: it lacks {missing}")
    if told["format_version"] != FORMAT_VERSION:
        raise InputError(
            f"{description} has format version {told['format_version']}, expected"
            f" {FORMAT_VERSION}; train the model again"
        )
    if told["kind"] not in SUFFIXES:
        raise InputError(
            f"{description}: kind {told['kind']!r} is no tree model; expected one of"
            f" {sorted(SUFFIXES)}"
        )
    weights = _beside(description, told["weights"])
    if not weights.is_file():
        raise InputError(f"{description} names {weights.name}, which is not beside it")
    data = weights.read_bytes()
    if hashlib.sha256(data).hexdigest() != told["sha256"]:
        raise InputError(
            f"{weights} is damaged: its SHA-256 is not the one in {description}; delete both and"
            " run again"
        )
    trees = load(told["kind"], data)
    if trees.columns != told["columns"]:
        raise InputError(f"{weights} reads other columns than {description} says")
    return StoredTrees(
        trees=trees, columns=list(told["columns"]), description=told, threads=threads
    )


def _beside(description: Path, name: object) -> Path:
    """The file of that name in the folder of `description`; nothing else can be named."""
    plain = isinstance(name, str) and name not in ("", ".", "..") and not set(name) & set("/\\\0")
    if not plain:
        raise InputError(
            f"{description}: weights must be the name of a file beside it, got {name!r}"
        )
    weights = description.parent / str(name)
    if weights.resolve().parent != description.parent.resolve():
        raise InputError(f"{weights} is a link that leaves its folder; put the file itself there")
    return weights
