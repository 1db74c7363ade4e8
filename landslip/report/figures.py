"""The figures and tables of the report: what each shows, where it stands, and who draws it.

Each name is also that of the file and of its caption in resources/report/. The rules read this
module while they plan, so what draws is imported late.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure of a page, or a table beside it."""

    title: str
    section: str
    """Of the page, and the category in Snakemake's report."""
    alternative: str = ""
    """What it shows, for those who do not see it."""


@dataclass(frozen=True, kw_only=True)
class FigureInputs:
    """Files and settings that figures are drawn from."""

    oof: Path
    threshold: Path
    metrics: Path
    manifest: Path
    store: Path
    """store/train.h5."""
    rulegraph: Path
    importance: Mapping[str, Sequence[Path]]
    """Tree model -> importance.parquet of its folds."""
    history: Mapping[str, Sequence[Path]]
    """Model -> history.parquet of its folds."""
    costs: Mapping[str, Sequence[Path]]
    """Model -> cost.json of its folds."""
    benchmarks: Mapping[str, Path]
    """Label -> benchmark file of a job."""
    paper: Path
    """The paper's table of models."""
    simulated: bool
    modalities: Mapping[str, str]
    """Channel -> modality, in the order of the store."""
    units: Mapping[str, str]
    stages: Mapping[str, str]
    """Rule -> stage."""
    seed: int
    splits: Path | None = None
    """Of patches from scenes; see `landslip.report.splits.compare_splits`."""


FIGURES: dict[str, Figure] = {
    "f1_threshold": Figure(
        title="F1 and threshold",
        section="Scores",
        alternative="Curves of F1 against the threshold for the ensemble and each member",
    ),
    "confusion": Figure(
        title="Right and wrong decisions",
        section="Scores",
        alternative="Confusion matrix of the ensemble",
    ),
    "roc": Figure(
        title="Ranking: ROC",
        section="Scores",
        alternative="ROC curves of all models, whole and enlarged near few false positives",
    ),
    "precision_recall": Figure(
        title="Ranking: precision and recall",
        section="Scores",
        alternative="Precision-recall curves of all models with lines of equal F1",
    ),
    "reliability": Figure(
        title="Can the probabilities be believed?",
        section="Scores",
        alternative="Reliability diagram of the ensemble over a histogram of its probabilities",
    ),
    "mistakes": Figure(
        title="The most certain mistakes",
        section="Mistakes",
        alternative="Thumbnails of the most certain false alarms and missed landslides",
    ),
    "composites": Figure(
        title="Sample patches in colour",
        section="Data",
        alternative="Six sample patches, each in red, green and blue beside its radar composite",
    ),
    "patches": Figure(
        title="Sample patches in every channel",
        section="Data",
        alternative="Six sample patches in every channel",
    ),
    "splits": Figure(
        title="How much a random split overestimates",
        section="Data",
        alternative="Scores of small trees by how patches were split, and how unlike patches are "
        "against their distance",
    ),
    "learning_curves": Figure(
        title="Learning curves",
        section="Models",
        alternative="Loss and F1 of each model against training step",
    ),
    "importance": Figure(
        title="What the trees look at",
        section="Models",
        alternative="Bar charts of the thirty most important features of each tree model",
    ),
    "dag": Figure(
        title="The workflow",
        section="How it was made",
        alternative="Diagram of the workflow's rules and what each reads from which",
    ),
    "cost": Figure(
        title="Time and memory",
        section="How it was made",
        alternative="Dot plots of time and peak memory of each job",
    ),
}
TABLES: dict[str, Figure] = {
    "models": Figure(title="Models and ensemble", section="Models"),
    "speed": Figure(title="Speed of every model", section="How it was made"),
}


def draw_report(run: FigureInputs, targets: Sequence[Path]) -> None:
    """Draw figures and write tables.

    Parameters
    ----------
    run
        What the figures are drawn from.
    targets
        Files to write, named after FIGURES (PNG) and TABLES (CSV). Others are passed over: what a
        figure writes beside it.

    Raises
    ------
    InputError
        A file is damaged.
    """
    from landslip.ensemble.records import read_threshold
    from landslip.ensemble.tables import read_ensemble_oof
    from landslip.report import (
        cost,
        curves,
        decisions,
        graph,
        importances,
        learning,
        mistakes,
        models_table,
        patch_figure,
        speed,
        splits_figure,
    )

    decided = read_ensemble_oof(run.oof), float(read_threshold(run.threshold)["threshold"])
    pixels: dict[str, Any] = {"store": run.store, "modalities": run.modalities}
    samples: dict[str, Any] = {**pixels, "manifest": run.manifest, "seed": run.seed}
    compared = not run.simulated and models_table.is_papers_data(run.manifest)
    draw_figures(
        {
            "f1_threshold": partial(curves.draw_f1_threshold, *decided),
            "confusion": partial(decisions.draw_confusion, *decided),
            "roc": partial(curves.draw_roc, *decided),
            "precision_recall": partial(curves.draw_precision_recall, *decided),
            "reliability": partial(decisions.draw_reliability, *decided),
            "mistakes": partial(mistakes.draw_mistakes, *decided, **pixels),
            "composites": partial(patch_figure.draw_composites, **samples),
            "patches": partial(patch_figure.draw_patches, **samples, units=run.units),
            **({"splits": partial(splits_figure.draw_splits, run.splits)} if run.splits else {}),
            "learning_curves": partial(
                learning.draw_learning_curves, history=run.history, trees=list(run.importance)
            ),
            "importance": partial(
                importances.draw_importance, importance=run.importance, modalities=run.modalities
            ),
            "dag": partial(graph.draw_graph, rulegraph=run.rulegraph, stages=run.stages),
            "cost": partial(cost.draw_cost, benchmarks=run.benchmarks),
        },
        targets,
    )
    draw_figures(
        {
            "models": partial(
                models_table.tabulate_models,
                metrics=run.metrics,
                paper=run.paper if compared else None,
            ),
            "speed": partial(speed.tabulate_speed, costs=run.costs),
        },
        targets,
        suffix=".csv",
    )


def draw_figures(
    figures: Mapping[str, Callable[..., None]], targets: Sequence[Path], suffix: str = ".png"
) -> None:
    """Draw those of some figures that are among the files to write.

    Parameters
    ----------
    figures
        Name -> function that writes the file that it is given as `target`.
    targets
        Files to write; those of other names or endings are passed over.
    suffix
        Ending of the figures' files.
    """
    for target in targets:
        if target.suffix == suffix and target.stem in figures:
            figures[target.stem](target=target)
