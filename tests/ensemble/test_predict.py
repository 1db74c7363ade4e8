"""The answer for every test patch."""

import numpy as np
import pandas as pd
import pytest
from ensemble.small_run import EMPTY, Change, Run, rewrite, second_row

from landslip.ensemble.predict import predict_test
from landslip.ensemble.rules import FittedRule
from landslip.io.files import InputError, read_json, read_parquet, write_json, write_parquet


def test_predictions_are_the_mean_over_folds_and_then_members(done: Run) -> None:
    done.gather()
    gathered = read_parquet(done.ensemble_test).set_index("id")
    folds = {
        name: pd.concat([read_parquet(path).set_index("id") for path in paths], axis=1)
        for name, paths in done.test.items()
    }
    for patch, row in gathered.dropna().iterrows():
        for name, table in folds.items():
            assert row[name] == pytest.approx(table.loc[patch].mean())
        assert row["probability"] == pytest.approx((row["trees"] + row["network"]) / 2)


def test_every_test_patch_is_answered_in_order_and_null_without_data(done: Run) -> None:
    done.gather()
    gathered = read_parquet(done.ensemble_test)
    manifest = read_parquet(done.manifest)
    assert gathered["id"].tolist() == manifest["id"][manifest["split"] == "test"].tolist()
    for name in set(gathered.columns) - {"id"}:
        assert np.flatnonzero(gathered[name].isna()).tolist() == list(EMPTY), name


def test_a_landslide_is_a_probability_strictly_above_the_threshold(done: Run) -> None:
    done.gather()
    probability = np.sort(read_parquet(done.ensemble_test)["probability"].dropna())
    write_json(done.threshold, read_json(done.threshold) | {"threshold": probability[10]})
    predict_test(
        members=done.test,
        manifest=done.manifest,
        threshold=done.threshold,
        fewer=done.fewer,
        target=done.ensemble_test,
    )
    frame = read_parquet(done.ensemble_test).dropna()
    assert (frame["landslide"] == 0).sum() == 11
    assert frame["landslide"].tolist() == (frame["probability"] > probability[10]).tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame[3:], r"fold1.*patch test_\d+ in row 0, expected test_\d+; delete it"),
        (lambda frame: frame[:-3], r"fold1.*patch none in row 45, expected test_"),
        (second_row("id", "stranger"), r"fold1.*patch stranger in row 1, expected test_"),
        (second_row("probability", np.nan), r"fold1.*NaN: 1 \(test_"),
        (lambda frame: pd.concat([frame, frame[:1]]), r"fold1.*ids that come twice: 1 \(test_"),
        (lambda frame: frame[::-1], r"fold1.*patch test_\d+ in row 0, expected test_"),
    ],
)
def test_damaged_predictions_are_refused(done: Run, change: Change, message: str) -> None:
    rewrite(done.test["network"][1], change)
    with pytest.raises(InputError, match=message):
        done.gather()
    assert not done.ensemble_test.exists()


def test_predictions_of_another_split_are_refused(done: Run) -> None:
    rewrite(done.test["network"][1], split_digest="0123456789abcdef")
    with pytest.raises(InputError, match="another split"):
        done.gather()


def test_patches_that_lack_a_sensor_are_answered_by_members_that_do_without_or_by_nobody(
    done: Run,
) -> None:
    listed = read_parquet(done.manifest)
    test = np.flatnonzero(listed["split"] == "test")
    missing = listed["missing"].to_numpy(object)
    missing[test[[3, 7, 20]]], missing[test[11]] = "radar", "optical"
    write_parquet(done.manifest, listed.assign(missing=missing))
    done.gather()
    answers = read_parquet(done.ensemble_test)
    alone = done.fewer.find("radar")
    assert alone is not None and alone["columns"] == ["trees"]
    assert alone["threshold"] != read_json(done.threshold)["threshold"]
    rows = answers.iloc[[3, 20]]
    assert (rows["probability"] == rows["trees"]).all()
    assert (rows["landslide"] == (rows["trees"] > alone["threshold"])).all()
    assert answers["probability"].isna().to_numpy().nonzero()[0].tolist() == sorted([*EMPTY, 11])
    assert answers["landslide"].isna().equals(answers["probability"].isna())
    assert not answers["network"].iloc[[3, 11, 20]].isna().any()


@pytest.mark.parametrize("rule", ["weighted", "stacked"])
@pytest.mark.parametrize("calibration", ["temperature", "isotonic"])
def test_test_patches_are_combined_by_the_rule_in_force(
    done: Run, rule: str, calibration: str
) -> None:
    done.gather(rule, calibration)
    fitted = FittedRule.from_json(read_json(done.threshold)["rule"]["fitted"])
    assert (fitted.rule, fitted.calibration) == (rule, calibration)
    test = read_parquet(done.ensemble_test).dropna()
    scores = test[["trees", "network"]].to_numpy()
    assert np.array_equal(test["probability"], fitted.apply(scores))
    assert not np.allclose(test["probability"], scores.mean(axis=1))


def test_a_rule_of_other_members_is_refused(done: Run) -> None:
    done.gather()
    with pytest.raises(InputError, match="combines trees, network, not network, trees"):
        predict_test(
            members=dict(reversed(done.test.items())),
            manifest=done.manifest,
            threshold=done.threshold,
            fewer=done.fewer,
            target=done.ensemble_test,
        )
