"""The page on a bundle's answers: counts, the threshold's price, drift, the surest patches."""

import base64
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from landslip.bundle.ensemble import Ensemble, load
from landslip.bundle.files import OWN
from landslip.bundle.thresholds import AIMS
from landslip.data.patches import as_float32, read_same_patch
from landslip.data.sensors import split_sensors
from landslip.io.files import read_json, read_parquet, write_text
from landslip.io.templates import rows_of, template_environment
from landslip.report.composites import Composite, choose_composites, compose
from landslip.report.plots import Figure, FigureCanvasAgg

_SHOWN = 12
_EDGE = 144  # pixels of a thumbnail on the page


def write_page(
    bundle: Path,
    *,
    predictions: Path,
    manifest: Path,
    drift: Path,
    settings: Mapping[str, Any],
    target: Path,
) -> None:
    """Write it, self-contained.

    Parameters
    ----------
    bundle
        Folder or .zip of the bundle that was asked.
    predictions, manifest, drift
        As `landslip.bundle.files` and `landslip.bundle.judge` write them.
    settings
        What was asked: `predict` of the config.
    target
        HTML.

    Raises
    ------
    InputError
        A file is damaged, or a patch that is shown has changed.
    """
    ensemble = load(bundle)
    answers, found = read_parquet(predictions, list(OWN)), read_json(drift)
    aims = {name: settings.get(name) for name in AIMS}
    page = template_environment(__file__).get_template("answers.html")
    write_text(
        target,
        page.render(
            counts=_counts(answers),
            routes=answers["route"].replace("", np.nan).value_counts().to_dict(),
            sensors=_by_sensors(answers, ensemble),
            threshold=ensemble.threshold(**aims),
            settings=settings,
            drift=found,
            channels=sorted(found["channels"], key=lambda row: -row["distance"])[:_SHOWN],
            patches=_thumbnails(answers, manifest, ensemble),
            card=ensemble.card,
            digest=ensemble.digest,
        ),
    )


def _counts(answers: pd.DataFrame) -> dict[str, int]:
    called = answers["landslide"]
    return {
        "asked": len(answers),
        "landslides": int((called == 1).sum()),
        "others": int((called == 0).sum()),
        "unanswered": int(called.isna().sum()),
    }


def _by_sensors(answers: pd.DataFrame, ensemble: Ensemble) -> list[dict[str, Any]]:
    """How many patches were answered by what, and what that reaches out of fold."""
    rows = []
    for name, own in answers.groupby("sensors", sort=False):
        present = split_sensors(str(name))
        combination = ensemble.combination(present)
        rows.append(
            {
                "sensors": ", ".join(present) or "none, or none that a member can answer for",
                "patches": len(own),
                "landslides": int((own["landslide"] == 1).sum()),
                "f1": None if combination is None else combination["f1"],
                "interval": None if combination is None else combination["interval"],
            }
        )
    return rows


def _thumbnails(answers: pd.DataFrame, manifest: Path, ensemble: Ensemble) -> list[dict[str, Any]]:
    """The patches of the highest probability, as pictures."""
    chosen = answers[answers["probability"].notna()]
    chosen = chosen.sort_values("probability", ascending=False, kind="stable").head(_SHOWN)
    if chosen.empty:
        return []
    files = read_parquet(manifest, ["id", "path", "sha256"]).set_index("id").loc[chosen["id"]]
    recipe = ensemble.recipe
    patches = np.stack(
        [
            as_float32(read_same_patch(Path(path), len(recipe.channels), recipe.size, digest))
            for path, digest in zip(files["path"], files["sha256"], strict=True)
        ]
    ).transpose(0, 3, 1, 2)
    modalities = {channel.name: channel.modality for channel in ensemble.channels}
    composite = choose_composites(modalities)[0]
    return [
        {**row, "picture": picture}
        for row, picture in zip(
            rows_of(chosen), _pictures(patches, recipe.channels, composite), strict=True
        )
    ]


def _pictures(
    patches: np.ndarray[Any, Any], channels: Sequence[str], composite: Composite
) -> list[str]:
    """Data URIs; what has no data is grey."""
    shown = np.where(np.isfinite(patches), patches, np.nan)
    places = [list(channels).index(name) for name in composite.channels]
    blank = ~np.isfinite(shown[:, places]).all(axis=1)
    colours = compose(np.nan_to_num(shown, nan=0.0).astype(np.float32), channels, composite)
    colours[blank] = 0.8
    return [_png(picture) for picture in colours]


def _png(picture: np.ndarray[Any, Any]) -> str:
    figure = Figure(figsize=(1, 1), dpi=_EDGE)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(picture, interpolation="nearest")
    axes.set_axis_off()
    content = BytesIO()
    figure.savefig(content, format="png", metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(content.getvalue()).decode("ascii")
