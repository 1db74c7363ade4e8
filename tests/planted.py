"""Script tags in every text that a page shows, and a browser that tells whether one ran."""

from functools import partial
from pathlib import Path
from typing import Any

import jinja2
import pytest
from chromium import open_page
from markupsafe import Markup

PLANTED = """'">--></style><script>console.error("planted")</script><img src=x onerror='"""
PLANTED += """console.error("planted")'>"""


def plant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every text that a template is given end with script tags, wherever it stands."""

    def planted(value: Any) -> Any:
        # What templates have put together themselves is markup already.
        is_text = isinstance(value, str) and not isinstance(value, Markup)
        return value + PLANTED if is_text else value

    changed = partial(jinja2.Environment, finalize=planted)
    monkeypatch.setattr("landslip.io.templates.jinja2.Environment", changed)


def check_nothing_runs(page: Path, folder: Path) -> None:
    """Open a page with planted texts; the scripts in them must not run."""
    html = page.read_text(encoding="utf-8")
    assert "planted" in html
    _, console = open_page(html, folder)
    assert [line for line in console if "planted" in line] == []
