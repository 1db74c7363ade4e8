"""Indices are the paper's, and finite whatever the bands."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from landslip.data.channels import add_indices


def test_indices_are_normalised_differences_of_the_raw_bands() -> None:
    bands = np.random.default_rng(0).uniform(50, 5000, size=(3, 4, 8, 8)).astype(np.float32)
    pairs = [(3, 0), (3, 1), (2, 1)]
    found = add_indices(bands, pairs)
    assert found.shape == (3, 7, 8, 8)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found[:, :4], bands)
    exact = bands.astype(np.float64)
    for number, (a, b) in enumerate(pairs, start=4):
        expected = (exact[:, a] - exact[:, b]) / (exact[:, a] + exact[:, b] + 1e-10)
        np.testing.assert_allclose(found[:, number], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (0.0, 0.0, 0.0),
        (-0.0, 0.0, 0.0),
        (100.0, -100.0, 1.0),
        (-100.0, 100.0, -1.0),
        (5.0, -4.0, 1.0),
        (300.0, 100.0, 0.5),
        (-5e-11, -5e-11, 0.0),
        (3e38, 3e38, 0.0),
        (3e38, -3e38, 1.0),
    ],
)
def test_index_where_its_sum_is_near_zero(a: float, b: float, expected: float) -> None:
    bands = np.array([a, b], np.float32).reshape(1, 2, 1, 1)
    assert add_indices(bands, [(0, 1)])[0, 2, 0, 0] == expected


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(
        np.float32,
        (1, 2, 3, 3),
        elements=st.one_of(
            st.floats(width=32, allow_nan=False, allow_infinity=False),
            st.floats(-np.float32(2e-10), np.float32(2e-10), width=32),
        ),
    )
)
def test_an_index_is_finite_and_within_minus_one_and_one(bands: NDArray[np.float32]) -> None:
    index = add_indices(bands, [(0, 1)])[:, 2]
    assert np.isfinite(index).all()
    assert np.abs(index).max() <= 1


def test_without_pairs_the_bands_stay_as_they_are() -> None:
    bands = np.ones((2, 3, 4, 4), np.float32)
    np.testing.assert_array_equal(add_indices(bands, []), bands)
