"""Whether an inventory and scenes lie on the same ground."""

from collections.abc import Mapping
from typing import Any

import shapely
from pyproj import CRS, Transformer

from landslip.inventory.read import Inventory
from landslip.io.files import InputError

Bounds = tuple[float, float, float, float]


def refuse_elsewhere(
    inventory: Inventory,
    scenes: Mapping[str, tuple[Bounds, Any]],
    source: str,
) -> dict[str, int]:
    """Landslides that touch each scene, at least one of some scene.

    Parameters
    ----------
    inventory
        As it was read.
    scenes
        Name -> (left, bottom, right, top) and the coordinate system of a scene.
    source
        The inventory's path, for the message.

    Returns
    -------
    Scene -> landslides that touch its rectangle.

    Raises
    ------
    InputError
        None touches any scene; the message says where both lie.
    """
    found, places = {}, {}
    for name, (bounds, crs) in scenes.items():
        near = shapely.intersects(inventory.geometries, rectangle_in(bounds, crs, inventory.crs))
        if near.any():
            chosen = Inventory(
                geometries=inventory.geometries[near],
                crs=inventory.crs,
                dates=inventory.dates[near],
            )
            near = shapely.intersects(chosen.to(crs).geometries, shapely.box(*bounds))
        found[name] = int(near.sum())
        places[name] = _lonlat(bounds, crs)
    if not any(found.values()):
        left, bottom, right, top = shapely.total_bounds(inventory.geometries).tolist()
        whole = (left, bottom, right, top)
        where = "; ".join(f"{name} {place}" for name, place in places.items())
        raise InputError(
            f"none of the {len(inventory.geometries)} landslides of {source} touches a scene: they "
            f"lie in {_lonlat(whole, inventory.crs)}, the scenes in {where} (longitude, latitude); "
            "name an inventory of the same ground, or correct its coordinate system"
        )
    return found


def rectangle_in(bounds: Bounds, crs: Any, target: CRS) -> Any:
    """What covers a rectangle of one coordinate system in another.

    In degrees that is more than one place: east of the 180th meridian they may go on or begin anew.
    """
    turn = Transformer.from_crs(crs, target, always_xy=True)
    left, bottom, right, top = turn.transform_bounds(*bounds, densify_pts=21)
    if not target.is_geographic:
        return shapely.box(left, bottom, right, top)
    right += 360 if left > right else 0
    return shapely.union_all(
        [shapely.box(left + turns, bottom, right + turns, top) for turns in (-360, 0, 360)]
    )


def _lonlat(bounds: Bounds, crs: Any) -> str:
    """A rectangle in degrees."""
    turn = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    left, bottom, right, top = turn.transform_bounds(*bounds, densify_pts=21)
    return f"{left:.3f} to {right:.3f}, {bottom:.3f} to {top:.3f}"
