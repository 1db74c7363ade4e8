"""A results folder says what made it, and lets one working folder at a time write into it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from landslip.engine import previous
from landslip.engine.results_folder import NAME, ResultsFolder
from landslip.io.files import InputError
from project import ROOT

SETTINGS: dict[str, Any] = {
    "seed": 42,
    "folds": {"n": 5},
    "models": {"lightgbm": {"trees": 20}},
    "encoders": {},
}


def results(folder: Path, working: str = "here", **changes: Any) -> ResultsFolder:
    """A results folder with something in it, seen from a working folder."""
    (folder / "results" / "data").mkdir(parents=True, exist_ok=True)
    return ResultsFolder(
        folder=folder / "results",
        records=folder / working / ".snakemake" / "metadata",
        settings=lambda: SETTINGS | changes,
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 43}, "seed was 42, is 43"),
        ({"folds": {"n": 4}}, "folds.n was 5, is 4"),
        ({"models": {"lightgbm": {"trees": 21}}}, "models.lightgbm.trees was 20, is 21"),
        ({"models": {}}, "models.lightgbm.trees was 20, is absent"),
    ],
)
def test_other_settings_are_refused_where_snakemake_has_no_records(
    changes: dict[str, Any], said: str, tmp_path: Path
):
    results(tmp_path).write()
    results(tmp_path).check()
    results(tmp_path, **changes).check()  # Snakemake's records tell it what to make anew
    results(tmp_path, "elsewhere").check()
    with pytest.raises(InputError, match=said):
        results(tmp_path, "elsewhere", **changes).check()


def test_a_model_more_is_no_other_setting_of_what_stands(tmp_path: Path):
    results(tmp_path).write()
    models = SETTINGS["models"] | {"xgboost": {"trees": 9}}
    results(tmp_path, "elsewhere", models=models).check()


def test_a_file_that_a_person_filled_counts_only_where_another_stood(tmp_path: Path):
    results(tmp_path, filled={}).write()
    labels = {"filled": {"labels": "a" * 64}}
    results(tmp_path, "elsewhere", **labels).check()
    results(tmp_path, **labels).write()
    results(tmp_path, "elsewhere", filled={}).check()
    with pytest.raises(InputError, match=r"filled\.labels was a+, is b+"):
        results(tmp_path, "elsewhere", filled={"labels": "b" * 64}).check()


@pytest.mark.parametrize("stage", ["models", "asked", "scene", "map", "design"])
def test_results_of_every_kind_say_what_made_them(stage: str, tmp_path: Path):
    def said(**settings: int) -> ResultsFolder:
        folder = tmp_path / "results"
        return ResultsFolder(folder=folder, records=tmp_path / "none", settings=lambda: settings)

    (tmp_path / "results" / stage).mkdir(parents=True)
    said(stride=16).write()
    for token in (tmp_path / "none").iterdir():
        token.unlink()
    with pytest.raises(InputError, match="stride was 16, is 32"):
        said(stride=32).check()


def test_results_made_with_several_settings_fit_none_until_all_is_made_with_one(tmp_path: Path):
    results(tmp_path).write()
    results(tmp_path, seed=43).write()
    for seed in (42, 43):
        with pytest.raises(InputError, match="seed was"):
            results(tmp_path, "elsewhere", seed=seed).check()
    results(tmp_path, seed=43).settle()
    results(tmp_path, "elsewhere", seed=43).check()


def test_an_emptied_folder_and_one_that_says_nothing_are_anybodys(tmp_path: Path):
    results(tmp_path).write()
    (tmp_path / "results" / "data").rmdir()
    folder = tmp_path / "results"
    ResultsFolder(folder=folder, records=tmp_path, settings=lambda: {"seed": 1}).check()
    (folder / "data").mkdir()
    (folder / NAME).unlink()
    ResultsFolder(folder=folder, records=tmp_path, settings=lambda: {"seed": 1}).check()


HOLD = (
    "import sys, pathlib\n"
    "from landslip.engine.results_folder import ResultsFolder\n"
    "here = pathlib.Path(sys.argv[1])\n"
    "ResultsFolder(folder=here, records=here, settings=dict).hold()\n"
    "print('held', flush=True)\nsys.stdin.read()\n"
)


def start(folder: Path, working: Path) -> subprocess.Popen[str]:
    """A process that holds a results folder, from a working folder, until its input ends."""
    working.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        cwd=working,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_working_folders_do_not_write_into_one_results_folder_at_a_time(tmp_path: Path):
    folder, one, two = tmp_path / "results", tmp_path / "one", tmp_path / "two"
    with start(folder, one) as first, start(folder, one) as beside:
        for program in (first, beside):
            assert program.stdout is not None
            assert program.stdout.readline() == "held\n"
        with start(folder, two) as second:
            words = second.communicate()[1]
        assert second.returncode != 0
        assert f"started in {one}" in words
        assert str(first.pid) in words or str(beside.pid) in words
        first.kill()
        beside.kill()
    with start(folder, two) as third:
        assert third.communicate()[0] == "held\n"


def test_a_kept_file_comes_back_as_it_was(tmp_path: Path):
    output = tmp_path / "model.txt"
    output.write_text("old")
    os.utime(output, (1, 1))
    previous.keep(output, {"params": ["1"]})
    output.unlink()
    assert previous.is_kept(output)
    assert previous.put_back(output) == {"params": ["1"]}
    assert (output.read_text(), output.stat().st_mtime) == ("old", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["model.txt"]
    previous.keep(output, {})
    previous.forget(output)
    assert [path.name for path in tmp_path.iterdir()] == ["model.txt"]
