"""Training, an epoch each in turn: a plain float32 loop over a loader, and landslip's."""

import copy
import os
import sys

# This folder must not be searched: it holds a file that bears the name of a standard module.
sys.path.pop(0)
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from collections.abc import Callable
from pathlib import Path

import torch

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
from landslip.config import Training
from landslip.models.compilation import compile_encoders
from landslip.models.objective import landslide_loss
from landslip.models.residence import HeldPatches
from landslip.models.run import LabelledPatches, Run


def plain_epoch(task: Task, workers: int) -> Callable[[], None]:
    """Float32, per-patch augmentation in the loader's workers, `.item()` each step."""
    model = copy.deepcopy(task.model).train()
    forward = plain_encoders(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    loader = plain_loader(task, workers, training=True)

    def epoch() -> None:
        total = 0.0
        for patches, labels in loader:
            optimizer.zero_grad()
            loss = landslide_loss(forward(patches.to(task.device)), labels.to(task.device), 0.5)
            loss.backward()
            optimizer.step()
            total += loss.item()

    return epoch


def our_epoch(task: Task) -> Callable[[], None]:
    """As `landslip.models.training` takes the steps of an epoch."""
    model = copy.deepcopy(task.model)
    compile_encoders(model, task.compile, Path("compiled"))
    settings = Training(epochs=1, batch_size=task.batch, learning_rate=1e-5)
    patches = HeldPatches(task.patches.to(task.device))
    run = Run(
        model,
        LabelledPatches(patches, task.labels),
        settings,
        seed=0,
        device=task.device,
        precision=task.precision,
    )

    def epoch() -> None:
        run.begin_epoch(0)
        while run.step < run.steps:
            run.take_step()
        run.check_losses()

    return epoch


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
        # backward costs twice what forward does
        flop = 3 * forward_flop(task.model, task.patches)
        variants = {"plain": plain_epoch(task, given.workers), "ours": our_epoch(task)}
        for epoch in variants.values():
            epoch()  # workers start, kernels are chosen
        times: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(given.repeats):
            for name, epoch in variants.items():
                times[name].append(seconds(epoch, device))
        found.append(summary(configuration, task, times, flop, peaks))
    finish("training", given, device, peaks, found)


if __name__ == "__main__":
    main()
