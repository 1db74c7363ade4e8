"""The seed of one training, derived from the run's seed."""

from landslip.io.files import text_digest


def derive_seed(seed: int, model: str, fold: int) -> int:
    """The same 31-bit number for the same (seed, model, fold), on any machine.

    Parameters
    ----------
    seed
        The run's seed, `seed` in the config.
    model, fold
        Which training it is for; each gets a number of its own.

    Returns
    -------
    int
        In [0, 2^31), the range that every library takes as a seed.
    """
    digest = text_digest(str(seed), model, str(fold))
    return int(digest[:8], 16) % 2**31
