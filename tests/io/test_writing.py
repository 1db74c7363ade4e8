"""Writing on full disks, on file systems that can do little, and after killed writers."""

import errno
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import shapely
import torch

from landslip.assess.population import layer_names, read_layer
from landslip.data.store import read_ids
from landslip.engine.devices import lease_device
from landslip.io.arrays import write_arrays
from landslip.io.files import (
    InputError,
    atomic_path,
    check_writable,
    file_digest,
    read_json,
    write_json,
    write_parquet,
    write_text,
)
from landslip.io.large_tables import write_blocks
from landslip.io.locks import exclusive
from landslip.models.state import State, StateFile
from landslip.report.style import drawing
from landslip.scene.geopackage import write_geopackage
from landslip.simulation.write import simulate_patches
from project import ROOT
from runs import SMALL, snakemake
from stores import write_store

NOISE = np.random.default_rng(0).random((400, 400))
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}


def start_writing(target: Path) -> subprocess.Popen[str]:
    """A process that is half way through writing a file."""
    code = (
        "import sys, time; from landslip.io.files import atomic_path\n"
        "with atomic_path(sys.argv[1]) as t:\n"
        "    t.write_text('half'); print(t.name, flush=True); time.sleep(60)"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE, text=True,
        env=ENVIRONMENT,
    )  # fmt: skip
    assert writer.stdout is not None
    assert writer.stdout.readline().startswith(".")
    return writer


def test_what_killed_writers_left_is_removed_and_what_others_write_is_not(tmp_path: Path):
    table, model, network = (tmp_path / name for name in ("oof.parquet", "model.txt", "model.st"))
    killed = [start_writing(path) for path in (table, model)]
    alive = start_writing(network)
    for writer in killed:
        writer.send_signal(signal.SIGKILL)
    killed[0].wait()  # the other has ended too, though nobody has asked how
    os.waitid(os.P_PID, killed[1].pid, os.WEXITED | os.WNOWAIT)
    # of another machine on the same disk: whether they run cannot be told here
    same, other = (
        tmp_path / ".oof.0123abcd.1.tmp.parquet",
        tmp_path / ".test.0123abcd.1.tmp.parquet",
    )
    alike = tmp_path / ".oof.new.0123abcd.1.tmp.parquet"
    # libraries have files of their own beside what they write: SQLite, GDAL
    beside = [
        path.with_name(path.name + more)
        for path in tmp_path.iterdir()
        for more in ("-journal", ".ovr.tmp")
    ]
    for path in (same, other, alike, *beside):
        path.touch()
    write_text(table, "whole")
    left = {path.name for path in tmp_path.iterdir()} - {table.name, other.name, alike.name}
    alive.kill()
    killed[1].wait(), alive.wait()
    assert len(left) == 3
    assert all(re.match(r"\.model\..*\.tmp\.st", name) for name in left)
    assert table.read_text() == "whole"


def test_what_a_library_left_beside_a_file_that_could_not_be_written_is_removed(tmp_path: Path):
    with pytest.raises(ValueError), atomic_path(tmp_path / "map.tif") as temporary:
        temporary.touch()
        temporary.with_name(f"{temporary.name}.ovr.tmp").touch()
        raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_simulating_again_removes_what_a_killed_simulation_left(tmp_path: Path):
    folder = tmp_path / "train_data"
    writer = start_writing(folder / "ID_1.npy")
    writer.kill()
    writer.wait()
    simulate_patches(tmp_path, train=2, test=1, positives=0.5, size=16, seed=1)
    assert sorted(path.suffix for path in folder.iterdir()) == [".npy", ".npy"]
    assert not list(folder.glob(".*"))


