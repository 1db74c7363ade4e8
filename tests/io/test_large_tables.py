"""Tables read and written a part at a time are those read and written whole."""

from pathlib import Path

import pandas as pd
import pytest

from landslip.io.files import InputError, read_metadata, read_parquet
from landslip.io.large_tables import count_rows, write_blocks

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


def test_parts_that_cannot_be_made_leave_no_table(tmp_path: Path) -> None:
    def parts():
        yield FRAME
        raise InputError("no further part")

    with pytest.raises(InputError):
        write_blocks(tmp_path / "parts.parquet", parts())
    assert not list(tmp_path.iterdir())
