"""The manifest of sound input; copies and groups; bad tables, ids and files are refused."""

import hashlib
import logging
from pathlib import Path

import numpy as np
import pytest

from landslip.data.folds import read_folds, write_folds
from landslip.data.problems import printable
from landslip.io.files import InputError, read_json
from small_competition import Competition


def test_sound_input_gives_one_row_for_each_patch_in_order(competition: Competition):
    manifest, audit, _ = competition.build()
    assert manifest["id"].tolist() == [*competition.train, *competition.test]
    assert manifest["split"].tolist() == ["train"] * 12 + ["test"] * 4
    assert manifest["label"].dtype == "Int8"
    assert manifest["label"][:12].tolist() == [int(i % 3 == 0) for i in range(12)]
    assert manifest["label"][12:].isna().all()
    assert (manifest["status"] == "ok").all()
    assert manifest["group"].dtype == np.int64 and manifest["group"].is_unique
    assert audit["warnings"] == []
    for row in manifest.itertuples():
        content = competition.path(row.id).read_bytes()
        assert row.sha256 == hashlib.sha256(content).hexdigest()
        assert Path(row.path).read_bytes() == content


@pytest.mark.slow
def test_the_number_of_workers_changes_nothing(competition: Competition, monkeypatch):
    # several chunks, as workers are no more than chunks
    monkeypatch.setattr("landslip.data.survey._CHUNK", 3)
    files = [competition.folder / "out" / f for f in ("manifest.parquet", "audit.json")]
    competition.build(workers=1)
    alone = [file.read_bytes() for file in files]
    competition.build(workers=2)
    assert [file.read_bytes() for file in files] == alone


@pytest.mark.parametrize("shards", [2, 5])
def test_the_number_of_shards_changes_nothing(competition: Competition, shards: int):
    """Also where some of them hold no patch, and copies and faults lie in different ones."""
    competition.write("ID_T2", np.load(competition.path("ID_01"))[::-1])
    competition.edit("ID_05", vv=np.nan)
    competition.truncate("ID_08", 40)
    files = [competition.folder / "out" / f for f in ("manifest.parquet", "audit.json")]
    policy = {"on_nonfinite": "fill", "on_bad_patch": "drop"}
    competition.build(**policy)
    whole = [file.read_bytes() for file in files]
    competition.build(shards=shards, **policy)
    assert [file.read_bytes() for file in files] == whole
    audit = read_json(files[1])
    assert len(audit["copies"]) == len(audit["dropped"]) == len(audit["missing"]) == 1


def test_a_survey_of_another_listing_or_a_damaged_one_is_refused(competition: Competition):
    competition.build()
    survey = competition.folder / "looked" / "train0.npz"
    with pytest.raises(InputError, match=r"lists 16 patches.*has looked at 4"):
        competition.judge([survey.with_name("test0.npz")])
    survey.write_bytes(survey.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"train0\.npz is damaged"):
        competition.judge([survey, survey.with_name("test0.npz")])


def test_progress_is_logged_where_there_is_no_terminal(competition: Competition, caplog):
    with caplog.at_level(logging.INFO):
        competition.build()
    assert "looked at 12 of 12 patches" in caplog.text


def test_doubled_ids_missing_and_spare_files_stand_in_one_message(
    competition: Competition,
):
    train = (competition.folder / "Train.csv").read_text()
    competition.csv("Train.csv", train + "ID_03,0\nID_X,1\n")
    competition.path("ID_T3").unlink()
    np.save(competition.folder / "train_data" / "spare.npy", np.zeros(3))
    message = competition.refusal()
    assert "ID_03 (rows 5, 14)" in message
    assert "no file in" in message and "ID_X" in message and "ID_T3" in message
    assert "spare.npy" in message


def test_a_link_to_nothing_is_an_id_without_file(competition: Competition):
    competition.path("ID_03").unlink()
    competition.path("ID_03").symlink_to("gone.npy")
    message = competition.refusal(on_bad_patch="drop")
    assert "no file in" in message and "ID_03" in message


@pytest.mark.parametrize("shape", [(2**32, 2**32, 3), (2**62, 2**62, 3), (-1, 8, 3)], ids=str)
def test_a_first_patch_with_an_impossible_size_is_refused_with_its_id(
    competition: Competition, shape: tuple[int, int, int]
):
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    with competition.path("ID_00").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.write(bytes(8 * 8 * 3 * 8))
    assert "ID_00" in competition.refusal()


