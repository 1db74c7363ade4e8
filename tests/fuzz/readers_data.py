"""Readers of tables, patches, configs, stores, and of what jobs hand to one another."""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from fuzz.harness import Reader
from fuzz.made import made_bundle, made_map

from landslip.assess.sample import SampleSettings, draw_sample, read_design
from landslip.config.files import read_config_file
from landslip.config.merge import merge_config
from landslip.config.schema import parse_config
from landslip.data.folds import read_folds
from landslip.data.patches import as_float32, patch_shape, read_patch
from landslip.data.records import read_listing_summary
from landslip.data.store import open_store
from landslip.data.survey import read_survey
from landslip.data.tables import read_ids, read_labels
from landslip.engine.jobs import verify_files, write_sums
from landslip.ensemble.records import read_threshold
from landslip.ensemble.tables import read_ensemble_oof
from landslip.features.scales import read_scaling
from landslip.io.files import file_digest, read_json, read_metadata, read_parquet
from landslip.io.large_tables import count_rows, iterate_parquet
from landslip.models.cost import read_cost
from landslip.models.predictions import read_oof
from project import ROOT, shipped_config
from stores import write_store

_CHANNELS = 3


def _make_tables(folder: Path) -> Sequence[Path]:
    texts = {
        "plain": "ID,label,place\n" + "".join(f"ID_{n},{n % 2},p{n}\n" for n in range(12)),
        "quoted": '\ufeffsep=;\r\n"label";"ID";"place"\r\n'
        + '1,0;" a ""x""";q\r\n0;"é b";r\r\n' * 3,
        "ids": "ID\n" + "".join(f"ID_{n}\n" for n in range(30)),
    }
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    (folder / "wide.csv").write_text(texts["plain"], encoding="utf-16")
    (folder / "packed.csv").write_bytes(gzip.compress(texts["plain"].encode(), mtime=0))
    return sorted(folder.iterdir())


def _read_table(path: Path) -> None:
    table, _ = read_ids(path)
    assert table["label"].dropna().isin([0, 1]).all()
    if "ids" not in path.name:
        table, _ = read_labels(path)
        assert list(table) == ["id", "label"]


def _make_patches(folder: Path) -> Sequence[Path]:
    random = np.random.default_rng(0)
    for kind in ("<f4", ">f8", "<u2", "<f2"):
        np.save(
            folder / f"ID_{kind[1:]}.npy", random.normal(900, 50, (6, 6, _CHANNELS)).astype(kind)
        )
    np.save(folder / "turned.npy", np.asfortranarray(random.normal(size=(6, 6, _CHANNELS))))
    return sorted(folder.iterdir())


def _read_patch(path: Path) -> None:
    patch_shape(path, _CHANNELS)
    patch, sha256 = read_patch(path, _CHANNELS, None)
    assert sha256 == file_digest(path)
    assert as_float32(patch).shape[2] == _CHANNELS
    assert patch.nbytes <= path.stat().st_size


def _make_configs(folder: Path) -> Sequence[Path]:
    for path in [ROOT / "config.yaml", *(ROOT / "resources" / "configs").glob("*.yaml")]:
        (folder / path.name).write_bytes(path.read_bytes())
    return sorted(folder.iterdir())


def _read_config(path: Path) -> None:
    over = read_config_file(path)
    try:
        parse_config(merge_config(shipped_config(), over))
    except ValueError as error:
        # The config is one, whatever files it came from; it is named by its keys.
        if type(error).__name__ != "InputError":
            raise


def _make_store(folder: Path) -> Sequence[Path]:
    random = np.random.default_rng(0)
    rows = []
    (folder / "patches").mkdir()
    for number in range(12):
        path = folder / "patches" / f"ID_{number}.npy"
        np.save(path, random.normal([1000, 500, -12], [90, 80, 2], (8, 8, 3)).astype("f4"))
        rows.append((path.stem, str(path), file_digest(path)))
    index = write_store(
        pd.DataFrame(rows, columns=["id", "path", "sha256"]),
        channels=["nir", "red", "vv"], indices={"ndvi": ("nir", "red")}, on_nonfinite="refuse",
        patches_per_shard=8, workers=1, target=folder / "train.h5",
    )  # fmt: skip
    shards = sorted((folder / "train_shards").glob("shard?.h5"))
    write_sums(folder / "store.sha256", [index, *shards])
    with open_store(index) as store:
        np.save(folder / "expected.npy", store.read(np.arange(len(store))))
    return [index, *shards, *sorted((folder / "train_shards").glob("*.pixels.h5"))]


