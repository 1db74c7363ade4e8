"""The config is checked as a whole, before any job, in the words of its file."""

from typing import Any

import pytest
import yaml

from landslip.config.merge import merge_config
from landslip.config.schema import parse_config
from landslip.features.names import STATISTICS
from landslip.io.files import InputError
from landslip.models.heads import BUILDERS
from landslip.models.names import HEADS, explain_timm_name
from project import ROOT

# The paper on its networks: encoder, inputs, scaling, batch, lr0, epochs, head.
PAPER = {
    "maxvit_rgbn": ("enc1", [["rgbn"]], "robust", 8, 1e-4, 20, "single"),
    "vit_medium_sar_indices": (
        "enc2",
        [["sar", "sar_diff", "indices"]],
        "robust",
        32,
        1e-5,
        20,
        "single",
    ),
    "pwee_v2_standard": ("enc3", [["rgbn"], ["sar_diff"]], "standard", 32, 1e-5, 20, "V2"),
    "pwee_v2_robust": ("enc3", [["rgbn"], ["sar_diff"]], "robust", 32, 1e-5, 20, "V2"),
    "pwee_v3": ("enc3", [["rgbn"], ["sar_diff"], ["indices"]], "standard", 32, 1e-5, 15, "V3"),
    "caformer_v3": ("enc4", [["rgbn"], ["sar_diff"], ["indices"]], "standard", 24, 1e-5, 10, "V3"),
    "vit_rope_v3c": ("enc5", [["rgbn"], ["sar"], ["sar_diff"]], "standard", 32, 1e-5, 20, "V3c"),
}


