"""What a scene file, names, metadata and values say against one another is never passed over."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
import yaml
from scene.simulated_scene import COLUMNS, edit_scene, interpret, judgements

from landslip.io.files import InputError
from landslip.scene.checks_scene import check_season
from landslip.scene.interpreter import Interpretation
from landslip.scene.layers import Layer, Layers, Look
from landslip.scene.reader import open_scene


def line_of(found: Interpretation, check: str) -> str:
    """A verdict as it stands in the log."""
    return next(each.line for each in found.verdicts if each.check == check)


def rewrite(path: Path, change: Any, **profile: Any) -> None:
    """Write a raster, its bands (band, row, column) changed, as a GeoTIFF beside it."""
    with rasterio.open(path) as file:
        bands, old = change(file.read()), file.profile
    with rasterio.open(
        path.with_suffix(".tif"), "w", **{**old, "driver": "GTiff", **profile}
    ) as to:
        to.write(bands.astype(to.dtypes[0]))


def optical_bands(folder: Path) -> dict[str, Any]:
    """The optics by their files, all that is to be known said."""
    names = {"red": "B04", "green": "B03", "blue": "B02", "nir": "B08"}
    files = {name: next(folder.rglob(f"*20240619*_{band}_10m.jp2")) for name, band in names.items()}
    bands = {name: str(path.relative_to(folder)) for name, path in files.items()}
    return {"bands": bands, "scale": 1e-4, "offset": -0.1, "nodata": 0, "date": "2024-06-19"}


def test_bands_of_several_offsets_are_refused(scene_copy: Path) -> None:
    path = next(scene_copy.rglob("*20240619*/MTD_MSIL2A.xml"))
    text = path.read_text()
    lines = [line for line in text.splitlines() if 'BOA_ADD_OFFSET band_id="3"' not in line]
    assert len(lines) == len(text.splitlines()) - 1
    path.write_text("\n".join(lines))
    line = line_of(interpret(scene_copy), "offset")
    assert "offset: refused" in line and "several scales or offsets" in line


@pytest.mark.parametrize(("scale", "offset"), [(1e-8, -1e-5), (1.0, -1000.0), (1e-2, -10.0)])
def test_a_scale_that_gives_no_reflectance_is_refused_with_or_without_dark_ground(
    scene_copy: Path, scale: float, offset: float
) -> None:
    optical = {**optical_bands(scene_copy), "scale": scale, "offset": offset}
    line = line_of(interpret(scene_copy, optical=optical), "offset")
    assert "offset: refused" in line and "does not give plausible reflectance" in line


def test_optics_without_a_day_are_a_warning(scene_copy: Path) -> None:
    optical = optical_bands(scene_copy)
    del optical["date"]
    found = interpret(scene_copy, optical=optical)
    assert judgements(found) == {"dates": "warning"}
    assert "1 images have no date" in line_of(found, "dates")


def test_fill_values_of_reflectance_are_refused_and_no_data(scene_copy: Path) -> None:
    optical = optical_bands(scene_copy)
    for name, file in optical["bands"].items():
        path = scene_copy / file

        def filled(bands: Any) -> Any:
            bands = bands.astype(np.int16)
            bands[:, 40:60, 40:60] = -9999
            return bands

        rewrite(path, filled, dtype="int16", nodata=None)
        optical["bands"][name] = str(Path(file).with_suffix(".tif"))
    found = interpret(scene_copy, optical=optical)
    assert judgements(found) == {"zeros": "refused"}
    with open_scene(found.reading) as reader:
        assert np.isnan(reader.read(40, 40, 20, 20).channels[:4]).all()


@pytest.fixture
def hyp3(scene_copy: Path) -> Path:
    """A scene whose radar has the names of HyP3's products."""
    path = scene_copy / "scene.yaml"
    text = path.read_text()
    for file in (scene_copy / "radar").glob("*.tif"):
        name = f"{file.stem.rsplit('_', 1)[0]}_DVP_RTC10_G_spuned_FD6A_VV.tif"
        file.rename(file.with_name(name))
        text = text.replace(file.name, name)
    path.write_text(text)
    return scene_copy


@pytest.mark.parametrize(
    ("key", "value", "check"),
    [
        ("unit", "db", "unit"),
        ("radiometry", "gamma0", "radiometry"),
        ("platform", "S1C", "pairs"),
        ("date", datetime.date(2024, 5, 1), "dates"),
    ],
)
def test_what_a_products_name_says_otherwise_is_refused_unless_trusted(
    hyp3: Path, key: str, value: Any, check: str
) -> None:
    assert judgements(interpret(hyp3)) == {}
    radar = yaml.safe_load((hyp3 / "scene.yaml").read_text())["radar"]
    looks = [look for sides in radar.values() for side in sides.values() for look in side]
    for look in looks if key == "platform" else looks[:1]:
        look[key] = value
    found = interpret(hyp3, radar=radar)
    assert judgements(found)[check] == "refused"
    if key in ("platform", "date"):
        assert f"the scene file says {key}: {value}, and the product's name " in line_of(
            found, check
        )
    trusted = interpret(hyp3, trust={check: "made of it"})
    assert judgements(trusted)[check] == "trusted"


