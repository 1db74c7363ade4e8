"""Which number format a device computes in."""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path

import torch


@cache
def _cpu_flags() -> frozenset[str]:
    """Instruction sets of this processor, as Linux names them."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return frozenset()
    line = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return frozenset(line.split())


def choose_precision(asked: str, device: torch.device) -> str:
    """`float32`, `bfloat16` or `float16` for `auto`; what was asked otherwise.

    bfloat16 where the device has it, float16 on older GPUs (training then scales the loss), float32
    elsewhere.
    """
    if asked != "auto":
        return asked
    return next(name for name in ("bfloat16", "float16", "float32") if _has(device, name))


def same_precision(trained: str, asked: str, device: torch.device) -> str:
    """What a trained network predicts in: as it was trained, where the device has that format.

    Parameters
    ----------
    trained
        The format that its training chose.
    asked
        What the settings say: a format that they name is used on every device; with `auto` a
        device that lacks `trained` computes in float32, which holds all that the others do.
    """
    return trained if asked != "auto" or _has(device, trained) else "float32"


def _has(device: torch.device, precision: str) -> bool:
    """bfloat16: GPUs from Ampere on, processors with AVX-512 BF16 or AMX. float16: GPUs."""
    if precision == "bfloat16" and device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if precision == "bfloat16":
        return bool(_cpu_flags() & {"avx512_bf16", "amx_bf16"})
    return precision == "float32" or device.type == "cuda"


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Context in which matrix products run in `precision`; weights stay float32."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=getattr(torch, precision))
