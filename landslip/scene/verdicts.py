"""What a check of the input says: one line with the number that convicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from landslip.io.files import InputError

Judgement = Literal["ok", "warning", "refused", "trusted", "skipped"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The outcome of one check."""

    check: str
    judgement: Judgement
    says: str
    """What was found, a sentence."""
    number: float | None = None
    limit: str = ""
    """What the number is held against."""
    todo: str = ""
    """What to do where it is not ok."""

    @property
    def line(self) -> str:
        """The verdict as it stands in a log."""
        number = "" if self.number is None else f" [{self.number:.4g}; {self.limit}]"
        todo = f"; {self.todo}" if self.todo and self.judgement != "ok" else ""
        return f"{self.check}: {self.judgement}: {self.says}{number}{todo}"


def verdict(
    check: str,
    says: str,
    *,
    refused: bool = False,
    warning: bool = False,
    number: float | None = None,
    limit: str = "",
    todo: str = "",
) -> Verdict:
    """A verdict that is refused, a warning or ok; a number that is not finite says nothing."""
    if number is not None and not math.isfinite(number):
        number = None
    judgement: Judgement = "refused" if refused else "warning" if warning else "ok"
    return Verdict(
        check=check, judgement=judgement, says=says, number=number, limit=limit, todo=todo
    )


def skipped(check: str, why: str) -> Verdict:
    """A check that could not be made."""
    return Verdict(check=check, judgement="skipped", says=why)


def apply_trust(verdicts: Iterable[Verdict], trust: Mapping[str, str]) -> list[Verdict]:
    """Accept the refusals that the user accepts on purpose.

    Parameters
    ----------
    trust
        Check -> reason.
    """
    return [
        replace(each, judgement="trusted", says=f"{each.says} (accepted: {trust[each.check]})")
        if each.judgement == "refused" and each.check in trust
        else each
        for each in verdicts
    ]


def refuse(verdicts: Iterable[Verdict], scene: str) -> None:
    """Stop where a check refuses.

    Raises
    ------
    InputError
        Every refusal, one a line.
    """
    bad = [each for each in verdicts if each.judgement == "refused"]
    if bad:
        lines = "\n  ".join(each.line for each in bad)
        keys = ", ".join(dict.fromkeys(each.check for each in bad))
        raise InputError(
            f"{scene} is refused before any pixel is predicted:\n  {lines}\n"
            f"  correct it, or accept it deliberately in the scene file: "
            f"trust: {{CHECK: reason}} with {keys}"
        )
