"""The report opened in Chromium: every figure renders and nothing is logged as an error."""

from collections.abc import Callable
from pathlib import Path

import pytest
from chromium import open_page
from planted import PLANTED
from report.drawn import write_page
from report.made_run import MadeRun

from landslip.report.figures import FIGURES


@pytest.mark.parametrize("width", [1100, 600])
def test_every_figure_renders_and_no_error_is_logged(
    page: Path, tmp_path: Path, width: int
) -> None:
    probe, console = open_page(page.read_text(encoding="utf-8"), tmp_path, width)
    assert len(probe["images"]) == len(FIGURES)
    assert all(natural > 0 and shown > 0 for natural, shown in probe["images"])
    assert probe["page"] <= probe["window"], "the page is wider than its window"
    assert console == []


def test_a_page_of_other_channels_and_no_trees_renders_too(
    optical_page: Path, tmp_path: Path
) -> None:
    probe, console = open_page(optical_page.read_text(encoding="utf-8"), tmp_path)
    assert len(probe["images"]) == len(FIGURES) - 1
    assert all(natural > 0 for natural, _ in probe["images"])
    assert console == []


def test_the_check_sees_broken_pictures_and_logged_errors(tmp_path: Path) -> None:
    probe, console = open_page(
        '<html><body><img src="data:image/png;base64,AAAA">'
        '<script>console.error("broken")</script></body></html>',
        tmp_path,
    )
    assert probe["images"][0][0] == 0
    assert any("broken" in line for line in console)


def test_no_text_in_the_report_is_taken_for_markup(
    done: MadeRun, planted: Callable[[Path], None]
) -> None:
    planted(write_page(done, [], name="planted.html"))


def test_the_check_sees_planted_scripts_that_run(tmp_path: Path) -> None:
    for text in (PLANTED, f'<p title="{PLANTED}">', f"<style>{PLANTED}"):
        _, console = open_page(f"<html><body>{text}</body></html>", tmp_path)
        assert any("planted" in line for line in console), text
