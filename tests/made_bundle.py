"""A bundle of trees and of untrained networks on simulated patches, in seconds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from landslip.bundle.make import BundleSettings, Sources, write_bundle
from landslip.config.merge import merge_config
from landslip.config.schema import Config, parse_config
from landslip.data.folds import split_digest
from landslip.data.inputs import write_listing
from landslip.data.survey import survey_shard
from landslip.ensemble.gather import gather_oof
from landslip.ensemble.search import search_threshold
from landslip.features.statistics import write_statistics
from landslip.io.files import file_digest, read_parquet, write_json, write_parquet
from landslip.models.network import Architecture, MultiEncoder
from landslip.models.network_files import save_network
from landslip.models.predictions import write_oof
from landslip.models.settings import read_settings
from landslip.models.trees import TreeOutputs, TreeTraining, train_trees
from landslip.simulation.write import simulate_patches
from project import shipped_config
from runs import SMALL
from stores import write_store

TRAIN, TEST, SIZE, FOLDS = 90, 70, 32, 2
# rgb_net reads one sensor, any_net all three and was trained (they say) with modality dropout.
NETWORKS: dict[str, tuple[tuple[str, ...], ...]] = {
    "rgb_net": (("red", "green", "blue", "nir"),),
    "any_net": (("red", "green", "blue", "nir", "desc_vv", "asc_vv"),),
}
MEMBERS = ["lightgbm", *NETWORKS]
# That they were trained with.
THREADS = {"rgb_net": 1, "any_net": 2}


@dataclass(frozen=True)
class Made:
    """Where everything lies."""

    folder: Path
    config: Config
    settings: BundleSettings
    sources: Sources

    @property
    def bundle(self) -> Path:
        """The bundle's folder; its .zip beside it."""
        return self.folder / "bundle"

    @property
    def patches(self) -> Path:
        """New patches, one .npy each."""
        return self.folder / "data" / "test_data"

    @property
    def ids(self) -> list[str]:
        """Of the new patches."""
        return pd.read_csv(self.folder / "data" / "Test.csv")["ID"].tolist()

    def arrays(self) -> np.ndarray:
        """The new patches, (n, channel, row, column)."""
        return np.stack(
            [np.load(self.patches / f"{name}.npy").transpose(2, 0, 1) for name in self.ids]
        )


def make_bundle(folder: Path) -> Made:
    """Simulate, describe, train trees, save networks, and put all into a bundle."""
    few = {"models": {"lightgbm": {"min_data_in_leaf": 3}}}  # patches, of few
    config = parse_config(merge_config(merge_config(shipped_config(), SMALL), few))
    data = folder / "data"
    simulate_patches(
        data, train=TRAIN, test=TEST, positives=0.4, test_positives=0.3, size=SIZE, seed=3
    )
    listing, facts = folder / "listing.parquet", folder / "listing.json"
    write_listing(
        channels=len(config.channels), listing=listing, listing_summary=facts,
        listed=folder / "listed.txt", train_labels=data / "Train.csv",
        train_patches=data / "train_data", test_ids=data / "Test.csv",
        test_patches=data / "test_data", test_labels=None, group=None, links_into=None,
    )  # fmt: skip
    survey_shard(
        listing, facts, split="train", shard=0, shards=1, channels=len(config.channels),
        no_data=config.no_data, workers=1, target=folder / "train0.npz",
    )  # fmt: skip
    listed = read_parquet(listing)
    train = listed[listed["split"] == "train"].reset_index(drop=True)
    store = write_store(
        train.assign(sha256=[file_digest(path) for path in train["path"]]),
        channels=list(config.channels), indices=dict(config.indices), no_data=config.no_data,
        on_nonfinite="refuse", patches_per_shard=100, workers=1, target=folder / "train.h5",
    )  # fmt: skip
    write_statistics(store, folder / "features.parquet", threads=1)
    table = pd.DataFrame(
        {"id": train["id"], "fold": np.arange(TRAIN) % FOLDS, "label": train["label"].astype("i1")}
    )
    digest = split_digest(table)
    write_parquet(folder / "folds.parquet", table, {"split_digest": digest})
    scaling = pd.DataFrame({"channel": config.channel_names})
    write_parquet(folder / "scaling.parquet", scaling)
    write_json(folder / "processor.json", {"name": "none", "float32": 1.0, "bfloat16": 0.1})
    random = np.random.default_rng(1)
    models = {}
    for name in MEMBERS:
        files = [folder / name / f"fold{fold}" for fold in range(FOLDS)]
        for fold, target in enumerate(files):
            if name == "lightgbm":
                _train_trees(folder, target, fold, config)
            else:
                _save_network(name, target, fold, digest)
                _write_oof(name, target, fold, table, digest, random)
        models[name] = [target / "model.json" for target in files]
    oof = {name: [path.parent / "oof.parquet" for path in paths] for name, paths in models.items()}
    gather_oof(
        members=oof, folds=folder / "folds.parquet", rule="mean", calibration="none",
        bootstrap=100, seed=42, target=folder / "oof.parquet",
    )  # fmt: skip
    search_threshold(
        oof=folder / "oof.parquet", method="exact", bootstrap=100, seed=42,
        target=folder / "threshold.json",
    )  # fmt: skip
    _write_again(folder / "again.parquet", table, random)
    made = Made(
        folder,
        config,
        _bundle_settings(config),
        Sources(
            models=models,
            again={"any_net": folder / "again.parquet"},
            oof=folder / "oof.parquet",
            threshold=folder / "threshold.json",
            folds=folder / "folds.parquet",
            listing=facts,
            surveys=[folder / "train0.npz"],
            features=folder / "features.parquet",
            scaling=folder / "scaling.parquet",
            processor=folder / "processor.json",
        ),
    )
    write_bundle(made.settings, made.sources, folder=made.bundle, archive=folder / "bundle.zip")
    return made


