"""The table of models says of each what the config and the network that is built from it hold."""

import pytest

from landslip.ablation.model_table import count_parameters, model_rows, outline
from landslip.config.schema import parse_config
from landslip.models.names import HEADS
from landslip.models.network import Architecture, MultiEncoder
from project import shipped_ablation

ENCODERS = ["test_vit2", "test_efficientnet", "test_convnext", "test_vit3"]


@pytest.mark.parametrize("head", HEADS)
def test_parameters_are_those_of_the_network_that_is_trained(head: str):
    told = {
        "channels": [["red", "nir"], ["vv"], ["vh", "ndvi", "ndwi"], ["slope"]][: HEADS[head]],
        "encoders": ENCODERS[: HEADS[head]],
        "head": head,
        "features": 12,
        "image_size": 64,
    }
    made = Architecture.from_json(told)
    n = len(made.stack)
    network = MultiEncoder(made, shift=[0.0] * n, scale=[1.0] * n)
    assert count_parameters(told) == sum(len(weights.flatten()) for weights in network.parameters())


def test_every_model_of_the_config_is_listed_with_all_that_it_reads():
    config = parse_config(shipped_ablation())
    models = config.resolved_models()
    rows = model_rows({name: outline(each, config.modalities) for name, each in models.items()})
    assert [row["name"] for row in rows] == list(config.models)
    for row, settings in zip(rows, config.models.values(), strict=True):
        network = settings.kind == "network"
        groups = settings.groups if network else [settings.inputs]
        read = {channel for _, channels in row["inputs"] for channel in channels}
        assert read == {channel for group in groups for channel in config.channels_of(group)}
        assert (row["parameters"] is not None) == network
        assert row["head"] == (settings.head if network else f"{settings.trees:,} trees")
