"""Does speed cost F1? The same network by a plain float32 loop and by landslip's, seed by seed."""

import os
import sys

# This folder must not be searched: it holds a file that bears the name of a standard module.
sys.path.pop(0)
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import argparse
import copy
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import t as student
from sklearn.metrics import f1_score, roc_auc_score

from benchmarks.networks import Task, machine, plain_encoders, plain_loader
from landslip.models.network import Architecture, MultiEncoder
from landslip.models.objective import landslide_loss, learning_rate
from landslip.models.precision import choose_precision
from landslip.models.prediction import predict_logits
from landslip.models.run import LabelledPatches
from landslip.models.settings import Training
from landslip.models.training import train
from landslip.models.weights import Pretrained
from landslip.simulation.patches import simulate_batch

_CPU = torch.device("cpu")
_RGBN, _SAR_DIFF = (0, 1, 2, 3), (6, 7, 10, 11)


def simulated(seed: int, n: int) -> LabelledPatches:
    """n patches of 64 x 64, optical bands and SAR differences, 17.6 % landslides."""
    rng = np.random.default_rng(seed)
    labels = (rng.permutation(n) < round(0.176 * n)).astype(np.int64)
    blocks = [simulate_batch(rng, part, 64) for part in np.array_split(labels, max(1, n // 128))]
    bands = np.concatenate(blocks)[..., (*_RGBN, *_SAR_DIFF)].transpose(0, 3, 1, 2)
    patches = torch.from_numpy(np.ascontiguousarray(bands, np.float32))
    return LabelledPatches(patches, torch.from_numpy(labels).float())


def build(
    encoder: str, size: int, seed: int, training: LabelledPatches, weights: Path | None
) -> MultiEncoder:
    """Two encoders, scaled by mean and deviation."""
    torch.manual_seed(seed)
    plan = Architecture(
        channels=(tuple("abcd"), tuple("efgh")), encoders=(encoder,) * 2, head="V2",
        features=64, image_size=size,
    )  # fmt: skip
    patches = training.patches[:]
    return MultiEncoder(
        plan,
        shift=patches.mean(dim=(0, 2, 3)).tolist(),
        scale=patches.std(dim=(0, 2, 3)).tolist(),
        weights={encoder: Pretrained(path=weights)} if weights else None,
    )


def train_plainly(
    model: MultiEncoder, data: LabelledPatches, settings: Training, seed: int
) -> MultiEncoder:
    """Float32, one patch at a time augmented, as `benchmarks/training.py` times it."""
    torch.manual_seed(seed)
    task = Task(model, data.patches[:], data.labels, _CPU, "float32", "none", settings.batch_size)
    loader = plain_loader(task, 0, training=True)
    forward = plain_encoders(model.train())
    optimizer = torch.optim.AdamW(
        model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    for epoch in range(settings.epochs):
        for step, (patches, labels) in enumerate(loader):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(
                    settings.schedule, start=settings.learning_rate, epoch=epoch,
                    epochs=settings.epochs, step=step, steps=len(loader), warmup=settings.warmup,
                )  # fmt: skip
            optimizer.zero_grad()
            landslide_loss(forward(patches), labels, settings.bce_weight).backward()
            optimizer.step()
    return model


def scores(logits: NDArray[np.float32], labels: NDArray[np.float32]) -> tuple[float, float]:
    """F1 at probability 0.5, and AUC."""
    return float(f1_score(labels, logits > 0)), float(roc_auc_score(labels, logits))


def main() -> None:
    """Train pairs and compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patches", type=int, default=1500, help="to train on; %(default)s")
    parser.add_argument("--validation", type=int, default=2000, help="default: %(default)s")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--encoder", default="tf_efficientnet_lite0", help="timm's name")
    parser.add_argument("--weights", type=Path, help="safetensors to start from; none: random")
    parser.add_argument("--size", type=int, default=64, help="patches are resized to it")
    given = parser.parse_args()
    precision = choose_precision("auto", _CPU)
    settings = Training(
        epochs=given.epochs, batch_size=32, learning_rate=1e-3, schedule="cosine_step", warmup=0.1,
        image_size=given.size,
    )  # fmt: skip
    rows = []
    for seed in range(given.seeds):
        data, held_out = (
            simulated(2 * seed, given.patches),
            simulated(2 * seed + 1, given.validation),
        )
        start = build(given.encoder, given.size, seed, data, given.weights)
        plain = train_plainly(copy.deepcopy(start), data, settings, seed)
        train(start, data, held_out, settings, seed=seed, device=_CPU, precision=precision)
        of = {}
        for name, model, kind in (("plain", plain, "float32"), ("ours", start, precision)):
            logits = predict_logits(
                model, held_out.patches, tta="none", precision=kind, device=_CPU
            )
            of[name] = scores(logits, held_out.labels.numpy())
        rows.append([*of["plain"], *of["ours"]])
        print(
            f"seed {seed}: F1 {of['plain'][0]:.4f} plain, {of['ours'][0]:.4f} ours; "
            f"AUC {of['plain'][1]:.4f} plain, {of['ours'][1]:.4f} ours",
            flush=True,
        )
    table = np.array(rows)
    difference = table[:, 2:] - table[:, :2]
    half = student.ppf(0.975, len(rows) - 1) * difference.std(axis=0, ddof=1) / len(rows) ** 0.5
    facts = {
        "benchmark": "parity",
        "machine": machine(_CPU),
        "precision": precision,
        **{key: value for key, value in vars(given).items() if key != "weights"},
        "pretrained": given.weights is not None,
        "f1_plain": table[:, 0].round(4).tolist(),
        "f1_ours": table[:, 2].round(4).tolist(),
        "f1_difference": round(float(difference[:, 0].mean()), 4),
        "f1_difference_95": round(float(half[0]), 4),
        "auc_difference": round(float(difference[:, 1].mean()), 4),
        "auc_difference_95": round(float(half[1]), 4),
    }
    print(
        f"F1 of ours less plain: {facts['f1_difference']:+.4f} +- {facts['f1_difference_95']:.4f} "
        "(95 %, paired over seeds)"
    )
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
