"""Encoders as machine code, by torch.compile."""

import os

from landslip.io.user_cache import user_cache
from landslip.models.network import MultiEncoder


def compile_encoders(network: MultiEncoder, mode: str) -> None:
    """Compile each encoder when it first runs; parameters and their names stay.

    Parameters
    ----------
    network
        Changed in place.
    mode
        torch.compile's, or `none`. `reduce-overhead` replays CUDA graphs, so a step costs no
        launches of single kernels.

    Raises
    ------
    InputError
        The folder for the machine code is not this user's alone.

    Notes
    -----
    torch keeps what it compiled, as machine code and pickles, and the next job with the same
    shapes loads it: 15 s instead of 177 s until the first step of tf_efficientnet_lite0 (one busy
    core). Loading it runs it, so it lies in the user's own cache folder and never in results,
    which travel.
    """
    if mode == "none":
        return
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(user_cache("compiled"))
    for encoder in network.encoders:
        encoder.compile(mode=mode)
