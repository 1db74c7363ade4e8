"""The interpreter convicts each mistake that is made on purpose, and none that is not."""

from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import rasterio
import yaml
from affine import Affine
from scene.simulated_scene import CONVENTIONS, SEED, SHARED, SIZES, interpret, judgements

from landslip.config.scene import Mistake
from landslip.io.files import InputError
from landslip.scene.interpreter import interpret_scene
from landslip.scene.settings import Check
from landslip.scene.verdicts import refuse, verdict
from landslip.simulation.products import simulate_scene, write_scene
from landslip.simulation.whole_scene import SceneImages

CONVICTED = {
    "offset": {"offset": "refused"},
    "flattened": {"radiometry": "warning"},
    "linear_as_db": {"unit": "refused"},
    "mixed_orbits": {"pairs": "refused"},
    "one_pair": {"looks": "warning"},
    "zeros": {"zeros": "refused"},
    "enlarged": {"spacing": "refused"},
    "nearest": {"resampling": "refused"},
    "degrees": {"anisotropy": "warning"},
    "season": {"season": "warning"},
}


def test_a_scene_without_mistakes_has_no_verdict_but_ok(made_scene: Path) -> None:
    found = interpret(made_scene)
    assert judgements(found) == {}
    # There is no bundle that the channels could be held against.
    assert [each.check for each in found.verdicts] == [
        c for c in get_args(Check) if c != "channels"
    ]
    refuse(found.verdicts, "scene.yaml")


# Water covers 90, 76, 22 and 4 in a hundred of these.
@pytest.mark.parametrize(
    ("seed", "rows", "columns"), [(9, 256, 256), (0, 96, 96), (2, 128, 320), (3, 200, 96)]
)
def test_no_scene_without_mistakes_is_convicted_whatever_its_ground_and_size(
    seed: int, rows: int, columns: int, tmp_path: Path
) -> None:
    simulate_scene(tmp_path, rows=rows, columns=columns, slides=6, cloud=0.1, seed=seed)
    assert judgements(interpret(tmp_path)) == {}


@pytest.mark.parametrize("mistake", get_args(Mistake))
def test_each_mistake_is_convicted_alone_and_with_a_number(
    scene_images: SceneImages, tmp_path: Path, mistake: Any
) -> None:
    if mistake == "flattened":
        simulate_scene(tmp_path, **SIZES, seed=SEED, mistake=mistake)
    else:
        write_scene(tmp_path, scene_images, seed=SEED, mistake=mistake)
    found = interpret(tmp_path)
    assert judgements(found) == CONVICTED[mistake]
    convicted = next(each for each in found.verdicts if each.judgement != "ok")
    assert convicted.number is not None
    assert convicted.limit and convicted.todo


def test_a_refusal_may_be_accepted_on_purpose(scene_images: SceneImages, tmp_path: Path) -> None:
    write_scene(tmp_path, scene_images, seed=SEED, mistake="zeros")
    with pytest.raises(InputError, match=r"zeros: refused.*nodata: 0"):
        refuse(interpret(tmp_path).verdicts, "scene.yaml")
    found = interpret(tmp_path, trust={"zeros": "a lake of the same value"})
    assert judgements(found) == {"zeros": "trusted"}
    assert "a lake of the same value" in found.verdicts[get_args(Check).index("zeros")].says
    refuse(found.verdicts, "scene.yaml")


def _radar(folder: Path) -> Any:
    return yaml.safe_load((folder / "scene.yaml").read_text())["radar"]


def _optical_bands(folder: Path, **changed: str) -> dict[str, Any]:
    names = {"red": "B04", "green": "B03", "blue": "B02", "nir": "B08", **changed}
    files = {name: next(folder.rglob(f"*20240619*_{band}_10m.jp2")) for name, band in names.items()}
    bands = {name: str(path.relative_to(folder)) for name, path in files.items()}
    classes = str(next(folder.rglob("*20240619*_SCL_20m.jp2")).relative_to(folder))
    told = {"scale": 1e-4, "offset": -0.1, "nodata": 0, "date": "2024-06-19"}
    return {"bands": bands, "scl": classes, **told}


@pytest.mark.parametrize("swapped", [{"red": "B08", "nir": "B04"}, {"red": "B02", "blue": "B04"}])
def test_swapped_bands_are_seen(scene_copy: Path, swapped: dict[str, str]) -> None:
    assert judgements(interpret(scene_copy, optical=_optical_bands(scene_copy))) == {}
    found = interpret(scene_copy, optical=_optical_bands(scene_copy, **swapped))
    assert judgements(found)["bands"] == "refused"


