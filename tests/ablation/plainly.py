"""The ablation's numbers computed again from prediction files, patch by patch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss

from landslip.ensemble.bootstrap import resample_weights

SEED = 42
Weighted = Callable[[np.ndarray | None], float]
"""A score of patches that weigh so much; None: all the same."""


def oof_of(results: Path, model: str, folds: int) -> pd.DataFrame:
    """One model's predictions, or the mean of several joined by `+`, in the order of the split."""
    split = pd.read_parquet(results / "data" / "folds.parquet")
    parts = []
    for name in model.split("+"):
        files = [results / f"models/{name}/fold{fold}/oof.parquet" for fold in range(folds)]
        rows = pd.concat([pd.read_parquet(path) for path in files]).set_index("id")
        assert sorted(rows.index) == sorted(split["id"])
        parts.append(rows["probability"].loc[split["id"]].to_numpy())
    split["probability"] = sum(parts) / len(parts)
    return split


def f1_score(labels: Any, decided: np.ndarray, weights: np.ndarray | None = None) -> float:
    """scikit-learn's, which takes too long for all thresholds of all resamples."""
    truth = np.asarray(labels) == 1
    each = np.ones(len(truth)) if weights is None else weights
    called = each[decided].sum() + each[truth].sum()
    return float(2 * each[decided & truth].sum() / called) if called else 0.0


def auc_of(labels: pd.Series, scores: pd.Series) -> Weighted:
    """Share of pairs of a landslide and another patch that are in order; ties count half."""
    truth = labels.to_numpy() == 1
    values = scores.to_numpy()
    apart = values[truth][:, np.newaxis] - values[~truth]
    won = (apart > 0) + 0.5 * (apart == 0)

    def measured(drawn: np.ndarray | None) -> float:
        each = np.ones(len(truth)) if drawn is None else drawn
        rows, columns = each[truth], each[~truth]
        return float(rows @ won @ columns / (rows.sum() * columns.sum()))

    return measured


def weighted_sum(terms: list[tuple[float, Weighted]]) -> Weighted:
    """Of scores, each on the same resample."""
    return lambda drawn: sum(weight * score(drawn) for weight, score in terms)


def middles(probability: pd.Series) -> list[float]:
    """Between 0 and the lowest score, and between every two neighbours."""
    scores = np.unique(probability)
    return [(a + b) / 2 for a, b in zip([0.0, *scores[:-1]], scores, strict=True)]


def best_cut(table: pd.DataFrame, weights: np.ndarray | None = None) -> float:
    """The first of the thresholds with the highest F1, all tried one by one."""
    cuts = middles(table["probability"])
    labels, scores = table["label"].to_numpy(), table["probability"].to_numpy()
    tried = [f1_score(labels, scores > cut, weights) for cut in cuts]
    return cuts[int(np.argmax(tried))]


def cuts_of(table: pd.DataFrame, weights: np.ndarray | None = None) -> np.ndarray:
    """(n,): the threshold that is best on the folds that a patch is not in."""
    cuts = np.empty(len(table))
    for fold in sorted(set(table["fold"])):
        own = (table["fold"] == fold).to_numpy()
        others = None if weights is None else weights[~own]
        cuts[own] = best_cut(table[~own], others)
    return cuts


def decide(table: pd.DataFrame, weights: np.ndarray | None = None) -> np.ndarray:
    """Every fold at the best threshold of the others."""
    return (table["probability"] > cuts_of(table, weights)).to_numpy()


def counts(labels: pd.Series, decided: np.ndarray) -> tuple[int, int, int, int]:
    """tn, fp, fn, tp."""
    truth = labels.to_numpy() == 1
    return (
        int((~decided & ~truth).sum()),
        int((decided & ~truth).sum()),
        int((~decided & truth).sum()),
        int((decided & truth).sum()),
    )


