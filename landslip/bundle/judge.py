"""Surveyed new patches against a bundle: faults, units and drift, before anything is answered."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from landslip.bundle.distributions import PixelSample
from landslip.bundle.drift import find_drift, refuse_drift
from landslip.bundle.ensemble import load
from landslip.bundle.units import find_misread
from landslip.data.checks import describe_wrong, find_faults
from landslip.data.inputs import read_shape
from landslip.data.problems import Problem, forget_refusal, refusal
from landslip.data.summary import summarise
from landslip.data.survey import read_survey, survey_shard
from landslip.data.units import judge_patches
from landslip.io.files import InputError, read_parquet, write_json, write_parquet

log = logging.getLogger(__name__)


def survey_new(
    bundle: Path,
    listing: Path,
    listing_summary: Path,
    *,
    shard: int,
    shards: int,
    workers: int,
    target: Path,
) -> None:
    """Look at every new patch of a shard; see `landslip.data.survey.survey_shard`."""
    recipe = load(bundle).recipe
    survey_shard(
        listing,
        listing_summary,
        split="test",
        shard=shard,
        shards=shards,
        channels=len(recipe.channels),
        no_data=recipe.no_data,
        workers=workers,
        target=target,
    )


def judge_new(
    bundle: Path,
    *,
    listing: Path,
    listing_summary: Path,
    surveys: Sequence[Path],
    on_drift: str,
    manifest: Path,
    drift: Path,
    listed: Path,
) -> None:
    """Refuse what cannot be answered for, and say how the patches differ from the training's.

    Parameters
    ----------
    bundle
        Folder or .zip.
    listing, listing_summary, surveys
        Of the new patches.
    on_drift
        warn or refuse.
    manifest
        parquet: id, split, path, sha256, status (ok; empty: no channel has data).
    drift
        JSON, see `landslip.bundle.drift.find_drift`.
    listed
        Text file for what a refusal has no room for.

    Raises
    ------
    InputError
        Patches that cannot be read, of another shape, dtype, unit or order of channels; or, where
        it is asked for, drift. Nothing is written then.
    """
    forget_refusal(listed)
    asked = load(bundle)
    recipe, table = asked.recipe, read_parquet(listing)
    seen = [read_survey(path) for path in surveys]
    summary = summarise(
        seen,
        train=0,
        judge=lambda survey: judge_patches(survey, recipe.unit_names, recipe.unit_ranges),
    )
    if len(summary.sha256) != len(table) or read_shape(listing_summary) != recipe.size:
        raise InputError(f"{listing} and {surveys[0].parent} are of other patches; delete both")
    problems = find_faults(table, summary, recipe.channels, drop=False, fill=True, fill_zeros=True)
    wrong = find_misread(summary.sample, summary.judged, recipe, asked.record, whole=True)
    mistakes = [
        problem
        for each in wrong
        for problem in (describe_wrong(table, [each]) if each.rows else [Problem(each.sentence)])
    ]
    found = find_drift(
        asked.record, PixelSample(seen, recipe, asked.conventions["reflectance_offset"])
    )
    if mistakes:
        problems += mistakes
        problems += [Problem(cause["sentence"]) for cause in found["causes"]]
        problems.append(Problem("units and the order of channels: see the bundle's card.html"))
    if problems:
        raise refusal(problems, listed)
    if on_drift == "refuse":
        refuse_drift(found)
    for sentence in found["sentences"]:
        log.warning("%s", sentence)
    write_json(drift, {"bundle": asked.digest, "on_drift": on_drift, **found})
    write_parquet(
        manifest,
        pd.DataFrame(
            {
                "id": table["id"],
                "split": table["split"],
                "path": table["path"],
                "sha256": [digest.decode() for digest in summary.sha256.tolist()],
                "status": summary.status,
            }
        ),
    )
