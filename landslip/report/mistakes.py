"""The ensemble's most certain mistakes: their pictures, and a table of all mistakes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.store import read_ids, read_patches
from landslip.ensemble.records import read_threshold
from landslip.ensemble.tables import EnsembleOof, read_ensemble_oof
from landslip.io.files import InputError, write_text
from landslip.report.composites import choose_composites, compose, side_by_side
from landslip.report.patch_figure import LABELS
from landslip.report.plots import Figure
from landslip.report.style import PAGE_WIDTH, QUIET, draw_placeholder, drawing, picture_axes
from landslip.report.wording import score, shorten

SHOWN = 6  # of each kind
KINDS = {"false alarm": "False alarms", "missed landslide": "Missed landslides"}
_TITLE = 0.34  # inches
_CAPTION = 0.46
_STRIP_GAP = 0.05
_LETTER = 0.074  # of an id


def draw_mistakes(
    *,
    oof: Path,
    threshold: Path,
    store: Path,
    modalities: Mapping[str, str],
    target: Path,
    table: Path,
) -> None:
    """Draw the false alarms and the missed landslides that the ensemble is most certain of.

    Parameters
    ----------
    oof, threshold
        ensemble/oof.parquet and ensemble/threshold.json.
    store
        store/train.h5.
    modalities
        Channel -> modality, in the order of the store.
    target, table
        PNG and CSV to write; the table is that of `find_mistakes`.

    Raises
    ------
    InputError
        A file is damaged, or the store lacks a patch of the predictions.
    """
    predictions = read_ensemble_oof(oof)
    mistakes = find_mistakes(predictions, float(read_threshold(threshold)["threshold"]))
    write_text(table, mistakes.to_csv(index=False, lineterminator="\n"))
    shown = pd.concat([mistakes[mistakes["mistake"] == kind].head(SHOWN) for kind in KINDS])
    if shown.empty:
        with drawing(target, height=1.2) as figure:
            draw_placeholder(figure.subplots(), "The ensemble makes no mistake on these patches.")
        return
    channels = list(modalities)
    rows = _rows(store, shown["id"].tolist())
    patches = read_patches(store, channels=channels, rows=rows)
    pictures = [
        (composite, compose(patches, channels, composite))
        for composite in choose_composites(modalities)
    ]
    cell = PAGE_WIDTH / SHOWN
    block = _TITLE + _CAPTION + len(pictures) * (cell + _STRIP_GAP)
    kinds = [kind for kind in KINDS if (shown["mistake"] == kind).any()]
    height = block * len(kinds)
    with drawing(target, height=height) as figure:
        figure.set_layout_engine("none")
        for number, kind in enumerate(kinds):
            of_kind = (shown["mistake"] == kind).to_numpy()
            top = number * block
            total = int((mistakes["mistake"] == kind).sum())
            _write(
                figure,
                0,
                top + 0.06,
                f"{KINDS[kind]}: the {of_kind.sum()} most certain of {total}",
                size=10.5,
                weight="bold",
            )
            _write_captions(figure, shown[of_kind], top + _TITLE, cell)
            for line, (composite, colours) in enumerate(pictures):
                below = top + _TITLE + _CAPTION + line * (cell + _STRIP_GAP)
                axes = figure.add_axes(
                    (
                        0,
                        1 - (below + cell) / height,
                        of_kind.sum() * cell / PAGE_WIDTH,
                        cell / height,
                    )
                )
                axes.imshow(side_by_side(colours[of_kind]), aspect="auto", interpolation="nearest")
                axes.text(
                    0.004,
                    0.03,
                    composite.title,
                    transform=axes.transAxes,
                    fontsize=7.5,
                    bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
                )
                picture_axes(axes)


def find_mistakes(predictions: EnsembleOof, threshold: float) -> pd.DataFrame:
    """All patches that the ensemble decides wrongly, the most certain first.

    Returns
    -------
    DataFrame
        mistake (a key of KINDS), id, fold, label, probability; false alarms from the highest
        probability down, then missed landslides from the lowest up.
    """
    frame = pd.DataFrame(
        {
            "id": predictions.ids,
            "fold": predictions.fold,
            "label": predictions.labels,
            "probability": predictions.probability,
        }
    )
    alarm = frame["probability"] > threshold
    false = frame[alarm & (frame["label"] == 0)]
    missed = frame[~alarm & (frame["label"] == 1)]
    ordered = {
        "false alarm": false.sort_values(["probability", "id"], ascending=[False, True]),
        "missed landslide": missed.sort_values(["probability", "id"]),
    }
    named = [table.assign(mistake=kind) for kind, table in ordered.items()]
    return pd.concat(named, ignore_index=True)[["mistake", "id", "fold", "label", "probability"]]


def _rows(store: Path, wanted: list[str]) -> NDArray[np.int64]:
    row_of = {name: row for row, name in enumerate(read_ids(store))}
    missing = [name for name in wanted if name not in row_of]
    if missing:
        raise InputError(
            f"{store} lacks {len(missing)} patches of the predictions (first: {missing[0]});"
            " run again"
        )
    return np.array([row_of[name] for name in wanted], dtype=np.int64)


def _write_captions(figure: Figure, shown: pd.DataFrame, top: float, cell: float) -> None:
    for index, patch in enumerate(shown.to_dict("records")):
        x = (index + 0.02) * cell
        name = shorten(patch["id"], int(cell / _LETTER))
        _write(figure, x, top, name, size=8.5, family="monospace", weight="bold")
        _write(figure, x, top + 0.15, f"label: {LABELS[patch['label']]}", size=8)
        _write(
            figure, x, top + 0.29, f"probability {score(patch['probability'])}", size=8, color=QUIET
        )


def _write(figure: Figure, x: float, y: float, text: str, *, size: float, **look: Any) -> None:
    """Text at inches from the left and the top of the figure."""
    width, height = figure.get_size_inches()
    figure.text(x / width, 1 - y / height, text, fontsize=size, va="top", **look)