def _bundle_settings(config: Config) -> BundleSettings:
    return BundleSettings(
        channels=config.channel_records(),
        indices=dict(config.indices),
        keep_zeros=False,
        conventions=config.data.conventions.model_dump(),
        members=MEMBERS,
        chosen=MEMBERS,
        folds=FOLDS,
        of_folds=FOLDS,
        weights="float32",
        rule="mean",
        calibration="none",
        threshold="exact",
        bootstrap=100,
        seed=42,
        most_loss=config.bundle.most_loss,
        simulated=True,
    )


def _train_trees(folder: Path, target: Path, fold: int, config: Config) -> None:
    model = config.resolve(config.models["lightgbm"])
    train_trees(
        TreeTraining(
            settings=read_settings(model.params()), features=folder / "features.parquet",
            folds=folder / "folds.parquet", fold=fold, seed=42, threads=1, gpu=False,
            model="lightgbm",
        ),
        TreeOutputs(
            weights=target / "model.txt", description=target / "model.json",
            oof=target / "oof.parquet", history=target / "history.parquet",
            importance=target / "importance.parquet", cost=target / "cost.json",
        ),
    )  # fmt: skip


def _save_network(name: str, target: Path, fold: int, digest: str) -> None:
    channels = NETWORKS[name]
    torch.manual_seed(fold)
    architecture = Architecture(
        channels=channels, encoders=("test_vit2",), head="single", features=8, image_size=SIZE
    )
    stack = architecture.stack
    network = MultiEncoder(
        architecture,
        shift=[1500.0 if name in ("red", "green", "blue", "nir") else -12.0 for name in stack],
        scale=[500.0 if name in ("red", "green", "blue", "nir") else 4.0 for name in stack],
    )
    training: dict[str, Any] = {"tta": "flips", "compile": "none", "precision": "float32"}
    if name == "any_net":
        training["modality_dropout"] = 0.3
    facts = {
        "model": name, "fold": fold, "seed": 1, "precision": "float32", "tta": "flips",
        "split_digest": digest, "threads": THREADS[name],
        "settings": {"kind": "network", "training": training},
    }  # fmt: skip
    save_network(
        network, weights=target / "model.safetensors", description=target / "model.json",
        metadata=facts,
    )  # fmt: skip


def _write_oof(
    name: str, target: Path, fold: int, table: pd.DataFrame, digest: str, random: Any
) -> None:
    own = table[table["fold"] == fold]
    scores = _scores(own["label"], random)
    write_oof(target / "oof.parquet", own, scores, split_digest=digest, model=name)


def _write_again(target: Path, table: pd.DataFrame, random: Any) -> None:
    """What any_net would say of fewer sensors."""
    subsets = [
        "optical+descending", "optical+ascending", "descending+ascending",
        "optical", "descending", "ascending",
    ]  # fmt: skip
    columns = {f"any_net@{name}": _scores(table["label"], random) for name in subsets}
    write_parquet(target, pd.DataFrame({"id": table["id"], **columns}))


def _scores(labels: pd.Series, random: Any) -> np.ndarray:
    """Probabilities that lean towards the label."""
    lean = 2.5 * labels.to_numpy() - 1.5 + random.normal(size=len(labels))
    return np.asarray(1 / (1 + np.exp(-lean)))
