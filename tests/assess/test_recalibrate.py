"""A threshold from verdicts reaches the precision that was asked for, and says where it cannot."""

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from landslip.assess.recalibrate import Bound, Recalibrated, fit_zones, recalibrate


def asked(
    score: np.ndarray, judged: np.ndarray, right: np.ndarray, wanted: float, bound: Bound = "low"
) -> Recalibrated:
    return recalibrate(
        score, judged, right, in_force=0.5, wanted=wanted, bound=bound, confidence=0.95
    )


def test_the_fitted_function_is_platts():
    rng = np.random.default_rng(0)
    score = rng.uniform(0.5, 1, 60)
    right = rng.random(60) < score**3
    fitted = fit_zones(score, right, 0.95)
    # Targets between 0 and 1 are both classes, each with its weight.
    yes, no = right.sum(), (~right).sum()
    target = np.where(right, (yes + 1) / (yes + 2), 1 / (no + 2))
    plain = LogisticRegression(C=np.inf, tol=1e-10).fit(
        np.tile(logit(score), 2)[:, None],
        np.repeat([1, 0], 60),
        np.concatenate([target, 1 - target]),
    )
    assert fitted.share(score) == pytest.approx(
        plain.predict_proba(logit(score)[:, None])[:, 1], abs=1e-4
    )
    # Maximum likelihood with a constant: the mean is kept.
    assert fitted.precisions(score)[-1, 0] == pytest.approx(target.mean(), abs=1e-5)


@pytest.mark.parametrize("law", ["logistic", "steps"])
def test_the_lower_bound_keeps_the_wanted_precision_whoever_was_judged(law: str):
    rng = np.random.default_rng(3)
    broken, found = 0, 0
    for _ in range(60):
        score = rng.uniform(0.5, 1, 150)
        steps = np.select([score < 0.65, score < 0.8], [0.2, 0.6], 0.9)
        share = expit(2 * logit(score) - 2) if law == "logistic" else steps
        right = rng.random(150) < share
        # The first ranks more often than the others.
        judged = rng.random(150) < np.where(score > 0.8, 0.9, 0.4)
        best = asked(score, judged, right, 0.7)
        if best.threshold is not None:
            found += 1
            broken += share[score > best.threshold].mean() < 0.7
    assert found > 54
    # Half of the intervals' 5 % lie above.
    assert broken <= 0.06 * found


def test_a_higher_wish_never_lowers_the_threshold_and_costs_slides():
    rng = np.random.default_rng(1)
    score = rng.uniform(0.5, 1, 300)
    right = rng.random(300) < expit(3 * logit(score) - 3)
    judged = np.ones(300, bool)
    found = [asked(score, judged, right, wanted, "estimate") for wanted in (0.4, 0.6, 0.8, 0.9)]
    thresholds = [each.threshold for each in found]
    assert None not in thresholds and thresholds == sorted(thresholds, key=float)
    lost = [each.right_lost for each in found]
    assert lost == sorted(lost) and lost[-1] > 0
    last = found[-1]
    assert last.threshold is not None
    assert last.right_lost == (right & (score <= last.threshold)).sum()
    assert last.zones == (score > last.threshold).sum()


def test_the_threshold_in_force_stays_where_it_is_good_enough():
    score = np.linspace(0.6, 0.95, 40)
    best = asked(score, np.ones(40, bool), np.ones(40, bool), 0.8)
    assert best.threshold == 0.5
    assert "say nothing of a lower one" in best.words


def test_no_threshold_is_better_than_one_that_verdicts_do_not_bear_out():
    score = np.linspace(0.6, 0.95, 40)
    everything = np.ones(40, bool)
    for right in (np.zeros(40, bool), score < 0.7, np.arange(40) % 2 == 0):
        assert asked(score, everything, right, 0.9).threshold is None
    # All of one score.
    assert asked(np.full(9, 0.8), np.ones(9, bool), np.arange(9) < 5, 0.9).threshold is None


def test_no_threshold_lies_below_the_scores_that_were_judged():
    score = np.linspace(0.51, 0.99, 49)
    judged = score > 0.8
    best = asked(score, judged, np.ones(49, bool), 0.5, "estimate")
    assert best.threshold is not None
    assert best.lowest == pytest.approx(0.8)
    assert 0.8 <= best.threshold < 0.81
