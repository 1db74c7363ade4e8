"""Figures depend neither on a user's settings nor on what things are called."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from report.made_run import MadeRun, make_run

from landslip.ensemble.tables import EnsembleOof, read_ensemble_oof
from landslip.report.mistakes import draw_mistakes
from landslip.report.patch_figure import draw_composites, draw_patches
from landslip.report.wording import shorten
from project import ROOT

_SETTINGS = "axes.facecolor: red\ntext.usetex: True\nsavefig.transparent: True\nfont.size: 30\n"
_DRAW = (
    "import sys; from pathlib import Path; from report.test_settings import draw_plainly;"
    "draw_plainly(Path(sys.argv[1]))"
)


def draw_plainly(folder: Path) -> None:
    """Figures with curves, text and a logarithmic axis, of the report and of the run."""
    import pandas as pd

    from landslip.ablation.figures import draw_quality
    from landslip.io.files import write_parquet
    from landslip.report.curves import draw_f1_threshold

    labels = np.arange(40, dtype=np.int8) % 2
    scores = np.linspace(0, 1, 40)
    table = EnsembleOof(
        ids=[f"ID_{row}" for row in range(40)], fold=labels.astype(np.int64), labels=labels,
        probability=scores, members={"lightgbm": scores}, split_digest="", rule={}, thresholds={},
    )  # fmt: skip
    draw_f1_threshold(table, 0.5, folder / "f1.png")
    rows = pd.DataFrame({"model": ["a", "b"], "variant": ["a", "b"], "f1": [0.8, 0.9]})
    spread = {"f1_low": 0.7, "f1_high": 0.95, "seconds_per_1000_patches": [2.0, 5.0]}
    write_parquet(folder / "table.parquet", rows.assign(**spread))
    draw_quality(tables=[folder / "table.parquet"], target=folder / "quality.png")


def drawn(folder: Path, **environment: str) -> dict[str, bytes]:
    """The figures' bytes, drawn by a process that works in `folder`."""
    folder.mkdir(exist_ok=True)
    subprocess.run(
        [sys.executable, "-c", _DRAW, str(folder)], cwd=folder, check=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", **environment},
    )  # fmt: skip
    return {path.name: path.read_bytes() for path in folder.glob("*.png")}


def test_figures_are_the_same_whatever_the_users_settings(tmp_path: Path) -> None:
    plain = drawn(tmp_path / "plain")
    assert set(plain) == {"f1.png", "quality.png"}
    user = tmp_path / "user"
    user.mkdir()
    (user / "matplotlibrc").write_text(_SETTINGS)
    notebook = {
        "MPLBACKEND": "module://matplotlib_inline.backend_inline", "HOME": "/nonexistent",
        "MPLCONFIGDIR": "/proc/nonexistent", "MATPLOTLIBRC": str(user), "LC_ALL": "de_DE.UTF-8",
        "TERM": "dumb", "COLUMNS": "20", "SOURCE_DATE_EPOCH": "0",
        "NUMBA_CACHE_DIR": "/proc/nonexistent", "FORCE_COLOR": "1",
    }  # fmt: skip
    assert drawn(user, **notebook) == plain
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "matplotlibrc").write_bytes(b"axes.facecolor: \xff\n")
    assert drawn(odd) == plain


@pytest.fixture(scope="module")
def oddly_named(tmp_path_factory: pytest.TempPathFactory) -> MadeRun:
    """A run whose patches have ids that are markup, long, or in no script of the font."""
    endings = ["A$^$0$_$", r"\frac{$x$}", "$", "{%s}$", "נר$_{", "é‮𓀀😀$^", "long_" * 40]
    return make_run(
        tmp_path_factory.mktemp("odd"), patches=60, test=6, size=16, optical_only=True,
        members={"lite0_v2": 0.3}, endings=endings,
    )  # fmt: skip


@pytest.mark.filterwarnings("error")
def test_ids_that_look_like_markup_are_drawn_as_they_are(
    oddly_named: MadeRun, tmp_path: Path
) -> None:
    done = oddly_named
    store = {
        "store": done.path("store/train.h5"),
        "modalities": done.modalities,
    }
    samples = {**store, "manifest": done.path("data/manifest.parquet"), "seed": 1}
    draw_composites(**samples, target=tmp_path / "composites.png")
    draw_patches(**samples, units=done.units, target=tmp_path / "patches.png")
    predictions = read_ensemble_oof(done.path("ensemble/oof.parquet"))
    draw_mistakes(predictions, 0.5, **store, target=tmp_path / "mistakes.png")
    assert len(list(tmp_path.glob("*.png"))) == 3


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    assert shorten("ID_0123456789", 10) == "ID_01…6789"
    assert shorten("ID_0123456", 10) == "ID_0123456"
    assert shorten("a\nb\u202ec", 10) == "a�b�c"
