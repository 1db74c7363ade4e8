"""The ensemble's most certain mistakes: their pictures, and a table of all mistakes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.data.store import read_ids, read_patches
from landslip.ensemble.tables import EnsembleOof
from landslip.io.files import InputError, write_text
from landslip.report.composites import choose_composites, compose
from landslip.report.patch_figure import LABELS
from landslip.report.style import PAGE_WIDTH, draw_placeholder, drawing, picture_axes
from landslip.report.wording import score, shorten

SHOWN = 6  # of each kind
KINDS = {"false alarm": "False alarms", "missed landslide": "Missed landslides"}
_LETTERS = 18  # of an id


def draw_mistakes(
    predictions: EnsembleOof,
    threshold: float,
    *,
    store: Path,
    modalities: Mapping[str, str],
    target: Path,
) -> None:
    """Draw the false alarms and the missed landslides that the ensemble is most certain of.

    Parameters
    ----------
    predictions, threshold
        Of the ensemble.
    store
        store/train.h5.
    modalities
        Channel -> modality, in the order of the store.
    target
        PNG to write; the table of `find_mistakes` stands beside it as CSV.

    Raises
    ------
    InputError
        The store is damaged, or lacks a patch of the predictions.
    """
    mistakes = find_mistakes(predictions, threshold)
    write_text(target.with_suffix(".csv"), mistakes.to_csv(index=False, lineterminator="\n"))
    shown = {kind: rows.head(SHOWN) for kind, rows in mistakes.groupby("mistake", sort=False)}
    if not shown:
        with drawing(target, height=1.2) as figure:
            draw_placeholder(figure.subplots(), "The ensemble makes no mistake on these patches.")
        return
    channels, composites = list(modalities), choose_composites(modalities)
    rows = _rows(store, [name for part in shown.values() for name in part["id"]])
    patches = read_patches(store, channels=channels, rows=rows)
    pictures = [compose(patches, channels, composite) for composite in composites]
    height = len(shown) * (0.8 + len(composites) * PAGE_WIDTH / SHOWN)
    first = 0
    with drawing(target, height=height) as figure:
        panels = figure.subfigures(len(shown), 1, squeeze=False)[:, 0]
        for panel, (kind, part) in zip(panels, shown.items(), strict=True):
            total = int((mistakes["mistake"] == kind).sum())
            title = f"{KINDS[str(kind)]}: the {len(part)} most certain of {total}"
            panel.suptitle(title, x=0, ha="left", fontsize=10.5, weight="bold")
            cells = panel.subplots(len(composites), SHOWN, squeeze=False)
            for axes in cells.flat:
                picture_axes(axes)
            for line, composite, colours in zip(cells, composites, pictures, strict=True):
                line[0].set_ylabel(composite.title, fontsize=7.5)
                for axes, picture in zip(line, colours[first : first + len(part)], strict=False):
                    axes.imshow(picture, interpolation="nearest")
            for axes, patch in zip(cells[0], part.to_dict("records"), strict=False):
                axes.set_title(
                    f"{shorten(patch['id'], _LETTERS)}\nlabel: {LABELS[patch['label']]}\n"
                    f"probability {score(patch['probability'])}",
                    fontsize=8,
                    weight="normal",
                )
            first += len(part)


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
