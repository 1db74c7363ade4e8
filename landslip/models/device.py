"""The device that a network computes on: whether it can be used, and what its memory holds."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from landslip.io.files import InputError


def usable_device(name: str) -> torch.device:
    """The device `cpu` or `cuda`.

    Raises
    ------
    InputError
        It is a GPU, and PyTorch cannot use one.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "a GPU was asked for, but PyTorch cannot use one here (no driver, or a build for "
            "CPUs); run with --resources gpu=0, or mend the installation"
        )
    return torch.device(name)


@contextmanager
def processor_threads(count: int) -> Iterator[None]:
    """Let PyTorch compute with so many threads of a processor, and with as many as before after."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def readable_memory_errors(what: str) -> Iterator[None]:
    """Turn the error of a GPU that is out of memory into one that says what to do.

    Parameters
    ----------
    what
        It was to hold.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        reason = str(error).split("\n")[0]
        raise InputError(
            f"the GPU's memory does not hold {what} ({reason}); take a GPU with more memory, or "
            "lower the model's features or training.image_size"
        ) from error


def device_name(device: torch.device) -> str:
    """`cpu`, or the GPU's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def peak_device_memory_mb(device: torch.device) -> float | None:
    """Most that tensors took on a GPU so far, 10^6 bytes; None of a processor."""
    return torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else None
