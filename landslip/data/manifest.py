"""The manifest: every patch with its label, file, digest, state and group; and the audit."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from landslip.data.audit import Findings, build_audit
from landslip.data.checks import Interval, check_units, find_faults
from landslip.data.duplicates import find_copies
from landslip.data.inputs import list_inputs, refusal
from landslip.data.patches import as_float32, patch_shape, read_patch
from landslip.data.survey import Survey, survey_patches
from landslip.files import InputError, write_json, write_parquet

log = logging.getLogger(__name__)


def build_manifest(
    *,
    train_labels: Path,
    train_patches: Path,
    test_ids: Path,
    test_patches: Path,
    test_labels: Path | None,
    channels: Mapping[str, str],
    units: Mapping[str, tuple[Interval, Interval]],
    on_bad_patch: str,
    on_nonfinite: str,
    on_wrong_unit: str,
    group: str | None,
    workers: int,
    manifest: Path,
    audit_json: Path,
) -> None:
    """Look at all input once; write what it holds, or refuse it and write nothing.

    Parameters
    ----------
    train_labels, test_ids, test_labels
        CSV files of ID,label, of ID, and of ID,label where the answers are known.
    train_patches, test_patches
        Folders of <ID>.npy, (row, column, channel).
    channels
        Name -> unit, in the order of the patches' last axis.
    units
        Unit -> (plausible, magnitude): where its pixels lie, and their median magnitude.
    on_bad_patch
        "refuse" truncated or unreadable patches, or "drop" them: status dropped.
    on_nonfinite
        "refuse" NaN and infinity, or let the store "fill" them.
    on_wrong_unit
        "refuse" a channel whose magnitude does not fit its unit, or "report" it.
    group
        Column of `train_labels`; patches of one value are of one group.
    workers
        Processes that read patches.
    manifest
        Parquet of id, split ("train", "test"), label (Int8), path, sha256, status ("ok", "empty":
        every channel constant, "dropped"), group (int64; copies share one). Train in the order of
        its CSV, then test.
    audit_json
        The audit; `landslip.data.audit_page` makes it a page.

    Raises
    ------
    InputError
        What is wrong with the input: first all mistakes of tables, ids and files in one message;
        with those mended, all of patches and units.
    """
    inputs = list_inputs(
        train_labels=train_labels,
        train_patches=train_patches,
        test_ids=test_ids,
        test_patches=test_patches,
        test_labels=test_labels,
        group=group,
    )
    table = inputs.table
    paths = [Path(path) for path in table["path"]]
    log.info("looking at %d patches", len(paths))
    shape = _first_shape(paths, len(channels))
    plausible = [units[unit][0] for unit in channels.values()]
    survey = survey_patches(
        paths, channels=len(channels), shape=shape, plausible=plausible, workers=workers
    )
    unit_checks = check_units(survey, channels, units)
    names = list(channels)
    drop, fill = on_bad_patch == "drop", on_nonfinite == "fill"
    problems = find_faults(table, survey, names, drop=drop, fill=fill)
    if on_wrong_unit == "refuse":
        problems += [check.sentence for check in unit_checks if not check.fits]
        if not all(check.fits for check in unit_checks):
            problems.append(
                "units: see channels.*.unit, the order of channels, and units in the config; "
                "data.on_wrong_unit: report lets them pass"
            )
    status = _status(survey)
    problems += [
        f"no {split} patch can be used: all {len(rows)} are empty or set aside"
        for split, rows in table.assign(status=status).groupby("split", sort=False)
        if not (rows["status"] == "ok").any() and not problems
    ]
    if problems or shape is None:
        raise InputError(refusal(problems))
    copies = _find_copies(paths, survey, status, shape)
    frame = pd.DataFrame(
        {
            "id": table["id"],
            "split": table["split"],
            "label": table["label"].astype("Int8"),
            "path": table["path"],
            "sha256": [digest or None for digest in survey.sha256.tolist()],
            "status": status,
            "group": _groups(table.get("group"), copies, len(table)),
        }
    )
    audit = build_audit(
        Findings(
            manifest=frame,
            survey=survey,
            channels=names,
            plausible=plausible,
            unit_checks=unit_checks,
            copies=copies,
            strays=inputs.strays,
            shape=shape,
            group=group,
        )
    )
    write_json(audit_json, audit)
    write_parquet(manifest, frame)
    for sentence in audit["warnings"]:
        log.warning("%s", sentence)


def _first_shape(paths: Sequence[Path], channels: int) -> tuple[int, int] | None:
    """Rows and columns of the first patch that has a sound header."""
    shapes = (patch_shape(path, channels) for path in paths)
    return next((shape for shape in shapes if shape is not None), None)


def _status(survey: Survey) -> NDArray[np.str_]:
    """ok, empty or dropped; patches that stop the work have none."""
    empty = survey.constant.all(axis=1)
    return np.where(survey.fault != "", "dropped", np.where(empty, "empty", "ok"))


def _find_copies(
    paths: Sequence[Path], survey: Survey, status: NDArray[np.str_], shape: tuple[int, int]
) -> list[list[tuple[int, str]]]:
    """Groups of usable patches that are copies, by their rows in the manifest."""
    rows = np.flatnonzero(status == "ok").tolist()
    channels = survey.constant.shape[1]
    groups = find_copies(
        survey.fingerprint[rows],
        survey.sha256[rows].tolist(),
        lambda position: as_float32(read_patch(paths[rows[position]], channels, shape)),
    )
    return [[(rows[position], symmetry) for position, symmetry in group] for group in groups]


def _groups(
    column: pd.Series | None, copies: Sequence[Sequence[tuple[int, str]]], n: int
) -> NDArray[np.int64]:
    """Numbers that patches share if they are copies or of one value of the column, directly or
    through others, in the order of the first patch of each."""
    pairs = [(group[0][0], row) for group in copies for row, _ in group]
    if column is not None:
        for rows in column.groupby(column).indices.values():
            pairs += [(int(rows[0]), int(row)) for row in rows]
    ends = np.array(pairs, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(n, n))
    _, parts = connected_components(links, directed=False)
    return pd.factorize(parts)[0].astype(np.int64)