def refusal(raw: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        parse_config(raw)
    return str(caught.value)


@pytest.mark.parametrize("name", PAPER)
def test_the_shipped_config_has_the_papers_hyper_parameters(name: str, shipped: dict[str, Any]):
    model = parse_config(shipped).models[name]
    got = (
        model.encoder,
        model.groups,
        model.scaling,
        model.training.batch_size,
        model.training.learning_rate,
        model.training.epochs,
        model.head,
    )
    assert got == PAPER[name]
    assert model.training.schedule == "cosine_epoch"
    assert model.training.weight_decay == 0.01
    assert model.training.bce_weight == 0.5
    assert model.training.image_size == 256


def test_the_shipped_config_has_the_papers_trees(shipped: dict[str, Any]):
    models = parse_config(shipped).models
    light, extreme = models["lightgbm"], models["xgboost"]
    assert (light.trees, light.learning_rate, light.leaves, light.max_depth) == (
        12000,
        0.005,
        24,
        12,
    )
    assert (light.subsample, light.colsample, light.positive_weight, light.l2) == (
        0.6,
        0.5,
        1.5,
        0.3,
    )
    assert (extreme.trees, extreme.learning_rate, extreme.max_depth) == (4000, 0.02, 6)
    assert (extreme.subsample, extreme.colsample, extreme.positive_weight) == (0.8, 0.8, 1.5)
    assert extreme.l2 == 1.2


def test_there_are_nine_models_and_126_statistics(shipped: dict[str, Any]):
    config = parse_config(shipped)
    assert len(config.members) == 9
    assert len(config.channel_names) * len(STATISTICS) == 126


def test_modalities_follow_the_channels(shipped: dict[str, Any]):
    modalities = parse_config(shipped).modalities
    assert modalities["sar"] == ["desc_vv", "desc_vh", "asc_vv", "asc_vh"]
    assert modalities["indices"][0] == "ndvi"


def test_a_channel_can_be_added_by_configuration_alone(shipped: dict[str, Any]):
    more = {
        "channels": {"swir": {"modality": "swir", "unit": "reflectance_1e4"}},
        "indices": {"nbr": ["nir", "swir"]},
    }
    config = parse_config(merge_config(shipped, more))
    assert config.channels_of(["swir", "nbr"]) == ["swir", "nbr"]
    assert list(config.channels)[-1] == "swir"


def test_overriding_one_channel_moves_none(shipped: dict[str, Any]):
    """Channels stand in the order of the patches' last axis."""
    config = parse_config(merge_config(shipped, {"channels": {"asc_vh": {"unit": "db_change"}}}))
    assert list(config.channels) == list(shipped["channels"])
    assert config.channels["asc_vh"].unit == "db_change"


def test_a_file_that_names_every_channel_sets_their_order(shipped: dict[str, Any]):
    turned = dict(reversed(shipped["channels"].items()))
    config = parse_config(merge_config(shipped, {"channels": turned}))
    assert list(config.channels) == list(turned)


def test_a_null_takes_an_entry_out(shipped: dict[str, Any]):
    config = parse_config(merge_config(shipped, {"models": {"xgboost": None}}))
    assert "xgboost" not in config.models


@pytest.mark.parametrize("name", ["demo", "bijie"])
def test_shipped_variants_are_valid(name: str, shipped: dict[str, Any]):
    path = ROOT / "resources" / "configs" / f"{name}.yaml"
    parse_config(merge_config(shipped, yaml.safe_load(path.read_text())))


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"foldz": {}}, ["foldz", "folds"]),
        ({"folds": {"schema": "kfold"}}, ["folds.schema", "scheme"]),
        ({"folds": {"scheme": "stratifed"}}, ["folds.scheme", "stratified"]),
        ({"folds": {"n": 1}}, ["folds.n", "2"]),
        ({"gpu": {"wate": False}}, ["gpu.wate", "'wait'"]),
        ({"data": {"train": {"lables": "x"}}}, ["data.train.lables", "labels"]),
        ({"data": {"simulation": {"positives": 1.5}}}, ["data.simulation.positives", "1.5"]),
        ({"data": {"simulation": {"train": 0}}}, ["data.simulation.train", "0"]),
        ({"data": {"simulation": {"size": 8}}}, ["data.simulation.size", "8"]),
        ({"models": {"pwee_v3": {"hed": "V3"}}}, ["models.pwee_v3.hed", "head"]),
        ({"models": {"lightgbm": {"leavs": 3}}}, ["models.lightgbm.leavs", "leaves"]),
        ({"models": {"pwee_v3": {"training": {"epochs": 0}}}}, ["models.pwee_v3.training.epochs"]),
        ({"models": {"pwee_v3": {"training": {"epoch": 3}}}}, ["training.epoch", "epochs"]),
        ({"ensemble": {"threshold": 1.5}}, ["ensemble.threshold"]),
        ({"channels": {"red": {"unit": "reflectance"}}}, ["channels.red.unit", "reflectance_1e4"]),
        ({"predict": {"threshold": 0.5, "recall": 0.9}}, ["predict", "threshold and recall"]),
        ({"assess": {"threshold": {"bound": "high"}}}, ["assess.threshold.bound", "low"]),
    ],
)
def test_misspelt_keys_and_impossible_values_are_refused_with_the_nearest_valid_one(
    change: dict[str, Any], names: list[str], shipped: dict[str, Any]
):
    message = refusal(merge_config(shipped, change))
    assert all(name in message for name in names), message


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"models": {"pwee_v3": {"encoder": "enk3"}}}, ["models.pwee_v3.encoder", "enc3"]),
        ({"models": {"pwee_v3": {"head": "V5"}}}, ["models.pwee_v3.head", "V5"]),
        ({"models": {"pwee_v3": {"head": "V2"}}}, ["models.pwee_v3.head", "2", "3"]),
        ({"models": {"pwee_v3": {"inputs": ["rgb", "sar", "indices"]}}}, ["'rgb'", "rgbn"]),
        ({"models": {"xgboost": {"inputs": ["sardiff"]}}}, ["xgboost.inputs", "sar_diff"]),
        ({"models": {"pwee_v3": {"encoder": ["enc3", "enc1"]}}}, ["2 encoders for 3 inputs"]),
        ({"indices": {"ndvi": ["nir", "rd"]}}, ["indices.ndvi", "'rd'", "red"]),
        ({"indices": {"ndwi": ["green", "nir"]}}, ["indices.ndwi", "write [nir, green]"]),
        ({"encoders": {"enc1": {"timm": "maxvit_rmlp_tny_rw_256"}}}, ["enc1.timm", "tiny"]),
        (
            {"encoders": {"enc4": {"timm": "caformer_s18.sail_in22k_ft_in1"}}},
            ["enc4.timm", "did you mean 'caformer_s18.sail_in22k_ft_in1k'"],
        ),
        ({"encoders": {"enc4": {"timm": "hf-hub:timm/resnet18"}}}, ["hf-hub", "not followed"]),
        ({"encoders": {"enc4": {"timm": "local-dir:models/a"}}}, ["local-dir", "not followed"]),
        ({"ensemble": {"members": ["xgbost"]}}, ["ensemble.members", "xgboost"]),
        ({"ensemble": {"members": ["xgboost", "xgboost"]}}, ["xgboost", "more than once"]),
        ({"models": {"pwee_v3": {"inputs": [[], "sar", "indices"]}}}, ["models.pwee_v3.inputs"]),
        ({"models": {"xgboost": {"max_depth": -1}}}, ["models.xgboost.max_depth"]),
        (
            {
                "encoders": {
                    "other": {"timm": "caformer_s18.sail_in22k_ft_in1k", "pretrained": False}
                }
            },
            ["encoders.other", "enc4", "same timm name"],
        ),
        (
            {
                "models": {
                    "fold": {
                        "kind": "xgboost",
                        "inputs": ["sar"],
                        "trees": 1,
                        "learning_rate": 1,
                        "max_depth": 1,
                        "subsample": 1,
                        "colsample": 1,
                    }
                }
            },
            ["models.fold", "choose another"],
        ),
    ],
)
def test_a_model_that_asks_for_what_is_not_there_is_refused(
    change: dict[str, Any], names: list[str], shipped: dict[str, Any]
):
    message = refusal(merge_config(shipped, change))
    assert all(name in message for name in names), message


def test_all_mistakes_come_in_one_message(shipped: dict[str, Any]):
    message = refusal(merge_config(shipped, {"foldz": 1, "seed": -1}))
    assert "foldz" in message
    assert "seed" in message


def test_a_mixture_of_encoders_is_valid(shipped: dict[str, Any]):
    mixed = {"models": {"pwee_v3": {"encoder": ["enc1", "enc3", "enc3"]}}}
    assert parse_config(merge_config(shipped, mixed)).models["pwee_v3"].encoders == [
        "enc1",
        "enc3",
        "enc3",
    ]


def test_half_a_data_source_is_refused(shipped: dict[str, Any]):
    message = refusal(merge_config(shipped, {"data": {"train": {"labels": "Train.csv"}}}))
    assert "data.test.ids" in message


def test_heads_named_in_the_config_are_those_that_are_built():
    assert set(HEADS) == set(BUILDERS)


def test_names_that_timm_registers_are_taken():
    import timm

    refused = {name: explain_timm_name(name) for name in timm.list_models(include_tags=True)}
    assert {name: why for name, why in refused.items() if why is not None} == {}
