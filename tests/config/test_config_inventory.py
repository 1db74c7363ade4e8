"""The config of training from scenes: what follows from naming them, and what cannot be."""

from typing import Any

import pytest

from landslip.config.merge import merge_config
from landslip.config.schema import Config, parse_config
from landslip.io.files import InputError

SCENES = {"scenes": ["a.yaml", "b.yaml"], "inventory": "slides.gpkg"}


def parsed(shipped: dict[str, Any], **changes: Any) -> Config:
    return parse_config(merge_config(shipped, changes))


def test_scenes_are_split_by_ground_filled_where_clouds_are_and_need_no_test(
    shipped: dict[str, Any],
):
    config = parsed(shipped, data=SCENES)
    assert config.folds.scheme == "blocks" and config.data.on_nonfinite == "fill"
    assert config.data.inventory == ["slides.gpkg"]
    assert not config.data.simulated and not config.data.has_test
    assert config.data.windows.step == config.data.windows.size
    assert (config.label.area, config.negatives.each) == (2500, 4)
    tested = parsed(shipped, data={**SCENES, "test": {"scenes": "c.yaml"}})
    assert tested.data.has_test and tested.data.all_scenes == ["a.yaml", "b.yaml", "c.yaml"]


def test_files_of_patches_are_split_and_refused_as_ever(shipped: dict[str, Any]):
    config = parsed(shipped)
    assert config.folds.scheme == "kfold" and config.data.on_nonfinite == "refuse"
    assert config.data.simulated and config.data.has_test


def test_one_number_takes_the_place_of_the_usual_one(shipped: dict[str, Any]):
    config = parsed(shipped, label={"min_share": 0.01}, negatives={"share": 0.2})
    assert (config.label.area, config.negatives.each) == (None, None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"data": {"scenes": ["a.yaml"]}}, "name data.inventory"),
        ({"data": {"inventory": "slides.gpkg"}}, "data.inventory: name data.scenes too"),
        ({"data": {"test": {"scenes": "a.yaml"}}}, "data.test.scenes: name data.scenes too"),
        ({"data": {**SCENES, "folder": "patches"}}, "data.scenes and data.folder"),
        ({"data": {**SCENES, "test": {"ids": "T.csv"}}}, "data.scenes and data.test.ids"),
        ({"data": {**SCENES, "test": {"scenes": "b.yaml"}}}, "b.yaml stands there twice"),
        ({"data": {**SCENES, "windows": {"sise": 3}}}, "did you mean 'size'?"),
        ({"data": {**SCENES, "conventions": {"radar_scale": "power"}}}, "scenes are read in dB"),
        ({"data": SCENES, "folds": {"scheme": "kfold"}}, "choose blocks, scene or event"),
        ({"data": SCENES, "folds": {"group": "place"}}, "folds.group"),
        ({"folds": {"scheme": "scene"}}, "choose kfold, stratified or grouped"),
        ({"folds": {"scheme": "event"}}, "choose kfold, stratified or grouped"),
        ({"negatives": {"share": 0.1, "per_positive": 2}}, "name one"),
        ({"label": {"min_area": 0}}, "label.min_area"),
        ({"data": {**SCENES, "inventory": "results/slides.gpkg"}}, "holds the data"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    changes: dict[str, Any], words: str, shipped: dict[str, Any]
):
    with pytest.raises(InputError, match=words.replace("?", r"\?")):
        parsed(shipped, **changes)
