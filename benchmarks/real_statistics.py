"""Fit the paper's two tree models on statistics of real patches: landslip beside the libraries.

The table has a label and {channel}_{statistic} columns. Folds, settings and seeds are those of
config.yaml. The plain way calls LightGBM and XGBoost with the paper's parameters, and scikit-learn
for the scores; all must be equal.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from numpy.typing import NDArray
from sklearn.metrics import f1_score, roc_auc_score

from benchmarks.recording import ROOT, record
from landslip.config.files import read_config_file
from landslip.config.merge import merge_config
from landslip.config.schema import Config, parse_config
from landslip.data.folds import assign_folds, split_digest
from landslip.ensemble import metrics
from landslip.ensemble.gather import read_members
from landslip.ensemble.threshold import HALF, cross_fit, search_exact
from landslip.features.names import STATISTICS, feature_columns
from landslip.io.arrays import Floats, Labels
from landslip.io.files import write_parquet
from landslip.models.seeds import derive_seed
from landslip.models.settings import TREES, TreeSettings
from landslip.models.trees import TreeOutputs, TreeTraining, train_trees


def main() -> None:
    """Command line: prints a table for people, then one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("statistics", type=Path, help="CSV: label, then {channel}_{statistic}")
    parser.add_argument("--models", nargs="+", choices=TREES, default=list(TREES))
    parser.add_argument("--trees", type=int, help="of each model; default: the paper's")
    parser.add_argument("--threads", type=int, default=1, help="default: %(default)s")
    given = parser.parse_args()
    table = pd.read_csv(given.statistics)
    table.insert(0, "id", [f"row{number:05d}" for number in range(len(table))])
    config = parse_config(merge_config(read_config_file(ROOT / "config.yaml"), {}))
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folds = _write_inputs(table, config, Path(scratch))
        for name in given.models:
            settings = _settings(config, name, table, given.trees)
            found[name] = _compare(
                settings, table, folds, config.seed, given.threads, Path(scratch)
            )
    record({"benchmark": Path(__file__).stem, "patches": len(table), "models": found})
    if not all(entry["equal"] for entry in found.values()):
        raise SystemExit("landslip and the libraries differ")


def _write_inputs(table: pd.DataFrame, config: Config, folder: Path) -> NDArray[np.int64]:
    """Write features and folds as the product's jobs read them; gives the folds."""
    labels, settings = table["label"].to_numpy(np.int8), config.folds
    fold = assign_folds(
        labels, table["id"], scheme=settings.scheme, n=settings.n, seed=settings.seed
    )
    frame = pd.DataFrame({"id": table["id"], "fold": fold, "label": labels})
    write_parquet(folder / "folds.parquet", frame, {"split_digest": split_digest(frame)})
    write_parquet(folder / "train.parquet", table.drop(columns="label"))
    return fold


def _settings(config: Config, name: str, table: pd.DataFrame, trees: int | None) -> TreeSettings:
    """The paper's, of the channels and statistics that the table has."""
    known = [column.rsplit("_", 1) for column in table.columns if column not in ("id", "label")]
    channels = list(dict.fromkeys(channel for channel, _ in known))
    statistics = [each for each in STATISTICS if each in {statistic for _, statistic in known}]
    changed = {"inputs": channels, "statistics": statistics} | ({"trees": trees} if trees else {})
    settings = config.models[name].model_copy(update=changed)
    if not isinstance(settings, TreeSettings):
        raise TypeError(f"{name} is no tree model")
    return settings


def _compare(
    settings: TreeSettings, table: pd.DataFrame, fold: NDArray[np.int64], seed: int, threads: int,
    folder: Path,
) -> dict[str, Any]:  # fmt: skip
    """Scores of both ways, and whether they are equal."""
    labels = table["label"].to_numpy(np.int8)
    features = table[feature_columns(settings.inputs, settings.statistics)].to_numpy(np.float64)
    started = time.perf_counter()
    ours = _with_landslip(settings, fold, seed, threads, folder)
    taken = time.perf_counter()
    plain = np.empty(len(labels))
    for number in np.unique(fold).tolist():
        own = fold == number
        plain[own] = PLAIN[settings.kind](
            features[~own], labels[~own], features[own], settings.trees,
            derive_seed(seed, settings.kind, number), threads,
        )  # fmt: skip
    ended = time.perf_counter()
    scores = {"landslip": _our_scores(labels, ours, fold), "plain": _plain_scores(labels, plain)}
    apart = float(np.abs(ours - plain).max())
    # The libraries' own scores are sums in another order, so the last digits may differ.
    equal = apart < 1e-9 and all(
        abs(scores["landslip"][key] - value) < 1e-12 for key, value in scores["plain"].items()
    )
    print(f"{settings.kind}, {settings.trees} trees, {features.shape[1]} columns", flush=True)
    for way, values in scores.items():
        print(f"  {way:9}" + "".join(f"  {key} {value:.6f}" for key, value in values.items()))
    print(f"  probabilities differ by {apart:.1e} at most: {'equal' if equal else 'DIFFERENT'}")
    return {
        "trees": settings.trees,
        **scores,
        "largest_difference": apart,
        "equal": equal,
        "landslip_seconds": round(taken - started, 1),
        "plain_seconds": round(ended - taken, 1),
    }


