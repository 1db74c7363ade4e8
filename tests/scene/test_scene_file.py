"""What a scene.yaml may say, and what is refused in it."""

from pathlib import Path
from typing import Any

import pytest

from landslip.io.files import InputError
from landslip.scene.settings import parse_scene, read_scene

WHOLE: dict[str, Any] = {
    "name": "Valley",
    "event": "2024-06-14",
    "radar": {"descending": {"before": ["a_VV.tif"], "after": [{"file": "b.tif", "unit": "db"}]}},
}


def test_a_path_alone_stands_for_a_file() -> None:
    scene = parse_scene(WHOLE, "scene.yaml")
    assert scene.radar.descending is not None
    assert scene.radar.descending.before[0].file == "a_VV.tif"
    assert scene.radar.descending.after[0].unit == "db"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"evnt": "2024-01-01"}, "did you mean 'event'"),
        ({"optical": {"saef": "x"}}, "did you mean 'safe'"),
        ({"optical": {"safe": "x", "item": "y"}}, "one of safe, item and bands"),
        ({"optical": {"bands": {"red": "a"}}}, "optical.bands.green: this key must be given"),
        ({"optical": {"safe": "x", "offset": -0.1}}, "give both"),
        ({"align": {"method": "linear"}}, "did you mean"),
        ({"trust": {"ofset": "why"}}, "offset"),
        ({"radar": {"descending": {"before": [{"fil": "a"}], "after": ["b"]}}}, "'file'"),
        (
            {"radar": {"descending": {"before": [{"vv": "a"}], "after": ["b"]}}},
            "file, or vv and vh",
        ),
        ({"radar": {"descending": {"before": [], "after": ["b"]}}}, "1 or more entries"),
        ({"radar": {}}, "no sensor is named"),
        ({"event": "June"}, "event"),
    ],
)
def test_a_mistake_is_named_with_what_is_expected(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match="is not valid") as error:
        parse_scene({**WHOLE, **change}, "scene.yaml")
    assert words in str(error.value)


def test_a_missing_scene_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        read_scene(tmp_path / "nowhere.yaml")
