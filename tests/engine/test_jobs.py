"""What passes between jobs is what was written: each file's SHA-256 stands in another."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from landslip.engine.jobs import begin_job, end_job, verify_files, verify_inputs
from landslip.io.files import InputError
from landslip.io.sums import write_sums


@dataclass
class Job:
    """Of a rule that reads and makes these files."""

    input: list[str] = field(default_factory=list)
    output: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A table, a page beside its folder and what is read by parts, and their sums."""
    monkeypatch.chdir(tmp_path)
    files = ["results/data/table.csv", "results/a page.html", "results/data/shard0.pixels.h5"]
    for name in files:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(f"what {name} says\n")
    made = [*files, "results/data/table.sha256"]
    end_job(Job(output=made))
    return made


def test_a_job_leaves_sums_that_a_person_can_check(made: list[str]) -> None:
    checked = subprocess.run(
        ["sha256sum", "--check", "table.sha256"], cwd="results/data", capture_output=True, text=True
    )
    assert checked.stdout == "table.csv: OK\n../a page.html: OK\n"
    begin_job(Job(input=made, log=["log"]))
    assert set(verify_files(made)) == set(made[:2])


def test_a_folder_moves_with_its_sums(made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.move("results", "elsewhere")
    monkeypatch.chdir("elsewhere/data")
    assert verify_files(["../data/table.csv", "table.sha256"])
    Path("table.csv").write_text("")
    with pytest.raises(InputError, match=r"table\.csv is damaged"):
        verify_files(["table.csv", str(Path("table.sha256").absolute())])


DAMAGE: dict[str, Callable[[Path], object]] = {
    "no line": lambda sums: sums.write_text(""),
    "half a line": lambda sums: os.truncate(sums, 40),
    "another sum": lambda sums: sums.write_text(f"{'0' * 64}  table.csv\n"),
    "another name": lambda sums: sums.write_text(sums.read_text().replace("table", "tabla")),
    "no text": lambda sums: sums.write_bytes(b"\xff" + sums.read_bytes()),
    "gone": lambda sums: sums.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_sums_are_refused_by_name(made: list[str], damage: str) -> None:
    DAMAGE[damage](Path(made[-1]))
    with pytest.raises((InputError, FileNotFoundError), match=r"table\.sha256"):
        verify_files([made[0], made[-1]])


def test_what_a_user_brings_is_named_in_no_sums(made: list[str], tmp_path: Path) -> None:
    own = tmp_path / "Train.csv"
    own.write_text("ID,label\n")
    assert verify_files([made[0], str(own), made[-1]]).keys() == {made[0]}


def test_what_a_user_brings_is_compared_with_what_it_was_when_it_was_first_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    image, seen = Path("scene.tif"), Path("results/images.seen.sha256")
    image.write_bytes(b"pixels")
    seen.parent.mkdir()
    write_sums(seen, [image])
    end_job(Job(output=["results/plan.json", str(seen)]))
    times = image.stat()
    for damage in (lambda: image.write_bytes(b"pixelz"), image.unlink):
        verify_inputs([seen])
        damage()
        if image.exists():
            os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))
        with pytest.raises(InputError, match=r"^scene\.tif has changed since it was first read"):
            begin_job(Job(input=[str(seen)], log=["log"]))
        image.write_bytes(b"pixels")


def test_a_job_that_nobody_reads_after_writes_no_sums(tmp_path: Path) -> None:
    end_job(Job(output=[str(tmp_path / "never made.html")]))
    assert not list(tmp_path.iterdir())
