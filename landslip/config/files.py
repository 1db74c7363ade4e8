"""Config files and `--config`, taken as data: nothing in them is lost in silence or run.

Snakemake reads them too, before it reads any rule; what it gives is not used, for it keeps the
last of two equal keys and tells null on the command line from no text. On a file alone:
`python -m landslip.config.files FILE`.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from landslip.config.merge import override
from landslip.io.files import InputError

# Far more than any config needs, and little enough to check at once.
_LARGEST_FILE = 1 << 20
_MOST_VALUES = 100_000
_DEEPEST = 40
_LONGEST_NUMBER = 300

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_TEXT = f"{_TAG}str"


def read_overrides(files: Iterable[Path], arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Read what overrides config.yaml.

    Parameters
    ----------
    files
        Config files; each overrides those before it.
    arguments
        `key=value` as the command line has them after `--config`; they override the files.

    Raises
    ------
    InputError
        A file is not what `read_config_file` takes, or a value is no YAML.
    """
    over: dict[str, Any] = {}
    for path in files:
        over = override(over, read_config_file(path))
    for argument in arguments:
        key, _, value = argument.partition("=")
        over = override(over, {key: _read_argument(key, value)})
    return over


def read_config_file(path: Path | str) -> dict[str, Any]:
    """Read one config file, YAML or JSON.

    Raises
    ------
    InputError
        The file is absent, too large, not UTF-8 or not YAML with keys at top level; a key stands
        twice in one place, is no text or has a tag; `__use_yte__` asks that values are run.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no regular file; write the config into one")
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise InputError(f"cannot read the config {path} ({error.strerror})") from error
    if len(raw) > _LARGEST_FILE:
        raise InputError(f"{path} is larger than 1 MB; is it a config?")
    try:
        value = _read(_decoded(raw, path), str(path))
    except yaml.YAMLError as error:
        raise InputError(f"{path}{_explain_yaml(error)}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected keys at top level, such as `results: FOLDER`")
    if "__use_yte__" in value:
        raise InputError(
            f"{path}: __use_yte__ lets values run code; a config is data here: write the values "
            "themselves, and trust nothing that came with such a file"
        )
    return value


def _decoded(raw: bytes, path: Path) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InputError(f"{path} is UTF-16; save it as UTF-8") from None
        raise InputError(f"{path}, line {line}: not UTF-8; save the file as UTF-8") from None


def _read_argument(key: str, text: str) -> Any:
    try:
        return _read(text, f"--config {key}", python=True)
    except yaml.YAMLError as error:
        if text.lstrip().startswith(("[", "{")):
            raise InputError(f"--config {key}{_explain_yaml(error)}; got {text!r}") from error
        return text


def _read(text: str, source: str, *, python: bool = False) -> Any:
    """Value of a YAML or JSON text; `python` takes None for null, as Snakemake's manual has it."""
    try:
        # JSON may be indented with tabs, which YAML takes for mistakes.
        value, yaml_text = json.loads(text), text.replace("\t", " ")
        is_json = isinstance(value, dict)
    except (ValueError, RecursionError):
        value, yaml_text, is_json = None, text, False
    loader = yaml.SafeLoader(yaml_text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        checker = _Checker(loader, source, python)
        checker.check(node, ())
        if checker.mistakes:
            raise InputError("\n  ".join(dict.fromkeys(checker.mistakes)))
        return value if is_json else loader.construct_document(node)
    except RecursionError:
        raise InputError(f"{source}: nested deeper than {_DEEPEST} levels") from None
    finally:
        loader.dispose()


class _Checker:
    """Walks the nodes of a document; makes dates text, and collects what is refused."""

    def __init__(self, loader: yaml.SafeLoader, source: str, python: bool) -> None:
        self.loader = loader
        self.source = source
        self.python = python
        self.mistakes: list[str] = []
        # Values that a node stands for with its aliases written out; 0 while it is walked.
        self.sizes: dict[int, int] = {}

    def check(self, node: yaml.Node, where: tuple[str, ...]) -> int:
        """Check a node once, and count the values that it stands for."""
        if id(node) in self.sizes:
            if not self.sizes[id(node)]:
                raise InputError(f"{self._at(node)}: an alias stands inside what it names")
            return self.sizes[id(node)]
        if len(where) > _DEEPEST:
            raise InputError(f"{self._at(node)}: nested deeper than {_DEEPEST} levels")
        self.sizes[id(node)] = 0
        size = 1
        if isinstance(node, yaml.MappingNode):
            self._check_tag(node, f"{_TAG}map")
            size += self._check_keys(node, where)
        elif isinstance(node, yaml.SequenceNode):
            self._check_tag(node, f"{_TAG}seq")
            size += sum(
                self.check(item, (*where, str(number))) for number, item in enumerate(node.value)
            )
        else:
            self._check_scalar(node)
        if size > _MOST_VALUES:
            raise InputError(
                f"{self._at(node)}: more than {_MOST_VALUES} values once aliases are written out"
            )
        self.sizes[id(node)] = size
        return size

    def _check_keys(self, node: yaml.MappingNode, where: tuple[str, ...]) -> int:
        size = 0
        lines: dict[str, list[int]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.mistakes.append(f"{self._at(key)}: a key must be text")
                continue
            name = str(key.value)
            if key.tag != _MERGE:
                self._check_scalar(key)
                if key.tag != _TEXT:
                    kind = key.tag.removeprefix(_TAG)
                    self.mistakes.append(
                        f"{self._at(key)}: YAML reads the key {name} as {kind}; put it in quotes"
                    )
            lines.setdefault(name, []).append(key.start_mark.line + 1)
            size += 1 + self.check(value, (*where, name))
        for name, at in lines.items():
            if len(at) > 1:
                path = ".".join((*where, name))
                numbers = f"{', '.join(map(str, at[:-1]))} and {at[-1]}"
                times = "twice" if len(at) == 2 else f"{len(at)} times"
                self.mistakes.append(
                    f"{self.source}: {path} stands there {times}, on lines {numbers}; only the "
                    "last would count: make them one"
                )
        return size

    def _check_scalar(self, node: yaml.Node) -> None:
        plain = getattr(node, "style", None) is None
        if node.tag != _TEXT:
            resolve: Callable[..., str] = self.loader.resolve
            self._check_tag(node, resolve(yaml.ScalarNode, node.value, (plain, not plain)))
        if self.python and plain and node.value == "None":
            node.tag = f"{_TAG}null"
        elif node.tag in (f"{_TAG}timestamp", f"{_TAG}value", _MERGE):
            node.tag = _TEXT
        elif node.tag not in (f"{_TAG}int", f"{_TAG}float"):
            return
        elif len(node.value) > _LONGEST_NUMBER:
            self.mistakes.append(f"{self._at(node)}: a number of {len(node.value)} digits")
        elif re.match(r"[-+]?0[0-7_]+$|.*:", node.value):
            self.mistakes.append(
                f"{self._at(node)}: YAML reads {node.value} as the number "
                f"{self.loader.construct_object(node)}; write that, or put it in quotes"
            )

    def _check_tag(self, node: yaml.Node, expected: str) -> None:
        if node.tag != expected:
            tag = node.tag.replace(_TAG, "!!")
            raise InputError(f"{self._at(node)}: tags such as {tag} are not read; take it out")

    def _at(self, node: yaml.Node) -> str:
        return f"{self.source}, line {node.start_mark.line + 1}"


def _explain_yaml(error: yaml.YAMLError) -> str:
    """Where YAML breaks off and why, to stand after the file's name."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        reason = str(getattr(error, "reason", "it cannot be read"))
        return f": not valid YAML ({reason})"
    mark = error.problem_mark
    hint = ""
    if "\\t" in str(error.problem):
        hint = "; indent with spaces, not tabs"
    elif "mapping values" in str(error.problem):
        hint = "; put text that holds a colon in quotes"
    context = f"{error.context}: " if error.context else ""
    return (
        f", line {mark.line + 1}, column {mark.column + 1}: not valid YAML "
        f"({context}{error.problem}){hint}"
    )


def refuse_unreadable(files: Iterable[Path] | None, arguments: Sequence[str] | None) -> None:
    """End the program with one message where `read_overrides` raises.

    For profiles of Snakemake, which are read before it opens any config file itself.
    """
    try:
        read_overrides(files or (), arguments or ())
    except InputError as error:
        sys.exit(f"landslip: {error}")


def main(paths: Sequence[str]) -> None:
    """Say of each file whether it can be read as a config; nothing in it is run."""
    for path in paths:
        print(f"{path}: {', '.join(read_config_file(path)) or 'no keys'}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except InputError as error:
        sys.exit(f"landslip: {error}")
