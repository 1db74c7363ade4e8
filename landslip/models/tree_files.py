"""A trained tree model on disk: the library's own file, the rest as JSON beside it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from landslip.io.arrays import Floats
from landslip.io.files import InputError, atomic_path, write_json
from landslip.models.boosting import Trees
from landslip.models.model_files import read_model
from landslip.models.predictions import format_ids
from landslip.models.tree_checks import NotTreesError
from landslip.models.tree_libraries import LIBRARIES

FORMAT_VERSION = 1
_COLUMN = re.compile("[A-Za-z0-9_]+")


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
        """Probability that each patch shows a landslide.

        Parameters
        ----------
        features : (n, column)
            In the order of `columns`, each in its channel's unit.

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
                f"features are not finite in rows {format_ids(np.flatnonzero(~finite))}"
            )
        if len(features) == 0:
            return np.zeros(0)
        return self.trees.predict(np.ascontiguousarray(features), self.threads)


def save_trees(
    trees: Trees, *, kind: str, weights: Path, description: Path, metadata: Mapping[str, Any]
) -> None:
    """Write the model and a JSON that suffices to load and apply it.

    Parameters
    ----------
    trees
        The model.
    kind
        The key of its library in `LIBRARIES`.
    weights, description
        Where they go, in one folder.
    metadata
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
            **metadata,
        },
    )


def load_trees(description: Path, *, threads: int = 1) -> StoredTrees:
    """Load a model from its model.json and the weights beside it.

    Raises
    ------
    InputError
        The files are of another format version or kind, the weights lie outside the folder of
        `description`, their bytes are not those that were stored, or they are no trees over the
        columns that `description` names.
    """
    metadata, weights = read_model(description, kinds=sorted(LIBRARIES), version=FORMAT_VERSION)
    columns = metadata.get("columns")
    if not _are_columns(columns):
        raise InputError(
            f"{description}: columns must be the names of features, each once, got"
            f" {str(columns)[:80]}; train the model again"
        )
    try:
        trees = LIBRARIES[metadata["kind"]].load(weights.read_bytes(), columns)
    except NotTreesError as error:
        raise InputError(
            f"{weights} does not hold the trees that {description.name} describes: {error}; do not"
            " use it, whatever its digest; train the model again"
        ) from error
    return StoredTrees(trees=trees, columns=columns, description=metadata, threads=threads)


def _are_columns(names: object) -> TypeGuard[list[str]]:
    """Whether these are names as the libraries' files can hold them, each once."""
    return (
        isinstance(names, list)
        and len(names) > 0
        and all(isinstance(name, str) and _COLUMN.fullmatch(name) for name in names)
        and len(set(names)) == len(names)
    )
