"""How the members are combined, in sentences and rows: which rule, why, and who adds nothing."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from landslip.ensemble.choice import MEAN, in_words
from landslip.models.cost import read_cost, seconds_per_thousand
from landslip.report.wording import duration, listing, score, signed


def combination(metrics: Mapping[str, Any], costs: Mapping[str, Sequence[Path]]) -> dict[str, Any]:
    """What the page says of the rule in force.

    Parameters
    ----------
    metrics
        As in ensemble/metrics.json.
    costs
        Member -> cost.json of its folds.

    Returns
    -------
    dict
        paragraphs; candidates, a row each, with name and in_force; weights, name and value of
        each member, empty where all are equal.
    """
    rule = metrics["rule"]
    fitted = rule["fitted"]
    way = rule["fit"], fitted["calibration"]
    best = rule["best_member"]
    paragraphs = [f"The members are combined by {in_words(way)}. {rule['why']}"]
    if len(fitted["members"]) > 1:
        paragraphs[0] += (
            f" The best member alone, {best['name']}, has a cross-fitted F1 of"
            f" {score(best['f1']['value'])}."
        )
        paragraphs.append(_sparing(metrics["add_nothing"], fitted["members"], costs))
    return {
        "paragraphs": paragraphs,
        "candidates": [
            {
                "name": in_words((each["fit"], each["calibration"])),
                "in_force": (each["fit"], each["calibration"]) == way,
                **each,
            }
            for each in rule["candidates"]
        ],
        "weights": []
        if way[0] == MEAN[0]
        else list(zip(fitted["members"], fitted["weights"], strict=True)),
        "stacked": fitted["rule"] == "stacked",
        "intercept": fitted["intercept"],
    }


def _sparing(
    found: Mapping[str, Any], members: Sequence[str], costs: Mapping[str, Sequence[Path]]
) -> str:
    left = found["members"]
    if not left:
        return "Every member adds something: without any one of them the cross-fitted F1 is lower."
    low, high = found["difference"]["low"], found["difference"]["high"]
    took = {name: [read_cost(path) for path in costs[name]] for name in members}
    kept = [name for name in members if name not in left]
    return (
        f"{listing(left)} {'adds' if len(left) == 1 else 'add'} nothing here: without"
        f" {'it' if len(left) == 1 else 'them'} the cross-fitted F1 is"
        f" {score(found['f1']['value'])}, different by {signed(found['difference']['value'], 3)}"
        f" (95 % interval {signed(low, 3)} to {signed(high, 3)}). Leaving"
        f" {'it' if len(left) == 1 else 'them'} out spares"
        f" {duration(_training(took[name] for name in left))} of"
        f" {duration(_training(took.values()))} of training, and"
        f" {duration(_prediction(took[name] for name in left))} of"
        f" {duration(_prediction(took.values()))} for every 1,000 patches that are predicted;"
        f" the config then says ensemble.members: [{', '.join(kept)}]."
    )


def _training(costs: Iterable[Sequence[Mapping[str, Any]]]) -> float:
    return sum(float(cost["seconds"]) for of_member in costs for cost in of_member)


def _prediction(costs: Iterable[Sequence[Mapping[str, Any]]]) -> float:
    return sum(seconds_per_thousand(of_member) for of_member in costs)
