"""The store holds what the patches hold, says so by a digest, and notices any damage."""

import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from landslip.data.channels import add_indices
from landslip.data.nodata import NoData
from landslip.data.source import PatchFiles
from landslip.data.store import content_digest_of, open_store, read_ids, read_patches
from landslip.data.store_write import join_shards, write_shard
from landslip.data.survey import survey_patches
from landslip.io.files import InputError, file_digest
from landslip.io.ordinary_files import open_ordinary
from stores import write_store

BANDS = ["red", "nir", "vv"]
INDICES = {"ndvi": ("nir", "red")}
NO_DATA = NoData([(-1e9, 1e9)] * 3, [[]] * 3)
N = 23


def make_patches(n: int = N, size: int = 8) -> NDArray[np.float64]:
    """(n, row, column, band), as files come."""
    rng = np.random.default_rng(3)
    return rng.normal([800, 2000, -12], [100, 300, 2], size=(n, size, size, 3))


def save(folder: Path, patches: NDArray[Any]) -> pd.DataFrame:
    """Write .npy files; return their manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, patch in enumerate(patches):
        path = folder / f"ID_{number:03d}.npy"
        np.save(path, patch)
        rows.append((path.stem, str(path), file_digest(path)))
    return pd.DataFrame(rows, columns=["id", "path", "sha256"])


def build(folder: Path, manifest: pd.DataFrame, **changes: Any) -> Path:
    """Write a store into a folder; return its index."""
    settings: dict[str, Any] = {
        "channels": BANDS,
        "indices": INDICES,
        "on_nonfinite": "refuse",
        "patches_per_shard": 5,
        "workers": 1,
    }
    return write_store(manifest, target=folder / "train.h5", **{**settings, **changes})


def store_channels(store: Path) -> list[str]:
    with open_store(store) as opened:
        return opened.channels


def store_shape(store: Path) -> tuple[int, int, int, int]:
    with open_store(store) as opened:
        return opened.shape


def iterate_patches(store: Path, batch: int) -> Iterator[NDArray[np.float32]]:
    """All patches in order, at most `batch` in memory at once."""
    with open_store(store) as opened:
        for start in range(0, len(opened), batch):
            yield opened.read(np.arange(start, min(start + batch, len(opened))))


def expected_store(patches: NDArray[Any]) -> NDArray[np.float32]:
    return add_indices(patches.astype(np.float32).transpose(0, 3, 1, 2), [(1, 0)])


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return build(tmp_path / "store", save(tmp_path / "patches", make_patches()))


def test_store_holds_the_patches_in_order_with_indices_appended(store: Path) -> None:
    expected = expected_store(make_patches())
    np.testing.assert_array_equal(read_patches(store), expected)
    assert read_ids(store) == [f"ID_{i:03d}" for i in range(N)]
    assert store_channels(store) == [*BANDS, "ndvi"]
    assert store_shape(store) == (N, 4, 8, 8)


def test_other_programs_read_the_contract(store: Path) -> None:
    digest = content_digest_of(store)
    with h5py.File(store, "r") as file:
        assert file["patches"].shape == (N, 4, 8, 8)
        assert file["patches"].dtype == np.float32
        np.testing.assert_array_equal(file["patches"][:], expected_store(make_patches()))
        assert file["id"].asstr()[0] == "ID_000"
        assert list(file.attrs["channels"]) == [*BANDS, "ndvi"]
        assert file.attrs["format_version"] == 4
        assert file.attrs["content_digest"] == digest


@pytest.mark.parametrize(
    "rows", [[], [0], [22, 0, 3], [3, 4, 5, 6], [4, 4, 5], list(range(23)), [1, 3, 5, 7, 21, 22]]
)
@pytest.mark.parametrize("channels", [None, ["vv"], ["ndvi", "red", "nir"], ["vv", "ndvi"]])
def test_rows_and_channels_come_in_the_order_asked_for(
    store: Path, rows: list[int], channels: list[str] | None
) -> None:
    numbers = [store_channels(store).index(name) for name in channels or store_channels(store)]
    expected = expected_store(make_patches())[rows][:, numbers]
    found = read_patches(store, rows=np.array(rows, np.int64), channels=channels)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("batch", [1, 4, 23, 100])
def test_batches_together_are_the_store(store: Path, batch: int) -> None:
    batches = list(iterate_patches(store, batch))
    assert max(len(block) for block in batches) <= batch
    np.testing.assert_array_equal(np.concatenate(batches), expected_store(make_patches()))


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int16", "uint16", ">f8"])
def test_any_number_type_becomes_float32(tmp_path: Path, dtype: str) -> None:
    patches = np.abs(make_patches(4)).astype(dtype)
    store = build(tmp_path / "store", save(tmp_path / "patches", patches))
    np.testing.assert_array_equal(read_patches(store), expected_store(patches))


def test_content_digest_is_that_of_the_content_alone(tmp_path: Path) -> None:
    manifest = save(tmp_path / "patches", make_patches())
    digests = set()
    for name, changes in {
        "one": {},
        "two_workers": {"workers": 2},
        "one_shard": {"patches_per_shard": 100},
        "many_shards": {"patches_per_shard": 1, "workers": 2},
    }.items():
        store = build(tmp_path / name, manifest, **changes)
        digests.add(content_digest_of(store))
        np.testing.assert_array_equal(read_patches(store), expected_store(make_patches()))
    assert len(digests) == 1


def test_names_of_any_length_and_alphabet_are_kept(tmp_path: Path) -> None:
    manifest = save(tmp_path / "patches", make_patches(5))
    manifest["id"] = ["a", "Häng_5", "崩れ" * 20, "b", "x" * 60]
    digests = set()
    for in_shard in (5, 3, 1):
        store = build(tmp_path / f"{in_shard}", manifest, patches_per_shard=in_shard)
        assert read_ids(store) == manifest["id"].tolist()
        with open_store(store) as opened:
            digests.add(opened.digest)
    assert len(digests) == 1


def test_content_digest_changes_with_anything_that_the_store_holds(tmp_path: Path) -> None:
    patches = make_patches()
    manifest = save(tmp_path / "patches", patches)
    other_pixel = patches.copy()
    other_pixel[7, 1, 2, 0] += 1
    variants: dict[str, tuple[pd.DataFrame, Mapping[str, Any]]] = {
        "same": (manifest, {}),
        "pixel": (save(tmp_path / "other", other_pixel), {}),
        "order": (manifest[::-1], {}),
        "fewer": (manifest[:-1], {}),
        "ids": (manifest.assign(id=manifest["id"] + "x"), {}),
        "names": (manifest, {"channels": ["red", "nir", "vh"]}),
        "index": (manifest, {"indices": {"ndvi": ("red", "nir")}}),
        "no_index": (manifest, {"indices": {}}),
    }
    digests = {
        name: content_digest_of(build(tmp_path / name, table, **changes))
        for name, (table, changes) in variants.items()
    }
    assert len(set(digests.values())) == len(variants)


def test_building_again_writes_the_same_bytes(tmp_path: Path) -> None:
    manifest = save(tmp_path / "patches", make_patches())
    first = build(tmp_path / "a", manifest)
    again = build(tmp_path / "b", manifest, workers=2)
    # what a killed job leaves: a temporary file, and shards of another size
    shards = again.parent / "train_shards"
    (shards / ".shard0.999.tmp.h5").write_bytes(b"cut short")
    (shards / "shard99.h5").write_bytes(b"of another run")
    time.sleep(1.1)  # HDF5 counts time in seconds
    build(tmp_path / "b", manifest, workers=2)
    for path in sorted(first.parent.rglob("*.*")):
        assert file_digest(path) == file_digest(again.parent / path.relative_to(first.parent))
    assert sorted(path.name for path in shards.iterdir()) == sorted(
        f"shard{i}.{end}" for i in range(5) for end in ("h5", "pixels.h5")
    )


@pytest.mark.slow
def test_the_folder_moves_as_a_whole(store: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "deep"
    shutil.move(store.parent, moved)
    code = (
        "import sys; from pathlib import Path; from landslip.data.store import read_patches;"
        "print(read_patches(Path(sys.argv[1])).sum(dtype='f8'))"
    )
    root = Path(__file__).parents[2]
    for folder, path in ((tmp_path, moved / "train.h5"), (moved, Path("train.h5"))):
        finished = subprocess.run(
            [sys.executable, "-c", code, str(path)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=True,
        )
        expected = expected_store(make_patches()).sum(dtype=np.float64)
        assert float(finished.stdout) == expected


@pytest.mark.slow
def test_a_script_without_a_main_guard_can_build_with_workers(tmp_path: Path) -> None:
    save(tmp_path / "patches", make_patches()).to_parquet(tmp_path / "manifest.parquet")
    script = tmp_path / "build.py"
    script.write_text(
        "import pandas as pd; from pathlib import Path\n"
        "from landslip.data import store_write\n"
        "from landslip.data.nodata import NoData\n"
        "store_write._CHUNK = 5\n"
        "print('once')\n"
        "store_write.write_shard(pd.read_parquet('manifest.parquet'), channels=['a', 'b', 'c'],\n"
        "    indices={}, no_data=NoData([(-1e9, 1e9)] * 3, [[]] * 3), on_nonfinite='refuse',\n"
        "    on_zeros='fill', workers=2, target=Path('s/t.h5'),\n"
        "    pixels=Path('s/t.pixels.h5'))\n"
    )
    root = Path(__file__).parents[2]
    finished = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.count("once") == 1
    assert store_shape(tmp_path / "s" / "t.h5") == (N, 3, 8, 8)


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x10
    path.write_bytes(data)


def pixel_position(shard: Path) -> int:
    with h5py.File(shard, "r") as file:
        return int(file["patches"].id.get_offset()) + 4 * (8 * 8 * 4 + 100)


DAMAGE: dict[str, Callable[[Path], None]] = {
    "one bit of a pixel": lambda shard: flip(shard, pixel_position(shard)),
    "cut in the middle": lambda shard: os.truncate(shard, shard.stat().st_size // 2),
    "last byte missing": lambda shard: os.truncate(shard, shard.stat().st_size - 1),
    "empty": lambda shard: os.truncate(shard, 0),
    "missing": lambda shard: shard.unlink(),
    "another shard's": lambda shard: shard.write_bytes(
        shard.with_name("shard1.pixels.h5").read_bytes()
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_shard_is_refused_by_name(store: Path, damage: str) -> None:
    shard = store.parent / "train_shards" / "shard2.pixels.h5"
    DAMAGE[damage](shard)
    with pytest.raises(InputError, match=r"shard2\.pixels\.h5 is damaged"):
        read_patches(store)
    with pytest.raises(InputError, match=r"shard2\.pixels\.h5 is damaged"):
        list(iterate_patches(store, 4))


def test_every_flipped_byte_of_the_index_is_noticed_or_harmless(store: Path) -> None:
    whole = store.read_bytes()
    expected = expected_store(make_patches())
    ids, channels = read_ids(store), store_channels(store)
    for position in range(0, len(whole), 61):
        flip(store, position)
        try:
            found = read_patches(store)
        except InputError as error:
            assert str(store.parent) in str(error)
        else:
            np.testing.assert_array_equal(found, expected)
            assert (read_ids(store), store_channels(store)) == (ids, channels)
        store.write_bytes(whole)


def test_a_truncated_index_is_refused_by_name(store: Path) -> None:
    for size in (0, 100, store.stat().st_size - 1):
        data = store.read_bytes()
        os.truncate(store, size)
        with pytest.raises(InputError, match=r"train\.h5 is damaged"):
            read_ids(store)
        store.write_bytes(data)


def test_another_format_version_is_refused(store: Path) -> None:
    with h5py.File(store, "r+") as file:
        file.attrs["format_version"] = 1
    with pytest.raises(InputError, match="format version 1, this program reads 4"):
        read_patches(store)


def test_channels_and_rows_that_are_not_there_are_refused(store: Path) -> None:
    with pytest.raises(InputError, match=r"has no channel swir; it holds red, nir, vv, ndvi"):
        read_patches(store, channels=["red", "swir"])
    for row in (-1, N):
        with pytest.raises(InputError, match=f"{N} patches"):
            read_patches(store, rows=np.array([0, row]))


def test_a_patch_changed_since_it_was_surveyed_is_refused(tmp_path: Path) -> None:
    manifest = save(tmp_path / "patches", make_patches())
    changed = Path(manifest["path"][9])
    np.save(changed, make_patches()[0])
    with pytest.raises(InputError, match=r"ID_009.*changed since it was surveyed"):
        build(tmp_path / "store", manifest)
    assert not list((tmp_path / "store").glob("train.*"))
    assert not list((tmp_path / "store").rglob("*.tmp.*"))


def test_digest_and_pixels_are_of_the_same_bytes_in_survey_and_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file changes as soon as it has been opened, as if somebody else wrote it."""
    patches = make_patches()
    manifest = save(tmp_path / "patches", patches)
    others = tmp_path / "others"
    save(others, patches + 1)
    opened: list[Path] = []

    def open_and_replace(path: Path) -> Any:
        file = open_ordinary(path)
        opened.append(path)
        shutil.copy(others / path.name, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)
        return file

    for user in ("landslip.io.files", "landslip.data.patches"):
        monkeypatch.setattr(f"{user}.open_ordinary", open_and_replace)
    paths = [Path(path) for path in manifest["path"]]
    survey = survey_patches(
        manifest,
        reader=PatchFiles(3),
        of=N,
        channels=3,
        shape=(8, 8),
        no_data=NO_DATA,
        workers=1,
    )
    assert opened == paths
    assert survey.sha256.tolist() == manifest["sha256"].tolist()
    np.testing.assert_array_equal(survey.low, patches.min(axis=(1, 2)).astype(np.float32))
    # the store's writer looks at the header of the first one only, and then reads each once
    for path, patch in zip(paths, patches, strict=True):
        np.save(path, patch)
    monkeypatch.setattr("landslip.data.source.patch_shape", lambda path, channels: (8, 8))
    store = build(tmp_path / "store", manifest)
    assert opened == [*paths, *paths]
    np.testing.assert_array_equal(read_patches(store), expected_store(patches))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_a_pixel_that_is_no_number_is_refused_with_its_position(
    tmp_path: Path, value: float
) -> None:
    patches = make_patches()
    patches[11, 2, 5, 1] = value
    manifest = save(tmp_path / "patches", patches)
    with pytest.raises(InputError, match=r"ID_011.*channel nir, row 2, column 5"):
        build(tmp_path / "store", manifest, workers=2)
    assert not list((tmp_path / "store").rglob("shard2.*"))


