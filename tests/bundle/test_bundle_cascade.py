"""A cascade spares networks, and loses no more F1 than it promises."""

import numpy as np
from bundle.test_bundle_thresholds import drawn

from landslip.bundle.cascade import (
    NEVER,
    choose_bounds,
    choose_margin,
    cross_fitted_decisions,
    decide,
)


def test_a_cascade_loses_no_more_f1_than_stated_and_asks_as_few_as_trying_all_bounds():
    random = np.random.default_rng(3)
    labels, cheap = drawn(random, 120)
    full = (0.6 * labels + 0.4 * random.random(120)) > 0.5
    low, high = choose_bounds(labels, cheap, full, threshold=0.5, most_loss=0.02)
    stopped = ((cheap < low) | (cheap > high)).mean()

    def f1(decided: np.ndarray) -> float:
        return 2 * (decided & (labels == 1)).sum() / (decided.sum() + labels.sum())

    assert low <= 0.5 <= high
    assert f1(decide(cheap, full, low, high)) >= f1(full) - 0.02
    edges = [0.0, *np.sort(cheap), 1.0]
    best = max(
        ((cheap < a) | (cheap > b)).mean()
        for a in edges
        for b in edges
        if a <= 0.5 <= b and f1(decide(cheap, full, a, b)) >= f1(full) - 0.02
    )
    assert stopped >= best - 2 / 120


def test_a_cascade_is_judged_on_folds_that_did_not_choose_its_bounds():
    random = np.random.default_rng(4)
    labels, cheap = drawn(random, 90)
    full, fold = labels == 1, np.arange(90) % 3
    limits = {"threshold": 0.5, "most_loss": 0.003}
    decided = cross_fitted_decisions(labels, cheap, full, fold, **limits)
    for number in range(3):
        own = fold == number
        low, high = choose_bounds(labels[~own], cheap[~own], full[~own], **limits)
        assert (decided[own] == decide(cheap[own], full[own], low, high)).all()


def cascade_scores(random: np.random.Generator, n: int) -> tuple[np.ndarray, ...]:
    """Labels, what cheap members say, and what a better ensemble decides that agrees with them."""
    labels = (random.random(n) < 0.3).astype(np.int8)
    lean, shared = 2 * labels - 1, random.normal(size=n)
    cheap = 1 / (1 + np.exp(-(2.2 * lean + 1.6 * shared + 1.1 * random.normal(size=n))))
    return labels, cheap, 3.2 * lean + 1.6 * shared + random.normal(size=n) > 0.4


def test_a_cascade_keeps_its_promise_on_new_patches_and_not_only_on_those_that_chose_it():
    """On average over draws of 600 patches; without a margin it loses three times as much."""
    random = np.random.default_rng(1)
    limits = {"threshold": 0.5, "most_loss": 0.003}
    labels, cheap, full = cascade_scores(random, 50_000)

    def f1(decided: np.ndarray) -> float:
        return 2 * (decided & (labels == 1)).sum() / (decided.sum() + labels.sum())

    lost: dict[str, list[float]] = {"none": [], "chosen": []}
    asked = []
    for _ in range(30):
        own = cascade_scores(random, 600)
        margin = choose_margin(*own, np.arange(600) % 5, **limits)
        chosen = NEVER if margin is None else choose_bounds(*own, margin=margin, **limits)
        asked.append(((cheap >= chosen.low) & (cheap <= chosen.high)).mean())
        for name, bounds in (("none", choose_bounds(*own, **limits)), ("chosen", chosen)):
            lost[name].append(f1(full) - f1(decide(cheap, full, *bounds)))
    assert np.mean(lost["chosen"]) <= 0.003 < np.mean(lost["none"]) / 2
    assert np.mean(asked) < 0.95


def test_where_no_bounds_keep_the_promise_the_full_ensemble_decides_everything():
    random = np.random.default_rng(2)
    labels = (random.random(60) < 0.5).astype(np.int8)
    cheap, full = random.random(60), labels == 1
    assert (
        choose_margin(labels, cheap, full, np.arange(60) % 3, threshold=0.5, most_loss=-0.01)
        is None
    )
    assert (decide(cheap, full, *NEVER) == full).all()
