"""A model folder from a stranger, with fitting digests: refused by name unless it holds trees."""

import hashlib
import re
import struct
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_trees import KINDS, make_features, train

from landslip.io.files import InputError, read_json, write_json
from landslip.models.lightgbm_text import checked_lightgbm
from landslip.models.tree_checks import DEEPEST, Forest, NotTreesError
from landslip.models.tree_files import load_trees
from landslip.models.ubjson import read_ubjson

Change = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Kind -> folder of a model."""
    done = make_features(tmp_path_factory.mktemp("ablation"))
    folders = {kind: tmp_path_factory.mktemp(kind) for kind in KINDS}
    for kind, folder in folders.items():
        train(done, folder, kind)
    return folders


def offered(folder: Path, target: Path, change: Change) -> Path:
    """A copy with changed weights and their digest; gives the path of its model.json."""
    told = read_json(folder / "model.json")
    data = change((folder / told["weights"]).read_bytes())
    (target / told["weights"]).write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    write_json(target / "model.json", told | {"sha256": sha256})
    return target / "model.json"


def in_text(pattern: str, replacement: str) -> Change:
    """Change the first match, and the sizes of trees with it."""

    def change(data: bytes) -> bytes:
        text = re.sub(pattern, replacement, data.decode(), count=1)
        trees = text[text.index("Tree=0") : text.index("end of trees")]
        sizes = [str(len(tree)) for tree in re.split("(?=Tree=)", trees)[1:]]
        return re.sub("tree_sizes=.*", f"tree_sizes={' '.join(sizes)}", text).encode()

    return change


def in_array(key: str, at: int, kind: str, value: float) -> Change:
    """Change one number in the first array of that name."""

    def change(data: bytes) -> bytes:
        changed = bytearray(data)
        first = data.index(key.encode()) + len(key) + len("[$l#L") + 8
        packed = struct.pack(f">{kind}", value)
        changed[first + at * len(packed) : first + (at + 1) * len(packed)] = packed
        return bytes(changed)

    return change


def replaced(old: bytes, new: bytes) -> Change:
    """Change the first place where `old` stands."""
    return lambda data: data.replace(old, new, 1)


LIGHTGBM = {
    "a child that does not exist": (in_text(r"left_child=\S+", "left_child=999999"), "child"),
    "a child before its parent": (in_text(r"left_child=\S+", "left_child=0"), "follow its parent"),
    "a leaf of two parents": (in_text(r"right_child=\S+ \S+", r"right_child=1 -1"), "one parent"),
    "a column that does not exist": (
        in_text(r"split_feature=\S+", "split_feature=99999999"), "tree 0, node 0: split_feature"
    ),
    "another number of leaves": (in_text(r"num_leaves=\d+", "num_leaves=9"), "expected 8"),
    "no leaf": (in_text(r"num_leaves=\d+", "num_leaves=0"), "num_leaves"),
    "categories": (in_text("num_cat=0", "num_cat=1"), "tree 0"),
    "a split by a category": (in_text(r"decision_type=\d", "decision_type=1"), "decision_type"),
    "an infinite leaf": (in_text(r"leaf_value=\S+", "leaf_value=1e999"), "not finite"),
    "two numbers in one": (in_text(r"(leaf_value=)\S+", r"\g<1>1-2"), "no number"),
    "half a number": (in_text(r"(threshold=)\S+", r"\g<1>1e"), "no number"),
    "two spaces": (in_text(r"(threshold=\S+) \S+", r"\1 "), "no number|values of threshold"),
    "no trees": (
        lambda data: re.sub(rb"(?s)(?<=tree_sizes=).*(?=end of trees)", b"\n\n", data),
        "0 trees",
    ),
    "a tree less": (in_text(r"(?s)Tree=3.*(?=Tree=4)", ""), "numbered"),
    "half a file": (lambda data: data[: len(data) // 2], "is not as LightGBM writes trees"),
    "other sizes of trees": (replaced(b"tree_sizes=", b"tree_sizes=9"), "other sizes"),
    "another objective": (replaced(b"objective=binary", b"objective=poisson"), "first lines"),
    "nothing": (lambda _: b"", "first lines"),
}  # fmt: skip
XGBOOST = {
    "a child that does not exist": (in_array("left_children", 0, "i", 999999), "child 999999"),
    "a child before its parent": (in_array("left_children", 1, "i", 0), "follow its parent"),
    "one child": (in_array("right_children", 0, "i", -1), "one child alone"),
    "a node of two parents": (in_array("left_children", 0, "i", 2), "one parent"),
    "another parent": (in_array("parents", 3, "i", 2), "parents"),
    "a column that does not exist": (in_array("split_indices", 0, "i", 99999999), "column"),
    "a negative column": (in_array("split_indices", 0, "i", -1), "column"),
    "a split by a category": (in_array("split_type", 0, "B", 1), "category|categories"),
    "an infinite threshold": (in_array("split_conditions", 0, "f", float("inf")), "not finite"),
    "a longer array than the file": (in_array("sum_hessian", -1, "q", 1 << 60), "bytes more"),
    "a negative length": (in_array("sum_hessian", -1, "q", -1), "length"),
    "more trees": (replaced(b"num_treesSL\0\0\0\0\0\0\0\x0230", b"num_treesSL\0\0\0\0\0\0\0\x0299"),
                   "gbtree_model_param"),
    "another key": (replaced(b"loss_changes", b"loss_changed"), "does not hold just"),
    "a key twice": (replaced(b"\x07version", b"\x07learner"), "'learner' once"),
    "no probability to start from": (replaced(b"[2.9", b"[-.9"), "base_score"),
    "another objective": (replaced(b"binary:logistic", b"binary:logitraw"), "objective"),
    "half a file": (lambda data: data[: len(data) // 2], "bytes more"),
    "more than a file": (lambda data: data + b"}", "the end"),
    "nothing": (lambda _: b"", "byte 0"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "what"),
    [*(("lightgbm", what) for what in LIGHTGBM), *(("xgboost", what) for what in XGBOOST)],
)
def test_what_is_no_tree_is_refused_before_its_library_reads_it(
    kind: str,
    what: str,
    stored: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change, message = (LIGHTGBM if kind == "lightgbm" else XGBOOST)[what]
    description = offered(stored[kind], tmp_path, change)
    monkeypatch.setitem(sys.modules, kind, None)  # importing it would fail
    weights = read_json(description)["weights"]
    with pytest.raises(InputError, match=rf"{weights} does not hold the trees .*({message})"):
        load_trees(description)


def test_the_library_gets_nothing_of_a_text_but_what_was_checked(stored: dict[str, Path]) -> None:
    """Parameters of the training name files: the library must not see a stranger's."""
    told = read_json(stored["lightgbm"] / "model.json")
    data = (stored["lightgbm"] / told["weights"]).read_bytes()
    checked = checked_lightgbm(data, told["columns"])
    planted = re.sub(rb"parameters:\n", b"parameters:\n[forcedsplits_filename: /x]\n", data)
    assert checked_lightgbm(planted, told["columns"]) == checked
    assert b"filename" not in checked


