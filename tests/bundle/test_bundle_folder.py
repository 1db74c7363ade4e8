"""A bundle is refused by name when anything in it is not what was sealed, and nothing is parsed."""

import json
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import landslip
from landslip.bundle.folder import INDEX, SUMS, pack, seal, unpack
from landslip.bundle.make import write_bundle
from landslip.ensemble.sensors import subsets
from landslip.io.files import InputError, file_digest
from made_bundle import Made

Damage = Callable[[Path], object]
WEIGHTS = "members/rgb_net/fold1/model.safetensors"


@pytest.fixture
def bundle(made: Made, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(made.bundle, tmp_path / "bundle"))


def flip(path: Path) -> None:
    """Change one byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    """Leave the first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def link(path: Path) -> None:
    """Put a link in place of a file."""
    moved = path.parent.parent / "elsewhere"
    shutil.move(path, moved)
    path.symlink_to(moved)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        *((lambda b, n=n: flip(b / n), f"{n} is changed or cut short") for n in (
            INDEX, WEIGHTS, "oof.parquet", "card.html", "members/lightgbm/fold0/model.txt",
            "members/any_net/fold0/model.json",
        )),
        (lambda b: cut(b / WEIGHTS), f"{WEIGHTS} is changed or cut short"),
        (lambda b: (b / WEIGHTS).unlink(), f"{WEIGHTS} is missing"),
        (lambda b: (b / SUMS).unlink(), f"lacks {SUMS}"),
        (lambda b: cut(b / SUMS), "is damaged: line"),
        (lambda b: (b / SUMS).write_text(""), "is not of this bundle"),
        (lambda b: (b / "extra.txt").write_text("x"), "extra.txt is not of this bundle"),
        (lambda b: (b / "members" / "run.py").write_text("x"), "run.py is not of this bundle"),
        (lambda b: link(b / WEIGHTS), "is a link or no ordinary file"),
        (lambda b: (b / "members" / "all").symlink_to(b.parent), "is a link or no ordinary file"),
        (shutil.rmtree, "there is no bundle"),
    ],
)  # fmt: skip
def test_a_damaged_bundle_is_refused_by_name_and_nothing_in_it_is_parsed(
    damage: Damage, words: str, bundle: Path, monkeypatch: pytest.MonkeyPatch
):
    damage(bundle)
    before = sorted(bundle.parent.rglob("*"))
    monkeypatch.setattr("landslip.bundle.ensemble.read_index", pytest.fail)
    with pytest.raises(InputError) as refused:
        landslip.load(bundle)
    assert words in str(refused.value)
    assert sorted(bundle.parent.rglob("*")) == before


def add(archive: Path) -> None:
    """Put one more file into a .zip."""
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("members/run.py", "x")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (cut, "is damaged"),
        (flip, "is damaged|is changed or cut short"),
        (add, r"members/run\.py is not of this bundle"),
    ],
)
def test_a_damaged_zip_is_refused_by_name_and_nothing_is_left_of_it(
    damage: Damage, words: str, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    archive = Path(shutil.copy(made.folder / "bundle.zip", tmp_path / "given.zip"))
    damage(archive)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr("landslip.bundle.ensemble.read_index", pytest.fail)
    with pytest.raises(InputError, match=rf"given\.zip.*({words})"):
        landslip.load(archive)
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/passwd", "members/../../outside.txt"])
def test_sums_that_lead_out_of_the_bundle_are_refused(name: str, bundle: Path):
    (bundle.parent / "outside.txt").write_text("secret")
    with (bundle / SUMS).open("a") as sums:
        sums.write(f"{file_digest(bundle.parent / 'outside.txt')}  {name}\n")
    with pytest.raises(InputError, match="leads out of the bundle"):
        landslip.load(bundle)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format_version": 1}, "has format version 1, this program reads 3"),
        ({"format_version": "3"}, "has format version"),
        ({"surprise": 1}, "surprise"),
        ({"rows": -3}, "rows"),
        ({"rows": 0}, "no pixels"),
        ({"channels": []}, "channels must be named"),
        ({"combinations": []}, "no member answers"),
        ({"fast": {"rule": {"rule": "mean"}}}, "fast"),
        ({"indices": {"ndvi": ["nir", "nowhere"]}}, "of no two channels"),
        ({"distributions": {}}, "distributions.patches"),
        (
            {"distributions": {k: {} for k in ("patches", "quantiles", "lows", "zeros", "orbits")}},
            "distributions are of land and water",
        ),
        (
            {
                "water": {
                    "green": "here",
                    "nir": "nir",
                    "dark": 1,
                    "patches": 0,
                    "positives": 0,
                    "skipped": False,
                }
            },
            "water is told by channels that are not there",
        ),
        ({"distributions": {"patches": {"sea": 3}}}, "distributions.patches.sea"),
    ],
)
def test_a_sealed_bundle_that_says_the_impossible_is_refused(
    change: dict[str, object], words: str, bundle: Path
):
    told = json.loads((bundle / INDEX).read_text())
    (bundle / INDEX).write_text(json.dumps({**told, **change}))
    seal(bundle)
    with pytest.raises(InputError) as refused:
        landslip.load(bundle)
    assert words in str(refused.value)


