"""A cascade spares networks, and loses no more F1 than it promises."""

import numpy as np
import pytest
from bundle.test_bundle_thresholds import drawn

from landslip.bundle.cascade import (
    NEVER,
    choose_bounds,
    choose_harm,
    cross_fitted_decisions,
    decide,
)
from landslip.ensemble.combine import f1_of


def test_bounds_do_no_more_harm_than_they_may_and_ask_as_few_as_trying_all_of_them():
    random = np.random.default_rng(3)
    labels, cheap = drawn(random, 120)
    full, truth = (0.6 * labels + 0.4 * random.random(120)) > 0.5, labels == 1
    low, high = choose_bounds(labels, cheap, full, threshold=0.5, most_harm=0.02)

    def f1(decided: np.ndarray) -> float:
        return 2 * (decided & truth).sum() / (decided.sum() + labels.sum())

    def harmed(low: float, high: float) -> float:
        """F1 if only what the cheap members decide worse were theirs."""
        cascade = decide(cheap, full, low, high)
        return f1(np.where(cascade == truth, full, cascade))

    assert low <= 0.5 <= high
    assert harmed(low, high) >= f1(full) - 0.02
    edges = [0.0, *np.sort(cheap), 1.0]
    best = max(
        ((cheap < a) | (cheap > b)).mean()
        for a in edges
        for b in edges
        if a <= 0.5 <= b and harmed(a, b) >= f1(full) - 0.02
    )
    assert ((cheap < low) | (cheap > high)).mean() >= best - 2 / 120


def test_a_cascade_is_judged_on_folds_that_did_not_choose_its_bounds():
    random = np.random.default_rng(4)
    labels, cheap = drawn(random, 90)
    full, fold = labels == 1, np.arange(90) % 3
    limits = {"threshold": 0.5, "most_harm": 0.003}
    decided = cross_fitted_decisions(labels, cheap, full, fold, **limits)
    for number in range(3):
        own = fold == number
        bounds = choose_bounds(labels[~own], cheap[~own], full[~own], **limits)
        assert (decided[own] == decide(cheap[own], full[own], *bounds)).all()


def cascade_scores(random: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """Labels, what cheap members say, and what a better ensemble decides that agrees with them."""
    labels = (random.random(n) < 0.3).astype(np.int8)
    lean, shared = 2 * labels - 1, random.normal(size=n)
    cheap = 1 / (1 + np.exp(-(2.2 * lean + 1.6 * shared + 1.1 * random.normal(size=n))))
    return labels, cheap, 3.2 * lean + 1.6 * shared + random.normal(size=n) > 0.4


@pytest.mark.parametrize("n", [300, 600, 2000])
def test_a_cascade_keeps_its_promise_on_new_patches_and_not_only_on_those_that_chose_it(n: int):
    """On average over draws of n patches."""
    random = np.random.default_rng(n)
    labels, cheap, full = cascade_scores(random, 50_000)
    lost, spared = [], []
    for _ in range(25):
        own = cascade_scores(random, n)
        harm = choose_harm(*own, np.arange(n) % 5, threshold=0.5, most_loss=0.003)
        bounds = NEVER if harm is None else choose_bounds(*own, threshold=0.5, most_harm=harm)
        spared.append(((cheap < bounds.low) | (cheap > bounds.high)).mean())
        lost.append(f1_of(labels, full) - f1_of(labels, decide(cheap, full, *bounds)))
    assert np.mean(lost) <= 0.003
    assert np.mean(spared) > 0.02


def test_where_no_bounds_keep_the_promise_the_full_ensemble_decides_everything():
    random = np.random.default_rng(2)
    labels = (random.random(60) < 0.5).astype(np.int8)
    cheap, full = random.random(60), labels == 1
    assert (
        choose_harm(labels, cheap, full, np.arange(60) % 3, threshold=0.5, most_loss=-0.01) is None
    )
    assert (decide(cheap, full, *NEVER) == full).all()
