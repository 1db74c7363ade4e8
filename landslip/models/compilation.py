"""Encoders as machine code, by torch.compile."""

import os
from pathlib import Path

from landslip.models.network import MultiEncoder


def compile_encoders(network: MultiEncoder, mode: str, folder: Path) -> None:
    """Compile each encoder when it first runs; parameters and their names stay.

    Parameters
    ----------
    mode
        torch.compile's, or `none`. `reduce-overhead` replays CUDA graphs, so a step costs no
        launches of single kernels.
    folder
        Of the machine code. It outlives the job: the next one with the same shapes loads it.
    """
    if mode == "none":
        return
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder.resolve())
    for encoder in network.encoders:
        encoder.compile(mode=mode)
