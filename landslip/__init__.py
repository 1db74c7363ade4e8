"""landslip: which patches of Sentinel-1/2 imagery show a landslide.

`landslip.load(path)` opens a trained ensemble; see `landslip.bundle.ensemble.Ensemble`.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landslip.bundle.ensemble import Ensemble

__all__ = ["load"]


def load(path: "str | Path", *, device: str = "cpu", threads: int | None = None) -> "Ensemble":
    """Open a trained ensemble, made by `snakemake bundle`.

    Parameters
    ----------
    path
        Folder or .zip of the bundle.
    device
        Networks compute on: cpu or cuda.
    threads
        Of a processor that members use; None: their libraries' choice.

    Returns
    -------
    Ensemble
        Verified, file by file; members are read when they are first asked.

    Raises
    ------
    landslip.io.files.InputError
        There is no bundle, it is of another format, or damaged.

    Examples
    --------
    >>> ensemble = landslip.load("results/bundle")  # doctest: +SKIP
    >>> answer = ensemble.predict(patches)  # doctest: +SKIP
    >>> answer.probability, answer.landslide  # doctest: +SKIP
    """
    # Late: importing landslip costs nothing.
    from landslip.bundle.ensemble import load as load_bundle

    return load_bundle(path, device=device, threads=threads)