def work_without_locks(folder: Path) -> None:
    """Write a store and a training's files, and lease a GPU; called where there are no locks."""
    with pytest.raises(OSError), open(folder / "probe", "w") as probe:
        import fcntl

        fcntl.flock(probe, fcntl.LOCK_EX)
    write_store(patches_in(folder), patches_per_shard=3, target=folder / "train.h5", **SETTINGS)
    with exclusive(folder):
        write_json(folder / "model.json", {"seed": 1})
    assert read_json(folder / "model.json") == {"seed": 1}
    zones = pd.DataFrame({"score": [0.5], "geometry": [shapely.box(0, 0, 1, 1)]})
    write_geopackage({"zones": zones}, {"zones": "<qgis/>"}, "EPSG:32633", folder / "map.gpkg")
    assert layer_names(folder / "map.gpkg") == ["zones", "layer_styles"]
    (shape,), columns = read_layer(folder / "map.gpkg", "zones")
    assert shape.equals(zones["geometry"][0]) and columns["score"].tolist() == [0.5]
    # what cannot do without them says so, and where they may be
    os.environ["CUDA_VISIBLE_DEVICES"] = "0,1"
    with pytest.raises(InputError, match=r"cannot be locked .* set TMPDIR"):
        lease_device(1, folder=folder / "leases")


SETTINGS: dict[str, Any] = {
    "channels": ["red", "vv"], "indices": {}, "on_nonfinite": "refuse", "workers": 1,
}  # fmt: skip


def patches_in(folder: Path, size: int = 8) -> pd.DataFrame:
    """Seven patches on disk, as a manifest lists them."""
    rows = []
    for number in range(7):
        path = folder / f"ID_{number}.npy"
        np.save(path, np.random.default_rng(number).random((size, size, 2)))
        rows.append((path.stem, str(path), file_digest(path)))
    return pd.DataFrame(rows, columns=["id", "path", "sha256"])


