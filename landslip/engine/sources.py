"""Which files a job's script runs, and one digest of what they say to the interpreter.

Snakemake compares a script's time of change and knows nothing of the modules that it imports. A
digest of the script and of every module that it imports, directly or not, does better. It is of
their syntax, so that a checkout that only touches files changes nothing, nor do a comment, a
docstring, the layout of lines, or what a log says.
"""

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from landslip.io.files import text_digest

_PACKAGE = "landslip"
# Modules and packages that cannot change what a finished job wrote, and why. With their own imports
# they are left out of digests, unless another module imports those too.
NOT_CODE = {
    "landslip.models.settings": "values reach a job in its params, which Snakemake compares",
    "landslip.engine.devices": "which of a machine's GPUs a job gets; what computes there counts",
    "landslip.io.logs": "where log lines go",
    "landslip.io.temporaries": "names of unfinished files, and when what is left of them goes",
    "landslip.models.cost": "time and memory that a job took, which no second run would repeat",
    "landslip.models.interruption": "when a signal ends a job: it has no outputs then",
    "landslip.io.user_cache": "where compiled code is kept, which results do not hold",
}
# Parts of syntax that follow from where they stand, or mean nothing to the interpreter.
_IGNORED = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
_LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "exception", "log"})


def source_digest(script: Path, root: Path) -> str:
    """SHA-256 over the syntax of `script` and of all library files that it runs.

    Parameters
    ----------
    script
        A Python file.
    root
        Folder that holds the package.
    """
    files = source_files(script, root)
    return text_digest(
        *(
            part
            for path in files
            for part in (path.relative_to(root).as_posix(), _counted_text(path))
        )
    )


def source_files(script: Path, root: Path) -> list[Path]:
    """`script`, the modules it imports, directly or not, and the templates named after them."""
    found: dict[str, Path] = {}
    waiting = list(_imports(script))
    while waiting:
        name = waiting.pop()
        path = _locate(name, root)
        if path is None or name in found or not _is_code(name):
            continue
        found[name] = path
        # The package itself imports late, for a person who opens a bundle; no job does so by it.
        if name != _PACKAGE:
            waiting.extend(_imports(path))
    files = [script]
    for path in found.values():
        template = path.parent / "templates" / f"{path.stem}.html"
        shared = path.with_suffix("").glob("*.html")  # those that others extend
        files.extend([path, *([template] if template.is_file() else []), *shared])
    return sorted(files)


def _is_code(name: str) -> bool:
    return not any(name == listed or name.startswith(f"{listed}.") for listed in NOT_CODE)


@cache
def _counted_text(path: Path) -> str:
    """What of a file counts: a module's syntax, a template's text."""
    if path.suffix != ".py":
        return path.read_text(encoding="utf-8")
    return " ".join(_read(path).words)


@dataclass
class _Module:
    """The syntax of a module as words, and its import statements, nested ones too.

    The words are the same in every version of Python that knows the syntax. Those of `ast.dump` are
    not: its treatment of empty fields has changed, and with it every digest would.
    """

    loggers: frozenset[str]
    words: list[str] = field(default_factory=list)
    imports: list[ast.Import | ast.ImportFrom] = field(default_factory=list)

    def add(self, value: object) -> None:
        if isinstance(value, ast.AST):
            if isinstance(value, ast.Import | ast.ImportFrom):
                self.imports.append(value)
            self.words.append(f"({type(value).__name__}")
            for name in value._fields:
                inner = getattr(value, name, None)
                if inner is not None and inner != [] and name not in _IGNORED:
                    self.words.append(name)
                    self.add(inner)
            self.words.append(")")
        elif isinstance(value, list):
            self.words.append("[")
            for item in value:
                if not _is_mute(item, self.loggers):
                    self.add(item)
            self.words.append("]")
        else:
            self.words.append(repr(value))


@cache
def _read(path: Path) -> _Module:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    module = _Module(frozenset(name for statement in tree.body for name in _logger(statement)))
    module.add(tree)
    return module


def _is_mute(statement: object, loggers: frozenset[str]) -> bool:
    """Whether a statement says nothing that could change an output: text alone, or a log line."""
    if isinstance(statement, ast.Import):
        return [alias.name for alias in statement.names] == ["logging"]
    if not isinstance(statement, ast.Expr):
        return isinstance(statement, ast.Assign) and bool(_logger(statement))
    if isinstance(statement.value, ast.Constant):
        return True
    called = statement.value.func if isinstance(statement.value, ast.Call) else None
    return (
        isinstance(called, ast.Attribute)
        and called.attr in _LEVELS
        and isinstance(called.value, ast.Name)
        and called.value.id in loggers
    )


def _logger(statement: ast.stmt) -> list[str]:
    """The name that a statement `log = logging.getLogger(...)` gives a logger."""
    match statement:
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.Call(
                func=ast.Attribute(value=ast.Name(id="logging"), attr="getLogger"),
            ),
        ):
            return [name]
    return []


@cache
def _imports(path: Path) -> tuple[str, ...]:
    """Names that may be modules of the package in every import statement."""
    names: list[str] = []
    for node in _read(path).imports:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif node.module and not node.level:
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
