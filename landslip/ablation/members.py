"""What each member brings to the ensemble, and whether other weights help."""

from typing import Any

import numpy as np

from landslip.ensemble.contributions import decide_with
from landslip.ensemble.differences import compare, difference_to_json
from landslip.ensemble.rules import Fit, cross_fit_rule
from landslip.ensemble.tables import EnsembleOof
from landslip.ensemble.threshold import cross_fit
from landslip.io.arrays import Decisions, Floats
from landslip.models.names import ENSEMBLE

# Name -> how weights are fitted.
WEIGHTINGS: dict[str, Fit] = {"weights": "weighted"}


def analyse_members(table: EnsembleOof, *, resamples: int, seed: int) -> dict[str, Any]:
    """Compare the members: their correlation, F1 without each, and F1 with other weights.

    Returns
    -------
    dict
        members, in order; fit and calibration of the rule in force; correlation of the members'
        probabilities and error_correlation, of probability less label (null where a member is
        constant); disagreement, share of patches on which their decisions differ; ensemble, F1 by
        the rule in force; alone, F1 of each, and without, the change of the ensemble's F1 without
        it; weightings, F1 of other ways to weight and its difference to the ensemble's, and the
        weights in each fold. All decisions are cross-fitted: rules and thresholds of a fold are
        fitted on the others.
    """
    names = list(table.members)
    stack = np.stack(list(table.members.values()))
    labels, fold = table.labels, table.fold
    decisions: dict[str, Decisions] = {
        f"alone {name}": cross_fit(labels, scores, fold).landslide
        for name, scores in table.members.items()
    }
    decisions[ENSEMBLE] = table.landslide
    if len(names) > 1:
        for name in names:
            rest = [other for other in names if other != name]
            decisions[f"without {name}"] = decide_with(table, rest)
    weights: dict[str, dict[str, list[float]]] = {}
    for name, fit in WEIGHTINGS.items():
        crossed = cross_fit_rule(labels, stack.T, fold, members=names, rule=fit, calibration="none")
        decisions[name] = crossed.landslide
        weights[name] = {str(at): list(rule.weights) for at, rule in crossed.rules.items()}
    pairs = [(name, ENSEMBLE) for name in decisions if name != ENSEMBLE]
    f1, differences = compare(labels, decisions, pairs, resamples=resamples, seed=seed)
    alone = np.stack([decisions[f"alone {name}"] for name in names])
    return {
        "members": names,
        "fit": table.way[0],
        "calibration": table.way[1],
        "correlation": _correlation(stack),
        "error_correlation": _correlation(stack - labels),
        "disagreement": (alone[:, np.newaxis] != alone).mean(axis=2).tolist(),
        "ensemble": f1[ENSEMBLE].to_json(),
        "alone": {name: f1[f"alone {name}"].to_json() for name in names},
        "without": {
            name: difference_to_json(differences[f"without {name}", ENSEMBLE])
            for name in names
            if f"without {name}" in decisions
        },
        "weightings": {
            name: {
                "f1": f1[name].to_json(),
                "difference": difference_to_json(differences[name, ENSEMBLE]),
                "weights": weights[name],
            }
            for name in WEIGHTINGS
        },
        "bootstrap": resamples,
        "split_digest": table.split_digest,
    }


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
