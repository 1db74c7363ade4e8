"""The report stage run on a made-up study, as its rules run it."""

from pathlib import Path

from report.made_study import STAGES, MadeStudy, model_settings

from landslip.report.colours import draw_composites
from landslip.report.cost import draw_cost
from landslip.report.curves import draw_curves
from landslip.report.decisions import draw_decisions
from landslip.report.graph import draw_graph
from landslip.report.importances import draw_importance
from landslip.report.learning import draw_learning_curves
from landslip.report.mistakes import draw_mistakes
from landslip.report.models_table import tabulate_models
from landslip.report.page import Study, write_report
from landslip.report.patches import draw_patches
from landslip.report.speed import tabulate_speed
from project import ROOT

CAPTIONS = ROOT / "resources" / "report"
PAPER = ROOT / "resources" / "paper" / "table2.csv"


def draw_all(study: MadeStudy) -> list[Path]:
    """Every figure and table of the report; the figures."""
    out = study.path("report")
    oof, threshold = study.path("ensemble/oof.parquet"), study.path("ensemble/threshold.json")
    store = {
        "store": study.path("store/train.h5"),
        "modalities": study.modalities,
    }
    draw_curves(
        oof=oof, threshold=threshold, f1_threshold=out / "f1_threshold.png", roc=out / "roc.png",
        precision_recall=out / "precision_recall.png",
    )  # fmt: skip
    draw_decisions(
        oof=oof, threshold=threshold, confusion=out / "confusion.png",
        reliability=out / "reliability.png",
    )  # fmt: skip
    draw_learning_curves(
        history=study.of_folds(study.members, "history.parquet"), trees=study.trees,
        target=out / "learning_curves.png",
    )  # fmt: skip
    samples = {**store, "manifest": study.path("data/manifest.parquet"), "seed": 42}
    draw_composites(**samples, target=out / "composites.png")
    draw_patches(**samples, units=study.units, target=out / "patches.png")
    draw_mistakes(
        **store, oof=oof, threshold=threshold, target=out / "mistakes.png",
        table=out / "mistakes.csv",
    )  # fmt: skip
    draw_graph(rulegraph=out / "rulegraph.json", stages=STAGES, target=out / "dag.png")
    draw_cost(benchmarks=study.benchmarks, target=out / "cost.png", table=out / "cost.csv")
    tabulate_speed(costs=study.of_folds(study.members, "cost.json"), target=out / "speed.csv")
    if study.trees:
        draw_importance(
            importance=study.of_folds(study.trees, "importance.parquet"),
            modalities=study.modalities, target=out / "importance.png",
        )  # fmt: skip
    return sorted(out.glob("*.png"))


def write_page(
    study: MadeStudy,
    figures: list[Path],
    *,
    simulated: bool = False,
    paper: bool = False,
    name: str = "report.html",
) -> Path:
    """The report with some figures, beside the study's results."""
    out = study.path("report")
    metrics = study.path("ensemble/metrics.json")
    tabulate_models(metrics=metrics, paper=PAPER if paper else None, target=out / "models.csv")
    target = study.path(name)
    write_report(
        study=Study(
            simulated=simulated, seed=42, scaling_fit="all", folds_scheme="stratified",
            models=model_settings(study), reads={}, audit="data/audit.html",
        ),
        descriptions=study.of_folds(study.members, "model.json"),
        metrics=metrics,
        threshold=study.path("ensemble/threshold.json"),
        test=study.path("ensemble/test.parquet"),
        manifest=study.path("data/manifest.parquet"),
        folds=study.path("data/folds.parquet"),
        models=out / "models.csv",
        mistakes=out / "mistakes.csv",
        cost=out / "cost.csv",
        speed=out / "speed.csv",
        figures=figures,
        captions=sorted(CAPTIONS.glob("*.rst")),
        target=target,
    )  # fmt: skip
    return target