def test_bands_without_scale_or_offset_are_refused_with_what_dark_pixels_say(
    scene_copy: Path,
) -> None:
    optical = _optical_bands(scene_copy)
    del optical["scale"], optical["offset"]
    verdict = interpret(scene_copy, optical=optical).verdicts[0]
    assert verdict.judgement == "refused"
    assert "dark pixels suggest offset: -0.1" in verdict.line


@pytest.mark.parametrize(
    ("declared", "convert", "says"),
    [
        ("power", lambda power: 10 * np.log10(power), "says power, but some values are negative"),
        ("amplitude", lambda power: power, "says amplitude, but the values look like power"),
        ("power", np.sqrt, "says power, but the values look like amplitude"),
    ],
)
def test_a_unit_that_the_values_contradict_is_refused(
    scene_copy: Path, declared: str, convert: Any, says: str
) -> None:
    radar = _radar(scene_copy)
    for sides in radar.values():
        for look in [*sides["before"], *sides["after"]]:
            look["unit"] = declared
    for path in (scene_copy / "radar").glob("*.tif"):
        with rasterio.open(path, "r+") as file:
            values = file.read()
            there = values > 0
            values[there] = convert(values[there])
            file.write(values)
    verdict = next(
        each for each in interpret(scene_copy, radar=radar).verdicts if each.check == "unit"
    )
    assert verdict.judgement == "refused" and says in verdict.says
    assert verdict.number is not None and verdict.todo


def test_before_and_after_exchanged_are_seen(scene_copy: Path) -> None:
    radar = _radar(scene_copy)
    for sides in radar.values():
        sides["before"], sides["after"] = sides["after"], sides["before"]
    found = interpret(scene_copy, radar=radar)
    verdict = next(each for each in found.verdicts if each.check == "dates")
    assert verdict.judgement == "refused" and "exchanged" in verdict.says


def test_orbits_exchanged_are_seen(scene_copy: Path) -> None:
    radar = _radar(scene_copy)
    radar["ascending"], radar["descending"] = radar["descending"], radar["ascending"]
    assert judgements(interpret(scene_copy, radar=radar))["orbit"] == "refused"


def test_an_image_on_both_sides_is_refused(scene_copy: Path) -> None:
    radar = _radar(scene_copy)
    radar["ascending"]["after"] = radar["ascending"]["before"][-1:]
    assert judgements(interpret(scene_copy, radar=radar))["pairs"] == "refused"


def test_a_declared_gamma0_is_refused_by_a_bundle_of_sigma0(scene_copy: Path) -> None:
    radar = _radar(scene_copy)
    for sides in radar.values():
        for look in [*sides["before"], *sides["after"]]:
            look["radiometry"] = "gamma0"
    assert judgements(interpret(scene_copy, radar=radar)) == {"radiometry": "refused"}


def test_a_missing_sensor_is_a_warning(scene_copy: Path) -> None:
    assert judgements(interpret(scene_copy, optical=None))["missing"] == "warning"
    radar = _radar(scene_copy)
    del radar["ascending"]
    found = interpret(scene_copy, radar=radar)
    assert judgements(found)["missing"] == "warning"


def test_radar_of_another_place_is_refused(scene_copy: Path) -> None:
    for path in (scene_copy / "radar").glob("*ascending.tif"):
        with rasterio.open(path, "r+") as file:
            file.transform = Affine.translation(50_000, 0) @ file.transform
    assert judgements(interpret(scene_copy))["overlap"] == "refused"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared real material is not here")
@pytest.mark.parametrize(
    ("chip", "offset"), [("282D_485L_3_3", 0.0), ("38D_378R_2_3", 0.0), ("433D_629L_3_1", -0.1)]
)
def test_dark_pixels_of_real_chips_tell_the_offset(
    tmp_path: Path, chip: str, offset: float
) -> None:
    path = SHARED / "chips" / "S2L2A" / f"{chip}.tif"
    bands = {name: {"file": str(path), "band": band} for name, band in
             {"red": 4, "green": 3, "blue": 2, "nir": 8}.items()}  # fmt: skip
    scene = tmp_path / "scene.yaml"
    for said, judgement in ((offset, "ok"), (-0.1 - offset, "refused")):
        optical = {"bands": bands, "scale": 1e-4, "offset": said}
        scene.write_text(yaml.safe_dump({"name": "x", "event": "2024-01-01", "optical": optical}))
        assert interpret_scene(scene, CONVENTIONS).verdicts[0].judgement == judgement


