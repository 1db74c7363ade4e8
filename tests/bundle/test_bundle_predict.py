"""What a bundle answers for patches in memory."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import landslip
from landslip.bundle.ensemble import Ensemble
from landslip.data.channels import add_indices
from landslip.ensemble.average import average
from landslip.ensemble.rules import plain_mean
from landslip.features.names import STATISTICS, feature_columns
from landslip.features.statistics import patch_statistics
from landslip.io.files import InputError
from landslip.models.tree_files import load_trees
from landslip.scene.ask import predict_with
from made_bundle import FOLDS, MEMBERS, Made

SENSORS = ("optical", "descending", "ascending")


def sparing(ensemble: Ensemble, patches: np.ndarray) -> Ensemble:
    """The bundle; its trees leave half of these patches open, and one network half of those."""
    whole = ensemble.combination(SENSORS)
    assert whole is not None and ensemble.record["fast"] is not None
    said = ensemble.predict(patches).members
    stages: list[Any] = []
    left = np.ones(len(patches), bool)
    for columns in (MEMBERS[:1], MEMBERS[:2]):
        rule = plain_mean(columns)
        probability = rule.apply(said[:, : len(columns)])
        low, high = np.quantile(probability[left], [1 / 4, 3 / 4]).tolist()
        combination = {**whole, "columns": columns, "rule": rule.to_json()}
        left &= (probability >= low) & (probability <= high)
        stages.append({"combination": combination, "low": low, "high": high, "open": left.mean()})
    cascade: Any = {**(ensemble.record["cascade"] or {}), "stages": stages}
    return replace(ensemble, record={**ensemble.record, "cascade": cascade})


def test_importing_landslip_imports_nothing_and_opening_a_bundle_no_torch(made: Made):
    program = (
        "import sys, landslip\n"
        "assert not {'torch', 'numpy', 'pandas'} & set(sys.modules), 'import'\n"
        f"ensemble = landslip.load({str(made.bundle)!r})\n"
        "assert not {'torch', 'timm', 'lightgbm'} & set(sys.modules), 'load'\n"
        "assert ensemble.channels[0].unit == 'reflectance_1e4'\n"
        "assert ensemble.conventions['reflectance_offset'] == 1000\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_trees_answer_what_their_files_say_of_statistics_computed_apart(
    ensemble: Ensemble, made: Made
):
    patches = made.arrays()[:5]
    names = list(made.config.channels)
    pairs = [(names.index(a), names.index(b)) for a, b in made.config.indices.values()]
    images = add_indices(patches.astype(np.float32), pairs)
    features = patch_statistics(images).reshape(5, -1)
    folds = [load_trees(made.sources.models["lightgbm"][fold]) for fold in range(FOLDS)]
    columns = feature_columns(made.config.channel_names, STATISTICS)
    own = features[:, [columns.index(name) for name in folds[0].columns]]
    expected = average(np.stack([fold.predict(own) for fold in folds]))
    answer = ensemble.predict(patches)
    assert (answer.members[:, answer.member_names.index("lightgbm")] == expected).all()


def test_the_mean_of_all_members_is_the_probability_and_above_the_threshold_a_landslide(
    ensemble: Ensemble, made: Made
):
    answer = ensemble.predict(made.arrays(), threshold=0.4)
    assert (answer.probability == average(np.ascontiguousarray(answer.members.T))).all()
    assert (answer.landslide == (answer.probability > 0.4)).all()
    assert set(answer.sensors) == {"+".join(SENSORS)}
    assert 0 < answer.landslide.sum() < len(answer)


def test_the_order_of_named_channels_changes_nothing(ensemble: Ensemble, made: Made):
    patches, names = made.arrays()[:4], list(made.config.channels)
    order = np.random.default_rng(0).permutation(len(names))
    turned = ensemble.predict(patches[:, order], [names[place] for place in order])
    assert (turned.members == ensemble.predict(patches).members).all()


def test_channels_of_the_ensemble_stand_for_their_names(ensemble: Ensemble, made: Made):
    patches = made.arrays()[:4]
    optical = [channel for channel in ensemble.channels if channel.sensor == "optical"]
    for channels in (ensemble.channels, optical[::-1]):
        places = [ensemble.channels.index(channel) for channel in channels]
        named = ensemble.predict(patches[:, places], [channel.name for channel in channels])
        given = ensemble.predict(patches[:, places], channels=channels)
        assert np.array_equal(given.probability, named.probability)
        assert np.array_equal(given.members, named.members, equal_nan=True)


def test_patches_beside_a_patch_change_no_bit_of_its_answer(ensemble: Ensemble, made: Made):
    patches = made.arrays()
    together = ensemble.predict(patches)
    alone = ensemble.predict(patches[3:4])
    assert np.array_equal(alone.members, together.members[3:4])


@pytest.mark.parametrize(
    ("missing", "used", "members"),
    [
        ([], SENSORS, MEMBERS),
        (["descending"], ("optical", "ascending"), ["rgb_net", "any_net"]),
        (["descending", "ascending"], ("optical",), ["rgb_net", "any_net"]),
        (["optical"], ("descending", "ascending"), ["any_net"]),
        (["optical", "ascending"], ("descending",), ["any_net"]),
    ],
)
def test_members_that_need_a_missing_sensor_are_left_out(
    missing: list[str], used: tuple[str, ...], members: list[str], ensemble: Ensemble, made: Made
):
    patches = made.arrays()[:3]
    gone = [i for i, channel in enumerate(ensemble.channels) if channel.sensor in missing]
    left = [channel.name for i, channel in enumerate(ensemble.channels) if i not in gone]
    absent = ensemble.predict(np.delete(patches, gone, axis=1), left)
    patches[:, gone] = np.nan
    empty = ensemble.predict(patches)
    for answer in (absent, empty):
        assert answer.sensors == ["+".join(used)] * 3
        there = ~np.isnan(answer.members).any(axis=0)
        assert [name for name, asked in zip(MEMBERS, there, strict=True) if asked] == members
        chosen = ensemble.combination(used)
        assert chosen is not None and (answer.threshold == chosen["threshold"]).all()
    assert (absent.probability == empty.probability).all()


def test_a_missing_sensor_is_not_looked_at(ensemble: Ensemble, made: Made):
    """One channel of an orbit is gone: what stands in its other channels does not count."""
    patches = made.arrays()[:3]
    names = list(made.config.channels)
    patches[:, names.index("desc_vh")] = np.nan
    before = ensemble.predict(patches).probability
    patches[:, names.index("desc_vv")] += 7
    assert (ensemble.predict(patches).probability == before).all()


def test_patches_without_any_data_get_no_answer_beside_others_that_do(
    ensemble: Ensemble, made: Made
):
    patches = made.arrays()[:4]
    expected = ensemble.predict(patches[[0, 3]]).members
    patches[1] = np.nan
    patches[2] = 0  # zeros of every sensor, no change
    answer = ensemble.predict(patches)
    assert np.isnan(answer.probability[1:3]).all() and np.isnan(answer.landslide[1:3]).all()
    assert answer.sensors[1:3] == ["", ""]
    assert np.allclose(answer.members[[0, 3]], expected, atol=1e-6)
    frame = answer.frame(["a", "b", "c", "d"])
    assert frame["landslide"].isna().tolist() == [False, True, True, False]


def test_holes_are_filled_with_the_median_of_the_other_pixels(ensemble: Ensemble, made: Made):
    patches = made.arrays()[:2]
    patches[:, 0, :4, :4] = np.nan
    filled = patches.copy()
    for patch in filled:
        patch[0, :4, :4] = np.median(patch[0][np.isfinite(patch[0])].astype(np.float32))
    assert np.allclose(ensemble.predict(patches).members, ensemble.predict(filled).members)


def test_a_sensor_of_which_most_pixels_are_missing_is_missing(ensemble: Ensemble, made: Made):
    patches = made.arrays()[:1]
    patches[:, 0, :20] = np.nan  # 20 of 32 rows
    assert ensemble.predict(patches).sensors == ["descending+ascending"]
    assert ensemble.predict(patches, least_data=0.3).sensors == ["+".join(SENSORS)]


def test_no_patches_get_no_answers(ensemble: Ensemble, made: Made):
    assert len(ensemble.predict(made.arrays()[:0])) == 0


@pytest.mark.parametrize(
    ("change", "channels", "words"),
    [
        (lambda p: p.transpose(0, 2, 3, 1), None, "the channels come last"),
        (lambda p: p[:, :, :16], None, "have the shape"),
        (lambda p: p[0], None, "expected (n, 12, 32, 32)"),
        (lambda p: p[:, :5], None, "have the shape (2, 5, 32, 32)"),
        (lambda p: p.astype(complex), None, "dtype complex128"),
        (lambda p: p.astype(str), None, "expected integers or floats"),
        (lambda p: p.astype(object), None, "dtype object"),
        (lambda p: p > 0, None, "dtype bool"),
        (lambda p: p.tolist(), None, "must be a NumPy array"),
        (lambda p: p[:, :1], ["rde"], "did you mean 'red'?"),
        (lambda p: p[:, :2], ["red", "red"], "named twice"),
        (lambda p: p[:, :1], "red", "a list of names"),
        (lambda p: p, 12, "a list of names"),
        (lambda p: np.ma.masked_less(p, 0), None, "masked array"),
    ],
)
def test_what_are_no_patches_of_this_bundle_is_refused_in_words(
    change: Callable[[Any], Any], channels: Any, words: str, ensemble: Ensemble, made: Made
):
    with pytest.raises(InputError) as refused:
        ensemble.predict(change(made.arrays()[:2]), channels)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("sensor", "change", "words"),
    [
        ("optical", lambda bands: bands * 1e-4, "reflectance from 0 to 1: multiply by 10^4"),
        ("descending", lambda bands: 10 ** (bands / 10), "linear power or amplitude"),
        ("optical", lambda bands: bands * 1e4, "reflectance"),  # all far outside of it
    ],
)
def test_patches_of_another_unit_are_refused_with_the_unit_and_the_patch(
    sensor: str, change: Callable[[Any], Any], words: str, ensemble: Ensemble, made: Made
):
    patches = made.arrays()[:4]
    own = [i for i, each in enumerate(ensemble.channels) if each.sensor == sensor]
    others = [i for i, each in enumerate(ensemble.channels) if each.sensor == "ascending"]
    patches[2, own] = change(patches[2, own])
    if sensor == "descending":  # the other orbit's dB speak for the unit
        assert not np.isnan(ensemble.predict(patches).probability).any()
        patches[2, others] = change(patches[2, others])
    with pytest.raises(InputError) as refused:
        ensemble.predict(patches)
    assert words in str(refused.value) and "row 2: " in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"budget": "cheap"}, "expected fast, balanced, full"),
        ({"recall": 1.5}, "between 0 and 1"),
        ({"recall": 0.9, "precision": 0.9}, "name one"),
        ({"recall": 0.9, "threshold": 0.5}, "give a threshold, or an aim"),
        ({"threshold": 2.0}, "[0, 1]"),
        ({"recall": 0.999}, "can be promised from"),
        ({"recall": "0.9"}, "recall is a number"),
        ({"prevalence": True}, "prevalence is a number"),
        ({"threshold": float("nan")}, "[0, 1]"),
        ({"least_data": 50}, "least_data is a share"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    asked: dict[str, Any], words: str, ensemble: Ensemble, made: Made
):
    with pytest.raises(InputError) as refused:
        ensemble.predict(made.arrays()[:1], **asked)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("asked", "words"),
    [({"device": "tpu"}, "expected cpu, cuda"), ({"threads": 0}, "threads are 1 or more")],
)
def test_a_bundle_is_not_opened_for_what_cannot_compute(
    asked: dict[str, Any], words: str, made: Made
):
    with pytest.raises(InputError, match=words):
        landslip.load(made.bundle, **asked)


@pytest.mark.parametrize(
    ("sensors", "words"),
    [
        (["sar"], "unknown sensor 'sar'; there are optical, descending, ascending"),
        ("optical", "unknown sensor 'o'"),
        ([], "no member of this bundle answers for no sensor alone"),
    ],
)
def test_a_threshold_for_sensors_that_there_are_not_is_refused(
    sensors: Any, words: str, ensemble: Ensemble
):
    with pytest.raises(InputError, match=words):
        ensemble.threshold(recall=0.8, sensors=sensors)


def test_fast_asks_trees_alone_and_balanced_networks_in_turn_until_they_are_sure(
    ensemble: Ensemble, made: Made
):
    patches = made.arrays()
    assert np.isnan(ensemble.predict(patches, budget="fast").members[:, 1:]).all()
    bundle = sparing(ensemble, patches)
    balanced, full = bundle.predict(patches, budget="balanced"), ensemble.predict(patches)
    assert (balanced.landslide == (balanced.probability > balanced.threshold)).all()
    cascade: Any = bundle.record["cascade"]
    left = np.ones(len(patches), bool)
    for count, stage in enumerate(cascade["stages"], start=1):
        said = full.members[:, :count].mean(axis=1)
        sure = left & ((said < stage["low"]) | (said > stage["high"]))
        assert 0 < sure.sum() < left.sum()
        assert np.allclose(balanced.members[left, :count], full.members[left, :count], atol=1e-6)
        assert np.isnan(balanced.members[sure, count:]).all()
        assert (balanced.landslide[sure] == (said[sure] > stage["high"])).all()
        left &= ~sure
    assert ([route == "full" for route in balanced.route] == left).all()
    assert {*balanced.route} == {"full", "cheap"}
    assert not np.isnan(balanced.members[left]).any()
    assert (balanced.landslide[left] == full.landslide[left]).all()
    assert np.allclose(balanced.probability[left], full.probability[left], atol=1e-6)


def test_balanced_asks_networks_about_open_patches_of_all_blocks_together(
    ensemble: Ensemble, made: Made, monkeypatch: pytest.MonkeyPatch
):
    """A few at a time cost networks much more each."""
    patches = made.arrays()
    bundle = sparing(ensemble, patches)
    apart = bundle.predict(patches, budget="balanced")
    asked: list[int] = []
    scores = ensemble.members.scores

    def noting(columns: list[str], images: Any, sensors: Any) -> Any:
        asked.extend([len(images)] if "any_net" in columns else [])
        return scores(columns, images, sensors)

    monkeypatch.setattr(ensemble.members, "scores", noting)
    monkeypatch.setattr("landslip.bundle.answer._BLOCK", 20)
    together = bundle.predict(patches, budget="balanced")
    left = apart.route.count("full")
    assert left > 0 and len(patches) > 3 * 20
    assert asked == [20] * (left // 20) + [left % 20] * (left % 20 > 0)
    assert together.route == apart.route
    assert np.allclose(together.probability, apart.probability, atol=1e-6)


@pytest.mark.parametrize("missing", [None, "ascending"])
def test_balanced_asks_nobody_about_water_on_which_the_training_has_no_landslide(
    missing: str | None, ensemble: Ensemble, made: Made
):
    patches, names = made.arrays()[:6], list(made.config.channels)
    patches[0, names.index("nir")] = 1100 + np.arange(32)
    patches[0, names.index("green")] = 1300 + np.arange(32)
    if missing:
        gone = [i for i, channel in enumerate(ensemble.channels) if channel.sensor == missing]
        patches[:, gone] = np.nan
    water = {
        "green": "green", "nir": "nir", "dark": 1200.0, "patches": 60, "positives": 0,
        "skipped": True,
    }  # fmt: skip
    careful = replace(ensemble, record={**ensemble.record, "water": {**water, "skipped": False}})
    skipping = replace(ensemble, record={**ensemble.record, "water": water})
    usual = careful.predict(patches, budget="balanced")
    found = skipping.predict(patches, budget="balanced")
    assert found.route[0] == "water" and "water" not in [*found.route[1:], *usual.route]
    assert found.probability[0] == 0 and np.isnan(found.members[0]).all()
    assert found.route[1:] == usual.route[1:]
    assert np.allclose(found.probability[1:], usual.probability[1:], atol=1e-6)
    assert "water" not in skipping.predict(patches).route
    # A map asks in the same way.
    asked = predict_with(skipping, budget="balanced")
    assert np.isnan(asked(patches.astype(np.float32), names).members[0]).all()


def test_a_zip_answers_as_the_folder_does(ensemble: Ensemble, made: Made):
    patches = made.arrays()[:3]
    packed = landslip.load(made.folder / "bundle.zip", threads=1)
    assert packed.digest == ensemble.digest
    assert (packed.predict(patches).members == ensemble.predict(patches).members).all()
