"""Figures are drawn whatever the data: one class only, no mistakes, nothing measured."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from report.drawn import draw_all
from report.made_run import MadeRun

from landslip.ensemble.tables import EnsembleOof
from landslip.report import curves
from landslip.report.cost import draw_cost
from landslip.report.curves import draw_f1_threshold, draw_precision_recall, draw_roc
from landslip.report.decisions import draw_confusion, draw_reliability
from landslip.report.figures import FIGURES
from landslip.report.mistakes import draw_mistakes
from landslip.report.style import COLOURS, DASHES, drawing, lines_of


def oof(labels: list[int], probability: list[float]) -> EnsembleOof:
    """Predictions of an ensemble of one."""
    return EnsembleOof(
        ids=[f"ID_{number}" for number in range(len(labels))],
        fold=np.arange(len(labels)) % 2,
        labels=np.array(labels, dtype=np.int8),
        probability=np.array(probability),
        members={"lightgbm": np.array(probability)},
        split_digest="", rule={}, thresholds={},
    )  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw", [draw_f1_threshold, draw_roc, draw_precision_recall,
                                  draw_confusion, draw_reliability])  # fmt: skip
@pytest.mark.parametrize(
    ("labels", "probability"),
    [
        ([0, 0, 0, 0], [0.1, 0.2, 0.3, 0.9]),
        ([1, 1, 1, 1], [0.1, 0.2, 0.3, 0.9]),
        ([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5]),
        ([0, 1, 0, 1], [0.0, 0.0, 0.0, 0.0]),
        ([0, 1, 0, 1], [0.0, 1.0, 0.0, 1.0]),
    ],
    ids=["no landslide", "only landslides", "all equal", "no alarm", "perfect"],
)
def test_predictions_of_any_kind_are_drawn(draw, labels, probability, tmp_path: Path) -> None:
    draw(oof(labels, probability), 0.5, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_is_the_same_bytes_when_drawn_again(done: MadeRun) -> None:
    before = {path: path.read_bytes() for path in done.path("report").glob("*.png")}
    assert {path.stem for path in before} == set(FIGURES)
    draw_all(done)
    assert all(path.read_bytes() == content for path, content in before.items())


def test_no_two_of_many_curves_look_alike() -> None:
    names = [f"model{number}" for number in range(len(COLOURS) * len(DASHES))]
    drawn = lines_of(names)
    looks = {tuple(line.values()) for line in drawn.values()}
    assert len(looks) == len(names) + 1


def test_an_ensemble_without_mistakes_has_a_figure_that_says_so(
    done: MadeRun, tmp_path: Path
) -> None:
    perfect = oof([0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8])
    draw_mistakes(
        perfect, 0.5, store=done.path("store/train.h5"), modalities=done.modalities,
        target=tmp_path / "mistakes.png",
    )  # fmt: skip
    assert (tmp_path / "mistakes.png").exists()
    assert (tmp_path / "mistakes.csv").read_text().count("\n") == 1


def test_jobs_that_left_no_benchmark_are_counted_as_not_measured(tmp_path: Path) -> None:
    jobs = {"data/build_store": tmp_path / "none.jsonl"}
    draw_cost(benchmarks=jobs, target=tmp_path / "cost.png")
    assert (tmp_path / "cost.csv").read_text().splitlines()[1].startswith("data/build_store,0,1,")


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.3, 0.5, 0.9, 0.98, 1.0])
def test_the_circle_of_the_threshold_is_inside_every_panel_that_shows_it(
    threshold: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures: list[Figure] = []

    @contextmanager
    def watched(target: Path, **size: float) -> Iterator[Figure]:
        with drawing(target, **size) as figure:
            yield figure
            figures.append(figure)

    monkeypatch.setattr(curves, "drawing", watched)
    labels = [int(row % 5 == 0) for row in range(100)]
    table = oof(labels, [(0.3 + 0.4 * label + row / 334) for row, label in enumerate(labels)])
    scaled = (table.probability - table.probability.min()) / np.ptp(table.probability)
    table = replace(table, probability=scaled)
    for draw in (draw_f1_threshold, draw_roc, draw_precision_recall):
        draw(table, threshold, tmp_path / "figure.png")
    circles = [
        (axes, line) for figure in figures for axes in figure.axes for line in axes.lines
        if line.get_marker() == "o"
    ]  # fmt: skip
    assert 2 <= len(circles) <= 4
    for axes, line in circles:
        (x,), (y,) = line.get_data()
        assert axes.get_xlim()[0] <= x <= axes.get_xlim()[1]
        assert axes.get_ylim()[0] <= y <= axes.get_ylim()[1]
