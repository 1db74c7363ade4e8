"""Which number format a network computes in.

`auto` is the faster one of float32 and the device's half-width format. A GPU's generation says
which that is. A processor's instruction set does not: one with AVX-512 BF16 multiplies matrices in
bfloat16 at twice, another at half of float32's speed. So the products are timed once a run
(`measure_processor`), and every training and prediction, on whatever node, reads what was found.
"""

import platform
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from landslip.io.files import write_json
from landslip.io.records import read_object
from landslip.models.device import processor_threads
from landslip.models.meta_device import prefer_meta_device
from landslip.models.network import Architecture, blank_network

# Side of the matrices that are multiplied, and how often; the best time of each format counts.
_SIDE, _REPEATS = 1024, 5
# What bfloat16 products must gain: what is known lies at 0.5 and at 1.8.
_MIN_GAIN = 1.2
# Floating-point operations for each number that a layer puts out. Below, converting numbers costs
# more than faster products spare. On an AMD EPYC (Zen 5) training went 0.40 to 0.84 times as fast
# in bfloat16 at 20 to 50 (EfficientNet lite0, MobileNetV3, EfficientViT b0), 1.0 times at 79
# (ConvNeXt atto), and 1.15 to 1.86 times from 100 on (MaxViT, CAFormer, ViTs, ResNets).
_MIN_INTENSITY = 90

Speed = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True, kw_only=True)
class Processor:
    """How fast a processor multiplies matrices, on one thread, in 10^9 operations a second."""

    name: str
    float32: Speed
    bfloat16: Speed

    @property
    def gains_from_bfloat16(self) -> bool:
        """Whether products in bfloat16 are clearly the faster ones."""
        return self.bfloat16 >= _MIN_GAIN * self.float32


def measure_processor() -> Processor:
    """Time products in float32 and bfloat16, one after the other in turn, on one thread.

    Time in which the thread does not run does not count: a busy machine is measured as an idle one.
    """
    factors = [torch.randn(_SIDE, _SIDE).to(dtype) for dtype in (torch.float32, torch.bfloat16)]
    seconds = [float("inf")] * len(factors)
    with processor_threads(1):
        for factor in factors:
            factor @ factor  # the library chooses its kernel
        for _ in range(_REPEATS):
            for number, factor in enumerate(factors):
                started = time.thread_time()
                factor @ factor
                seconds[number] = min(seconds[number], time.thread_time() - started)
    float32, bfloat16 = (2e-9 * _SIDE**3 / value for value in seconds)
    return Processor(name=_processor_name(), float32=float32, bfloat16=bfloat16)


def write_processor(target: Path) -> Processor:
    """Measure this machine's processor and write what was found as JSON."""
    found = measure_processor()
    write_json(target, asdict(found))
    return found


def read_processor(path: Path) -> Processor:
    """Read what `write_processor` wrote.

    Raises
    ------
    InputError
        The file is damaged or lacks a value.
    """
    return read_object(path, Processor)


def choose_precision(
    requested: str, device: torch.device, *, processor: Processor, architecture: Architecture
) -> str:
    """Choose `float32`, `bfloat16` or `float16` for `auto`; any other request is granted.

    On a GPU, bfloat16 where the device has it and float16 on older ones (training then scales the
    loss). On a processor, bfloat16 where its products gain and the network consists of products.

    Parameters
    ----------
    requested
        What the settings say.
    device
        Where the network computes.
    processor
        As it was measured for this run.
    architecture
        Of the network.
    """
    if requested != "auto":
        return requested
    if device.type == "cuda":
        return "bfloat16" if _has(device, "bfloat16", processor) else "float16"
    if not processor.gains_from_bfloat16 or arithmetic_intensity(architecture) < _MIN_INTENSITY:
        return "float32"
    return "bfloat16"


def same_precision(
    trained: str, requested: str, device: torch.device, *, processor: Processor
) -> str:
    """Choose the number format that a trained network predicts in.

    Parameters
    ----------
    trained
        The format that its training chose.
    requested
        What the settings say: a format that they name is used on every device; with `auto` a
        device that lacks `trained` computes in float32, which holds all that the others do.
    device
        Where the network computes.
    processor
        As it was measured for this run.
    """
    return trained if requested != "auto" or _has(device, trained, processor) else "float32"


def arithmetic_intensity(architecture: Architecture) -> float:
    """Floating-point operations of a forward pass for each number that a layer puts out.

    Transformers and plain convolutions have hundreds, depthwise convolutions tens. Nothing is
    computed where that can be helped, and no random state changes.
    """
    with torch.random.fork_rng(devices=[]):
        return prefer_meta_device(lambda device: _count_intensity(architecture, device))


def _count_intensity(architecture: Architecture, device: torch.device) -> float:
    # The counter hooks gradients, and fails where a parameter is what a layer reads.
    network = blank_network(architecture, device).requires_grad_(False)
    size = architecture.image_size
    patch = torch.zeros(1, len(architecture.stack), size, size, device=device)
    numbers = 0

    def count(module: nn.Module, _: object, output: object) -> None:
        nonlocal numbers
        if isinstance(output, Tensor):
            numbers += output.numel()

    for module in network.modules():
        if not any(module.children()):
            module.register_forward_hook(count)
    with torch.inference_mode(), FlopCounterMode(display=False) as operations:
        network(patch)
    total: int = operations.get_total_flops()
    return total / numbers


def _has(device: torch.device, precision: str, processor: Processor) -> bool:
    """bfloat16: GPUs from Ampere on, processors that gain from it. float16: GPUs."""
    if precision == "bfloat16" and device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if precision == "bfloat16":
        return processor.gains_from_bfloat16
    return precision == "float32" or device.type == "cuda"


def _processor_name() -> str:
    """As Linux tells it, else as Python does."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    named = (line.split(":", 1)[1].strip() for line in text.splitlines() if "model name" in line)
    return next(named, platform.processor() or platform.machine())


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Context in which matrix products run in `precision`; weights stay float32."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=getattr(torch, precision))
