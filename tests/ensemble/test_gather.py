"""Gathering: every patch once, in its own fold, of the same split; anything else is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ensemble.small_study import Change, Study, rewrite, second_row

from landslip.ensemble.gather import gather_oof
from landslip.ensemble.tables import read_ensemble_oof
from landslip.io.files import (
    InputError,
    read_parquet,
)


def gather(study: Study) -> pd.DataFrame:
    gather_oof(members=study.oof, folds=study.folds, target=study.ensemble_oof)
    return read_parquet(study.ensemble_oof)


def test_the_ensemble_is_the_mean_of_its_members_patch_by_patch(study: Study) -> None:
    gathered = gather(study)
    by_id = {
        name: pd.concat([read_parquet(path) for path in paths]).set_index("id")["probability"]
        for name, paths in study.oof.items()
    }
    for row in gathered.to_dict("records"):
        assert row["trees"] == by_id["trees"][row["id"]]
        assert row["network"] == by_id["network"][row["id"]]
        assert row["probability"] == pytest.approx((row["trees"] + row["network"]) / 2)


def test_rows_are_those_of_the_split_in_its_order(study: Study) -> None:
    folds = read_parquet(study.folds)
    pd.testing.assert_frame_equal(gather(study)[["id", "fold", "label"]], folds, check_dtype=False)
    assert read_ensemble_oof(study.ensemble_oof).split_digest == study.digest


def test_the_order_of_files_does_not_matter(study: Study) -> None:
    before = gather(study)
    reversed_files = {name: paths[::-1] for name, paths in study.oof.items()}
    gather_oof(members=reversed_files, folds=study.folds, target=study.ensemble_oof)
    pd.testing.assert_frame_equal(read_parquet(study.ensemble_oof), before)


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
def test_damaged_oof_predictions_are_refused(study: Study, change: Change, message: str) -> None:
    rewrite(study.oof["trees"][1], change)
    with pytest.raises(InputError, match=message):
        gather(study)
    assert not study.ensemble_oof.exists()


def test_a_patch_in_two_folds_files_is_refused_with_both(study: Study) -> None:
    paths = study.oof["trees"]
    with pytest.raises(InputError, match=r"fold1.* and .*fold1.*come twice.*: 30 \(train_"):
        gather_oof(
            members={"trees": [*paths, paths[1]]}, folds=study.folds, target=study.ensemble_oof
        )


def test_predictions_of_another_split_are_refused(study: Study) -> None:
    rewrite(study.oof["network"][2], split_digest="0123456789abcdef")
    with pytest.raises(InputError, match=r"network.fold2.*another split \(digest 0123456789ab,"):
        gather(study)


def test_predictions_of_another_model_are_refused(study: Study) -> None:
    swapped = {"trees": study.oof["network"], "network": study.oof["trees"]}
    with pytest.raises(InputError, match="holds predictions of network, expected of trees"):
        gather_oof(members=swapped, folds=study.folds, target=study.ensemble_oof)


@pytest.mark.parametrize("members", [{}, {"trees": []}])
def test_an_ensemble_of_nothing_is_refused(study: Study, members: dict[str, list[Path]]) -> None:
    with pytest.raises(InputError, match=r"no members|no files"):
        gather_oof(members=members, folds=study.folds, target=study.ensemble_oof)


def test_a_member_cannot_take_the_name_of_a_column(study: Study) -> None:
    with pytest.raises(InputError, match="cannot be called probability"):
        gather_oof(
            members={"probability": study.oof["trees"]},
            folds=study.folds,
            target=study.ensemble_oof,
        )