def _linear(folder: Path, decibels: Any, kind: str, said: str) -> str:
    """What the check of the unit says of an image that is power or amplitude and called so."""
    factor = {"power": 10, "amplitude": 20}[kind]
    with rasterio.open(
        folder / "look.tif", "w", driver="GTiff", count=2, dtype="float32", nodata=0,
        height=decibels.shape[1], width=decibels.shape[2], crs="EPSG:32633",
        transform=Affine(10, 0, 4e5, 0, -10, 5.2e6),
    ) as file:  # fmt: skip
        file.write((10 ** (decibels / factor)).astype("float32"))
    vv, vh = ({"file": "look.tif", "band": band} for band in (1, 2))
    looks = [{"vv": vv, "vh": vh, "unit": said, "date": "2024-01-01"}]
    radar = {"descending": {"before": looks, "after": looks}}
    scene = folder / "scene.yaml"
    scene.write_text(yaml.safe_dump({"name": "x", "event": "2024-01-01", "radar": radar}))
    found = interpret_scene(scene, CONVENTIONS).verdicts
    return next(each.judgement for each in found if each.check == "unit")


def _units(folder: Path, decibels: Any) -> dict[tuple[str, str], str]:
    """(kind, said) -> judgement."""
    kinds = ("power", "amplitude")
    return {(k, s): _linear(folder, decibels, k, s) for k in kinds for s in kinds}


UNITS = {
    ("power", "power"): "ok", ("power", "amplitude"): "refused",
    ("amplitude", "power"): "refused", ("amplitude", "amplitude"): "ok",
}  # fmt: skip


def test_power_and_amplitude_are_told_apart_in_mountains_and_beside_water(
    scene_images: SceneImages, tmp_path: Path
) -> None:
    after = scene_images.radar["descending"][1]
    assert _units(tmp_path, after) == UNITS
    # Six parts in ten of open water convict nobody, though its VH lies below -27 dB.
    after = after.copy()
    lake = after[:, : round(0.6 * after.shape[1])]
    lake -= lake.mean(axis=(1, 2), keepdims=True) + np.array([[[22]], [[33]]], "float32")
    assert np.median(after[1]) < -27
    found = _units(tmp_path, after)
    assert found["power", "power"] == found["amplitude", "amplitude"] == "ok"


def test_a_unit_that_nobody_says_is_told_where_the_middle_of_the_scene_has_no_data(
    tmp_path: Path,
) -> None:
    decibels = np.zeros((2, 1600, 1600), np.float32)  # 0: no data
    noise = np.random.default_rng(0).normal(size=(2, 400, 400))
    decibels[:, :400, :400] = noise + np.array([[[-10]], [[-16]]])
    with rasterio.open(
        tmp_path / "look.tif", "w", driver="GTiff", count=2, dtype="float32", nodata=0,
        height=1600, width=1600, crs="EPSG:32633", transform=Affine(10, 0, 4e5, 0, -10, 5.2e6),
    ) as file:  # fmt: skip
        file.write(decibels)
    looks = [{"file": "look.tif", "date": "2024-01-01"}]
    radar = {"descending": {"before": looks, "after": looks}}
    scene = tmp_path / "scene.yaml"
    scene.write_text(yaml.safe_dump({"name": "x", "event": "2024-01-01", "radar": radar}))
    (unit,) = (
        each for each in interpret_scene(scene, CONVENTIONS).verdicts if each.check == "unit"
    )
    assert (unit.judgement, unit.says) == ("ok", "values are db")


def test_a_number_that_is_none_stands_in_no_verdict() -> None:
    """JSON has no NaN: a scene whose first image has no data ended with a traceback."""
    assert verdict("unit", "values are db", number=float("nan")).number is None


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared real material is not here")
@pytest.mark.parametrize(
    "name",
    ["chips/S1RTC/38D_378R_2_3", "chips/S1RTC/433D_629L_3_1", "Spain_7370579_S1Hand"],
)
def test_power_and_amplitude_of_real_images_are_told_apart(tmp_path: Path, name: str) -> None:
    with rasterio.open(SHARED / f"{name}.tif") as file:
        assert _units(tmp_path, file.read()) == UNITS


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared real material is not here")
def test_a_real_image_half_of_which_is_dark_is_not_convicted_of_what_it_is_not(
    tmp_path: Path,
) -> None:
    with rasterio.open(SHARED / "chips" / "S1RTC" / "282D_485L_3_3.tif") as file:
        found = _units(tmp_path, file.read())
    assert found["power", "power"] == found["amplitude", "amplitude"] == "ok"
    assert found["power", "amplitude"] == "refused"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared real material is not here")
def test_a_real_ground_range_image_is_refused_with_advice(tmp_path: Path) -> None:
    scene = tmp_path / "scene.yaml"
    looks = [str(SHARED / "grd" / "iw-vv.tiff")]
    radar = {"descending": {"before": looks, "after": looks}}
    scene.write_text(yaml.safe_dump({"name": "x", "event": "2024-01-01", "radar": radar}))
    with pytest.raises(InputError, match="210 ground control points"):
        interpret_scene(scene, CONVENTIONS)
