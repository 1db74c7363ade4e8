"""The files that the report reads, made up: plausible, small, and of any channels and members."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from landslip.data.folds import write_folds
from landslip.ensemble.choice import choose_rule
from landslip.ensemble.evaluate import evaluate
from landslip.ensemble.search import search_threshold
from landslip.ensemble.tables import write_ensemble_oof
from landslip.io.files import (
    file_digest,
    read_metadata,
    read_parquet,
    write_json,
    write_parquet,
)
from landslip.models.seeds import derive_seed
from landslip.report.graph import read_rulegraph
from landslip.simulation.patches import CHANNELS, simulate_batch
from stores import write_store

PAIRS = {
    "ndvi": ("nir", "red"),
    "ndwi": ("nir", "green"),
    "nir_blue": ("nir", "blue"),
    "blue_green": ("blue", "green"),
    "blue_red": ("blue", "red"),
    "green_red": ("green", "red"),
}
STATISTICS = ("mean", "median", "min", "max", "std", "skew", "kurtosis")
MEMBERS = {
    "lightgbm": 1.9,
    "xgboost": 1.85,
    "maxvit_rgbn": 1.9,
    "vit_medium_sar_indices": 1.5,
    "pwee_v2_standard": 2.2,
    "pwee_v2_robust": 2.15,
    "pwee_v3": 2.3,
    "caformer_v3": 2.3,
    "vit_rope_v3c": 2.25,
}
"""Members and how far their logits of the two labels lie apart."""
TREES = ("lightgbm", "xgboost")
FOLDS = 3

RULES = (
    "all", "predict_test", "train_lightgbm", "compute_statistics", "build_store",
    "build_manifest", "simulate_patches", "assign_folds", "train_xgboost", "train_network",
    "fit_scaling", "fetch_weights", "search_threshold", "gather_oof", "measure_ensemble",
    "write_report", "draw_ensemble", "draw_importance", "draw_learning_curves", "draw_patches",
    "draw_mistakes", "draw_graph", "draw_cost", "tabulate_models",
)  # fmt: skip
EDGES = (
    "14>0 1>0 15>0 8>1 2>1 5>1 12>1 9>1 3>2 7>2 4>3 5>4 6>5 5>7 3>8 7>8 10>9 11>9 7>9 4>9 4>10"
    " 13>12 2>13 8>13 7>13 9>13 13>14 5>14 12>14 1>14 16>15 17>15 18>15 19>15 20>15 21>15 22>15"
    " 23>15 14>15 12>15 1>15 7>15 13>16 12>16 2>17 8>17 2>18 8>18 9>18 4>19 5>19 13>20 12>20 4>20"
    " 14>23"
)
STAGES = {
    "simulate_patches": "data", "build_manifest": "data", "assign_folds": "data",
    "build_store": "data", "compute_statistics": "features", "fit_scaling": "features",
    "fetch_weights": "models", "train_network": "models", "train_lightgbm": "models",
    "train_xgboost": "models", "gather_oof": "ensemble", "search_threshold": "ensemble",
    "predict_test": "ensemble", "measure_ensemble": "ensemble",
    **{name: "report" for name in RULES if name.startswith(("draw_", "write_", "tabulate_"))},
}  # fmt: skip


@dataclass(frozen=True)
class MadeRun:
    """Where the files of a made-up run are, named as in results/."""

    folder: Path
    modalities: dict[str, str]
    units: dict[str, str]
    members: tuple[str, ...]

    def path(self, name: str) -> Path:
        """A file under the results folder."""
        return self.folder / name

    def of_folds(self, members: tuple[str, ...], file: str) -> dict[str, list[Path]]:
        """One file of every fold of members."""
        return {
            name: [self.path(f"models/{name}/fold{fold}/{file}") for fold in range(FOLDS)]
            for name in members
        }

    @property
    def trees(self) -> tuple[str, ...]:
        """Members that are trees."""
        return tuple(name for name in self.members if name in TREES)

    @property
    def benchmarks(self) -> dict[str, Path]:
        """Label of every job -> its benchmark file."""
        parts = [f"models/{name}/fold{fold}" for name in self.members for fold in range(FOLDS)]
        parts += ["data/build_manifest", "data/build_store_train0", "features/fit_scaling"]
        return {part: self.path(f"benchmarks/{part}.jsonl") for part in parts}


def make_run(
    folder: Path,
    *,
    patches: int = 400,
    test: int = 60,
    size: int = 32,
    optical_only: bool = False,
    members: Mapping[str, float] = MEMBERS,
    test_labels: bool = True,
    endings: Sequence[str] = ("",),
) -> MadeRun:
    """Write every file that the report stage reads; the ids end in one of `endings`, in turn."""
    random = np.random.default_rng(7)
    kept = CHANNELS[:3] if optical_only else CHANNELS
    pairs = {name: pair for name, pair in PAIRS.items() if set(pair) <= set(kept)}
    modalities = {name: _modality(name) for name in kept} | dict.fromkeys(pairs, "indices")
    units = {name: _unit(name) for name in kept}
    done = MadeRun(folder, modalities, units, tuple(members))
    labels = (random.random(patches + test) < 0.2).astype(np.int64)
    ids = [f"ID_{number:06X}" for number in random.choice(16**6, patches + test, replace=False)]
    ids = [name + endings[place % len(endings)] for place, name in enumerate(ids)]
    usable = _write_patches(done, random, ids[:patches], labels, size, list(kept), pairs)
    _write_manifest(done, ids, labels, patches, usable, test_labels)
    write_folds(
        done.path("data/manifest.parquet"), done.path("data/folds.parquet"),
        scheme="stratified", n=FOLDS, seed=42, group=None,
    )  # fmt: skip
    _write_predictions(done, random, members, ids[patches:], labels[patches:])
    measure_ensemble(done)
    for name in members:
        _write_training(done, random, name)
    _write_benchmarks(done, random)
    write_json(done.path("report/rulegraph.json"), read_rulegraph(printed_dot(RULES, EDGES)))
    return done


def combine(
    done: MadeRun, members: Mapping[str, NDArray[np.float64]], rule: str, calibration: str
) -> None:
    """oof.parquet of members' predictions in the order of the folds."""
    folds = done.path("data/folds.parquet")
    table = read_parquet(folds)
    choice = choose_rule(
        table["label"].to_numpy(np.int8), np.stack(list(members.values()), axis=1),
        table["fold"].to_numpy(), list(members), rule=rule, calibration=calibration,
        bootstrap=100, seed=42,
    )  # fmt: skip
    write_ensemble_oof(
        done.path("ensemble/oof.parquet"), split=table, members=members, choice=choice,
        split_digest=read_metadata(folds)["split_digest"],
    )  # fmt: skip


