"""Channels in another order are refused by name, in memory and in files; odd patches are not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundle.test_bundle_drift import ask

from landslip.bundle.ensemble import Ensemble
from landslip.bundle.order import find_exchanged
from landslip.io.files import InputError
from landslip.scene.ask import conventions_of, predict_with
from landslip.scene.sample import Sample
from landslip.scene.verdicts import Verdict, apply_trust, refuse
from made_bundle import Made

NAMES = [
    "red", "green", "blue", "nir", "desc_vv", "desc_vh", "desc_diff_vv", "desc_diff_vh",
    "asc_vv", "asc_vh", "asc_diff_vv", "asc_diff_vh",
]  # fmt: skip
OPTICAL, RADAR = NAMES[:4], ["desc_vv", "desc_vh", "asc_vv", "asc_vh"]


def exchanging(*pairs: tuple[str, str]) -> list[int]:
    """An order of the channels in which some stand in each other's places."""
    order = list(range(len(NAMES)))
    for one, other in pairs:
        order[NAMES.index(one)], order[NAMES.index(other)] = NAMES.index(other), NAMES.index(one)
    return order


BACKWARDS = list(range(len(NAMES)))[::-1]
SHIFTED = [*range(1, len(NAMES)), 0]
RADAR_FIRST = [*range(4, 12), *range(4)]


@pytest.mark.parametrize(
    ("order", "patches", "named"),
    [
        (BACKWARDS, 70, ["red", "nir", "asc_diff_vh"]),
        (BACKWARDS, 1, ["red", "nir", "asc_diff_vh"]),
        (SHIFTED, 1, ["nir", "asc_diff_vh"]),
        (RADAR_FIRST, 1, ["red", "asc_vv"]),
        (exchanging(("blue", "desc_vv")), 1, ["blue", "desc_vv"]),
        (exchanging(("red", "nir")), 70, ["red", "nir"]),
        (exchanging(("desc_vv", "desc_vh"), ("asc_vv", "asc_vh")), 70, ["desc_vv", "asc_vh"]),
        (exchanging(("desc_vv", "desc_diff_vv")), 70, ["desc_vv", "desc_diff_vv"]),
    ],
)
def test_channels_in_another_order_are_refused_by_name(
    order: list[int], patches: int, named: list[str], ensemble: Ensemble, made: Made
):
    turned = made.arrays()[:patches, order]
    for given in (None, NAMES):
        with pytest.raises(InputError) as refused:
            ensemble.predict(turned, given, budget="fast")
        said = str(refused.value)
        assert "hold each other's values" in said and "The bundle reads red, green" in said
        assert all(name in said.split(" hold ")[0] for name in named)


def test_one_patch_in_another_order_beside_others_is_named_by_its_row(
    ensemble: Ensemble, made: Made
):
    patches = made.arrays()[:4]
    patches[2] = patches[2, ::-1].copy()
    with pytest.raises(InputError, match=r"^row 2: the channels red, green"):
        ensemble.predict(patches)


@pytest.mark.parametrize(
    ("order", "words"),
    [(BACKWARDS, "of 70 test patches: the channels red"), (exchanging(("red", "nir")), "")],
)
def test_files_are_refused_in_the_same_words(
    order: list[int], words: str, ensemble: Ensemble, made: Made, tmp_path: Path
):
    def turn(patch: np.ndarray, names: list[str]) -> None:
        patch[:] = patch[..., order].copy()

    with pytest.raises(InputError) as in_memory:
        ensemble.predict(made.arrays()[:, order])
    with pytest.raises(InputError) as in_files:
        ask(made, tmp_path, turn)
    assert words in str(in_files.value)
    assert str(in_memory.value).split(": ", 1)[1].split(" lies at ")[0] in str(in_files.value)
    assert not (tmp_path / "out").exists()


def change(patches: np.ndarray, names: list[str], by: Any) -> np.ndarray:
    """Copies whose channels of these names are other."""
    places = [NAMES.index(name) for name in names]
    found = patches.copy()
    found[:, places] = by(found[:, places])
    return found


def odd_patches(patches: np.ndarray) -> dict[str, np.ndarray]:
    """Right patches that are unlike the training's."""
    noise = np.random.default_rng(0).normal(size=patches.shape)
    levels = {"calm water": [1150, 1200, 1250, 1020, -24, -36, 0, 0, -22, -35, 0, 0],
              "wind before": [1250, 1200, 1150, 1050, -12, -30, -4, -2, -13, -29, 4, 2],
              "wind after": [1250, 1200, 1150, 1050, -12, -30, 4, 2, -13, -29, -4, -2],
              "snow": [9800, 9500, 9300, 8800, -14, -21, -3, -3, -13, -20, -3, -3],
              "sand": [3500, 4100, 4900, 5600, -17, -28, 0, 0, -18, -27, 0, 0],
              "town": [2500, 2600, 2700, 2900, 2, -5, 0, 0, 3, -4, 0, 0],
              "flood": [1900, 2000, 2100, 1700, -21, -29, -11, -9, -20, -28, -10, -9],
              "night": [1000, 1000, 1000, 1000, -10, -16, 0, 0, -10, -16, 0, 0]}  # fmt: skip
    spread = np.array([20, 20, 20, 20, 1, 1, 1, 1, 1, 1, 1, 1.0])[:, None, None]
    made = {
        name: np.array(level, float)[:, None, None] + spread * noise
        for name, level in levels.items()
    }
    return {
        "as they are": patches,
        "bright": change(patches, OPTICAL, lambda bands: 3 * bands),
        "without offset": change(patches, OPTICAL, lambda bands: bands - 1000),
        "offset twice": change(patches, OPTICAL, lambda bands: bands + 1000),
        "hazy": change(patches, OPTICAL, lambda bands: 0.3 * bands + 2500),
        "strong radar": change(patches, RADAR, lambda bands: bands + 12),
        "weak radar": change(patches, RADAR, lambda bands: bands - 12),
        "much change": change(patches, NAMES[6:8] + NAMES[10:], lambda bands: 4 * bands - 6),
        "one orbit": change(patches, NAMES[8:], lambda bands: bands * np.nan),
        **made,
    }


