"""A path in the config has one spelling afterwards, or is refused before any job."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landslip.config.merge import merge_config
from landslip.config.schema import Config, parse_config
from landslip.io.files import InputError
from landslip.io.paths import normalise_path
from project import shipped_config


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a data folder, and a link to it all beside it."""
    folder = tmp_path / "work"
    (folder / "mydata").mkdir(parents=True)
    (folder / "a_file").touch()
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "elsewhere" / "deep")
    (tmp_path / "also_work").symlink_to(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SCRATCH", str(tmp_path / "scratch"))
    monkeypatch.setenv("NAME", "mydata")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("UNSET", raising=False)
    return folder


def parsed(**change: Any) -> Config:
    return parse_config(merge_config(shipped_config(), change))


SPELLINGS = ["mydata", "mydata/", "./mydata", ".//mydata//.", "x/../mydata", "../work/mydata"]
SPELLINGS += ["$NAME", "${NAME}/", "~/work/mydata", "~/also_work/mydata", "{here}/mydata/"]
PATHS = {
    "results": lambda path: parsed(results=path).results,
    "data.folder": lambda path: parsed(data={"folder": path}).data.folder,
    "data.train.patches": lambda path: parsed(
        data={
            "train": {"labels": "Train.csv", "patches": path},
            "test": {"ids": "Test.csv", "patches": "test_data"},
        }
    ).data.path_of("train", "patches"),
    "encoders.enc1.weights": lambda path: (
        parsed(encoders={"enc1": {"weights": path}}).encoders["enc1"].weights
    ),
    "bundle.path": lambda path: parsed(bundle={"path": path}).bundle.path,
    "scene.path": lambda path: parsed(bundle={"path": "b"}, scene={"path": path}).scene.path,
    "patches": lambda path: parsed(bundle={"path": "b"}, patches=path).patches,
    "map": lambda path: parsed(map=path).map,
    "labels": lambda path: parsed(map="m", labels=path).labels,
    "verdicts": lambda path: parsed(map="m", verdicts=path).verdicts,
    "folder": lambda path: parsed(folder=path).folder,
}


@pytest.mark.parametrize("key", PATHS)
def test_all_spellings_of_a_path_are_one(key: str, here: Path):
    assert {PATHS[key](path.replace("{here}", str(here))) for path in SPELLINGS} == {"mydata"}


def test_paths_outside_the_working_directory_are_absolute(here: Path):
    for path in ("~/scratch", "$SCRATCH", "../scratch/", f"/{here.parent}/scratch"):
        assert normalise_path(path) == str(here.parent / "scratch")


def test_links_are_not_followed():
    assert normalise_path("link/x.csv") == "link/x.csv"


def test_parts_of_the_data_lie_in_its_folder(here: Path):
    source = {"labels": "./tables//a.csv", "patches": str(here / "mydata" / "npy")}
    for folder in ("mydata", str(here / "mydata")):
        data = parsed(data={"folder": folder, "train": source}).data
        assert data.path_of("train", "labels") == "mydata/tables/a.csv"
        assert data.path_of("train", "patches") == "mydata/npy"
        assert data.path_of("test", "ids") == "mydata/Test.csv"
        assert data.path_of("test", "labels") is None


@given(st.lists(st.sampled_from(["a", "b", ".", "..", "", "~", "c d"]), max_size=7).map("/".join))
def test_a_normalised_path_is_its_own_normal_form(path: str):
    try:
        normal = normalise_path(path)
    except ValueError:
        return
    assert normal.startswith("~") or normalise_path(normal) == normal


@pytest.mark.parametrize("key", ["results", "data.folder", "encoders.enc1.weights"])
@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("$UNSET/x", "UNSET is not set"),
        ("${EMPTY}/x", "EMPTY is empty"),
        ("~nobody_at_all/x", "nobody_at_all"),
        ("data{2024}", "{ }"),
        ("a<b>", "< or >"),
        ("a\nb", "line breaks"),
        ("a\0b", "control"),
        ("a\udcffb", "UTF-8"),
        ("-rf", "dash"),
        ("./--help", "dash"),
        ("s3://bucket/x", "URL"),
        (" a", "space"),
        ("", "empty"),
        ("x" * 300, "long"),
        ("link/../x", "link"),
    ],
)
def test_a_path_that_cannot_be_is_refused_in_the_configs_words(key: str, path: str, word: str):
    with pytest.raises(InputError) as caught:
        PATHS[key](path)
    assert key in str(caught.value)
    assert word in str(caught.value)
    assert "value" not in str(caught.value).lower()


@pytest.mark.parametrize(
    ("results", "data"),
    [
        ("/", {}),
        (".", {}),
        ("..", {}),
        ("~", {}),
        ("x/..", {}),
        ("a_file", {}),
        ("a_file/x", {}),
        ("mydata", {"folder": "mydata"}),
        ("~/elsewhere/deep", {"folder": "link"}),
        ("mydata/train_data", {"folder": "mydata"}),
        ("mydata/test_data/x", {"folder": "mydata"}),
        ("out", {"folder": "out/data"}),
        ("out", {"folder": "mydata", "test": {"labels": "../out/answers.csv"}}),
    ],
)
def test_results_and_data_do_not_lie_in_one_another(results: str, data: dict[str, Any]):
    with pytest.raises(InputError, match="results: "):
        parsed(results=results, data=data)


@pytest.mark.parametrize(
    ("results", "folder"), [("mydata/results", "mydata"), ("out", "."), ("mydatabase", "mydata")]
)
def test_results_may_lie_beside_the_data(results: str, folder: str):
    assert parsed(results=results, data={"folder": folder}).results == results
