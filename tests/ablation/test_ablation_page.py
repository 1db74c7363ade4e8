"""The ablation's page shows every table and every figure of the paper, and its links hold."""

import re
import shutil
from pathlib import Path

import pytest
from ablation.small_ablation import ABLATION, MEMBERS, TABLES
from chromium import open_page
from damage import jobs_in, rules_in, unguarded

from landslip.ablation.page import seconds
from runs import snakemake

OWN = rules_in("ablation.smk")
PAGES = {"report.html", "ablation.html"}


def test_the_page_holds_every_table_and_needs_no_other_file(results: Path):
    page = (results / "ablation.html").read_text(encoding="utf-8")
    sections = ("confusion", "speed", "members", "importance", "calibrated", "shares", "seen")
    for name in (*TABLES, *sections):
        assert f'id="{name}"' in page
    assert "http" not in page
    assert "– the same predictions –" in page
    assert page.count("stroke-dasharray") >= 1, "nothing is drawn as not significant"


def test_the_page_shows_every_figure_of_the_paper_with_its_number(results: Path):
    page = (results / "ablation.html").read_text(encoding="utf-8")
    shown = {"composites": "1", "dag": "2", "f1_threshold": "4", "importance": "5",
             "patches": "A.6", "roc": "A.7"}  # fmt: skip
    own = {"quality", "calibration", "prevalence"}
    figures = re.findall(r'<figure id="figure-([\w-]+)">(.*?)</figure>', page, re.DOTALL)
    assert {name for name, _ in figures} == {*shown, *own}
    assert page.count("data:image/png;base64,") == len(figures) == len(dict(figures))
    for name, number in shown.items():
        assert f"The paper’s Figure {number}." in dict(figures)[name]
    listed = page.split('<section id="models-listed">')[1].split("</table>")[0]
    assert "The models (the paper’s Figure 3)" in listed
    assert all(f'<th scope="row">{name.replace("_", " ")}</th>' in listed for name in MEMBERS)
    for name, content in figures:
        assert re.search(r'alt="[^"]{10,}"', content), name
        assert "<figcaption>" in content, name


def test_the_page_says_at_its_top_where_the_config_is_not_what_models_were_trained_with(
    results: Path, tmp_path: Path
):
    """Snakemake, told to look at times alone, remakes the page after a change of the config."""
    shutil.copytree(results.parent, tmp_path / "run")
    trees = {**ABLATION["models"]["xgboost"], "trees": 11}
    config = {**ABLATION, "models": {**ABLATION["models"], "xgboost": trees}}
    options = ("--rerun-triggers", "mtime", "-R", "write_ablation", "--", "results/ablation.html")
    answer = snakemake(tmp_path / "run", *options, config=config)
    assert answer.returncode == 0, answer.stderr[-3000:]
    page = (tmp_path / "run" / "results" / "ablation.html").read_text(encoding="utf-8")
    assert page.index("trees was 10, is 11") < page.index("F1 is at cross-fitted")
    assert "Read with care" not in (results / "ablation.html").read_text(encoding="utf-8")


def test_links_of_the_two_pages_lead_to_something(results: Path):
    pages = {name: (results / name).read_text(encoding="utf-8") for name in PAGES}
    for name, page in pages.items():
        targets = re.findall(r'href="([^"]+)"', page)
        assert (PAGES - {name}) <= set(targets)
        for target in targets:
            if target.startswith("#"):
                assert page.count(f'id="{target[1:]}"') == 1, (name, target)
            elif not target.startswith("data:,"):
                assert (results / target).is_file(), (name, target)
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids))


def test_no_job_of_the_ablation_reads_what_changed_since_it_was_written(
    results: Path, tmp_path: Path
):
    folder = tmp_path / "run"
    shutil.copytree(results.parent, folder)
    jobs = [job for job in jobs_in(folder, "ablation", config=ABLATION) if job.rule in OWN]
    found = unguarded(folder, jobs)
    assert found.keys() == OWN
    assert not any(found.values())


@pytest.mark.parametrize(
    ("value", "text"), [(0.00731, "0.0073"), (0.466, "0.47"), (0.0, "0.0"), (47.68, "47.7")]
)
def test_seconds_keep_two_digits_that_count(value: float, text: str):
    assert seconds(value) == text


def test_the_page_calls_jobs_of_variants_by_the_variants(results: Path):
    page = (results / "ablation.html").read_text(encoding="utf-8")
    rows = page.split('<section id="speed">')[1].split("</section>")[0]
    assert "mixed encoders: mixed" in rows
    assert not re.search(r"network [0-9a-f]{10}", rows)


@pytest.mark.parametrize("width", [1200, 600])
def test_every_figure_renders_and_the_page_fits_its_window(
    results: Path, tmp_path: Path, width: int
):
    page = (results / "ablation.html").read_text(encoding="utf-8")
    probe, console = open_page(page, tmp_path, width)
    assert len(probe["images"]) == page.count("<figure")
    assert all(natural > 0 and shown > 0 for natural, shown in probe["images"])
    assert probe["page"] <= probe["window"]
    assert console == []


def test_tables_fit_on_paper(results: Path, tmp_path: Path):
    page = (results / "ablation.html").read_text(encoding="utf-8")
    # An A4 sheet is 297 mm wide, 273 mm between its margins; 96 pixels are an inch.
    probe, _ = open_page(page.replace("@media print", "@media all"), tmp_path, int(273 / 25.4 * 96))
    assert probe["page"] <= probe["window"]
