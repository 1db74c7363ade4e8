"""Folds hold every patch once, keep groups whole, and are scikit-learn's where the paper's."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import KFold

from landslip.data.folds import (
    assign_folds,
    read_folds,
    split_digest,
    training_rows,
    write_folds,
)
from landslip.io.files import InputError, read_metadata, write_parquet


@st.composite
def labelled(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Labels with enough landslides for stratified folds, groups, n and a seed."""
    n = draw(st.integers(2, 6))
    positives = draw(st.integers(n, 30))
    labels = np.array([1] * positives + [0] * draw(st.integers(n, 60)))
    labels = np.random.default_rng(draw(st.integers(0, 99))).permutation(labels)
    groups = draw(st.lists(st.integers(0, 40), min_size=len(labels), max_size=len(labels)))
    return labels, np.array(groups), n, draw(st.integers(0, 2**31 - 1))


@given(labelled())
def test_kfold_is_scikit_learns_over_the_rows(case: tuple[np.ndarray, np.ndarray, int, int]):
    labels, groups, n, seed = case
    parts = [part for _, part in KFold(n, shuffle=True, random_state=seed).split(labels)]
    try:
        fold = assign_folds(labels, groups, scheme="kfold", n=n, seed=seed)
    except InputError:
        assert any(labels[part].sum() == 0 for part in parts)
    else:
        for number, part in enumerate(parts):
            assert np.array_equal(np.flatnonzero(fold == number), part)


@given(labelled())
def test_stratified_folds_hold_every_patch_once_and_equal_shares_of_landslides(
    case: tuple[np.ndarray, np.ndarray, int, int],
):
    labels, groups, n, seed = case
    fold = assign_folds(labels, groups, scheme="stratified", n=n, seed=seed)
    assert fold.dtype == np.int64 and fold.shape == labels.shape
    assert set(fold.tolist()) == set(range(n))
    landslides = np.bincount(fold[labels == 1], minlength=n)
    assert landslides.max() - landslides.min() <= 1


@given(labelled(), st.sampled_from(["grouped", "blocks", "scene", "event"]))
def test_grouped_folds_never_part_a_group(
    case: tuple[np.ndarray, np.ndarray, int, int], scheme: str
):
    labels, groups, n, seed = case
    try:
        fold = assign_folds(labels, groups, scheme=scheme, n=n, seed=seed)
    except InputError as error:
        assert "folds.n" in str(error) or "so no two folds" in str(error)
        return
    assert set(fold.tolist()) <= set(range(n)) and len(fold) == len(labels)
    for group in np.unique(groups):
        assert len(set(fold[groups == group].tolist())) == 1
    assert (np.bincount(fold, weights=labels, minlength=n) > 0).all()


def test_the_papers_folds_have_the_papers_sizes():
    labels = np.tile([1, 0, 0, 0, 0], 1430)[:7147]
    fold = assign_folds(labels, np.arange(7147), scheme="kfold", n=5, seed=42)
    assert (7147 - np.bincount(fold)).tolist() == [5717, 5717, 5718, 5718, 5718]


def test_a_fold_without_a_landslide_is_refused_and_the_way_out_named():
    labels = np.zeros(100, int)
    labels[:5] = 1
    with pytest.raises(InputError, match=r"no landslide.*folds\.scheme: stratified"):
        assign_folds(labels, np.arange(100), scheme="kfold", n=5, seed=42)
    assign_folds(labels, np.arange(100), scheme="stratified", n=5, seed=42)


def test_grouped_folds_without_a_landslide_are_refused():
    labels = np.array([1] * 10 + [0] * 40)
    groups = np.array([0] * 10 + list(range(1, 41)))
    with pytest.raises(InputError, match=r"no landslide.*folds\.scheme: stratified"):
        assign_folds(labels, groups, scheme="grouped", n=5, seed=0)


@pytest.mark.parametrize(("value", "what"), [(1, "landslides"), (0, "patches without one")])
def test_blocks_that_leave_a_fold_one_class_are_refused_with_counts(value: int, what: str):
    blocks = np.repeat(np.arange(8), 10)
    labels = np.full(80, 1 - value)
    labels[:30:2] = value
    with pytest.raises(InputError, match=f"{what} lie in 3 of 8 blocks of ground.*folds.n to 3"):
        assign_folds(labels, blocks, scheme="blocks", n=4, seed=0)
    fold = assign_folds(labels, blocks, scheme="blocks", n=3, seed=0)
    for number in range(3):
        assert set(labels[fold == number]) == {0, 1}
    labels[10:30] = 1 - value
    with pytest.raises(InputError, match=f"all {what} lie in one of 8 scenes.*scheme: blocks"):
        assign_folds(labels, blocks, scheme="scene", n=2, seed=0)