def test_a_tree_too_deep_for_its_library_is_refused() -> None:
    """Of XGBoost, one of a million levels ended the process."""
    for levels in (DEEPEST, DEEPEST + 1):
        nodes = 2 * levels + 1
        child = np.arange(1, nodes)
        parent = np.maximum(2 * ((child - 1) // 2) - 1, 0)
        forest = Forest(np.array([1, nodes]))
        expected = (
            nullcontext() if levels == DEEPEST else pytest.raises(NotTreesError, match="deep")
        )
        with expected:
            forest.require_children(np.ones_like(child), parent, child)


@pytest.mark.parametrize("data", [b"[" * 10**6, (b"[#L" + b"\0" * 7 + b"\1") * 99, b"{L"])
def test_a_file_as_deep_as_it_is_long_is_refused(data: bytes) -> None:
    with pytest.raises(NotTreesError, match="byte"):
        read_ubjson(data)


@pytest.mark.parametrize(
    "content",
    ["[]", "7", "null", "{}", "[" * 10**5, '{"format_version": 1', "\ufeff", "9" * 5000],
)
def test_a_description_that_is_none_is_refused_by_name(content: str, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"model\.json"):
        load_trees(tmp_path / "model.json")


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": None}, {"columns": []}, {"columns": "ab"}, {"columns": [1]},
        {"columns": ["a b"]}, {"columns": ["a", "a"]}, {"columns": ["a"] * 10**6},
        {"columns": {"a": 1}}, {"kind": ["lightgbm"]}, {"kind": None}, {"kind": "network"},
        {"format_version": "1"}, {"format_version": 10**9}, {"sha256": 7}, {"sha256": ""},
        {"weights": {}}, {"weights": "model\0"}, {"weights": "."}, {"weights": "\ud800"},
    ],
)  # fmt: skip
def test_a_description_with_absurd_values_is_refused_by_name(
    changes: dict[str, Any], stored: dict[str, Path], tmp_path: Path
) -> None:
    description = offered(stored["lightgbm"], tmp_path, lambda data: data)
    write_json(description, read_json(description) | changes)
    with pytest.raises(InputError, match=r"model\.json"):
        load_trees(description)
