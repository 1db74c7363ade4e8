"""Answers for patches in files: a shard at a time, then all of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from landslip.bundle.answer import answer_patches
from landslip.bundle.ensemble import load
from landslip.bundle.listing import aligned_rows
from landslip.bundle.prepare import Images, survey
from landslip.bundle.recipe import Recipe
from landslip.bundle.thresholds import AIMS, Aim
from landslip.data.patches import as_float32, read_same_patch
from landslip.io.files import InputError, read_parquet, write_parquet, write_text

OWN = ("id", "probability", "landslide", "sensors", "route", "threshold")
"""Columns of the answers that are no member's."""


def answer_shard(
    bundle: Path,
    manifest: Path,
    *,
    shard: int,
    shards: int,
    settings: Mapping[str, Any],
    device: str,
    threads: int,
    target: Path,
) -> None:
    """Answer for one shard of new patches.

    Parameters
    ----------
    bundle
        Folder or .zip.
    manifest
        As `landslip.bundle.judge.judge_new` writes it. Patches without data have no answer.
    shard, shards
        Which of how many; see `landslip.bundle.listing.aligned_rows`.
    settings
        budget, recall, precision, prevalence, threshold, least_data; see `Ensemble.predict`.
    device, threads
        As of `landslip.load`.
    target
        parquet: see `landslip.bundle.answer.Answer.frame`.

    Raises
    ------
    InputError
        A patch has changed since it was looked at, the bundle is damaged, or what is asked of it
        cannot be.
    """
    ensemble = load(bundle, device=device, threads=threads)
    table = read_parquet(manifest, ["id", "path", "sha256", "status"])
    usable = table[table["status"] == "ok"].reset_index(drop=True)
    rows = aligned_rows(len(usable), shard, shards)
    own = usable.iloc[rows.start : rows.stop]
    asked = ensemble.asked(settings["budget"], Aim(**{name: settings[name] for name in AIMS}))
    patches = survey(
        len(own),
        ensemble.recipe,
        _reader(own, ensemble.recipe),
        settings["least_data"],
    )
    answer = answer_patches(patches, asked)
    write_parquet(target, answer.frame(own["id"].tolist()), {"bundle": ensemble.digest})


def gather_answers(manifest: Path, shards: Sequence[Path], *, target: Path, csv: Path) -> None:
    """Bring the shards together, in the order of the manifest.

    Parameters
    ----------
    manifest
        All new patches.
    shards
        Answers, in order.
    target
        predictions.parquet: a row for every patch, null where there is no answer.
    csv
        The same as text, without the members' columns.

    Raises
    ------
    InputError
        A shard is damaged or of other patches.
    """
    answers = pd.concat([read_parquet(path) for path in shards], ignore_index=True)
    table = read_parquet(manifest, ["id", "status"])
    usable = table.loc[table["status"] == "ok", "id"].tolist()
    if answers["id"].tolist() != usable:
        raise InputError(f"{shards[0].parent} and {manifest} are of other patches; delete both")
    found = answers.set_index("id").reindex(table["id"]).reset_index()
    empty = (table["status"] != "ok").to_numpy()
    found.loc[empty, ["sensors", "route"]] = ""
    found = found.astype({"id": "str", "sensors": "str", "route": "str", "landslide": "Int8"})
    write_parquet(target, found)
    write_text(csv, found[list(OWN)].to_csv(index=False, lineterminator="\n"))


def _reader(table: pd.DataFrame, recipe: Recipe) -> Any:
    paths, digests = table["path"].tolist(), table["sha256"].tolist()

    def read(rows: NDArray[np.int64]) -> Images:
        bands = [
            as_float32(
                read_same_patch(Path(paths[row]), len(recipe.channels), recipe.size, digests[row])
            ).transpose(2, 0, 1)
            for row in rows.tolist()
        ]
        return np.array(bands, np.float32)

    return read
