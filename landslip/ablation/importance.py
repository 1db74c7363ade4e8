"""What groups of features, and inputs of networks, bring to F1 and AUC."""

from collections.abc import Mapping, Sequence
from functools import partial
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from landslip.ablation.masking import name_of, subsets
from landslip.ablation.permutation import FULL, SEPARATOR
from landslip.ensemble import metrics
from landslip.ensemble.bootstrap import Metric
from landslip.ensemble.differences import estimate
from landslip.ensemble.threshold import cross_fit
from landslip.io.arrays import Floats
from landslip.io.files import read_parquet, write_parquet
from landslip.models.importance import mean_importance

_ROUNDING = 1e-12
COLUMNS = (
    "model", "method", "grouping", "group", "f1", "f1_low", "f1_high", "contains_zero", "auc",
    "auc_low", "auc_high", "gain_share", "splits_share",
)  # fmt: skip


def gather_importance(
    *,
    trees: Mapping[str, Path],
    splits: Mapping[str, Sequence[Path]],
    groupings: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]],
    networks: Mapping[str, Path],
    parts: Mapping[str, Sequence[str]],
    bootstrap: int,
    seed: int,
    target: Path,
) -> None:
    """Write results/ablation/importance.parquet.

    Parameters
    ----------
    trees, networks
        Model -> what `permute_groups` or `mask_inputs` wrote.
    splits
        Tree model -> importance.parquet of its folds.
    groupings
        Tree model -> grouping -> group -> features.
    parts
        Network -> its inputs.
    bootstrap
        Resamples of the patches for the intervals.
    seed
        The run's seed.
    target
        Parquet file to write.

    Notes
    -----
    COLUMNS, one row a group. method permutation: F1 and AUC lost when the group is shuffled, mean
    over the shufflings; gain_share and splits_share say what part of the trees' loss reduction
    and of their splits is on the group. left_out: lost when a network sees the input's mean
    instead. shapley: the input's mean gain over all orders in which inputs can be added to none.
    F1 at the cross-fitted thresholds of the whole model. All with paired bootstrap intervals.
    """
    rows: list[dict[str, Any]] = []
    for model, path in trees.items():
        gain = mean_importance(splits[model]).set_index("feature")[["gain", "splits"]]
        share = gain / gain.sum().replace(0, 1)  # 0: no tree has a split
        for row in permutation_rows(read_parquet(path), resamples=bootstrap, seed=seed):
            inside = share.loc[list(groupings[model][row["grouping"]][row["group"]])].sum()
            shares = {"gain_share": inside["gain"], "splits_share": inside["splits"]}
            rows.append({"model": model, **row, **shares})
    for model, path in networks.items():
        measured = input_rows(
            read_parquet(path), list(parts[model]), resamples=bootstrap, seed=seed
        )
        rows += [{"model": model, **row} for row in measured]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    numbers = [name for name in COLUMNS if name.startswith(("f1", "auc", "gain", "splits"))]
    write_parquet(target, frame.astype(dict.fromkeys(numbers, "float64")))


def permutation_rows(table: pd.DataFrame, *, resamples: int, seed: int) -> list[dict[str, Any]]:
    """Rows of a tree model; `table` as `permute_groups` writes it."""
    keys = [name for name in table.columns if SEPARATOR in name]
    groups: dict[tuple[str, str], list[str]] = {}
    for key in keys:
        grouping, group, _ = key.split(SEPARATOR)
        groups.setdefault((grouping, group), []).append(key)
    terms = {
        group: {FULL: 1.0, **dict.fromkeys(shuffled, -1 / len(shuffled))}
        for group, shuffled in groups.items()
    }
    measured = _combine(table, FULL, terms, resamples=resamples, seed=seed)
    return [
        {"method": "permutation", "grouping": grouping, "group": group, **values}
        for (grouping, group), values in measured.items()
    ]


def input_rows(
    table: pd.DataFrame, parts: Sequence[str], *, resamples: int, seed: int
) -> list[dict[str, Any]]:
    """Rows of a network; `table` as `mask_inputs` writes it for these inputs."""
    full = name_of(parts)
    terms: dict[tuple[str, str], dict[str, float]] = {}
    for part in parts:
        rest = [other for other in parts if other != part]
        terms["left_out", part] = {full: 1.0, name_of(rest): -1.0}
        terms["shapley", part] = shapley_terms(parts, part)
    measured = _combine(table, full, terms, resamples=resamples, seed=seed)
    return [
        {"method": method, "grouping": "input", "group": part, **values}
        for (method, part), values in measured.items()
    ]


def shapley_terms(parts: Sequence[str], part: str) -> dict[str, float]:
    """Weight of the value of every set of parts in the Shapley value of one."""
    rest = [other for other in parts if other != part]
    weights: dict[str, float] = {}
    for others in subsets(rest):
        weight = 1 / (len(parts) * comb(len(rest), len(others)))
        joined = [name for name in parts if name in others or name == part]
        weights[name_of(joined)] = weights.get(name_of(joined), 0.0) + weight
        weights[name_of(others)] = weights.get(name_of(others), 0.0) - weight
    return weights


def _combine(
    table: pd.DataFrame,
    full: str,
    terms: Mapping[tuple[str, str], Mapping[str, float]],
    *,
    resamples: int,
    seed: int,
) -> dict[tuple[str, str], dict[str, Any]]:
    """Sums of F1 and of AUC of several predictions, with weights, and their intervals."""
    labels = table["label"].to_numpy(dtype=np.int8)
    fold = table["fold"].to_numpy(dtype=np.int64)
    thresholds = cross_fit(labels, table[full].to_numpy(dtype=np.float64), fold).thresholds
    cut = np.array([thresholds[number] for number in fold.tolist()])
    used = sorted({name for weights in terms.values() for name in weights})
    functions: dict[tuple[str, str], Metric] = {}
    for name in used:
        scores = table[name].to_numpy(dtype=np.float64)
        functions["f1", name] = partial(metrics.f1, labels, scores > cut)
        functions["auc", name] = partial(metrics.auc, labels, scores)
    sums: dict[tuple[str, str, str], Metric] = {
        (measure, *key): partial(_sum, functions, measure, weights)
        for key, weights in terms.items()
        for measure in ("f1", "auc")
    }
    found: dict[tuple[str, str], dict[str, Any]] = {}
    estimates = estimate(sums, len(labels), resamples=resamples, seed=seed)
    for (measure, *key), one in estimates.items():
        values = found.setdefault((key[0], key[1]), {})
        values |= {measure: one.value, f"{measure}_low": one.low, f"{measure}_high": one.high}
        if measure == "f1":
            values["contains_zero"] = bool(one.contains_zero)
    return found


def _sum(
    functions: Mapping[tuple[str, str], Metric],
    measure: str,
    weights: Mapping[str, float],
    drawn: Floats,
) -> Floats:
    total = np.zeros(len(drawn))
    for name, weight in weights.items():
        total = total + weight * functions[measure, name](drawn)
    # Thirds that cancel leave a rest of rounding, whose sign would pass for an effect.
    return np.where(np.abs(total) < _ROUNDING, 0.0, total)
