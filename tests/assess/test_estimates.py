"""Accuracy and area from a stratified sample: the papers' examples, and known populations."""

import numpy as np
import pytest

from landslip.assess.estimates import Design, exact_interval, measure_accuracy

# Olofsson et al. (2014), section 5: pixels of 30 m mapped as each class, and the error matrix of
# sample counts (rows: map; columns: reference).
CLASSES = ["deforestation", "gain", "forest", "other"]
MAPPED = [200_000, 150_000, 3_200_000, 6_450_000]
COUNTS = [[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]]
HECTARES = 0.09


@pytest.fixture(scope="module")
def olofsson():
    mapped, reference = (
        np.repeat(np.array(CLASSES)[axis.ravel()], np.ravel(COUNTS)) for axis in np.indices((4, 4))
    )
    design = Design(stratum=mapped, population=dict(zip(CLASSES, MAPPED, strict=True)))
    return measure_accuracy(design, mapped, reference, np.ones(len(mapped)), CLASSES)


@pytest.mark.parametrize(
    ("name", "users", "producers", "hectares"),
    [
        ("deforestation", (0.88, 0.07), (0.75, 0.21), (21_158, 6_158)),
        # Printed 0.23 and, in the last row, 0.01; the paper's equation 7 gives 0.25 and 0.02.
        ("gain", (0.73, 0.10), (0.85, 0.25), (11_686, 3_756)),
        ("forest", (0.93, 0.04), (0.93, 0.03), (285_770, 15_510)),
        ("other", (0.96, 0.02), (0.96, 0.02), (581_386, 16_282)),
    ],
)
def test_the_example_of_olofsson_2014_comes_out_as_published(
    olofsson, name, users, producers, hectares
):
    found = olofsson.classes[name]
    for estimate, (value, half) in ((found.users, users), (found.producers, producers)):
        assert estimate.value == pytest.approx(value, abs=0.005)
        assert 1.96 * estimate.error == pytest.approx(half, abs=0.005)
    area = found.share.times(sum(MAPPED) * HECTARES)
    assert area.value == pytest.approx(hectares[0], abs=0.5)
    # The paper takes strata for infinite.
    assert 1.96 * area.error == pytest.approx(hectares[1], abs=1.5)


def test_the_overall_accuracy_of_that_example_too(olofsson):
    assert round(olofsson.overall.value, 2) == 0.95
    assert round(1.96 * olofsson.overall.error, 2) == 0.02


# Stehman (2014), table 2: ten units of each of four strata; the map's class and the true one.
STRATA = np.repeat(list("ABCD"), 10)
ON_MAP = np.array(list("AAAAAAABBBABBBBBBBBBBBCCCCCCBBDDDDDDDDDD"))
TRUE = np.array(list("AAAAACBABCABBBBBAABBCCCCCDDBBADDDDDDDCCB"))
UNITS = {"A": 40_000, "B": 30_000, "C": 20_000, "D": 10_000}


def test_the_example_of_stehman_2014_comes_out_as_published():
    said = measure_accuracy(
        Design(stratum=STRATA, population=UNITS), ON_MAP, TRUE, np.ones(40), list("ABCD")
    )
    published = {
        "area of A": (said.classes["A"].share, 0.35, 0.082),
        "area of C": (said.classes["C"].share, 0.20, 0.064),
        "overall": (said.overall, 0.63, 0.085),
        "user's of B": (said.classes["B"].users, 0.574, 0.125),
        # Printed 0.114, from totals that the paper rounds; its equations give 0.1165.
        "producer's of B": (said.classes["B"].producers, 0.794, 0.1165),
    }
    for name, (found, value, error) in published.items():
        assert found.value == pytest.approx(value, abs=5e-4), name
        assert found.error == pytest.approx(error, abs=5e-4), name


def simulated_population(rng):
    """Cells in three strata, of unequal size at the edge, in two units; a map that errs."""
    stratum = np.repeat(["zone", "near", "far"], [300, 500, 1700])
    chance = np.repeat([0.6, 0.15, 0.05], [300, 500, 1700])
    return {
        "stratum": stratum,
        "mapped": stratum == "zone",
        "true": rng.random(2500) < chance,
        "area": rng.choice([0.1, 0.06], 2500, p=[0.9, 0.1]),
        "north": rng.random(2500) < 0.4,
    }


def test_over_many_samples_estimates_hit_the_truth_and_intervals_cover_it():
    rng = np.random.default_rng(11)
    cells = simulated_population(rng)
    names, counts = ("zone", "near", "far"), {"zone": 60, "near": 80, "far": 200}
    places = {name: np.flatnonzero(cells["stratum"] == name) for name in names}
    true, mapped, area = cells["true"], cells["mapped"], cells["area"]
    north = cells["north"]
    truth = {
        "users": area[true & mapped].sum() / area[mapped].sum(),
        "producers": area[true & mapped].sum() / area[true].sum(),
        "share": area[true].sum() / area.sum(),
        "north": area[true & north].sum() / area[north].sum(),
    }
    found = {name: [] for name in truth}
    for _ in range(400):
        drawn = np.concatenate(
            [rng.choice(places[name], counts[name], replace=False) for name in names]
        )
        design = Design(
            stratum=cells["stratum"][drawn],
            population={name: len(places[name]) for name in names},
        )
        given = (design, mapped[drawn], true[drawn], area[drawn], [True, False])
        whole = measure_accuracy(*given).classes[True]
        found["users"].append(whole.users)
        found["producers"].append(whole.producers)
        found["share"].append(whole.share)
        found["north"].append(measure_accuracy(*given, inside=north[drawn]).classes[True].share)
    for name, estimates in found.items():
        values = np.array([each.value for each in estimates])
        assert values.mean() == pytest.approx(truth[name], rel=0.02), name
        covered = np.mean([each.low <= truth[name] <= each.high for each in estimates])
        assert 0.915 <= covered <= 0.985, (name, covered)
        errors = np.array([each.error for each in estimates])
        assert errors.mean() == pytest.approx(values.std(), rel=0.12), name


def test_a_sample_of_every_cell_leaves_no_doubt():
    rng = np.random.default_rng(2)
    cells = simulated_population(rng)
    design = Design(stratum=cells["stratum"], population={"zone": 300, "near": 500, "far": 1700})
    said = measure_accuracy(design, cells["mapped"], cells["true"], cells["area"], [True])
    share = said.classes[True].share
    assert share.error == 0
    assert share.low == share.value == share.high
    assert share.value == pytest.approx(cells["area"][cells["true"]].sum() / cells["area"].sum())


def test_nothing_is_said_of_a_class_that_the_sample_does_not_hold():
    design = Design(stratum=np.array(["a"] * 4), population={"a": 10})
    said = measure_accuracy(
        design, np.array([False] * 4), np.array([False] * 4), np.ones(4), [True, False]
    )
    assert said.classes[True].users is None
    assert said.classes[True].producers is None
    share = said.classes[True].share
    # Clopper and Pearson (1934): none of four.
    assert (share.value, share.low, share.high) == (0, 0, pytest.approx(0.6024, abs=1e-4))


def test_none_among_a_hundred_does_not_mean_none_at_all():
    # The rule of three: about 3 / n, one-sided at 95 %.
    low, high = exact_interval(0, 100, 5000, 0.90)
    assert (low, high) == (0, pytest.approx(0.0295, abs=5e-4))
    assert exact_interval(0, 100, 100, 0.90) == (0, 0)
