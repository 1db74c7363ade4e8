"""Types of arrays that many functions take, and files of several arrays."""

from collections.abc import Iterable
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.io.files import InputError, atomic_path, readable_damage

Floats = NDArray[np.float64]
Labels = NDArray[np.int8]
"""0 or 1."""
Decisions = NDArray[np.bool_]


def write_arrays(target: Path | str, **arrays: NDArray[Any]) -> None:
    """Write arrays as compressed .npz, whose members carry CRC-32s, atomically."""
    with atomic_path(target) as temporary:
        np.savez_compressed(temporary, allow_pickle=False, **arrays)


def read_arrays(path: Path | str, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Read arrays that `write_arrays` wrote.

    Raises
    ------
    InputError
        The file is damaged, or lacks one.
    """
    # numpy reads headers of old files as Python's words.
    damage = readable_damage(path, also=(TokenError,))
    with damage, np.load(path, allow_pickle=False) as found:
        missing = sorted(set(names) - set(found.files))
        if missing:
            raise InputError(f"{path} lacks {', '.join(missing)}; delete it and run again")
        return {name: found[name] for name in names}
