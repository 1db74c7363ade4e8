"""The manifest: every patch with its label, file, digest, state and group; and the audit."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from landslip.data.audit import Findings, build_audit
from landslip.data.checks import describe_wrong, find_faults
from landslip.data.duplicates import find_copies
from landslip.data.inputs import read_shape
from landslip.data.nodata import DATA, NoData, find_no_data
from landslip.data.oddities import find_oddities
from landslip.data.patches import as_float32
from landslip.data.problems import Problem, forget_refusal, refusal
from landslip.data.records import read_listing_summary
from landslip.data.sensors import join_sensors, lacking_sensors, lacks_data
from landslip.data.source import PatchFiles, PatchReader, read_unchanged
from landslip.data.summary import Summary, summarise
from landslip.data.survey import Survey, read_survey
from landslip.data.units import UnitRange, check_units, judge_patches, wrong_patches
from landslip.io.files import InputError, read_parquet, write_json, write_parquet

log = logging.getLogger(__name__)

# Columns of every listing; others are of patches that are windows of scenes.
_OWN = ("id", "split", "label", "path", "group")


def build_manifest(
    *,
    listing: Path,
    listing_summary: Path,
    surveys: Sequence[Path],
    channels: Mapping[str, str],
    sensors: Mapping[str, str],
    units: Mapping[str, UnitRange],
    no_data: NoData,
    ndvi: tuple[str, str] | None,
    on_bad_patch: str,
    on_nonfinite: str,
    on_zeros: str,
    on_wrong_unit: str,
    least_data: float,
    group: str | None,
    manifest: Path,
    audit_json: Path,
    listed: Path,
    reader: PatchReader | None = None,
) -> None:
    """Judge all input by what the surveys found; write what it holds, or refuse it.

    Parameters
    ----------
    listing, listing_summary
        As `landslip.data.inputs.write_listing` writes them.
    surveys
        Of the listing's shards, in its order.
    channels
        Name -> unit, in the order of the patches' last axis.
    sensors
        Name -> sensor, in the same order.
    units
        By name.
    no_data
        What the surveys told pixels without data by.
    ndvi
        The channels (near infrared, red), if config says which they are.
    on_bad_patch
        "refuse" truncated or unreadable patches, or "drop" them: status dropped.
    on_nonfinite
        "refuse" NaN, infinity and values that mean no data, or let the store "fill" them.
    on_zeros
        The same for zeros in all channels of a sensor at once; "keep": they are data.
    on_wrong_unit
        "refuse" a channel or patches whose magnitude does not fit the unit, or "report" them.
    least_data
        Share of a channel's pixels that must hold data, or its sensor is missing in the patch.
    group
        Column of the training labels; patches of one value are of one group.
    manifest
        Parquet of id, split ("train", "test"), label (Int8), path, sha256, status ("ok", "empty":
        every channel constant, "dropped"), missing (sensors without data, joined by "+"), group
        (int64; copies share one). Train in the order of its CSV, then test. Further columns of the
        listing follow.
    audit_json
        The audit; `landslip.data.audit_page` makes it a page.
    listed
        Text file for what a refusal has no room for.
    reader
        Of the patches; None: they are files.

    Raises
    ------
    InputError
        Everything that is wrong with patches and units, in one message; or surveys are damaged or
        of another listing.
    """
    table = read_parquet(listing)
    forget_refusal(listed)
    names_in_folders, shape = read_listing_summary(listing_summary), read_shape(listing_summary)
    of_unit = list(channels.values())
    lacking: list[NDArray[np.bool_]] = []

    def looked() -> Iterator[Survey]:
        """Surveys, one in memory at a time."""
        for path in surveys:
            survey = read_survey(path)
            holes = survey.nonfinite + survey.sentinel + survey.zero
            pixels = math.prod(shape or (1,))
            lacking.append(lacks_data(survey.low, survey.high, holes, pixels, least_data))
            yield survey

    summary = summarise(
        looked(),
        train=int((table["split"] == "train").sum()),
        judge=lambda survey: judge_patches(survey, of_unit, units),
    )
    if len(summary.sha256) != len(table):
        raise InputError(
            f"{listing} lists {len(table)} patches, {surveys[0].parent} has looked at "
            f"{len(summary.sha256)}; delete both and run again"
        )
    unit_checks = check_units(summary, channels, units)
    names = list(channels)
    problems = find_faults(
        table,
        summary,
        names,
        drop=on_bad_patch == "drop",
        fill=on_nonfinite == "fill",
        fill_zeros=on_zeros != "refuse",
    )
    wrong = describe_wrong(table, wrong_patches(summary, units))
    if on_wrong_unit == "refuse":
        mistakes = [Problem(check.sentence) for check in unit_checks if not check.fits] + wrong
        problems += mistakes
        if mistakes:
            problems.append(
                Problem(
                    "units: see channels.*.unit, the order of channels, and units in the config; "
                    "data.on_wrong_unit: report lets them pass"
                )
            )
    status = summary.status
    problems += [
        Problem(f"no {split} patch can be used: all {len(rows)} are empty or set aside")
        for split, rows in table.assign(status=status).groupby("split", sort=False)
        if not (rows["status"] == "ok").any() and not problems
    ]
    if problems or shape is None:
        raise refusal(problems, listed)
    copies = _find_copies(
        table, summary, status, shape, no_data, reader or PatchFiles(len(channels))
    )
    frame = pd.DataFrame(
        {
            "id": table["id"],
            "split": table["split"],
            "label": table["label"].astype("Int8"),
            "path": table["path"],
            "sha256": pd.Series([d.decode() or None for d in summary.sha256], dtype="str"),
            "status": status,
            "missing": _missing(np.concatenate(lacking), status, sensors),
            "group": _groups(table.get("group"), copies, len(table)),
            **{name: table[name] for name in table.columns if name not in _OWN},
        }
    )
    audit = build_audit(
        Findings(
            manifest=frame,
            summary=summary,
            channels=names,
            plausible=no_data.plausible,
            unit_checks=unit_checks,
            wrong_patches=["\n".join(problem.lines) for problem in wrong],
            oddities=find_oddities(summary, channels, units, ndvi),
            copies=copies,
            strays=names_in_folders["strays"],
            respelt=names_in_folders["respelt"],
            shape=shape,
            group=group,
            notes=names_in_folders.get("notes", ()),
        )
    )
    write_json(audit_json, audit)
    write_parquet(manifest, frame)
    for sentence in audit["warnings"]:
        log.warning("%s", sentence)


def _find_copies(
    table: pd.DataFrame,
    summary: Summary,
    status: Sequence[str],
    shape: tuple[int, int],
    no_data: NoData,
    reader: PatchReader,
) -> list[list[tuple[int, str]]]:
    """Groups of usable patches that are copies, by their rows in the manifest."""
    rows = np.flatnonzero(np.array(status) == "ok")

    def read(position: int) -> NDArray[np.float32]:
        row = int(rows[position])
        one = table.iloc[[row]].assign(sha256=summary.sha256[row].decode())
        (patch,) = read_unchanged(reader, one, shape)
        return _without_no_data(patch, no_data)

    groups = find_copies(summary.fingerprint[rows], summary.sha256[rows], read)
    return [[(int(rows[position]), symmetry) for position, symmetry in group] for group in groups]


def _without_no_data(patch: NDArray[Any], no_data: NoData) -> NDArray[np.float32]:
    """A patch (row, column, channel) as its fingerprint is of it: NaN where there is no data."""
    channels = len(no_data.plausible)
    bands = as_float32(patch).reshape(-1, channels).T.copy()
    codes = find_no_data(bands, no_data)
    if codes is not None:
        bands[codes != DATA] = np.nan
    return bands.T.reshape(*patch.shape[:2], channels)


def _missing(
    lacking: NDArray[np.bool_], status: Sequence[str], sensors: Mapping[str, str]
) -> pd.Series:
    """Of each usable patch, the sensors that it lacks, joined; few patches lack any."""
    names, absent = lacking_sensors(lacking, sensors)
    absent &= (np.array(status) == "ok")[:, None]
    found = np.full(len(lacking), "", object)
    for row in np.flatnonzero(absent.any(axis=1)).tolist():
        found[row] = join_sensors(
            name for name, gone in zip(names, absent[row], strict=True) if gone
        )
    return pd.Series(found, dtype="str")


def _groups(
    column: pd.Series | None, copies: Sequence[Sequence[tuple[int, str]]], n: int
) -> NDArray[np.int64]:
    """Numbers that patches share if they are copies or of one value of the column.

    Patches that are linked through others share one too. Numbers are in the order of the first
    patch of each group.
    """
    pairs = [(group[0][0], row) for group in copies for row, _ in group]
    if column is not None:
        for rows in column.groupby(column).indices.values():
            pairs += [(int(rows[0]), int(row)) for row in rows]
    ends = np.array(pairs, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(n, n))
    _, parts = connected_components(links, directed=False)
    return pd.factorize(parts)[0].astype(np.int64)
