"""A simulated scene as files like those that agencies give, with mistakes made on purpose."""

import datetime
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import yaml
from affine import Affine
from numpy.typing import NDArray
from rasterio.warp import Resampling, calculate_default_transform, reproject

from landslip.config.scene import Mistake
from landslip.io.files import write_text
from landslip.io.rasters import raster_in_memory
from landslip.simulation.fields import Field
from landslip.simulation.outlines import write_outlines, write_units
from landslip.simulation.whole_scene import ORBITS, SceneImages, simulate_scene_images

EVENT = datetime.date(2024, 6, 14)
CRS = "EPSG:32633"
CORNER = (399960.0, 5200020.0)
SAFE = "S2B_MSIL2A_{0}T100029_N0510_R122_T33TVN_{0}T120000.SAFE"
_GRANULE = "GRANULE/L2A_T33TVN_A038000_{0}T100031/IMG_DATA"
_SEEN, _QUIET_SEEN = datetime.date(2024, 6, 19), datetime.date(2024, 3, 26)
# Days from the event, and the hour (UTC) at which each orbit passes.
_DAYS = {"before": (-37, -25, -13), "after": (2,)}
_QUIET_DAYS = {"before": (-121, -109, -97), "after": (-85,)}
_PASSES = {"descending": ("T051630", 22), "ascending": ("T165840", 117)}
_METADATA = """<?xml version="1.0" encoding="UTF-8"?>
<n1:Level-2A_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-2A.xsd">
 <n1:General_Info>
  <Product_Info>
   <PROCESSING_BASELINE>05.10</PROCESSING_BASELINE>
   <Datatake><DATATAKE_SENSING_START>{day}T10:00:29.024Z</DATATAKE_SENSING_START></Datatake>
  </Product_Info>
  <Product_Image_Characteristics>
   <Special_Values>
    <SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT>
    <SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX>
   </Special_Values>
   <QUANTIFICATION_VALUES_LIST>
    <BOA_QUANTIFICATION_VALUE unit="none">10000</BOA_QUANTIFICATION_VALUE>
   </QUANTIFICATION_VALUES_LIST>
   <BOA_ADD_OFFSET_VALUES_LIST>
{offsets}
   </BOA_ADD_OFFSET_VALUES_LIST>
  </Product_Image_Characteristics>
 </n1:General_Info>
</n1:Level-2A_User_Product>
"""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where the scene's pixels lie, and what is done wrong."""

    crs: str
    transform: Affine
    mistake: str | None


def simulate_scene(
    folder: Path,
    *,
    rows: int,
    columns: int,
    slides: int,
    cloud: float,
    seed: int,
    mistake: Mistake | None = None,
    east: float = 0.0,
) -> None:
    """Write a scene: `scene.yaml`, a SAFE folder, radar of both orbits, outlines, units.

    Parameters
    ----------
    folder
        Made if absent. `outlines.gpkg` in it is the truth: one polygon a slide.
    rows, columns
        Pixels of 10 m.
    slides
        How many run down between before and after.
    cloud
        Share of the sky under cloud, 0 to 1.
    seed
        The same seed gives the same pixels.
    mistake
        One that people make with such data, made on purpose.
    east
        Metres that the scene lies east of the usual place.
    """
    images = simulate_scene_images(
        np.random.default_rng(seed), rows=rows, columns=columns, slides=slides, cloud=cloud,
        flattened=mistake == "flattened",
    )  # fmt: skip
    write_scene(folder, images, seed=seed, mistake=mistake, east=east)


