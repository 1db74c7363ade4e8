"""The audit: what the input holds, what was wrong with it, and what was done about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from landslip.data.problems import shortened
from landslip.data.summary import Missing, Summary
from landslip.data.units import UnitCheck

# Share of a channel's pixels outside the plausible range that is worth a warning.
_OUTSIDE = 0.01
_SPLITS = ("train", "test")


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything an audit is made of. The manifest has one row for each patch."""

    manifest: pd.DataFrame
    summary: Summary
    channels: Sequence[str]
    plausible: Sequence[tuple[float, float]]
    unit_checks: Sequence[UnitCheck]
    wrong_patches: Sequence[str]
    """Sentences on patches in another unit than the rest."""
    oddities: Sequence[str]
    """Sentences on what is physically odd."""
    copies: Sequence[Sequence[tuple[int, str]]]
    """Groups of (row of the manifest, symmetry that turns the group's first patch into it)."""
    strays: Mapping[str, Sequence[str]]
    respelt: Mapping[str, Sequence[str]]
    """Split -> ids whose files' names have another Unicode form."""
    shape: tuple[int, int]
    group: str | None
    """The CSV's column that groups patches, if one is named."""
    notes: Sequence[str] = ()
    """What was done before patches were listed; of windows of scenes."""


def build_audit(findings: Findings) -> dict[str, Any]:
    """The audit as JSON has it: dicts, lists, strings, numbers, None; no NaN.

    Returns
    -------
    dict
        warnings and done (sentences), counts (by split), patch (size, dtypes), channels (one dict
        each), missing (patches with pixels without data), copies (groups), dropped, empty,
        files_without_id, ids_in_both_splits, ids_spelt_otherwise.
    """
    manifest = findings.manifest
    audit: dict[str, Any] = {
        "counts": {
            split: _counts(manifest.loc[manifest["split"] == split, ["status", "label"]])
            for split in _SPLITS
        },
        "patch": {
            "rows": findings.shape[0],
            "columns": findings.shape[1],
            "channels": len(findings.channels),
            "dtypes": findings.summary.dtypes,
        },
        "channels": _channels(findings),
        "missing": [
            {**_patch(manifest, row), "pixels": _missing(missing, findings.channels)}
            for row, missing in sorted(findings.summary.missing.items())
        ],
        "copies": _copies(findings),
        "dropped": [
            {**_patch(manifest, row), "reason": fault.sentence}
            for row, fault in sorted(findings.summary.faults.items())
        ],
        "empty": manifest.loc[manifest["status"] == "empty", ["id", "split"]].to_dict("records"),
        "files_without_id": {split: list(findings.strays[split]) for split in _SPLITS},
        "ids_in_both_splits": _in_both(manifest),
        "ids_spelt_otherwise": {split: list(findings.respelt[split]) for split in _SPLITS},
    }
    return {"warnings": _warnings(audit, findings), "done": _done(audit, findings), **audit}


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    status = rows["status"].value_counts()
    labels = rows.loc[rows["status"] == "ok", "label"]
    return {
        "patches": len(rows),
        **{name: int(status.get(name, 0)) for name in ("ok", "empty", "dropped")},
        "landslides": int((labels == 1).sum()),
        "others": int((labels == 0).sum()),
        "unlabelled": int(labels.isna().sum()),
    }


def _patch(manifest: pd.DataFrame, row: int) -> dict[str, str]:
    """Which patch a row is."""
    return {name: str(manifest[name].iloc[row]) for name in ("id", "split")}


def _channels(findings: Findings) -> list[dict[str, Any]]:
    summary = findings.summary
    pixels = summary.usable * findings.shape[0] * findings.shape[1]
    holes = {
        kind: np.array(
            [getattr(found, kind) for found in summary.missing.values()], np.int64
        ).reshape(-1, len(findings.channels))
        for kind in ("nonfinite", "sentinel", "zero")
    }
    missing = holes["nonfinite"] + holes["sentinel"] + holes["zero"]
    table = []
    for i, (name, check) in enumerate(zip(findings.channels, findings.unit_checks, strict=True)):
        low, high = summary.low[i], summary.high[i]
        outside = int(summary.outside[i])
        table.append(
            {
                "name": name,
                "unit": check.unit,
                "min": float(low) if np.isfinite(low) else None,
                "max": float(high) if np.isfinite(high) else None,
                "median_magnitude": check.magnitude,
                "expected_magnitude": list(check.expected),
                "unit_fits": check.fits,
                "plausible": list(findings.plausible[i]),
                "outside_plausible": outside,
                "outside_share": outside / max(pixels - int(missing[:, i].sum()), 1),
                **{f"{kind}_pixels": int(found[:, i].sum()) for kind, found in holes.items()},
                "missing_patches": int((missing[:, i] > 0).sum()),
                "constant_patches": int(summary.constant[i]),
            }
        )
    return table


