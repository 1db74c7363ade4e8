"""What the benchmarks of networks share: Table 9's configurations, the plain loop, the clock."""

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.recording import record
from landslip.models.network import Architecture, MultiEncoder
from landslip.models.precision import choose_precision, measure_processor

_ENCODERS = {
    "enc1": "maxvit_rmlp_tiny_rw_256.sw_in1k",
    "enc2": "vit_medium_patch16_reg4_gap_256.sbb_in12k_ft_in1k",
    "enc3": "vit_pwee_patch16_reg1_gap_256.sbb_in1k",
    "enc4": "caformer_s18.sail_in22k_ft_in1k",
    "enc5": "vit_medium_patch16_rope_reg1_gap_256.sbb_in1k",
}
# The encoder configurations of the paper's Table 9.
CONFIGURATIONS = ("enc1x1", "enc2x1", "enc3x2", "enc3x3", "enc3x4", "enc4x3", "enc5x3")
_HEADS = {1: "single", 2: "V2", 3: "V3", 4: "V4"}
_CHANNELS = 4
_SIZE = 64


@dataclass(frozen=True)
class Task:
    """One configuration on some patches."""

    model: MultiEncoder
    patches: Tensor
    labels: Tensor
    device: torch.device
    precision: str
    compile: str
    batch: int


def arguments(description: str | None, patches: int) -> argparse.Namespace:
    """Command line of both benchmarks."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--configurations", nargs="+", default=["enc3x2"], choices=CONFIGURATIONS)
    parser.add_argument("--patches", type=int, default=patches, help="default: %(default)s")
    parser.add_argument("--batch", type=int, default=32, help="default: %(default)s")
    parser.add_argument("--repeats", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--precision", default="auto", help="of ours; default: %(default)s")
    parser.add_argument("--workers", type=int, default=2, help="of the plain loop's loader")
    parser.add_argument("--compile", default="none", help="of ours; torch.compile's mode")
    parser.add_argument("--neighbours", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=20, help="of each of both ways")
    parser.add_argument("--one-of-several", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    return given


def make_task(configuration: str, given: argparse.Namespace) -> Task:
    """Random patches and a network with random weights: speed depends on neither."""
    name, instances = configuration.split("x")
    groups = tuple(
        tuple(f"c{group}_{channel}" for channel in range(_CHANNELS))
        for group in range(int(instances))
    )
    plan = Architecture(
        channels=groups,
        encoders=(_ENCODERS[name],) * int(instances),
        head=_HEADS[int(instances)],
        features=256,
        image_size=256,
    )
    torch.manual_seed(0)
    depth = len(plan.stack)
    device = torch.device(given.device)
    model = MultiEncoder(plan, shift=[0.1] * depth, scale=[1.5] * depth).to(device)
    patches = torch.randn(given.patches, depth, _SIZE, _SIZE)
    labels = (torch.rand(given.patches) < 0.18).float()
    precision = choose_precision(
        given.precision, device, processor=measure_processor(), architecture=plan
    )
    return Task(model, patches, labels, device, precision, given.compile, given.batch)


class PlainPatches(Dataset[tuple[Tensor, Tensor]]):
    """Patches scaled, turned, mirrored and enlarged one by one, on the CPU."""

    def __init__(self, task: Task, *, augment: bool) -> None:
        self.patches, self.labels, self.augment = task.patches, task.labels, augment
        self.shift, self.scale = task.model.shift.cpu()[0], task.model.scale.cpu()[0]
        self.size = (task.model.architecture.image_size,) * 2

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        patch = (self.patches[row] - self.shift) / self.scale
        patch = functional.interpolate(patch[None], self.size, mode="bilinear")[0]
        if self.augment:
            patch = torch.rot90(patch, int(torch.randint(0, 4, ())), (-2, -1))
            if torch.rand(()) < 0.5:
                patch = patch.flip(-1)
        return patch, self.labels[row]


def plain_loader(task: Task, workers: int, *, training: bool) -> DataLoader[tuple[Tensor, Tensor]]:
    """What most notebooks feed a network from."""
    return DataLoader(
        PlainPatches(task, augment=training),
        task.batch,
        shuffle=training,
        drop_last=training,
        num_workers=workers,
        persistent_workers=workers > 0,
        pin_memory=task.device.type == "cuda",
    )


def plain_encoders(model: MultiEncoder) -> Callable[[Tensor], Tensor]:
    """The network on patches that are scaled and enlarged already."""
    groups = model.architecture.channels
    width = len(groups[0])

    def forward(images: Tensor) -> Tensor:
        features = [
            encoder(images[:, number * width : (number + 1) * width])
            for number, encoder in enumerate(model.encoders)
        ]
        logits: Tensor = model.head(torch.cat(features, dim=1))
        return logits

    return forward


def forward_flop(model: MultiEncoder, patches: Tensor) -> float:
    """Floating-point operations of one patch forward, enlarged first: the work to be done."""
    forward = plain_encoders(model)
    images = functional.interpolate(patches[:2], (256, 256), mode="bilinear")
    model.eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        forward(images.to(next(model.parameters()).device))
    return counter.get_total_flops() / 2


def measured_peak(device: torch.device, precision: str) -> float:
    """FLOP/s of the best of some large matrix products."""
    size = 8192 if device.type == "cuda" else 2048
    dtype = getattr(torch, precision)
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))
    best = float("inf")
    for _ in range(10):
        best = min(best, seconds(lambda: a @ b, device))
    return 2 * size**3 / best


def seconds(task: Callable[[], Any], device: torch.device) -> float:
    """Wall time until the device has finished."""
    synchronize(device)
    start = time.perf_counter()
    task()
    synchronize(device)
    return time.perf_counter() - start


def synchronize(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def machine(device: torch.device) -> str:
    """What it ran on."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "CPU")
    return f"{model}, {torch.get_num_threads()} threads"


