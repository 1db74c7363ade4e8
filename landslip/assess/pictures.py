"""A page with what the sensors saw of each drawn cell, to label from."""

from pathlib import Path

import numpy as np

from landslip.io.files import read_parquet, write_text
from landslip.io.templates import template_environment
from landslip.scene.pictures import thumbnails
from landslip.scene.plan import read_plan
from landslip.scene.reader import open_scene


def write_pictures(plan: Path, drawn: Path, *, target: Path) -> None:
    """Write sample.html, cells in the order of the sample.

    Parameters
    ----------
    plan
        Of the map, which names the scene's files.
    drawn
        See `landslip.assess.sample.draw_sample`.
    target
        The page.

    Raises
    ------
    InputError
        A file of the scene is gone or damaged.
    """
    planned, table = read_plan(plan), read_parquet(drawn)
    cells = planned.cells
    tops = cells.first_rows(table["row"].to_numpy(np.int64))
    lefts = cells.first_columns(table["column"].to_numpy(np.int64))
    shown = []
    with open_scene(planned.reading) as reader:
        for cell, top, left in zip(table.to_dict("records"), tops, lefts, strict=True):
            pixels = reader.read(int(top), int(left), cells.patch, cells.patch)
            # Neither stratum nor probability, which would guide the eye.
            shown.append(
                {
                    "id": cell["id"],
                    "longitude": cell["longitude"],
                    "latitude": cell["latitude"],
                    "pictures": thumbnails(pixels.channels, reader.channels),
                }
            )
    page = template_environment(__file__).get_template("sample.html")
    write_text(target, page.render(name=planned.name, event=planned.event, cells=shown))