def _read_store_in_a_job(path: Path) -> None:
    """As jobs do: what may crash HDF5 is compared with its SHA-256 first, pixels with CRC-32s."""
    folder = path.parent if path.name == "train.h5" else path.parent.parent
    shards = sorted((folder / "train_shards").glob("shard?.h5"))
    verify_files([folder / "train.h5", *shards, folder / "store.sha256"])
    with open_store(folder / "train.h5") as store:
        patches = store.read(np.arange(len(store)))
    np.testing.assert_array_equal(patches, np.load(folder / "expected.npy"))


def _make_parquet(folder: Path) -> Sequence[Path]:
    made = made_bundle()
    names = {
        "folds.parquet": made / "folds.parquet",
        "oof.parquet": made / "lightgbm" / "fold0" / "oof.parquet",
        "ensemble.parquet": made / "oof.parquet",
        "scaling.parquet": made / "scaling.parquet",
        "bundled.parquet": made / "bundle" / "oof.parquet",
    }
    for name, source in names.items():
        (folder / name).write_bytes(source.read_bytes())
    return sorted(folder.iterdir())


def _read_parquet(path: Path) -> None:
    own = {"folds": read_folds, "oof": read_oof, "ensemble": read_ensemble_oof}
    count_rows(path)
    read_metadata(path)
    table = read_parquet(path)
    rows = sum(len(block) for block in iterate_parquet(path, list(table)[:1]))
    assert rows == len(table)
    if path.stem in own:
        own[path.stem](path)
    elif path.stem == "scaling" and len(table.columns) > 1:
        read_scaling(path)


def _make_surveys(folder: Path) -> Sequence[Path]:
    (folder / "train0.npz").write_bytes((made_bundle() / "train0.npz").read_bytes())
    return [folder / "train0.npz"]


_RECORDS = {
    "threshold": read_threshold, "listing": read_listing_summary, "cost": read_cost,
    "design": read_design, "card": read_json,
}  # fmt: skip


def _make_records(folder: Path) -> Sequence[Path]:
    made = made_bundle()
    for source in (
        made / "threshold.json", made / "listing.json", made / "bundle" / "card.json",
        made / "lightgbm" / "fold0" / "cost.json",
    ):  # fmt: skip
        (folder / source.name).write_bytes(source.read_bytes())
    settings = SampleSettings(
        cells={"zone": 3, "near": 3, "far": 3}, near=0.1, by_unit=False, confidence=0.9, seed=1
    )
    side = folder / "side"
    side.mkdir()
    draw_sample(
        made_map(), settings, sample=side / "sample.gpkg", drawn=side / "drawn.parquet",
        design=folder / "design.json",
    )  # fmt: skip
    return sorted(folder.glob("*.json"))


def _make_sums(folder: Path) -> Sequence[Path]:
    for name in ("a.txt", "b c.txt", "é.txt"):
        (folder / name).write_text(name)
    write_sums(folder / "files.sha256", sorted(folder.iterdir()))
    return [folder / "files.sha256"]


def _read_sums(path: Path) -> None:
    found = verify_files([path, *(path.parent / name for name in ("a.txt", "b c.txt", "é.txt"))])
    assert len(found) == 3


READERS = {
    "csv": Reader(make=_make_tables, read=_read_table, form="text"),
    "npy": Reader(make=_make_patches, read=_read_patch),
    "config": Reader(make=_make_configs, read=_read_config),
    "store": Reader(make=_make_store, read=_read_store_in_a_job),
    "parquet": Reader(make=_make_parquet, read=_read_parquet),
    "npz": Reader(make=_make_surveys, read=read_survey, form="zip"),
    "record": Reader(make=_make_records, read=lambda path: _RECORDS[path.stem](path)),
    "sums": Reader(make=_make_sums, read=_read_sums, form="text"),
}
