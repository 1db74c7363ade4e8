"""Gathering: every patch once, in its own fold, of the same split; anything else is refused."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from ensemble.small_run import FOLDS, Change, Run, rewrite, second_row

from landslip.ensemble.gather import gather_oof
from landslip.ensemble.metrics import f1
from landslip.ensemble.rules import FittedRule, fit_rule
from landslip.ensemble.tables import read_ensemble_oof
from landslip.ensemble.threshold import search_exact
from landslip.io.files import (
    InputError,
    read_json,
    read_parquet,
)

PLAIN: dict[str, Any] = {
    "rule": "mean", "calibration": "none", "bootstrap": 100, "seed": 42,
}  # fmt: skip


def gather(done: Run) -> pd.DataFrame:
    gather_oof(members=done.oof, folds=done.folds, target=done.ensemble_oof, **PLAIN)
    return read_parquet(done.ensemble_oof)


def test_the_ensemble_is_the_mean_of_its_members_patch_by_patch(done: Run) -> None:
    gathered = gather(done)
    by_id = {
        name: pd.concat([read_parquet(path) for path in paths]).set_index("id")["probability"]
        for name, paths in done.oof.items()
    }
    for row in gathered.to_dict("records"):
        assert row["trees"] == by_id["trees"][row["id"]]
        assert row["network"] == by_id["network"][row["id"]]
        assert row["probability"] == pytest.approx((row["trees"] + row["network"]) / 2)


def test_rows_are_those_of_the_split_in_its_order(done: Run) -> None:
    folds = read_parquet(done.folds)
    pd.testing.assert_frame_equal(gather(done)[["id", "fold", "label"]], folds, check_dtype=False)
    assert read_ensemble_oof(done.ensemble_oof).split_digest == done.digest


def test_the_order_of_files_does_not_matter(done: Run) -> None:
    before = gather(done)
    reversed_files = {name: paths[::-1] for name, paths in done.oof.items()}
    gather_oof(members=reversed_files, folds=done.folds, target=done.ensemble_oof, **PLAIN)
    pd.testing.assert_frame_equal(read_parquet(done.ensemble_oof), before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame[2:],
            r"of 120 have no OOF prediction of trees \(folds \[1\]\): 2 \(train_",
        ),
        (lambda frame: pd.concat([frame, frame[:1]]), r"fold1.*ids that come twice: 1 \(train_"),
        (second_row("probability", np.nan), r"fold1.*NaN: 1 \(train_"),
        (second_row("probability", 1.5), r"fold1.*outside \[0, 1\]: 1 \(train_"),
        (
            second_row("id", "stranger"),
            r"fold1.*not among the training patches: 1 \(stranger\)",
        ),
        (second_row("fold", 0), r"fold1.*in another fold in the split: 1 \(train_"),
        (
            lambda frame: frame.assign(label=1 - frame["label"]),
            r"fold1.*another label.*: 30 \(train_",
        ),
        (lambda frame: frame.drop(columns="fold"), r"fold1.oof\.parquet .*fold"),
    ],
)
def test_damaged_oof_predictions_are_refused(done: Run, change: Change, message: str) -> None:
    rewrite(done.oof["trees"][1], change)
    with pytest.raises(InputError, match=message):
        gather(done)
    assert not done.ensemble_oof.exists()


def test_a_patch_in_two_folds_files_is_refused_with_both(done: Run) -> None:
    paths = done.oof["trees"]
    with pytest.raises(InputError, match=r"fold1.* and .*fold1.*come twice.*: 30 \(train_"):
        gather_oof(
            members={"trees": [*paths, paths[1]]},
            folds=done.folds,
            target=done.ensemble_oof,
            **PLAIN,
        )


def test_predictions_of_another_split_are_refused(done: Run) -> None:
    rewrite(done.oof["network"][2], split_digest="0123456789abcdef")
    with pytest.raises(InputError, match=r"network.fold2.*another split \(digest 0123456789ab,"):
        gather(done)


def test_predictions_of_another_model_are_refused(done: Run) -> None:
    swapped = {"trees": done.oof["network"], "network": done.oof["trees"]}
    with pytest.raises(InputError, match="holds predictions of network, expected of trees"):
        gather_oof(members=swapped, folds=done.folds, target=done.ensemble_oof, **PLAIN)


def test_a_fitted_rule_predicts_every_fold_as_the_other_folds_teach(done: Run) -> None:
    done.gather("stacked", "temperature")
    table = read_ensemble_oof(done.ensemble_oof)
    scores, names = np.stack(list(table.members.values()), axis=1), list(table.members)
    for number in range(FOLDS):
        own = table.fold == number
        fitted = fit_rule(
            table.labels[~own], scores[~own], members=names, rule="stacked",
            calibration="temperature",
        )  # fmt: skip
        assert np.array_equal(table.probability[own], fitted.apply(scores[own]))
        best = search_exact(table.labels[~own], fitted.apply(scores[~own])).threshold
        assert np.array_equal(table.landslide[own], table.probability[own] > best)
    whole = fit_rule(table.labels, scores, members=names, rule="stacked", calibration="temperature")
    said = read_json(done.threshold)
    assert FittedRule.from_json(said["rule"]["fitted"]) == whole
    assert "stacking after temperature calibration" in said["rule"]["why"]
    once = np.ones((1, len(table.labels)))
    assert said["cross_fitted"]["f1"] == f1(table.labels, table.landslide, once)[0]


def test_a_damaged_rule_is_refused_by_file(done: Run) -> None:
    done.gather()
    rewrite(done.ensemble_oof, rule='{"fitted": {}}')
    with pytest.raises(InputError, match=r"ensemble_oof\.parquet is damaged \(fitted\.rule"):
        read_ensemble_oof(done.ensemble_oof)