def measure_ensemble(done: MadeRun) -> None:
    """threshold.json and metrics.json of the predictions that stand in the run's folder."""
    oof, threshold = (
        done.path("ensemble/oof.parquet"),
        done.path("ensemble/threshold.json"),
    )
    search_threshold(oof=oof, method="exact", bootstrap=200, seed=42, target=threshold)
    evaluate(
        oof=oof, test=done.path("ensemble/test.parquet"), threshold=threshold,
        manifest=done.path("data/manifest.parquet"), bootstrap=200, seed=42,
        target=done.path("ensemble/metrics.json"),
    )  # fmt: skip


def printed_dot(rules: tuple[str, ...], edges: str) -> str:
    """A graph of rules as `snakemake --rulegraph dot` prints it."""
    nodes = "".join(
        f'\t{number}[label = "{name}", color = "0.{number:02d} 0.6 0.85", style="rounded"];\n'
        for number, name in enumerate(rules)
    )
    arrows = "".join(f"\t{edge.replace('>', ' -> ')}\n" for edge in edges.split())
    return (
        "digraph snakemake_dag {\n    graph[bgcolor=white, margin=0];\n"
        "    node[shape=box, style=rounded, fontname=sans,                 fontsize=10,"
        " penwidth=2];\n    edge[penwidth=2, color=grey];\n" + nodes + arrows + "}            \n"
    )


