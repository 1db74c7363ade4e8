"""LightGBM's text of a model, checked before the library reads it."""

import re
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from landslip.models.tree_checks import Forest, Ints, NotTreesError, require_lengths

# Of LightGBM itself.
_MOST_LEAVES = 131072

_HEADER = (
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
    "max_feature_idx={last}\nobjective=binary sigmoid:1\nfeature_names={names}\n"
)
_INFOS = re.compile(rb"feature_infos=[^\n]*\ntree_sizes=([0-9 ]*)\n\n")
_WHOLE, _SIGNED, _REAL, _ANY = rb"([0-9 ]*)", rb"([-0-9 ]*)", rb"([-+.e0-9 ]*)", rb"[^\n]*"
_TREE = re.compile(
    rb"Tree=([0-9]{1,9})\nnum_leaves=([0-9]{1,9})\nnum_cat=0\n"
    + rb"".join(
        name + b"=" + values + b"\n"
        for name, values in {
            b"split_feature": _WHOLE,
            b"split_gain": _ANY,
            b"threshold": _REAL,
            b"decision_type": _WHOLE,
            b"left_child": _SIGNED,
            b"right_child": _SIGNED,
            b"leaf_value": _REAL,
            b"leaf_weight": _ANY,
            b"leaf_count": _ANY,
            b"internal_value": _ANY,
            b"internal_weight": _ANY,
            b"internal_count": _ANY,
        }.items()
    )
    + rb"is_linear=0\nshrinkage=[^\n]*\n\n\n"
)
_KEPT = (
    b"Tree=%b\nnum_leaves=%b\nnum_cat=0\nsplit_feature=%b\nthreshold=%b\ndecision_type=%b\n"
    b"left_child=%b\nright_child=%b\nleaf_value=%b\nis_linear=0\nshrinkage=1\n\n\n"
)
_END = b"end of trees\n"


def checked_lightgbm(data: bytes, columns: Sequence[str]) -> bytes:
    """Write the parts of a stored model that predict anew, in LightGBM's format.

    Parameters
    ----------
    data
        LightGBM's text (v4) of a binary classifier without categories.
    columns
        The features that it must read, in order.

    Returns
    -------
    bytes
        Text of the same trees. Nothing else of `data` is in it, such as the parameters of the
        training, so the library parses just what was checked.

    Raises
    ------
    NotTreesError
        `data` is anything else.
    """
    header = _HEADER.format(last=len(columns) - 1, names=" ".join(columns)).encode()
    sizes = _INFOS.match(data, len(header)) if data.startswith(header) else None
    if sizes is None:
        raise NotTreesError(
            f"its first lines are not those of a classifier over {len(columns)} columns as"
            " LightGBM 4 writes them"
        )
    trees, offset, lengths = [], sizes.end(), []
    while tree := _TREE.match(data, offset):
        trees.append(tree.groups())
        lengths.append(b"%d" % (tree.end() - offset))
        offset = tree.end()
    if not data.startswith(_END, offset):
        raise NotTreesError(
            f"tree {len(trees)}, from byte {offset}, is not as LightGBM writes trees"
        )
    if not trees or sizes[1] != b" ".join(lengths):
        raise NotTreesError(f"it holds {len(trees)} trees, of other sizes than it says itself")
    _check(trees, len(columns))
    kept = [_KEPT % tree for tree in trees]
    neutral = f"feature_infos={' '.join(['none'] * len(columns))}\ntree_sizes=".encode()
    return b"".join(
        [header, neutral, b" ".join(b"%d" % len(tree) for tree in kept), b"\n\n", *kept, _END]
    )


def _check(trees: Sequence[tuple[bytes, ...]], columns: int) -> None:
    """Refuse trees that could lead a reader astray.

    Parameters
    ----------
    trees
        The groups of `_TREE`.
    columns
        How many features there are.
    """
    number, leaves, feature, threshold, decision, left, right, value = zip(*trees, strict=True)
    if list(map(int, number)) != list(range(len(trees))):
        raise NotTreesError("its trees are not numbered one after the other")
    leaf_count: Ints = np.array(list(map(int, leaves)), dtype=np.int64)
    if leaf_count.min() < 1 or leaf_count.max() > _MOST_LEAVES:
        raise NotTreesError(f"num_leaves is not in 1 to {_MOST_LEAVES} in every tree")
    split_count = leaf_count - 1
    splits = Forest(split_count)
    splits.require(_numbers(feature, split_count, int, "split_feature") < columns,
                   f"split_feature is none of {columns} columns")  # fmt: skip
    # Bit 0: categories, which are not used here; bits 1 to 3: where missing values go.
    decisions = _numbers(decision, split_count, int, "decision_type")
    splits.require((decisions % 2 == 0) & (decisions <= 10), "decision_type is unknown")
    for values, counts, what in (
        (threshold, split_count, "threshold"),
        (value, leaf_count, "leaf_value"),
    ):
        finite = np.isfinite(_numbers(values, counts, float, what))
        Forest(counts).require(finite, f"{what} is not finite")
    # Splits first, then leaves, which the text numbers -1, -2, ...
    forest = Forest(2 * leaf_count - 1)
    children = [
        _numbers(side, split_count, int, what)
        for side, what in ((left, "left_child"), (right, "right_child"))
    ]
    for child in children:
        child[:] = np.where(child < 0, split_count[splits.tree] + ~child, child)
    forest.require_children(
        np.tile(splits.tree, 2), np.tile(splits.node, 2), np.concatenate(children)
    )


def _numbers(lines: Sequence[bytes], counts: Ints, kind: type, what: str) -> Any:
    """The numbers of all trees, which must be as many as `counts` says, with one space between."""
    require_lengths([line.count(b" ") + bool(line) for line in lines], counts, what)
    text = b" ".join(filter(None, lines))
    total = int(counts.sum())
    values = np.zeros(0, np.float64 if kind is float else np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # NumPy's, of what is no number
        with suppress(ValueError, DeprecationWarning):
            # Past the checks above and below, no part between two spaces is empty or two numbers.
            values = np.fromstring(text, values.dtype, sep=" ") if text else values
    if len(values) != total or b"  " in text or text != text.strip():
        raise NotTreesError(f"{what} holds what is no number")
    return values
