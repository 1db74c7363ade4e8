"""Simulated patches look like the paper's, are what was asked for, and hold together."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from scipy.stats import skew
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from landslip.data.channels import add_indices
from landslip.features.statistics import patch_statistics
from landslip.simulation.cover import vegetation_and_rock
from landslip.simulation.fields import fractal_fields
from landslip.simulation.patches import CHANNELS, simulate_batch
from landslip.simulation.radar import observe_radar
from landslip.simulation.scenes import draw_scenes
from landslip.simulation.slides import find_crowns, release_tracks
from landslip.simulation.terrain import illumination, make_terrain
from landslip.simulation.whole_scene import simulate_scene_images
from landslip.simulation.write import draw_ids, simulate_patches

SIZE = 64
POSITIVES = 0.176
INDICES = [(3, 0), (3, 1)]  # ndvi and ndwi

# q05, q50, q95, mean and standard deviation of the competition's channels, by the paper's author
PAPER = {
    "red": (1054.0, 1511.0, 4000.0, 1851.9, 1341.7),
    "green": (1141.0, 1656.0, 3942.0, 1928.4, 1273.9),
    "blue": (1108.0, 1560.0, 3864.0, 1867.3, 1278.8),
    "nir": (1432.0, 2975.0, 5508.0, 3117.5, 1466.9),
    "desc_vv": (-23.85, -10.22, 2.51, -10.56, 8.34),
    "desc_vh": (-43.12, -16.57, -5.04, -18.83, 10.66),
    "desc_diff_vv": (-7.88, -0.28, 3.70, -0.96, 4.33),
    "desc_diff_vh": (-11.22, -0.08, 5.10, -0.75, 5.08),
    "asc_vv": (-20.88, -11.48, -0.03, -11.35, 6.44),
    "asc_vh": (-40.69, -17.76, -7.10, -20.12, 9.93),
    "asc_diff_vv": (-3.84, 0.39, 5.83, 0.58, 2.93),
    "asc_diff_vh": (-7.63, -0.06, 6.01, -0.28, 4.51),
}
# share of the paper's q95 - q05 by which a quantile or the mean may differ
TOLERANCE = 0.15


@pytest.fixture(scope="module")
def many() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    rng = np.random.default_rng(20)
    labels = (rng.random(640) < POSITIVES).astype(np.int64)
    blocks = [simulate_batch(rng, labels[i : i + 32], SIZE) for i in range(0, 640, 32)]
    return np.concatenate(blocks), labels


def read_folder(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_channel_is_distributed_about_as_in_the_paper(channel, many):
    values = many[0][..., CHANNELS.index(channel)]
    q05, q50, q95, mean, std = PAPER[channel]
    span = q95 - q05
    simulated = [*np.quantile(values, [0.05, 0.5, 0.95]), values.mean()]
    np.testing.assert_allclose(simulated, [q05, q50, q95, mean], rtol=0, atol=TOLERANCE * span)
    assert 0.7 < values.std() / std < 1.4


def test_patches_are_finite_whole_reflectances_and_plausible_backscatter(many):
    patches, _ = many
    assert patches.shape == (640, SIZE, SIZE, len(CHANNELS))
    assert patches.dtype == np.float64
    assert np.isfinite(patches).all()
    optical, radar = patches[..., :4], patches[..., 4:]
    assert (optical == np.round(optical)).all()
    assert optical.min() > 0 and optical.max() < 30_000
    assert radar.min() > -70 and radar.max() < 70


def test_no_two_patches_are_alike(many):
    patches, _ = many
    assert len({patch.tobytes() for patch in patches}) == len(patches)


def test_backscatter_does_not_drift_where_no_slide_fell(many):
    patches, labels = many
    for channel in (name for name in CHANNELS if "diff" in name):
        medians = np.median(patches[labels == 0][..., CHANNELS.index(channel)], axis=(1, 2))
        # weeks of wet snow shift a minority of the patches, so the median patch is asked
        assert abs(np.median(medians)) < 0.5


def test_neighbouring_pixels_resemble_each_other(many):
    patches, _ = many
    for channel, least in (("red", 0.75), ("nir", 0.75), ("desc_vv", 0.6), ("asc_vh", 0.5)):
        values = patches[..., CHANNELS.index(channel)]
        centred = values - values.mean(axis=(1, 2), keepdims=True)
        lag = (centred[:, :, 1:] * centred[:, :, :-1]).mean(axis=(1, 2))
        assert np.median(lag / values.var(axis=(1, 2))) > least


def test_landslides_leave_marks_in_both_sensors_that_do_not_decide(many):
    patches, labels = many
    blue_red = (patches[..., 2] - patches[..., 0]) / (patches[..., 2] + patches[..., 0])
    marks = {
        "soil, bright in the channel that the competition calls blue": blue_red.max(axis=(1, 2)),
        "lost backscatter": -skew(patches[..., CHANNELS.index("asc_diff_vh")].reshape(640, -1), 1),
    }
    for mark, values in marks.items():
        order = values[labels == 1][:, None] > values[labels == 0]
        assert 0.53 < order.mean() < 0.97, mark


def test_both_sensors_tell_more_of_landslides_than_either(many):
    patches, labels = many
    channels = add_indices(patches.transpose(0, 3, 1, 2).astype(np.float32), INDICES)
    statistics = patch_statistics(channels)
    model = LGBMClassifier(n_estimators=150, num_leaves=7, n_jobs=1, random_state=0, verbose=-1)

    def auc(read: list[int]) -> float:
        features = statistics[:, read].reshape(len(labels), -1)
        odds = cross_val_predict(model, features, labels, cv=5, method="predict_proba")[:, 1]
        return float(roc_auc_score(labels, odds))

    radar, optics = list(range(4, 12)), [0, 1, 2, 3, 12, 13]
    assert 0.8 < auc(radar) < auc(radar + optics) - 0.01
    assert 0.8 < auc(optics) < auc(radar + optics) - 0.01


def test_slides_run_down_the_slope():
    rng = np.random.default_rng(5)
    scenes = draw_scenes(rng, np.ones(64, np.int64))
    terrain = make_terrain(rng, scenes, 80)
    height, edge = terrain.height, fractal_fields(rng, 64, 80, 2.4)
    steep = np.hypot(*terrain.gradient())
    crowns = find_crowns(rng, height, steep, np.ones(64, np.int64), 12)
    tracks = release_tracks(height, edge, crowns, np.full(64, 25.0), np.full(64, 2.5))
    long = tracks.runout.sum(axis=(1, 2)) > 20
    assert long.sum() > 40
    scar = (tracks.scar * height).sum((1, 2)) / tracks.scar.sum((1, 2))
    runout = (tracks.runout * height).sum((1, 2))[long] / tracks.runout.sum((1, 2))[long]
    assert (runout < scar[long]).mean() > 0.97
    assert tracks.mask.min() >= 0 and tracks.mask.max() <= 1
    starts = steep[crowns[:, 0], crowns[:, 1], crowns[:, 2]]
    assert starts.mean() > 1.2 * steep.mean()


def means_of(patches: NDArray[np.float64], channel: str) -> NDArray[np.float64]:
    return patches[..., CHANNELS.index(channel)].mean(axis=(1, 2))


def test_open_water_is_a_fifth_of_the_patches_and_does_not_slide(many):
    patches, labels = many
    water = means_of(patches, "asc_vh") < -28
    assert 0.14 < water.mean() < 0.25
    # a coast that is mostly water may slide
    assert labels[water].mean() < 0.03


def test_a_hillside_bright_in_one_orbit_is_dark_in_the_other(many):
    patches, _ = many
    land = means_of(patches, "asc_vh") >= -28
    for band in ("vv", "vh"):
        orbits = [means_of(patches, f"{orbit}_{band}")[land] for orbit in ("desc", "asc")]
        assert -0.8 < np.corrcoef(orbits)[0, 1] < -0.2, band


def test_change_is_of_medians_over_dates_and_has_a_floor(many):
    patches, labels = many
    land = (means_of(patches, "asc_vh") >= -28) & (labels == 0)
    for channel, real in (("desc_diff_vv", 2.2), ("asc_diff_vv", 2.2), ("asc_diff_vh", 2.4)):
        spread = np.median(patches[land][..., CHANNELS.index(channel)].std(axis=(1, 2)))
        assert abs(spread - real) < 0.3, channel
    for channel, floor in (("desc_vh", -48.9), ("asc_vh", -48.0)):
        lowest = patches[..., CHANNELS.index(channel)].min(axis=(1, 2))
        assert lowest.min() > floor - 0.5
        assert 0.2 < (lowest < floor + 0.5).mean() < 0.7, channel


def test_cover_shares_sum_to_one():
    rng = np.random.default_rng(6)
    scenes = draw_scenes(rng, np.zeros(8, np.int64))
    shares = vegetation_and_rock(rng, scenes, make_terrain(rng, scenes, 40))
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert shares.min() >= -1e-6


def test_slopes_that_face_the_sun_are_brighter():
    rng = np.random.default_rng(7)
    scenes = draw_scenes(rng, np.ones(16, np.int64))
    terrain = make_terrain(rng, scenes, 64)
    direct, shadow = illumination(terrain, scenes)
    rise_rows, rise_columns = terrain.gradient()
    azimuth = scenes.sun_azimuth[:, None, None]
    away = np.sin(azimuth) * rise_columns - np.cos(azimuth) * rise_rows
    assert direct[away < -0.2].mean() > 1.05 > 0.9 > direct[away > 0.2].mean()
    assert shadow[away > 0.2].mean() > shadow[away < -0.2].mean()


def test_slopes_that_face_the_radar_are_brighter_and_orbits_see_opposite_slopes():
    rng = np.random.default_rng(8)
    size, n = 64, 8
    hill = 6 * np.sin(2 * np.pi * np.arange(size) / size)
    relief = np.broadcast_to(hill, (n, size, size)).astype(np.float32)
    gamma = np.full((n, 2, size, size), 0.1, np.float32)
    tilt = np.zeros((n, 2), np.float32)
    rising = np.gradient(hill) > 0.2
    falling = np.gradient(hill) < -0.2
    for eastward in (True, False):
        before, after = observe_radar(rng, (relief, relief), tilt, (gamma, gamma), eastward)
        facing, turned = (rising, falling) if eastward else (falling, rising)
        for image in (before, after):
            assert image[..., facing].mean() > image[..., turned].mean() + 3
        assert abs(np.mean(after - before)) < 0.15


def test_flat_ground_returns_its_own_backscatter():
    rng = np.random.default_rng(9)
    flat = np.zeros((16, 64, 64), np.float32)
    gamma = np.full((16, 2, 64, 64), 0.1, np.float32)
    image, _ = observe_radar(rng, (flat, flat), flat[:, 0, :2], (gamma, gamma), False)
    power = (10 ** (image / 10)).mean()
    # gamma nought 0.1 at 31 to 41 degrees, less the noise that the product takes off
    assert 0.06 < power < 0.1


def test_a_scene_of_few_pixels_has_as_many_slides_as_fit_into_it():
    images = simulate_scene_images(
        np.random.default_rng(0), rows=16, columns=16, slides=2000, cloud=0.0
    )
    assert images.optical.shape[-2:] == (16, 16)


def test_the_same_seed_gives_the_same_files_whatever_the_workers(tmp_path):
    request = {"train": 40, "test": 10, "positives": 0.25, "size": 32, "seed": 4}
    simulate_patches(tmp_path / "one", **request)
    simulate_patches(tmp_path / "two", **request, workers=2)
    simulate_patches(tmp_path / "other", **request | {"seed": 5})
    first = read_folder(tmp_path / "one")
    assert first == read_folder(tmp_path / "two")
    assert not set(first.values()) & set(read_folder(tmp_path / "other").values())


def test_files_are_laid_out_as_in_the_competition(tmp_path):
    simulate_patches(
        tmp_path, train=50, test=21, positives=POSITIVES, size=24, seed=1, test_positives=0.114
    )
    train, test = pd.read_csv(tmp_path / "Train.csv"), pd.read_csv(tmp_path / "Test.csv")
    answers = pd.read_csv(tmp_path / "TestLabels.csv")
    assert list(train) == ["ID", "label"] and list(test) == ["ID"]
    assert list(answers) == ["ID", "label"] and (answers["ID"] == test["ID"]).all()
    assert train["label"].sum() == 9 and answers["label"].sum() == 2
    assert train["ID"].str.fullmatch(r"ID_[A-Z0-9]{6}").all()
    assert not set(train["ID"]) & set(test["ID"])
    for table, folder in ((train, "train_data"), (test, "test_data")):
        assert {p.stem for p in (tmp_path / folder).iterdir()} == set(table["ID"])
    patch = np.load(tmp_path / "train_data" / f"{train['ID'][0]}.npy", allow_pickle=False)
    assert patch.shape == (24, 24, 12) and patch.dtype == np.float64


def test_a_run_cut_short_leaves_no_tables_and_can_be_run_again(tmp_path, monkeypatch):
    import landslip.simulation.write as write

    request = {"train": 40, "test": 0, "positives": 0.2, "size": 24, "seed": 2}
    whole = tmp_path / "whole"
    simulate_patches(whole, **request)
    real, calls = write.simulate_batch, []

    def fail_later(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(write, "simulate_batch", fail_later)
    with pytest.raises(KeyboardInterrupt):
        simulate_patches(tmp_path / "cut", **request)
    assert not list((tmp_path / "cut").glob("*.csv"))
    monkeypatch.undo()
    simulate_patches(tmp_path / "cut", **request)
    assert read_folder(tmp_path / "cut") == read_folder(whole)


def test_identifiers_are_unique():
    ids = draw_ids(np.random.default_rng(0), 20_000)
    assert len(set(ids)) == 20_000
