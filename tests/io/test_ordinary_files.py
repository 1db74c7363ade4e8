"""Files of other kinds are refused at once; nothing waits for a pipe or reads a device."""

import os
import socket
from pathlib import Path

import pytest

from landslip.data.listing import check_sources
from landslip.data.ranges import count_lines
from landslip.data.tables import read_labels
from landslip.io.files import InputError, file_digest
from landslip.io.ordinary_files import open_ordinary
from landslip.models.weights import fetch_weights


@pytest.fixture(params=["named pipe", "socket", "folder", "device", "link to a pipe"])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    path = tmp_path / "odd"
    if request.param == "socket":
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(str(path))
    elif request.param == "folder":
        path.mkdir()
    elif request.param == "device":
        path.symlink_to("/dev/zero")
    elif request.param == "named pipe":
        os.mkfifo(path)
    else:
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to(tmp_path / "pipe")
        return path, "named pipe"
    return path, request.param


def test_what_is_no_ordinary_file_is_refused_at_once_by_its_kind(odd: tuple[Path, str]):
    path, kind = odd
    for read in (open_ordinary, file_digest):
        with pytest.raises(OSError, match=kind):
            read(path)
    for read in (count_lines, read_labels, lambda path: check_sources(None, str(path))):
        with pytest.raises(InputError, match=kind):
            read(path)
    with pytest.raises(InputError, match=kind):
        fetch_weights("any", local=path, target=path / "t", description=path / "d")


def test_a_file_that_becomes_a_pipe_after_it_was_looked_at_is_not_waited_for(
    tmp_path: Path, monkeypatch
):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    sound = os.stat(__file__)
    monkeypatch.setattr(os, "stat", lambda *args, **options: sound)
    with pytest.raises(OSError, match="named pipe"):
        open_ordinary(path)
