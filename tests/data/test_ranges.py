from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landslip.data.ranges import count_lines, shard_rows, shards_for


@given(st.integers(0, 1000), st.integers(1, 40))
def test_every_row_is_in_one_shard_in_order_and_shards_are_of_equal_size(n: int, shards: int):
    parts = [shard_rows(n, shard, shards) for shard in range(shards)]
    assert [row for part in parts for row in part] == list(range(n))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@given(st.integers(0, 10_000), st.integers(1, 500))
def test_no_shard_holds_more_than_asked_for(n: int, most: int):
    shards = shards_for(n, most)
    assert all(len(shard_rows(n, shard, shards)) <= most for shard in range(shards))


@pytest.mark.parametrize("shard", [-1, 3])
def test_a_shard_that_is_not_there_is_refused(shard: int):
    with pytest.raises(ValueError, match=f"shard {shard} of 3"):
        shard_rows(10, shard, 3)


def test_a_table_has_at_least_as_many_lines_as_rows(tmp_path: Path):
    table = tmp_path / "Train.csv"
    for text in ("ID,label\na,1\nb,0\n", "ID,label\r\na,1\r\nb,0"):
        table.write_text(text)
        assert 2 <= count_lines(table) <= 4
    assert count_lines(tmp_path / "none.csv") == 0
