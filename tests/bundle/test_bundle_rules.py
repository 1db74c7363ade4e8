"""Fewer members are combined and judged as the training combines and judges all of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from landslip.bundle.card import build_card
from landslip.bundle.cascade import describe_cascade
from landslip.bundle.ensemble import Ensemble
from landslip.bundle.make import write_bundle
from landslip.ensemble.combine import Way, combine
from landslip.ensemble.gather import gather_oof
from landslip.ensemble.out_of_fold import OutOfFold
from landslip.ensemble.records import read_threshold
from landslip.ensemble.rules import cross_fit_rule
from landslip.ensemble.search import search_threshold
from landslip.io.files import read_json, read_metadata, read_parquet, write_parquet
from made_bundle import FOLDS, MEMBERS, Made


@pytest.mark.parametrize("method", ["exact", "grid", 0.35])
def test_the_threshold_of_some_members_is_the_one_that_training_chooses_for_them(
    method: str | float, ensemble: Ensemble, made: Made, tmp_path: Path
):
    """Of rules that learn most from the patches that they are judged on."""
    gather_oof(
        members={
            name: [path.parent / "oof.parquet" for path in made.sources.models[name]]
            for name in MEMBERS
        },
        folds=made.sources.folds, rule="stacked", calibration="isotonic", bootstrap=100, seed=42,
        target=tmp_path / "oof.parquet",
    )  # fmt: skip
    search_threshold(
        oof=tmp_path / "oof.parquet", method=method, bootstrap=100, seed=42,
        target=tmp_path / "threshold.json",
    )  # fmt: skip
    training = read_threshold(tmp_path / "threshold.json")
    way = Way(rule="stacked", calibration="isotonic", threshold=method, bootstrap=100, seed=42)
    found = combine(MEMBERS, ["optical"], ensemble.oof, way)
    assert found["threshold"] == training["threshold"]
    assert found["f1"] == training["cross_fitted"]["f1"]
    assert found["fit"] == training["rule"]["fit"]


def test_a_cascade_of_the_best_member_alone_is_judged_with_the_best_of_the_other_folds():
    """Weights searched anew on each fold's complement would decide otherwise."""
    random = np.random.default_rng(5)
    labels = (random.random(150) < 0.4).astype(np.int8)
    scores = {
        name: 1 / (1 + np.exp(-(lean * (2 * labels - 1) + random.normal(size=150))))
        for name, lean in (("good", 1.0), ("fair", 0.9), ("cheap", 0.5))
    }
    oof = OutOfFold(labels=labels, fold=np.arange(150) % 3, scores=scores)
    way = Way(rule="mean", calibration="none", threshold="exact", bootstrap=100, seed=1)
    cheap, whole = combine(["cheap"], ["a"], oof, way), combine(["good", "fair"], ["a"], oof, way)
    whole = {**whole, "fit": "best", "rule": {**whole["rule"], "rule": "weighted"}}
    columns = np.column_stack([scores[name] for name in whole["columns"]])

    def f1(rule: str) -> float:
        decided = cross_fit_rule(
            labels, columns, oof.fold, members=whole["columns"], rule=rule, calibration="none"
        ).landslide
        return float(2 * (decided & (labels == 1)).sum() / (decided.sum() + labels.sum()))

    operations = {"good": 2, "fair": 3, "cheap": 1}
    told = describe_cascade([cheap], whole, oof, operations, 0.003)
    assert told["f1_full"] == pytest.approx(f1("best"))
    assert f1("best") != f1("weighted")


def test_the_card_says_what_balanced_loses_on_folds_that_did_not_choose_it(
    ensemble: Ensemble, made: Made
):
    cascade, told = ensemble.record["cascade"], ensemble.card["budgets"]
    assert cascade is not None
    assert told["balanced_loss"] == cascade["f1_full"] - cascade["f1"] <= cascade["most_loss"]
    assert "the allowed loss is 0.003" in (made.bundle / "card.html").read_text()


def test_the_card_says_who_is_asked_in_turn_and_how_many_patches_that_leaves_open(
    ensemble: Ensemble,
):
    record = ensemble.record
    assert record["cascade"] is not None
    stages = [
        {"combination": {**record["combinations"][0], "columns": columns}, "open": left}
        for columns, left in ((["lightgbm"], 0.5), (["lightgbm", "rgb_net"], 0.25))
    ]
    cascade = {**record["cascade"], "stages": stages, "work": 0.2}
    # The card reads no more of a stage than this.
    told = build_card({**record, "cascade": cascade})["budgets"]  # type: ignore[typeddict-item]
    assert told["balanced_stages"] == [
        {"asks": ["lightgbm"], "open": 0.5},
        {"asks": ["rgb_net"], "open": 0.25},
    ]
    assert told["balanced_work"] == 0.2


def test_the_card_names_members_that_learned_nothing(made: Made, tmp_path: Path):
    table, constant = read_parquet(made.sources.oof), tmp_path / "oof.parquet"
    scores = table["rgb_net"].where(table["fold"] != 1, 0.5)
    write_parquet(constant, table.assign(rgb_net=scores), read_metadata(made.sources.oof))
    sources, folder = replace(made.sources, oof=constant), tmp_path / "bundle"
    write_bundle(made.settings, sources, folder=folder, archive=tmp_path / "bundle.zip")
    words = "he member rgb_net learned nothing in fold 1: there it gives every patch the same"
    assert any(words in sentence for sentence in read_json(folder / "card.json")["warnings"])
    assert words in " ".join((folder / "card.html").read_text().split())
    assert words not in (made.bundle / "card.html").read_text()


def test_a_bundle_says_the_work_of_its_members_and_its_cascade_spares_the_dearest(
    ensemble: Ensemble,
):
    work = {member["name"]: member["operations"] for member in ensemble.record["members"]}
    assert work["lightgbm"] is None
    # any_net reads six channels where rgb_net reads four; four views and two folds each.
    assert work["any_net"] > work["rgb_net"] > 0 and work["rgb_net"] % (4 * FOLDS) == 0
    cascade = ensemble.record["cascade"]
    assert cascade is not None
    assert all("any_net" not in each["combination"]["columns"] for each in cascade["stages"])


def test_a_threshold_on_request_reads_what_rules_of_other_folds_say(
    ensemble: Ensemble,
):
    """In-sample a calibration knows the very patches that a recall is to be kept on."""
    combination = ensemble.record["combinations"][0]
    columns = np.column_stack([ensemble.oof.scores[name] for name in combination["columns"]])
    crossed = cross_fit_rule(
        ensemble.oof.labels, columns, ensemble.oof.fold, members=combination["columns"],
        rule=combination["fit"], calibration=combination["rule"]["calibration"],
    )  # fmt: skip
    chosen = ensemble.threshold(recall=0.8)
    found = crossed.probability[ensemble.oof.labels == 1] > chosen.value
    assert chosen.recall == pytest.approx(found.mean()) and found.mean() >= 0.8
