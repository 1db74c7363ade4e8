"""How a scene's pixels differ from those that a bundle was trained on, over land."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import numpy as np

from landslip.bundle.distributions import distance, outside
from landslip.bundle.ensemble import Ensemble
from landslip.scene.ask import read_as
from landslip.scene.rasters import gdal_env
from landslip.scene.reader import WATER, Reading, SceneReader
from landslip.scene.sample import take_sample

# Share of pixels beyond the training's 1 and 99 % that is called drift; 2 % is no difference.
LIMIT = 0.10


def scene_drift(reading: Reading, ensemble: Ensemble) -> dict[str, Any]:
    """Compare a sample of the scene's land with the training's.

    Returns
    -------
    dict
        words (a sentence), limit (`LIMIT`) and rows: channel, scene and training (medians),
        outside (share beyond the training's 1 to 99 %), distance (0: alike, 1: wholly apart).
    """
    with gdal_env(), ExitStack() as stack:
        sample = take_sample(SceneReader(reading, stack))
    land = np.isfinite(sample.channels).any(axis=1)
    if sample.classes is not None:
        land &= sample.classes != WATER
    reference = ensemble.record["distributions"]
    rows: list[dict[str, Any]] = []
    for place, name in zip(*read_as(ensemble, sample.names), strict=True):
        quantiles = reference["quantiles"]["land"].get(name)
        values = sample.channels[:, place][land].astype(np.float64)
        if quantiles is None or not np.isfinite(values).any():
            continue
        rows.append(
            {
                "channel": name,
                "scene": float(np.nanmedian(values)),
                "training": float(quantiles[len(quantiles) // 2]),
                "outside": outside(values, quantiles),
                "distance": distance(values, quantiles),
            }
        )
    far = [row["channel"] for row in rows if row["outside"] > LIMIT]
    words = (
        f"The scene differs from the training in {', '.join(map(str, far))}: more than "
        f"{LIMIT:.0%} of its land lies outside of the training's 1 to 99 %. Trust the map less."
        if far
        else "The scene's land looks like the training's."
    )
    return {"words": words, "limit": LIMIT, "rows": rows}