def test_right_patches_are_never_taken_for_another_order(ensemble: Ensemble, made: Made):
    bundle = (ensemble.record, ensemble.recipe)
    for name, patches in odd_patches(made.arrays()).items():
        pixels = patches.reshape(len(patches), len(NAMES), -1)[..., ::16].transpose(0, 2, 1)
        assert find_exchanged(pixels, *bundle) == [], name
        for start in range(0, len(pixels), 12):
            assert find_exchanged(pixels[start : start + 12], *bundle) == [], name


@pytest.mark.parametrize("patches", [70, 20])
def test_one_channel_of_another_unit_is_refused_in_memory_as_in_files_if_patches_are_enough(
    patches: int, ensemble: Ensemble, made: Made, tmp_path: Path
):
    """Of a few, such as of one lake, a channel may be odd."""
    arrays = change(made.arrays(), ["red"], lambda bands: bands * 1e-4)[:patches]

    def scale(patch: np.ndarray, names: list[str]) -> None:
        patch[..., names.index("red")] *= 1e-4

    if patches < 30:
        assert len(ensemble.predict(arrays, budget="fast")) == patches
        return
    words = r"channel red \(unit reflectance_1e4\).*multiply by 10\^4"
    with pytest.raises(InputError, match=words):
        ensemble.predict(arrays)
    with pytest.raises(InputError, match=words):
        ask(made, tmp_path, scale)


def test_tiles_of_water_and_of_towns_are_not_taken_for_another_unit(
    ensemble: Ensemble, made: Made, tmp_path: Path
):
    """All change is positive there, or all backscatter; a map must not end at a lake."""
    for name in ("wind after", "town", "snow"):
        patches = odd_patches(made.arrays())[name]
        assert not np.isnan(ensemble.predict(patches, budget="fast").probability).any()


def test_patches_in_memory_are_read_once_before_they_are_answered(
    ensemble: Ensemble, made: Made, monkeypatch: pytest.MonkeyPatch
):
    from landslip.bundle import prepare

    seen: list[int] = []

    def noting(patches: np.ndarray) -> np.ndarray:
        seen.append(patches.size)
        return patches.astype(np.float32)

    monkeypatch.setattr(prepare, "as_float32", noting)
    prepared = prepare.from_array(made.arrays(), NAMES, ensemble.recipe, 0.5)
    assert sum(seen) == made.arrays().size
    assert len(prepared) == len(made.ids)
    assert prepared.seen.sample.shape[0] == len(made.ids)


def judge(ensemble: Ensemble, patches: np.ndarray) -> Verdict:
    """What the interpreter says of a scene whose sample is these patches."""
    check = conventions_of(ensemble).check_channels
    assert check is not None
    return check(Sample(channels=patches, classes=None, names=NAMES, raw={}))


@pytest.mark.parametrize(
    ("order", "limit"),
    [
        (BACKWARDS, "share of the patches"),
        (exchanging(("blue", "desc_vv")), "share of the patches"),
        (exchanging(("red", "nir")), "distance from the training's"),
    ],
)
def test_a_scene_with_channels_in_another_order_is_refused_with_a_number_unless_trusted(
    order: list[int], limit: str, ensemble: Ensemble, made: Made
):
    found = judge(ensemble, made.arrays()[:, order])
    assert (found.check, found.judgement) == ("channels", "refused")
    assert "hold each other's values" in found.says
    assert limit in found.limit and found.todo
    assert found.number is not None and found.number > float(found.limit.split("up to ")[1])
    with pytest.raises(InputError, match=r"trust: \{CHECK: reason\} with channels"):
        refuse([found], "scene.yaml")
    refuse(apply_trust([found], {"channels": "another continent"}), "scene.yaml")


def test_one_odd_patch_convicts_no_scene_and_hides_none(ensemble: Ensemble, made: Made):
    patches = made.arrays()
    assert (judge(ensemble, patches).judgement, judge(ensemble, patches).number) == ("ok", 0)
    turned = patches[:, exchanging(("red", "nir"))]
    for of in (patches, turned):
        of[2] = patches[2, ::-1].copy()
    assert judge(ensemble, patches).judgement == "ok"
    assert judge(ensemble, patches).number == pytest.approx(1 / 70)
    assert judge(ensemble, turned).judgement == "refused"
    optics_missing = patches.copy()
    optics_missing[:, :4] = np.nan
    assert judge(ensemble, optics_missing).judgement == "ok"


def test_a_scene_that_gives_a_bundle_nothing_to_judge_is_not_convicted(ensemble: Ensemble):
    check = conventions_of(ensemble).check_channels
    assert check is not None
    for names, size in ((["elevation"], 64), (NAMES, 8)):
        zeros = np.zeros((1, len(names), size, size), np.float32)
        found = check(Sample(channels=zeros, classes=None, names=names, raw={}))
        assert found.judgement == "skipped"


def test_a_tile_of_a_scene_that_was_judged_is_answered_whatever_it_holds(
    ensemble: Ensemble, made: Made
):
    patches = made.arrays()[:4, BACKWARDS]
    with pytest.raises(InputError):
        ensemble.predict(patches, budget="fast")
    found = predict_with(ensemble, budget="fast")(patches, NAMES)
    assert len(found.probability) == 4