def model_settings(done: MadeRun) -> dict[str, dict[str, Any]]:
    """Settings of every member, as in the config."""
    groups = list(dict.fromkeys(done.modalities.values()))
    training = {"epochs": 20, "batch_size": 32, "learning_rate": 1e-5}
    network = {"kind": "network", "encoder": "enc3", "inputs": groups[:2], "scaling": "standard",
               "head": "V2", "training": training}  # fmt: skip
    tree = {"inputs": groups, "trees": 12000, "learning_rate": 0.005}
    return {name: {"kind": name, **tree} if name in TREES else network for name in done.members}


def _modality(channel: str) -> str:
    if "diff" in channel:
        return "sar_diff"
    return "sar" if channel[-2:] in ("vv", "vh") else "rgbn"


def _unit(channel: str) -> str:
    return {"rgbn": "reflectance_1e4", "sar": "db", "sar_diff": "db_change"}[_modality(channel)]


def _write_patches(
    done: MadeRun,
    random: np.random.Generator,
    ids: list[str],
    labels: NDArray[np.int64],
    size: int,
    kept: list[str],
    pairs: Mapping[str, tuple[str, str]],
) -> pd.DataFrame:
    """A store of the training patches: a few simulated ones of each label, again and again."""
    made = {label: simulate_batch(random, np.full(8, label), size) for label in (0, 1)}
    rows = []
    for number, name in enumerate(ids):
        path = done.path(f"simulated/train_data/{name}.npy")
        path.parent.mkdir(parents=True, exist_ok=True)
        patch = made[int(labels[number])][number % 8][..., : len(kept)]
        np.save(path, np.rot90(patch, number % 4))
        rows.append({"id": name, "path": str(path), "sha256": file_digest(path)})
    listed = pd.DataFrame(rows)
    write_store(
        listed, channels=kept, indices=pairs, on_nonfinite="refuse", patches_per_shard=200,
        workers=1, target=done.path("store/train.h5"),
    )  # fmt: skip
    return listed


def _write_manifest(
    done: MadeRun,
    ids: list[str],
    labels: NDArray[np.int64],
    patches: int,
    usable: pd.DataFrame,
    test_labels: bool,
) -> None:
    known = pd.array(labels, dtype="Int8")
    if not test_labels:
        known[patches:] = pd.NA
    status = ["ok"] * len(ids)
    status[patches + 3 : patches + 5] = ["empty"] * 2
    frame = pd.DataFrame(
        {
            "id": ids,
            "split": ["train"] * patches + ["test"] * (len(ids) - patches),
            "label": known,
            "path": "patch.npy",
            "sha256": "0" * 64,
            "status": status,
            "group": np.arange(len(ids)),
        }
    )
    write_parquet(done.path("data/manifest.parquet"), frame)


def _write_predictions(
    done: MadeRun,
    random: np.random.Generator,
    members: Mapping[str, float],
    test_ids: list[str],
    test_labels: NDArray[np.int64],
) -> None:
    folds = done.path("data/folds.parquet")
    table = read_parquet(folds)
    columns = _members(random, members, table["label"].to_numpy())
    combine(done, columns, "mean", "none")
    columns = _members(random, members, test_labels)
    mean = np.mean(list(columns.values()), axis=0)
    frame = pd.DataFrame({"id": test_ids, "probability": mean, **columns})
    frame.insert(2, "landslide", pd.array((mean > 0.5).astype(int), dtype="Int8"))
    frame.loc[3:4, frame.columns[1:]] = None
    write_parquet(done.path("ensemble/test.parquet"), frame)


