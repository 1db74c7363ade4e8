"""Windows without a landslide are drawn with known probabilities, harder ones more often."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landslip.inventory.negatives import (
    HARD,
    Negatives,
    draw_negatives,
    hard_stratum,
    window_measures,
)
from landslip.io.files import InputError

NAMES = np.array([*HARD, "other"])
CHANNELS = ["red", "green", "blue", "nir", "desc_vv", "asc_vv"]
PLANTS = {"red": 400, "green": 600, "blue": 300, "nir": 3500, "desc_vv": -10, "asc_vv": -11}


@st.composite
def land(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, Negatives, int]:
    """Strata and distances of windows, a design, and how many windows are positive."""
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    n = draw(st.integers(5, 200))
    share = draw(st.booleans())
    design = Negatives(
        share=draw(st.floats(0.01, 1)) if share else None,
        per_positive=None if share else draw(st.floats(0.1, 20)),
        min_distance=500,
        hard=draw(st.floats(0, 1)),
    )
    distance = rng.uniform(0, 3000, n)
    distance[0] = 1000
    return rng.choice(NAMES, n), distance, design, draw(st.integers(0, 40))


@given(land())
def test_windows_are_drawn_once_from_where_they_may_be_with_the_share_of_their_stratum(case):
    stratum, distance, design, positives = case
    draw = draw_negatives(stratum, distance, positives, design, np.random.default_rng(0))
    assert len(set(draw.chosen.tolist())) == len(draw.chosen) == len(draw.inclusion)
    assert (distance[draw.chosen] >= 500).all()
    may = distance >= 500
    for name in np.unique(stratum[may]):
        drawn = stratum[draw.chosen] == name
        assert drawn.any()
        share = drawn.sum() / (may & (stratum == name)).sum()
        assert draw.inclusion[drawn] == pytest.approx(share)
    wanted = design.share * may.sum() if design.share else design.per_positive * positives
    strata = len(np.unique(stratum[may]))
    assert len(draw.chosen) == max(min(round(wanted), may.sum()), strata)


def test_the_weights_of_a_draw_estimate_the_whole_without_bias():
    rng = np.random.default_rng(1)
    stratum = rng.choice(NAMES, 400, p=[0.02, 0.1, 0.2, 0.68])
    value = rng.gamma(2, 1 + 5 * (stratum != "other"))
    design = Negatives(per_positive=3, hard=0.5)
    estimates, plain = [], []
    for _ in range(3000):
        draw = draw_negatives(stratum, np.full(400, np.inf), 20, design, rng)
        estimates.append((value[draw.chosen] / draw.inclusion).sum())
        plain.append(value[draw.chosen].mean() * 400)
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert abs(np.mean(estimates) - value.sum()) < 4 * error
    # Without weights the hard ones count too much.
    assert np.mean(plain) > value.sum() + 40 * error


def test_the_share_of_hard_windows_is_the_designs_as_far_as_there_are_such():
    stratum = np.repeat(NAMES, [5, 300, 300, 900])
    everywhere = np.full(len(stratum), np.inf)
    design = Negatives(per_positive=5, hard=0.3)
    draw = draw_negatives(stratum, everywhere, 100, design, np.random.default_rng(0))
    names, counts = np.unique(stratum[draw.chosen], return_counts=True)
    assert dict(zip(names, counts, strict=True)) == {
        "river": 5, "bare": 73, "steep": 72, "other": 350
    }  # fmt: skip
    few = np.repeat(NAMES, [0, 3, 0, 900])
    draw = draw_negatives(few, np.full(903, np.inf), 100, design, np.random.default_rng(0))
    assert len(draw.chosen) == 500 and (few[draw.chosen] == "bare").sum() == 3
    only = np.repeat(NAMES, [0, 600, 0, 10])
    draw = draw_negatives(only, np.full(610, np.inf), 100, design, np.random.default_rng(0))
    assert len(draw.chosen) == 500 and (only[draw.chosen] == "other").sum() == 10


def test_the_same_seed_draws_the_same_windows():
    stratum = np.repeat(NAMES, 50)
    draws = [
        draw_negatives(
            stratum, np.full(200, np.inf), 9, Negatives(share=0.2), np.random.default_rng(seed)
        ).chosen.tolist()
        for seed in (7, 7, 8)
    ]
    assert draws[0] == draws[1] != draws[2]


def test_a_design_that_leaves_no_window_is_refused():
    with pytest.raises(InputError, match=r"none of 2 windows.*500 m.*min_distance lower"):
        draw_negatives(
            ["other", "bare"], [0, 400], 3, Negatives(share=1, min_distance=500),
            np.random.default_rng(0),
        )  # fmt: skip
    for wrong in ({}, {"share": 0.1, "per_positive": 2}):
        with pytest.raises(ValueError, match="one of share and per_positive"):
            Negatives(**wrong)


def window(channels: list[str] = CHANNELS, **values: float) -> np.ndarray:
    """One window (1, channel, 8, 8) of forest, or of what `values` say."""
    said = {**PLANTS, **values}
    rows = [said[name] + (1000 if said[name] > 0 else 0) for name in channels]
    return np.tile(np.array(rows, np.float32)[None, :, None, None], (1, 1, 8, 8))


def stratum_of(pixels: np.ndarray, channels: list[str] = CHANNELS) -> str:
    return str(hard_stratum(window_measures(pixels, channels, 1000), len(pixels))[0])


def test_steep_bare_and_river_windows_are_told_by_the_channels_that_are_there():
    assert stratum_of(window()) == "other"
    bare = window(red=2000, nir=2500)
    assert stratum_of(bare) == "bare"
    lake = window(red=150, green=300, nir=60)
    assert stratum_of(lake) == "other"
    river = bare.copy()
    river[..., :2] = lake[..., :2]
    assert stratum_of(river) == "river"
    shore = window()
    shore[..., :2] = lake[..., :2]  # a lake in a forest has no bed of gravel
    assert stratum_of(shore) == "other"
    assert stratum_of(window(asc_vv=-3)) == "steep"


def test_without_optics_or_one_orbit_what_is_left_tells():
    one = ["desc_vv"]
    rough = window(one)
    rough[..., ::2, :] += 12
    assert stratum_of(rough, one) == "steep" and stratum_of(window(one), one) == "other"
    wet = window(one)
    wet[..., :2] = -24
    assert stratum_of(wet, one) == "river"
    optics = ["red", "nir"]
    assert stratum_of(window(optics, red=2000, nir=2500), optics) == "bare"
    blue = ["blue"]
    assert stratum_of(window(blue), blue) == "other"


def test_pixels_without_data_tell_nothing():
    pixels = window(red=2000, nir=2500)
    pixels[..., :6, :] = np.nan
    assert stratum_of(pixels) == "bare"
    pixels[:] = np.nan
    measures = window_measures(pixels, CHANNELS, 1000)
    assert all(np.isnan(values).all() for values in measures.values())
    assert stratum_of(pixels) == "other"
