"""A patch is found inside its folder, read without unpickling, and refused for what is wrong."""

import hashlib
import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landslip.data.patches import (
    PatchError,
    as_float32,
    check_id,
    check_link,
    patch_shape,
    read_patch,
)
from landslip.io.files import InputError

PATCH = np.arange(4 * 5 * 3, dtype=np.float64).reshape(4, 5, 3)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def write(folder: Path, content: bytes | np.ndarray) -> Path:
    path = folder / "ID_1.npy"
    path.write_bytes(content if isinstance(content, bytes) else npy(content))
    return path


def fault(path: Path, shape: tuple[int, int] | None = (4, 5)) -> PatchError:
    with pytest.raises(PatchError) as caught:
        read_patch(path, 3, shape)
    assert "ID_1" in str(caught.value) and str(path) in str(caught.value)
    return caught.value


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, evidence: Path) -> None:
        self.evidence = evidence

    def __reduce__(self):
        return os.mkdir, (str(self.evidence),)


@pytest.mark.parametrize(
    "patch",
    [PATCH, np.asfortranarray(PATCH), PATCH.astype(">f4"), PATCH.astype(np.int16)],
    ids=["float64", "column order", "big-endian", "int16"],
)
@pytest.mark.parametrize("after", [b"", b"more", bytes(1 << 15)], ids=len)
def test_a_patch_is_read_as_it_was_saved_with_the_digest_of_its_file(
    tmp_path: Path, patch: np.ndarray, after: bytes
):
    content = npy(patch) + after
    read, sha256 = read_patch(write(tmp_path, content), 3, (4, 5))
    assert np.array_equal(read, patch) and read.dtype == patch.dtype
    assert sha256 == hashlib.sha256(content).hexdigest()
    refused = fault(tmp_path / "ID_1.npy", shape=(5, 4))
    assert (refused.fault, refused.sha256) == ("layout", sha256)
    assert patch_shape(tmp_path / "ID_1.npy", 3) == (4, 5)


def test_the_trap_springs_where_a_pickle_is_loaded(tmp_path: Path):
    path = write(tmp_path, pickle.dumps(Trap(tmp_path / "evidence")))
    np.load(path, allow_pickle=True)
    assert (tmp_path / "evidence").exists()


def test_a_damaged_header_is_not_quoted_at_length(tmp_path: Path):
    content = bytearray(npy(np.random.default_rng(0).normal(size=(64, 64, 3))))
    content[9] = 22  # the header's length, 5,000 bytes more
    assert len(fault(write(tmp_path, bytes(content)), shape=None).reason) < 200


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_under_the_name_of_a_patch_is_refused_and_not_unpickled(
    tmp_path: Path, protocol: int
):
    path = write(tmp_path, pickle.dumps(Trap(tmp_path / "evidence"), protocol))
    assert fault(path).fault == "pickled"
    assert not (tmp_path / "evidence").exists()


def test_an_array_of_objects_is_refused_and_not_unpickled(tmp_path: Path):
    objects = np.full((4, 5, 3), Trap(tmp_path / "evidence"), dtype=object)
    path = tmp_path / "ID_1.npy"
    np.save(path, objects, allow_pickle=True)
    assert fault(path).fault == "pickled"
    structured = np.zeros((4, 5, 3), dtype=[("a", object)])
    np.save(path, structured, allow_pickle=True)
    assert fault(path).fault == "pickled"
    assert not (tmp_path / "evidence").exists()


