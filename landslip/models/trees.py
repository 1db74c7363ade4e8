"""One tree model on one fold, from files to files."""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.folds import read_folds
from landslip.files import (
    InputError,
    check_writable,
    read_parquet,
    text_digest,
    write_parquet,
)
from landslip.models.boosting import Examples, Floats, TreeSettings, fit
from landslip.models.cost import Cost, Stopwatch, peak_memory_mb, write_cost
from landslip.models.fingerprint import flatten
from landslip.models.finished import Finished
from landslip.models.importance import IMPORTANCE_COLUMNS
from landslip.models.interruption import noting_signals
from landslip.models.predictions import name_some, write_oof
from landslip.models.seeds import derive_seed
from landslip.models.tree_files import SUFFIXES, load_trees, save_trees

SECONDS_BETWEEN_LINES = 10.0

logger = logging.getLogger(__name__)


@noting_signals("this fold starts anew with the next run")
def train_trees(
    *,
    settings: TreeSettings,
    columns: Sequence[str],
    features: tuple[Path, str],
    folds: Path,
    fold: int,
    seed: int,
    code: str,
    threads: int,
    gpu: bool,
    model: str,
    weights: Path,
    description: Path,
    oof: Path,
    history: Path,
    importance: Path,
    cost: Path,
    finished: Path,
) -> None:
    """Train on the other folds, and predict this fold; or put back what just that wrote before.

    Predictions are made with the model as it is loaded from its files, so what is stored is what
    predicted.

    Parameters
    ----------
    settings
        Hyperparameters and which library.
    columns
        Features to read, in order.
    features
        Table of features by id, in any order of rows, and the digest of its bytes.
    folds
        folds.parquet: the patches to learn from, their folds and labels.
    fold
        The fold that is left out.
    seed
        The study's seed; the model's own derives from it, `model` and `fold`.
    code
        Digest of the source that runs here: what another one trained is not put back.
    threads
        CPU threads; the result does not depend on them.
    gpu
        Train XGBoost on the GPU.
    model
        Name of the model.
    weights, description
        The trained model and the JSON that suffices to load and apply it, in one folder.
    oof, history, importance, cost
        Further outputs: predictions, loss by round (unweighted log loss, F1 at 0.5), gain and
        splits of every feature, time and memory.
    finished
        Folder in which the outputs are kept as well: see `landslip.models.finished`.

    Raises
    ------
    InputError
        Features of a patch are missing, doubled or not finite; the fold does not exist; the
        training patches are all of one class; a GPU is asked for and cannot be used.
    Interrupted
        A signal asked to end.
    """
    watch = Stopwatch()
    _check_targets(settings, weights, description)
    check_writable(weights.parent)
    patches, split_digest = read_folds(folds)
    device = "cuda" if gpu else "cpu"
    model_seed = derive_seed(seed, model, fold)
    done = Finished(
        folder=finished,
        fingerprint={
            **flatten("settings", asdict(settings)),
            "columns": text_digest(*columns),
            "seed": str(model_seed),
            "code": code,
            "features": features[1],
            "folds": split_digest,
            "device": device,
            settings.kind: version(settings.kind),
        },
        outputs=[weights, description, oof, history, importance, cost],
    )
    if done.restore():
        logger.info("%s fold %d was trained before the job was cut short: kept", model, fold)
        return
    table = _read_features(features[0], columns, ids=patches["id"])
    left_out = (patches["fold"] == fold).to_numpy()
    labels = patches["label"].to_numpy(dtype=np.int8)
    if not left_out.any():
        known = sorted(patches["fold"].unique().tolist())
        raise InputError(f"{folds} has no fold {fold}; it has {known}")
    values = table.to_numpy(dtype=np.float64)
    train = Examples(values[~left_out], labels[~left_out])
    validation = Examples(values[left_out], labels[left_out])
    if len(np.unique(train.labels)) < 2:
        raise InputError(
            f"{folds}: outside fold {fold} all {len(train.labels)} patches have the label"
            f" {train.labels[0] if len(train.labels) else '-'}; nothing can be learned from one"
            " class"
        )

    logger.info(
        "%s fold %d: %d training and %d validation patches, %d features, %d threads",
        model, fold, len(train.labels), len(validation.labels), len(columns), threads,
    )  # fmt: skip
    record = _History(settings=settings, train=train.labels, validation=validation.labels)
    watch.lap()
    trained = fit(
        settings,
        train,
        validation,
        columns=columns,
        seed=model_seed,
        threads=threads,
        gpu=gpu,
        watch=record.watch,
    )
    training_seconds = watch.lap()
    facts = {
        "model": model,
        "fold": fold,
        "seed": model_seed,
        "device": device,
        "split_digest": split_digest,
        "settings": asdict(settings),
        "versions": {settings.kind: version(settings.kind)},
    }
    save_trees(trained, kind=settings.kind, weights=weights, description=description, facts=facts)
    stored = load_trees(description, threads=threads)
    watch.lap()
    oof_probability = stored.predict(validation.features)
    prediction_seconds = watch.lap()
    write_oof(
        oof,
        ids=patches["id"][left_out].tolist(),
        fold=fold,
        labels=validation.labels,
        probability=oof_probability,
        split_digest=split_digest,
        model=model,
    )
    write_parquet(history, record.frame())
    gains = trained.importance()[list(IMPORTANCE_COLUMNS)]
    if not gains["splits"].any():
        logger.warning(
            "no tree has a split: %s may be too high for %d training patches; lower it, or give"
            " more patches",
            "min_data_in_leaf" if settings.kind == "lightgbm" else "min_child_weight",
            len(train.labels),
        )
    write_parquet(importance, gains)
    took = Cost(
        model=model,
        fold=fold,
        kind=settings.kind,
        device=device,
        threads=threads,
        seconds=watch.total(),
        training_seconds=training_seconds,
        prediction_seconds=prediction_seconds,
        epochs=settings.trees,
        training_patches=len(train.labels),
        prediction_patches_per_second=len(oof_probability) / prediction_seconds,
        peak_memory_mb=peak_memory_mb(),
    )
    write_cost(cost, took)
    done.keep()


