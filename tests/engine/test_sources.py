"""A job's code digest covers what its script really runs, and nothing that changes no output."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from landslip.engine.sources import NOT_CODE, source_digest, source_files
from project import ROOT

SCRIPTS = sorted((ROOT / "workflow" / "scripts").rglob("*.py"))
TRAININGS = ["train_network.py", "train_trees.py"]
# Notes who asks for which module while a script's imports run.
RECORDER = """
import builtins, json, sys
plain, asked = builtins.__import__, []
def note(name, globals=None, locals=None, fromlist=(), level=0):
    asker = (globals or {}).get("__name__", "")
    asked.extend((asker, each) for each in (name, *(f"{name}.{part}" for part in fromlist or ())))
    return plain(name, globals, locals, fromlist, level)
builtins.__import__ = note
"""
REPORT = """
files = {name: module.__file__ for name, module in sys.modules.items() if name[:8] == "landslip"}
print(json.dumps([asked, files]))
"""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_each_module_that_a_script_imports_is_digested_or_listed_as_no_code(script: Path):
    """Import what the script imports in a fresh process, and see which modules asked for which."""
    imports = [
        ast.unparse(node)
        for node in ast.parse(script.read_text()).body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    lines = [text for text in imports if "landslip" in text]
    program = "\n".join([RECORDER, *lines, REPORT])
    asked, files = json.loads(run_python(program))
    needed, waiting = set(), ["__main__"]
    while waiting:
        asker = waiting.pop()
        names = {name for by, name in asked if by == asker} & files.keys()
        new = {name for name in names - needed if not is_listed(name)}
        needed |= new
        waiting += new
    assert needed
    assert {Path(files[name]) for name in needed} <= set(source_files(script, ROOT))


def is_listed(name: str) -> bool:
    return any(f"{name}.".startswith(f"{listed}.") for listed in NOT_CODE)


def run_python(program: str, *arguments: str) -> str:
    """What a fresh process prints, which has read no file before."""
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", NOT_CODE)
def test_what_is_listed_as_no_code_is_there_and_computes_nothing(name: str):
    path = ROOT.joinpath(*name.split("."))
    files = [*path.glob("*.py")] if path.is_dir() else [path.with_suffix(".py")]
    assert files
    for file in files:
        nodes = list(ast.walk(ast.parse(file.read_text())))
        imported = {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        plain = [node.names for node in nodes if isinstance(node, ast.Import)]
        imported |= {alias.name for aliases in plain for alias in aliases}
        roots = {str(name).split(".")[0] for name in imported}
        assert not {"numpy", "pandas", "torch", "timm"} & roots


def test_no_program_reads_its_docstrings():
    for folder in ("landslip", "workflow", "rules"):
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.smk")]:
            assert not {"__doc__", "getdoc"} & set(path.read_text().replace("(", " ").split()), path


MODULE = '''
"""What it is for."""
import logging
from landslip.seeds import seed

log = logging.getLogger(__name__)

def add(values):
    """Add them."""
    total = 0  # nothing yet
    for value in values:
        total += value
        log.info("%d so far", total)
    print("ready")
    return total
'''


def digest_of(folder: Path, text: str) -> str:
    """Digest of a script that imports a module of that text."""
    (folder / "landslip").mkdir(parents=True)
    script = folder / "script.py"
    script.write_text("import landslip.module\n")
    (folder / "landslip" / "module.py").write_text(text)
    return source_digest(script, folder)


def edited(*changes: tuple[str, str]) -> str:
    text = MODULE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


WORDS = [
    [("# nothing yet", "# none")],
    [("What it is for.", "What else it is for.")],
    [('"""Add them."""', '"""Add\n\n    all of them."""')],
    [('    """Add them."""\n', "")],
    [('"%d so far", total', '"%d until now, %s", total, value')],
    [("log.info(", "log.warning(")],
    [('        log.info("%d so far", total)\n', "")],
    [("log.info", "logger.info"), ("log =", "logger =")],
    [("import logging\n", ""), ("log = logging.getLogger(__name__)\n", ""),
     ('        log.info("%d so far", total)\n', "")],
    [("total += value", "total += (\n            value\n        )"), ('"ready"', "'ready'")],
]  # fmt: skip
DEEDS = [
    [("total = 0", "total = 1")],
    [("total = 0", "total = 0.0")],
    [("total = 0", "total = False")],
    [("+=", "-=")],
    [("return total", "return")],
    [('    print("ready")', '        print("ready")')],
    [('"ready"', '"ready "')],
    [("log.info(", "print(")],
    [("log = logging", "log = records")],
    [("landslip.seeds", "landslip.random")],
    [("add(values)", "add(*values)")],
]


def test_words_are_not_digested_and_deeds_are(tmp_path: Path):
    before = digest_of(tmp_path / "before", MODULE)
    for number, changes in enumerate(WORDS):
        assert digest_of(tmp_path / f"words{number}", edited(*changes)) == before, changes
    after = [
        digest_of(tmp_path / f"deeds{number}", edited(*changes))
        for number, changes in enumerate(DEEDS)
    ]
    assert len({before, *after}) == 1 + len(DEEDS)


def test_touching_changes_no_digest_and_a_template_counts_for_its_page(tmp_path: Path):
    for name in ("landslip", "workflow"):
        shutil.copytree(ROOT / name, tmp_path / name)
    scripts = tmp_path / "workflow" / "scripts"
    before = digests(scripts, tmp_path)
    for path in tmp_path.rglob("*.py"):
        os.utime(path)
    assert digests(scripts, tmp_path) == before
    page = tmp_path / "landslip" / "report" / "templates" / "page.html"
    page.write_text(page.read_text() + "<hr>")
    after = digests(scripts, tmp_path)
    assert [name for name in before if before[name] != after[name]] == ["report/write_report.py"]


def digests(scripts: Path, root: Path) -> dict[str, str]:
    """Digest of each script, read anew."""
    program = (
        "import json, sys; from pathlib import Path\n"
        "from landslip.engine.sources import source_digest\n"
        "scripts, root = map(Path, sys.argv[1:])\n"
        "print(json.dumps({path.relative_to(scripts).as_posix(): source_digest(path, root)"
        " for path in sorted(scripts.rglob('*.py'))}))"
    )
    found: dict[str, str] = json.loads(run_python(program, str(scripts), str(root)))
    return found


def test_statistics_do_not_depend_on_networks():
    script = ROOT / "workflow" / "scripts" / "features" / "compute_statistics.py"
    assert not [path for path in source_files(script, ROOT) if "models" in path.parts]


@pytest.mark.parametrize("script", TRAININGS)
def test_trainings_depend_on_no_prediction_of_test_patches_page_or_figure(script: str):
    files = source_files(ROOT / "workflow" / "scripts" / "models" / script, ROOT)
    prediction = {"predict_network", "predict_trees", "fold_models"}
    assert not prediction & {path.stem for path in files}
    assert not {"report", "ablation", "ensemble", "templates"} & {
        part for path in files for part in path.relative_to(ROOT).parts
    }
