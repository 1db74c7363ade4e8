"""Tables read and written a part at a time are those read and written whole."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from landslip.io import large_tables
from landslip.io.files import InputError, read_metadata, read_parquet, write_parquet
from landslip.io.large_tables import (
    TableReader,
    count_rows,
    iterate_parquet,
    read_columns,
    write_blocks,
)

FRAME = pd.DataFrame(
    {
        "id": pd.Series([f"ID_{number}" for number in range(20)], dtype="str"),
        "known": pd.array([None, *range(19)], dtype="Int8"),
        "value": [number / 7 for number in range(20)],
    }
)


@pytest.mark.parametrize("cuts", [[20], [0, 20], [3, 3, 20], [1, 8, 15, 20]])
def test_a_table_written_in_parts_is_the_whole_one(cuts: list[int], tmp_path: Path) -> None:
    ends = zip([0, *cuts], cuts, strict=False)
    parts = [FRAME[start:end] for start, end in ends]
    write_blocks(tmp_path / "parts.parquet", iter(parts), {"made by": "test"})
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "parts.parquet"), FRAME)
    assert read_metadata(tmp_path / "parts.parquet") == {"made by": "test"}
    assert count_rows(tmp_path / "parts.parquet") == 20
    assert read_columns(tmp_path / "parts.parquet") == ["id", "known", "value"]


def test_parts_that_cannot_be_made_leave_no_table(tmp_path: Path) -> None:
    def parts():
        yield FRAME
        raise InputError("no further part")

    with pytest.raises(InputError):
        write_blocks(tmp_path / "parts.parquet", parts())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("at_once", [1, 3, 100])
@pytest.mark.parametrize("takes", [[20], [0, 7, 7, 6], [1] * 20, [19, 0, 1]])
def test_rows_are_taken_in_order(
    takes: Sequence[int], at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_tables, "iterate_parquet", partial(iterate_parquet, at_once=at_once))
    write_parquet(tmp_path / "table.parquet", FRAME)
    reader = TableReader(tmp_path / "table.parquet", ["value"])
    at = 0
    for n in takes:
        expected = FRAME[at : at + n]
        taken = reader.take(expected["id"].tolist())
        at += n
        assert taken["value"].tolist() == expected["value"].tolist()
        assert taken.index.tolist() == list(range(n))
    reader.end()


def test_rows_of_other_patches_are_refused_by_number(tmp_path: Path) -> None:
    write_parquet(tmp_path / "table.parquet", FRAME)
    reader = TableReader(tmp_path / "table.parquet", ["value"])
    reader.take(["ID_0", "ID_1"])
    with pytest.raises(InputError, match=r"table\.parquet: patch ID_3 in row 3, expected ID_4;"):
        reader.take(["ID_2", "ID_4"])
    with pytest.raises(InputError, match="expected none"):
        reader.end()
    with pytest.raises(InputError, match="lacks the columns other"):
        TableReader(tmp_path / "table.parquet", ["other"])
