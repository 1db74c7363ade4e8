"""What the scores mean, in sentences for someone who has to act on them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from landslip.models.names import ENSEMBLE
from landslip.report.wording import count, interval, of_hundred, percent, score

_METHODS = {
    "exact": "the best of all thresholds on these patches",
    "grid": "the best of 0.01, 0.02, ... 0.98 on these patches",
    "fixed": "set in the config",
}


class Figure(NamedTuple):
    """A number large enough to be seen first."""

    value: str
    name: str
    detail: str


def key_figures(metrics: Mapping[str, Any], threshold: Mapping[str, Any]) -> list[Figure]:
    """The four numbers at the top of the report."""
    measured = metrics[ENSEMBLE]
    counts = measured["confusion"]
    alarms, slides = counts["tp"] + counts["fp"], counts["tp"] + counts["fn"]
    bounds = interval((measured.get("intervals") or {}).get("f1"))
    return [
        Figure(
            percent(counts["tp"] / slides) if slides else "–",
            "of the landslides are found",
            f"{count(counts['tp'])} of {count(slides)}",
        ),
        Figure(
            percent(counts["fp"] / alarms) if alarms else "–",
            "of the alarms are false",
            f"{count(counts['fp'])} of {count(alarms)}",
        ),
        Figure(score(measured["f1"]), "F1", f"95 % interval {bounds}" if bounds else ""),
        Figure(score(metrics["threshold"]), "threshold", _METHODS[threshold["method"]]),
    ]


def verdict(metrics: Mapping[str, Any], threshold: Mapping[str, Any]) -> list[str]:
    """Sentences on how well landslides are found, the most important first.

    Parameters
    ----------
    metrics, threshold
        As in ensemble/metrics.json and ensemble/threshold.json.
    """
    measured = metrics[ENSEMBLE]
    patches, positives = metrics["patches"], metrics["positives"]
    members = len(metrics["members"])
    models = "one model" if members == 1 else f"{members} models"
    opening = (
        f"Of {count(patches)} labelled patches, {count(positives)}"
        f" ({percent(positives / patches)}) show a landslide. "
        f"{_performance(f'The ensemble of {models}', measured['confusion'])}"
    )
    bounds = interval((measured.get("intervals") or {}).get("f1"))
    figure = f"F1 is {score(measured['f1'])}"
    if bounds:
        figure += f" (95 % interval {bounds})"
    paragraphs = [
        f"{opening} {figure}, at the threshold {score(metrics['threshold'])}. Every patch was"
        " judged by models that were not trained on it."
    ]
    crossed = threshold.get("cross_fitted") or {}
    if threshold["method"] != "fixed" and crossed.get("f1") is not None:
        bounds = interval(crossed.get("interval"))
        paragraphs.append(
            "That threshold was chosen on these same patches, which flatters it a little. With"
            " the threshold chosen on other folds than it is judged on, F1 is"
            f" {score(crossed['f1'])}{f' ({bounds})' if bounds else ''}: the figure to expect on"
            " new patches that are like these."
        )
    return paragraphs


def verdict_on_test(metrics: Mapping[str, Any], decided: pd.Series | None) -> list[str]:
    """Sentences on the test patches: what is predicted, and how well where that is known.

    Parameters
    ----------
    metrics
        As in ensemble/metrics.json.
    decided
        The column `landslide` of ensemble/test.parquet; None: there is no test.
    """
    if decided is None or decided.empty:
        return ["There are no test patches."]
    predicted, landslides = int(decided.notna().sum()), int((decided == 1).sum())
    sentence = (
        f"Of {count(predicted)} test patches, {count(landslides)}"
        f" ({percent(landslides / max(predicted, 1))}) are called landslides."
    )
    if empty := len(decided) - predicted:
        sentence += (
            f" {count(empty)} more {'has' if empty == 1 else 'have'} no prediction, for lack of"
        )
        sentence += " data or of a sensor that every member needs."
        sentence += f" submission.csv calls {'it' if empty == 1 else 'them'} 0."
    tested = metrics.get("test")
    if tested is None:
        return [f"{sentence} {metrics.get('test_reason') or ''}".strip()]
    measured = tested[ENSEMBLE]
    bounds = interval((measured.get("intervals") or {}).get("f1"))
    return [
        f"{sentence} Their labels are known and no model or threshold saw them:"
        f" {_performance('the ensemble', measured['confusion'])} Test F1 is"
        f" {score(measured['f1'])}{f' ({bounds})' if bounds else ''}."
    ]


def _performance(who: str, counts: Mapping[str, int]) -> str:
    alarms, slides = counts["tp"] + counts["fp"], counts["tp"] + counts["fn"]
    if not slides:
        return f"{who} has none to find; {count(counts['fp'])} of its alarms are false."
    if not alarms:
        return f"{who} raises no alarm: no patch is above the threshold."
    return (
        f"{who} finds {of_hundred(counts['tp'] / slides)} landslides, and"
        f" {of_hundred(counts['fp'] / alarms)} of its alarms are false."
    )