@given(kept=st.integers(0, len(npy(PATCH)) - 1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_cut_anywhere_is_unreadable(tmp_path: Path, kept: int):
    assert fault(write(tmp_path, npy(PATCH)[:kept])).fault == "unreadable"


@given(place=st.integers(0, 127), byte=st.integers(0, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_a_damaged_header_gives_the_patch_or_a_refusal_and_nothing_else(
    tmp_path: Path, place: int, byte: int
):
    content = bytearray(npy(PATCH))
    content[place] = byte
    path = write(tmp_path, bytes(content))
    try:
        assert read_patch(path, 3, (4, 5))[0].shape == (4, 5, 3)
    except PatchError as error:
        assert error.fault in ("unreadable", "pickled", "dtype", "layout")


def test_a_header_that_promises_too_much_costs_no_memory(tmp_path: Path):
    content = npy(PATCH).replace(b"(4, 5, 3), }      ", b"(4000000, 5, 3), }", 1)
    error = fault(write(tmp_path, content), shape=None)
    assert error.fault == "unreadable" and "bytes are missing" in error.detail


@pytest.mark.parametrize(
    "content", [b"not an array\n", b"PK\x03\x04 an archive", bytes(500)], ids=str
)
def test_another_kind_of_file_is_unreadable(tmp_path: Path, content: bytes):
    assert fault(write(tmp_path, content)).fault == "unreadable"


def test_a_folder_or_a_pipe_under_the_name_of_a_patch_is_unreadable(tmp_path: Path):
    path = tmp_path / "ID_1.npy"
    path.mkdir()
    assert fault(path).fault == "unreadable"
    path.rmdir()
    os.mkfifo(path)
    assert fault(path).fault == "unreadable"


@pytest.mark.parametrize(
    ("patch", "got"),
    [
        (PATCH[:3], r"\(3, 5, 3\)"),
        (PATCH[:, :, :2], r"\(4, 5, 2\)"),
        (PATCH[0], r"\(5, 3\)"),
        (PATCH[None], r"\(1, 4, 5, 3\)"),
        (PATCH.transpose(2, 0, 1), r"\(3, 4, 5\); the channels come first"),
    ],
    ids=["rows", "bands", "no rows", "extra axis", "channels first"],
)
def test_another_shape_is_refused_with_expected_against_got(
    tmp_path: Path, patch: np.ndarray, got: str
):
    error = fault(write(tmp_path, patch))
    assert error.fault == "layout"
    with pytest.raises(PatchError, match=rf"expected \(4, 5, 3\), got {got}"):
        read_patch(tmp_path / "ID_1.npy", 3, (4, 5))


def test_a_patch_without_pixels_is_refused(tmp_path: Path):
    assert fault(write(tmp_path, np.zeros((0, 5, 3))), shape=None).fault == "layout"


@pytest.mark.parametrize("dtype", ["bool", "complex64", "U3", "S3", "datetime64[s]", "V8"])
def test_what_is_no_integer_or_float_is_refused_with_its_dtype(tmp_path: Path, dtype: str):
    error = fault(write(tmp_path, np.zeros((4, 5, 3), dtype)))
    assert error.fault == "dtype" and str(np.dtype(dtype)) in error.reason


@pytest.mark.parametrize("dtype", [*np.typecodes["AllInteger"], *np.typecodes["Float"]])
def test_every_integer_and_float_is_rounded_to_the_nearest_float32(tmp_path: Path, dtype: str):
    patch = (PATCH * 1.1).astype(dtype)
    converted = as_float32(read_patch(write(tmp_path, patch), 3, (4, 5))[0])
    assert converted.dtype == np.float32
    assert np.array_equal(converted, patch.astype(np.float32))


def test_what_float32_cannot_hold_becomes_infinite_without_a_warning():
    assert np.isinf(as_float32(np.array([[[1e300, -1e300]]]))).all()


@pytest.mark.parametrize(
    "patch_id",
    ["../secret", "a/b", "a\\b", "..", ".", "", "/etc/passwd", "nul\0", "a..b"],
)
def test_an_id_that_is_no_plain_name_is_refused(patch_id: str):
    with pytest.raises(InputError, match="file name"):
        check_id(patch_id)


def test_a_link_may_lead_into_its_folder_and_the_one_that_is_named(tmp_path: Path):
    folder, cache, outside = (tmp_path / name for name in ("patches", "cache", "outside"))
    for path in (folder, cache / "blobs", outside):
        path.mkdir(parents=True)
    for path in (outside / "secret.npy", folder / "inside.npy", cache / "blobs" / "3fa9"):
        path.write_bytes(b"")
    links = {
        "leaves": outside / "secret.npy",
        "around": folder / "leaves.npy",
        "stays": Path("inside.npy"),
        "circle": Path("circle.npy"),
        "cached": cache / "blobs" / "3fa9",
        "through": cache / "leaves",
        "beside": tmp_path / "cache2",
    }
    (cache / "leaves").symlink_to(outside / "secret.npy")
    for name, target in links.items():
        (folder / f"{name}.npy").symlink_to(target)
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "cache_link").symlink_to(cache)
    for named, allowed in ((None, {"stays"}), (tmp_path / "cache_link", {"stays", "cached"})):
        for name in links:
            for path in (folder / f"{name}.npy", tmp_path / "link" / f"{name}.npy"):
                if name in allowed:
                    check_link(path, named)
                else:
                    with pytest.raises(InputError, match=r"data\.links_into|circle"):
                        check_link(path, named)
    with pytest.raises(InputError, match="not a usable file name"):
        check_link(folder / ("x" * 300))


def test_an_absent_patch_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="ID_1"):
        read_patch(tmp_path / "ID_1.npy", 3, (4, 5))
