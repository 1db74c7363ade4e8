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
from landslip.data.inputs import read_shape
from landslip.data.patches import as_float32, read_patch
from landslip.data.problems import Problem, forget_refusal, refusal
from landslip.data.summary import Summary, summarise
from landslip.data.survey import read_survey
from landslip.files import InputError, read_json, read_parquet, write_json, write_parquet

log = logging.getLogger(__name__)


def build_manifest(
    *,
    listing: Path,
    facts: Path,
    surveys: Sequence[Path],
    channels: Mapping[str, str],
    units: Mapping[str, tuple[Interval, Interval]],
    on_bad_patch: str,
    on_nonfinite: str,
    on_wrong_unit: str,
    group: str | None,
    manifest: Path,
    audit_json: Path,
    listed: Path,
) -> None:
    """Judge all input by what the surveys found; write what it holds, or refuse it.

    Parameters
    ----------
    listing, facts
        As `landslip.data.inputs.write_listing` writes them.
    surveys
        Of the listing's shards, in its order.
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
        Column of the training labels; patches of one value are of one group.
    manifest
        Parquet of id, split ("train", "test"), label (Int8), path, sha256, status ("ok", "empty":
        every channel constant, "dropped"), group (int64; copies share one). Train in the order of
        its CSV, then test.
    audit_json
        The audit; `landslip.data.audit_page` makes it a page.
    listed
        Text file for what a refusal has no room for.

    Raises
    ------
    InputError
        Everything that is wrong with patches and units, in one message; or surveys are damaged or
        of another listing.
    """
    table = read_parquet(listing)
    forget_refusal(listed)
    names_in_folders, shape = read_json(facts), read_shape(facts)
    summary = summarise(read_survey(path) for path in surveys)
    if len(summary.sha256) != len(table):
        raise InputError(
            f"{listing} lists {len(table)} patches, {surveys[0].parent} has looked at "
            f"{len(summary.sha256)}; delete both and run again"
        )
    unit_checks = check_units(summary, channels, units)
    names = list(channels)
    drop, fill = on_bad_patch == "drop", on_nonfinite == "fill"
    problems = find_faults(table, summary, names, drop=drop, fill=fill)
    if on_wrong_unit == "refuse":
        problems += [Problem(check.sentence) for check in unit_checks if not check.fits]
        if not all(check.fits for check in unit_checks):
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
    copies = _find_copies(table["path"], summary, status, shape, len(channels))
    frame = pd.DataFrame(
        {
            "id": table["id"],
            "split": table["split"],
            "label": table["label"].astype("Int8"),
            "path": table["path"],
            "sha256": _texts(summary.sha256),
            "status": status,
            "group": _groups(table.get("group"), copies, len(table)),
        }
    )
    audit = build_audit(
        Findings(
            manifest=frame,
            summary=summary,
            channels=names,
            plausible=[units[unit][0] for unit in channels.values()],
            unit_checks=unit_checks,
            copies=copies,
            strays=names_in_folders["strays"],
            respelt=names_in_folders["respelt"],
            shape=shape,
            group=group,
        )
    )
    write_json(audit_json, audit)
    write_parquet(manifest, frame)
    for sentence in audit["warnings"]:
        log.warning("%s", sentence)


def _find_copies(
    paths: pd.Series,
    summary: Summary,
    status: Sequence[str],
    shape: tuple[int, int],
    channels: int,
) -> list[list[tuple[int, str]]]:
    """Groups of usable patches that are copies, by their rows in the manifest."""
    rows = np.flatnonzero(np.array(status) == "ok")
    groups = find_copies(
        summary.fingerprint[rows],
        summary.sha256[rows],
        lambda position: as_float32(
            read_patch(Path(paths.iloc[int(rows[position])]), channels, shape)
        ),
    )
    return [[(int(rows[position]), symmetry) for position, symmetry in group] for group in groups]


def _texts(digests: NDArray[np.bytes_], at_once: int = 8192) -> pd.Series:
    """As a column; as Python's strings all of them would take three times the room."""
    blocks = (digests[at : at + at_once].tolist() for at in range(0, len(digests), at_once))
    return pd.concat(
        [pd.Series([d.decode() or None for d in block], dtype="str") for block in blocks],
        ignore_index=True,
    )


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
