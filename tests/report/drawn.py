"""The report stage run on a made-up run, as its rules run it."""

from pathlib import Path

from report.made_run import STAGES, MadeRun, model_settings

from landslip.io.files import write_json
from landslip.report.figures import FIGURES, FigureInputs, draw_report
from landslip.report.models_table import tabulate_models
from landslip.report.page import Configured, write_report
from project import ROOT

CAPTIONS = ROOT / "resources" / "report"
PAPER = ROOT / "resources" / "paper" / "table2.csv"


def draw_all(done: MadeRun) -> list[Path]:
    """Every figure and table of the report; the figures."""
    out = done.path("report")
    run = FigureInputs(
        oof=done.path("ensemble/oof.parquet"),
        threshold=done.path("ensemble/threshold.json"),
        metrics=done.path("ensemble/metrics.json"),
        manifest=done.path("data/manifest.parquet"),
        store=done.path("store/train.h5"),
        rulegraph=out / "rulegraph.json",
        importance=done.of_folds(done.trees, "importance.parquet"),
        history=done.of_folds(done.members, "history.parquet"),
        costs=done.of_folds(done.members, "cost.json"),
        benchmarks=done.benchmarks,
        paper=PAPER,
        simulated=True,
        modalities=done.modalities,
        units=done.units,
        stages=STAGES,
        seed=42,
        splits=write_splits(out / "splits.json"),
    )
    names = [name for name in FIGURES if done.trees or name != "importance"]
    draw_report(run, [*(out / f"{name}.png" for name in names), out / "speed.csv"])
    return sorted(out.glob("*.png"))


def write_splits(path: Path) -> Path:
    """What trees say of splits, made up."""
    rows = [
        {"split": split, "folds": 5,
         "f1": {"value": value, "low": value - 0.05, "high": value + 0.04},
         "auc": {"value": value + 0.1, "low": value + 0.06, "high": value + 0.13}}
        for split, value in (("random", 0.8), ("in force", 0.7), ("scene", 0.65))
    ]  # fmt: skip
    more = {"value": 0.1, "low": 0.04, "high": 0.15}
    curve = {"distance": [700.0, 2000.0, 6000.0], "pairs": [90, 400, 900],
             "label": [0.5, 0.8, 1.0], "residual": [0.7, 0.9, 1.0]}  # fmt: skip
    write_json(path, {
        "patches": 3000, "used": 3000, "groups": 40, "scenes": 3, "scheme": "blocks", "rows": rows,
        "flattery": {"f1": more, "auc": more}, "variogram": curve, "reach": 6000.0,
    })  # fmt: skip
    return path


def write_page(
    done: MadeRun,
    figures: list[Path],
    *,
    simulated: bool = False,
    paper: bool = False,
    name: str = "report.html",
) -> Path:
    """The report with some figures, beside the run's results."""
    out = done.path("report")
    metrics = done.path("ensemble/metrics.json")
    tabulate_models(metrics=metrics, paper=PAPER if paper else None, target=out / "models.csv")
    target = done.path(name)
    write_report(
        configured=Configured(
            simulated=simulated, seed=42, scaling_fit="all", folds_scheme="stratified",
            models=model_settings(done), reads={}, audit="data/audit.html",
        ),
        descriptions=done.of_folds(done.members, "model.json"),
        costs=done.of_folds(done.members, "cost.json"),
        metrics=metrics,
        threshold=done.path("ensemble/threshold.json"),
        test=done.path("ensemble/test.parquet"),
        manifest=done.path("data/manifest.parquet"),
        folds=done.path("data/folds.parquet"),
        models=out / "models.csv",
        mistakes=out / "mistakes.csv",
        cost=out / "cost.csv",
        speed=out / "speed.csv",
        figures=figures,
        captions=sorted(CAPTIONS.glob("*.rst")),
        target=target,
    )  # fmt: skip
    return target
