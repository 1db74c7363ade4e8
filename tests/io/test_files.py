"""Files are whole or absent."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from landslip.io.files import (
    InputError,
    atomic_path,
    file_digest,
    read_json,
    read_metadata,
    read_parquet,
    text_digest,
    write_json,
    write_parquet,
    write_text,
)
from landslip.io.locks import exclusive
from project import ROOT


def test_a_failed_write_leaves_the_old_file_and_no_temporary(tmp_path: Path):
    target = tmp_path / "table.txt"
    write_text(target, "old")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_names_path_and_bytes(tmp_path: Path):
    target = tmp_path / "table.txt"
    write_text(target, "old")

    def fill_the_disk() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"disk full after 4 bytes .*table\.txt") as caught:
        fill_the_disk()
    assert caught.value.errno == errno.ENOSPC
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_killed_writer_leaves_the_old_file_whole(tmp_path: Path):
    target = tmp_path / "table.txt"
    write_text(target, "old")
    code = (
        "import sys, time; from landslip.io.files import atomic_path\n"
        "with atomic_path(sys.argv[1]) as t:\n"
        "    t.write_text('half'); print('written', flush=True); time.sleep(60)"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(target)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "written\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert target.read_text() == "old"


def test_one_process_at_a_time_works_in_a_folder_and_a_killed_one_lets_go(tmp_path: Path):
    code = (
        "import sys, time; from landslip.io.locks import exclusive\n"
        "with exclusive(sys.argv[1]): print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "in\n"
    with (
        pytest.raises(InputError, match="another process is at work"),
        exclusive(tmp_path, patience=0.3),
    ):
        raise AssertionError("two at once")
    other.kill()
    other.wait()
    with exclusive(tmp_path, patience=0):
        assert not list(tmp_path.iterdir())


def test_a_reader_never_sees_part_of_a_file(tmp_path: Path):
    target = tmp_path / "table.txt"
    write_text(target, "0" * 100_000)
    writer = multiprocessing.get_context("spawn").Process(target=_rewrite, args=(target,))
    writer.start()
    seen: set[str] = set()
    deadline = time.monotonic() + 60
    while len(seen) < 5 and time.monotonic() < deadline:
        text = target.read_text()
        assert text == text[0] * 100_000
        seen.add(text[0])
    assert len(seen) == 5
    writer.kill()
    writer.join()


def _rewrite(target: Path) -> None:
    digit = 0
    while True:
        write_text(target, str(digit % 10) * 100_000)
        digit += 1


def test_a_flipped_bit_in_a_table_is_found_and_named(tmp_path: Path):
    target = tmp_path / "table.parquet"
    write_parquet(target, pd.DataFrame({"probability": [i / 997 for i in range(5000)]}))
    data = bytearray(target.read_bytes())
    data[len(data) // 2] ^= 1
    target.write_bytes(data)
    with pytest.raises(InputError, match=r"table\.parquet is damaged"):
        read_parquet(target)


def test_a_truncated_table_is_found_and_named(tmp_path: Path):
    target = tmp_path / "table.parquet"
    write_parquet(target, pd.DataFrame({"id": ["a"] * 100}))
    target.write_bytes(target.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"table\.parquet is damaged"):
        read_parquet(target)


def test_a_table_keeps_its_metadata(tmp_path: Path):
    target = tmp_path / "table.parquet"
    write_parquet(target, pd.DataFrame({"id": ["a"]}), {"split_digest": "abc"})
    assert read_metadata(target)["split_digest"] == "abc"
    assert read_parquet(target, ["id"])["id"].tolist() == ["a"]


def test_a_missing_column_is_named(tmp_path: Path):
    target = tmp_path / "table.parquet"
    write_parquet(target, pd.DataFrame({"id": ["a"]}))
    with pytest.raises(InputError, match="fold"):
        read_parquet(target, ["id", "fold"])


def test_json_holds_no_nan(tmp_path: Path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "metrics.json", {"auc": float("nan")})
    assert not list(tmp_path.iterdir())


def test_broken_json_is_named(tmp_path: Path):
    target = tmp_path / "metrics.json"
    target.write_text("{")
    with pytest.raises(InputError, match=r"metrics\.json"):
        read_json(target)


def test_digests_tell_contents_apart(tmp_path: Path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"a")
    two.write_bytes(b"b")
    assert file_digest(one) != file_digest(two)
    os.utime(one)
    assert file_digest(one) == file_digest(one)
    assert text_digest("ab", "c") != text_digest("a", "bc")
