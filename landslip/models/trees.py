"""One tree model on one fold, from files to files."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from landslip.features.names import feature_columns
from landslip.io.arrays import Floats
from landslip.io.files import InputError, check_writable, read_parquet, write_parquet
from landslip.models.boosting import Examples, Task, Trees
from landslip.models.cost import Cost, Stopwatch, peak_memory_mb, write_cost
from landslip.models.importance import IMPORTANCE_COLUMNS
from landslip.models.interruption import noting_signals
from landslip.models.predictions import format_ids
from landslip.models.seeds import derive_seed
from landslip.models.settings import TreeSettings
from landslip.models.split import Split, read_split
from landslip.models.tree_files import StoredTrees, load_trees, save_trees
from landslip.models.tree_libraries import fit

SECONDS_BETWEEN_LINES = 10.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TreeTraining:
    """A training of one tree model on one fold: settings, inputs and machine."""

    model: str
    """Its name."""
    settings: TreeSettings
    """Hyperparameters of a library; the inputs are channels."""
    fold: int
    """The fold that is held out."""
    seed: int
    """The run's seed; the model's own derives from it, `model` and `fold`."""
    features: Path
    """Table of features by id, in any order of rows."""
    folds: Path
    """folds.parquet: the patches to learn from, their folds and labels."""
    threads: int
    """CPU threads; the result does not depend on them."""
    gpu: bool
    """Train on the GPU, where the library can."""

    @property
    def own_seed(self) -> int:
        """Seed of this (seed, model, fold)."""
        return derive_seed(self.seed, self.model, self.fold)

    @property
    def device(self) -> str:
        """Device that trains: cpu or cuda."""
        return "cuda" if self.gpu else "cpu"

    @property
    def columns(self) -> list[str]:
        """Features to read, in order."""
        return feature_columns(self.settings.inputs, self.settings.statistics)


@dataclass(frozen=True, kw_only=True)
class TreeOutputs:
    """Where the files of a training go, in one folder."""

    weights: Path
    description: Path
    """The JSON that suffices to load and apply the trained model."""
    oof: Path
    history: Path
    """Loss by round: unweighted log loss, F1 at 0.5."""
    importance: Path
    """Gain and splits of every feature."""
    cost: Path


@noting_signals("this fold starts anew with the next run")
def train_trees(training: TreeTraining, outputs: TreeOutputs) -> None:
    """Train trees on the other folds, predict this fold, and write all outputs.

    Predictions are made with the model as it is loaded from its files, so what is stored is what
    predicted.

    Raises
    ------
    InputError
        Features of a patch are missing, doubled or not finite; the fold does not exist; the
        training patches are all of one class; a GPU is asked for and cannot be used.
    Interrupted
        A signal asked to end.
    """
    stopwatch = Stopwatch()
    check_writable(outputs.weights.parent)
    split = read_split(training.folds, training.fold)
    task = _read_task(training, split)
    history = _History(task)
    stopwatch.lap()
    trained = fit(task, history.evaluate)
    training_seconds = stopwatch.lap()
    stored = _store(trained, training, split, outputs)
    stopwatch.lap()
    probability = stored.predict(task.validation.features)
    prediction_seconds = stopwatch.lap()
    split.write_oof(outputs.oof, probability, training.model)
    write_parquet(outputs.history, history.frame())
    write_parquet(outputs.importance, _importance(trained, task))
    took = Cost(
        model=training.model,
        fold=training.fold,
        kind=training.settings.kind,
        device=training.device,
        threads=training.threads,
        seconds=stopwatch.total(),
        training_seconds=training_seconds,
        prediction_seconds=prediction_seconds,
        epochs=training.settings.trees,
        training_patches=len(task.train.labels),
        prediction_patches_per_second=len(probability) / prediction_seconds,
        peak_memory_mb=peak_memory_mb(),
    )
    write_cost(outputs.cost, took)


def _read_task(training: TreeTraining, split: Split) -> Task[TreeSettings]:
    """Read the patches to learn from and those held out; refuse those of one class alone."""
    table = _read_features(training.features, training.columns, ids=split.table["id"])
    values, held_out = table.to_numpy(dtype=np.float64), split.held_out
    train = Examples(values[~held_out], split.labels[~held_out])
    validation = Examples(values[held_out], split.labels[held_out])
    if len(np.unique(train.labels)) < 2:
        raise InputError(
            f"{training.folds}: outside fold {training.fold} all {len(train.labels)} patches have"
            f" the label {train.labels[0] if len(train.labels) else '-'}; nothing can be learned"
            " from one class"
        )
    logger.info(
        "%s fold %d: %d training and %d validation patches, %d features, %d threads",
        training.model, training.fold, len(train.labels), len(validation.labels),
        len(training.columns), training.threads,
    )  # fmt: skip
    return Task(
        settings=training.settings,
        columns=training.columns,
        train=train,
        validation=validation,
        seed=training.own_seed,
        threads=training.threads,
        gpu=training.gpu,
    )


def _store(
    trained: Trees, training: TreeTraining, split: Split, outputs: TreeOutputs
) -> StoredTrees:
    """Write the trained model, and load it as whoever uses it will."""
    metadata = {
        "model": training.model,
        "fold": training.fold,
        "seed": training.own_seed,
        "device": training.device,
        "split_digest": split.digest,
        "settings": training.settings.model_dump(mode="json"),
        "versions": {training.settings.kind: version(training.settings.package)},
    }
    save_trees(
        trained,
        kind=training.settings.kind,
        weights=outputs.weights,
        description=outputs.description,
        metadata=metadata,
    )
    return load_trees(outputs.description, threads=training.threads)


def _importance(trained: Trees, task: Task[TreeSettings]) -> pd.DataFrame:
    """Gain and splits of every feature; the log says so where there is no split at all."""
    gains = trained.importance()[list(IMPORTANCE_COLUMNS)]
    if not gains["splits"].any():
        logger.warning(
            "no tree has a split: %s may be too high for %d training patches; lower it, or give"
            " more patches",
            task.settings.leaf_key,
            len(task.train.labels),
        )
    return gains


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
        raise InputError(f"{path}: ids that come twice: {format_ids(doubled)}")
    missing = ids[~ids.isin(table.index)]
    if len(missing):
        raise InputError(
            f"{path} has no features of {format_ids(missing)} of {len(ids)} patches; delete it"
            " and run again"
        )
    table = table.loc[ids]
    finite = np.isfinite(table.to_numpy(dtype=np.float64)).all(axis=1)
    if not finite.all():
        raise InputError(
            f"{path}: features are NaN or infinite for {format_ids(table.index[~finite])}"
        )
    return table


class _History:
    """Loss and F1 by round, kept for the table, and logged now and then."""

    def __init__(self, task: Task[TreeSettings]) -> None:
        self._settings = task.settings
        self._train = task.train.labels
        self._validation = task.validation.labels
        self._rows: list[dict[str, float]] = []
        self._started = self._logged = time.monotonic()

    def evaluate(self, step: int, train: Floats, validation: Floats) -> None:
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
        if now - self._logged >= SECONDS_BETWEEN_LINES or step == self._settings.trees:
            self._logged = now
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
