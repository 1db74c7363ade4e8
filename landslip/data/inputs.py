"""The patches that the tables name, each with its file; or all that keeps them from being used."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from landslip.data.patches import patch_path, patch_shape
from landslip.data.tables import read_ids, read_labels
from landslip.files import InputError, read_json, write_json, write_parquet

_LISTED = 10


@dataclass(frozen=True)
class Inputs:
    """What there is to work with, before any patch is opened."""

    table: pd.DataFrame
    """id, split ("train", "test"), label (Int8), path, and group (str, null in test) if asked for;
    train in the order of its CSV, then test."""
    strays: dict[str, list[str]]
    """Split -> names of patch files that no id stands for."""


@dataclass(frozen=True)
class _Split:
    """One CSV and the folder of its patches."""

    name: str
    csv: Path
    folder: Path
    table: pd.DataFrame


def write_listing(*, channels: int, listing: Path, facts: Path, **sources: Any) -> None:
    """Write what there is to work with.

    Parameters
    ----------
    channels
        Length of a patch's last axis.
    listing, facts
        Parquet, the table of `Inputs`; JSON, its strays and the shape that every patch must have,
        that of the first whose header is sound.
    **sources
        See `list_inputs`, also for what is refused.
    """
    inputs = list_inputs(**sources)
    shapes = (patch_shape(Path(path), channels) for path in inputs.table["path"])
    shape = next((shape for shape in shapes if shape is not None), None)
    write_parquet(listing, inputs.table)
    write_json(facts, {"strays": inputs.strays, "shape": shape})


def read_shape(facts: Path) -> tuple[int, int] | None:
    """Rows and columns that every patch must have; None where no patch has a sound header."""
    shape = read_json(facts)["shape"]
    return None if shape is None else (int(shape[0]), int(shape[1]))


def list_inputs(
    *,
    train_labels: Path,
    train_patches: Path,
    test_ids: Path,
    test_patches: Path,
    test_labels: Path | None,
    group: str | None,
) -> Inputs:
    """Read the tables and find every patch's file, without opening one.

    Parameters
    ----------
    test_labels
        CSV of ID and label with the ids of `test_ids` in any order; None: labels are those of
        `test_ids`, if it has any.
    group
        A further column of `train_labels`.

    Raises
    ------
    InputError
        Tables that cannot be read, rows with mistakes, ids without file or that lead out of the
        folder: all of them in one message.
    """
    problems: list[str] = []
    splits = []
    for name, csv, folder in (
        ("train", train_labels, train_patches),
        ("test", test_ids, test_patches),
    ):
        try:
            table, found = read_labels(csv, group=group) if name == "train" else read_ids(csv)
        except InputError as error:
            problems.append(str(error))
        else:
            problems += found
            splits.append(_Split(name, csv, folder, table))
    if test_labels is not None and splits and splits[-1].name == "test":
        try:
            _add_answers(splits[-1], test_labels, problems)
        except InputError as error:
            problems.append(str(error))
    tables, strays = [], {}
    for split in splits:
        try:
            names = _patch_files(split.folder)
        except InputError as error:
            problems.append(str(error))
            continue
        tables.append(_with_paths(split, names, problems))
        known = {name for other in splits if _same(other, split) for name in other.table["id"]}
        strays[split.name] = sorted(names - {f"{name}.npy" for name in known})
    if problems:
        for split in splits:
            if files := strays.get(split.name):
                problems.append(
                    f"{split.folder}: files without an id in {split.csv}, in themselves no "
                    f"obstacle: {shortened(files, 100)}"
                )
        raise InputError(refusal(problems))
    return Inputs(pd.concat(tables, ignore_index=True), strays)


def refusal(problems: Iterable[str]) -> str:
    """One message of all problems, an item each."""
    return "the data cannot be used as it is:\n" + "\n".join(f"- {text}" for text in problems)


def shortened(names: Sequence[str], limit: int = _LISTED) -> str:
    """The first names and how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _same(one: _Split, other: _Split) -> bool:
    """Whether two splits keep their patches in the same folder."""
    return one.folder.resolve() == other.folder.resolve()


def _patch_files(folder: Path) -> set[str]:
    """Names of the .npy files, hidden ones left out."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise InputError(
            f"cannot list the patch folder {folder} ({error.strerror}); "
            "set data.folder, or data.train.patches and data.test.patches"
        ) from error
    return {name for name in names if name.endswith(".npy") and not name.startswith(".")}


def _with_paths(split: _Split, names: set[str], problems: list[str]) -> pd.DataFrame:
    """The split's table with a path for every id; what is wrong is added to `problems`."""
    paths, missing, unsafe = [], [], []
    for patch_id in split.table["id"]:
        try:
            path = patch_path(split.folder, patch_id)
        except InputError as error:
            if patch_id:  # an empty id is a mistake of the table, which has been noted
                unsafe.append(str(error))
            continue
        paths.append(str(path))
        if path.name not in names or (path.is_symlink() and not path.exists()):
            missing.append(patch_id)
    problems += [f"{split.csv}: {text}" for text in unsafe]
    missing = list(dict.fromkeys(missing))
    if missing and len(missing) == split.table["id"].nunique():
        problems.append(
            f"none of the {len(missing)} ids of {split.csv} has a file in {split.folder} "
            f"({shortened([f'{name}.npy' for name in missing], 3)}); name the right folder"
        )
    elif missing:
        problems.append(
            f"no file in {split.folder} for {len(missing)} of the ids of {split.csv}; add the "
            f"files or take out the rows: {', '.join(missing)}"
        )
    if len(paths) < len(split.table):
        return split.table
    return split.table.assign(split=split.name, path=paths)


def _add_answers(test: _Split, path: Path, problems: list[str]) -> None:
    """Take the test labels from a table of their own."""
    answers, found = read_labels(path)
    problems += found
    if found:
        return
    absent = sorted(set(test.table["id"]) - set(answers["id"]))
    excess = sorted(set(answers["id"]) - set(test.table["id"]))
    if absent:
        problems.append(f"{path} has no label for these of the test ids: {shortened(absent)}")
    if excess:
        problems.append(f"{path} has ids that {test.csv} lacks: {shortened(excess)}")
    test.table["label"] = test.table["id"].map(answers.set_index("id")["label"]).astype("Int8")