def _with_landslip(
    settings: TreeSettings, fold: NDArray[np.int64], seed: int, threads: int, folder: Path
) -> Floats:
    """Out-of-fold probabilities (n,), from the files that the product's jobs write."""
    files = []
    for number in np.unique(fold).tolist():
        target = folder / settings.kind / f"fold{number}"
        target.mkdir(parents=True)
        training = TreeTraining(
            model=settings.kind, settings=settings, fold=number, seed=seed,
            features=folder / "train.parquet", folds=folder / "folds.parquet", threads=threads,
            gpu=False,
        )  # fmt: skip
        outputs = TreeOutputs(
            weights=target / f"model{settings.suffix}",
            description=target / "model.json",
            oof=target / "oof.parquet",
            history=target / "history.parquet",
            importance=target / "importance.parquet",
            cost=target / "cost.json",
        )
        train_trees(training, outputs)
        files.append(outputs.oof)
    _, _, read = read_members({settings.kind: files}, folder / "folds.parquet")
    return read[settings.kind]


def _our_scores(labels: Labels, scores: Floats, fold: NDArray[np.int64]) -> dict[str, float]:
    once = np.ones((1, len(labels)))
    crossed = cross_fit(labels, scores, fold)
    return {
        "f1_at_half": float(metrics.f1(labels, scores > HALF, once)[0]),
        "f1_best": search_exact(labels, scores).f1,
        "auc": float(metrics.auc(labels, scores, once)[0]),
        "f1_cross_fitted": float(metrics.f1(labels, crossed.landslide, once)[0]),
    }


def _plain_scores(labels: Labels, scores: Floats) -> dict[str, float]:
    cuts = np.unique(scores)[:-1]
    return {
        "f1_at_half": float(f1_score(labels, scores > HALF)),
        "f1_best": max(float(f1_score(labels, scores > cut)) for cut in cuts),
        "auc": float(roc_auc_score(labels, scores)),
    }


def _lightgbm(
    features: Floats, labels: Labels, asked: Floats, trees: int, seed: int, threads: int
) -> Floats:
    """The paper's LightGBM; sums do not depend on the number of threads."""
    parameters = {
        "objective": "binary", "num_leaves": 24, "max_depth": 12, "learning_rate": 0.005,
        "bagging_fraction": 0.6, "bagging_freq": 1, "feature_fraction": 0.5,
        "scale_pos_weight": 1.5, "lambda_l2": 0.3, "seed": seed, "deterministic": True,
        "force_col_wise": True, "num_threads": threads, "verbosity": -1,
    }  # fmt: skip
    booster = lightgbm.train(parameters, lightgbm.Dataset(features, labels), trees)
    return np.asarray(booster.predict(asked, num_threads=threads), dtype=np.float64)


def _xgboost(
    features: Floats, labels: Labels, asked: Floats, trees: int, seed: int, threads: int
) -> Floats:
    """The paper's XGBoost."""
    parameters = {
        "objective": "binary:logistic", "max_depth": 6, "eta": 0.02, "subsample": 0.8,
        "colsample_bytree": 0.8, "scale_pos_weight": 1.5, "reg_lambda": 1.2, "seed": seed,
        "nthread": threads,
    }  # fmt: skip
    booster = xgboost.train(parameters, xgboost.DMatrix(features, labels), trees)
    return np.asarray(booster.predict(xgboost.DMatrix(asked)), dtype=np.float64)


PLAIN: dict[str, Callable[..., Floats]] = {"lightgbm": _lightgbm, "xgboost": _xgboost}


if __name__ == "__main__":
    main()