def _missing(found: Missing, channels: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Channel -> its pixels without data by kind, and the most frequent value of sentinels."""
    holes: dict[str, dict[str, Any]] = {}
    for i, name in enumerate(channels):
        counts = {kind: int(getattr(found, kind)[i]) for kind in ("nonfinite", "sentinel", "zero")}
        if any(counts.values()):
            value = float(found.sentinel_value[i]) if counts["sentinel"] else None
            holes[name] = {**counts, "sentinel_value": value}
    return holes


def _kinds(audit: Mapping[str, Any]) -> str:
    """How many pixels are without data, and what stands there."""
    holes = [hole for patch in audit["missing"] for hole in patch["pixels"].values()]
    parts = []
    if nonfinite := sum(hole["nonfinite"] for hole in holes):
        parts.append(f"NaN or infinity {nonfinite:,} times")
    values = sorted({hole["sentinel_value"] for hole in holes} - {None})
    if values:
        total = sum(hole["sentinel"] for hole in holes)
        parts.append(f"{shortened([f'{value:.6g}' for value in values], 5)} {total:,} times")
    if zero := sum(hole["zero"] for hole in holes):
        parts.append(f"zero in all channels of a sensor {zero:,} times")
    return "; ".join(parts)


def _copies(findings: Findings) -> list[dict[str, Any]]:
    named = findings.manifest.iloc[sorted({i for group in findings.copies for i, _ in group})]
    ids, splits = named["id"].to_dict(), named["split"].to_dict()
    labels = {
        i: None if pd.isna(label) else int(label) for i, label in named["label"].to_dict().items()
    }
    return [
        {
            "patches": [
                {"id": ids[i], "split": splits[i], "label": labels[i], "symmetry": symmetry}
                for i, symmetry in group
            ],
            "conflict": len({labels[i] for i, _ in group} - {None}) > 1,
            "across_splits": len({splits[i] for i, _ in group}) > 1,
        }
        for group in findings.copies
    ]


def _in_both(manifest: pd.DataFrame) -> list[str]:
    train, test = (manifest.loc[manifest["split"] == split, "id"] for split in _SPLITS)
    return sorted(set(test[test.isin(train)]))


def number(count: int, noun: str) -> str:
    """`1 patch`, `12,545 patches`."""
    plural = noun + ("es" if noun.endswith("ch") else "s")
    return f"{count:,} {noun if count == 1 else plural}"


def _listed(patches: Sequence[Mapping[str, Any]]) -> str:
    return shortened([f"{patch['id']} ({patch['split']})" for patch in patches])


def _warnings(audit: Mapping[str, Any], findings: Findings) -> list[str]:
    """What a person should look at, the gravest first."""
    return [
        *_label_warnings(audit),
        *(f"Wrong unit: {check.sentence}." for check in findings.unit_checks if not check.fits),
        *(f"Wrong unit: {sentence}." for sentence in findings.wrong_patches),
        *findings.oddities,
        *_copy_warnings(audit, findings),
        *_patch_warnings(audit),
        *_channel_warnings(audit),
    ]


def _label_warnings(audit: Mapping[str, Any]) -> list[str]:
    sentences = []
    for split, name in (("train", "training"), ("test", "test")):
        counts = audit["counts"][split]
        labelled = counts["landslides"] + counts["others"]
        if labelled and not (counts["landslides"] and counts["others"]):
            only = "1" if counts["landslides"] else "0"
            hint = "; the template of a submission?" if split == "test" else ""
            sentences.append(f"All {labelled:,} labels of the {name} patches are {only}{hint}")
    return [text if text.endswith("?") else f"{text}." for text in sentences]


def _copy_warnings(audit: Mapping[str, Any], findings: Findings) -> list[str]:
    sentences = []
    groups = audit["copies"]
    across = [group for group in groups if group["across_splits"]]
    if across:
        sentences.append(
            f"Copies of training patches are in the test set ({number(len(across), 'group')}): "
            "test scores of those say nothing about new places."
        )
    conflicts = [group for group in groups if group["conflict"]]
    if conflicts:
        first = [group["patches"][0] for group in conflicts]
        sentences.append(
            f"Copies have different labels ({number(len(conflicts), 'group')}), so that some are "
            f"wrong: those of {_listed(first)}."
        )
    train = [[p for p in group["patches"] if p["split"] == "train"] for group in groups]
    within = sum(len(patches) for patches in train if len(patches) > 1)
    if within:
        also = f", beside the column {findings.group}" if findings.group else ""
        sentences.append(
            f"{number(within, 'training patch')} are copies of one another, as they are, turned or "
            "mirrored: OOF scores are too good where copies lie in different folds. "
            f"folds.scheme: grouped keeps them together{also}."
        )
    if audit["ids_in_both_splits"]:
        ids = audit["ids_in_both_splits"]
        sentences.append(f"Train and test share {number(len(ids), 'id')}: {shortened(ids)}.")
    return sentences


def _patch_warnings(audit: Mapping[str, Any]) -> list[str]:
    sentences = []
    for patches, one, several, what in (
        (audit["dropped"], "was", "were", "set aside, truncated or unreadable"),
        (audit["empty"], "is", "are", "empty, with every channel constant: no prediction"),
        (audit["missing"], "has", "have", f"pixels without data ({_kinds(audit)}), to be filled"),
    ):
        if patches:
            verb = one if len(patches) == 1 else several
            sentences.append(f"{number(len(patches), 'patch')} {verb} {what}: {_listed(patches)}.")
    for split, files in audit["files_without_id"].items():
        if files:
            count = number(len(files), "file")
            sentences.append(f"{count} of {split} without an id, unused: {shortened(files)}.")
    dtypes = audit["patch"]["dtypes"]
    if len(dtypes) > 1:
        counts = ", ".join(f"{count:,} {name}" for name, count in dtypes.items())
        sentences.append(f"Patches come in different dtypes ({counts}): in the same units?")
    return sentences


def _channel_warnings(audit: Mapping[str, Any]) -> list[str]:
    sentences = []
    without = [channel for channel in audit["channels"] if channel["median_magnitude"] is None]
    if without:
        names = shortened([channel["name"] for channel in without])
        sentences.append(f"No patch has data in {names}; the unit could not be checked.")
    for channel in audit["channels"]:
        if channel["outside_share"] > _OUTSIDE:
            low, high = channel["plausible"]
            sentences.append(
                f"{100 * channel['outside_share']:.1f} % of the pixels of {channel['name']} lie "
                f"outside {low:g} to {high:g} ({channel['unit']})."
            )
    empty = len(audit["empty"])
    constant = [
        f"{channel['name']} in {number(channel['constant_patches'] - empty, 'patch')}"
        for channel in audit["channels"]
        if channel["constant_patches"] > empty
    ]
    if constant:
        sentences.append(f"Some channels have no data where others do: {', '.join(constant)}.")
    return sentences


def _done(audit: Mapping[str, Any], findings: Findings) -> list[str]:
    """What was done with the input, and how it was looked at."""
    sample = findings.summary.sample.shape[1]
    total = sum(counts["patches"] for counts in audit["counts"].values())
    what = "windows of scenes" if findings.notes else "files"
    sentences = [
        f"Every one of {total:,} {what} was read and its SHA-256 noted in the manifest.",
        "Pixels were judged as float32, to which integers and floats of any width are rounded.",
        f"Units were checked by the median magnitude of {number(sample, 'pixel')} of each patch, "
        "at random positions, the same in all; channels constant in a patch were left out.",
        "Finite pixels are without data where their value is declared as nodata, or is outside the "
        "plausible range and a usual sentinel or farther outside than the range is wide, or where "
        "all channels of reflectance, or both polarisations of an orbit, are zero at once, unless "
        "data.on_zeros is keep.",
        "Copies were sought under the symmetries of the square, within and across train and test, "
        "and confirmed pixel by pixel; empty patches were left out.",
    ]
    for split, ids in audit["ids_spelt_otherwise"].items():
        if ids:
            sentences.append(
                f"{number(len(ids), 'id')} of {split} were taken for files whose names differ in "
                f"the Unicode form of their letters alone: {shortened(ids)}."
            )
    if findings.group:
        sentences.append(f"Patches are grouped by the column {findings.group}, and copies joined.")
    sentences += [f"{note[0].upper()}{note[1:]}." for note in findings.notes]
    test = audit["counts"]["test"]
    if not test["landslides"] + test["others"]:
        absent = "labels" if test["patches"] else "patches"
        sentences.append(f"There are no test {absent}: test scores are left out of the report.")
    return sentences
