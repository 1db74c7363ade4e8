"""A bundle and the training's own prediction say the same of patches that lack sensors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

import landslip
from landslip.bundle.answer import Answer
from landslip.data.inputs import write_listing
from landslip.data.manifest import build_manifest
from landslip.data.survey import survey_shard
from landslip.data.units import UnitRange
from landslip.ensemble.combine import Way
from landslip.ensemble.fewer_sensors import FewerSensors
from landslip.ensemble.predict import predict_test
from landslip.features.statistics import write_statistics
from landslip.io.files import read_parquet
from landslip.models.predict_network import Lacking, predict_network
from landslip.models.predict_trees import predict_trees
from made_bundle import FOLDS, MEMBERS, NETWORKS, THREADS, Made
from stores import write_store

Patch = NDArray[np.float64]
RED, NIR = 0, 3
OPTICAL, DESCENDING, ASCENDING = slice(0, 4), slice(4, 8), slice(8, 12)


def put(value: float, *where: int | slice) -> Callable[[Patch], None]:
    """A change of a patch (channel, row, column)."""

    def change(patch: Patch) -> None:
        patch[where] = value

    return change


def _optics_are_constant(patch: Patch) -> None:
    patch[OPTICAL] = np.array([1300.0, 1200.0, 1100.0, 2500.0])[:, None, None]


def _radar_has_no_data(patch: Patch) -> None:
    patch[DESCENDING] = np.nan
    patch[ASCENDING] = 0


ALL, BOTH_ORBITS = "optical+descending+ascending", "descending+ascending"
# What is done to a patch, and the sensors that are left.
CHANGES: dict[str, tuple[Callable[[Patch], None], str]] = {
    "nothing": (put(1500, RED, 0, 0), ALL),
    "a few holes": (put(np.nan, NIR, slice(4), slice(4)), ALL),
    "fill values at an edge": (put(-9999, OPTICAL, slice(8)), ALL),
    "zeros at an edge": (put(0, OPTICAL, slice(8)), ALL),
    "a constant band": (put(1500, RED), BOTH_ORBITS),
    "constant bands": (_optics_are_constant, BOTH_ORBITS),
    "an orbit of zeros": (put(0, DESCENDING), "optical+ascending"),
    "no change in one polarisation": (put(0, 6), "optical+ascending"),
    "holes in most pixels": (put(np.nan, 8, slice(20)), "optical+descending"),
    "a channel without data": (put(np.nan, 9), "optical+descending"),
    "optics of zeros": (put(0, OPTICAL), BOTH_ORBITS),
    "optics of fill values": (put(-9999, OPTICAL), BOTH_ORBITS),
    "no radar": (_radar_has_no_data, "optical"),
    "holes in most pixels of all": (put(np.nan, slice(None), slice(20)), ""),
    "nothing but constants": (put(0, slice(None)), ""),
}


@dataclass(frozen=True)
class Both:
    """The same patches answered for in two ways, in the order of CHANGES."""

    training: pd.DataFrame
    bundle: Answer


@pytest.fixture(scope="module")
def both(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Both:
    folder = tmp_path_factory.mktemp("lacking")
    patches = made.arrays()[: len(CHANGES)]
    for patch, (change, _) in zip(patches, CHANGES.values(), strict=True):
        change(patch)
    return Both(_by_training(made, patches, folder), landslip.load(made.bundle).predict(patches))


def _by_training(made: Made, patches: Patch, folder: Path) -> pd.DataFrame:
    """As the jobs of a run do it, from files of patches to ensemble/test.parquet."""
    config = made.config
    (folder / "patches").mkdir()
    for name, patch in zip(made.ids, patches, strict=False):
        np.save(folder / "patches" / f"{name}.npy", patch.transpose(1, 2, 0))
    ids = "".join(f"{name}\n" for name in made.ids[: len(patches)])
    (folder / "Test.csv").write_text(f"ID\n{ids}")
    data = made.folder / "data"
    listing, facts = folder / "listing.parquet", folder / "listing.json"
    write_listing(
        channels=len(config.channels), listing=listing, listing_summary=facts,
        listed=folder / "listed.txt", train_labels=data / "Train.csv",
        train_patches=data / "train_data", test_ids=folder / "Test.csv",
        test_patches=folder / "patches", test_labels=None, group=None, links_into=None,
    )  # fmt: skip
    surveys = [folder / "train.npz", folder / "test.npz"]
    for path in surveys:
        survey_shard(
            listing, facts, split=path.stem, shard=0, shards=1, channels=len(config.channels),
            no_data=config.no_data, workers=1, target=path,
        )  # fmt: skip
    sensor = {each["name"]: each["sensor"] for each in config.channel_records()}
    indices = dict(config.indices)
    manifest = folder / "manifest.parquet"
    build_manifest(
        listing=listing, listing_summary=facts, surveys=surveys, sensors=sensor,
        channels={name: channel.unit for name, channel in config.channels.items()},
        units={
            name: UnitRange(**unit.model_dump(exclude={"nodata"}))
            for name, unit in config.units.items()
        },
        no_data=config.no_data, ndvi=None, on_bad_patch="refuse", on_nonfinite="fill",
        on_zeros="fill", on_wrong_unit="refuse", least_data=config.predict.least_data, group=None,
        manifest=manifest, audit_json=folder / "audit.json", listed=folder / "listed.txt",
    )  # fmt: skip
    listed = read_parquet(manifest)
    usable = listed[(listed["split"] == "test") & (listed["status"] == "ok")]
    store = write_store(
        usable, channels=list(config.channels), indices=indices, no_data=config.no_data,
        on_nonfinite="fill", patches_per_shard=100, workers=1, target=folder / "test.h5",
    )  # fmt: skip
    write_statistics(store, folder / "features.parquet", threads=1)
    test: dict[str, list[Path]] = {
        name: [folder / name / f"{fold}.parquet" for fold in range(FOLDS)] for name in MEMBERS
    }
    predict_trees(
        model="lightgbm", descriptions=made.sources.models["lightgbm"],
        features=folder / "features.parquet", threads=1, targets=test["lightgbm"],
    )  # fmt: skip
    lacking = Lacking(manifest=manifest, sensor=sensor, indices=indices)
    for name in NETWORKS:
        predict_network(
            model=name, descriptions=made.sources.models[name], store=store,
            processor=made.folder / "processor.json",
            lacking=lacking if name in made.sources.again else None, device="cpu",
            threads=THREADS[name], targets=test[name],
        )  # fmt: skip
    settings = made.settings
    fewer = FewerSensors(
        descriptions={name: paths[0] for name, paths in made.sources.models.items()},
        again=made.sources.again, oof=made.sources.oof, threshold=made.sources.threshold,
        sensor=sensor, indices=indices,
        way=Way(
            rule=settings.rule, calibration=settings.calibration, threshold=settings.threshold,
            bootstrap=settings.bootstrap, seed=settings.seed,
        ),
    )  # fmt: skip
    predict_test(
        members=test, manifest=manifest, threshold=made.sources.threshold, fewer=fewer,
        target=folder / "answers.parquet",
    )  # fmt: skip
    return read_parquet(folder / "answers.parquet")


@pytest.mark.parametrize("what", CHANGES)
def test_a_patch_that_lacks_sensors_gets_the_same_bits_either_way(what: str, both: Both):
    row = list(CHANGES).index(what)
    answer, left = both.bundle, CHANGES[what][1]
    assert answer.sensors[row] == left
    own = both.training.iloc[row]
    assert pd.isna(own["landslide"]) == pd.isna(own["probability"]) == (left == "")
    if left:
        assert own["probability"] == answer.probability[row]
        assert own["landslide"] == answer.landslide[row]
    else:
        assert np.isnan(answer.probability[row]) and np.isnan(answer.landslide[row])
    for name, said in zip(answer.member_names, answer.members[row], strict=True):
        assert np.isnan(said) or said == own[name]
