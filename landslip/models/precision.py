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

    bfloat16 on GPUs from Ampere on and on processors with AVX-512 BF16 or AMX, float16 on older
    GPUs (training then scales the loss), float32 elsewhere.
    """
    if asked != "auto":
        return asked
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float16"
    return "bfloat16" if _cpu_flags() & {"avx512_bf16", "amx_bf16"} else "float32"


def autocast(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Context in which matrix products run in `precision`; weights stay float32."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=getattr(torch, precision))
