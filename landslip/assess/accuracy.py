"""What the labels of a sample say of a map: accuracy, area, and what the intervals leave out."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.assess.estimates import (
    ClassAccuracy,
    Design,
    Estimate,
    exact_interval,
    measure_accuracy,
)
from landslip.assess.filled import read_labels
from landslip.assess.sample import SampleDesign, read_design
from landslip.io.files import read_parquet, write_json, write_text
from landslip.io.templates import template_environment

# With fewer cells in a unit its normal interval is a guess.
_FEW = 30


def write_accuracy(labels: Path, drawn: Path, design: Path, *, target: Path, page: Path) -> None:
    """Write what a filled sample says of a map.

    Parameters
    ----------
    labels
        The filled sample.
    drawn, design
        See `landslip.assess.sample.draw_sample`.
    target
        JSON: accuracy, areas and their intervals.
    page
        The same for a person.

    Raises
    ------
    InputError
        The sample is not the one that was drawn, or is not filled.
    """
    table, design_settings = read_parquet(drawn), read_design(design)
    found = summarise(table, read_labels(labels, table), design_settings)
    write_json(target, found)
    environment = template_environment(__file__)
    environment.filters.update(share=_share, km2=_km2)
    write_text(
        page, environment.get_template("accuracy.html").render(**found, design=design_settings)
    )


def summarise(
    table: pd.DataFrame, slide: NDArray[np.bool_], design: SampleDesign
) -> dict[str, Any]:
    """What accuracy.json holds.

    Parameters
    ----------
    table
        n drawn cells.
    slide : (n,)
        A landslide was seen.
    design
        How they were drawn.
    """
    drawn = Design(
        stratum=table["stratum"].to_numpy(),
        population={each["name"]: each["cells"] for each in design["strata"]},
        confidence=design["confidence"],
    )
    strata = [
        {
            **each,
            "slides": int(slide[drawn.stratum == each["name"]].sum()),
            "share": exact_interval(
                int(slide[drawn.stratum == each["name"]].sum()),
                each["drawn"], each["cells"], design["confidence"],
            ),
        }
        for each in design["strata"]
    ]  # fmt: skip
    unit = table["unit"].to_numpy()
    return {
        "cells": len(table),
        "slides": int(slide.sum()),
        "confidence": design["confidence"],
        "zone_km2": design["zone_km2"],
        "km2": design["km2"],
        "unseen_km2": design["unseen_km2"],
        **_measured(table, slide, drawn, design["km2"]),
        "strata": strata,
        "units": [
            {
                **each,
                "cells": int((unit == each["name"]).sum()),
                "slides": int((slide & (unit == each["name"])).sum()),
                "few": int((unit == each["name"]).sum()) < _FEW,
                **_measured(table, slide, drawn, each["km2"], unit == each["name"]),
            }
            for each in design["units"]
        ],
        "warnings": list(_warnings(strata, design["confidence"])),
    }


def _measured(
    table: pd.DataFrame,
    slide: NDArray[np.bool_],
    drawn: Design,
    km2: float,
    inside: NDArray[np.bool_] | None = None,
) -> dict[str, Any]:
    """Accuracy and area of the whole or of a part."""
    measured = measure_accuracy(
        drawn, table["zone"].to_numpy(), slide, table["km2"].to_numpy(), [True, False], inside
    )
    area = measured.classes[True].share
    return {
        "overall": _plain(measured.overall),
        "landslide": _of_class(measured.classes[True]),
        "no_landslide": _of_class(measured.classes[False]),
        "slide_km2": _plain(None if area is None else area.times(km2)),
    }


def _of_class(measured: ClassAccuracy) -> dict[str, Any]:
    return {"users": _plain(measured.users), "producers": _plain(measured.producers)}


def _plain(estimate: Estimate | None) -> dict[str, float] | None:
    return None if estimate is None else asdict(estimate)


def _warnings(strata: list[dict[str, Any]], confidence: float) -> Iterator[str]:
    """Strata of which the normal interval is too sure, for all their cells were alike."""
    for each in strata:
        if each["drawn"] == each["cells"] or 0 < each["slides"] < each["drawn"]:
            continue
        low, high = each["share"]
        name, count, km2 = each["name"], each["drawn"], each["km2"]
        if each["slides"] == 0:
            yield (
                f"None of the {count} cells drawn from the stratum {name} shows a landslide, and "
                f"the normal intervals treat that as known exactly; up to {high:.1%} of it "
                f"({high * km2:.3g} km2) may bear one (exact interval of {confidence:.0%})"
            )
        else:
            yield (
                f"All of the {count} cells drawn from the stratum {name} show a landslide, and "
                f"the normal intervals treat that as known exactly; as little as {low:.1%} of it "
                f"may (exact interval of {confidence:.0%})"
            )


def _share(estimate: Mapping[str, float] | None) -> str:
    """An estimate of a share with its interval."""
    if estimate is None:
        return "–"
    return f"{estimate['value']:.1%} ({estimate['low']:.1%} to {estimate['high']:.1%})"


def _km2(estimate: Mapping[str, float] | None) -> str:
    """An estimate of an area with its interval."""
    if estimate is None:
        return "–"
    return f"{estimate['value']:.3g} ({estimate['low']:.3g} to {estimate['high']:.3g})"
