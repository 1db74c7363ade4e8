"""What each member brings to the rule in force."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from landslip.ensemble import metrics
from landslip.ensemble.differences import compare, difference_to_json
from landslip.ensemble.rules import cross_fit_rule
from landslip.ensemble.tables import EnsembleOof
from landslip.io.arrays import Decisions

_WHOLE, _REST = "with all members", "without those that add nothing"


def spare_members(table: EnsembleOof, *, resamples: int, seed: int) -> dict[str, Any]:
    """Name the members that add nothing.

    One member after another is left out, always the one without which the cross-fitted F1 is
    highest, as long as that is not below the F1 with all members.

    Parameters
    ----------
    table
        ensemble/oof.parquet.
    resamples, seed
        For the interval of the difference in F1; decisions are as they are.

    Returns
    -------
    dict
        members; f1 without them and difference to the F1 with all members, each with its
        interval, None where no member can be left out.
    """
    left = _left_out(table)
    found: dict[str, Any] = {"members": left, "f1": None, "difference": None}
    if left:
        kept = [name for name in table.members if name not in left]
        decisions = {_WHOLE: table.landslide, _REST: decide_with(table, kept)}
        pair = (_REST, _WHOLE)
        f1, differences = compare(table.labels, decisions, [pair], resamples=resamples, seed=seed)
        found |= {"f1": f1[_REST].to_json(), "difference": difference_to_json(differences[pair])}
    return found


def decide_with(table: EnsembleOof, members: Sequence[str]) -> Decisions:
    """Cross-fitted decisions (n,) of the rule in force, fitted anew for some of the members."""
    scores = np.stack([table.members[name] for name in members], axis=1)
    fit, method = table.way
    return cross_fit_rule(
        table.labels, scores, table.fold, members=members, rule=fit, calibration=method
    ).landslide


def _left_out(table: EnsembleOof) -> list[str]:
    floor, kept = metrics.once(metrics.f1, table.labels, table.landslide), list(table.members)
    while len(kept) > 1:
        rests = {name: [other for other in kept if other != name] for name in kept}
        reached = {
            name: metrics.once(metrics.f1, table.labels, decide_with(table, rest))
            for name, rest in rests.items()
        }
        # Of equal ones the last: a config names its best models first.
        least = max(reversed(kept), key=lambda name: reached[name])
        if reached[least] < floor:
            break
        kept = rests[least]
    return [name for name in table.members if name not in kept]