def _check_targets(settings: TreeSettings, weights: Path, description: Path) -> None:
    suffix = SUFFIXES[settings.kind]
    if weights.suffix != suffix:
        raise InputError(f"{settings.kind} weights end in {suffix}, got {weights}")
    if weights.parent != description.parent:
        raise InputError(f"{weights} and {description} must stand in one folder")


def _read_features(path: Path, columns: Sequence[str], ids: pd.Series) -> pd.DataFrame:
    """Features of the patches `ids`, in that order.

    Returns
    -------
    DataFrame
        Indexed by id, with `columns` in order.
    """
    table = read_parquet(path, ["id", *columns]).set_index("id")[list(columns)]
    doubled = table.index[table.index.duplicated()].unique()
    if len(doubled):
        raise InputError(f"{path}: ids that come twice: {name_some(doubled)}")
    missing = ids[~ids.isin(table.index)]
    if len(missing):
        raise InputError(
            f"{path} has no features of {name_some(missing)} of {len(ids)} patches; delete it"
            " and run again"
        )
    table = table.loc[ids]
    finite = np.isfinite(table.to_numpy(dtype=np.float64)).all(axis=1)
    if not finite.all():
        raise InputError(
            f"{path}: features are NaN or infinite for {name_some(table.index[~finite])}"
        )
    return table


class _History:
    """Loss and F1 by round, kept for the table and told in the log now and then."""

    def __init__(
        self, *, settings: TreeSettings, train: NDArray[np.int8], validation: NDArray[np.int8]
    ) -> None:
        self._settings = settings
        self._train = train
        self._validation = validation
        self._rows: list[dict[str, float]] = []
        self._started = self._told = time.monotonic()

    def watch(self, step: int, train: Floats, validation: Floats) -> None:
        # Here, so that the log's first line need not wait for it: it takes most of a second.
        from sklearn.metrics import f1_score, log_loss

        row = {
            "step": float(step),
            "train_loss": float(log_loss(self._train, train, labels=[0, 1])),
            "validation_loss": float(log_loss(self._validation, validation, labels=[0, 1])),
            "validation_f1": float(f1_score(self._validation, validation > 0.5, zero_division=0)),
            "learning_rate": self._settings.learning_rate,
        }
        self._rows.append(row)
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES or step == self._settings.trees:
            self._told = now
            logger.info(
                "round %d of %d, %.0f rounds/s, log loss %.4f train, %.4f validation, F1 %.4f",
                step,
                self._settings.trees,
                step / max(now - self._started, 1e-9),
                row["train_loss"],
                row["validation_loss"],
                row["validation_f1"],
            )

    def frame(self) -> pd.DataFrame:
        return pd.DataFrame(self._rows)
