"""The patches that the tables name, each with its file; or all that keeps them from being used."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from landslip.data.matching import PatchFolder, list_folder, respelt
from landslip.data.patches import check_id, check_link, patch_shape
from landslip.data.problems import Item, Problem, forget_refusal, printable, refusal
from landslip.data.records import read_listing_summary
from landslip.data.tables import read_ids, read_labels
from landslip.io.files import InputError, write_json, write_parquet

# Patches whose headers tell the size that most have.
_HEADERS = 101


@dataclass(frozen=True)
class Inputs:
    """The patches that the tables name, and their files, before one is opened."""

    table: pd.DataFrame
    """id, split ("train", "test"), label (Int8), path, and group (str, null in test) if asked for;
    train in the order of its CSV, then test."""
    strays: dict[str, list[str]]
    """Split -> names of patch files that no id stands for; marks that none can see spelt out."""
    respelt: dict[str, list[str]]
    """Split -> ids whose files' names have another Unicode form."""


@dataclass(frozen=True)
class PatchesOf:
    """One CSV, or a folder without one, and the folder of its patches."""

    name: str
    """Of the split."""
    csv: Path
    folder: Path
    table: pd.DataFrame


def write_listing(*, channels: int, listing: Path, listing_summary: Path, **sources: Any) -> None:
    """List the tables' patches and their files, and write that.

    Parameters
    ----------
    channels
        Length of a patch's last axis.
    listing, listing_summary
        Parquet, the table of `Inputs`; JSON, the rest of it and the shape that every patch must
        have: that of most, among the first hundred whose headers are sound.
    **sources
        See `list_inputs`, also for what is refused.
    """
    inputs = list_inputs(**sources)
    shapes: Counter[tuple[int, int]] = Counter()
    for path in inputs.table["path"]:
        shape = patch_shape(Path(path), channels)
        shapes.update([shape] if shape else [])
        if shapes.total() == _HEADERS:
            break
    most = shapes.most_common(1)
    write_parquet(listing, inputs.table)
    write_json(
        listing_summary,
        {
            "strays": inputs.strays,
            "respelt": inputs.respelt,
            "shape": most[0][0] if most else None,
        },
    )


def read_shape(listing_summary: Path) -> tuple[int, int] | None:
    """Rows and columns that every patch must have; None where no patch has a sound header."""
    shape = read_listing_summary(listing_summary)["shape"]
    return None if shape is None else (int(shape[0]), int(shape[1]))


def list_inputs(
    *,
    train_labels: Path,
    train_patches: Path,
    test_ids: Path,
    test_patches: Path,
    test_labels: Path | None,
    group: str | None,
    links_into: Path | None,
    listed: Path,
) -> Inputs:
    """Read the tables and find every patch's file, without opening one.

    Parameters
    ----------
    train_labels
        CSV of ID and label.
    train_patches, test_patches
        Folders of <ID>.npy.
    test_ids
        CSV of ID, in the order of the submission.
    test_labels
        CSV of ID and label with the ids of `test_ids` in any order; None: labels are those of
        `test_ids`, if it has any.
    group
        A further column of `train_labels`.
    links_into
        A folder that links among the patches may lead into; None: they must not leave their own.
    listed
        Text file for what a refusal has no room for.

    Raises
    ------
    InputError
        Tables that cannot be read, rows with mistakes, ids without file or that lead out of the
        folder: all of them in one message.
    """
    forget_refusal(listed)
    problems: list[Problem] = []
    splits = []
    for name, csv, folder in (
        ("train", train_labels, train_patches),
        ("test", test_ids, test_patches),
    ):
        try:
            table, found = read_labels(csv, group=group) if name == "train" else read_ids(csv)
        except InputError as error:
            problems.append(Problem(str(error)))
        else:
            problems += found
            splits.append(PatchesOf(name, csv, folder, table))
    if test_labels is not None and splits and splits[-1].name == "test":
        try:
            _add_labels(splits[-1], test_labels, problems)
        except InputError as error:
            problems.append(Problem(str(error)))
    tables, strays, others = [], {}, {}
    folders: dict[str, PatchFolder] = {}
    for split in splits:
        try:
            folders[split.name] = list_folder(split.folder)
        except InputError as error:
            problems.append(Problem(str(error)))
    files = {
        split.name: folders[split.name].files(split.table["id"].unique().tolist())
        for split in splits
        if split.name in folders
    }
    for split in splits:
        if split.name not in folders:
            continue
        of_split = files[split.name]
        tables.append(with_paths(split, folders[split.name], of_split, links_into, problems))
        used = {
            file
            for other in splits
            if _same(other, split)
            for file in files.get(other.name, {}).values()
        }
        strays[split.name] = [printable(name) for name in folders[split.name].unused(used)]
        others[split.name] = [name for name, file in of_split.items() if file != f"{name}.npy"]
    if problems:
        for split in splits:
            if names := strays.get(split.name):
                text = (
                    f"{split.folder}: files without an id in {split.csv}, in themselves no obstacle"
                )
                problems.append(Problem(text, [Item(name) for name in names]))
        raise refusal(problems, listed)
    return Inputs(pd.concat(tables, ignore_index=True), strays, others)