def test_holes_are_filled_with_the_median_of_their_channel_before_indices(tmp_path: Path) -> None:
    patches = make_patches()
    patches[4, :3, :, 0] = np.nan
    patches[4, 0, 0, 1] = np.inf
    patches[5, :, :, 2] = -np.inf
    store = build(tmp_path / "store", save(tmp_path / "patches", patches), on_nonfinite="fill")
    filled = patches.astype(np.float32)
    filled[4, :3, :, 0] = np.median(filled[4, 3:, :, 0])
    filled[4, 0, 0, 1] = np.median(filled[4, :, :, 1].ravel()[1:])
    filled[5, :, :, 2] = 0
    found = read_patches(store)
    np.testing.assert_array_equal(found, expected_store(filled))
    assert np.isfinite(found).all()


def test_a_split_without_patches_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no usable patch"):
        build(tmp_path / "store", save(tmp_path / "patches", make_patches(0)))


def test_shards_without_a_patch_are_passed_over_and_unlike_ones_refused(tmp_path: Path) -> None:
    manifest = save(tmp_path / "patches", make_patches())
    shards = [tmp_path / "store" / "train_shards" / f"shard{i}.h5" for i in range(3)]
    for shard, rows in zip(shards, (manifest[:4], manifest[:0], manifest[4:]), strict=True):
        write_part(shard, rows)
    target = tmp_path / "store" / "train.h5"
    join_shards(shards, target=target)
    np.testing.assert_array_equal(read_patches(target), expected_store(make_patches())[:, :3])
    write_part(shards[2], manifest[4:], channels=["red", "nir", "vh"])
    with pytest.raises(
        InputError, match=r"shard2\.h5 holds red, nir, vh.*shard0\.h5 holds red, nir, vv"
    ):
        join_shards(shards, target=target)


