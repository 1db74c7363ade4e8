"""Training, an epoch each in turn: a plain float32 loop over a loader, and landslip's.

On a processor, then, both ways: one training on all threads, with threads that spin while they wait
(OpenMP's default) and that do not (a job's), and as many trainings side by side on one thread each;
alone, and beside `--neighbours` programs that want the cores too.
"""

import argparse
import copy
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

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
from landslip.models.compilation import compile_encoders
from landslip.models.epochs import LabelledPatches
from landslip.models.objective import landslide_loss
from landslip.models.patch_cache import MemoryPatches
from landslip.models.run import Run
from landslip.models.settings import Training


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
    compile_encoders(model, task.compile)
    settings = Training(epochs=1, batch_size=task.batch, learning_rate=1e-5)
    patches = MemoryPatches(task.patches.to(task.device))
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


def one_of_several(given: argparse.Namespace) -> None:
    """Train in step with other processes: wait for a line, then print patches and core seconds."""
    task = make_task(given.configurations[0], given)
    epoch = our_epoch(task)
    epoch()
    print("ready", flush=True)
    sys.stdin.readline()
    started, busy, patches = time.perf_counter(), time.process_time(), 0
    while (passed := time.perf_counter() - started) < given.seconds:
        epoch()
        patches += len(task.labels)
    print(patches / passed, (time.process_time() - busy) / passed, flush=True)


def both_ways(configuration: str, given: argparse.Namespace) -> list[dict[str, Any]]:
    """Patches a second, and cores used, of one training on all threads and of several on one."""
    ways = (
        (1, given.threads, "ACTIVE"),
        (1, given.threads, "PASSIVE"),
        (given.threads, 1, "PASSIVE"),
    )
    rows = []
    for neighbours in sorted({0, given.neighbours}):
        for trainings, threads, waiting in ways:
            busy = [sys.executable, "-c", "while True: pass"]
            wanting = [subprocess.Popen(busy) for _ in range(neighbours)]
            speed, cores = together(configuration, given, trainings, threads, waiting)
            for program in wanting:
                program.kill()
                program.wait()
            print(
                f"{configuration:8}{neighbours} neighbours, {trainings} trainings of {threads} "
                f"threads, waiting {waiting.lower()}: {speed:.1f} patches/s on {cores:.2f} cores",
                flush=True,
            )
            rows.append(
                {
                    "neighbours": neighbours,
                    "trainings": trainings,
                    "threads": threads,
                    "waiting": waiting,
                    "patches_per_second": round(speed, 2),
                    "cores": round(cores, 2),
                }
            )
    return rows


def together(
    configuration: str, given: argparse.Namespace, trainings: int, threads: int, waiting: str
) -> tuple[float, float]:
    """Patches a second and cores of some trainings that start together, in sum."""
    options: dict[str, object] = {
        "configurations": configuration,
        "threads": threads,
        "patches": 2 * given.batch,
        "batch": given.batch,
        "precision": given.precision,
        "device": "cpu",
        "seconds": given.seconds,
    }
    command = [sys.executable, "-m", "benchmarks.training", "--one-of-several"]
    command += [text for name, value in options.items() for text in (f"--{name}", str(value))]
    environment = {**os.environ, "OMP_WAIT_POLICY": waiting}
    environment.pop("OMP_NUM_THREADS", None)
    pipe = subprocess.PIPE
    jobs = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)
        for _ in range(trainings)
    ]
    for job in jobs:
        assert job.stdin
        assert job.stdout
        job.stdout.readline()
    for job in jobs:
        assert job.stdin
        job.stdin.write("\n")
        job.stdin.flush()
    answers = [job.communicate()[0].split() for job in jobs]
    speed, cores = (sum(float(answer[number]) for answer in answers) for number in (0, 1))
    return speed, cores


def main() -> None:
    """Measure each configuration."""
    given = arguments(__doc__, patches=96)
    if given.one_of_several:
        one_of_several(given)
        return
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
        figures = summary(configuration, task, times, flop, peaks)
        if device.type == "cpu" and given.threads > 1:
            figures["both_ways"] = both_ways(configuration, given)
        found.append(figures)
    finish("training", given, device, peaks, found)


if __name__ == "__main__":
    main()
