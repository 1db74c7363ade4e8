"""A bundle whose trees are repeated until there are as many as the paper's, in as many folds.

Every tree stands k times with a k-th of its leaves' values, and the first folds stand again as
later ones: probabilities and F1 stay what they are, and time is that of so many trees. They are of
the size that the bundle's training gave them, and more alike than trained ones.
"""

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from landslip.bundle.folder import INDEX, SUMS, seal
from landslip.io.files import file_digest, read_json, write_json

TREES = {"lightgbm": 12000, "xgboost": 4000}


def repeat_lightgbm(path: Path, trees: int) -> int:
    """Rewrite a model of LightGBM; how many trees it has then."""
    text = path.read_text()
    head, *blocks = re.split(r"(?m)^(?=Tree=\d+$)", text)
    last, tail = blocks[-1].split("end of trees")
    blocks[-1] = last
    times = -(-trees // len(blocks))

    def divide(line: re.Match[str]) -> str:
        values = (repr(float(value) / times) for value in line[2].split())
        return f"{line[1]}={' '.join(values)}"

    made = []
    for number in range(times * len(blocks)):
        block = re.sub(r"(?m)^(leaf_value)=(.*)$", divide, blocks[number % len(blocks)])
        made.append(re.sub(r"^Tree=\d+", f"Tree={number}", block))
    sizes = " ".join(str(len(block)) for block in made)
    head = re.sub(r"(?m)^tree_sizes=.*$", f"tree_sizes={sizes}", head)
    path.write_text(head + "".join(made) + "end of trees" + tail)
    return len(made)


def repeat_xgboost(path: Path, trees: int) -> int:
    """Rewrite a model of XGBoost; how many trees it has then."""
    booster = xgboost.Booster()
    booster.load_model(path)
    told: Any = json.loads(bytes(booster.save_raw(raw_format="json")))
    model = told["learner"]["gradient_booster"]["model"]
    times = -(-trees // len(model["trees"]))
    for tree in model["trees"]:
        leaf = np.array(tree["left_children"]) < 0
        values = np.array(tree["split_conditions"])
        tree["split_conditions"] = np.where(leaf, values / times, values).tolist()
    first = json.dumps(model["trees"])
    model["trees"] = [tree for _ in range(times) for tree in json.loads(first)]
    for number, tree in enumerate(model["trees"]):
        tree["id"] = number
    count = len(model["trees"])
    model["tree_info"] = [0] * count
    model["iteration_indptr"] = list(range(count + 1))
    model["gbtree_model_param"]["num_trees"] = str(count)
    booster.load_model(bytearray(json.dumps(told).encode()))
    path.write_bytes(bytes(booster.save_raw(raw_format="ubj")))
    return count


def main() -> None:
    """Copy a bundle and give it more trees and folds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, help="folder")
    parser.add_argument("target", type=Path, help="folder that is made")
    parser.add_argument("--folds", type=int, default=5, help="default: %(default)s")
    given = parser.parse_args()
    shutil.copytree(given.bundle, given.target)
    record = read_json(given.target / INDEX)
    for member in record["members"]:
        folder = given.target / member["folder"]
        for fold in range(member["folds"]):
            description = folder / f"fold{fold}" / "model.json"
            told = read_json(description)
            weights = description.parent / told["weights"]
            if member["kind"] in TREES:
                repeat = repeat_lightgbm if member["kind"] == "lightgbm" else repeat_xgboost
                count = repeat(weights, TREES[member["kind"]])
                print(f"{member['name']} fold {fold}: {count} trees", flush=True)
            write_json(description, {**told, "sha256": file_digest(weights)})
        for fold in range(member["folds"], given.folds):
            own = folder / f"fold{fold}"
            shutil.copytree(folder / f"fold{fold % member['folds']}", own)
            write_json(own / "model.json", {**read_json(own / "model.json"), "fold": fold})
        member["folds"] = max(given.folds, member["folds"])
    write_json(given.target / INDEX, record)
    (given.target / SUMS).unlink()
    seal(given.target)


if __name__ == "__main__":
    main()
