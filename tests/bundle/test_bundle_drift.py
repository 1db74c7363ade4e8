"""New patches against the training's: silent where they are alike, and each mistake by its name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from landslip.bundle.distributions import LEVELS, distance
from landslip.bundle.files import answer_shard, gather_answers
from landslip.bundle.judge import judge_new, survey_new
from landslip.bundle.listing import write_new_listing
from landslip.io.files import InputError, read_json, read_parquet
from landslip.report.answers import write_page
from made_bundle import SIZE, Made

Change = Callable[[np.ndarray, list[str]], Any]
OPTICAL, RADAR = ["red", "green", "blue", "nir"], ["desc_vv", "desc_vh", "asc_vv", "asc_vh"]


def places(names: list[str], wanted: list[str]) -> list[int]:
    return [names.index(name) for name in wanted]


def shift(amount: float) -> Change:
    """Move all reflectance."""

    def change(patch: np.ndarray, names: list[str]) -> None:
        patch[..., places(names, OPTICAL)] += amount

    return change


def as_power(patch: np.ndarray, names: list[str]) -> None:
    where = places(names, RADAR)
    patch[..., where] = 10 ** (patch[..., where] / 10)


def flatten(patch: np.ndarray, names: list[str]) -> None:
    """Take out what the two orbits see differently: the slope's part."""
    for first, second in (("desc_vv", "asc_vv"), ("desc_vh", "asc_vh")):
        pair = places(names, [first, second])
        means = patch[..., pair].mean(axis=(0, 1))
        patch[..., pair] += means.mean() - means


def zero_corner(patch: np.ndarray, names: list[str]) -> None:
    patch[: SIZE // 4, :, names.index("desc_diff_vv")] = 0
    patch[: SIZE // 4, :, names.index("asc_diff_vh")] = 0


def turn_round(patch: np.ndarray, names: list[str]) -> None:
    """The channels in the opposite order."""
    patch[:] = patch[..., ::-1].copy()


def ask(
    made: Made,
    folder: Path,
    change: Change | None,
    names: Mapping[str, str] = MappingProxyType({}),
    **settings: Any,
) -> dict[str, Any]:
    """Judge the new patches after a change of each, some under other names."""
    channels, patches = list(made.config.channels), folder / "patches"
    patches.mkdir(parents=True)
    for name in made.ids:
        patch = np.load(made.patches / f"{name}.npy")
        if change is not None:
            change(patch, channels)
        np.save(patches / f"{names.get(name, name)}.npy", patch)
    files = {"listing": folder / "listing.parquet", "listing_summary": folder / "listing.json"}
    write_new_listing(patches, size=(SIZE, SIZE), listed=folder / "listed.txt", **files)
    survey = folder / "0.npz"
    survey_new(made.bundle, *files.values(), shard=0, shards=1, workers=1, target=survey)
    judge_new(
        made.bundle, surveys=[survey], manifest=folder / "out" / "manifest.parquet",
        drift=folder / "out" / "drift.json", listed=folder / "listed.txt",
        **files, **{"on_drift": "warn", **settings},
    )  # fmt: skip
    return dict(read_json(folder / "out" / "drift.json"))


def test_patches_like_the_trainings_raise_nothing(made: Made, tmp_path: Path):
    drift = ask(made, tmp_path, None, on_drift="refuse")
    assert (drift["drifted"], drift["causes"], drift["sentences"]) == (False, [], [])
    assert sum(drift["patches"].values()) == len(made.ids)
    manifest = read_parquet(tmp_path / "out" / "manifest.parquet")
    assert manifest["id"].tolist() == sorted(made.ids)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (shift(-1000), "reflectance_offset_missing"),
        (shift(1000), "reflectance_offset_doubled"),
        (flatten, "radar_terrain_flattened"),
        (zero_corner, "zeros_as_data"),
    ],
)
def test_a_mistake_made_on_purpose_is_named_with_its_number_and_refused_if_asked(
    change: Change, cause: str, made: Made, tmp_path: Path
):
    drift = ask(made, tmp_path / "warned", change)
    assert [found["cause"] for found in drift["causes"]] == [cause]
    (found,) = drift["causes"]
    assert np.isfinite([found["found"], found["expected"]]).all()
    with pytest.raises(InputError) as refused:
        ask(made, tmp_path / "refused", change, on_drift="refuse")
    assert found["sentence"] in str(refused.value)
    assert not (tmp_path / "refused" / "out").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (as_power, "as linear power is"),
        (lambda patch, names: np.multiply(patch, 1e-4, out=patch), "reflectance from 0 to 1"),
        (turn_round, "units and the order of channels: see the bundle's card.html"),
    ],
)
def test_a_wrong_unit_is_refused_by_name_whatever_is_said_of_drift(
    change: Change, words: str, made: Made, tmp_path: Path
):
    with pytest.raises(InputError) as refused:
        ask(made, tmp_path, change)
    assert words in str(refused.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda patch: patch[:, :, :11], "lacks the shape"),
        (lambda patch: patch[:10], "lacks the shape"),
        (lambda patch: patch.transpose(2, 0, 1), "the channels come first"),
        (lambda patch: patch.astype(str), "holds no integers or floats"),
        (lambda patch: patch.astype(object), "holds Python objects"),
    ],
)
def test_a_file_that_is_no_patch_of_this_bundle_is_refused_by_name(
    content: Change, words: str, made: Made, tmp_path: Path
):
    patches = tmp_path / "patches"
    patches.mkdir()
    for name in made.ids[:3]:
        np.save(patches / f"{name}.npy", np.load(made.patches / f"{name}.npy"))
    bad = made.ids[1]
    np.save(patches / f"{bad}.npy", content(np.load(patches / f"{bad}.npy")), allow_pickle=True)
    files = {"listing": tmp_path / "listing.parquet", "listing_summary": tmp_path / "listing.json"}
    write_new_listing(patches, size=(SIZE, SIZE), listed=tmp_path / "listed.txt", **files)
    survey = tmp_path / "0.npz"
    survey_new(made.bundle, *files.values(), shard=0, shards=1, workers=1, target=survey)
    with pytest.raises(InputError) as refused:
        judge_new(
            made.bundle, surveys=[survey], manifest=tmp_path / "out" / "manifest.parquet",
            drift=tmp_path / "out" / "drift.json", listed=tmp_path / "listed.txt",
            on_drift="warn", **files,
        )  # fmt: skip
    assert words in str(refused.value) and bad in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_the_distance_of_values_from_their_own_distribution_is_small_and_grows_with_a_shift():
    values = np.random.default_rng(0).normal(size=5000)
    quantiles = np.quantile(values, LEVELS).tolist()
    assert distance(values, quantiles) < 0.02
    assert 0.15 < distance(values + 0.5, quantiles) < 0.25
    assert distance(values + 100, quantiles) == 1
    assert distance(np.full(3, np.nan), quantiles) == 0


