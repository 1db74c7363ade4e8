"""The audit as a page for a person: the verdict, what to look at, what the patches hold."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from landslip.data.audit import number
from landslip.data.records import read_audit
from landslip.io.files import write_text
from landslip.io.templates import template_environment

_LISTED = 20


def write_audit(audit: Path, target: Path) -> None:
    """Write the page of an audit's JSON."""
    write_text(target, render_audit(read_audit(audit)))


def render_audit(audit: Mapping[str, Any]) -> str:
    """One self-contained HTML page, without scripts.

    Parameters
    ----------
    audit
        As `build_audit` makes it. Ids come from users' tables; the template escapes them.
    """
    environment = template_environment(__file__)
    environment.filters["count"] = lambda value: f"{value:,}"
    environment.filters["value"] = _value
    environment.globals["number"] = number
    page = environment.get_template("audit_page.html")
    return page.render(audit=audit, verdict=_verdict(audit), listed=_LISTED)


def _value(value: float | None) -> str:
    """Four digits, and whole numbers from a thousand on."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e9 else f"{value:.4g}"


def _verdict(audit: Mapping[str, Any]) -> str:
    train, test = (audit["counts"][split] for split in ("train", "test"))
    unusable = sum(c["empty"] + c["dropped"] for c in (train, test))
    sentence = f"{number(train['ok'], 'training patch')} and {number(test['ok'], 'test patch')}"
    sentence += " are ready to use"
    if unusable:
        sentence += f", {unusable:,} {'is' if unusable == 1 else 'are'} not"
    warnings = len(audit["warnings"])
    if not warnings:
        return f"{sentence}. Nothing wrong was found."
    return f"{sentence}. {number(warnings, 'point')} to look at first."
