"""The CSV tables of ids and labels, read leniently in form and strictly in content."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from landslip.files import InputError

_ID, _LABEL = "ID", "label"
# Tables with gaps in them are stored with their whole numbers as floats.
_LABELS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1}


@dataclass(frozen=True)
class _Table:
    """Cells of a CSV without the spaces around them, and the line each row ends on (header: 1)."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def position(self, name: str) -> int | None:
        """Where a column stands; capitals count only where they must tell two apart."""
        if name in self.header:
            return self.header.index(name)
        near = [i for i, title in enumerate(self.header) if title.lower() == name.lower()]
        return near[0] if len(near) == 1 else None

    def columns(self, *names: str) -> list[list[str]]:
        """Cells of each column, or a refusal that names those there are not."""
        positions = {name: self.position(name) for name in names}
        missing = [name for name, position in positions.items() if position is None]
        if missing:
            raise InputError(
                f"{self.path} lacks the column {' and '.join(missing)}; "
                f"its header is {', '.join(self.header)}"
            )
        found = [position for position in positions.values() if position is not None]
        return [[row[position] for row in self.rows] for position in found]

    def rows_where(self, flags: Sequence[bool]) -> str:
        """`row 3` or `rows 3, 5-9`."""
        return _rows([line for line, flag in zip(self.lines, flags, strict=True) if flag])


def read_labels(path: Path, *, group: str | None = None) -> tuple[pd.DataFrame, list[str]]:
    """Read a CSV with the columns ID and label, and say what is wrong with its rows.

    Byte-order mark, line endings, quotes, spaces around cells, empty lines and the order of
    columns do not matter; cells may be parted by comma, semicolon or tab.

    Parameters
    ----------
    group
        Name of a further column to read.

    Returns
    -------
    table : DataFrame
        id (str), label (Int8) and, if `group` is given, group (str), in the file's order. Labels
        that are missing or not 0 or 1 are null.
    problems : list of str
        Empty and doubled ids, labels that are missing or not 0 or 1, missing groups; a sentence
        each, with row numbers (the header is row 1).

    Raises
    ------
    InputError
        The file is empty, lacks a column, or is no CSV in UTF-8.
    """
    table = _read_csv(path)
    ids, labels, *rest = table.columns(_ID, _LABEL, *([group] if group else []))
    problems = [*_check_ids(table, ids), *_check_labels(table, labels)]
    for cells in rest:
        if not all(cells):
            rows = table.rows_where([not cell for cell in cells])
            problems.append(f"{path}: no {group} in {rows}; folds.group needs one in every row")
    frame = pd.DataFrame({"id": ids, "label": _parse(labels)})
    return (frame.assign(group=rest[0]) if rest else frame), problems


def read_ids(path: Path) -> tuple[pd.DataFrame, list[str]]:
    """Read a CSV with the column ID, and label if it has one with anything in it.

    Returns
    -------
    table : DataFrame
        id (str), label (Int8, all null where the file has none), in the file's order.
    problems : list of str
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
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 ({error.reason}); save it as CSV UTF-8") from error
    except OSError as error:
        raise InputError(f"cannot read {path} ({error.strerror})") from error
    first = next((line for line in text.split("\n") if line.strip()), "")
    reader = csv.reader(
        io.StringIO(text), delimiter=max(",;\t", key=first.count), skipinitialspace=True
    )
    rows, lines = [], []
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                rows.append(cells)
                lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(f"{path}, row {reader.line_num}: no valid CSV ({error})") from error
    if len(rows) < 2:
        content = "has a header and no rows" if rows else "is empty"
        raise InputError(f"{path} {content}; expected a header and one row for each patch")
    width = len(rows[0])
    overfull = [line for line, row in zip(lines, rows, strict=True) if any(row[width:])]
    if overfull:
        raise InputError(f"{path}: more cells than the header's {width} in {_rows(overfull)}")
    padded = [(row + [""] * width)[:width] for row in rows]
    return _Table(path, rows[0], padded[1:], lines[1:])


def _check_ids(table: _Table, ids: Sequence[str]) -> list[str]:
    """Empty and doubled ids."""
    problems = []
    if not all(ids):
        problems.append(f"{table.path}: no id in {table.rows_where([not name for name in ids])}")
    where: dict[str, list[int]] = {}
    for line, name in zip(table.lines, ids, strict=True):
        where.setdefault(name, []).append(line)
    doubled = {name: lines for name, lines in where.items() if name and len(lines) > 1}
    if doubled:
        listed = ", ".join(f"{name} ({_rows(lines)})" for name, lines in doubled.items())
        count = "1 id stands" if len(doubled) == 1 else f"{len(doubled)} ids stand"
        problems.append(f"{table.path}: {count} in several rows, keep one of each: {listed}")
    return problems


def _check_labels(table: _Table, labels: Sequence[str]) -> list[str]:
    """Missing labels, and those that are not 0 or 1."""
    problems = []
    if not all(labels):
        rows = table.rows_where([not label for label in labels])
        problems.append(f"{table.path}: no label in {rows}; expected 0 or 1")
    wrong = [bool(label) and label not in _LABELS for label in labels]
    if any(wrong):
        got = dict.fromkeys(label for label in labels if label and label not in _LABELS)
        listed = ", ".join(repr(label) for label in list(got)[:5])
        problems.append(f"{table.path}: label not 0 or 1 in {table.rows_where(wrong)}: {listed}")
    return problems


def _parse(labels: Sequence[str]) -> pd.Series:
    return pd.Series([_LABELS.get(label) for label in labels], dtype="Int8")


def _rows(lines: Sequence[int]) -> str:
    """`row 3` or `rows 3, 5-9`."""
    runs = np.split(np.array(lines), np.flatnonzero(np.diff(lines) != 1) + 1)
    parts = [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
    return f"{'row' if len(lines) == 1 else 'rows'} {', '.join(parts)}"
