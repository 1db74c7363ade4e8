"""Integers that sort like float32: what medians and quantiles are selected by."""

import numpy as np
from numpy.typing import NDArray

_MIRROR = np.int32(0x7FFFFFFF)


def keys_to_values(keys: NDArray[np.int32]) -> NDArray[np.float32]:
    """Map keys of any shape to their values; that of -0.0 comes just before that of 0.0.

    The bits of a positive float are its key: sign and magnitude. Below zero the magnitude is
    mirrored. Infinity and NaN have keys outside those of everything finite.
    """
    bits: NDArray[np.int32] = keys ^ ((keys >> 31) & _MIRROR)
    return bits.view(np.float32)


def refuse_nonfinite(patches: NDArray[np.float32], least: np.int32, greatest: np.int32) -> None:
    """Refuse patches whose least or greatest key belongs to no finite value.

    Parameters
    ----------
    patches : (n, channel, row, column)
        In any unit.
    least, greatest
        Of the keys of all pixels.

    Raises
    ------
    ValueError
        There is NaN or infinity; the message names the first position.
    """
    if np.isfinite(keys_to_values(np.array([least, greatest]))).all():
        return
    patch, channel, row, column = (int(i) for i in np.argwhere(~np.isfinite(patches))[0])
    value = patches[patch, channel, row, column]
    raise ValueError(
        f"patch {patch}, channel {channel}, row {row}, column {column} is {value}; "
        "statistics need finite pixels (data.on_nonfinite: fill)"
    )
