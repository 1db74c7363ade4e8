"""Mutants of a stored tree model, loaded and applied: run as a program, so that a crash is seen.

    python mutants.py FOLDER COUNT SEED

FOLDER holds model.json and weights. Prints how many mutants were refused, and how many accepted.
"""

import hashlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from landslip.io.files import InputError, read_json, write_json
from landslip.models.lightgbm_trees import LightGBMTrees
from landslip.models.tree_files import StoredTrees, load_trees
from landslip.models.xgboost_trees import XGBoostTrees

SECONDS = 5.0  # of the processor, that a mutant may take


def mutate(data: bytes, random: np.random.Generator) -> bytes:
    """One to three changes: a bit, a byte, some bytes gone, doubled, or put elsewhere."""
    changed = bytearray(data)
    for _ in range(random.integers(1, 4)):
        at, length = int(random.integers(len(changed))), int(random.integers(1, 40))
        part = changed[at : at + length]
        way = random.integers(6)
        if way == 0:
            changed[at] ^= 1 << int(random.integers(8))
        elif way == 1:
            changed[at] = int(random.choice(list(b"0123456789-. \n\x00\xffLlS")))
        elif way == 2:
            del changed[at : at + length]
        elif way == 3:
            changed[at:at] = part
        elif way == 4:
            to = int(random.integers(len(changed)))
            changed[to : to + length] = part
        else:  # a digit more or less: an index out of range, another count
            digits = [i for i in range(at, min(at + 400, len(changed))) if 48 <= changed[i] < 58]
            if digits:
                i = int(random.choice(digits))
                changed[i : i + 1] = b"9" * int(random.integers(1, 7))
    return bytes(changed)


def mutants(folder: Path, count: int, seed: int) -> Iterator[bytes]:
    """The weights in `folder`, changed in `count` ways."""
    data = (folder / read_json(folder / "model.json")["weights"]).read_bytes()
    random = np.random.default_rng(seed)
    for _ in range(count):
        yield mutate(data, random)


def features_used(stored: StoredTrees) -> set[str]:
    """As the library itself names them."""
    assert isinstance(stored.trees, LightGBMTrees | XGBoostTrees)
    frame = stored.trees.booster.trees_to_dataframe()
    column = "split_feature" if "split_feature" in frame else "Feature"
    return set(frame[column].dropna()) - {"Leaf"}


def main(folder: Path, count: int, seed: int) -> None:
    told = read_json(folder / "model.json")
    told_as = folder / "mutant.json"
    weights = folder / f"mutant{Path(told['weights']).suffix}"
    features = np.random.default_rng(seed).normal(size=(20, len(told["columns"])))
    refused = accepted = 0
    for data in mutants(folder, count, seed):
        weights.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        write_json(told_as, told | {"weights": weights.name, "sha256": digest})
        started = time.process_time()
        try:
            stored = load_trees(told_as)
            probability = stored.predict(features)
            accepted += 1
        except InputError as error:
            assert weights.name in str(error), error
            refused += 1
        else:
            assert ((probability >= 0) & (probability <= 1)).all()
            assert features_used(stored) <= set(stored.columns)
        took = time.process_time() - started
        assert took < SECONDS, f"mutant {refused + accepted} took {took:.1f} s"
    print(f"refused {refused} accepted {accepted}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