def _same(one: PatchesOf, other: PatchesOf) -> bool:
    """Whether two splits keep their patches in the same folder."""
    return one.folder.resolve() == other.folder.resolve()


def with_paths(
    split: PatchesOf,
    folder: PatchFolder,
    files: dict[str, str],
    links_into: Path | None,
    problems: list[Problem],
) -> pd.DataFrame:
    """The split's table with a path for every id; what is wrong is added to `problems`."""
    missing, unusable = [], []
    for patch_id in split.table["id"].unique().tolist():
        cause = "" if patch_id in files else folder.cause(patch_id)
        path = split.folder / files.get(patch_id, f"{patch_id}.npy")
        try:
            if patch_id and not cause:
                check_id(patch_id)
            if patch_id in files:
                check_link(path, links_into)
        except InputError as error:
            note = f"to {os.readlink(path)}" if patch_id in files and path.is_symlink() else ""
            unusable.append(Item(patch_id, str(error), note))
            continue
        dead = patch_id in files and path.is_symlink() and not path.exists()
        if patch_id and (dead or patch_id not in files):
            missing.append(Item(patch_id, folder.cause(patch_id) if dead else cause))
    if unusable:
        text = f"{split.csv}: {_count(unusable)} cannot be used with {split.folder}"
        problems.append(Problem(text, unusable))
    if missing:
        total = split.table["id"].nunique()
        which = f"none of the {total:,} ids" if len(missing) == total else _count(missing)
        verb = "has" if which.startswith(("none", "1 ")) else "have"
        text = (
            f"{which} of {split.csv} {verb} {'a' if which.startswith('none') else 'no'} file in "
            f"{split.folder}; name the right folder, add the files or take out the rows"
        )
        problems.append(Problem(text, missing))
    if unusable or missing or (split.table["id"] == "").any():
        return split.table
    paths = [str(split.folder / files[name]) for name in split.table["id"]]
    return split.table.assign(split=split.name, path=paths)


def _add_labels(test: PatchesOf, path: Path, problems: list[Problem]) -> None:
    """Take the test labels from a table of their own."""
    answers, found = read_labels(path)
    problems += found
    if found:
        return
    label_of = dict(zip(answers["id"], answers["label"], strict=True))
    ids = test.table["id"].tolist()
    missing = [name for name in dict.fromkeys(ids) if name not in label_of]
    spelling_of = respelt(missing, ids, label_of.keys() - set(ids))
    absent = [name for name in missing if name not in spelling_of]
    excess = sorted(label_of.keys() - set(ids) - set(spelling_of.values()))
    if absent:
        text = f"{path} has no label for these of the test ids"
        problems.append(Problem(text, [Item(name) for name in absent]))
    if excess:
        text = f"{path} has ids that {test.csv} lacks"
        problems.append(Problem(text, [Item(name) for name in excess]))
    labels = [label_of.get(spelling_of.get(name, name)) for name in ids]
    test.table["label"] = pd.Series(labels, dtype="Int8")


def _count(ids: list[Item]) -> str:
    return "1 id" if len(ids) == 1 else f"{len(ids):,} ids"