def test_too_few_scenes_or_blocks_are_refused_with_the_cure(manifest: Path):
    frame = pd.read_parquet(manifest).assign(group=np.arange(32) % 2)
    write_parquet(manifest, frame)
    with pytest.raises(InputError, match=r"2 scenes cannot make 3 folds.*scheme: blocks"):
        save(manifest, scheme="scene")
    with pytest.raises(InputError, match=r"2 blocks of ground.*block_size \(blocks of 9000 m\)"):
        save(manifest, scheme="blocks", block_size=9000.0)
    save(manifest, scheme="scene", n=2, block_size=9000.0)


@pytest.mark.parametrize("scheme", ["kfold", "stratified", "grouped"])
def test_too_few_patches_landslides_or_groups_are_refused(scheme: str):
    with pytest.raises(InputError, match="3 patches cannot make 5 folds"):
        assign_folds([1, 0, 1], [0, 1, 2], scheme=scheme, n=5, seed=0)
    with pytest.raises(InputError, match=r"2 landslides among 9.*set folds\.n to 2"):
        assign_folds([1, 1] + [0] * 7, np.arange(9), scheme=scheme, n=3, seed=0)
    with pytest.raises(InputError, match=r"0 landslides among 9.*label more"):
        assign_folds([0] * 9, np.arange(9), scheme=scheme, n=3, seed=0)


def test_fewer_groups_than_folds_are_refused():
    with pytest.raises(InputError, match="2 groups cannot make 3 folds"):
        assign_folds([0, 1] * 6, [0, 1] * 6, scheme="grouped", n=3, seed=0)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Thirty training patches, two of them not usable, and two test patches."""
    status = ["ok"] * 30
    status[4], status[9] = "empty", "dropped"
    frame = pd.DataFrame(
        {
            "id": [f"ID_{i}" for i in range(32)],
            "split": ["train"] * 30 + ["test"] * 2,
            "label": pd.array([i % 3 == 0 for i in range(30)] + [None] * 2, dtype="Int8"),
            "status": [*status, "ok", "ok"],
            "group": np.arange(32),
        }
    )
    write_parquet(tmp_path / "manifest.parquet", frame)
    return tmp_path / "manifest.parquet"


def save(manifest: Path, **changes: object) -> Path:
    target = manifest.parent / "folds.parquet"
    options = {"scheme": "kfold", "n": 3, "seed": 42, "group": None, **changes}
    write_folds(manifest, target, **options)
    return target


def test_folds_hold_the_usable_training_patches_in_order(manifest: Path):
    table, digest = read_folds(save(manifest))
    assert table["id"].tolist() == [f"ID_{i}" for i in range(30) if i not in (4, 9)]
    assert table.dtypes.astype(str).to_dict()["fold"] == "int64"
    assert table.dtypes.astype(str).to_dict()["label"] == "int8"
    assert table["label"].tolist() == [int(i % 3 == 0) for i in range(30) if i not in (4, 9)]
    assert read_metadata(manifest.parent / "folds.parquet")["split_digest"] == digest


def test_folds_saved_twice_are_the_same_bytes(manifest: Path):
    first = save(manifest).read_bytes()
    assert save(manifest).read_bytes() == first
    assert save(manifest, seed=43).read_bytes() != first


def test_the_digest_depends_on_ids_folds_and_labels_alone():
    table = pd.DataFrame({"id": ["A", "B"], "fold": [0, 1], "label": [1, 0]})
    digest = split_digest(table)
    assert split_digest(table.assign(other=1)) == digest
    assert split_digest(table.astype({"fold": "int64", "label": "int8"})) == digest
    for change in ({"id": ["A", "C"]}, {"fold": [1, 0]}, {"label": [0, 0]}):
        assert split_digest(table.assign(**change)) != digest


def test_folds_changed_by_hand_are_refused(manifest: Path):
    path = save(manifest)
    table, digest = read_folds(path)
    table.loc[0, "fold"] = (table.loc[0, "fold"] + 1) % 3
    write_parquet(path, table, {"split_digest": digest})
    with pytest.raises(InputError, match=r"folds\.parquet.*digest"):
        read_folds(path)


def test_training_rows_are_those_of_the_other_folds(manifest: Path):
    path = save(manifest)
    table, _ = read_folds(path)
    rows = training_rows(path, 1)
    assert rows.dtype == np.int64
    assert sorted({*rows.tolist()} | {*np.flatnonzero(table["fold"] == 1).tolist()}) == list(
        range(28)
    )
    assert not (table["fold"].to_numpy()[rows] == 1).any()
    with pytest.raises(InputError, match=r"no fold 7.*\[0, 1, 2\]"):
        training_rows(path, 7)


def test_a_refusal_about_groups_names_their_column(manifest: Path):
    with pytest.raises(InputError, match="28 patches cannot make 29 folds"):
        save(manifest, scheme="grouped", n=29, group="site")
    frame = pd.read_parquet(manifest).assign(group=np.arange(32) % 2)
    write_parquet(manifest, frame)
    with pytest.raises(InputError, match=r"2 groups cannot make 3 folds.*column site"):
        save(manifest, scheme="grouped", group="site")
