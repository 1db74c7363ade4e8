"""The mean of predictions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from landslip.ensemble.average import average

probabilities = arrays(np.float64, array_shapes(min_dims=2, max_dims=2), elements=st.floats(0, 1))


@given(probabilities)
def test_an_average_lies_between_its_members(members: np.ndarray) -> None:
    mean = average(members)
    assert (mean >= members.min(axis=0)).all()
    assert (mean <= members.max(axis=0)).all()
    np.testing.assert_allclose(mean, [sum(column) / len(members) for column in members.T])


@given(probabilities, st.integers(1, 7))
def test_members_that_agree_are_their_own_average(members: np.ndarray, times: int) -> None:
    repeated = np.repeat(members[:1], times, axis=0)
    np.testing.assert_array_equal(average(repeated), members[0])
