"""How like the world simulated patches are, judged by six statistics of every channel.

Two questions, each of a small LightGBM. Can simulated patches be told from real ones (AUC, cross-
validated; 0.5: no)? Does what is learned from simulated patches hold for real ones (AUC and F1 on
the real, the threshold chosen on the simulated, cross-validated, and at best)? The statistics that
tell the two apart follow, and what training on the real ones reaches. So does what radar, optics
with all indices, and both reach on simulated patches: by the paper's findings, in this order.

    python -m benchmarks.realism STATISTICS.csv --seed 0
"""

import argparse
import time
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import f1_score, precision_recall_curve, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from benchmarks.recording import record
from landslip.data.channels import add_indices
from landslip.features.names import STATISTICS
from landslip.features.statistics import patch_statistics
from landslip.simulation.patches import CHANNELS, simulate_batch

# The project's, by the places of their two bands; the real statistics know the first two alone.
INDICES = {
    "ndvi": (3, 0), "ndwi": (3, 1), "nir_blue": (3, 2), "blue_green": (2, 1), "blue_red": (2, 0),
    "green_red": (1, 0),
}  # fmt: skip
OPTICS = "|".join((*CHANNELS[:4], *INDICES))
SENSORS = {"radar": "desc|asc", "optics": OPTICS, "both": f"desc|asc|{OPTICS}"}
BLOCK = 32
# The simulator that drew one pair of looks for every change band and knew no open water.
BEFORE = {"told_apart": 1.0, "transfer_auc": 0.74, "transfer_f1": 0.45}

Labels = NDArray[np.int64]


def model(seed: int) -> lightgbm.LGBMClassifier:
    """A LightGBM that fits a few thousand rows in seconds."""
    return lightgbm.LGBMClassifier(
        n_estimators=400, learning_rate=0.03, num_leaves=15, subsample=0.6, subsample_freq=1,
        colsample_bytree=0.5, reg_lambda=0.3, scale_pos_weight=1.5, random_state=seed, n_jobs=1,
        verbose=-1,
    )  # fmt: skip


def scores(table: pd.DataFrame, labels: Labels, seed: int) -> NDArray[np.float64]:
    """Cross-validated probabilities (n,)."""
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    found = cross_val_predict(model(seed), table, labels, cv=folds, method="predict_proba")
    probabilities: NDArray[np.float64] = found[:, 1]
    return probabilities


def best_f1(labels: Labels, probabilities: NDArray[np.float64]) -> tuple[float, float]:
    """The highest F1 that a threshold reaches, and the threshold."""
    precision, recall, thresholds = precision_recall_curve(labels, probabilities)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    return float(f1[best]), float(thresholds[best])


def simulate(labels: Labels, seed: int) -> tuple[pd.DataFrame, float]:
    """Statistics of simulated patches of 64 x 64, and patches a second of processor time."""
    rng = np.random.default_rng(seed)
    simulate_batch(rng, labels[:BLOCK], 64)
    names = [f"{band}_{name}" for band in (*CHANNELS, *INDICES) for name in STATISTICS]
    parts, seconds = [], 0.0
    for start in range(0, len(labels), BLOCK):
        began = time.process_time()
        patches = simulate_batch(rng, labels[start : start + BLOCK], 64)
        seconds += time.process_time() - began
        bands = patches.transpose(0, 3, 1, 2).astype(np.float32)
        whole = add_indices(bands, list(INDICES.values()))
        parts.append(patch_statistics(whole).reshape(len(bands), -1))
    return pd.DataFrame(np.concatenate(parts), columns=names), len(labels) / seconds


def scores_by_sensor(table: pd.DataFrame, labels: Labels, seed: int) -> dict[str, float]:
    """AUC and the highest F1 of models that read radar, optics, or both."""
    found = {}
    for name, channels in SENSORS.items():
        said = scores(table.filter(regex=f"^({channels})_"), labels, seed)
        found[f"simulated_auc_{name}"] = float(roc_auc_score(labels, said))
        found[f"simulated_f1_{name}"] = best_f1(labels, said)[0]
    return found


def told_apart_by(simulated: pd.DataFrame, real: pd.DataFrame) -> pd.Series:
    """AUC of every single statistic, the most telling first; 0.5 tells nothing."""
    origin = np.repeat([0, 1], [len(simulated), len(real)])
    both = pd.concat([simulated, real])
    found = {name: roc_auc_score(origin, both[name]) for name in both}
    single = pd.Series({name: max(auc, 1 - auc) for name, auc in found.items()})
    return single.sort_values(ascending=False)


def main() -> None:
    """Print the comparison, the most telling statistics and one line of JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("statistics", type=Path, help="CSV of label and CHANNEL_STATISTIC columns")
    parser.add_argument("--patches", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--telling", type=int, default=10, help="statistics to name")
    options = parser.parse_args()

    real = pd.read_csv(options.statistics)
    truth = real.pop("label").to_numpy(np.int64)
    labels = np.zeros(options.patches, np.int64)
    labels[: round(options.patches * truth.mean())] = 1
    labels = np.random.default_rng(options.seed).permutation(labels)
    whole, rate = simulate(labels, options.seed)
    simulated = whole[list(real)]

    origin = np.repeat([0, 1], [len(simulated), len(real)])
    apart = roc_auc_score(origin, scores(pd.concat([simulated, real]), origin, options.seed))
    at_home = scores(simulated, labels, options.seed)
    threshold = best_f1(labels, at_home)[1]
    moved = model(options.seed).fit(simulated, labels).predict_proba(real)[:, 1]
    within = scores(real, truth, options.seed)
    figures = {
        "told_apart": apart,
        "transfer_auc": roc_auc_score(truth, moved),
        "transfer_f1": f1_score(truth, moved >= threshold),
        "transfer_f1_best": best_f1(truth, moved)[0],
        **scores_by_sensor(whole, labels, options.seed),
        "real_auc": roc_auc_score(truth, within),
        "real_f1": best_f1(truth, within)[0],
        "patches_per_second": rate,
    }
    for name, value in figures.items():
        before = f"   (before {BEFORE[name]:.2f})" if name in BEFORE else ""
        print(f"{name:20} {value:9.3f}{before}")
    telling = told_apart_by(simulated, real)
    for name, auc in telling.head(options.telling).items():
        low, middle, high = np.quantile(simulated[name], [0.1, 0.5, 0.9])
        real_low, real_middle, real_high = np.quantile(real[name], [0.1, 0.5, 0.9])
        print(
            f"{name:24} AUC {auc:.3f}   simulated {low:9.2f} {middle:9.2f} {high:9.2f}"
            f"   real {real_low:9.2f} {real_middle:9.2f} {real_high:9.2f}"
        )
    settings = {"patches": options.patches, "seed": options.seed}
    rounded = {name: round(float(value), 4) for name, value in figures.items()}
    record({"benchmark": "realism"} | settings | rounded)


if __name__ == "__main__":
    main()
