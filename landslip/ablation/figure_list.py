"""The one list of the figures of the ablation's page: what each shows, and who draws it.

The rules read this module while they plan, so what draws is imported late.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from landslip.report.figures import Figure


@dataclass(frozen=True, kw_only=True)
class Analyses:
    """Files that the figures are drawn from."""

    tables: Sequence[Path]
    """Of variants."""
    calibration: Path
    """calibration.json."""


def _quality(made: Analyses, target: Path) -> None:
    from landslip.ablation.figures import draw_quality

    draw_quality(tables=list(made.tables), target=target)


def _calibration(made: Analyses, target: Path) -> None:
    from landslip.ablation.figures import draw_calibration

    draw_calibration(calibration=made.calibration, target=target)


def _prevalence(made: Analyses, target: Path) -> None:
    from landslip.ablation.figures import draw_prevalence

    draw_prevalence(calibration=made.calibration, target=target)


FIGURES: dict[str, Figure[Analyses]] = {
    "quality": Figure(
        title="quality against time",
        section="Ablation",
        alternative="Scatter plot of F1 against seconds for 1,000 patches, with the best at each"
        " time",
        draw=_quality,
    ),
    "calibration": Figure(
        title="calibration",
        section="Ablation",
        alternative="Reliability of the ensemble as predicted and after two calibrations",
        draw=_calibration,
    ),
    "prevalence": Figure(
        title="other shares of landslides",
        section="Ablation",
        alternative="F1 and best threshold against the share of landslides",
        draw=_prevalence,
    ),
}
