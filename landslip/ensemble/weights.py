"""Weights of an ensemble's members: a direct search, stacking."""

import numpy as np
from scipy.special import expit

from landslip.ensemble.threshold import search_exact
from landslip.io.arrays import Floats, Labels

_STEPS = (0.2, 0.1, 0.05, 0.025)


def search_weights(labels: Labels, probabilities: Floats) -> Floats:
    """Move weight from member to member, in ever smaller steps, as long as F1 rises.

    Starts from equal weights, so that with nothing to gain it is the plain mean. F1 has steps and
    no gradient; a search by moves finds a local optimum and is the same on every machine.

    Parameters
    ----------
    labels : (n,)
        0 or 1.
    probabilities : (member, n)
        Out of fold.

    Returns
    -------
    (member,), non-negative, sum 1
    """
    members = len(probabilities)
    weights = np.full(members, 1 / members)
    best = search_exact(labels, blend(weights, probabilities)).f1
    for step in _STEPS:
        rising = True
        while rising:
            rising = False
            tried = []
            for giver in range(members):
                moved = min(step, weights[giver])
                if moved <= 0:
                    continue
                for taker in range(members):
                    if taker != giver:
                        other = weights.copy()
                        other[giver] -= moved
                        other[taker] += moved
                        tried.append(other)
            scores = [search_exact(labels, blend(other, probabilities)).f1 for other in tried]
            if scores and max(scores) > best:
                best = max(scores)
                weights = tried[int(np.argmax(scores))]
                rising = True
    return weights


def blend(weights: Floats, probabilities: Floats) -> Floats:
    """Weighted mean (n,) of probabilities (member, n), in [0, 1]."""
    # A sum in the order of the members: a matrix product's depends on the number of threads.
    mean: Floats = (weights[:, np.newaxis] * probabilities).sum(axis=0)
    return mean.clip(0, 1)


def pick_best(labels: Labels, probabilities: Floats) -> Floats:
    """All weight (member,) on the member with the highest F1; of equal ones the first."""
    best = np.argmax([search_exact(labels, member).f1 for member in probabilities])
    weights: Floats = np.eye(len(probabilities))[best]
    return weights


def fit_stack(labels: Labels, logits: Floats) -> tuple[float, Floats]:
    """Logistic regression of the label on the members' logits, with no negative coefficient.

    Parameters
    ----------
    labels : (n,), 0 or 1
        Both must be there.
    logits : (member, n)
        Finite.

    Returns
    -------
    intercept, coefficients : (member,)
        At the least sum of log losses and half the squared coefficients.

    Notes
    -----
    Wolpert, Neural Networks 5 (1992); no coefficient is negative after Breiman, Machine
    Learning 24 (1996): members are alike, and the sign of a difference of two of them is noise.
    """
    # Here, for most jobs fit nothing: it takes a good part of a second.
    from scipy.optimize import minimize

    truth = labels == 1

    def loss(at: Floats) -> tuple[float, Floats]:
        # Sums in the order of the members: a matrix product's depends on the number of threads.
        joined = at[0] + (at[1:, np.newaxis] * logits).sum(axis=0)
        excess = expit(joined) - truth
        value = (np.logaddexp(0, joined) - truth * joined).sum() + (at[1:] ** 2).sum() / 2
        slope = np.append(excess.sum(), (logits * excess).sum(axis=1) + at[1:])
        return float(value), slope

    members = len(logits)
    found = minimize(
        loss,
        np.append(0.0, np.full(members, 1 / members)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None), *[(0, None)] * members],
        options={"ftol": 1e-13, "gtol": 1e-8, "maxiter": 1000},
    )
    return float(found.x[0]), np.asarray(found.x[1:], dtype=np.float64)
