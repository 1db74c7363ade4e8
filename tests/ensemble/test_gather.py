"""Gathering: every patch once, in its own fold, of the same split; anything else is refused."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ensemble.small_study import EMPTY, Study

from landslip.ensemble.gather import gather_oof, gather_test
from landslip.ensemble.tables import read_ensemble_oof, read_ensemble_test
from landslip.files import (
    InputError,
    read_json,
    read_metadata,
    read_parquet,
    write_json,
    write_parquet,
)

Change = Callable[[pd.DataFrame], pd.DataFrame]


def rewrite(path: Path, change: Change | None = None, **metadata: str) -> None:
    """Damage a file of predictions as no writer of ours would."""
    frame = read_parquet(path)
    write_parquet(path, change(frame) if change else frame, read_metadata(path) | metadata)


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


def second_of_fold_1(column: str, value: object) -> Change:
    """Another value in the second row of fold 1."""

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].to_numpy(copy=True)
        values[1] = value
        return frame.assign(**{column: values})

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda frame: frame[2:],
            r"of 120 have no OOF prediction of trees \(folds \[1\]\): 2 \(train_",
        ),
        (lambda frame: pd.concat([frame, frame[:1]]), r"fold1.*ids that come twice: 1 \(train_"),
        (second_of_fold_1("probability", np.nan), r"fold1.*NaN: 1 \(train_"),
        (second_of_fold_1("probability", 1.5), r"fold1.*outside \[0, 1\]: 1 \(train_"),
        (
            second_of_fold_1("id", "stranger"),
            r"fold1.*not among the training patches: 1 \(stranger\)",
        ),
        (second_of_fold_1("fold", 0), r"fold1.*in another fold in the split: 1 \(train_"),
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


def test_test_predictions_are_the_mean_over_folds_and_then_members(study: Study) -> None:
    study.gather()
    gathered = read_parquet(study.ensemble_test).set_index("id")
    folds = {
        name: pd.concat([read_parquet(path).set_index("id") for path in paths], axis=1)
        for name, paths in study.test.items()
    }
    for patch, row in gathered.dropna().iterrows():
        for name, table in folds.items():
            assert row[name] == pytest.approx(table.loc[patch].mean())
        assert row["probability"] == pytest.approx((row["trees"] + row["network"]) / 2)


def test_every_test_patch_is_answered_in_order_and_null_without_data(study: Study) -> None:
    study.gather()
    gathered = read_ensemble_test(study.ensemble_test)
    manifest = read_parquet(study.manifest)
    listed = manifest[manifest["split"] == "test"]
    assert gathered.ids == listed["id"].tolist()
    without = np.flatnonzero(np.isnan(gathered.probability))
    assert without.tolist() == list(EMPTY)
    assert np.isnan(gathered.landslide[without]).all()
    assert all(np.isnan(scores[without]).all() for scores in gathered.members.values())


def test_a_landslide_is_a_probability_strictly_above_the_threshold(study: Study) -> None:
    study.gather()
    probability = np.sort(read_ensemble_test(study.ensemble_test).probability)
    write_json(study.threshold, read_json(study.threshold) | {"threshold": probability[10]})
    gather_test(
        members=study.test,
        manifest=study.manifest,
        threshold=study.threshold,
        target=study.ensemble_test,
    )
    frame = read_parquet(study.ensemble_test).dropna()
    assert (frame["landslide"] == 0).sum() == 11
    assert frame["landslide"].tolist() == (frame["probability"] > probability[10]).tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame[3:], r"fold1.*of 48 have no test prediction: 3 \(test_"),
        (
            second_of_fold_1("id", "stranger"),
            r"not among the readable test patches: 1 \(stranger\)",
        ),
        (second_of_fold_1("probability", np.nan), r"fold1.*NaN: 1 \(test_"),
        (lambda frame: pd.concat([frame, frame[:1]]), r"fold1.*come twice: 1 \(test_"),
    ],
)
def test_damaged_test_predictions_are_refused(study: Study, change: Change, message: str) -> None:
    rewrite(study.test["network"][1], change)
    with pytest.raises(InputError, match=message):
        study.gather()
    assert not study.ensemble_test.exists()


def test_test_predictions_of_another_split_are_refused(study: Study) -> None:
    rewrite(study.test["network"][1], split_digest="0123456789abcdef")
    with pytest.raises(InputError, match="another split"):
        study.gather()
