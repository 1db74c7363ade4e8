"""What a JSON file cannot say is refused as it is read, with file and key."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from ensemble.small_run import Run

from landslip.ablation.analyses import write_analyses
from landslip.ablation.records import read_calibration, read_members
from landslip.ensemble.evaluate import evaluate
from landslip.ensemble.records import read_metrics, read_threshold
from landslip.io.files import InputError
from landslip.models.cost import Cost, read_cost, write_cost

COST = Cost(
    model="m", fold=0, kind="lightgbm", device="cpu", threads=1, seconds=3.0, training_seconds=2.0,
    prediction_seconds=0.5, epochs=9, training_patches=80, prediction_patches_per_second=80.0,
    peak_memory_mb=99.5,
)  # fmt: skip
GONE = object()
# File -> key, and what cannot stand there.
WRONG: dict[str, list[tuple[str, Any]]] = {
    "threshold": [
        *(("threshold", value) for value in (None, -3, 1.5, "0.3", True, [], float("nan"), GONE)),
        *(("cross_fitted.f1", value) for value in (None, 2.0, GONE)),
        ("cross_fitted.thresholds.0", -0.1),
        ("split_digest", 7), ("patches", -1), ("patches", 2.5), ("warnings", "none"),
    ],
    "metrics": [
        ("ensemble.confusion.tp", -1), ("ensemble.confusion.fn", GONE), ("ensemble.f1", 1.01),
        ("members", []), ("members.trees.auc", "high"), ("threshold", 1e308), ("test", 3),
    ],
    "cost": [("prediction_patches_per_second", value) for value in (None, -1, "fast", GONE)],
    "members": [("without.trees.low", None), ("disagreement.0.1", 2), ("members", {"trees": 1})],
    "calibration": [
        ("scores.ensemble.isotonic.brier", 3), ("reliability", GONE),
        ("prevalence.rows.0.threshold", -1), ("reliability.none.0.observed", None),
    ],
}  # fmt: skip
READ: dict[str, Callable[[Path], dict[str, Any]]] = {
    "threshold": read_threshold,
    "metrics": read_metrics,
    "cost": read_cost,
    "members": read_members,
    "calibration": read_calibration,
}


@pytest.fixture
def folder(done: Run) -> Path:
    """All of those files."""
    done.gather()
    oof, few = done.ensemble_oof, {"bootstrap": 20, "seed": 42}
    evaluate(
        oof=oof, test=done.ensemble_test, threshold=done.threshold, manifest=done.manifest,
        target=done.folder / "metrics.json", **few,
    )  # fmt: skip
    write_cost(done.folder / "cost.json", COST)
    write_analyses(
        oof=oof, prevalence=0.1, members=done.folder / "members.json",
        calibration=done.folder / "calibration.json", confusion=done.folder / "confusion.parquet",
        **few,
    )  # fmt: skip
    return done.folder


def with_key(content: Any, key: str, value: object) -> Any:
    """The same with another value of a key, or without it."""
    *names, end = key.split(".")
    place = content
    for name in names:
        place = place[int(name) if isinstance(place, list) else name]
    last = int(end) if isinstance(place, list) else end
    assert place[last] is not value
    if value is GONE:
        del place[last]
    else:
        place[last] = value
    return content


def test_values_that_cannot_be_are_refused_by_file_and_key(folder: Path) -> None:
    for name, wrong in WRONG.items():
        path = folder / f"{name}.json"
        whole = path.read_text()
        assert READ[name](path) == json.loads(whole)
        for key, value in wrong:
            path.write_text(json.dumps(with_key(json.loads(whole), key, value)))
            with pytest.raises(InputError) as caught:
                READ[name](path)
            assert str(path) in str(caught.value), (key, value)
            assert key in str(caught.value), (key, value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "7", '"text"', "[" * 10**5, "\xff"])
def test_what_is_no_such_json_is_refused_by_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "cost.json"
    path.write_text(text, encoding="latin-1")
    for read in READ.values():
        with pytest.raises(InputError, match=r"cost\.json is"):
            read(path)
    path.write_text(json.dumps(asdict(COST)))
    assert read_cost(path)["threads"] == 1
