"""A job's code digest covers what its script really imports, and nothing that only was touched."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from landslip.engine.sources import source_digest, source_files
from project import ROOT

SCRIPTS = sorted((ROOT / "workflow" / "scripts").rglob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_source_files_are_complete_against_the_real_imports(script: Path):
    """Import what the script imports in a fresh process and compare with the modules loaded."""
    lines = [
        line
        for line in script.read_text().splitlines()
        if line.startswith(("from landslip", "import landslip"))
    ]
    report = (
        "import sys; print('\\n'.join(m.__file__ for n, m in sys.modules.items() "
        "if n.split('.')[0] == 'landslip'))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", "\n".join([*lines, report])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    # Settings, and what only they pull in, reach jobs as values in their params.
    settings = {"models/settings.py", "section.py", "paths.py", "models/names.py"}
    settings |= {"features/names.py", "features/__init__.py", "models/__init__.py"}
    needed = {Path(path) for path in loaded} - {ROOT / "landslip" / name for name in settings}
    assert needed <= set(source_files(script, ROOT))


def copy_project(target: Path) -> Path:
    shutil.copytree(ROOT / "landslip", target / "landslip")
    shutil.copytree(ROOT / "workflow", target / "workflow")
    return target / "workflow" / "scripts" / "features" / "compute_statistics.py"


def test_touching_changes_no_digest_and_editing_does(tmp_path: Path):
    script = copy_project(tmp_path)
    before = source_digest(script, tmp_path)
    for path in tmp_path.rglob("*.py"):
        os.utime(path)
    assert source_digest(script, tmp_path) == before
    module = tmp_path / "landslip" / "features" / "statistics.py"
    module.write_text(module.read_text() + "\n")
    # A fresh process reads files anew; in this one the texts are cached.
    code = (
        "import sys; from pathlib import Path; from landslip.engine.sources import source_digest; "
        "print(source_digest(Path(sys.argv[1]), Path(sys.argv[2])))"
    )
    after = subprocess.run(
        [sys.executable, "-c", code, str(script), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert after != before


def test_statistics_do_not_depend_on_networks():
    script = ROOT / "workflow" / "scripts" / "features" / "compute_statistics.py"
    assert not [path for path in source_files(script, ROOT) if "models" in path.parts]


@pytest.mark.parametrize("script", ["train_network.py", "train_trees.py"])
def test_trainings_do_not_depend_on_the_prediction_of_test_patches(script: str):
    files = source_files(ROOT / "workflow" / "scripts" / "models" / script, ROOT)
    prediction = {"predict_network", "predict_trees", "gather_predictions", "fold_models"}
    assert not prediction & {path.stem for path in files}
