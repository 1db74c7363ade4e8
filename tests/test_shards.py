"""The whole workflow over shards: more jobs, the same results."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from runs import SMALL, snakemake

ONE = {
    **SMALL,
    "models": {**dict.fromkeys(SMALL["models"]), "lightgbm": SMALL["models"]["lightgbm"]},
}
# Of 60 training patches four shards, of 20 test patches two.
MANY = {**ONE, "data": {**SMALL["data"], "patches_per_shard": 15}}
TARGETS = ("results/submission.csv", "results/features/scaling.parquet", "results/report/cost.csv")


def make(folder: Path, config: dict[str, Any]) -> Path:
    answer = snakemake(folder, "--cores", "2", "--", *TARGETS, config=config)
    assert answer.returncode == 0, answer.stderr[-3000:]
    return folder / "results"


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("one"), ONE)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("many"), MANY)


def test_results_do_not_depend_on_the_number_of_shards(one: Path, many: Path):
    tables = ["data/manifest", "features/train", "features/test", "features/scaling"]
    tables += ["ensemble/oof", "ensemble/test"]
    tables += [f"models/lightgbm/fold{fold}/{name}" for fold in (0, 1) for name in ("oof", "test")]
    for table in tables:
        first, second = (pd.read_parquet(results / f"{table}.parquet") for results in (one, many))
        pd.testing.assert_frame_equal(first, second, check_exact=True, obj=table)
    name = "submission.csv"
    assert (one / name).read_bytes() == (many / name).read_bytes()


def test_what_shards_cost_stands_in_one_row_of_each_rule(one: Path, many: Path):
    costs = {results: pd.read_csv(results / "report/cost.csv") for results in (one, many)}
    assert not any(table["missing"].any() for table in costs.values())
    jobs = {results: dict(zip(t["part"], t["jobs"], strict=True)) for results, t in costs.items()}
    shards = {"train": 4, "test": 2}
    for split, count in shards.items():
        for rule in ("survey_patches", "build_store"):
            assert jobs[one][f"{rule}_{split}"] == 1
            assert jobs[many][f"{rule}_{split}"] == count
        assert jobs[many][f"compute_statistics_{split}"] == 1
    assert jobs[many]["lightgbm/predict"] == 1
