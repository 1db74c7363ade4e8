"""New patches in a folder: which there are, and how jobs share them."""

from pathlib import Path

import pandas as pd

from landslip.data.inputs import PatchesOf, with_paths
from landslip.data.listing import check_sources, content_digest, listing_digest
from landslip.data.matching import PatchFolder, list_folder
from landslip.data.patches import SUFFIX
from landslip.data.problems import Item, Problem, forget_refusal, is_text, printable, refusal
from landslip.data.ranges import count_lines, shards_for
from landslip.data.tables import read_ids
from landslip.io.files import InputError, write_json, write_parquet

SPLIT = "test"
# Shards begin at multiples of so many patches, as networks' blocks do: where they are cut changes
# no bit of an answer.
ALIGNED = 256


def shards_of_folder(folder: Path, patches_per_shard: int) -> int:
    """How many jobs share a folder; more than needed where its CSV has empty lines.

    Raises
    ------
    InputError
        There is no such folder, or it holds more than one CSV.
    """
    found = list_folder(folder)
    csv = find_csv(found)
    if csv is not None:
        check_sources(str(csv))
    patches = len(found.patches) if csv is None else count_lines(csv)
    return shards_for(patches, patches_per_shard)


def folder_digests(folder: Path) -> list[str]:
    """Digests of the patches' names and sizes, and of the contents of the tables beside them.

    Raises
    ------
    InputError
        There is no such folder.
    """
    tables = [folder / name for name in _tables(list_folder(folder))]
    return [listing_digest(folder), *map(content_digest, tables)]


def find_csv(folder: PatchFolder) -> Path | None:
    """The CSV that says which patches are meant, in what order; None: all, by name.

    Raises
    ------
    InputError
        There are several.
    """
    tables = _tables(folder)
    if len(tables) > 1:
        raise InputError(
            f"{folder.path} holds {', '.join(tables)}; leave the one that lists the patches"
        )
    return folder.path / tables[0] if tables else None


def _tables(folder: PatchFolder) -> list[str]:
    return sorted(name for name in folder.names if name.lower().endswith((".csv", ".csv.gz")))


def write_new_listing(
    folder: Path, *, size: tuple[int, int], listing: Path, listing_summary: Path, listed: Path
) -> None:
    """List new patches.

    Parameters
    ----------
    folder
        Of .npy files (row, column, channel), and of at most one CSV with the column ID.
    size
        Rows and columns that every patch must have.
    listing, listing_summary
        As `landslip.data.inputs.write_listing` writes them.
    listed
        Text file for what a refusal has no room for.

    Raises
    ------
    InputError
        There is no patch, or the CSV names some that are not there.
    """
    forget_refusal(listed)
    found = list_folder(folder)
    csv = find_csv(found)
    problems: list[Problem] = []
    if csv is None:
        names = sorted(found.patches)
        if odd := [name for name in names if not is_text(name)]:
            text = f"{folder}: files whose names are no UTF-8, which no table can hold; rename them"
            raise refusal([Problem(text, [Item(name) for name in odd])], listed)
        ids = [name.removesuffix(SUFFIX) for name in names]
        table = pd.DataFrame({"id": pd.Series(ids, dtype="str")})
    else:
        table, problems = read_ids(csv)
    if table.empty:
        raise InputError(f"{csv or folder}: there is no patch (*{SUFFIX}) to answer for")
    files = found.files(table["id"].unique().tolist())
    of = PatchesOf(SPLIT, csv or folder, folder, table)
    table = with_paths(of, found, files, None, problems)
    strays = [printable(name) for name in found.unused(files.values())]
    if problems:
        if strays:
            text = f"{folder}: files that {csv} does not name, in themselves no obstacle"
            problems.append(Problem(text, [Item(name) for name in strays]))
        raise refusal(problems, listed)
    labels = pd.array([None] * len(table), dtype="Int8")
    write_parquet(listing, table.assign(label=labels)[["id", "split", "label", "path"]])
    write_json(listing_summary, {"strays": {SPLIT: strays}, "respelt": {}, "shape": list(size)})


def aligned_rows(n: int, shard: int, shards: int) -> range:
    """Rows of one shard of `n` patches; every row is in one, most shards are equally long.

    Raises
    ------
    ValueError
        There is no such shard.
    """
    if not 0 <= shard < shards:
        raise ValueError(f"shard {shard} of {shards}: they are counted from 0")
    each = -(-n // (shards * ALIGNED)) * ALIGNED
    return range(min(n, shard * each), min(n, (shard + 1) * each))
