"""Which files a job's script runs, and one digest of their contents.

Snakemake compares a script's time of change and knows nothing of the modules that it imports. A
digest of the script and of every module that it imports, directly or not, does better; being made
of contents, it does not change when a checkout only touches files.
"""

import ast
from functools import cache
from pathlib import Path

from landslip.io.files import text_digest

_PACKAGE = "landslip"
# Settings reach a job as values in its params, which Snakemake compares; what their file says about
# other keys must not retrain a network.
_NOT_CODE = frozenset({f"{_PACKAGE}.models.settings"})


def source_digest(script: Path, root: Path) -> str:
    """SHA-256 over the contents of `script` and of all library files that it runs.

    Parameters
    ----------
    script
        A Python file.
    root
        Folder that holds the package.
    """
    files = source_files(script, root)
    parts = [part for path in files for part in (path.relative_to(root).as_posix(), _text(path))]
    return text_digest(*parts)


def source_files(script: Path, root: Path) -> list[Path]:
    """`script`, the modules it imports, directly or not, and the templates named after them."""
    found: dict[str, Path] = {}
    waiting = list(_imports(script))
    while waiting:
        name = waiting.pop()
        path = _locate(name, root)
        if path is None or name in found or name in _NOT_CODE:
            continue
        found[name] = path
        waiting.extend(_imports(path))
    files = [script]
    for path in found.values():
        template = path.parent / "templates" / f"{path.stem}.html"
        shared = path.with_suffix("").glob("*.html")  # those that others extend
        files.extend([path, *([template] if template.is_file() else []), *shared])
    return sorted(files)


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Names that may be modules of the package in every import statement, nested ones too."""
    names: list[str] = []
    for node in ast.walk(ast.parse(_text(path), filename=str(path))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    inside = [name for name in names if name.split(".")[0] == _PACKAGE]
    parents = [
        name.rsplit(".", depth)[0] for name in inside for depth in range(name.count(".") + 1)
    ]
    return tuple(dict.fromkeys(parents))


@cache
def _locate(name: str, root: Path) -> Path | None:
    path = root.joinpath(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None
