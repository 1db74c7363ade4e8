"""A small run: a split, members' predictions, and a manifest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from landslip.data.folds import split_digest
from landslip.ensemble.combine import Way
from landslip.ensemble.fewer_sensors import FewerSensors
from landslip.ensemble.gather import gather_oof
from landslip.ensemble.predict import predict_test
from landslip.ensemble.search import search_threshold
from landslip.io.files import read_metadata, read_parquet, write_json, write_parquet
from landslip.models.predictions import write_oof, write_test

PATCHES, FOLDS, TEST_PATCHES, EMPTY = 120, 4, 50, (7, 30)


Change = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True, kw_only=True)
class Run:
    """Paths of what the ensemble stage reads, and of what it writes."""

    folder: Path
    folds: Path
    manifest: Path
    oof: Mapping[str, list[Path]]
    test: Mapping[str, list[Path]]
    digest: str

    @property
    def threshold(self) -> Path:
        return self.folder / "threshold.json"

    @property
    def ensemble_oof(self) -> Path:
        return self.folder / "ensemble_oof.parquet"

    @property
    def ensemble_test(self) -> Path:
        return self.folder / "ensemble_test.parquet"

    @property
    def fewer(self) -> FewerSensors:
        """Trees read the optics, the network reads them and radar."""
        return FewerSensors(
            descriptions={name: self.folder / name / "model.json" for name in self.test},
            again={},
            oof=self.ensemble_oof,
            threshold=self.threshold,
            sensor={"red": "optical", "vv": "radar"},
            indices={},
            way=Way(rule="mean", calibration="none", threshold="exact", bootstrap=100, seed=42),
        )

    def gather(self, rule: str = "mean", calibration: str = "none") -> None:
        """Run the stage up to the test predictions."""
        gather_oof(
            members=self.oof,
            folds=self.folds,
            rule=rule,
            calibration=calibration,
            bootstrap=100,
            seed=42,
            target=self.ensemble_oof,
        )
        search_threshold(
            oof=self.ensemble_oof, method="exact", bootstrap=100, seed=42, target=self.threshold
        )
        predict_test(
            members=self.test,
            manifest=self.manifest,
            threshold=self.threshold,
            fewer=self.fewer,
            target=self.ensemble_test,
        )


def write_ablation(
    folder: Path, *, labels: np.ndarray | None = None, test_labels: np.ndarray | None = None
) -> Run:
    """Write a run; `labels` replaces what is drawn, `test_labels` what is not known."""
    random = np.random.default_rng(5)
    drawn = (random.random(PATCHES) < 0.3).astype(np.int8)
    labels = drawn if labels is None else labels
    truth = (random.random(TEST_PATCHES) < 0.3).astype(np.int8)
    ids = [f"train_{number}" for number in range(PATCHES)]
    # Not in order of name: the order is the manifest's.
    test_ids = [f"test_{number}" for number in random.permutation(TEST_PATCHES)]
    folds = pd.DataFrame({"id": ids, "fold": np.arange(PATCHES) % FOLDS, "label": labels})
    digest = split_digest(folds)
    write_parquet(folder / "folds.parquet", folds, {"split_digest": digest})
    known = [pd.NA] * TEST_PATCHES if test_labels is None else test_labels.tolist()
    status = ["empty" if row in EMPTY else "ok" for row in range(TEST_PATCHES)]
    manifest = pd.DataFrame(
        {
            "id": ids + test_ids,
            "split": ["train"] * PATCHES + ["test"] * TEST_PATCHES,
            "label": pd.array(labels.tolist() + known, dtype="Int8"),
            "status": ["ok"] * PATCHES + status,
            "missing": "",
        }
    )
    write_parquet(folder / "manifest.parquet", manifest)
    write_json(folder / "trees" / "model.json", {"kind": "lightgbm", "columns": ["red_mean"]})
    network = {
        "kind": "network",
        "architecture": {"channels": [["red", "vv"]]},
        "settings": {"training": {}},
    }
    write_json(folder / "network" / "model.json", network)
    oof: dict[str, list[Path]] = {}
    test: dict[str, list[Path]] = {}
    for model in ("trees", "network"):
        scores = _scores(random, drawn)
        for fold in range(FOLDS):
            written = folder / model / f"fold{fold}"
            rows = random.permutation(np.flatnonzero(folds["fold"] == fold))
            write_oof(
                written / "oof.parquet",
                folds.iloc[rows],
                scores[rows],
                split_digest=digest,
                model=model,
            )
            usable = [row for row in range(TEST_PATCHES) if row not in EMPTY]
            write_test(
                written / "test.parquet",
                ids=[test_ids[row] for row in usable],
                probability=_scores(random, truth)[usable],
                split_digest=digest,
                model=model,
            )
            oof.setdefault(model, []).append(written / "oof.parquet")
            test.setdefault(model, []).append(written / "test.parquet")
    return Run(
        folder=folder,
        folds=folder / "folds.parquet",
        manifest=folder / "manifest.parquet",
        oof=oof,
        test=test,
        digest=digest,
    )


def _scores(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Probabilities that lean towards the label."""
    return 1 / (1 + np.exp(-(2.5 * labels - 1.5 + random.normal(size=len(labels)))))


def rewrite(path: Path, change: Change | None = None, **metadata: str) -> None:
    """Damage a file of predictions as no writer of ours would."""
    frame = read_parquet(path)
    write_parquet(path, change(frame) if change else frame, read_metadata(path) | metadata)


def second_row(column: str, value: object) -> Change:
    """Another value in the second row."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].to_numpy(copy=True)
        values[1] = value
        return frame.assign(**{column: values})

    return change