def test_a_shard_is_a_store_of_its_own_patches(store: Path) -> None:
    shard = store.parent / "train_shards" / "shard1.h5"
    found = read_patches(shard)
    rows = [int(name.removeprefix("ID_")) for name in read_ids(shard)]
    np.testing.assert_array_equal(found, read_patches(store, rows=np.array(rows)))


def write_part(shard: Path, manifest: pd.DataFrame, channels: list[str] = BANDS) -> None:
    write_shard(
        manifest, channels=channels, indices={}, no_data=NoData([(-1e9, 1e9)] * 3, [[]] * 3),
        on_nonfinite="refuse", on_zeros="fill", workers=1, target=shard,
        pixels=shard.with_suffix(".pixels.h5"),
    )  # fmt: skip


def test_a_patch_of_another_size_is_refused(tmp_path: Path) -> None:
    manifest = save(tmp_path / "patches", make_patches())
    odd = Path(manifest["path"][20])
    np.save(odd, make_patches(1, size=9)[0])
    manifest.loc[20, "sha256"] = file_digest(odd)
    with pytest.raises(InputError, match="ID_020"):
        build(tmp_path / "store", manifest)


def test_building_and_reading_hold_a_bounded_number_of_patches(tmp_path: Path) -> None:
    manifest = save(tmp_path / "patches", make_patches(1, size=32))
    many = pd.concat([manifest] * 800, ignore_index=True)
    tracemalloc.start()
    store = build(tmp_path / "store", many, patches_per_shard=400)
    for block in iterate_patches(store, 32):
        assert len(block) <= 32
    with open_store(store) as opened:
        assert len(opened) == 800
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # 800 patches are 13 MB in the store; 32 are half a megabyte
    assert most < 5e6
