"""Measure every member and the ensemble, on OOF predictions and on a labelled test set."""

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from landslip.ensemble import metrics
from landslip.ensemble.bootstrap import Metric
from landslip.ensemble.choice import MEAN
from landslip.ensemble.combine import f1_of
from landslip.ensemble.contributions import spare_members
from landslip.ensemble.differences import estimate
from landslip.ensemble.records import read_threshold
from landslip.ensemble.tables import (
    EnsembleOof,
    LabelledTest,
    read_ensemble_oof,
    read_labelled,
)
from landslip.ensemble.threshold import HALF, cross_fit, search_exact, warnings_about
from landslip.io.arrays import Decisions, Floats, Labels
from landslip.io.files import write_json
from landslip.models.names import ENSEMBLE
from landslip.models.predictions import constant_folds
from landslip.models.seeds import derive_seed

PUBLIC_SHARE = 0.3

logger = logging.getLogger(__name__)


def split_public(n: int, seed: int) -> NDArray[np.bool_]:
    """Which 30 % of n test patches are the public ones, by a permutation from the seed."""
    order = np.random.default_rng(derive_seed(seed, "public", 0)).permutation(n)
    public = np.zeros(n, dtype=np.bool_)
    public[order[: round(PUBLIC_SHARE * n)]] = True
    return public


def overall(oof_f1: float, public_f1: float, private_f1: float) -> float:
    """The paper's Overall: half OOF, half test of which 30 % public and 70 % private."""
    test_f1 = PUBLIC_SHARE * public_f1 + (1 - PUBLIC_SHARE) * private_f1
    return 0.5 * oof_f1 + 0.5 * test_f1


def evaluate(
    *,
    oof: Path,
    test: Path | None,
    threshold: Path,
    manifest: Path,
    bootstrap: int,
    seed: int,
    target: Path,
) -> None:
    """Write metrics.json.

    Parameters
    ----------
    oof, test
        ensemble/oof.parquet and ensemble/test.parquet; None: there are no test patches.
    threshold
        threshold.json; its threshold is used for the ensemble and for every member. Only on test
        patches that lack sensors the ensemble has another, whose decisions `test` holds.
    manifest
        manifest.parquet; test labels, where known, are in it.
    bootstrap
        Resamples of the patches for the intervals. Predictions and thresholds stay as they are.
        All models are measured on the same resamples.
    seed
        The run's seed: of the resamples and of the public/private split.
    target
        JSON file to write.

    Raises
    ------
    InputError
        A file is damaged, or `test` holds other patches than the manifest.
    """
    table = read_ensemble_oof(oof)
    chosen = read_threshold(threshold)["threshold"]
    models = {ENSEMBLE: table.probability, **table.members}
    measured = _measure_oof(table, models, chosen, bootstrap, seed)
    for name, scores in table.members.items():
        measured[name]["constant_folds"] = constant_folds(scores, table.fold)
    warnings = [
        *warnings_about(table.labels, table.probability, chosen),
        *warnings_about_learning(measured, plain=table.way == MEAN),
    ]
    on_test = None if test is None else read_labelled(test, manifest)
    tested: dict[str, Any] | None = None
    reason: str | None = None
    if on_test is None:
        reason = "There are no test patches, so nothing is measured on them."
    elif not len(on_test.labels):
        reason = "The labels of the test patches are not known, so nothing is measured on them."
    elif np.isnan(on_test.probability).all():
        reason = "No test patch has both a label and a prediction, so nothing is measured on them."
    else:
        tested = _measure_test(on_test, measured, chosen, bootstrap, seed)
    for sentence in warnings:
        logger.warning("%s", sentence)
    write_json(
        target,
        {
            "threshold": chosen,
            "operator": ">",
            "patches": len(table.labels),
            "positives": int(table.labels.sum()),
            "bootstrap": bootstrap,
            "interval": "percentiles 2.5 and 97.5 over resamples of the patches",
            ENSEMBLE: measured.pop(ENSEMBLE),
            "members": measured,
            "rule": table.rule,
            "add_nothing": spare_members(table, resamples=bootstrap, seed=seed),
            "test": tested,
            "test_reason": reason,
            "warnings": warnings,
        },
    )


def warnings_about_learning(measured: Mapping[str, Mapping[str, Any]], *, plain: bool) -> list[str]:
    """Sentences about models that learned nothing, as far as out-of-fold predictions tell.

    Parameters
    ----------
    measured
        Model -> its metrics with `constant_folds`; the ensemble among them.
    plain
        The ensemble is the plain mean.
    """
    sentences = []
    counts = ", and counts in the mean like any other" if plain else ""
    for name, values in measured.items():
        who = "the ensemble" if name == ENSEMBLE else f"the member {name}"
        folds = [str(fold) for fold in values.get("constant_folds", [])]
        interval = values["intervals"]["auc"]
        if folds:
            where = f"fold{'s' if len(folds) > 1 else ''} {', '.join(folds)}"
            sentences.append(
                f"{who} learned nothing in {where}: there it gives every patch the same"
                f" probability{counts} (its logs say more)"
            )
        elif interval is not None and interval[0] <= 0.5:
            sentences.append(
                f"{who} cannot be told from chance: its AUC is {values['auc']:.3f}"
                f" (95 % interval {interval[0]:.3f} to {interval[1]:.3f})"
            )
    return sentences