def test_a_file_without_an_id_is_reported_and_other_files_are_not(
    competition: Competition,
):
    folder = competition.folder / "test_data"
    for name in ("spare.npy", ".hidden.npy", "notes.txt"):
        (folder / name).write_bytes(b"")
    _, audit, page = competition.build()
    assert audit["files_without_id"] == {"train": [], "test": ["spare.npy"]}
    assert any("1 file of test without an id" in sentence for sentence in audit["warnings"])
    assert "spare.npy" in page and "hidden" not in page


def test_the_wrong_folder_is_named_without_all_ids(competition: Competition):
    (competition.folder / "elsewhere").mkdir()
    message = competition.refusal(train_patches=competition.folder / "elsewhere")
    assert "none of the 12 ids" in message and "elsewhere" in message and "ID_11" not in message
    absent = competition.refusal(train_patches=competition.folder / "absent")
    assert "cannot list the patch folder" in absent and "data.train.patches" in absent


def test_a_file_is_spare_where_only_the_other_table_names_it(competition: Competition):
    np.save(competition.folder / "test_data" / "ID_00.npy", np.zeros(1))
    _, audit, _ = competition.build()
    assert audit["files_without_id"] == {"train": [], "test": ["ID_00.npy"]}


def test_splits_may_share_a_folder(competition: Competition):
    folder = competition.folder / "train_data"
    for patch_id in competition.test:
        competition.path(patch_id).rename(folder / f"{patch_id}.npy")
    _, audit, _ = competition.build(test_patches=folder)
    assert audit["files_without_id"] == {"train": [], "test": []}


def test_wrong_labels_of_both_tables_are_named_by_row(competition: Competition):
    competition.csv("Train.csv", "ID,label\nID_00,1\nID_01,\nID_02,7\n")
    answers = competition.csv("Answers.csv", "ID,label\nID_T0,x\n")
    message = competition.refusal(test_labels=answers)
    assert "no label in 1 row; expected 0 or 1\n    row 3\n" in message
    assert "Train.csv: label not 0 or 1 in 1 row: '7'\n    row 4\n" in message
    assert "Answers.csv: label not 0 or 1 in 1 row: 'x'\n    row 2\n" in message


def test_a_table_from_a_spreadsheet_is_read(competition: Competition):
    rows = "".join(f'{int(i % 3 == 0)} , "{name}"\r\n' for i, name in enumerate(competition.train))
    competition.csv("Train.csv", "\ufeff label , ID\r\n" + rows)
    manifest, _, _ = competition.build()
    assert manifest["label"][:3].tolist() == [1, 0, 0]


def test_empty_tables_and_missing_columns_are_refused_together(competition: Competition):
    competition.csv("Train.csv", "")
    competition.csv("Test.csv", "name\nID_T0\n")
    message = competition.refusal()
    assert "Train.csv is empty" in message and "Test.csv lacks the column ID" in message


@pytest.mark.parametrize("patch_id", ["../secret", "/etc/passwd", "a\\b", "nul\0", "link"])
def test_an_id_that_leaves_the_folder_is_refused_before_any_file_is_opened(
    competition: Competition, patch_id: str, monkeypatch
):
    np.save(competition.folder / "secret.npy", np.load(competition.path("ID_00")))
    (competition.folder / "test_data" / "link.npy").symlink_to(competition.folder / "secret.npy")
    competition.csv("Test.csv", f"ID\nID_T0\n{patch_id}\n")

    def no_patch(*_args, **_options):
        raise AssertionError("a patch was opened")

    monkeypatch.setattr("landslip.data.inputs.patch_shape", no_patch)
    monkeypatch.setattr("landslip.data.survey.survey_patches", no_patch)
    message = competition.refusal()
    assert f"Test.csv: 1 id cannot be used with {competition.folder / 'test_data'}" in message
    assert f"\n    {printable(patch_id)}" in message


def copy(competition: Competition, source: str, target: str, turn=lambda patch: patch) -> None:
    competition.write(target, turn(np.load(competition.path(source))))


