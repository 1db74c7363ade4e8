"""A first scene file from a folder, and the files that a scene file names."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from scene.simulated_scene import interpret, judgements

from landslip.inventory.scene_files import files_of_inventory
from landslip.io.files import InputError
from landslip.io.sums import read_sums
from landslip.scene.catalogue import read_item
from landslip.scene.describe import describe_folder
from landslip.scene.named import files_digest, named_files
from landslip.scene.rasters import gdal_env, read_grid
from landslip.scene.safe import read_safe
from landslip.scene.settings import read_scene


def test_a_folder_of_products_becomes_a_scene_with_questions(scene_copy: Path) -> None:
    shutil.rmtree(scene_copy / "placebo")
    (scene_copy / "scene.yaml").rename(scene_copy / "truth.yaml")
    target = scene_copy / "scene.yaml"
    describe_folder(scene_copy, target)
    text = target.read_text()
    said = yaml.safe_load(text)
    assert said["optical"]["safe"].endswith(".SAFE")
    assert [len(said["radar"]["descending"][side]) for side in ("before", "after")] == [3, 1]
    assert "baseline 05.10, offset -1000" in text
    assert "17.9 h local solar time: ascending" in text
    assert "what is the unit of the values" in text and "sigma0, or gamma0" in text
    with pytest.raises(InputError, match="event"):
        read_scene(target)
    # What the questions ask is all that is missing.
    said["event"] = "2024-06-14"
    for sides in said["radar"].values():
        for look in [*sides["before"], *sides["after"]]:
            look.update(unit="power", radiometry="sigma0")
    target.write_text(yaml.safe_dump(said))
    assert judgements(interpret(scene_copy)) == {}


def test_hyp3_products_answer_for_themselves(tmp_path: Path) -> None:
    stem = "S1A_IW_20240102T165840_DVP_RTC10_G_gpuned_FD6A"
    profile = {
        "driver": "GTiff", "width": 8, "height": 8, "count": 1, "dtype": "float32",
        "crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 4e5, 0, -10, 5.2e6),
    }  # fmt: skip
    for layer in ("VV", "VH", "ls_map"):
        with rasterio.open(tmp_path / f"{stem}_{layer}.tif", "w", **profile) as file:
            file.write(np.ones((8, 8), np.float32), 1)
    describe_folder(tmp_path, tmp_path / "scene.yaml")
    text = (tmp_path / "scene.yaml").read_text()
    assert yaml.safe_load(text)["radar"]["ascending"]["after"] == [{"file": f"{stem}_VV.tif"}]
    assert "No image of the descending orbit" in text and "what is the unit" not in text


@pytest.fixture
def bell() -> Iterator[None]:
    """Ends a test that waits for a pipe."""

    def ring(*_: object) -> None:
        raise AssertionError("a pipe is waited for")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("bell")
def test_pipes_among_products_are_not_waited_for(scene_copy: Path) -> None:
    for name in ("item.json", "S2A_MSIL2A_20240601.zip", "files.sha256", "vv.tif"):
        os.mkfifo(scene_copy / name)
    (scene_copy / "scene.yaml").unlink()
    describe_folder(scene_copy, scene_copy / "scene.yaml")
    assert not any(f"{name}:" in (scene_copy / "scene.yaml").read_text() for name in ("item", "vv"))
    with pytest.raises(InputError, match=r"item\.json cannot be read \(a named pipe"):
        read_item(scene_copy / "item.json")
    with pytest.raises(InputError, match=r"\.zip is not there, or no file"):
        read_safe(scene_copy / "S2A_MSIL2A_20240601.zip")
    with pytest.raises(OSError, match="a named pipe"):
        list(read_sums(scene_copy / "files.sha256"))
    folder = next(scene_copy.rglob("*.SAFE"))
    (folder / "MTD_MSIL2A.xml").unlink()
    os.mkfifo(folder / "MTD_MSIL2A.xml")
    with pytest.raises(InputError, match=r"MTD_MSIL2A\.xml cannot be read \(a named pipe"):
        read_safe(folder)


def test_names_of_files_are_never_taken_for_lines_of_the_scene_file(scene_copy: Path) -> None:
    raster = next((scene_copy / "radar").glob("*.tif"))
    added = "x\ntrust: {offset: none}\n.tif"
    shutil.copy(raster, scene_copy / added)
    shutil.copy(raster, scene_copy / os.fsdecode(b"caf\xe9.tif"))
    shutil.copy(raster, scene_copy / os.fsdecode(b"S1A_caf\xe9_VV.TIF"))
    (scene_copy / "scene.yaml").unlink()
    describe_folder(scene_copy, scene_copy / "scene.yaml")
    text = (scene_copy / "scene.yaml").read_text(encoding="utf-8")
    assert "trust" not in yaml.safe_load(text)
    assert r"x\ntrust: {offset: none}\n.tif: a raster" in text
    assert r"caf\xe9.tif: left out: its name is no UTF-8; rename it" in text
    assert "caf" not in str(yaml.safe_load(text))


def test_what_cannot_be_read_is_left_out_with_its_cause(
    scene_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in (
        ("S1A_20240101T165840_a_VV.tif", b"version https://git-lfs.github.com/spec/v1\n"),
        ("S1A_20240101T165840_b_VV.tif", b"<!DOCTYPE html><html>Sign in</html>"),
        ("S2A_MSIL2A_20240101.zip", b"<!DOCTYPE html><html>Sign in</html>"),
        ("closed.json", b"{}"),
    ):
        (scene_copy / name).write_bytes(content)
    (scene_copy / "scene.yaml").unlink()
    opened = Path.open

    def withheld(path: Path, *how: Any, **options: Any) -> Any:
        # Who runs the tests may be root, from whom nothing is withheld.
        if path.name == "closed.json":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *how, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", withheld)
        describe_folder(scene_copy, scene_copy / "scene.yaml")
    text = (scene_copy / "scene.yaml").read_text()
    assert "a_VV.tif: left out" in text and "git lfs pull" in text
    assert text.count("a web page or the error of a server") == 2
    assert "closed.json: left out: [Errno 13] Permission denied" in text


def test_suffixes_in_capitals_are_suffixes(scene_copy: Path) -> None:
    describe_folder(scene_copy, scene_copy / "small.yaml")
    product = next(scene_copy.glob("*.SAFE"))
    for path in scene_copy.rglob("*.tif"):
        path.rename(path.with_suffix(".TIF"))
    archive = shutil.make_archive(
        str(scene_copy / product.stem), "zip", root_dir=scene_copy, base_dir=product.name
    )
    Path(archive).rename(Path(archive).with_suffix(".ZIP"))
    for path in scene_copy.glob("*.SAFE"):
        shutil.rmtree(path)
    describe_folder(scene_copy, scene_copy / "capitals.yaml")
    small, capitals = (
        yaml.safe_load((scene_copy / name).read_text()) for name in ("small.yaml", "capitals.yaml")
    )
    assert str(capitals["radar"]).lower() == str(small["radar"]).lower()
    assert capitals["optical"]["safe"].endswith(".ZIP")
    optical = read_safe(scene_copy / capitals["optical"]["safe"])
    with gdal_env():
        assert read_grid(optical.bands["red"].file).width > 0


def test_a_folder_with_nothing_of_a_scene_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no product"):
        describe_folder(tmp_path, tmp_path / "scene.yaml")
    with pytest.raises(InputError, match="is no folder"):
        describe_folder(tmp_path / "none", tmp_path / "scene.yaml")


def test_every_file_that_a_scene_reads_is_named(scene_copy: Path) -> None:
    path = scene_copy / "scene.yaml"
    named = named_files(path)
    layers = interpret(scene_copy).reading.layers
    assert {os.path.realpath(file) for file in layers.files} <= set(map(os.path.realpath, named))
    assert str(scene_copy / "units.gpkg") in named
    assert sum("placebo" in file for file in named) == 8
    before = files_digest(named)
    os.utime(named[-1], (1, 1))
    assert files_digest(named) == before
    with Path(named[-1]).open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)[0]
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last ^ 1]))
    assert files_digest(named) != before
    Path(named[-1]).unlink()
    assert named_files(path) == named[:-1]


def test_changes_of_a_geopackage_that_is_still_open_belong_to_it(scene_copy: Path) -> None:
    """As QGIS keeps them: in a file beside it, until it is closed."""
    path = scene_copy / "scene.yaml"
    before = named_files(path)
    with closing(sqlite3.connect(scene_copy / "units.gpkg")) as base:
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("CREATE TABLE note (text)")
        base.commit()
        changes = str(scene_copy / "units.gpkg-wal")
        assert set(named_files(path)) - set(before) == {changes}
        assert [str(file) for file in files_of_inventory(scene_copy / "units.gpkg")][1:] == [
            changes
        ]
    assert named_files(path) == before