def test_polarisations_exchanged_are_refused(scene_copy: Path) -> None:
    radar = yaml.safe_load((scene_copy / "scene.yaml").read_text())["radar"]
    look = radar["ascending"]["after"][0]
    file = look.pop("file")
    look |= {"vv": {"file": file, "band": 2}, "vh": {"file": file, "band": 1}}
    line = line_of(interpret(scene_copy, radar=radar), "unit")
    assert "unit: refused" in line and "VH is as bright as VV" in line


@pytest.mark.parametrize("names", [("VV", "angle"), ("HH", "HV"), ("VV", "VV_filtered")])
def test_bands_that_are_called_otherwise_are_not_taken_for_vv_and_vh(
    scene_copy: Path, names: tuple[str, str]
) -> None:
    path = next((scene_copy / "radar").glob("*ascending.tif"))
    with rasterio.open(path, "r+") as file:
        file.descriptions = names
    with pytest.raises(
        InputError, match=f"{path.name}: its bands are called {names[0]}.*say which"
    ):
        interpret(scene_copy)
    with rasterio.open(path, "r+") as file:
        file.descriptions = ("bands", "bands")
    interpret(scene_copy)


def test_sensors_that_share_no_ground_are_a_warning(scene_copy: Path) -> None:
    half = COLUMNS // 2
    for orbit, hidden in {"ascending": slice(half), "descending": slice(half, None)}.items():
        for path in (scene_copy / "radar").glob(f"*{orbit}.tif"):
            with rasterio.open(path, "r+") as file:
                bands = file.read()
                bands[..., hidden] = 0
                file.write(bands)
    found = interpret(scene_copy)
    assert judgements(found)["overlap"] == "warning"
    assert "ascending and descending share no ground" in line_of(found, "overlap")


@pytest.mark.parametrize(
    ("before", "after", "judgement"),
    [
        (["2023-12-20", "2024-01-10"], ["2024-01-20"], "ok"),
        (["2023-12-20", "2024-01-10"], ["2024-06-20"], "warning"),
        (["2023-11-20"], ["2024-02-20"], "warning"),
    ],
)
def test_the_middle_of_days_about_new_year_is_not_in_summer(
    before: list[str], after: list[str], judgement: str
) -> None:
    layer = Layer(file="x.tif", unit="db")
    sides = {
        side: [Look(vv=layer, vh=layer, time=day) for day in days]
        for side, days in {"before": before, "after": after}.items()
    }
    layers = Layers(name="x", event=after[0], radar={"ascending": sides})
    assert check_season(layers).judgement == judgement


def test_two_values_without_data_cannot_be_brought_to_another_grid(scene_copy: Path) -> None:
    path = next((scene_copy / "radar").glob("*ascending.tif"))
    with rasterio.open(path, "r+") as file:
        file.transform = file.transform @ rasterio.Affine.translation(0.5, 0.5)
        file.nodata = -1
    radar = yaml.safe_load((scene_copy / "scene.yaml").read_text())["radar"]
    for look in [*radar["ascending"]["before"], *radar["ascending"]["after"]]:
        look["nodata"] = 0
    edit_scene(scene_copy, align={"method": "bilinear"})
    with pytest.raises(InputError, match=f"{path.name} has two values that mean no data, -1 and 0"):
        interpret(scene_copy, radar=radar)


def test_polygons_without_a_place_in_the_scenes_system_are_no_area(scene_copy: Path) -> None:
    def write(name: str, *shapes: Any) -> str:
        wkb = shapely.to_wkb(np.array(shapes, object))
        numbers = [np.arange(len(shapes))]
        pyogrio.raw.write(
            scene_copy / name, wkb, numbers, ["n"], geometry_type="Polygon", crs="EPSG:4326"
        )
        return name

    whole = interpret(scene_copy).reading.grid
    nowhere = shapely.box(15, 200, 16, 201)
    with pytest.raises(InputError, match=r"no polygon of .*nowhere\.gpkg has a place in the scene"):
        interpret(scene_copy, area=write("nowhere.gpkg", nowhere))
    there = shapely.Point(whole.centre()).buffer(1)
    found = interpret(scene_copy, area=write("both.gpkg", nowhere, there)).reading
    assert found.grid == whole and len(found.area) == 1
