"""Reads a sample back that a person filled, and refuses one that was not drawn by probability."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.assess.sample import LAYER
from landslip.data.problems import shortened
from landslip.data.tables import label_of
from landslip.io.files import InputError
from landslip.io.vectors import layer_names, read_vectors

YES = {"1", "yes", "true", "landslide", "slide"}
NO = {"0", "no", "false", "none"}
WORDS = "1, yes, landslide or 0, no, none"
_NEEDED = ("id", "label", "stratum", "inclusion_probability", "row", "column")


def read_labels(path: Path, drawn: pd.DataFrame) -> NDArray[np.bool_]:
    """What a person saw in each drawn cell.

    Parameters
    ----------
    path
        The filled GeoPackage, or another vector file or CSV with its columns.
    drawn
        What was drawn; see `landslip.assess.sample.draw_cells`.

    Returns
    -------
    (n,) in the order of `drawn`: a landslide is there.

    Raises
    ------
    InputError
        Rows were added, taken out or changed, with counts: weights would no longer be those of
        the draw, and no interval would hold. Or labels are missing or unknown, with their cells.
    """
    filled = _read(path)
    wrong = list(_not_as_drawn(filled, drawn))
    if wrong:
        raise InputError(
            f"{path} is not the sample that was drawn, so accuracy cannot be estimated from it:\n  "
            + "\n  ".join(wrong)
            + "\n  fill a fresh copy of sample.gpkg, and change nothing but label and note; a map "
            "that was made again needs a new sample"
        )
    values = filled.set_index("id")["label"].reindex(drawn["id"])
    words = [as_word(value) for value in values]
    unknown = [
        f"{cell} ({word})"
        for cell, word in zip(drawn["id"], words, strict=True)
        if word and word not in YES | NO
    ]
    empty = [cell for cell, word in zip(drawn["id"], words, strict=True) if not word]
    mistakes = []
    if empty:
        mistakes.append(
            f"{len(empty)} of {len(drawn)} cells have no label: {shortened(empty)}; label them "
            "all, because unlabelled cells are rarely a random subset"
        )
    if unknown:
        mistakes.append(f"{len(unknown)} labels are none of {WORDS}: {shortened(unknown)}")
    if mistakes:
        raise InputError(f"{path}: " + "\n  ".join(mistakes))
    return np.array([word in YES for word in words])


def _read(path: Path) -> pd.DataFrame:
    """Columns of the layer of samples, or of the only one."""
    if not path.is_file():
        raise InputError(f"labels: {path} is not there; name the filled copy of sample.gpkg")
    known = layer_names(path)
    if LAYER not in known and len(known) != 1:
        raise InputError(f"{path} has no layer {LAYER}; it has {', '.join(known) or 'none'}")
    layer = LAYER if LAYER in known else known[0]
    table = pd.DataFrame(read_vectors(path, layer, with_geometry=False).columns)
    missing = [name for name in _NEEDED if name not in table]
    if missing:
        raise InputError(
            f"{path} lacks the columns {', '.join(missing)}; fill a copy of sample.gpkg, and take "
            "no column out"
        )
    return table


def _not_as_drawn(filled: pd.DataFrame, drawn: pd.DataFrame) -> Any:
    """What tells a table from the draw, one a line with its count."""
    nameless = filled["id"].isna() | (filled["id"] == "")
    if nameless.any():
        yield f"{nameless.sum()} rows have no id; delete what was added to the sample"
        filled = filled[~nameless]
    ids = filled["id"].astype(str)
    twice = sorted(set(ids[ids.duplicated()]))
    if twice:
        yield f"{len(twice)} cells stand there more than once: {shortened(twice)}"
    added = sorted(set(ids) - set(drawn["id"]))
    if added:
        yield f"{len(added)} cells were not drawn: {shortened(added)}"
    missing = sorted(set(drawn["id"]) - set(ids))
    if missing:
        yield f"{len(missing)} of {len(drawn)} drawn cells are missing: {shortened(missing)}"
    both = drawn.merge(filled.assign(id=ids).drop_duplicates("id"), on="id", suffixes=("", "_now"))
    for name in ("inclusion_probability", "row", "column"):
        now = pd.to_numeric(both[f"{name}_now"], errors="coerce")
        gone = both["id"][now.isna()]
        if len(gone):
            yield f"{len(gone)} cells have no {name}: {shortened(list(gone))}"
        other = both["id"][now.notna() & ~np.isclose(now, both[name], rtol=1e-6, atol=0)]
        if len(other):
            yield f"{len(other)} cells have another {name}: {shortened(list(other))}"
    other = both["id"][both["stratum_now"].astype(str) != both["stratum"]]
    if len(other):
        yield f"{len(other)} cells have another stratum: {shortened(list(other))}"


def as_word(value: Any) -> str:
    """A label as a word; empty where there is none."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    text = str(value).strip().lower()
    number = label_of(text)
    return text if number is None else str(number)