def test_a_stage_whose_bounds_are_the_wrong_way_round_is_refused(bundle: Path):
    told = json.loads((bundle / INDEX).read_text())
    stage = {"combination": told["combinations"][0], "low": 0.7, "high": 0.3, "open": 0.1}
    told["cascade"]["stages"] = [stage]
    (bundle / INDEX).write_text(json.dumps(told))
    seal(bundle)
    with pytest.raises(InputError, match=r"ends below 0\.7 and above 0\.3"):
        landslip.load(bundle)


@pytest.mark.parametrize("folder", ["members/../../rgb_net", "/tmp/rgb_net", "members/lightgbm"])
def test_a_member_that_lies_elsewhere_is_refused(folder: str, bundle: Path):
    told = json.loads((bundle / INDEX).read_text())
    told["members"][1]["folder"] = folder
    (bundle / INDEX).write_text(json.dumps(told))
    seal(bundle)
    with pytest.raises(InputError, match="lies elsewhere"):
        landslip.load(bundle)


def zipped(path: Path, *entries: tuple[str, bytes], kind: int = stat.S_IFREG) -> Path:
    """A .zip of such entries."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (kind | 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return path


@pytest.mark.parametrize("name", ["../out.txt", "/tmp/out.txt", "a/../../out.txt", "C:\\out.txt"])
def test_a_zip_that_leads_out_is_refused_and_writes_nothing(name: str, tmp_path: Path):
    archive = zipped(tmp_path / "bundle.zip", ("fine.txt", b"x"), (name, b"x"))
    (tmp_path / "inside").mkdir()
    with pytest.raises(InputError, match="leads out of the bundle"):
        unpack(archive, tmp_path / "inside")
    assert [path.name for path in tmp_path.rglob("*.txt")] == []


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["a.txt", "a.txt"], r"comes twice \(a\.txt, a\.txt\)"),
        (["a.txt", "A.TXT"], r"comes twice \(a\.txt, A\.TXT\)"),
        (["caf\u00e9.txt", "cafe\u0301.txt"], "comes twice"),
        (["members/a.txt", "members"], r"members/a\.txt lies in what is a file"),
        (["Members", "members/a/b.txt"], r"members/a/b\.txt lies in what is a file"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_whose_names_clash_is_refused_and_writes_nothing(
    names: list[str], words: str, tmp_path: Path
):
    archive = zipped(tmp_path / "bundle.zip", ("fine.txt", b"x"), *((name, b"x") for name in names))
    (tmp_path / "inside").mkdir()
    with pytest.raises(InputError, match=words):
        unpack(archive, tmp_path / "inside")
    assert list((tmp_path / "inside").iterdir()) == []


def test_a_zip_of_many_small_files_that_grow_beyond_reason_is_refused(tmp_path: Path):
    content = bytes(1 << 20)
    archive = zipped(tmp_path / "bundle.zip", *((f"{n}.json", content) for n in range(70)))
    assert archive.stat().st_size < 1 << 17
    (tmp_path / "inside").mkdir()
    with pytest.raises(InputError, match="larger than a bundle can be"):
        unpack(archive, tmp_path / "inside")
    assert list((tmp_path / "inside").iterdir()) == []


def test_a_zip_that_asks_for_a_password_is_refused(tmp_path: Path):
    archive = zipped(tmp_path / "bundle.zip", ("a.txt", b"x"))
    data = bytearray(archive.read_bytes())
    for start, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(start) + flags] |= 1
    archive.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.txt asks for a password"):
        landslip.load(archive)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
        (b'{"error": "not found"}', "the error of a server"),
    ],
)
def test_what_stands_in_the_place_of_a_zip_is_named(content: bytes, words: str, tmp_path: Path):
    (tmp_path / "bundle.zip").write_bytes(content)
    with pytest.raises(InputError, match=rf"bundle\.zip is no \.zip but .*{words}"):
        landslip.load(tmp_path / "bundle.zip")


def test_a_refused_zip_leaves_nothing_that_was_unpacked(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    flip(bundle / WEIGHTS)
    archive = tmp_path / "bundle.zip"
    pack(bundle, archive)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    with pytest.raises(InputError, match=rf"{archive}/{WEIGHTS} is changed or cut short"):
        landslip.load(archive)
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_zip_that_holds_a_link_or_grows_beyond_reason_is_refused(tmp_path: Path):
    archive = zipped(tmp_path / "link.zip", ("a", b"/etc/passwd"), kind=stat.S_IFLNK)
    with pytest.raises(InputError, match="no ordinary file"):
        landslip.load(archive)
    archive = zipped(tmp_path / "bomb.zip", ("a", bytes(8 << 20)))
    with pytest.raises(InputError, match="would grow"):
        landslip.load(archive)
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(InputError, match=r"text\.zip is damaged"):
        landslip.load(tmp_path / "text.zip")


def test_the_same_run_gives_the_same_bytes_and_a_zip_of_them(made: Made, tmp_path: Path):
    archive = tmp_path / "bundle.zip"
    write_bundle(made.settings, made.sources, folder=tmp_path / "bundle", archive=archive)
    assert archive.read_bytes() == (made.folder / "bundle.zip").read_bytes()
    pack(made.bundle, tmp_path / "again.zip")
    assert archive.read_bytes() == (tmp_path / "again.zip").read_bytes()


def test_the_card_gives_f1_with_its_interval_for_every_choice_of_sensors_in_both_ways(made: Made):
    card, page = landslip.load(made.bundle).card, (made.bundle / "card.html").read_text()
    sensors = [list(chosen) for chosen in subsets(("optical", "descending", "ascending"))]
    assert len(sensors) == 7
    assert [each["sensors"] for each in card["answers"]] == sensors
    assert [each["sensors"] for each in card["comparison"]] == sensors
    # rgb_net reads the optics, lightgbm all sensors, and any_net any of them.
    alone = [each["sensors"] for each in card["comparison"] if each["left_out"] is None]
    assert alone == [["descending", "ascending"], ["descending"], ["ascending"]]
    ways = [each[way] for each in card["comparison"] for way in ("left_out", "dropout")]
    for told in [*card["answers"], *(way for way in ways if way is not None)]:
        low, high = told["interval"]
        assert 0 <= low <= told["f1"] <= high <= 1
        assert f"{told['f1']:.3f}" in page and f"{low:.3f}" in page and f"{high:.3f}" in page


def test_no_text_on_the_card_is_taken_for_markup(
    made: Made, tmp_path: Path, planted: Callable[[Path], None]
):
    settings = replace(made.settings, chosen=["rgb_net"], folds=1)
    write_bundle(settings, made.sources, folder=tmp_path / "small", archive=tmp_path / "small.zip")
    planted(tmp_path / "small" / "card.html")


def test_a_smaller_bundle_answers_nearly_the_same_and_says_what_it_costs(
    made: Made, tmp_path: Path
):
    settings = replace(made.settings, chosen=["rgb_net"], folds=1, weights="bfloat16")
    archive = tmp_path / "bundle.zip"
    write_bundle(settings, made.sources, folder=tmp_path / "bundle", archive=archive)
    assert archive.stat().st_size < (made.folder / "bundle.zip").stat().st_size / 3
    small, whole = landslip.load(archive, threads=1), landslip.load(made.bundle, threads=1)
    told = small.card["smaller"]
    assert (told["members"], told["folds"], told["weights"]) == (["rgb_net"], 1, "bfloat16")
    assert told["f1"] == small.record["combinations"][0]["f1"]
    assert 0 < told["f1_whole"] <= 1 and "1 of 2 folds" in told["note"]
    assert "Smaller than the ensemble" in (small.folder / "card.html").read_text()
    assert whole.card["smaller"] is None
    patches = made.arrays()[:4]
    one_fold = replace(made.settings, chosen=["rgb_net"], folds=1)
    write_bundle(one_fold, made.sources, folder=tmp_path / "exact", archive=tmp_path / "e.zip")
    exact = landslip.load(tmp_path / "exact", threads=1).predict(patches).probability
    rounded = small.predict(patches).probability
    assert 0 < abs(exact - rounded).max() < 0.02
