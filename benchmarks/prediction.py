"""Prediction of logits in turn: a plain float32 loop over a loader, and landslip's."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.networks import (
    Task,
    arguments,
    finish,
    forward_flop,
    make_task,
    measured_peak,
    plain_encoders,
    plain_loader,
    seconds,
    summary,
)
from landslip.models.compilation import compile_encoders
from landslip.models.patch_cache import MemoryPatches
from landslip.models.prediction import predict_logits

# Of a logit in bfloat16 against float32, random weights.
_TOLERANCE = 0.02


def plain_prediction(task: Task, workers: int) -> NDArray[np.float32]:
    """Float32, patches enlarged in the loader's workers, logits fetched batch by batch."""
    model = task.model.eval()
    forward = plain_encoders(model)
    logits = []
    with torch.no_grad():
        for patches, _ in plain_loader(task, workers, training=False):
            logits += forward(patches.to(task.device)).cpu().tolist()
    return np.array(logits, np.float32)


def our_prediction(task: Task, patches: MemoryPatches) -> NDArray[np.float32]:
    """As out-of-fold and test patches are predicted, one view."""
    return predict_logits(
        task.model, patches, tta="none", precision=task.precision, device=task.device
    )


def main() -> None:
    """Measure each configuration."""
    given = arguments(__doc__, patches=256)
    device = torch.device(given.device)
    found = []
    peaks: dict[str, float] = {}
    for configuration in given.configurations:
        task = make_task(configuration, given)
        if not peaks:
            peaks = {
                "plain": measured_peak(device, "float32"),
                "ours": measured_peak(device, task.precision),
            }
        flop = forward_flop(task.model, task.patches)
        held = MemoryPatches(task.patches.to(device))
        exact = plain_prediction(task, given.workers)
        compile_encoders(task.model, task.compile)
        ours = our_prediction(task, held)
        variants: dict[str, Callable[[], object]] = {
            "plain": partial(plain_prediction, task, given.workers),
            "ours": partial(our_prediction, task, held),
        }
        times: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(given.repeats):
            for name, predict in variants.items():
                times[name].append(seconds(predict, device))
        difference = float(np.abs(ours - exact).max())
        print(
            f"{configuration:8}logits differ by at most {difference:.4f} "
            f"({'within' if difference <= _TOLERANCE else 'OUTSIDE'} {_TOLERANCE}), "
            f"their spread is {exact.std():.4f}"
        )
        figures = summary(configuration, task, times, flop, peaks)
        found.append(figures | {"largest_difference": difference, "spread": float(exact.std())})
    finish("prediction", given, device, peaks, found)


if __name__ == "__main__":
    main()
