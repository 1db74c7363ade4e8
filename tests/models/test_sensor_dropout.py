"""Modality dropout takes whole sensors out of patches, and the network reads 0 there."""

import torch

from landslip.models.augmentation import SensorDropout
from landslip.models.network import Architecture, MultiEncoder

SENSORS = {
    "red": ["optical"], "nir": ["optical"], "desc_vv": ["descending"], "asc_vv": ["ascending"],
    "ratio": ["descending", "ascending"],
}  # fmt: skip
STACK = list(SENSORS)


def drop(n: int, chance: float, seed: int = 0) -> torch.Tensor:
    """(n, channel) which channels are taken out of patches of ones."""
    absent = -torch.arange(1.0, len(STACK) + 1).view(1, -1, 1, 1)
    dropout = SensorDropout(SENSORS, STACK, absent, chance)
    left = dropout(torch.ones(n, len(STACK), 2, 2), torch.Generator().manual_seed(seed))
    taken = left[:, :, 0, 0] != 1
    assert (left == torch.where(taken[..., None, None], absent, torch.ones(()))).all()
    return taken


def test_channels_of_a_sensor_go_together_and_an_index_with_any_of_its_own():
    taken = drop(500, 0.4)
    red, nir, descending, ascending, ratio = taken.T
    assert (red == nir).all()
    assert (ratio == (descending | ascending)).all()
    assert (descending != ascending).any() and (descending != red).any()


def test_one_sensor_stays_and_the_others_go_as_often_as_is_said():
    taken = drop(3000, 0.4)[:, [0, 2, 3]]
    assert not taken.all(dim=1).any()
    # One of three stays whatever its toss.
    assert torch.allclose(taken.float().mean(dim=0), torch.tensor(0.4 * 2 / 3), atol=0.03)
    assert drop(500, 0.99)[:, [0, 2, 3]].sum(dim=1).float().mean() > 1.9
    assert not drop(500, 0.0).any()


def test_the_same_generator_takes_the_same_sensors():
    assert (drop(50, 0.5, seed=3) == drop(50, 0.5, seed=3)).all()
    assert (drop(50, 0.5, seed=3) != drop(50, 0.5, seed=4)).any()


def test_prediction_without_a_sensor_is_what_training_showed():
    torch.manual_seed(0)
    plan = Architecture(
        channels=(tuple(STACK),), encoders=("test_vit2",), head="single", features=8, image_size=32
    )
    network = MultiEncoder(plan, shift=[5.0] * 5, scale=[2.0] * 5).eval()
    patches = torch.randn(3, 5, 32, 32)
    without = network.without(patches, ["desc_vv", "ratio"])
    shown = patches.clone()
    shown[:, [2, 4]] = 5.0
    assert (without == shown).all()
    changed = patches.clone()
    changed[:, 2] = 99
    with torch.inference_mode():
        again = network.without(changed, ["desc_vv", "ratio"])
        assert (network(without) == network(again)).all()