def _members(
    random: np.random.Generator, members: Mapping[str, float], labels: NDArray[np.int64]
) -> dict[str, NDArray[np.float64]]:
    """Probabilities with errors that the members partly share."""
    shared = random.normal(0, 1.7, len(labels))
    middle = 2 * labels - 1.1
    return {
        name: expit(apart * middle + shared + random.normal(0, 1.1, len(labels)))
        for name, apart in members.items()
    }


def _write_training(done: MadeRun, random: np.random.Generator, name: str) -> None:
    """Learning curves and, of trees, importances of every fold."""
    tree = name in TREES
    steps = np.linspace(1, 12000, 200).round() if tree else np.arange(1.0, 21.0)
    progress = np.linspace(0, 1, len(steps))
    channels = list(done.modalities)
    features = [f"{channel}_{name}" for channel in channels for name in STATISTICS]
    gains = np.random.default_rng(len(name)).gamma(0.35, 400, len(features))
    for fold in range(FOLDS):
        folder = done.path(f"models/{name}/fold{fold}")
        noise = random.normal(0, 0.008, len(steps))
        history = pd.DataFrame(
            {
                "step": steps,
                "train_loss": 0.62 * np.exp(-3.2 * progress) + 0.05 + noise / 2,
                "validation_loss": 0.5 * np.exp(-4 * progress) + 0.14 + 0.05 * progress + noise,
                "validation_f1": 0.9 - 0.75 * np.exp(-6 * progress) + noise,
                "learning_rate": 1e-5,
            }
        )
        write_parquet(folder / "history.parquet", history)
        write_json(folder / "cost.json", _cost(name, fold))
        metadata = {
            "model": name, "fold": fold, "seed": derive_seed(42, name, fold), "scaling_fit": "all",
            "split_digest": read_metadata(done.path("data/folds.parquet"))["split_digest"],
            "settings": model_settings(done)[name],
        }  # fmt: skip
        write_json(folder / "model.json", metadata)
        if tree:
            gain = gains * random.uniform(0.7, 1.3, len(features))
            frame = pd.DataFrame({"feature": features, "gain": gain, "splits": 10})
            write_parquet(folder / "importance.parquet", frame)


def _cost(name: str, fold: int) -> dict[str, Any]:
    """As a job writes it."""
    tree = name in TREES
    return {
        "model": name, "fold": fold, "kind": name if tree else "network",
        "encoders": [] if tree else ["test_vit2", "test_vit2"], "device": "cpu",
        "precision": None if tree else "float32", "threads": 2, "seconds": 100.0 + fold,
        "training_seconds": 80.0 + fold, "prediction_seconds": 4.0 + fold,
        "epochs": 12000 if tree else 20,
        "training_patches": 260, "training_patches_per_second": None if tree else 65.0,
        "prediction_patches_per_second": 19.0, "peak_memory_mb": 900.0 + fold,
        "peak_device_memory_mb": None, "resumed": int(fold == 1),
    }  # fmt: skip


def _write_benchmarks(done: MadeRun, random: np.random.Generator) -> None:
    """As Snakemake writes them; one too short to be measured, one missing."""
    for number, (label, path) in enumerate(done.benchmarks.items()):
        if number == 4:
            continue
        seconds = float(random.lognormal(4.5 if "models" in label else 2.5, 1.2))
        record: dict[str, Any] = {
            "s": round(seconds, 4), "h:m:s": "0:01:23", "max_rss": 900 + 40 * number,
            "max_vms": 5000.0, "max_uss": 800.0, "max_pss": 850.0, "io_in": 0.0, "io_out": 3.5,
            "mean_load": 180.0, "cpu_time": 1.8 * seconds,
        }  # fmt: skip
        if label.startswith("features"):
            record |= {"s": 0.3} | dict.fromkeys(("max_rss", "mean_load", "cpu_time"), "NA")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, sort_keys=True) + "\n")
