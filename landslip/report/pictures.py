"""Figures as pages show them: inside the page, with what they show in words and a caption."""

import base64
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from landslip.files import InputError
from landslip.report.style import DPI, PAGE_WIDTH

_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS_PER_INCH = 980 / PAGE_WIDTH

ALTERNATIVES = {
    "f1_threshold": "Curves of F1 against the threshold for the ensemble and each member",
    "roc": "ROC curves of all models, whole and enlarged near few false positives",
    "precision_recall": "Precision-recall curves of all models with lines of equal F1",
    "confusion": "Confusion matrix of the ensemble",
    "reliability": "Reliability diagram of the ensemble over a histogram of its probabilities",
    "importance": "Bar charts of the thirty most important features of each tree model",
    "learning_curves": "Loss and F1 of each model against training step",
    "composites": "Six sample patches, each in red, green and blue beside its radar composite",
    "patches": "Six sample patches in every channel",
    "mistakes": "Thumbnails of the most certain false alarms and missed landslides",
    "dag": "Diagram of the workflow's rules and what each reads from which",
    "cost": "Dot plots of time and peak memory of each job",
}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure as the page shows it."""

    address: str
    """Data URI."""
    width: int
    height: int
    alternative: str
    caption: list[str]


def read_pictures(figures: Sequence[Path], captions: Sequence[Path]) -> dict[str, Picture]:
    """Figures of the report by name, ready to stand in a page.

    Parameters
    ----------
    figures
        PNG files; their names say which they are (see ALTERNATIVES).
    captions
        Texts of the same names, .rst without markup; others are ignored.

    Raises
    ------
    InputError
        A file is no PNG, its name is not in ALTERNATIVES, or it has no caption.
    """
    texts = {path.stem: path for path in captions}
    for path in figures:
        if path.stem not in ALTERNATIVES or path.stem not in texts:
            raise InputError(f"{path}: the page knows no figure of that name or has no caption")
    return {
        path.stem: read_picture(path, ALTERNATIVES[path.stem], texts[path.stem]) for path in figures
    }


def read_picture(figure: Path, alternative: str, caption: Path) -> Picture:
    """One figure.

    Parameters
    ----------
    figure
        PNG file.
    alternative
        What it shows, for those who do not see it.
    caption
        Text in paragraphs.

    Raises
    ------
    InputError
        The file is no PNG.
    """
    content = figure.read_bytes()
    if not content.startswith(_PNG):
        raise InputError(f"{figure} is no PNG; delete it and run again")
    width, height = struct.unpack(">II", content[16:24])
    return Picture(
        address="data:image/png;base64," + base64.b64encode(content).decode("ascii"),
        width=round(width / DPI * _PIXELS_PER_INCH),
        height=round(height / DPI * _PIXELS_PER_INCH),
        alternative=alternative,
        caption=_paragraphs(caption),
    )


def _paragraphs(caption: Path) -> list[str]:
    text = caption.read_text(encoding="utf-8").strip()
    return [" ".join(part.split()) for part in text.split("\n\n")]
