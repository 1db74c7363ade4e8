"""The split of the training patches into folds, made once and known by its digest."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from landslip.io.files import (
    InputError,
    read_metadata,
    read_parquet,
    texts_digest,
    write_parquet,
)

_COLUMNS = ["id", "fold", "label"]
# Schemes that keep groups whole -> what one of their groups is, and how there are more of them.
_WHOLE = {
    "grouped": ("group", "folds.scheme: stratified"),
    "blocks": ("block of ground", "a smaller folds.block_size"),
    "scene": ("scene", "folds.scheme: blocks"),
    "event": ("event", "folds.scheme: scene or blocks"),
}


def assign_folds(
    labels: ArrayLike, groups: ArrayLike, *, scheme: str, n: int, seed: int
) -> NDArray[np.int64]:
    """The fold in which each patch is validated.

    Parameters
    ----------
    labels : (patch,)
        0 or 1.
    groups : (patch,)
        Patches of one group share a fold with the schemes grouped, blocks, scene and event;
        others ignore it.
    scheme
        "kfold": shuffled, as in the paper. "stratified": with an equal share of positives.
        "grouped": groups whole, and positives as equal as that allows. "blocks", "scene",
        "event": the same, where groups are blocks of ground, scenes or scenes of one event and
        what overlaps across them.
    n
        Folds, at least 2.
    seed
        Shuffles the patches.

    Returns
    -------
    (patch,) int64, from 0 to n - 1

    Raises
    ------
    InputError
        Fewer patches, positives or groups than folds, or a fold without a positive; with blocks,
        scene and event, a fold without a negative too.

    Notes
    -----
    scikit-learn's KFold, StratifiedKFold and StratifiedGroupKFold, with shuffle=True and
    random_state=seed. A fold's F1 says nothing without a positive, hence the refusal.
    """
    classes = np.asarray(labels, dtype=np.int64)
    together = np.asarray(groups)
    if len(classes) < n:
        raise InputError(f"{len(classes)} patches cannot make {n} folds; set folds.n lower")
    positives = int(classes.sum())
    if positives < n:
        raise InputError(
            f"{positives} landslides among {len(classes)} patches leave a fold of {n} without one, "
            "even with folds.scheme: stratified; "
            + (f"set folds.n to {positives}" if positives > 1 else "label more landslides")
        )
    if scheme in _WHOLE:
        _refuse_few_groups(classes, together, scheme, n)
    # Here, for every training reads folds and only one job makes them: it takes most of a second.
    from sklearn.model_selection import KFold, StratifiedGroupKFold, StratifiedKFold

    kinds = {"kfold": KFold, "stratified": StratifiedKFold}
    splitter = kinds.get(scheme, StratifiedGroupKFold)(n, shuffle=True, random_state=seed)
    parts = splitter.split(classes, classes, together if scheme in _WHOLE else None)
    fold = np.full(len(classes), -1, np.int64)
    for number, (_, validation) in enumerate(parts):
        fold[validation] = number
    _refuse_one_class(fold, classes, scheme, n)
    return fold


def _refuse_few_groups(
    classes: NDArray[np.int64], groups: NDArray[np.generic], scheme: str, n: int
) -> None:
    """Refuse groups that cannot give every fold one of them, and what it needs of them."""
    kind, cure = _WHOLE[scheme]
    count = len(np.unique(groups))
    if count < n:
        raise InputError(
            f"{count} {_several(kind)} cannot make {n} folds; set folds.n lower or {cure}"
        )
    if scheme == "grouped":
        return
    for value, what in ((1, "landslides"), (0, "patches without one")):
        holders = len(np.unique(groups[classes == value]))
        if holders < n:
            raise InputError(
                f"{what} lie in {holders} of {count} {_several(kind)}, and each of {n} folds needs "
                f"some; set folds.n to {holders} or less or {cure}"
                if holders > 1
                else f"all {what} lie in one of {count} {_several(kind)}, so no two folds can hold "
                f"some; set {cure}"
            )


def _several(kind: str) -> str:
    first, *rest = kind.split(" ")
    return " ".join([f"{first}s", *rest])


def _refuse_one_class(
    fold: NDArray[np.int64], classes: NDArray[np.int64], scheme: str, n: int
) -> None:
    """Refuse folds without a landslide; of ground also those of landslides alone."""
    needed = {1: "landslide"}
    if scheme in ("blocks", "scene", "event"):
        needed[0] = "patch without a landslide"
    for value, what in needed.items():
        without = np.flatnonzero(np.bincount(fold, weights=classes == value, minlength=n) == 0)
        if without.size:
            raise InputError(
                f"fold {', '.join(map(str, without))} of {n} has no {what} among its patches with "
                f"folds.scheme: {scheme}; "
                + (
                    "set folds.scheme: stratified, or grouped if patches are copies of one another"
                    if scheme == "kfold"
                    else "its groups leave too few to share out: set folds.n lower, or "
                    + _WHOLE.get(scheme, _WHOLE["grouped"])[1]
                )
            )


def write_folds(
    manifest: Path,
    target: Path,
    *,
    scheme: str,
    n: int,
    seed: int,
    group: str | None = None,
    block_size: float | None = None,
) -> None:
    """Split the usable training patches of a manifest.

    Parameters
    ----------
    manifest
        manifest.parquet.
    target
        Parquet of id, fold (int64), label (int8), in the manifest's order; in the
        metadata its digest as split_digest, the scheme and the seed. The same input gives the
        same bytes.
    scheme, n, seed
        See `assign_folds`.
    group
        The CSV column that the manifest's groups come from, for messages; None: from copies, or
        from the ground that windows of scenes lie on.
    block_size
        Metres of a block's side, for messages: the manifest's groups are made of them.

    Raises
    ------
    InputError
        See `assign_folds`.
    """
    table = read_parquet(manifest, ["id", "split", "label", "status", "group"])
    table = table[(table["split"] == "train") & (table["status"] == "ok")]
    try:
        fold = assign_folds(table["label"], table["group"], scheme=scheme, n=n, seed=seed)
    except InputError as error:
        grouping = ""
        if group and scheme == "grouped":
            grouping = f" (groups by the column {group})"
        elif block_size and scheme == "blocks":
            grouping = f" (blocks of {block_size:g} m)"
        raise InputError(f"{error}{grouping}") from None
    frame = pd.DataFrame(
        {"id": table["id"].to_numpy(), "fold": fold, "label": table["label"].to_numpy(np.int8)}
    )
    metadata = {"split_digest": split_digest(frame), "scheme": scheme, "seed": str(seed)}
    write_parquet(target, frame, metadata)


def split_digest(frame: pd.DataFrame) -> str:
    """SHA-256 over ids, folds and labels, in order; how they were chosen does not count."""
    return texts_digest(str(value) for name in _COLUMNS for value in frame[name])


def read_folds(path: Path) -> tuple[pd.DataFrame, str]:
    """Read folds and check them against their digest.

    Returns
    -------
    table : DataFrame
        id, fold (int64), label (int8).
    digest : str
        Of the split.

    Raises
    ------
    InputError
        The file is damaged or was changed by hand.
    """
    table = read_parquet(path, _COLUMNS)
    digest = read_metadata(path).get("split_digest")
    if digest != split_digest(table):
        raise InputError(
            f"{path} does not have the digest it was saved with; delete it and run again"
        )
    return table, digest


def training_rows(path: Path, fold: int) -> NDArray[np.int64]:
    """Rows (m,) of the train store that a fold's models learn from: those of the other folds.

    Raises
    ------
    InputError
        There is no such fold.
    """
    table, _ = read_folds(path)
    folds = table["fold"].to_numpy()
    if fold not in folds:
        raise InputError(f"{path} has no fold {fold}; it has {sorted(set(folds.tolist()))}")
    return np.flatnonzero(folds != fold)
