"""Random fields on a periodic grid: the raw material of terrain, vegetation, texture and clouds."""

import numpy as np
import scipy.fft
from numpy.typing import NDArray

Field = NDArray[np.float32]


def fractal_fields(rng: np.random.Generator, n: int, size: int, exponent: float) -> Field:
    """Gaussian fields whose power falls with wavenumber as ``k ** -exponent``.

    Parameters
    ----------
    rng
        The generator that is advanced.
    n
        Number of fields.
    size
        Rows and columns of the grid, which wraps around at its edges.
    exponent
        0 is white noise, about 3 to 4 looks like a landscape.

    Returns
    -------
    (n, row, column) float32, each field of mean 0 and standard deviation 1

    Notes
    -----
    Spectral synthesis; Saupe (1988), "Algorithms for random fractals".
    """
    rows = scipy.fft.fftfreq(size)[:, None]
    columns = scipy.fft.rfftfreq(size)[None, :]
    wavenumber = np.hypot(rows, columns)
    wavenumber[0, 0] = np.inf
    amplitude = (wavenumber ** (-exponent / 2)).astype(np.float32)
    noise = rng.standard_normal((n, size, size // 2 + 1, 2), dtype=np.float32)
    spectrum = noise.view(np.complex64)[..., 0] * amplitude
    fields: Field = scipy.fft.irfft2(spectrum, s=(size, size))
    fields /= np.sqrt(np.mean(np.square(fields), axis=(1, 2), keepdims=True))
    return fields


def soft_step(values: NDArray[np.floating], width: float) -> Field:
    """0 below ``-width / 2``, 1 above ``width / 2``, a straight ramp between: an edge of a cover.

    Parameters
    ----------
    values : any shape
        In any unit.
    width
        Of the ramp, in the unit of `values`.
    """
    step: Field = np.clip(values / np.float32(width) + np.float32(0.5), 0, 1)
    return step


def column_of(values: NDArray[np.float64]) -> Field:
    """Per-patch numbers (n,) as (n, 1, 1) float32, to be broadcast over a grid."""
    column: Field = values.astype(np.float32)[:, None, None]
    return column