def summary(
    configuration: str,
    task: Task,
    times: dict[str, list[float]],
    flop: float,
    peaks: dict[str, float],
) -> dict[str, Any]:
    """Print a configuration's lines for people; return its figures."""
    patches = len(task.labels)
    middle = {key: float(np.median(found)) for key, found in times.items()}
    share = {key: flop * patches / middle[key] / peaks[key] for key in times}
    ratio = middle["plain"] / middle["ours"]
    formats = {"plain": "float32", "ours": task.precision}
    for key, found in times.items():
        print(
            f"{configuration:8}{key:7}{middle[key]:9.2f} s ({min(found):.2f} to {max(found):.2f})"
            f"{patches / middle[key]:9.1f} patches/s  {share[key]:6.1%} of {formats[key]} peak"
        )
    print(f"{configuration:8}ratio  {ratio:9.2f}", flush=True)
    return {
        "configuration": configuration,
        "ratio": round(ratio, 3),
        **{f"{key}_seconds": [round(value, 3) for value in found] for key, found in times.items()},
        **{f"{key}_patches_per_second": round(patches / middle[key], 2) for key in times},
        **{f"{key}_share_of_peak": round(share[key], 4) for key in times},
        **{f"{key}_precision": formats[key] for key in times},
    }


def finish(
    name: str, given: argparse.Namespace, device: torch.device, peaks: dict[str, float],
    found: list[dict[str, Any]],
) -> None:  # fmt: skip
    """The line of JSON."""
    figures = {
        "benchmark": name,
        "machine": machine(device),
        "torch": torch.__version__,
        "patches": given.patches,
        "batch": given.batch,
        "repeats": given.repeats,
        "loader_workers": given.workers,
        "compile": given.compile,
        "measured_peak_tflops": {key: round(value / 1e12, 3) for key, value in peaks.items()},
        "configurations": found,
    }
    record(figures)
