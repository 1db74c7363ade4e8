"""The submission: one line for every test patch, in order."""

import pandas as pd
import pytest
from ensemble.small_run import EMPTY, TEST_PATCHES, Run

from landslip.ensemble.submission import write_submission
from landslip.io.files import read_parquet


def test_a_submission_answers_every_test_patch_in_order(done: Run) -> None:
    done.gather()
    target = done.folder / "submission.csv"
    write_submission(test=done.ensemble_test, target=target)
    answer = pd.read_csv(target)
    manifest = read_parquet(done.manifest)
    assert answer["ID"].tolist() == manifest.loc[manifest["split"] == "test", "id"].tolist()
    expected = read_parquet(done.ensemble_test)["landslide"].fillna(0).astype("int64")
    pd.testing.assert_series_equal(answer["label"], expected, check_names=False)


def test_a_patch_without_prediction_is_null_and_submitted_as_no_landslide_with_a_warning(
    done: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """Who counts a competition's answers takes no empty cell."""
    done.gather()
    target = done.folder / "submission.csv"
    write_submission(test=done.ensemble_test, target=target)
    assert read_parquet(done.ensemble_test)["landslide"].isna().sum() == len(EMPTY)
    data = target.read_bytes()
    assert b"\r" not in data
    lines = data.decode().split("\n")
    assert lines[0] == "ID,label"
    assert lines[-1] == ""
    rows = lines[1:-1]
    assert len(rows) == TEST_PATCHES
    assert {rows[number].split(",")[1] for number in EMPTY} == {"0"}
    assert {row.split(",")[1] for row in rows} == {"0", "1"}
    names = ", ".join(rows[number].split(",")[0] for number in EMPTY)
    assert (
        f"2 test patches have no prediction (test.parquet); submission.csv calls them 0: {names}"
        in (caplog.text)
    )
