"""The submission: one line for every test patch, in order."""

import pandas as pd
from ensemble.small_run import EMPTY, TEST_PATCHES, Run

from landslip.ensemble.submission import write_submission
from landslip.io.files import read_parquet


def test_a_submission_answers_every_test_patch_in_order(done: Run) -> None:
    done.gather()
    target = done.folder / "submission.csv"
    write_submission(test=done.ensemble_test, target=target)
    answer = pd.read_csv(target, dtype={"label": "Int8"})
    manifest = read_parquet(done.manifest)
    assert answer["ID"].tolist() == manifest.loc[manifest["split"] == "test", "id"].tolist()
    expected = read_parquet(done.ensemble_test)["landslide"]
    pd.testing.assert_series_equal(answer["label"], expected, check_names=False)


def test_a_patch_without_data_has_an_empty_label(done: Run) -> None:
    done.gather()
    target = done.folder / "submission.csv"
    write_submission(test=done.ensemble_test, target=target)
    data = target.read_bytes()
    assert b"\r" not in data
    lines = data.decode().split("\n")
    assert lines[0] == "ID,label"
    assert lines[-1] == ""
    rows = lines[1:-1]
    assert len(rows) == TEST_PATCHES
    assert [number for number, row in enumerate(rows) if row.endswith(",")] == list(EMPTY)
    assert {row.split(",")[1] for row in rows} == {"0", "1", ""}
