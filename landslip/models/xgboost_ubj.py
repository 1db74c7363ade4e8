"""XGBoost's UBJ file of a model, checked before the library reads it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from landslip.models.tree_checks import Forest, Ints, NotTreesError, require_lengths
from landslip.models.ubjson import read_ubjson

_NONE = 2**31 - 1  # parent of a root
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?(E-?[0-9]{1,2})?")
# Arrays of a tree: with a value for every node, and of categories, which are not used here.
_OF_NODES = {
    "left_children": "i", "right_children": "i", "parents": "i", "split_indices": "i",
    "split_type": "u", "default_left": "u", "split_conditions": "f", "base_weights": "f",
    "loss_changes": "f", "sum_hessian": "f",
}  # fmt: skip
_EMPTY = ("categories", "categories_nodes", "categories_segments", "categories_sizes")


def checked_xgboost(data: bytes, columns: Sequence[str]) -> bytes:
    """Check a stored model, and return it as it is.

    Parameters
    ----------
    data
        UBJ of a binary classifier of trees without categories, as XGBoost 3 writes it.
    columns
        The features that it must read, in order.

    Raises
    ------
    NotTreesError
        `data` is anything else.
    """
    learner = _keys(read_ubjson(data), "the file", learner=dict, version=list)["learner"]
    _keys(
        learner, "learner", attributes=dict, feature_names=list, feature_types=list,
        gradient_booster=dict, learner_model_param=dict, objective=dict,
    )  # fmt: skip
    _same(learner["attributes"], {}, "attributes")
    _same(learner["feature_names"], list(columns), "feature_names")
    _same(learner["feature_types"], [], "feature_types")
    objective = _keys(learner["objective"], "objective", name=str, reg_loss_param=dict)
    _same(objective["name"], "binary:logistic", "objective")
    weight = _keys(objective["reg_loss_param"], "reg_loss_param", scale_pos_weight=str)
    _decimal(weight["scale_pos_weight"], "scale_pos_weight")
    parameters = learner["learner_model_param"]
    base = parameters.pop("base_score", None)
    if not isinstance(base, str) or not base.startswith("[") or not base.endswith("]"):
        raise NotTreesError(f"base_score is {base!r}, expected one number in brackets")
    if not 0 < _decimal(base[1:-1], "base_score") < 1:
        raise NotTreesError(f"base_score is {base}, expected a probability")
    expected = {"boost_from_average": "1", "num_class": "0", "num_target": "1"}
    _same(parameters, {**expected, "num_feature": str(len(columns))}, "learner_model_param")
    booster = _keys(learner["gradient_booster"], "gradient_booster", name=str, model=dict)
    _same(booster["name"], "gbtree", "gradient_booster")
    model = _keys(
        booster["model"], "model", cats=dict, gbtree_model_param=dict, iteration_indptr=list,
        tree_info=list, trees=list,
    )  # fmt: skip
    trees = model["trees"]
    for name, values in model["cats"].items():
        if name not in ("enc", "feature_segments", "sorted_idx") or len(values):
            raise NotTreesError(f"cats.{name} holds categories, which are not used here")
    counts = {"num_parallel_tree": "1", "num_trees": str(len(trees))}
    _same(model["gbtree_model_param"], counts, "gbtree_model_param")
    _same(model["iteration_indptr"], list(range(len(trees) + 1)), "iteration_indptr")
    _same(model["tree_info"], [0] * len(trees), "tree_info")
    _check(trees, len(columns))
    return data


def _check(trees: Sequence[Any], columns: int) -> None:
    """Refuse trees that could lead a reader astray."""
    arrays = dict.fromkeys((*_OF_NODES, *_EMPTY), np.ndarray)
    for number, tree in enumerate(trees):
        where = f"tree {number}"
        param = _keys(tree, where, id=int, tree_param=dict, **arrays)["tree_param"]
        nodes = len(tree["left_children"])
        expected = {"num_deleted": "0", "size_leaf_vector": "1"}
        _same(param, {**expected, "num_feature": str(columns), "num_nodes": str(nodes)}, where)
        _same(tree["id"], number, f"{where}: id")
        if nodes == 0 or any(len(tree[name]) for name in _EMPTY):
            raise NotTreesError(f"{where} has no node, or categories, which are not used here")
    counts: Ints = np.array([len(tree["left_children"]) for tree in trees], dtype=np.int64)
    forest = Forest(counts)
    of = {}
    for name, kind in _OF_NODES.items():
        require_lengths([len(tree[name]) for tree in trees], counts, name)
        values = np.concatenate([np.zeros(0, kind + "1" if kind != "f" else "f4"),
                                 *[tree[name] for tree in trees]])  # fmt: skip
        forest.require(np.full(len(values), values.dtype.kind == kind), f"type of {name}")
        of[name] = values
    left, right = (of[side].astype(np.int64) for side in ("left_children", "right_children"))
    leaf = left == -1
    forest.require(leaf == (right == -1), "one child alone")
    split = np.flatnonzero(~leaf)
    forest.require_children(
        np.tile(forest.tree[split], 2),
        np.tile(forest.node[split], 2),
        np.concatenate([left[split], right[split]]),
    )
    parents = np.full(len(leaf), _NONE, dtype=np.int64)
    for child in (left, right):
        parents[forest.start[forest.tree[split]] + child[split]] = forest.node[split]
    forest.require(of["parents"] == parents, "parents are not the nodes whose children these are")
    column = of["split_indices"]
    forest.require((column >= 0) & (column < columns), f"column is none of {columns}")
    forest.require(np.isfinite(of["split_conditions"]), "split_conditions is not finite")
    forest.require(of["split_type"] == 0, "a split by categories, which are not used here")
    forest.require(of["default_left"] <= 1, "default_left is neither 0 nor 1")


def _keys(found: Any, where: str, **kinds: type) -> Mapping[str, Any]:
    """A dict with just these keys, whose values have these types."""
    if not isinstance(found, dict) or found.keys() != kinds.keys():
        raise NotTreesError(f"{where} does not hold just {', '.join(kinds)}")
    for name, kind in kinds.items():
        if not isinstance(found[name], kind):
            raise NotTreesError(f"{where}: {name} is no {kind.__name__}")
    return found


def _same(found: Any, expected: Any, where: str) -> None:
    # A list of numbers may come as an array; what is in it counts.
    found = found.tolist() if isinstance(found, np.ndarray) else found
    if type(found) is not type(expected) or found != expected:
        raise NotTreesError(f"{where} is {str(found)[:80]}, expected {str(expected)[:80]}")


def _decimal(text: str, where: str) -> float:
    if not _DECIMAL.fullmatch(text) or not np.isfinite(float(text)):
        raise NotTreesError(f"{where} is {text[:80]!r}, expected a number")
    return float(text)
