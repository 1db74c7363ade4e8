"""A cascade spares members, and loses no more F1 than it promises."""

from itertools import product

import numpy as np
import pytest
from bundle.test_bundle_thresholds import drawn

from landslip.bundle.cascade import (
    NEVER,
    Bounds,
    StageOutputs,
    choose_bounds,
    choose_harm,
    cross_fitted_decisions,
    decide,
    order_stages,
)
from landslip.ensemble.combine import f1_of


def two_stages(n: int, seed: int) -> StageOutputs:
    """The second stage knows more than the first, and the full ensemble more than both."""
    random = np.random.default_rng(seed)
    labels, first = drawn(random, n)
    second = (first + 0.5 * labels + 0.5 * random.random(n)) / 2
    full = (0.6 * labels + 0.4 * random.random(n)) > 0.5
    return StageOutputs(labels=labels, stages=[first, second], thresholds=[0.5, 0.5], full=full)


def harmed(outputs: StageOutputs, bounds: list[Bounds]) -> float:
    """F1 if only what stages decide worse were theirs."""
    truth = outputs.labels == 1
    cascade = decide(outputs.stages, outputs.full, bounds).landslide
    return f1_of(outputs.labels, np.where(cascade == truth, outputs.full, cascade))


@pytest.mark.parametrize("stages", [1, 2])
@pytest.mark.parametrize("most_harm", [0.0, 0.02, 0.05])
def test_bounds_do_no_more_harm_than_they_may(stages: int, most_harm: float):
    for seed in range(20):
        outputs = two_stages(80, seed)
        outputs = StageOutputs(
            labels=outputs.labels, stages=outputs.stages[:stages],
            thresholds=outputs.thresholds[:stages], full=outputs.full,
        )  # fmt: skip
        bounds = choose_bounds(outputs, most_harm)
        assert all(low <= 0.5 <= high for low, high in bounds)
        assert harmed(outputs, bounds) >= f1_of(outputs.labels, outputs.full) - most_harm - 1e-12


def test_a_stage_leaves_as_few_patches_as_trying_all_bounds():
    outputs = two_stages(120, 3)
    bounds = choose_bounds(outputs, 0.04)
    best = f1_of(outputs.labels, outputs.full)
    before: list[Bounds] = []
    for number, said_here in enumerate(outputs.stages):
        after = [NEVER] * (1 - number)
        edges = [0.0, *np.sort(said_here), 1.0]
        fewest = min(
            (decide(outputs.stages, outputs.full, tried).stage > number).sum()
            for low, high in product(edges, edges)
            if low <= 0.5 <= high
            for tried in [[*before, Bounds(low, high), *after]]
            if harmed(outputs, tried) >= best - 0.04
        )
        before.append(bounds[number])
        left = (decide(outputs.stages, outputs.full, [*before, *after]).stage > number).sum()
        # Those on the bounds themselves are left.
        assert left <= fewest + 2


def test_the_first_stage_that_is_sure_decides_and_the_full_ensemble_what_all_leave():
    stages = [np.array([0.1, 0.9, 0.5, 0.5, 0.5, 0.2]), np.array([0.9, 0.1, 0.1, 0.9, 0.5, 0.5])]
    full = np.array([True, False, True, False, True, False])
    decided = decide(stages, full, [Bounds(0.2, 0.8), Bounds(0.3, 0.7)])
    assert decided.landslide.tolist() == [False, True, False, True, True, False]
    assert decided.stage.tolist() == [0, 0, 1, 1, 2, 2]


def test_where_a_stage_leaves_nothing_the_next_has_no_bounds():
    """Nothing tells them; all members answer for a new patch that comes so far."""
    labels = np.array([0, 1] * 20, np.int8)
    sure = labels * 0.8 + 0.1
    outputs = StageOutputs(
        labels=labels, stages=[sure, sure], thresholds=[0.5, 0.5], full=labels == 1
    )
    first, second = choose_bounds(outputs, 0.0)
    assert (decide(outputs.stages, outputs.full, [first, second]).stage == 0).all()
    assert second == NEVER


def test_trees_come_first_and_then_networks_from_cheap_to_dear_but_the_last():
    columns = ["dear", "trees", "cheap", "middle", "boosted"]
    operations = {"dear": 9, "trees": None, "cheap": 1, "middle": 5, "boosted": None}
    assert order_stages(columns, operations) == [
        ["trees", "boosted"],
        ["trees", "cheap", "boosted"],
        ["trees", "cheap", "middle", "boosted"],
    ]
    assert order_stages(["dear", "cheap"], operations) == [["cheap"]]
    assert (
        order_stages(["trees", "boosted"], operations) == order_stages(["dear"], operations) == []
    )


def test_a_cascade_is_judged_on_folds_that_did_not_choose_its_bounds():
    outputs, fold = two_stages(90, 4), np.arange(90) % 3
    decided = cross_fitted_decisions(outputs, fold, 0.003)
    for number in range(3):
        own = fold == number
        bounds = choose_bounds(outputs[~own], 0.003)
        here = outputs[own]
        assert (decided[own] == decide(here.stages, here.full, bounds).landslide).all()


def exchangeable(random: np.random.Generator, n: int, networks: int) -> StageOutputs:
    """Trees that count twice, then a network more in each stage, of independent noise."""
    labels = (random.random(n) < 0.3).astype(np.int8)
    signal = 2.2 * (2 * labels - 1) + 1.6 * random.normal(size=n)
    sums = [2 * (signal + 1.1 * random.normal(size=n))]
    for _ in range(networks):
        sums.append(sums[-1] + signal + 1.6 * random.normal(size=n))
    logits = [total / (2 + count) for count, total in enumerate(sums)]
    *stages, _ = (1 / (1 + np.exp(-each)) for each in logits)
    return StageOutputs(
        labels=labels, stages=stages, thresholds=[0.5] * networks, full=logits[-1] > 0
    )


@pytest.mark.parametrize("networks", [1, 3, 6])
@pytest.mark.parametrize("n", [300, 900])
def test_a_cascade_keeps_its_promise_on_new_patches_and_not_only_on_those_that_chose_it(
    n: int, networks: int
):
    """On average over draws of n patches."""
    random = np.random.default_rng(n + networks)
    new = exchangeable(random, 20_000, networks)
    lost, spared = [], []
    for _ in range(20):
        own = exchangeable(random, n, networks)
        harm = choose_harm(own, np.arange(n) % 3, 0.003)
        bounds = [NEVER] * networks if harm is None else choose_bounds(own, harm)
        found = decide(new.stages, new.full, bounds)
        spared.append((found.stage < networks).mean())
        lost.append(f1_of(new.labels, new.full) - f1_of(new.labels, found.landslide))
    assert np.mean(lost) <= 0.003
    assert np.mean(spared) > 0.02


def test_where_no_bounds_keep_the_promise_the_full_ensemble_decides_everything():
    random = np.random.default_rng(2)
    labels = (random.random(60) < 0.5).astype(np.int8)
    outputs = StageOutputs(
        labels=labels, stages=[random.random(60)], thresholds=[0.5], full=labels == 1
    )
    assert choose_harm(outputs, np.arange(60) % 3, -0.01) is None
    assert (decide(outputs.stages, outputs.full, [NEVER]).landslide == outputs.full).all()
