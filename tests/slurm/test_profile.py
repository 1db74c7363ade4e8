"""What profiles/slurm makes of the plan; no SLURM is needed to look."""

import re
import subprocess
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from made_bundle import Made
from runs import SMALL, snakemake
from slurm.slurm import through_profile

FOLDS = 3


def plan(folder: Path, *arguments: str, config: dict[str, Any]) -> str:
    """What a dry run through the profile says."""
    command = [*through_profile(folder, config), "--dry-run", *arguments]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout + answer.stderr


def test_a_config_file_is_looked_at_before_snakemake_opens_it(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text("__use_yte__: true\nresults: ?open('ran', 'w').name\n")
    command = [*through_profile(tmp_path, SMALL), "--dry-run", "--configfile", str(path)]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert answer.returncode != 0
    assert "landslip: " in answer.stderr and "lets values run code" in answer.stderr
    assert not (tmp_path / "ran").exists()


def resources(text: str) -> dict[str, dict[str, str]]:
    """Rule -> its resources, of every rule that SLURM runs."""
    found = re.findall(r"^ *rule (\w+):$|^ *resources: (.+)$", text, re.MULTILINE)
    return {
        rule: dict(part.split("=", 1) for part in told.split(", "))
        for (rule, _), (_, told) in pairwise(found)
        if rule and told
    }


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    return {**SMALL, "folds": {"n": FOLDS, "scheme": "stratified"}}


def test_short_jobs_share_submissions_and_trainings_do_not(tmp_path: Path, config: dict[str, Any]):
    text = plan(tmp_path, "--", "all", config=config)
    groups = Counter(re.findall(r"Group job (\w+) ", text))
    assert groups == {"ensemble": 1, "report": 1}
    alone = Counter(re.findall(r"^rule (\w+):", text, re.MULTILINE))
    assert all(alone[f"train_{kind}"] == FOLDS for kind in ("network", "lightgbm", "xgboost"))
    assert not {"gather_oof", "draw_report"} & set(alone)


def test_tables_of_the_study_do_not_wait_for_each_other(tmp_path: Path, config: dict[str, Any]):
    text = plan(tmp_path, "--", "ablation", config=config)
    assert Counter(re.findall(r"Group job (\w+) ", text))["ablation"] == 1
    alone = Counter(re.findall(r"^rule (\w+):", text, re.MULTILINE))
    assert alone["gather_table"] > 1


def test_memory_and_time_grow_with_every_attempt_of_every_rule(
    tmp_path: Path, config: dict[str, Any]
):
    first = resources(plan(tmp_path, "--", "all", "ablation", config=config))
    second = resources(plan(tmp_path, "--attempt", "2", "--", "all", "ablation", config=config))
    aims = {"all", "ablation"}
    local = {"fetch_weights", "write_audit"}
    assert len(first) > 30
    for rule in set(first) - aims - local:
        for resource in ("mem_mb", "runtime"):
            assert int(second[rule][resource]) == 2 * int(first[rule][resource]), rule


def test_jobs_are_planned_without_a_profile(tmp_path: Path, config: dict[str, Any]):
    answer = snakemake(tmp_path, "-n", "--workflow-profile", "none", config=config)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("options", [(), ("--set-resources", "train_xgboost:gpu=1")])
def test_trainings_of_networks_are_asked_to_save_before_their_time_is_up(
    options: tuple[str, ...], tmp_path: Path, config: dict[str, Any]
):
    """Also where the command line replaces the profile's own resources of rules."""
    asked = resources(plan(tmp_path, *options, "--", "all", config=config))
    signals = {
        rule: found["slurm_extra"] for rule, found in asked.items() if "slurm_extra" in found
    }
    assert signals == {"train_network": "'--signal=TERM@120'"}


def test_only_networks_ask_for_a_gpu(tmp_path: Path, config: dict[str, Any]):
    asked = resources(plan(tmp_path, "--", "all", "ablation", config=config))
    assert {rule for rule, found in asked.items() if "gpu" in found} == {
        "train_network",
        "predict_network",
        "mask_inputs",
    }


def test_jobs_that_ask_a_bundle_get_more_with_every_attempt_and_its_short_ones_share_a_submission(
    made: Made, tmp_path: Path
):
    config = {
        "bundle": str(made.bundle), "patches": str(made.patches), "data": {"patches_per_shard": 40}
    }  # fmt: skip
    text = plan(tmp_path, "--", "predict", config=config)
    assert Counter(re.findall(r"Group job (\w+) ", text)) == {"answers": 1}
    first = resources(text)
    second = resources(plan(tmp_path, "--attempt", "2", "--", "predict", config=config))
    shared = {"answer_new_patches", "survey_new_patches"}
    alone = Counter(re.findall(r"^rule (\w+):", text, re.MULTILINE))
    assert {rule: alone[rule] for rule in shared} == dict.fromkeys(shared, 2)
    assert {rule for rule, found in first.items() if "gpu" in found} == {"answer_new_patches"}
    for rule in set(first) - {"predict"}:
        for resource in ("mem_mb", "runtime"):
            assert int(second[rule][resource]) == 2 * int(first[rule][resource]), rule
