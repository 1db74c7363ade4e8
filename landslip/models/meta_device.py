"""Networks built on torch's meta device, which knows shapes and takes no memory."""

from collections.abc import Callable
from typing import TypeVar

import torch

Result = TypeVar("Result")


def prefer_meta_device(compute: Callable[[torch.device], Result]) -> Result:
    """Call a function with the meta device, and with the CPU where that fails.

    A few encoders compute with numbers while they are built or run, and the meta device has none.

    Parameters
    ----------
    compute
        Builds or runs a network on the device that it is given.
    """
    try:
        return compute(torch.device("meta"))
    except RuntimeError:  # NotImplementedError is one
        return compute(torch.device("cpu"))
