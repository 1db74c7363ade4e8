"""Copies are found whatever way they are turned, and nothing else is taken for one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from landslip.data.duplicates import SYMMETRIES, find_copies, fingerprint, symmetry_between


def bands(patch: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(patch.transpose(2, 0, 1)).reshape(patch.shape[2], -1)


def turned(patch: np.ndarray) -> dict[str, np.ndarray]:
    """The eight symmetries, by turns and one mirror, independently of the code under test."""
    return {
        "identical": patch,
        "turned by 90°": np.rot90(patch, 1),
        "turned by 180°": np.rot90(patch, 2),
        "turned by 270°": np.rot90(patch, 3),
        "mirrored left to right": np.fliplr(patch),
        "mirrored top to bottom": np.flipud(patch),
        "mirrored in the main diagonal": np.fliplr(np.rot90(patch, 3)),
        "mirrored in the other diagonal": np.fliplr(np.rot90(patch, 1)),
    }


def random_patch(seed: int, shape: tuple[int, int] = (6, 6)) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(*shape, 3)).astype(np.float32)


def search(patches: list[np.ndarray]) -> list[list[tuple[int, str]]]:
    keys = np.array([fingerprint(bands(patch)) for patch in patches])
    return find_copies(keys, [str(i) for i in range(len(patches))], patches.__getitem__)


pixels = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3)),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
)


@given(pixels)
def test_the_fingerprint_does_not_change_under_any_symmetry(patch: np.ndarray):
    keys = {int(fingerprint(bands(copy))) for copy in turned(patch).values()}
    assert len(keys) == 1


@given(pixels)
def test_every_turned_copy_is_recognised(patch: np.ndarray):
    for copy in turned(patch).values():
        assert symmetry_between(patch, copy) is not None


@given(pixels, st.data())
def test_one_other_pixel_makes_another_fingerprint(patch: np.ndarray, data: st.DataObject):
    place = tuple(data.draw(st.integers(0, size - 1)) for size in patch.shape)
    other = patch.copy()
    other[place] = 1.5 if patch[place] != 1.5 else 2.5
    assert fingerprint(bands(patch)) != fingerprint(bands(other))
    assert symmetry_between(patch, other) is None


@pytest.mark.parametrize("name", SYMMETRIES)
def test_the_symmetry_of_a_copy_is_named(name: str):
    patch = random_patch(0)
    assert symmetry_between(patch, turned(patch)[name]) == name


def test_zero_and_minus_zero_are_the_same_pixel():
    patch = random_patch(0)
    patch[0, 0] = 0.0
    other = patch.copy()
    other[0, 0] = -0.0
    assert search([patch, other]) == [[(0, "identical"), (1, "identical")]]


def test_copies_are_gathered_around_the_first_of_them():
    first, second = random_patch(1), random_patch(2)
    patches = [random_patch(3), first, second, np.rot90(first), first, np.flipud(second)]
    assert search(patches) == [
        [(1, "identical"), (3, "turned by 90°"), (4, "identical")],
        [(2, "identical"), (5, "mirrored top to bottom")],
    ]


def test_copies_of_patches_that_are_not_square_keep_their_shape():
    patch = random_patch(1, (4, 6))
    copies = [patch[::-1], patch[:, ::-1], patch[::-1, ::-1]]
    assert [name for _, name in search([patch, *copies])[0]][1:] == [
        "mirrored top to bottom",
        "mirrored left to right",
        "turned by 180°",
    ]


def test_the_same_pixels_in_another_order_are_no_copy():
    patch = random_patch(1)
    shuffled = patch.reshape(-1, 3)[np.random.default_rng(0).permutation(36)].reshape(patch.shape)
    assert fingerprint(bands(patch)) == fingerprint(bands(shuffled))
    assert search([patch, shuffled]) == []


def test_swapped_channels_are_no_copy():
    patch = random_patch(1)
    assert fingerprint(bands(patch)) != fingerprint(bands(patch[:, :, ::-1]))


def test_files_of_one_digest_are_read_once():
    patch, reads = random_patch(1), []

    def read(position: int) -> np.ndarray:
        reads.append(position)
        return patch

    keys = np.full(5, fingerprint(bands(patch)))
    groups = find_copies(keys, ["same"] * 5, read)
    assert [position for position, _ in groups[0]] == [0, 1, 2, 3, 4]
    assert reads == [0]


def test_a_signalling_nan_is_a_nan():
    patch, other = random_patch(1), random_patch(1)
    patch[0, 0, 0] = np.nan
    other.view(np.uint32)[0, 0, 0] = 0x7F800001
    assert fingerprint(bands(patch)) == fingerprint(bands(other))
