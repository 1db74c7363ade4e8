"""Pickles, in every container that holds them, which leave a trace when they are unpickled."""

import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, evidence: Path) -> None:
        self.evidence = evidence

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.evidence),)


def traps(evidence: Path, names: list[str]) -> dict[str, bytes]:
    """Kind of container -> a file of it; an .npz holds its pickle under each of `names`."""
    trap = Trap(evidence)
    objects = np.array([trap], dtype=object)
    array, arrays, checkpoint = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(array, objects, allow_pickle=True)
    np.savez(arrays, allow_pickle=True, **dict.fromkeys(names, objects))
    torch.save({"state_dict": trap}, checkpoint)
    return {
        "pickle": pickle.dumps(trap),
        "text": pickle.dumps(trap, 0),
        "array": array.getvalue(),
        "arrays": arrays.getvalue(),
        "checkpoint": checkpoint.getvalue(),
        "yaml": f"a: !!python/object/apply:os.mkdir ['{evidence}']\n".encode(),
    }
