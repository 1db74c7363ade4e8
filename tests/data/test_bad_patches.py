"""Bad patches: what each kind leads to, in the manifest and the audit or as a refusal."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest

from small_competition import CHANNELS, Competition, make_competition


def test_a_pickle_or_objects_are_refused_with_the_id_and_never_unpickled(
    competition: Competition,
):
    competition.path("ID_03").write_bytes(pickle.dumps({"a": 1}))
    objects = np.full((8, 8, 3), {"a": 1}, dtype=object)
    np.save(competition.path("ID_T1"), objects, allow_pickle=True)
    for policy in ("refuse", "drop"):
        message = competition.refusal(on_bad_patch=policy)
        assert "nothing was unpickled" in message
        assert "ID_03 (train)" in message and "ID_T1 (test)" in message


def test_all_truncated_patches_are_counted_in_one_message_and_listed_in_a_file(
    competition: Competition,
):
    for size, patch_id in enumerate([*competition.train, "ID_T2"]):
        competition.truncate(patch_id, 200 + 10 * size)
    message = competition.refusal()
    assert "13 patches are truncated or unreadable" in message
    assert "data.on_bad_patch: drop" in message
    assert re.search(r"ID_00 \(train, \d+ bytes.*, ID_01 .*, ID_02 .* and 10 more", message)
    assert str(competition.listed) in message
    listed = competition.listed.read_text()
    for patch_id in [*competition.train, "ID_T2"]:
        assert re.search(rf"\t{patch_id} \(.*bytes are missing\)\ttruncated\n", listed)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git lfs pull"),
        (b"/annex/objects/SHA256E-s9--00.npy\n", "git annex get"),
        (b"\n<!doctype html><html><title>Sign in</title></html>", "web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "error of a server"),
        (b'{"message": "Not Found"}', "JSON"),
        (b"PK\x03\x04" + bytes(99), "npz"),
        (b"\x1f\x8b" + bytes(99), "gzip"),
        (b"II*\x00" + bytes(99), "TIFF"),
        (bytes(1664), "zero bytes"),
        (b"", "empty"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_of_another_kind_are_named_once_for_all_patches(
    competition: Competition, content: bytes, words: str
):
    for patch_id in competition.train:
        competition.path(patch_id).write_bytes(content)
    message = competition.refusal()
    assert "12 patches are truncated or unreadable" in message and message.count(words) == 1
    assert "ID_00 (train), ID_01 (train), ID_02 (train) and 9 more" in message
    assert len(message.splitlines()) < 5


def test_the_first_patch_is_blamed_where_its_header_differs_from_all_others(
    competition: Competition,
):
    """Also where so many pixels are there as the header says."""
    path = competition.path("ID_00")
    path.write_bytes(path.read_bytes().replace(b"(8, 8, 3)", b"(4, 4, 3)", 1))
    message = competition.refusal()
    assert "1 patch lack" in message and "got (4, 4, 3)\n    ID_00 (train)" in message


def test_truncated_patches_are_set_aside_and_listed_on_request(competition: Competition):
    competition.truncate("ID_00", 100)
    competition.truncate("ID_T2", 1000)
    manifest, audit, page = competition.build(on_bad_patch="drop")
    dropped = manifest[manifest["status"] == "dropped"]
    assert dropped["id"].tolist() == ["ID_00", "ID_T2"]
    assert [(item["id"], item["split"]) for item in audit["dropped"]] == [
        ("ID_00", "train"),
        ("ID_T2", "test"),
    ]
    assert "truncated" in audit["dropped"][1]["reason"]
    assert any("2 patches were set aside" in sentence for sentence in audit["warnings"])
    assert "ID_T2" in page and len(manifest) == 16


@pytest.mark.parametrize(
    ("change", "got"),
    [
        (lambda patch: patch[:7], "got (7, 8, 3)"),
        (lambda patch: patch[:, :, :2], "got (8, 8, 2)"),
        (lambda patch: patch.transpose(2, 0, 1), "got (3, 8, 8); the channels come first"),
        (lambda patch: patch[None], "got (1, 8, 8, 3)"),
    ],
    ids=["size", "bands", "channels first", "axes"],
)
def test_another_shape_is_refused_expected_against_got(competition: Competition, change, got: str):
    for patch_id in ("ID_05", "ID_T0"):
        competition.write(patch_id, change(np.load(competition.path(patch_id))))
    message = competition.refusal(on_bad_patch="drop")
    assert f"expected (8, 8, 3), {got}" in message
    assert "2 patches" in message and "ID_05 (train), ID_T0 (test)" in message


def test_patches_need_not_be_square_if_all_agree(tmp_path: Path):
    competition = make_competition(tmp_path, (6, 9))
    _, audit, _ = competition.build()
    assert (audit["patch"]["rows"], audit["patch"]["columns"]) == (6, 9)


def test_a_config_of_other_channels_is_refused(competition: Competition):
    message = competition.refusal(channels={**CHANNELS, "vh": "db"})
    assert "16 patches" in message and "expected (row, column, 4), got (8, 8, 3)" in message


def test_integers_and_floats_pass_and_a_mixture_is_reported(competition: Competition):
    patch = np.round(np.load(competition.path("ID_00")))
    for number, dtype in enumerate(["int16", "int64", ">f4", "float16", "longdouble"]):
        competition.write(competition.train[number], (patch + number).astype(dtype))
    _, audit, _ = competition.build()
    assert audit["patch"]["dtypes"]["int16"] == 1
    assert any("different dtypes" in sentence for sentence in audit["warnings"])


def test_other_dtypes_are_refused(competition: Competition):
    competition.write("ID_02", np.ones((8, 8, 3), bool))
    competition.write("ID_T3", np.ones((8, 8, 3), complex))
    message = competition.refusal()
    assert "dtype bool" in message and "ID_02" in message
    assert "dtype complex128" in message and "ID_T3" in message


def spoil(competition: Competition) -> None:
    """Three pixels of two patches that are not finite, one only as float32."""
    for patch_id, channel, value in (
        ("ID_01", 0, np.nan),
        ("ID_01", 2, np.inf),
        ("ID_T0", 1, 1e39),
    ):
        patch = np.load(competition.path(patch_id))
        patch[3, 4, channel] = value
        competition.write(patch_id, patch)


def test_nan_and_infinity_are_refused_with_ids_and_channels(competition: Competition):
    spoil(competition)
    message = competition.refusal()
    assert "2 patches hold NaN or infinity" in message
    assert "ID_01 (train, red: 1, diff_vv: 1), ID_T0 (test, vv: 1)" in message
    assert "data.on_nonfinite: fill" in message


def test_nan_and_infinity_to_be_filled_are_counted(competition: Competition):
    spoil(competition)
    manifest, audit, _ = competition.build(on_nonfinite="fill")
    assert (manifest["status"] == "ok").all()
    hole = {"nonfinite": 1, "sentinel": 0, "zero": 0, "sentinel_value": None}
    assert audit["missing"] == [
        {"id": "ID_01", "split": "train", "pixels": {"red": hole, "diff_vv": hole}},
        {"id": "ID_T0", "split": "test", "pixels": {"vv": hole}},
    ]
    assert [channel["nonfinite_pixels"] for channel in audit["channels"]] == [1, 1, 1]
    assert any(
        "2 patches have pixels without data (NaN or infinity 3 times)" in sentence
        for sentence in audit["warnings"]
    )
    assert all(np.isfinite(channel["max"]) for channel in audit["channels"])


def test_channels_without_data_are_counted_and_empty_patches_marked(
    competition: Competition,
):
    competition.edit("ID_04", vv=0)
    competition.edit("ID_07", red=0, vv=0, diff_vv=0)
    competition.edit("ID_T1", red=5, vv=-3, diff_vv=0)
    manifest, audit, page = competition.build()
    empty = manifest.loc[manifest["status"] == "empty", "id"].tolist()
    assert empty == ["ID_07", "ID_T1"]
    assert [channel["constant_patches"] for channel in audit["channels"]] == [2, 3, 2]
    assert audit["empty"] == [
        {"id": "ID_07", "split": "train"},
        {"id": "ID_T1", "split": "test"},
    ]
    assert any("2 patches are empty" in sentence for sentence in audit["warnings"])
    assert any("vv in 1 patch" in sentence for sentence in audit["warnings"])
    assert "no prediction" in page


def test_a_patch_of_nothing_but_nan_is_empty(competition: Competition):
    competition.write("ID_07", np.full((8, 8, 3), np.nan))
    manifest, _, _ = competition.build(on_nonfinite="fill")
    assert manifest.loc[manifest["status"] == "empty", "id"].tolist() == ["ID_07"]


def test_a_split_of_empty_patches_alone_is_refused(competition: Competition):
    for patch_id in competition.test:
        competition.edit(patch_id, red=0, vv=0, diff_vv=0)
    assert "no test patch can be used" in competition.refusal()


def test_a_channel_without_data_anywhere_is_reported_and_not_judged(
    competition: Competition,
):
    for patch_id in [*competition.train, *competition.test]:
        competition.edit(patch_id, vv=0)
    _, audit, _ = competition.build()
    assert audit["channels"][1]["median_magnitude"] is None
    assert any("No patch has data in vv" in sentence for sentence in audit["warnings"])


def convert(competition: Competition, channel: int, function) -> None:
    for patch_id in [*competition.train, *competition.test]:
        patch = np.load(competition.path(patch_id))
        patch[:, :, channel] = function(patch[:, :, channel])
        competition.write(patch_id, patch)


@pytest.mark.parametrize(
    ("channel", "function", "words"),
    [
        (1, lambda db: 10 ** (db / 10), ["vv", "unit db", "2.5 to 50", "linear power", "10 log10"]),
        (0, lambda red: red / 1e4, ["red", "reflectance_1e4", "is 0.1", "30 to 20000", "10^4"]),
        (1, lambda db: db / 100, ["vv", "unit db", "is 0.1", "2.5 to 50"]),
        (2, lambda change: 10 ** (change / 10), ["diff_vv", "not one is negative", "10 log10"]),
        (0, lambda red: red / 1e6, ["red", "reflectance_1e4", "is 0.001"]),
        (2, lambda change: change * 1000, ["diff_vv", "unit db_change", "0.2 to 12"]),
    ],
    ids=["linear power", "0 to 1", "no power below 0", "linear ratio", "dark", "no guess"],
)
def test_a_wrong_unit_is_refused_and_named(
    competition: Competition, channel: int, function, words: list[str]
):
    convert(competition, channel, function)
    message = competition.refusal()
    assert all(word in message for word in words)
    assert message.count("median magnitude") == 1
    assert ("looks like" in message) == bool({"10 log10", "10^4"} & set(words))


def test_a_wrong_unit_may_be_only_reported(competition: Competition):
    convert(competition, 1, lambda db: 10 ** (db / 10))
    _, audit, page = competition.build(on_wrong_unit="report")
    assert [channel["unit_fits"] for channel in audit["channels"]] == [True, False, True]
    assert audit["channels"][1]["median_magnitude"] == pytest.approx(10**-1.2, rel=0.2)
    assert any("linear power" in sentence for sentence in audit["warnings"])
    assert "✗" in page


def test_pixels_outside_the_plausible_range_are_counted(competition: Competition):
    patch = np.load(competition.path("ID_03"))
    patch[0, :4, 0] = 30000
    patch[1, 0, 1] = -80
    competition.write("ID_03", patch)
    _, audit, _ = competition.build()
    assert [channel["outside_plausible"] for channel in audit["channels"]] == [4, 1, 0]
    assert audit["channels"][0]["max"] == 30000 and audit["channels"][1]["min"] == -80


def test_several_kinds_of_bad_patches_stand_in_one_message(competition: Competition):
    competition.truncate("ID_01", 200)
    competition.write("ID_02", np.zeros((8, 8, 3), bool))
    competition.write("ID_03", np.zeros((9, 8, 3)))
    competition.edit("ID_04", red=np.nan)
    for patch_id in ["ID_00", *competition.train[4:], *competition.test]:
        patch = np.load(competition.path(patch_id))
        patch[:, :, 1] = 10 ** (patch[:, :, 1] / 10)
        competition.write(patch_id, patch)
    message = competition.refusal()
    for words in ("truncated", "dtype bool", "got (9, 8, 3)", "NaN or infinity", "linear power"):
        assert words in message