def test_all_is_written_where_the_file_system_knows_no_locks(tmp_path: Path):
    library = tmp_path / "no_locks.so"
    source = str(Path(__file__).with_name("no_locks.c"))
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), source, "-ldl"], check=True)
    folder = tmp_path / "data"
    folder.mkdir()
    code = f"import sys; from pathlib import Path; sys.path.append({str(Path(__file__).parent)!r});"
    code += "from test_writing import work_without_locks as w;"
    done = subprocess.run(
        [sys.executable, "-c", code + "w(Path(sys.argv[1]))", str(folder)],
        env={**ENVIRONMENT, "LD_PRELOAD": str(library)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(read_ids(folder / "train.h5")) == 7
    assert layer_names(folder / "map.gpkg") == ["zones", "layer_styles"]


@pytest.fixture(params=["disk", "limit"])
def narrow(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder that takes files of less than 500 kB: a full disk, or this process's limit."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    mounted = False
    if request.param == "limit":
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    else:
        mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(tmp_path)]
        mounted = os.getuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
        if not mounted:
            pytest.skip("only root may mount a small disk; the limit is tested without")
    try:
        yield tmp_path
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        if mounted:
            subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def _hdf5(folder: Path) -> None:
    with atomic_path(folder / "train.h5") as temporary, h5py.File(temporary, "w") as file:
        file["patches"] = NOISE


def _numpy(folder: Path) -> None:
    with atomic_path(folder / "patch.npy") as temporary:
        np.save(temporary, NOISE)


def _csv(folder: Path) -> None:
    with atomic_path(folder / "rows.csv") as temporary:
        pd.DataFrame(NOISE).to_csv(temporary)


def _figure(folder: Path) -> None:
    with drawing(folder / "patches.png", height=12) as figure:
        figure.subplots().imshow(NOISE, aspect="auto")


def _state(folder: Path) -> None:
    state = State({"weight": torch.from_numpy(NOISE)}, {})
    StateFile(path=folder / "model.resume", fingerprint={}, minutes=1).write(state)


def _blocks(folder: Path) -> None:
    write_blocks(folder / "rows.parquet", (pd.DataFrame(NOISE[i:]) for i in range(3)))


WRITERS: dict[str, Callable[[Path], object]] = {
    "text": lambda folder: write_text(folder / "page.html", "0" * 600_000),
    "json": lambda folder: write_json(folder / "metrics.json", NOISE.tolist()),
    "parquet": lambda folder: write_parquet(folder / "rows.parquet", pd.DataFrame(NOISE)),
    "parquet in blocks": _blocks,
    "npz": lambda folder: write_arrays(folder / "counts.npz", counts=NOISE),
    "hdf5": _hdf5,
    "numpy": _numpy,
    "csv": _csv,
    "figure": _figure,
    "safetensors": _state,
}


def test_every_writer_says_in_one_way_that_there_is_no_room(narrow: Path):
    for name, write in WRITERS.items():
        with pytest.raises(OSError, match=r"after \d+ bytes while writing .*run again") as caught:
            write(narrow)
        assert caught.value.errno in (errno.ENOSPC, errno.EFBIG), name
        assert not list(narrow.iterdir()), name


def test_a_store_says_that_there_is_no_room(narrow: Path, tmp_path_factory: pytest.TempPathFactory):
    listed = patches_in(tmp_path_factory.mktemp("patches"), size=120)
    with pytest.raises(OSError, match=r"after \d+ bytes .*shard0\.pixels\.h5; .*run again"):
        write_store(listed, patches_per_shard=7, target=narrow / "train.h5", **SETTINGS)
    assert not [path for path in narrow.rglob("*") if path.is_file()]


def test_another_fault_is_not_taken_for_a_lack_of_room(tmp_path: Path):
    for fault in (RuntimeError("errno = 5"), RuntimeError(), OSError("odd"), OSError(5, "I/O")):
        with pytest.raises(type(fault)) as caught, atomic_path(tmp_path / "a"):
            raise fault
        assert caught.value is fault


LOG = """
import logging, resource, sys
from landslip.io.logs import configure_logging
from landslip.io.files import write_text
configure_logging(sys.argv[1])
log = logging.getLogger("landslip.job")
limit = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
for line in range(100):
    log.info("patch %d of 100 has been read and stored", line)
write_text(sys.argv[1] + ".json", "0" * 9999)
"""


def test_a_job_without_room_for_its_log_says_so_once_and_goes_on(tmp_path: Path):
    nowhere = tmp_path / "a file"
    nowhere.touch()
    for target, limit in ((tmp_path / "job.log", 500), (nowhere / "logs" / "job.log", 500)):
        job = subprocess.run(
            [sys.executable, "-c", LOG, str(target), str(limit)], env=ENVIRONMENT,
            capture_output=True, text=True,
        )  # fmt: skip
        assert job.returncode == 1
        assert "Traceback" not in job.stderr and "Exception ignored" not in job.stderr
        assert job.stderr.count("cannot be written") == 1
        assert job.stderr.count("read and stored") == 100
        assert "error: [Errno" in job.stderr.splitlines()[-1]


def test_a_folder_without_room_is_refused_with_what_to_do(narrow: Path):
    if narrow.is_mount():
        with pytest.raises(OSError), open(narrow / "all of it", "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
    refused = r"cannot write into .* \((disk full\); free space|limit .*\); raise it .*), or "
    with pytest.raises(InputError, match=refused + "name another folder in `results`"):
        check_writable(narrow)
    # Snakemake, too, writes into the folder that it works in, and would end in a traceback
    answer = snakemake(narrow, "--quiet", "all")
    assert answer.returncode == 1
    assert re.search("landslip: " + refused + "work in another folder", answer.stderr)
    assert "Traceback" not in answer.stderr + answer.stdout


def test_a_read_only_folder_is_refused_with_what_to_do_before_any_job(tmp_path: Path):
    target, work = tmp_path / "results", tmp_path / "work"
    target.mkdir(), work.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,ro", "tmpfs", str(target)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a read-only disk")
    try:
        refused = r"cannot write into .*results \(Read-only file system\); make it writable, or "
        with pytest.raises(InputError, match=refused):
            check_writable(target)
        answer = snakemake(work, "--", "all", config={**SMALL, "results": str(target)})
    finally:
        subprocess.run(["umount", "--lazy", str(target)], check=True)
    assert answer.returncode == 1
    assert re.search(f"landslip: {refused}name another folder in `results`", answer.stderr)
    assert "Traceback" not in answer.stderr + answer.stdout
    assert "Finished jobid" not in answer.stderr + answer.stdout
