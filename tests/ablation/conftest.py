"""`snakemake ablation` on a small config, run once for all tests of its tables and its page."""

import os
from pathlib import Path

import pandas as pd
import pytest
from ablation.small_ablation import ABLATION, FOLDS, MEMBERS, PATCHES, oof_of

from landslip.io.locks import exclusive
from runs import planned, snakemake


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the ablation makes."""
    base = tmp_path_factory.getbasetemp()
    # Workers of pytest-xdist share the folder above their own: one runs, the others wait.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "small_ablation"
    folder.mkdir(exist_ok=True)
    with exclusive(folder, patience=1800):
        if not (folder / "finished").exists():
            run_ablation(folder)
            (folder / "finished").touch()
    return folder / "results"


def run_ablation(folder: Path) -> None:
    """Run it, and see that what it plans is what its tables say, and that nothing is left."""
    jobs = planned(snakemake(folder, "-n", "--quiet", "rules", "--", "ablation", config=ABLATION))
    # The base, the optical one once though two variants say it, two statistics, two indices.
    assert jobs["train_lightgbm"] == 6 * FOLDS
    assert jobs["train_network"] == 3 * FOLDS
    assert jobs["train_xgboost"] == FOLDS
    answer = snakemake(folder, "--", "ablation", config=ABLATION)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-6000:]
    answer = snakemake(folder, "-n", "--quiet", "rules", "--", "ablation", config=ABLATION)
    assert set(planned(answer)) <= {"ablation"}


@pytest.fixture
def ensemble(results: Path) -> pd.DataFrame:
    """The members' predictions and their mean, from the members' files."""
    table = pd.read_parquet(results / "ensemble" / "oof.parquet")
    for name in MEMBERS:
        files = oof_of(results, name).set_index("id")["probability"]
        assert (table.set_index("id")[name] == files.loc[table["id"]]).all()
    mean = table[MEMBERS].mean(axis=1)
    assert table["probability"].to_numpy() == pytest.approx(mean.to_numpy())
    assert len(table) == PATCHES
    return table
