"""What the ablation says of members, calibration and other shares, from OOF files."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ablation import plainly
from ablation.plainly import cuts_of, decide, difference, f1_of, interval
from ablation.small_ablation import FOLDS, MEMBERS, PATCHES, RESAMPLES
from sklearn.metrics import brier_score_loss, f1_score

from runs import read


def test_members_are_compared_as_their_columns_say(results: Path, ensemble: pd.DataFrame):
    said = read(results / "ablation" / "members.json")
    labels = ensemble["label"]
    assert said["members"] == MEMBERS
    assert np.array(said["correlation"]) == pytest.approx(np.corrcoef(ensemble[MEMBERS].T))
    errors = ensemble[MEMBERS].sub(labels, axis=0)
    assert np.array(said["error_correlation"]) == pytest.approx(np.corrcoef(errors.T))
    decided = [decide(ensemble.assign(probability=ensemble[name])) for name in MEMBERS]
    expected = [[np.mean(a != b) for b in decided] for a in decided]
    assert np.array(said["disagreement"]) == pytest.approx(np.array(expected))
    whole = f1_of(labels, decide(ensemble))
    check(said["ensemble"], whole)
    assert list(said["alone"]) == list(said["without"]) == MEMBERS
    for name, called in zip(MEMBERS, decided, strict=True):
        check(said["alone"][name], f1_of(labels, called))
        rest = ensemble[[other for other in MEMBERS if other != name]].mean(axis=1)
        without = f1_of(labels, decide(ensemble.assign(probability=rest)))
        check(said["without"][name], difference(without, whole))


def check(said: dict[str, Any], score: plainly.Weighted) -> None:
    """A value with its interval, and whether that holds 0, are those of a score."""
    low, high = interval(score, PATCHES, RESAMPLES)
    assert said["value"] == pytest.approx(score(None))
    assert (said["low"], said["high"]) == pytest.approx((low, high), abs=1e-12)
    if "contains_zero" in said:
        assert said["contains_zero"] == (low <= 0 <= high)


def test_weights_are_chosen_on_the_other_folds(results: Path, ensemble: pd.DataFrame):
    said = read(results / "ablation" / "members.json")
    whole = f1_of(ensemble["label"], decide(ensemble))
    assert set(said["weightings"]) == {"weights"}
    for weighting in said["weightings"].values():
        called = np.zeros(len(ensemble), dtype=bool)
        assert list(weighting["weights"]) == [str(fold) for fold in range(FOLDS)]
        for fold, weights in weighting["weights"].items():
            assert min(weights) >= 0
            assert sum(weights) == pytest.approx(1)
            own = (ensemble["fold"] == int(fold)).to_numpy()
            others = ensemble[~own]
            columns = [ensemble[member].to_numpy() for member in MEMBERS]
            blend = sum(w * column for w, column in zip(weights, columns, strict=True))
            blended = ensemble.assign(probability=blend)
            cut = plainly.best_cut(blended[~own])
            called[own] = (blend > cut)[own]
            reached = f1_score(others["label"], blend[~own] > cut)
            mean = f1_score(others["label"], others["probability"] > plainly.best_cut(others))
            assert reached >= mean, "where they were chosen, weights lose to the mean"
        f1 = f1_of(ensemble["label"], called)
        check(weighting["f1"], f1)
        check(weighting["difference"], difference(f1, whole))


def test_calibration_is_what_the_probabilities_say(results: Path, ensemble: pd.DataFrame):
    said = read(results / "ablation" / "calibration.json")
    labels = ensemble["label"].to_numpy()
    columns = {"ensemble": "probability"} | {name: name for name in MEMBERS}
    assert list(said["scores"]) == list(columns)
    for name, column in columns.items():
        table = ensemble.assign(probability=ensemble[column])
        assert list(said["scores"][name]) == list(plainly.CALIBRATIONS)
        for how, entry in said["scores"][name].items():
            scores = plainly.calibrate(table, how)
            close = partial(pytest.approx, abs=1e-4 if how == "temperature" else 1e-9)
            assert entry["brier"] == close(brier_score_loss(labels, scores))
            if how == "temperature" and name != "ensemble":
                continue  # the temperature is known to a few digits; a score may change its bin
            assert entry["ece"] == close(plainly.calibration_error(labels, scores))
            drawn = plainly.resample(PATCHES, RESAMPLES)
            briers = [brier_score_loss(labels, scores, sample_weight=w) for w in drawn]
            errors = [
                plainly.calibration_error(labels[at], scores[at]) for at in plainly.places(drawn)
            ]
            for key, values in (("brier", briers), ("ece", errors)):
                assert entry[f"{key}_interval"] == close(list(np.percentile(values, [2.5, 97.5])))


def test_reliability_is_told_bin_by_bin(results: Path, ensemble: pd.DataFrame):
    said = read(results / "ablation" / "calibration.json")["reliability"]
    assert list(said) == list(plainly.CALIBRATIONS)
    for how, bins in said.items():
        found = plainly.bins_of(ensemble["label"].to_numpy(), plainly.calibrate(ensemble, how))
        assert len(bins) == len(found) > 1
        for entry, expected in zip(bins, found, strict=True):
            assert {key: entry[key] for key in expected} == pytest.approx(expected, abs=1e-4)
        assert sum(entry["patches"] for entry in bins) == PATCHES


def test_other_shares_are_weighted_patches(results: Path, ensemble: pd.DataFrame):
    said = read(results / "ablation" / "calibration.json")["prevalence"]
    labels, scores = ensemble["label"], ensemble["probability"].to_numpy()
    share = labels.mean()

    def weights(target: float) -> np.ndarray:
        return np.where(labels == 1, target / share, (1 - target) / (1 - share))

    assert said["observed"] == pytest.approx(share)
    assert said["target"] == 0.1141
    before = plainly.best_cut(ensemble)
    assert said["observed_threshold"] == pytest.approx(before)
    shares = [row["share"] for row in said["rows"]]
    # Round ones, and the two that are asked for; this run's own is a round one.
    assert shares == pytest.approx([0.02, 0.05, 0.1, 0.1141, 0.15, 0.2, 0.3, 0.4, 0.5])
    assert share == pytest.approx(0.3)
    for row in said["rows"]:
        known = weights(row["share"])
        best = f1_of(labels, scores > plainly.best_cut(ensemble, known), known)
        assert row["f1"] == pytest.approx(best(None))
        cuts = {"f1": row["threshold"], "f1_kept": before}
        for name, cut in cuts.items():
            score = f1_of(labels, scores > cut, known)
            assert row[name] == pytest.approx(score(None))
            low_high = interval(score, PATCHES, RESAMPLES)
            assert row[f"{name}_interval"] == pytest.approx(low_high)
        of_others = cuts_of(ensemble, known)
        assert row["threshold_range"] == pytest.approx([of_others.min(), of_others.max()])
    known = weights(0.1141)
    kept, adapted = decide(ensemble), decide(ensemble, known)
    scored = {
        "observed_f1": f1_of(labels, kept),
        "kept": f1_of(labels, kept, known),
        "adapted": f1_of(labels, adapted, known),
    }
    scored["difference"] = difference(scored["adapted"], scored["kept"])
    for name, score in scored.items():
        assert said[name]["value"] == pytest.approx(score(None))
        low_high = interval(score, PATCHES, RESAMPLES)
        assert said[name]["interval"] == pytest.approx(low_high, abs=1e-12)
