"""The CSV tables of ids and labels, read leniently in form and strictly in content."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from landslip.data.problems import Item, Problem, printable, shortened
from landslip.data.table_files import table_blocks
from landslip.io.files import InputError

_ID, _LABEL = "ID", "label"
# As programs write 0 and 1: whole, as floats (tables with gaps), in powers of ten, as truth values.
_NUMBER = re.compile(r"(?:\+?0*(1)|[+-]?0+)(?:[.,]0*)?(?:[eE][+-]?0+)?")
_TRUTH = {"true": 1, "false": 0}
# Characters of a cell that a message shows: a quote left open may swallow a table.
_CELL = 40
_PARTED_BY = ",;\t|"


@dataclass(frozen=True)
class _Table:
    """Cells of a CSV without the spaces around them, and the line each row ends on (header: 1)."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def position(self, name: str) -> int | None:
        """Where a column stands; capitals count only where they must tell two apart."""
        same = [i for i, title in enumerate(self.header) if title == name]
        if len(same) > 1:
            raise InputError(f"{self.path} has {len(same)} columns {name}; keep one")
        near = [i for i, title in enumerate(self.header) if title.lower() == name.lower()]
        return (same or near)[0] if same or len(near) == 1 else None

    def columns(self, *names: str) -> list[list[str]]:
        """Cells of each column, or a refusal that names those there are not."""
        positions = {name: self.position(name) for name in names}
        missing = [name for name, position in positions.items() if position is None]
        if missing:
            raise InputError(
                f"{self.path} lacks the column {' and '.join(missing)}; "
                f"its header is {shortened(self.header, 20)}"
            )
        found = [position for position in positions.values() if position is not None]
        return [[row[position] for row in self.rows] for position in found]

    def problem(self, text: str, flags: Sequence[bool], cells: Sequence[str] = ()) -> Problem:
        """A problem of some rows, for each of which the reason is what stands in a cell."""
        lines = [line for line, flag in zip(self.lines, flags, strict=True) if flag]
        reasons = [repr(cell[:_CELL]) for cell, flag in zip(cells, flags, strict=False) if flag]
        count = "1 row" if len(lines) == 1 else f"{len(lines):,} rows"
        items = [
            Item(f"row {line}", reason)
            for line, reason in zip(lines, reasons or [""] * len(lines), strict=True)
        ]
        return Problem(f"{self.path}: {text.format(rows=count)}", items)


def read_labels(path: Path, *, group: str | None = None) -> tuple[pd.DataFrame, list[Problem]]:
    """Read a CSV with the columns ID and label, and say what is wrong with its rows.

    Byte-order mark, line endings, quotes, spaces around cells, empty lines and the order of
    columns do not matter; cells may be parted by comma, semicolon or tab.

    Parameters
    ----------
    path
        CSV file, packed by gzip or not.
    group
        Name of a further column to read.

    Returns
    -------
    table : DataFrame
        id (str), label (Int8) and, if `group` is given, group (str), in the file's order. Labels
        that are missing or not 0 or 1 are null.
    problems : list of Problem
        Empty and doubled ids, labels that are missing or not 0 or 1, missing groups; with
        row numbers (the header is row 1).

    Raises
    ------
    InputError
        The file is empty, lacks a column, or is no CSV in UTF-8, packed by gzip or not.
    """
    table = _read_csv(path)
    ids, labels, *rest = table.columns(_ID, _LABEL, *([group] if group else []))
    problems = [*_check_ids(table, ids), *_check_labels(table, labels)]
    for cells in rest:
        if not all(cells):
            text = f"no {printable(str(group))} in {{rows}}; folds.group needs one in every row"
            problems.append(table.problem(text, [not cell for cell in cells]))
    frame = pd.DataFrame({"id": ids, "label": _parse(labels)})
    return (frame.assign(group=rest[0]) if rest else frame), problems


def read_ids(path: Path) -> tuple[pd.DataFrame, list[Problem]]:
    """Read a CSV with the column ID, and label if it has one with anything in it.

    Returns
    -------
    table : DataFrame
        id (str), label (Int8, all null where the file has none), in the file's order.
    problems : list of Problem
        As `read_labels`.

    Raises
    ------
    InputError
        As `read_labels`.
    """
    table = _read_csv(path)
    (ids,) = table.columns(_ID)
    labels = [""] * len(ids)
    if table.position(_LABEL) is not None:
        (labels,) = table.columns(_LABEL)
    problems = _check_ids(table, ids)
    if any(labels):
        problems += _check_labels(table, labels)
    return pd.DataFrame({"id": ids, "label": _parse(labels)}), problems


