"""What is true of a simulated scene: outlines of its slides, and the units that share it."""

from pathlib import Path
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import shapes

from landslip.io.files import atomic_path
from landslip.io.vectors import write_features


def write_outlines(path: Path, masks: NDArray[np.bool_], transform: Affine, crs: str) -> None:
    """Write one polygon a slide, with its area in square metres; slides outside are left out."""
    outlines = []
    for mask in masks:
        rings = [
            shapely.geometry.shape(outline)
            for outline, _ in shapes(mask.astype(np.uint8), mask=mask, transform=transform)
        ]
        if rings:
            outlines.append(shapely.union_all(rings))
    _write_polygons(
        path, outlines, crs,
        slide=np.arange(1, len(outlines) + 1),
        area_m2=np.array([outline.area for outline in outlines]),
    )  # fmt: skip


def write_units(path: Path, rows: int, columns: int, transform: Affine, crs: str) -> None:
    """Two administrative units that share the scene."""
    middle = columns // 2
    halves = [(0, middle), (middle, columns)]
    boxes = []
    for start, end in halves:
        left, top = transform @ (start, 0)
        right, bottom = transform @ (end, rows)
        boxes.append(shapely.box(left, bottom, right, top))
    _write_polygons(path, boxes, crs, name=np.array(["West", "East"], object))


def _write_polygons(path: Path, polygons: list[Any], crs: str, **columns: NDArray[Any]) -> None:
    with atomic_path(path, durable=False) as temporary:
        write_features(
            temporary,
            geometry=shapely.to_wkb(np.array(polygons, object)),
            field_data=list(columns.values()),
            fields=list(columns),
            geometry_type="Unknown",
            crs=crs,
            layer=path.stem,
            driver="GPKG",
        )