def answer(made: Made, folder: Path, names: Mapping[str, str], **asked: Any) -> Path:
    """Answer for the new patches without their offset, some under other names; the page."""
    ask(made, folder, shift(-1000), names)
    settings = made.config.predict.model_dump(mode="json", exclude={"on_drift"}) | asked
    manifest, answers = folder / "out" / "manifest.parquet", folder / "predictions.parquet"
    answer_shard(
        made.bundle, manifest, shard=0, shards=1, settings=settings, device="cpu", threads=1,
        target=folder / "0.parquet",
    )  # fmt: skip
    gather_answers(manifest, [folder / "0.parquet"], target=answers, csv=folder / "a.csv")
    write_page(
        made.bundle, predictions=answers, manifest=manifest, drift=folder / "out" / "drift.json",
        settings=settings, target=folder / "report.html",
    )  # fmt: skip
    return folder / "report.html"


def test_no_text_on_the_page_of_answers_is_taken_for_markup(
    made: Made, tmp_path: Path, planted: Callable[[Path], None]
):
    odd = "<img src=x onerror=console.error('planted')>"
    page = answer(made, tmp_path, {made.ids[0]: odd})
    assert odd in read_parquet(tmp_path / "predictions.parquet")["id"].tolist()
    planted(page)


def test_the_page_says_what_f1_the_budget_reaches(made: Made, tmp_path: Path):
    page = answer(made, tmp_path, {}, budget="fast").read_text()
    reached = read_json(made.bundle / "card.json")["budgets"]["fast"]
    assert f"with this budget it is {reached:.3f} out of fold" in page
