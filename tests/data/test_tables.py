"""CSV tables: any usual form is read, and every mistake in their rows is named."""

import gzip
import zlib
from pathlib import Path

import pandas as pd
import pytest

from landslip.data.problems import Problem
from landslip.data.ranges import count_lines
from landslip.data.table_files import table_blocks
from landslip.data.tables import read_ids, read_labels
from landslip.io.files import InputError

PLAIN = "ID,label\nA,0\nB,1\nC,0\n"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def said(problem: Problem) -> str:
    """The problem on one line, without the path of its table."""
    return " ".join(line.strip() for line in problem.lines).partition(".csv: ")[2]


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
        "ID|label\nA|0\nB|1\nC|0\n",
        "sep=;\r\nID;label\r\nA;0,0\r\nB;1,000\r\nC;0\r\n",
        "ID,label\nA,0.0\nB,1.0\nC,0.0\n",
        "ID,label\nA,0.000000\nB,1.000000\nC,-0.\n",
        "ID,label\nA,0e0\nB,1.000e+00\nC,0.0E-00\n",
        "ID,label\nA,False\nB,TRUE\nC,false\n",
        'ID,label,note\nA,0,"two\nlines"\nB,1,\nC,0,\n',
        "ID,label\nA,0,\nB,1,\nC,0,\n",
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        gzip.compress(PLAIN.encode()),
        gzip.compress(PLAIN[:12].encode()) + gzip.compress(PLAIN[12:].encode()) + bytes(9),
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
        "vertical bars",
        "told what parts cells",
        "labels as floats",
        "labels as floats of six digits",
        "labels in powers of ten",
        "labels as truth values",
        "line ends in quotes",
        "a comma too many",
        "utf-16",
        "utf-16 big-endian",
        "gzip",
        "gzip in parts",
    ],
)
def test_the_form_of_a_table_does_not_change_what_it_says(tmp_path: Path, text: str | bytes):
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
    with pytest.raises(InputError, match=r"not UTF-8 .*row 2"):
        read_labels(write(tmp_path, "ID,label\ncaf\xe9,1\n".encode("latin-1")))
    with pytest.raises(InputError, match="zero bytes"):
        read_labels(write(tmp_path, PLAIN.encode("utf-16-le")))
    with pytest.raises(InputError, match=r"cannot read .*absent"):
        read_labels(tmp_path / "absent.csv")


def test_missing_and_wrong_labels_are_named_by_row(tmp_path: Path):
    text = "ID,label\nA,\nB,1\nC,2\n\nD,yes\nE\nF,-1\nG,nan\nH,yes\n"
    table, problems = read_labels(write(tmp_path, text))
    assert len(problems) == 2
    assert said(problems[0]) == "no label in 2 rows; expected 0 or 1 row 2, row 7"
    assert said(problems[1]) == (
        "label not 0 or 1 in 5 rows 2: 'yes': row 6, row 10 1: '2': row 4 1: '-1': row 8 "
        "1: 'nan': row 9"
    )
    assert table["label"].isna().sum() == 7


def test_every_doubled_id_is_named_with_its_rows(tmp_path: Path):
    _, problems = read_labels(write(tmp_path, "ID,label\nA,0\nB,1\n A ,1\nC,0\nB,0\n,1\n"))
    assert said(problems[0]) == "no id in 1 row row 7"
    assert "2 ids stand in several rows" in said(problems[1])
    assert "A (rows 2, 4), B (rows 3, 6)" in said(problems[1])


def test_a_row_with_more_cells_than_the_header_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="more cells than the header's 2 in row 3"):
        read_labels(write(tmp_path, "ID,label\nA,0\nB,extra,1\n"))


def test_a_group_column_is_read_and_may_have_no_gaps(tmp_path: Path):
    table, problems = read_labels(
        write(tmp_path, "site,ID,label\nx,A,0\ny,B,1\n,C,0\n"), group="site"
    )
    assert table["group"].tolist() == ["x", "y", ""]
    assert "no site in 1 row" in said(problems[0])


def test_labels_of_a_table_of_ids_are_read_only_if_it_has_any(tmp_path: Path):
    table, problems = read_ids(write(tmp_path, PLAIN))
    assert (table["label"].tolist(), problems) == ([0, 1, 0], [])
    table, problems = read_ids(write(tmp_path, "ID,label\nA,\nB,\n"))
    assert (table["label"].isna().all(), problems) == (True, [])
    _, problems = read_ids(write(tmp_path, "ID,label\nA,\nB,1\n"))
    assert "no label in 1 row" in said(problems[0])


def test_tables_written_by_pandas_are_read(tmp_path: Path):
    frame = pd.DataFrame({"ID": ['with "quotes"', "with, comma"], "label": [1, 0]})
    frame.to_csv(tmp_path / "table.csv", index=False)
    table, problems = read_labels(tmp_path / "table.csv")
    assert (table["id"].tolist(), problems) == (frame["ID"].tolist(), [])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04" + bytes(50), "zip archive .*xlsx.*save the table as CSV"),
        (b"\xd0\xcf\x11\xe0" + bytes(50), "spreadsheet"),
        (gzip.compress(b"PK\x03\x04" + bytes(50)), "zip archive"),
        (b"\xef\xbb\xbf\n<!DOCTYPE HTML><title>Sign in</title>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "git lfs pull"),
        (bytes(4096), "zero bytes"),
        (gzip.compress(b""), "is empty"),
        (gzip.compress(PLAIN.encode())[:-9], "cut short"),
        (gzip.compress(PLAIN.encode()) + b"more", "damaged gzip"),
        (gzip.compress(b"A,0\n" * 10_000_000), "as no table of patches is packed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_table_is_refused_for_what_it_is_and_when_it_is_counted_too(
    tmp_path: Path, content: bytes, words: str
):
    path = write(tmp_path, content)
    with pytest.raises(InputError, match=words):
        read_labels(path)
    if words != "is empty":
        with pytest.raises(InputError, match=words):
            count_lines(path)


def test_a_packed_table_is_unpacked_no_further_than_it_can_be_true(tmp_path: Path):
    packer = zlib.compressobj(wbits=31)
    parts = [packer.compress(bytes([10]) * (1 << 20)) for _ in range(200)]
    path = write(tmp_path, b"".join(parts) + packer.flush())
    blocks = table_blocks(path)
    given = 0
    with pytest.raises(InputError, match="packed"):
        for block in blocks:
            given += len(block)
    assert given <= 200 * path.stat().st_size + (1 << 24)


def test_a_quote_left_open_is_named_and_not_printed(tmp_path: Path):
    rows = "".join(f"ID_{number},0\n" for number in range(5000))
    _, problems = read_labels(write(tmp_path, f'ID,label\n"A,0\n{rows}B",1\n'))
    assert any("is a quote left open" in said(problem) for problem in problems)
    assert sum(len(said(problem)) for problem in problems) < 1000


def test_two_columns_of_one_name_are_refused(tmp_path: Path):
    with pytest.raises(InputError, match="2 columns label"):
        read_labels(write(tmp_path, "ID,label,label\nA,0,1\n"))


def test_a_number_near_0_or_1_is_no_label(tmp_path: Path):
    cells = ["0.99999999999999999999", "10", "1e1", "-1.0", "1_0", ".", "e", "１", "0x1", "inf"]
    table, _ = read_labels(write(tmp_path, "ID,label\n" + "".join(f"A,{c}\n" for c in cells)))
    assert table["label"].isna().all()