def write_scene(
    folder: Path,
    images: SceneImages,
    *,
    seed: int,
    mistake: Mistake | None = None,
    east: float = 0.0,
) -> None:
    """Write what the sensors saw as the agencies' products; see `simulate_scene`."""
    rng = np.random.default_rng((seed, 1))
    rows, columns = images.scl.shape
    corner = Affine(10, 0, CORNER[0] + east, 0, -10, CORNER[1])
    place = _Place(crs=CRS, transform=corner, mistake=mistake)
    scene: dict[str, Any] = {
        "name": "Simulated scene",
        "event": EVENT.isoformat(),
        "units": "units.gpkg",
        "optical": _write_optical(folder, images.optical, images.scl, _SEEN, place),
        "radar": _write_radar(folder / "radar", rng, images.radar, _DAYS, place),
        "placebo": {
            "event": (EVENT + datetime.timedelta(days=-90)).isoformat(),
            "optical": _write_optical(
                folder, images.quiet_optical, images.quiet_scl, _QUIET_SEEN, place
            ),
            "radar": _write_radar(folder / "placebo", rng, images.quiet, _QUIET_DAYS, place),
        },
    }
    scene["simulated"] = True
    if mistake == "nearest":
        scene["align"] = {"method": "nearest"}
    write_outlines(folder / "outlines.gpkg", images.slides, place.transform, place.crs)
    write_units(folder / "units.gpkg", rows, columns, place.transform, place.crs)
    os.sync()  # the files above reach the disk before the scene file that vouches for them
    write_text(folder / "scene.yaml", yaml.safe_dump(scene, sort_keys=False))


def _write_optical(
    folder: Path, image: Field, classes: NDArray[np.uint8], day: datetime.date, place: _Place
) -> dict[str, Any]:
    """The SAFE folder of a day; the corner outside of the swath is 0."""
    height, width = classes.shape
    across, down = np.arange(width) / width, np.arange(height)[:, None] / height
    outside = across + 0.3 * down > 1.12
    # Harmonised values under metadata that still speak of the offset.
    shift = 1000 if place.mistake == "offset" else 0
    optical = np.where(outside, 0, np.maximum(image - shift, 1)).astype(np.uint16)
    scl = np.where(outside, 0, classes).astype(np.uint8)[::2, ::2]
    date = f"{day:%Y%m%d}"
    product = SAFE.format(date)
    inside = folder / product / _GRANULE.format(date)
    stem = f"T33TVN_{date}T100029"
    for name, band in zip(("B04", "B03", "B02", "B08"), optical, strict=True):
        write_image(inside / "R10m" / f"{stem}_{name}_10m.jp2", band[None], place)
    at = _Place(crs=place.crs, transform=place.transform @ Affine.scale(2), mistake=None)
    write_image(inside / "R20m" / f"{stem}_SCL_20m.jp2", scl[None], at)
    offsets = "\n".join(
        f'    <BOA_ADD_OFFSET band_id="{number}">-1000</BOA_ADD_OFFSET>' for number in range(13)
    )
    metadata = _METADATA.format(offsets=offsets, day=day.isoformat())
    write_text(folder / product / "MTD_MSIL2A.xml", metadata)
    return {"safe": product}


def _write_radar(
    folder: Path,
    rng: np.random.Generator,
    seen: Mapping[str, tuple[Field, Field]],
    days: Mapping[str, tuple[int, ...]],
    place: _Place,
) -> dict[str, Any]:
    """Linear power of each date, of which the median in dB is what was seen."""
    named: dict[str, Any] = {}
    for orbit in ORBITS:
        named[orbit] = {}
        for side, median in zip(("before", "after"), seen[orbit], strict=True):
            dates = days[side]
            if place.mistake == "one_pair":
                dates = dates[-1:]
            looks = looks_around(rng, median, len(dates))
            named[orbit][side] = [
                _write_look(folder, image, orbit, side, at, place)
                for image, at in zip(looks, dates, strict=True)
            ]
    return named


