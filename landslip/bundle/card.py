"""The card of a bundle: what it was trained on, what it reaches, its limits; JSON and a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from landslip.bundle.record import BundleRecord, CascadeRecord
from landslip.ensemble.records import CombinationRecord
from landslip.ensemble.sensors import find_combination, subsets
from landslip.io.files import write_json, write_text
from landslip.io.templates import template_environment

JSON, PAGE = "card.json", "card.html"

LIMITS = (
    "It was trained on patches of one size from some places and times; elsewhere it may be wrong "
    "in ways that its scores do not show. The drift check of `predict` compares what it can.",
    "F1 is out of fold: places near the training's may be easier than new ones.",
    "A patch called a landslide is a place to look at, not the outline or the area of a slide.",
    "It reads patches in the units and conventions that its card states, and in no others.",
)


def write_card(folder: Path, record: BundleRecord) -> None:
    """Write card.json and card.html into a bundle's folder."""
    card = build_card(record)
    write_json(folder / JSON, card)
    page = template_environment(__file__).get_template("card.html")
    write_text(folder / PAGE, page.render(card=card))


def build_card(record: BundleRecord) -> dict[str, Any]:
    """The card as plain JSON."""
    sensors = list(dict.fromkeys(channel["sensor"] for channel in record["channels"]))
    training = record["training"]
    return {
        "format_version": record["format_version"],
        "landslip": record["landslip"],
        "trained_on": {
            "patches": training["patches"],
            "landslides": training["positives"],
            "simulated": training["simulated"],
            "split_digest": training["split_digest"],
            "rows": record["rows"],
            "columns": record["columns"],
        },
        "members": [
            {
                "name": member["name"],
                "kind": member["kind"],
                "folds": member["folds"],
                "reads": member["sensors"],
                "any_sensors": member["any_sensors"],
            }
            for member in record["members"]
        ],
        "channels": [
            {key: channel[key] for key in ("name", "unit", "modality", "sensor")}
            for channel in record["channels"]
        ],
        "indices": {name: list(pair) for name, pair in record["indices"].items()},
        "conventions": dict(record["conventions"]),
        "answers": [_answer(present, record) for present in subsets(sensors)],
        "comparison": record["comparison"],
        "budgets": _budgets(record),
        "water": record["water"],
        "smaller": record["smaller"],
        "warnings": record["warnings"],
        "limits": list(LIMITS),
        "licence": record["licence"],
    }


def _answer(present: Sequence[str], record: BundleRecord) -> dict[str, Any]:
    """What a patch gets that has just these sensors."""
    combination = find_combination(record["combinations"], present)
    if combination is None:
        return {"sensors": list(present), "used": [], "members": [], "f1": None}
    return {"sensors": list(present), "used": combination["sensors"], **_reached(combination)}


def _reached(combination: CombinationRecord) -> dict[str, Any]:
    rule: Mapping[str, Any] = combination["rule"]
    return {
        "members": combination["columns"],
        "rule": rule["rule"],
        "calibration": rule["calibration"],
        "threshold": combination["threshold"],
        "f1": combination["f1"],
        "interval": list(combination["interval"]),
        "precision": combination["precision"],
        "recall": combination["recall"],
    }


def _budgets(record: BundleRecord) -> dict[str, Any]:
    """What each budget reaches on out-of-fold patches that have all sensors."""
    cascade, fast = record["cascade"], record["fast"]
    return {
        "full": record["combinations"][0]["f1"],
        "balanced": None if cascade is None else cascade["f1"],
        "balanced_loss": None if cascade is None else cascade["f1_full"] - cascade["f1"],
        "balanced_most_loss": None if cascade is None else cascade["most_loss"],
        "balanced_work": None if cascade is None else cascade["work"],
        "balanced_stages": [] if cascade is None else _stages(cascade),
        "fast": None if fast is None else fast["f1"],
    }


def _stages(cascade: CascadeRecord) -> list[dict[str, Any]]:
    """Who is asked in turn, and how many patches that leaves open."""
    listed, before = [], set[str]()
    for stage in cascade["stages"]:
        columns = stage["combination"]["columns"]
        listed.append(
            {"asks": [name for name in columns if name not in before], "open": stage["open"]}
        )
        before |= set(columns)
    return listed
