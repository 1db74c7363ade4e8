"""Sentences and numbers as a person reads them."""

from typing import Any

import pandas as pd
import pytest

from landslip.report import wording
from landslip.report.verdict import key_figures, verdict, verdict_on_test

THRESHOLD: dict[str, Any] = {
    "method": "exact",
    "cross_fitted": {"f1": 0.9201, "interval": [0.9085, 0.9312]},
}


def metrics(tn: int, fp: int, fn: int, tp: int, f1: float) -> dict[str, Any]:
    """As in metrics.json, as far as a verdict reads it."""
    return {
        "threshold": 0.49,
        "patches": tn + fp + fn + tp,
        "positives": fn + tp,
        "ensemble": {
            "f1": f1,
            "confusion": {"tn": tn, "fp": fp, "fn": fn, "tp": tp},
            "intervals": {"f1": [0.9101, 0.9349]},
        },
        "members": dict.fromkeys(range(9)),
        "test": None,
        "test_reason": "The labels of the test patches are not known.",
    }


PAPER = metrics(5832, 60, 129, 1126, 0.9226)


def test_the_papers_confusion_reads_as_the_analyst_would_say_it() -> None:
    first, second = verdict(PAPER, THRESHOLD)
    assert first.startswith("Of 7,147 labelled patches, 1,255 (17.6 %) show a landslide. ")
    assert "The ensemble of 9 models finds 90 of 100 landslides" in first
    assert "5 of 100 of its alarms are false" in first
    assert "F1 is 0.923 (95 % interval 0.910 to 0.935), at the threshold 0.490" in first
    assert "F1 is 0.920 (0.908 to 0.931)" in second


def test_the_key_figures_are_shares_of_landslides_and_of_alarms() -> None:
    found, false, *_ = key_figures(PAPER, THRESHOLD)
    assert (found.value, found.detail) == ("89.7 %", "1,126 of 1,255")
    assert (false.value, false.detail) == ("5.1 %", "60 of 1,186")


def test_no_alarm_and_no_landslide_have_words_of_their_own() -> None:
    assert "raises no alarm" in verdict(metrics(90, 0, 10, 0, 0.0), THRESHOLD)[0]
    assert "has none to find" in verdict(metrics(95, 5, 0, 0, 0.0), THRESHOLD)[0]
    assert key_figures(metrics(95, 0, 0, 0, 0.0), THRESHOLD)[0].value == "–"


def test_a_threshold_set_by_hand_is_not_called_chosen() -> None:
    assert len(verdict(PAPER, {**THRESHOLD, "method": "fixed"})) == 1


def test_without_test_labels_only_the_predictions_are_told() -> None:
    (sentence,) = verdict_on_test(PAPER, pd.Series([1] * 616 + [0] * 4782, dtype="Int8"))
    assert sentence.startswith("Of 5,398 test patches, 616 (11.4 %) are called landslides.")
    assert sentence.endswith("not known.")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.24, "0.2 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (83, "1 min 23 s"),
     (3599.6, "1 h 00 min"), (7530, "2 h 06 min"), (144000, "40 h 00 min")],
)  # fmt: skip
def test_durations_are_read_at_a_glance(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(
    ("megabytes", "text"), [(812.4, "812 MB"), (999.6, "1.0 GB"), (15640, "15.6 GB")]
)
def test_memory_is_in_megabytes_or_gigabytes(megabytes: float, text: str) -> None:
    assert wording.memory(megabytes) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 of 100"), (0.001, "fewer than 1 of 100"), (0.897, "90 of 100"),
     (0.999, "more than 99 of 100"), (1, "100 of 100")],
)  # fmt: skip
def test_nearly_all_is_not_called_all(share: float, text: str) -> None:
    assert wording.of_hundred(share) == text