def looks_around(rng: np.random.Generator, median: Field, count: int) -> list[Field]:
    """Looks of one place whose median, pixel by pixel, is given.

    Parameters
    ----------
    rng
        The generator that is advanced.
    median : any shape
        DB.
    count
        Odd.
    """
    looks = [median]
    for _ in range(count // 2):
        # Speckle of about four looks lies some 2 dB around its median.
        away = np.abs(rng.normal(0, 2.2, median.shape)).astype(np.float32)
        up: Field = np.where(rng.random(median.shape) < 0.5, away, -away)
        looks += [median + up, median - up * np.float32(0.9)]
    order = rng.permutation(len(looks))
    return [looks[at] for at in order]


def _write_look(
    folder: Path, image: Field, orbit: str, side: str, day: int, place: _Place
) -> dict[str, Any]:
    mistake = place.mistake
    clock, track = _PASSES[orbit]
    date = EVENT + datetime.timedelta(days=day)
    if mistake == "season" and side == "before":
        date -= datetime.timedelta(days=150)
    if mistake == "enlarged":
        image = _enlarged(image)
    power = (10 ** (image / 10)).astype(np.float32)
    nodata: float | None = 0.0
    unit = "power"
    width = image.shape[2]
    # The swath ends inside of the scene.
    edge = slice(0, max(2, width // 40))
    if mistake == "zeros":
        power, unit, nodata = image.copy(), "db", None
    power[..., edge] = 0
    target = place
    if mistake == "nearest":
        # Half a pixel beside the scene's grid: it has to be resampled.
        moved = place.transform @ Affine.translation(0.5, 0.5)
        target = _Place(crs=place.crs, transform=moved, mistake=None)
    mixed = mistake == "mixed_orbits" and side == "after"
    name = f"S1{'C' if mixed else 'A'}_IW_{date:%Y%m%d}{clock}_{orbit}.tif"
    write_image(folder / name, power, target, nodata=nodata, texts=("VV", "VH"))
    return {
        "file": f"{folder.name}/{name}",
        "unit": "db" if mistake == "linear_as_db" else unit,
        "radiometry": "sigma0",
        "relative_orbit": track + 7 if mixed else track,
    }


def _enlarged(image: Field) -> Field:
    """Pixels of 30 m as pixels of 10 m, as a nearest-neighbour enlargement gives them."""
    rows = np.minimum(np.arange(image.shape[1]) // 3 * 3 + 1, image.shape[1] - 1)
    columns = np.minimum(np.arange(image.shape[2]) // 3 * 3 + 1, image.shape[2] - 1)
    return image[:, rows][:, :, columns]


def write_image(
    path: Path,
    image: NDArray[Any],
    place: _Place,
    *,
    nodata: float | None = None,
    texts: tuple[str, ...] = (),
) -> None:
    """Write (band, row, column) as GeoTIFF or lossless JPEG 2000, whole or not at all."""
    crs, transform = place.crs, place.transform
    if place.mistake == "degrees":
        image, transform = _in_degrees(image, place)
        crs = "EPSG:4326"
    profile: dict[str, Any] = {
        "count": len(image), "height": image.shape[1], "width": image.shape[2],
        "dtype": image.dtype, "crs": crs, "transform": transform, "nodata": nodata,
    }  # fmt: skip
    if path.suffix == ".jp2":
        options: dict[str, Any] = {
            "driver": "JP2OpenJPEG", "QUALITY": 100, "REVERSIBLE": "YES", "YCBCR420": "NO",
            "BLOCKXSIZE": 1024, "BLOCKYSIZE": 1024,
        }  # fmt: skip
    else:
        options = {
            "driver": "GTiff", "tiled": True, "blockxsize": 256, "blockysize": 256,
            "compress": "deflate", "zlevel": 1,
        }  # fmt: skip
    with (
        rasterio.Env(GDAL_PAM_ENABLED="NO"),
        raster_in_memory(path, durable=False) as memory,
        memory.open(**profile, **options) as target,
    ):
        target.write(image)
        for number, text in enumerate(texts, start=1):
            target.set_band_description(number, text)


def _in_degrees(image: NDArray[Any], place: _Place) -> tuple[NDArray[Any], Affine]:
    """The image on a grid of degrees, as exports of Earth Engine have it."""
    height, width = image.shape[1:]
    left, top = place.transform.c, place.transform.f
    right, bottom = place.transform @ (width, height)
    step = 8.983152841195215e-05 * place.transform.a / 10
    transform, across, down = calculate_default_transform(
        place.crs, "EPSG:4326", width, height, left, bottom, right, top, resolution=step
    )
    turned = np.zeros((len(image), down, across), image.dtype)
    reproject(
        image, turned, src_transform=place.transform, src_crs=place.crs,
        dst_transform=transform, dst_crs="EPSG:4326", resampling=Resampling.nearest,
    )  # fmt: skip
    return turned, transform