def f1_of(labels: pd.Series, decided: np.ndarray, known: np.ndarray | None = None) -> Weighted:
    """F1 of decisions, where patches may also have weights of their own."""
    labels = labels.to_numpy()

    def measured(drawn: np.ndarray | None) -> float:
        weights = drawn if known is None else known if drawn is None else known * drawn
        return f1_score(labels, decided, weights)

    return measured


def resample(n: int, resamples: int) -> np.ndarray:
    """(resample, n): how often each patch is drawn."""
    drawn = np.concatenate(list(resample_weights(n, resamples, SEED)))
    assert drawn.shape == (resamples, n)
    return drawn


def places(drawn: np.ndarray) -> list[np.ndarray]:
    """The patches of every resample, as often as they were drawn."""
    return [np.repeat(np.arange(drawn.shape[1]), weights.astype(int)) for weights in drawn]


def interval(score: Weighted, n: int, resamples: int) -> tuple[float, float]:
    """2.5th and 97.5th percentile over bootstrap resamples of the patches."""
    low, high = np.percentile([score(drawn) for drawn in resample(n, resamples)], [2.5, 97.5])
    return float(low), float(high)


def difference(first: Weighted, second: Weighted) -> Weighted:
    """First less second, on the same resample."""
    return lambda drawn: first(drawn) - second(drawn)


def isotonic(known: pd.DataFrame, scores: np.ndarray) -> np.ndarray:
    """scikit-learn's."""
    fitted = IsotonicRegression(out_of_bounds="clip").fit(known["probability"], known["label"])
    return np.asarray(fitted.predict(scores))


def temperature(known: pd.DataFrame, scores: np.ndarray) -> np.ndarray:
    """The temperature with the least log loss."""

    def scaled(values: np.ndarray, t: float) -> np.ndarray:
        inside = np.clip(values, 1e-6, 1 - 1e-6)
        odds = (inside / (1 - inside)) ** (1 / t)
        return odds / (1 + odds)

    probabilities = known["probability"].to_numpy()
    found = minimize_scalar(
        lambda t: log_loss(known["label"], scaled(probabilities, np.exp(t))),
        bounds=(-4, 4), method="bounded", options={"xatol": 1e-9},
    )  # fmt: skip
    return scaled(scores, np.exp(found.x))


CALIBRATIONS: dict[str, Callable[[pd.DataFrame, np.ndarray], np.ndarray]] = {
    "none": lambda known, scores: scores,
    "temperature": temperature,
    "isotonic": isotonic,
}


def calibrate(table: pd.DataFrame, how: str) -> np.ndarray:
    """Every fold by what the others teach."""
    made = np.empty(len(table))
    for fold in sorted(set(table["fold"])):
        own = (table["fold"] == fold).to_numpy()
        made[own] = CALIBRATIONS[how](table[~own], table.loc[own, "probability"].to_numpy())
    return made


def bins_of(labels: np.ndarray, scores: np.ndarray) -> list[dict[str, Any]]:
    """Ten bins of equal width, those with a patch: shares and Wilson's interval."""
    found = []
    for number in range(10):
        top = 1.1 if number == 9 else (number + 1) / 10
        inside = (scores >= number / 10) & (scores < top)
        if inside.any():
            hits = int(labels[inside].sum())
            wilson = binomtest(hits, int(inside.sum())).proportion_ci(0.95, method="wilson")
            found.append(
                {
                    "patches": int(inside.sum()),
                    "predicted": scores[inside].mean(),
                    "observed": hits / inside.sum(),
                    "low": wilson.low,
                    "high": wilson.high,
                }
            )
    return found


def calibration_error(labels: np.ndarray, scores: np.ndarray) -> float:
    """Mean distance of predicted and observed over the bins, by patches."""
    found = bins_of(labels, scores)
    total = sum(entry["patches"] * abs(entry["predicted"] - entry["observed"]) for entry in found)
    return float(total / len(labels))
