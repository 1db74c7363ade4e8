"""What each member brings to the ensemble, and whether other weights than equal ones help."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.ensemble.average import average
from landslip.ensemble.differences import compare, difference_to_json
from landslip.ensemble.tables import EnsembleOof, read_ensemble_oof
from landslip.ensemble.threshold import cross_fit, search_exact
from landslip.ensemble.weights import blend, search_weights, select_greedily
from landslip.io.files import write_json

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
Decisions = NDArray[np.bool_]

MEAN = "mean"
WEIGHTINGS: dict[str, Callable[[Labels, Floats], Floats]] = {
    "greedy": select_greedily,
    "weights": search_weights,
}


def write_members(*, oof: Path, bootstrap: int, seed: int, target: Path) -> None:
    """Write results/ablation/members.json; see `analyse_members`.

    Parameters
    ----------
    oof
        ensemble/oof.parquet.
    bootstrap, seed
        Resamples of the patches, and the run's seed.
    target
        JSON file to write.
    """
    table = read_ensemble_oof(oof)
    write_json(target, analyse_members(table, resamples=bootstrap, seed=seed))


def analyse_members(table: EnsembleOof, *, resamples: int, seed: int) -> dict[str, Any]:
    """Compare the members: their correlation, F1 without each, and F1 with other weights.

    Returns
    -------
    dict
        members, in order; correlation of their probabilities and error_correlation, of
        probability less label (null where a member is constant); disagreement, share of patches
        on which their decisions differ; f1 of the mean; alone, F1 of each, and without, the
        change of the mean's F1 without it; weightings, F1 and its difference to the mean's, and
        the weights in each fold. All decisions are cross-fitted: weights and thresholds of a
        fold are chosen on the others.
    """
    names = list(table.members)
    stack = np.stack(list(table.members.values()))
    labels, fold = table.labels, table.fold
    decisions: dict[str, Decisions] = {
        f"alone {name}": cross_fit(labels, scores, fold).landslide
        for name, scores in table.members.items()
    }
    decisions[MEAN] = cross_fit(labels, average(stack), fold).landslide
    if len(names) > 1:
        for at, name in enumerate(names):
            rest = average(np.delete(stack, at, axis=0))
            decisions[f"without {name}"] = cross_fit(labels, rest, fold).landslide
    weights: dict[str, dict[str, list[float]]] = {}
    for name, choose in WEIGHTINGS.items():
        decisions[name], weights[name] = cross_fit_weights(labels, stack, fold, choose)
    pairs = [(name, MEAN) for name in decisions if name != MEAN]
    f1, differences = compare(labels, decisions, pairs, resamples=resamples, seed=seed)
    alone = np.stack([decisions[f"alone {name}"] for name in names])
    return {
        "members": names,
        "correlation": _correlation(stack),
        "error_correlation": _correlation(stack - labels),
        "disagreement": (alone[:, np.newaxis] != alone).mean(axis=2).tolist(),
        "mean": f1[MEAN].to_json(),
        "alone": {name: f1[f"alone {name}"].to_json() for name in names},
        "without": {
            name: difference_to_json(differences[f"without {name}", MEAN])
            for name in names
            if f"without {name}" in decisions
        },
        "weightings": {
            name: {
                "f1": f1[name].to_json(),
                "difference": difference_to_json(differences[name, MEAN]),
                "weights": weights[name],
            }
            for name in WEIGHTINGS
        },
        "bootstrap": resamples,
        "split_digest": table.split_digest,
    }


def cross_fit_weights(
    labels: Labels,
    probabilities: Floats,
    fold: NDArray[np.int64],
    choose: Callable[[Labels, Floats], Floats],
) -> tuple[Decisions, dict[str, list[float]]]:
    """Decide on every fold with weights and threshold chosen on the other folds.

    Parameters
    ----------
    labels : (n,)
        0 or 1.
    probabilities : (member, n)
        In [0, 1], out of fold.
    fold : (n,)
        The fold of each patch.
    choose
        Chooses weights (member,) from labels and probabilities.

    Returns
    -------
    decisions : (n,)
    weights
        Fold -> (member,).
    """
    decided = np.zeros(len(labels), dtype=np.bool_)
    chosen = {}
    for number in np.unique(fold).tolist():
        own = fold == number
        weights = choose(labels[~own], probabilities[:, ~own])
        threshold = search_exact(labels[~own], blend(weights, probabilities[:, ~own])).threshold
        decided[own] = blend(weights, probabilities[:, own]) > threshold
        chosen[str(number)] = weights.tolist()
    return decided, chosen


def _correlation(rows: Floats) -> list[list[float | None]]:
    """Pearson's, None where a row is constant."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    norms = np.sqrt((centred**2).sum(axis=1))
    # Below this a row differs from its mean by rounding only.
    constant = norms < 1e-12 * len(rows[0])
    safe = np.where(constant, 1.0, norms)
    matrix = ((centred[:, np.newaxis] * centred).sum(axis=2) / safe / safe[:, np.newaxis]).tolist()
    return [
        [None if constant[i] or constant[j] else value for j, value in enumerate(row)]
        for i, row in enumerate(matrix)
    ]