def test_copies_are_reported_with_symmetry_conflict_and_leakage(
    competition: Competition,
):
    copy(competition, "ID_01", "ID_02")
    copy(competition, "ID_03", "ID_05", np.rot90)
    copy(competition, "ID_03", "ID_T2", np.flipud)
    manifest, audit, page = competition.build()
    first, second = audit["copies"]
    assert [patch["id"] for patch in first["patches"]] == ["ID_01", "ID_02"]
    assert [patch["symmetry"] for patch in second["patches"]] == [
        "identical",
        "turned by 90°",
        "mirrored top to bottom",
    ]
    assert [patch["label"] for patch in second["patches"]] == [1, 0, None]
    assert (first["conflict"], first["across_splits"]) == (False, False)
    assert (second["conflict"], second["across_splits"]) == (True, True)
    groups = manifest.set_index("id")["group"]
    assert groups["ID_01"] == groups["ID_02"]
    assert groups["ID_03"] == groups["ID_05"] == groups["ID_T2"]
    assert groups.nunique() == 13
    warnings = "\n".join(audit["warnings"])
    assert "in the test set (1 group)" in warnings and "different labels" in warnings
    assert "labels differ, in train and test" in page


def test_a_copy_in_another_dtype_is_a_copy(competition: Competition):
    patch = np.round(np.load(competition.path("ID_01")))
    competition.write("ID_01", patch.astype(np.int16))
    competition.write("ID_08", patch[:, ::-1].astype(np.float32))
    _, audit, _ = competition.build()
    assert [patch["id"] for patch in audit["copies"][0]["patches"]] == ["ID_01", "ID_08"]


def test_copies_share_a_fold_when_grouped(competition: Competition):
    copy(competition, "ID_00", "ID_01", np.rot90)
    copy(competition, "ID_00", "ID_09", np.fliplr)
    competition.build()
    target = competition.folder / "out" / "folds.parquet"
    manifest = competition.folder / "out" / "manifest.parquet"
    for seed in range(10):
        write_folds(manifest, target, scheme="grouped", n=3, seed=seed, group=None)
        table, _ = read_folds(target)
        folds = table.set_index("id")["fold"]
        assert folds["ID_00"] == folds["ID_01"] == folds["ID_09"]


def test_empty_patches_are_no_copies(competition: Competition):
    for patch_id in ("ID_01", "ID_02"):
        competition.edit(patch_id, red=0, vv=0, diff_vv=0)
    manifest, audit, _ = competition.build()
    assert audit["copies"] == [] and manifest["group"].is_unique


def test_groups_of_a_column_hold_its_values_and_the_copies_of_their_patches(
    competition: Competition,
):
    copy(competition, "ID_00", "ID_11", np.rot90)
    sites = ["a", "a", "b", "b", "c", "c", "d", "d", "e", "e", "f", "f"]
    rows = [f"{name},{i % 2},{sites[i]}\n" for i, name in enumerate(competition.train)]
    competition.csv("Train.csv", "ID,label,site\n" + "".join(rows))
    manifest, _, _ = competition.build(group="site")
    # a and f are joined by a copy
    expected = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 0, 0, 5, 6, 7, 8]
    assert manifest["group"].tolist() == expected
    assert "lacks the column place" in refusal_elsewhere(competition, group="place")


def refusal_elsewhere(competition: Competition, **changes) -> str:
    """A refusal where an earlier build has left its files."""
    (competition.folder / "out").rename(competition.folder / "earlier")
    return competition.refusal(**changes)


def test_without_test_labels_all_is_built_and_the_audit_says_so(competition: Competition):
    _, audit, page = competition.build()
    assert audit["counts"]["test"]["unlabelled"] == 4
    assert any("no test labels" in sentence for sentence in audit["done"])
    assert "no test labels" in page


def test_test_labels_are_matched_by_id(competition: Competition):
    answers = competition.csv("Answers.csv", "ID,label\nID_T3,1\nID_T0,0\nID_T2,1\nID_T1,0\n")
    manifest, audit, _ = competition.build(test_labels=answers)
    assert manifest["label"][12:].tolist() == [0, 0, 1, 1]
    assert not any("no test labels" in sentence for sentence in audit["done"])


def test_test_labels_of_other_ids_are_refused(competition: Competition):
    answers = competition.csv("Answers.csv", "ID,label\nID_T3,1\nID_T0,0\nID_T2,1\nother,0\n")
    message = competition.refusal(test_labels=answers)
    assert "no label for these of the test ids\n    ID_T1\n" in message
    assert "has ids that" in message and "lacks\n    other" in message


def test_labels_in_the_table_of_test_ids_are_used(competition: Competition):
    competition.csv("Test.csv", "ID,label\nID_T0,1\nID_T1,0\nID_T2,0\nID_T3,0\n")
    manifest, _, _ = competition.build()
    assert manifest["label"][12:].tolist() == [1, 0, 0, 0]
