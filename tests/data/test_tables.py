"""CSV tables: any usual form is read, and every mistake in their rows is named."""

from pathlib import Path

import pandas as pd
import pytest

from landslip.data.tables import read_ids, read_labels
from landslip.files import InputError

PLAIN = "ID,label\nA,0\nB,1\nC,0\n"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        '"ID","label"\n"A","0"\n"B","1"\n"C","0"\n',
        "ID , label\n A, 0\nB ,1 \n C , 0\n",
        ' "ID" , "label"\n "A" , "0"\nB,1\nC,0\n',
        "label,ID\n0,A\n1,B\n0,C\n",
        "note,label,ID,\nx,0,A,\n,1,B,\n,0,C,\n",
        "ID;label\nA;0\nB;1\nC;0\n",
        "ID\tlabel\nA\t0\nB\t1\nC\t0\n",
        "\nID,label\n\nA,0\n,\nB,1\nC,0\n\n",
        "id,Label\nA,0\nB,1\nC,0",
        "ID,label\nA,0.0\nB,1.0\nC,0.0\n",
    ],
    ids=[
        "bom",
        "crlf",
        "cr",
        "quotes",
        "spaces",
        "quotes and spaces",
        "column order",
        "other columns",
        "semicolons",
        "tabs",
        "empty lines",
        "capitals, no last line end",
        "labels as floats",
    ],
)
def test_the_form_of_a_table_does_not_change_what_it_says(tmp_path: Path, text: str):
    table, problems = read_labels(write(tmp_path, text))
    assert problems == []
    assert table["id"].tolist() == ["A", "B", "C"]
    assert table["label"].tolist() == [0, 1, 0]
    assert table["label"].dtype == "Int8"


def test_ids_that_look_like_numbers_or_nothing_stay_text(tmp_path: Path):
    table, problems = read_ids(write(tmp_path, "ID\n007\nNA\n1e5\nnull\n"))
    assert (table["id"].tolist(), problems) == (["007", "NA", "1e5", "null"], [])


@pytest.mark.parametrize("text", ["", "\ufeff", "\n\n", "ID,label\n", "ID,label\n\n,\n"])
def test_a_table_without_rows_is_refused(tmp_path: Path, text: str):
    with pytest.raises(InputError, match=r"table\.csv .*(is empty|no rows)"):
        read_labels(write(tmp_path, text))


def test_a_missing_column_is_refused_with_the_header_there_is(tmp_path: Path):
    with pytest.raises(InputError, match=r"lacks the column label; its header is ID, class"):
        read_labels(write(tmp_path, "ID,class\nA,0\n"))
    with pytest.raises(InputError, match="lacks the column ID"):
        read_ids(write(tmp_path, "A\nB\n"))
    with pytest.raises(InputError, match="lacks the column site"):
        read_labels(write(tmp_path, PLAIN), group="site")


def test_a_table_that_is_not_utf8_or_not_there_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="not UTF-8"):
        read_labels(write(tmp_path, PLAIN.encode("utf-16")))
    with pytest.raises(InputError, match=r"cannot read .*absent"):
        read_labels(tmp_path / "absent.csv")


def test_missing_and_wrong_labels_are_named_by_row(tmp_path: Path):
    text = "ID,label\nA,\nB,1\nC,2\n\nD,yes\nE\nF,-1\nG,nan\n"
    table, problems = read_labels(write(tmp_path, text))
    assert len(problems) == 2
    assert "no label in rows 2, 7" in problems[0]
    assert "not 0 or 1 in rows 4, 6, 8-9: '2', 'yes', '-1', 'nan'" in problems[1]
    assert table["label"].isna().sum() == 6


def test_every_doubled_id_is_named_with_its_rows(tmp_path: Path):
    _, problems = read_labels(write(tmp_path, "ID,label\nA,0\nB,1\n A ,1\nC,0\nB,0\n,1\n"))
    assert "no id in row 7" in problems[0]
    assert "2 ids stand in several rows" in problems[1]
    assert "A (rows 2, 4), B (rows 3, 6)" in problems[1]


def test_a_row_with_more_cells_than_the_header_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="more cells than the header's 2 in row 3"):
        read_labels(write(tmp_path, "ID,label\nA,0\nB,extra,1\n"))


def test_a_group_column_is_read_and_may_have_no_gaps(tmp_path: Path):
    table, problems = read_labels(
        write(tmp_path, "site,ID,label\nx,A,0\ny,B,1\n,C,0\n"), group="site"
    )
    assert table["group"].tolist() == ["x", "y", ""]
    assert "no site in row 4" in problems[0]


def test_labels_of_a_table_of_ids_are_read_only_if_it_has_any(tmp_path: Path):
    table, problems = read_ids(write(tmp_path, PLAIN))
    assert (table["label"].tolist(), problems) == ([0, 1, 0], [])
    table, problems = read_ids(write(tmp_path, "ID,label\nA,\nB,\n"))
    assert (table["label"].isna().all(), problems) == (True, [])
    _, problems = read_ids(write(tmp_path, "ID,label\nA,\nB,1\n"))
    assert "no label in row 2" in problems[0]


def test_tables_written_by_pandas_are_read(tmp_path: Path):
    frame = pd.DataFrame({"ID": ['with "quotes"', "with, comma"], "label": [1, 0]})
    frame.to_csv(tmp_path / "table.csv", index=False)
    table, problems = read_labels(tmp_path / "table.csv")
    assert (table["id"].tolist(), problems) == (frame["ID"].tolist(), [])