def learning_of(
    labels: Labels,
    members: Mapping[str, Floats],
    fold: NDArray[np.int64],
    *,
    plain: bool,
    resamples: int,
    seed: int,
) -> list[str]:
    """As `warnings_about_learning`, of members that nobody has measured yet.

    Parameters
    ----------
    labels, fold : (n,)
        0 or 1, and the fold of each patch.
    members
        Name -> out-of-fold probabilities (n,).
    plain
        They answer by their plain mean.
    resamples, seed
        Of the intervals.
    """
    both = len(np.unique(labels)) > 1
    functions = {name: partial(metrics.auc, labels, scores) for name, scores in members.items()}
    found = estimate(functions, len(labels), resamples=resamples, seed=seed) if both else {}
    measured = {
        name: {
            "constant_folds": constant_folds(scores, fold),
            "auc": found[name].value if both else None,
            "intervals": {"auc": found[name].interval if both else None},
        }
        for name, scores in members.items()
    }
    return warnings_about_learning(measured, plain=plain)


def _measure_oof(
    table: EnsembleOof, models: Mapping[str, Floats], threshold: float, resamples: int, seed: int
) -> dict[str, dict[str, Any]]:
    """Measures of every model with those that need folds: its own threshold, cross-fitted F1."""
    own = {name: search_exact(table.labels, scores) for name, scores in models.items()}
    extra: dict[str, dict[str, Metric]] = {}
    for name, scores in models.items():
        crossed = (
            table.landslide
            if name == ENSEMBLE
            else cross_fit(table.labels, scores, table.fold).landslide
        )
        at_own = scores > own[name].threshold
        extra[name] = {
            "f1_at_own_threshold": partial(metrics.f1, table.labels, at_own),
            "cross_fitted_f1": partial(metrics.f1, table.labels, crossed),
        }
    decided = {name: scores > threshold for name, scores in models.items()}
    measured = _measure(table.labels, models, decided, extra, resamples, seed)
    for name, choice in own.items():
        measured[name]["own_threshold"] = choice.threshold
    return measured


def _measure_test(
    test: LabelledTest,
    oof: Mapping[str, Mapping[str, Any]],
    threshold: float,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Measures on the test patches that have a label and a prediction."""
    known = ~np.isnan(test.probability)
    truth = test.labels[known]
    models = {
        name: scores[known] for name, scores in {ENSEMBLE: test.probability, **test.members}.items()
    }
    decided = {name: scores > threshold for name, scores in models.items()}
    decided[ENSEMBLE] = test.landslide[known] == 1
    public = split_public(len(truth), seed)
    measured = _measure(truth, models, decided, {}, resamples, seed)
    for name, called in decided.items():
        halves = {
            key: f1_of(truth[part], called[part])
            for key, part in {"public_f1": public, "private_f1": ~public}.items()
        }
        measured[name] |= halves
        measured[name]["overall"] = overall(oof[name]["f1"], **halves)
    return {
        "patches": len(truth),
        "positives": int(truth.sum()),
        "without_label": test.unlabelled,
        "without_prediction": int((~known).sum()),
        "split": (
            f"public: {int(public.sum())} patches, private: {int((~public).sum())}, by a"
            f" permutation from seed {seed}; not the competition's own split"
        ),
        "overall": "0.5 OOF + 0.5 (0.3 public + 0.7 private), F1 of the decisions in force",
        ENSEMBLE: measured.pop(ENSEMBLE),
        "members": measured,
        "warnings": warnings_about(truth, models[ENSEMBLE], threshold, decided[ENSEMBLE]),
    }


def _measure(
    labels: Labels,
    models: Mapping[str, Floats],
    decided: Mapping[str, Decisions],
    extra: Mapping[str, Mapping[str, Metric]],
    resamples: int,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Every measure of every model with its interval."""
    functions: dict[tuple[str, str], Metric] = {}
    for name, scores in models.items():
        for key, function in {
            **_measures(labels, scores, decided[name]),
            **extra.get(name, {}),
        }.items():
            functions[name, key] = function
    estimates = estimate(functions, len(labels), resamples=resamples, seed=seed)
    measured: dict[str, dict[str, Any]] = {name: {} for name in models}
    for (name, key), found in estimates.items():
        measured[name][key] = found.value
    for name, scores in models.items():
        if len(np.unique(labels)) < 2:  # one class makes no rank
            measured[name] |= {"auc": None, "average_precision": None}
        measured[name]["confusion"] = metrics.confusion(labels, decided[name])
        measured[name]["confusion_at_half"] = metrics.confusion(labels, scores > HALF)
        measured[name]["intervals"] = {
            key: found.interval if measured[name][key] is not None else None
            for (of, key), found in estimates.items()
            if of == name
        }
    return measured


def _measures(labels: Labels, probability: Floats, decided: Decisions) -> dict[str, Metric]:
    return {
        "f1_at_half": partial(metrics.f1, labels, probability > HALF),
        "f1": partial(metrics.f1, labels, decided),
        "precision": partial(metrics.precision, labels, decided),
        "recall": partial(metrics.recall, labels, decided),
        "auc": partial(metrics.auc, labels, probability),
        "average_precision": partial(metrics.average_precision, labels, probability),
        "brier": partial(metrics.brier, labels, probability),
    }
