"""Styles of QGIS for the map and its vector layers."""

from __future__ import annotations

from landslip.scene.tiles import STEPS

_HEAD = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
# ColorBrewer's YlOrRd, from transparent: light yellow at low, dark red at high probability.
RAMP = ((0.0, "255,255,204,0"), (0.1, "255,237,160,90"), (0.3, "254,178,76,170"),
        (0.5, "253,141,60,210"), (0.7, "227,26,28,230"), (1.0, "128,0,38,255"))  # fmt: skip


def raster_style() -> str:
    """QML of probability.tif: band 1 in colours, low probability transparent."""
    items = "".join(
        f'<item value="{level * STEPS:g}" label="{level:g}" color="{_hex(colour)}" '
        f'alpha="{colour.split(",")[3]}"/>'
        for level, colour in RAMP
    )
    return (
        f'{_HEAD}<qgis version="3.22"><pipe>'
        '<rasterrenderer type="singlebandpseudocolor" band="1" opacity="1" '
        f'classificationMin="0" classificationMax="{STEPS}" alphaBand="-1"><rastershader>'
        f'<colorrampshader colorRampType="INTERPOLATED" clip="0" minimumValue="0" '
        f'maximumValue="{STEPS}">{items}</colorrampshader></rastershader></rasterrenderer>'
        "</pipe></qgis>\n"
    )


def vector_styles() -> dict[str, str]:
    """Layer of the GeoPackage -> QML."""
    return {
        "zones": _polygons("0,0,0,0", "213,94,0,255", 0.6),
        "blind_spots": _polygons("120,120,120,120", "90,90,90,200", 0.2),
        "units": _polygons("0,0,0,0", "0,0,0,180", 0.3),
    }


def _hex(colour: str) -> str:
    red, green, blue, _ = (int(part) for part in colour.split(","))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _polygons(fill: str, line: str, width: float) -> str:
    options = {
        "color": fill,
        "style": "solid",
        "outline_color": line,
        "outline_style": "solid",
        "outline_width": f"{width:g}",
        "outline_width_unit": "MM",
    }
    parts = "".join(
        f'<Option name="{name}" type="QString" value="{value}"/>' for name, value in options.items()
    )
    return (
        f'{_HEAD}<qgis version="3.22" styleCategories="Symbology">'
        '<renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0"><symbols>'
        '<symbol type="fill" name="0" alpha="1" clip_to_extent="1"><layer class="SimpleFill" '
        f'enabled="1" pass="0" locked="0"><Option type="Map">{parts}</Option></layer></symbol>'
        "</symbols></renderer-v2></qgis>\n"
    )
