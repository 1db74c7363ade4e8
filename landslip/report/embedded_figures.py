"""Figures as pages show them: inside the page, with what they show in words and a caption."""

import base64
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from landslip.io.files import InputError
from landslip.report.figures import Figure
from landslip.report.style import DPI, PAGE_WIDTH

_PNG = b"\x89PNG\r\n\x1a\n"
_PIXELS_PER_INCH = 980 / PAGE_WIDTH


@dataclass(frozen=True, kw_only=True)
class EmbeddedFigure:
    """A figure as the page shows it."""

    address: str
    """Data URI."""
    width: int
    height: int
    alternative: str
    caption: list[str]


def embed_figures(
    figures: Sequence[Path], captions: Sequence[Path], known: Mapping[str, Figure]
) -> dict[str, EmbeddedFigure]:
    """Read figures and captions, ready to be embedded in a page.

    Parameters
    ----------
    figures
        PNG files; their names say which they are.
    captions
        Texts of the same names, .rst without markup; others are ignored.
    known
        Every figure that the page knows.

    Raises
    ------
    InputError
        A file is no PNG, its name is not known, or it has no caption.
    """
    texts = {path.stem: path for path in captions}
    for path in figures:
        if path.stem not in known or path.stem not in texts:
            raise InputError(f"{path}: the page knows no figure of that name or has no caption")
    return {
        path.stem: _embed_figure(path, known[path.stem].alternative, texts[path.stem])
        for path in figures
    }


def _embed_figure(figure: Path, alternative: str, caption: Path) -> EmbeddedFigure:
    content = figure.read_bytes()
    if not content.startswith(_PNG):
        raise InputError(f"{figure} is no PNG; delete it and run again")
    width, height = struct.unpack(">II", content[16:24])
    return EmbeddedFigure(
        address="data:image/png;base64," + base64.b64encode(content).decode("ascii"),
        width=round(width / DPI * _PIXELS_PER_INCH),
        height=round(height / DPI * _PIXELS_PER_INCH),
        alternative=alternative,
        caption=_paragraphs(caption),
    )


def _paragraphs(caption: Path) -> list[str]:
    text = caption.read_text(encoding="utf-8").strip()
    return [" ".join(part.split()) for part in text.split("\n\n")]