def _read_csv(path: Path) -> _Table:
    text = _decoded(path, b"".join(table_blocks(path)))
    lines_before = 0
    # The first line by which spreadsheets are told what parts cells.
    if declared := re.match(r"\s*sep=(.)\r?\n", text):
        text, lines_before = text[declared.end() :], text[: declared.end()].count("\n")
    first = next((line for line in text.split("\n") if line.strip()), "")
    mark = declared[1] if declared else max(_PARTED_BY, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True)
    rows, lines = [], []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(cells)
                lines.append(lines_before + reader.line_num)
    except csv.Error as error:
        raise InputError(
            f"{path}, row {lines_before + reader.line_num}: no valid CSV ({error}); is a quote "
            "left open?"
        ) from error
    if len(rows) < 2:
        content = "has a header and no rows" if rows else "is empty"
        raise InputError(f"{path} {content}; expected a header and one row for each patch")
    width = len(rows[0])
    overfull = [line for line, row in zip(lines, rows, strict=True) if any(row[width:])]
    if overfull:
        raise InputError(f"{path}: more cells than the header's {width} in {_rows(overfull)}")
    padded = [(row + [""] * width)[:width] for row in rows]
    return _Table(path, rows[0], padded[1:], lines[1:])


def _decoded(path: Path, content: bytes) -> str:
    """A table's text: UTF-8, or UTF-16 with the mark that spreadsheets put before it."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path} is not UTF-8 ({error.reason} in row {row}); save it as CSV UTF-8"
        ) from error
    if "\0" in text.split("\n", 1)[0]:
        raise InputError(f"{path} has zero bytes in its header; save it as CSV UTF-8")
    return text


def _check_ids(table: _Table, ids: Sequence[str]) -> list[Problem]:
    """Empty and doubled ids, and those that only a quote left open can explain."""
    problems = []
    if not all(ids):
        problems.append(table.problem("no id in {rows}", [not name for name in ids]))
    broken = ["\n" in name or "\r" in name for name in ids]
    if any(broken):
        text = "an id goes over several lines in {rows}; is a quote left open?"
        problems.append(table.problem(text, broken, ids))
    where: dict[str, list[int]] = {}
    for line, name in zip(table.lines, ids, strict=True):
        where.setdefault(name, []).append(line)
    doubled = {name: lines for name, lines in where.items() if name and len(lines) > 1}
    if doubled:
        items = [Item(name, note=_rows(lines)) for name, lines in doubled.items()]
        count = "1 id stands" if len(doubled) == 1 else f"{len(doubled)} ids stand"
        text = f"{table.path}: {count} in several rows, keep one of each"
        problems.append(Problem(text, items))
    return problems


def _check_labels(table: _Table, labels: Sequence[str]) -> list[Problem]:
    """Missing labels, and those that are not 0 or 1."""
    problems = []
    if not all(labels):
        text = "no label in {rows}; expected 0 or 1"
        problems.append(table.problem(text, [not label for label in labels]))
    wrong = [bool(label) and label_of(label) is None for label in labels]
    if any(wrong):
        problems.append(table.problem("label not 0 or 1 in {rows}", wrong, labels))
    return problems


def _parse(labels: Sequence[str]) -> pd.Series:
    known = {label: label_of(label) for label in set(labels)}
    return pd.Series([known[label] for label in labels], dtype="Int8")


def label_of(cell: str) -> int | None:
    """0 or 1 of a cell, in any way that programs write them; None: something else."""
    if found := _NUMBER.fullmatch(cell):
        return 1 if found[1] else 0
    return _TRUTH.get(cell.lower())


def _rows(lines: Sequence[int]) -> str:
    """`row 3` or `rows 3, 5-9`."""
    runs = np.split(np.array(lines), np.flatnonzero(np.diff(lines) != 1) + 1)
    parts = [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
    return f"{'row' if len(lines) == 1 else 'rows'} {shortened(parts)}"
