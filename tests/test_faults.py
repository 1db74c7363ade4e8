"""The table of faults in the documentation names tests that there are, run, and can fail."""

import ast
import re
from functools import cache
from pathlib import Path

from project import ROOT

TABLE = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
ROWS = [line for line in TABLE.splitlines() if re.match(r"\| \d+ \|", line)]
# What a fixture or a helper of another module checks.
CHECKS = {"planted", "springs_none", "unguarded"}


@cache
def functions(path: Path) -> dict[str, ast.FunctionDef]:
    """Functions at the top of a module, as pytest collects them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def named(row: str) -> list[tuple[Path, str]]:
    """Modules and names of the tests of a row."""
    found = re.findall(r"`([\w/]+\.py)::(\w+)`", row)
    return [(ROOT / "tests" / file, test) for file, test in found]


def is_left_out(function: ast.FunctionDef) -> bool:
    """Whether a test is never run, or may fail."""
    marks = " ".join(ast.unparse(each) for each in function.decorator_list)
    return bool(re.search(r"\b(skip|xfail)\b", marks))


def checks(function: ast.FunctionDef, beside: dict[str, ast.FunctionDef]) -> bool:
    """Whether a test holds anything to be true, by itself or by what it calls beside it."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert):
            return True
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if re.search(r"\braises$|\bassert_|\brun_preloaded$", called) or called in CHECKS:
                return True
            helper = beside.get(called)
            if helper is not None and helper is not function and checks(helper, beside):
                return True
    return False


def reads_words(function: ast.FunctionDef, beside: dict[str, ast.FunctionDef]) -> bool:
    """Whether a test looks at what is said, not only that something is."""
    for node in ast.walk(function):
        if isinstance(node, ast.keyword) and node.arg == "match":
            return True
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.Eq):
            return True
        if isinstance(node, ast.Call):
            helper = beside.get(ast.unparse(node.func))
            if helper is not None and helper is not function and reads_words(helper, beside):
                return True
    return False


def test_every_fault_has_a_row_and_every_row_tests_that_are_run():
    assert [int(row.split("|")[1]) for row in ROWS] == list(range(1, len(ROWS) + 1))
    assert len(ROWS) >= 52
    missing = []
    for row in ROWS:
        assert named(row), row
        for path, test in named(row):
            function = functions(path).get(test) if path.is_file() else None
            if function is None or is_left_out(function):
                missing.append(f"{path.name}::{test}")
    assert missing == []


def test_every_named_test_can_fail_and_every_refusal_is_read():
    idle = [
        f"{path.name}::{test}"
        for row in ROWS
        for path, test in named(row)
        if not checks(functions(path)[test], functions(path))
    ]
    assert idle == []
    unread = [
        row.split("|")[1:4]
        for row in ROWS
        if "refused" in row.split("|")[3]
        and not any(
            reads_words(functions(path)[test], functions(path)) for path, test in named(row)
        )
    ]
    assert unread == []


def test_an_empty_or_skipped_test_does_not_count():
    text = "@mark.skip\ndef test_a(): assert 1\ndef test_b(): read()\ndef test_c(): test_a()"
    beside = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    assert [is_left_out(each) for each in beside.values()] == [True, False, False]
    assert [checks(each, beside) for each in beside.values()] == [True, False, True]
