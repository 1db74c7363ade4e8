"""The report is one page that says first what was found, and leaves out what is not known."""

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from report.drawn import CAPTIONS, write_page
from report.made_run import MadeRun, combine, measure_ensemble

from landslip.ensemble.tables import read_ensemble_oof
from landslip.io.files import (
    InputError,
    read_json,
    read_metadata,
    read_parquet,
    write_json,
    write_parquet,
)
from landslip.models.predictions import OOF_COLUMNS
from landslip.report.embedded_figures import embed_figures
from landslip.report.figures import FIGURES
from landslip.report.wording import duration


class Outline(HTMLParser):
    """Tags with their attributes, in order, and whether they nest."""

    VOID = ("meta", "link", "img", "br")

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


def words(page: Path) -> str:
    """What a reader sees, on one line."""
    text = page.read_text(encoding="utf-8")
    body = re.sub(r"<[^>]+>", " ", text[text.index("<body>") :])
    return " ".join(body.split())


def test_the_verdict_stands_before_every_table_and_figure(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    verdict = text.index("The ensemble of 9 models finds")
    assert verdict < text.index("<table") < text.index("<figure")


def test_the_page_holds_every_figure_with_a_description_and_a_caption(page: Path) -> None:
    outline = Outline(page)
    figures = [attributes["id"] for attributes in outline.of("figure")]
    assert sorted(map(str, figures)) == sorted(f"figure-{name}" for name in FIGURES)
    assert all(image["alt"] for image in outline.of("img"))
    assert len(outline.of("figcaption")) == len(figures)


def test_the_page_needs_nothing_from_elsewhere_and_runs_no_script(page: Path) -> None:
    outline = Outline(page)
    assert not outline.open
    sources = [image["src"] for image in outline.of("img")]
    assert all(str(source).startswith("data:image/png;base64,") for source in sources)
    links = [str(link["href"]) for link in outline.of("a")]
    assert {link for link in links if not link.startswith("#")} == {
        "data/audit.html",
        "ablation.html",
    }
    targets = {attributes.get("id") for _, attributes in outline.tags}
    assert {link[1:] for link in links if link.startswith("#")} <= targets
    assert not outline.of("script")
    style = page.read_text(encoding="utf-8").split("</style>")[0]
    assert "url(" not in style and "@import" not in style


def test_the_page_is_light_enough_to_send(page: Path) -> None:
    assert page.stat().st_size < 5_000_000


def test_the_ensemble_comes_first_and_members_follow_by_f1(page: Path, done: MadeRun) -> None:
    text = page.read_text(encoding="utf-8")
    table = text[text.index('<table id="models"') :].split("</table>")[0]
    names = re.findall(r'<th scope="row">([^<]+)</th>', table)
    metrics = read_json(done.path("ensemble/metrics.json"))
    scores = [metrics["members"][name]["f1"] for name in names[1:]]
    assert names[0] == "ensemble"
    assert sorted(names[1:]) == sorted(metrics["members"])
    assert scores == sorted(scores, reverse=True)


def test_the_papers_figures_stand_beside_only_where_the_data_is_the_papers(
    page: Path, optical_page: Path
) -> None:
    assert "0.922" in words(page) and "Table 2 of the paper" in words(page)
    assert "Table 2 of the paper" not in words(optical_page)


def test_simulated_patches_are_called_so_and_real_ones_are_not(
    page: Path, optical_page: Path
) -> None:
    assert "These patches are simulated." in words(optical_page)
    assert "simulated." not in words(page)


def test_without_test_labels_test_scores_are_left_out_and_the_page_says_so(
    page: Path, optical_page: Path
) -> None:
    assert "labels of the test patches are not known" in words(optical_page)
    assert 'id="test"' not in optical_page.read_text(encoding="utf-8")
    assert 'id="test"' in page.read_text(encoding="utf-8")


def test_without_trees_importances_are_left_out_and_the_page_says_so(optical_page: Path) -> None:
    assert "No tree model is configured" in words(optical_page)
    assert "figure-importance" not in [
        attributes["id"] for attributes in Outline(optical_page).of("figure")
    ]


def test_patches_without_data_are_told_from_patches_that_are_no_landslide(page: Path) -> None:
    assert "Of 58 test patches" in words(page)
    assert "2 more have no prediction, for lack of data or of a sensor" in words(page)


def test_the_page_says_on_which_patches_scaling_was_fitted(page: Path) -> None:
    assert "Scaling fitted on all patches, training and test, without their labels" in words(page)


def test_a_member_that_learned_nothing_is_told_before_any_score(
    done: MadeRun, tmp_path: Path
) -> None:
    for folder in ("data", "ensemble", "models", "report"):
        shutil.copytree(done.path(folder), tmp_path / folder)
    dull = replace(done, folder=tmp_path)
    path = dull.path("ensemble/oof.parquet")
    frame, told = read_parquet(path), read_metadata(path)
    member = next(name for name in frame if name not in OOF_COLUMNS)
    write_parquet(path, frame.assign(**{member: 0.25}), told)
    measure_ensemble(dull)
    text = words(write_page(dull, []))
    assert f"The member {member} learned nothing in folds 0, 1, 2" in text
    assert text.index("learned nothing") < text.index("labelled patches,")


def test_predictions_that_mean_nothing_make_a_page_that_warns(
    done: MadeRun, tmp_path: Path
) -> None:
    for folder in ("data", "ensemble", "models", "report"):
        shutil.copytree(done.path(folder), tmp_path / folder)
    dull = replace(done, folder=tmp_path)
    path = dull.path("ensemble/oof.parquet")
    frame, told = read_parquet(path), read_metadata(path)
    write_parquet(path, frame.assign(label=0), told)
    measure_ensemble(dull)
    text = words(write_page(dull, []))
    assert "Read with care" in text
    assert f"Every one of {len(frame)} patches is not a landslide" in text
    assert "has none to find" in text


def test_the_page_says_how_members_are_combined_and_what_leaving_some_out_spares(
    done: MadeRun, tmp_path: Path
) -> None:
    for folder in ("data", "ensemble", "models", "report"):
        shutil.copytree(done.path(folder), tmp_path / folder)
    other = replace(done, folder=tmp_path)
    table = read_ensemble_oof(other.path("ensemble/oof.parquet"))
    random = np.random.default_rng(1)
    guesses = dict.fromkeys(done.members[2:], random.random(len(table.labels)))
    combine(other, {**table.members, **guesses}, "auto", "none")
    measure_ensemble(other)
    metrics = read_json(other.path("ensemble/metrics.json"))
    rule, left = metrics["rule"], metrics["add_nothing"]["members"]
    assert rule["fit"] != "mean"
    page = write_page(other, [])
    text = words(page)
    assert f"{rule['why']} The best member alone, {rule['best_member']['name']}, has" in text
    assert f"{' and '.join(left[-2:])} add nothing here: without them the cross-fitted F1" in text
    costs = [read_json(path) for name in left for path in other.of_folds([name], "cost.json")[name]]
    spared = duration(sum(cost["seconds"] for cost in costs))
    assert f"Leaving them out spares {spared} of" in text
    rows = page.read_text().split('id="candidates"')[1].split("</table>")[0]
    assert rows.count("<tr") == 1 + len(rule["candidates"])
    assert rows.count('class="ensemble"') == 1


def test_an_id_that_looks_like_markup_stays_text(done: MadeRun, tmp_path: Path) -> None:
    table = done.path("report/mistakes.csv")
    kept = table.read_text()
    try:
        frame = pd.read_csv(table)
        frame.loc[0, "id"] = "<script>alert(1)</script>"
        frame.loc[1, "id"] = "NA"  # an id, and no missing value
        frame.to_csv(table, index=False)
        made = write_page(done, [], name="odd_id.html")
        assert not Outline(made).of("script")
        text = made.read_text(encoding="utf-8")
        assert "&lt;script&gt;alert(1)" in text and ">NA<" in text
    finally:
        table.write_text(kept)


def test_the_same_results_give_the_same_page(done: MadeRun, page: Path) -> None:
    figures = sorted(done.path("report").glob("*.png"))
    again = write_page(done, figures, paper=True, name="again.html")
    assert again.read_bytes() == page.read_bytes()


def test_a_figure_without_a_caption_or_that_is_no_picture_is_refused(tmp_path: Path) -> None:
    figure = tmp_path / "roc.png"
    figure.write_bytes(b"no picture")
    with pytest.raises(InputError, match="no caption"):
        embed_figures([figure], [], FIGURES)
    with pytest.raises(InputError, match="no PNG"):
        embed_figures([figure], [CAPTIONS / "roc.rst"], FIGURES)


def retrained(done: MadeRun, member: str, **changes: Any) -> None:
    """What a training with other settings leaves in model.json of a member's second fold."""
    path = done.path(f"models/{member}/fold1/model.json")
    write_json(path, read_json(path) | changes)


@pytest.mark.parametrize(
    ("member", "changes", "said"),
    [
        ("lightgbm", {"settings": {"kind": "lightgbm", "trees": 7}}, "trees was 7, is 12000"),
        ("pwee_v3", {"scaling_fit": "train"}, "scaling.fit was train, is all"),
        ("pwee_v3", {"seed": 1}, "the seed was another than 42"),
        ("xgboost", {"split_digest": "0"}, "the split into folds has changed since"),
    ],
)
def test_a_config_that_the_models_were_not_trained_with_is_said_at_the_top(
    member: str, changes: dict[str, Any], said: str, done: MadeRun, tmp_path: Path
) -> None:
    copy = replace(done, folder=tmp_path / "ablation")
    shutil.copytree(done.folder, copy.folder)
    retrained(copy, member, **changes)
    text = words(write_page(copy, []))
    warning = text.index(f"from what {member} was trained with (fold 1)")
    assert warning < text.index(said) < text.index("The ensemble of 9 models finds")


def test_the_table_of_models_shows_what_they_were_trained_with(
    done: MadeRun, tmp_path: Path
) -> None:
    copy = replace(done, folder=tmp_path / "ablation")
    shutil.copytree(done.folder, copy.folder)
    for path in copy.folder.glob("models/xgboost/*/model.json"):
        metadata = read_json(path)
        write_json(path, metadata | {"settings": metadata["settings"] | {"trees": 77}})
    text = words(write_page(copy, []))
    assert "77 trees" in text[text.index("The models") :]
    assert "was trained with" not in words(write_page(done, [], name="as_trained.html"))
