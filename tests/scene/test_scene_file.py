"""What a scene.yaml may say, and what is refused in it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from landslip.io.files import InputError
from landslip.scene.named import named_files
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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: a\nradar: {}\nname: b\n", "name stands there twice, on lines 1 and 3"),
        ("__use_yte__: true\nname: a\n", "__use_yte__"),
        ("name: a\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_a_scene_file_is_read_as_strictly_as_a_config(
    text: str | bytes, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "scene.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=words):
        read_scene(path)


def test_a_missing_scene_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        read_scene(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    "change",
    [
        {"area": "$API_TOKEN"},
        {"units": "../${API_TOKEN}/units.gpkg"},
        {"area": "~/area.gpkg"},
        {"area": "~$API_TOKEN/area.gpkg"},
        {"optical": {"safe": "/data/$API_TOKEN.SAFE"}},
        {"optical": {"bands": dict.fromkeys(("red", "green", "blue", "nir"), "$API_TOKEN/x.tif")}},
        {"radar": {"ascending": {"before": ["$API_TOKEN.tif"], "after": [{"file": "b_VV.tif"}]}}},
        {
            "placebo": {
                "radar": {
                    "ascending": {"before": [{"vv": "$API_TOKEN", "vh": "b"}], "after": ["c"]}
                }
            }
        },
    ],
)
def test_what_a_variable_holds_is_shown_by_no_refusal(
    change: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("API_TOKEN", "HOME"):
        monkeypatch.setenv(name, "/s3cret" if name == "HOME" else "s3cret")
    path = tmp_path / "scene.yaml"
    path.write_text(yaml.safe_dump({**WHOLE, **change}))
    with pytest.raises(InputError, match="is not valid") as error:
        named_files(path)
    said = str(error.value)
    assert "s3cret" not in said and ("API_TOKEN" in said or "~/area.gpkg" in said)


def test_a_variable_may_name_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "area.gpkg").touch()
    (tmp_path / "scene.yaml").write_text(yaml.safe_dump({**WHOLE, "area": "$PLACE/area.gpkg"}))
    for value in ("archive", str(tmp_path / "archive")):
        monkeypatch.setenv("PLACE", value)
        assert read_scene(tmp_path / "scene.yaml").area == f"{value}/area.gpkg"
        assert str(tmp_path / "archive" / "area.gpkg") in named_files(tmp_path / "scene.yaml")
