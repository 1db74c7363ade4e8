"""The report stage run on a made-up study, as its rules run it."""

from pathlib import Path

from report.made_study import STAGES, MadeStudy, model_settings

from landslip.report.figures import FIGURES, Run, draw_report
from landslip.report.models_table import tabulate_models
from landslip.report.page import Study, write_report
from project import ROOT

CAPTIONS = ROOT / "resources" / "report"
PAPER = ROOT / "resources" / "paper" / "table2.csv"


def draw_all(study: MadeStudy) -> list[Path]:
    """Every figure and table of the report; the figures."""
    out = study.path("report")
    run = Run(
        oof=study.path("ensemble/oof.parquet"),
        threshold=study.path("ensemble/threshold.json"),
        metrics=study.path("ensemble/metrics.json"),
        manifest=study.path("data/manifest.parquet"),
        store=study.path("store/train.h5"),
        rulegraph=out / "rulegraph.json",
        importance=study.of_folds(study.trees, "importance.parquet"),
        history=study.of_folds(study.members, "history.parquet"),
        costs=study.of_folds(study.members, "cost.json"),
        benchmarks=study.benchmarks,
        paper=PAPER,
        simulated=True,
        modalities=study.modalities,
        units=study.units,
        stages=STAGES,
        seed=42,
    )
    names = [name for name in FIGURES if study.trees or name != "importance"]
    draw_report(run, [*(out / f"{name}.png" for name in names), out / "speed.csv"])
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
