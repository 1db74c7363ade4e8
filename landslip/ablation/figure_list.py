"""The figures of the ablation's page, which the rules read while they plan."""

from landslip.report.figures import Figure

FIGURES = {
    "quality": Figure(
        title="quality against time",
        section="Ablation",
        alternative="Scatter plot of F1 against seconds for 1,000 patches, with the best at each"
        " time",
    ),
    "calibration": Figure(
        title="calibration",
        section="Ablation",
        alternative="Reliability of the ensemble as predicted and after two calibrations",
    ),
    "prevalence": Figure(
        title="other shares of landslides",
        section="Ablation",
        alternative="F1 and best threshold against the share of landslides",
    ),
}
