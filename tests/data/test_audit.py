"""The audit says what was found; its page is whole, escaped and shows the gravest first."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from small_competition import Competition


class Page(HTMLParser):
    """Tags that are open, and what a page would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.fetched: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)
        self.fetched += [value for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_is_well_formed_and_fetches_nothing(competition: Competition):
    _, _, text = competition.build()
    page = Page(text)
    assert page.open == [] and "script" not in page.tags
    assert all(address.startswith("data:") for address in page.fetched)


def test_the_verdict_counts_usable_patches_and_points(competition: Competition):
    _, _, text = competition.build()
    assert "12 training patches and 4 test patches are ready to use. Nothing wrong" in text
    competition.truncate("ID_T2", 50)
    _, audit, text = competition.build(on_bad_patch="drop")
    assert len(audit["warnings"]) == 1
    assert "12 training patches and 3 test patches are ready to use, 1 is not. 1 point" in text


def test_names_from_users_files_are_escaped(competition: Competition):
    name = "<b>bold&'x'"
    np.save(competition.folder / "train_data" / f"{name}.npy", np.zeros(1))
    _, audit, text = competition.build()
    assert audit["files_without_id"]["train"] == [f"{name}.npy"]
    assert "<b>" not in text and name in Page(text).text


def test_no_text_in_the_audit_is_taken_for_markup(
    competition: Competition, planted: Callable[[Path], None]
):
    competition.truncate("ID_T2", 50)
    competition.edit("ID_03", vv=np.nan)
    competition.write("ID_05", np.load(competition.path("ID_04")))
    np.save(competition.folder / "train_data" / "spare.npy", np.zeros(1))
    competition.build(on_bad_patch="drop", on_nonfinite="fill")
    planted(competition.folder / "out" / "audit.html")


def test_counts_and_balance_stand_in_the_audit(competition: Competition):
    competition.edit("ID_00", red=0, vv=0, diff_vv=0)
    _, audit, text = competition.build()
    assert audit["counts"]["train"] == {
        "patches": 12,
        "ok": 11,
        "empty": 1,
        "dropped": 0,
        "landslides": 3,
        "others": 8,
        "unlabelled": 0,
    }
    assert f"{100 * 3 / 11:.1f} % of the usable training patches" in Page(text).text


def test_the_channel_table_agrees_with_the_pixels(competition: Competition):
    _, audit, _ = competition.build()
    paths = [competition.path(name) for name in [*competition.train, *competition.test]]
    pixels = np.stack([np.load(path) for path in paths]).astype(np.float32).reshape(-1, 3)
    for i, channel in enumerate(audit["channels"]):
        assert channel["min"] == pixels[:, i].min() and channel["max"] == pixels[:, i].max()
        # all 64 pixels of these small patches are in the sample
        assert channel["median_magnitude"] == pytest.approx(np.median(np.abs(pixels[:, i])))


def test_the_audit_is_json_without_nan(competition: Competition):
    for patch_id in [*competition.train, *competition.test]:
        competition.edit(patch_id, vv=np.nan)
    _, audit, _ = competition.build(on_nonfinite="fill")
    json.dumps(audit, allow_nan=False)
    assert audit["channels"][1]["min"] is None


def test_many_implausible_pixels_are_worth_a_warning(competition: Competition):
    for patch_id in competition.train[:3]:
        competition.edit(patch_id, red=30000)
    _, audit, _ = competition.build()
    share = f"{100 * 3 / 16:.1f} % of the pixels of red lie outside 0 to 22000"
    assert any(sentence.startswith(share) for sentence in audit["warnings"])


def test_labels_that_are_all_alike_are_worth_a_warning(competition: Competition):
    rows = "".join(f"{name},0\n" for name in competition.test)
    competition.csv("Test.csv", "ID,label\n" + rows)
    _, audit, _ = competition.build()
    assert audit["warnings"] == [
        "All 4 labels of the test patches are 0; the template of a submission?"
    ]


def test_an_id_in_train_and_test_is_worth_a_warning(competition: Competition):
    competition.csv("Test.csv", "ID\nID_00\nID_T1\n")
    source = np.load(competition.path("ID_T0"))
    np.save(competition.folder / "test_data" / "ID_00.npy", source)
    _, audit, _ = competition.build()
    assert audit["ids_in_both_splits"] == ["ID_00"]
    assert any("share 1 id: ID_00" in sentence for sentence in audit["warnings"])
