"""The figures and tables of the report: what each shows, where it stands, and who draws it.

This is the one list of them. Each name is also that of the file and of its caption in
resources/report/. The rules read this module while they plan, so what draws is imported late.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from landslip.ensemble.tables import EnsembleOof

# What a figure is drawn from.
Source = TypeVar("Source")


@dataclass(frozen=True, kw_only=True)
class Run:
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

    @cached_property
    def predictions(self) -> "EnsembleOof":
        """The ensemble's and its members' predictions."""
        from landslip.ensemble.tables import read_ensemble_oof

        return read_ensemble_oof(self.oof)

    @cached_property
    def chosen(self) -> float:
        """The threshold in force."""
        from landslip.ensemble.records import read_threshold

        return float(read_threshold(self.threshold)["threshold"])


@dataclass(frozen=True, kw_only=True)
class Figure(Generic[Source]):
    """A figure of a page, or a table beside it."""

    title: str
    section: str
    """Of the page, and the category in Snakemake's report."""
    alternative: str = ""
    """What it shows, for those who do not see it."""
    draw: Callable[[Source, Path], None]
    """Writes the file; what else it writes has the same name with another ending."""


def _f1_threshold(run: Run, target: Path) -> None:
    from landslip.report.curves import draw_f1_threshold

    draw_f1_threshold(run.predictions, run.chosen, target)


def _roc(run: Run, target: Path) -> None:
    from landslip.report.curves import draw_roc

    draw_roc(run.predictions, run.chosen, target)


def _precision_recall(run: Run, target: Path) -> None:
    from landslip.report.curves import draw_precision_recall

    draw_precision_recall(run.predictions, run.chosen, target)


def _confusion(run: Run, target: Path) -> None:
    from landslip.report.decisions import draw_confusion

    draw_confusion(run.predictions, run.chosen, target)


def _reliability(run: Run, target: Path) -> None:
    from landslip.report.decisions import draw_reliability

    draw_reliability(run.predictions, run.chosen, target)


def _mistakes(run: Run, target: Path) -> None:
    from landslip.report.mistakes import draw_mistakes

    draw_mistakes(
        oof=run.oof,
        threshold=run.threshold,
        store=run.store,
        modalities=run.modalities,
        target=target,
        table=target.with_suffix(".csv"),
    )


def _composites(run: Run, target: Path) -> None:
    from landslip.report.composite_figure import draw_composites

    draw_composites(
        store=run.store,
        manifest=run.manifest,
        modalities=run.modalities,
        seed=run.seed,
        target=target,
    )


def _patches(run: Run, target: Path) -> None:
    from landslip.report.patch_figure import draw_patches

    draw_patches(
        store=run.store,
        manifest=run.manifest,
        modalities=run.modalities,
        units=run.units,
        seed=run.seed,
        target=target,
    )


def _learning_curves(run: Run, target: Path) -> None:
    from landslip.report.learning import draw_learning_curves

    draw_learning_curves(history=run.history, trees=list(run.importance), target=target)


def _importance(run: Run, target: Path) -> None:
    from landslip.report.importances import draw_importance

    draw_importance(importance=run.importance, modalities=run.modalities, target=target)


def _dag(run: Run, target: Path) -> None:
    from landslip.report.graph import draw_graph

    draw_graph(rulegraph=run.rulegraph, stages=run.stages, target=target)


def _cost(run: Run, target: Path) -> None:
    from landslip.report.cost import draw_cost

    draw_cost(benchmarks=run.benchmarks, target=target, table=target.with_suffix(".csv"))


def _models(run: Run, target: Path) -> None:
    from landslip.report.models_table import is_papers_data, tabulate_models

    compared = not run.simulated and is_papers_data(run.manifest)
    tabulate_models(metrics=run.metrics, paper=run.paper if compared else None, target=target)


def _speed(run: Run, target: Path) -> None:
    from landslip.report.speed import tabulate_speed

    tabulate_speed(costs=run.costs, target=target)


FIGURES: dict[str, Figure[Run]] = {
    "f1_threshold": Figure(
        title="F1 and threshold",
        section="Scores",
        alternative="Curves of F1 against the threshold for the ensemble and each member",
        draw=_f1_threshold,
    ),
    "confusion": Figure(
        title="Right and wrong decisions",
        section="Scores",
        alternative="Confusion matrix of the ensemble",
        draw=_confusion,
    ),
    "roc": Figure(
        title="Ranking: ROC",
        section="Scores",
        alternative="ROC curves of all models, whole and enlarged near few false positives",
        draw=_roc,
    ),
    "precision_recall": Figure(
        title="Ranking: precision and recall",
        section="Scores",
        alternative="Precision-recall curves of all models with lines of equal F1",
        draw=_precision_recall,
    ),
    "reliability": Figure(
        title="Can the probabilities be believed?",
        section="Scores",
        alternative="Reliability diagram of the ensemble over a histogram of its probabilities",
        draw=_reliability,
    ),
    "mistakes": Figure(
        title="The most certain mistakes",
        section="Mistakes",
        alternative="Thumbnails of the most certain false alarms and missed landslides",
        draw=_mistakes,
    ),
    "composites": Figure(
        title="Sample patches in colour",
        section="Data",
        alternative="Six sample patches, each in red, green and blue beside its radar composite",
        draw=_composites,
    ),
    "patches": Figure(
        title="Sample patches in every channel",
        section="Data",
        alternative="Six sample patches in every channel",
        draw=_patches,
    ),
    "learning_curves": Figure(
        title="Learning curves",
        section="Models",
        alternative="Loss and F1 of each model against training step",
        draw=_learning_curves,
    ),
    "importance": Figure(
        title="What the trees look at",
        section="Models",
        alternative="Bar charts of the thirty most important features of each tree model",
        draw=_importance,
    ),
    "dag": Figure(
        title="The workflow",
        section="How it was made",
        alternative="Diagram of the workflow's rules and what each reads from which",
        draw=_dag,
    ),
    "cost": Figure(
        title="Time and memory",
        section="How it was made",
        alternative="Dot plots of time and peak memory of each job",
        draw=_cost,
    ),
}
TABLES: dict[str, Figure[Run]] = {
    "models": Figure(title="Models and ensemble", section="Models", draw=_models),
    "speed": Figure(title="Speed of every model", section="How it was made", draw=_speed),
}


def draw_report(run: Run, targets: Sequence[Path]) -> None:
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
    draw_figures(FIGURES, run, targets)
    draw_figures(TABLES, run, targets, suffix=".csv")


def draw_figures(
    figures: Mapping[str, Figure[Source]],
    source: Source,
    targets: Sequence[Path],
    suffix: str = ".png",
) -> None:
    """Draw those of some figures that are among the files to write."""
    for target in targets:
        if target.suffix == suffix and target.stem in figures:
            figures[target.stem].draw(source, target)
