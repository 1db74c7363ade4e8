"""From what a scene names to layers: SAFE folders, STAC items, radar products, single files."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any, Literal

from landslip.io.files import InputError
from landslip.scene.catalogue import read_item
from landslip.scene.layers import OPTICAL, SIDES, Layer, Layers, Look, OpticalLayers
from landslip.scene.names import RadarName, read_radar_name, sibling
from landslip.scene.rasters import open_raster
from landslip.scene.safe import read_safe
from landslip.scene.settings import ORBITS, Band, LookFiles, Optical, Radar, Scene

Unit = Literal["power", "amplitude", "db", "unknown"]
# Layer of a product that marks layover and shadow, and its value where neither is.
_MASKS = {"hyp3": ("ls_map", 1), "opera": ("mask", 0)}


def resolve_scene(scene: Scene, folder: Path) -> Layers:
    """Find every band that a scene names.

    Parameters
    ----------
    folder
        That the scene's paths are relative to.

    Raises
    ------
    InputError
        A file is missing, no raster, or lacks a band.
    """
    return Layers(
        name=scene.name,
        event=scene.event.isoformat(),
        optical=None if scene.optical is None else resolve_optical(scene.optical, folder),
        radar=resolve_radar(scene.radar, folder),
    )


def resolve_optical(optical: Optical, folder: Path) -> OpticalLayers:
    """Bands of Sentinel-2 with scale and offset as metadata, or the user, have them."""
    if optical.safe is not None:
        found = read_safe(_inside(folder, optical.safe))
    elif optical.item is not None:
        found = read_item(_inside(folder, optical.item))
    else:
        found = _single_bands(optical, folder)
    bands, source = dict(found.bands), found.offset_source
    if optical.scale is not None:
        source = "scene.yaml"
        bands = {
            name: Layer(
                file=layer.file,
                band=layer.band,
                unit="reflectance_1e4",
                nodata=layer.nodata,
                **scaling(optical.scale, optical.offset or 0.0),
            )
            for name, layer in bands.items()
        }
    scl = found.scl
    if optical.scl is not None:
        scl = Layer(file=_path(folder, optical.scl), band=optical.scl.band, unit="classes")
    day = found.date or (None if optical.date is None else optical.date.isoformat())
    return OpticalLayers(
        bands=bands, scl=scl, date=day, baseline=found.baseline, offset_source=source
    )


def scaling(scale: float, offset: float) -> dict[str, float]:
    """`add` and `gain` of a layer whose reflectance is value * scale + offset."""
    add = offset / scale
    # -0.1 / 0.0001 is -1000 but for rounding, which would turn whole numbers into fractions.
    whole = round(add)
    gain = scale * 1e4
    return {
        "add": float(whole) if abs(add - whole) < 1e-6 else add,
        "gain": float(round(gain)) if abs(gain - round(gain)) < 1e-9 else gain,
    }


def _single_bands(optical: Optical, folder: Path) -> OpticalLayers:
    """Bands of files that the scene names one by one; their tags may give scale and offset."""
    bands, tagged = {}, False
    for name in OPTICAL:
        named: Band = getattr(optical.bands, name)
        path = _path(folder, named)
        with open_raster(path) as raster:
            _require_band(path, raster, named.band)
            scale, offset = raster.scales[named.band - 1], raster.offsets[named.band - 1]
        has_tags = (scale, offset) != (1.0, 0.0)
        tagged |= has_tags
        bands[name] = Layer(
            file=path,
            band=named.band,
            unit="reflectance_1e4",
            nodata=optical.nodata,
            **(scaling(scale, offset) if has_tags else {}),
        )
    return OpticalLayers(bands=bands, offset_source="the files' tags" if tagged else "no metadata")


def resolve_radar(radar: Radar, folder: Path) -> dict[str, dict[str, list[Look]]]:
    """Acquisitions of each orbit that is there."""
    return {
        orbit: {
            side: [resolve_look(look, folder) for look in getattr(sides, side)] for side in SIDES
        }
        for orbit in ORBITS
        if (sides := getattr(radar, orbit)) is not None
    }


def resolve_look(look: LookFiles, folder: Path) -> Look:
    """Files, unit and facts of one acquisition."""
    layover = look.layover and Layer(
        file=_path(folder, look.layover), band=look.layover.band, unit="classes"
    )
    if look.file is not None:
        path = _inside(folder, look.file)
        name = read_radar_name(path)
        vv, vh = _both_polarisations(path, name)
        beside = sibling(path, _MASKS.get(name.product, ("none", 0))[0])
        if layover is None and name.product in _MASKS and beside.is_file():
            layover = Layer(file=str(beside), unit="classes")
    else:
        assert look.vv is not None and look.vh is not None
        vv = (_path(folder, look.vv), look.vv.band)
        vh = (_path(folder, look.vh), look.vh.band)
        name = read_radar_name(vv[0])
        for path_, number in (vv, vh):
            with open_raster(path_) as raster:
                _require_band(path_, raster, number)
    # A name's unit is one of them; its type is text.
    unit: Unit = look.unit or name.unit or "unknown"  # type: ignore[assignment]
    source = "scene.yaml" if look.unit else "the file's name" if name.unit else "nobody"
    return Look(
        vv=Layer(file=vv[0], band=vv[1], unit=unit, nodata=look.nodata),
        vh=Layer(file=vh[0], band=vh[1], unit=unit, nodata=look.nodata),
        layover=layover or None,
        clear=_MASKS.get(name.product, ("", 1))[1],
        product=name.product,
        time=_when(look, name),
        platform=look.platform or name.platform,
        relative_orbit=look.relative_orbit or name.relative_orbit,
        radiometry=look.radiometry or name.radiometry,
        spacing=name.spacing,
        unit_source=source,
        contradictions=_contradictions(look, name, vv[0]),
    )


def _contradictions(look: LookFiles, name: RadarName, file: str) -> dict[str, str]:
    """Check -> a sentence, where the scene file says other things than a product's name.

    Names of other files follow nobody's rules: there the scene file is believed.
    """
    if name.product not in _MASKS:
        return {}
    facts = {
        ("unit", "unit"): (look.unit, name.unit),
        ("radiometry", "radiometry"): (look.radiometry, name.radiometry),
        ("pairs", "platform"): (look.platform, name.platform),
        ("pairs", "relative_orbit"): (look.relative_orbit, name.relative_orbit),
        ("dates", "date"): (look.date, name.start and name.start.date()),
    }
    return {
        check: f"{file}: the scene file says {key}: {declared}, and the product's name {named}"
        for (check, key), (declared, named) in facts.items()
        if declared is not None and named is not None and declared != named
    }


def _both_polarisations(path: Path, name: RadarName) -> tuple[tuple[str, int], tuple[str, int]]:
    """VV and VH: two bands of one file, or of two files by their names."""
    with open_raster(str(path)) as raster:
        texts = [str(text or "").upper() for text in raster.descriptions]
    if len(texts) >= 2:
        first, second = _bands_by_name(path, texts) or (1, 2)
        return (str(path), first), (str(path), second)
    if name.layer not in ("VV", "VH"):
        raise InputError(
            f"{path} has one band and its name does not say VV or VH; give both as vv: and vh:"
        )
    vv, vh = sibling(path, "VV"), sibling(path, "VH")
    for each in (vv, vh):
        if not each.is_file():
            raise InputError(f"{each}, the other polarisation of {path.name}, is not there")
        open_raster(str(each)).close()
    return (str(vv), 1), (str(vh), 1)


def _bands_by_name(path: Path, texts: list[str]) -> tuple[int, int] | None:
    """Numbers of the bands that are called VV and VH; None where no name says what a band is."""
    called = [set(re.findall(r"(?<![A-Z])(VV|VH|HH|HV|ANGLE)(?![A-Z])", text)) for text in texts]
    vv, vh = ([at for at, own in enumerate(called, 1) if layer in own] for layer in ("VV", "VH"))
    if len(vv) == len(vh) == 1 and vv != vh:
        return vv[0], vh[0]
    if any(called):
        raise InputError(
            f"{path}: its bands are called {', '.join(texts)}, and one VV and one VH are needed; "
            "say which they are: vv: {file: ..., band: 1}, vh: {file: ..., band: 2}"
        )
    return None


def _when(look: LookFiles, name: RadarName) -> str | None:
    if name.start is not None and (look.date is None or look.date == name.start.date()):
        return name.start.isoformat() if name.timed else name.start.date().isoformat()
    given: datetime.date | None = look.date
    return given.isoformat() if given else None


def _require_band(path: str, raster: Any, band: int) -> None:
    if band > raster.count:
        raise InputError(f"{path} has {raster.count} bands; band {band} is asked for")


def _path(folder: Path, band: Band) -> str:
    return str(_inside(folder, band.file))


def _inside(folder: Path, path: str) -> Path:
    return folder / path
