"""Variants are differences: the same settings are one job, and what cannot be is refused."""

from typing import Any

import pytest

from landslip.ablation.plan import Plan, names_in, plan_ablation
from landslip.config.merge import merge_config
from landslip.config.schema import parse_config
from landslip.io.files import InputError
from project import shipped_ablation, shipped_config


def plan(over: dict[str, Any] | None = None) -> Plan:
    raw = merge_config(shipped_ablation(), over or {})
    return plan_ablation(parse_config(raw), names_in(shipped_ablation()))


def with_variants(**variants: Any) -> dict[str, Any]:
    """A table of LightGBM's variants beside the shipped ones."""
    table = {"title": "Mine", "base": "lightgbm", "variants": variants}
    return {"ablation": {"tables": {"mine": table}}}


def members(made: Plan, table: str) -> dict[str, list[str]]:
    return {row.variant: row.members for row in made.tables[table]}


def refusal(over: dict[str, Any]) -> str:
    with pytest.raises(InputError) as caught:
        plan(over)
    return str(caught.value)


def test_every_paper_table_is_declared():
    numbers = {
        table["paper"]
        for table in shipped_ablation()["ablation"]["tables"].values()
        if "paper" in table
    }
    # 3 and 9 need no variants.
    assert numbers == {"2", "5", "6", "7", "8", "10", "B.11", "B.12", "B.13"}


def test_the_ensemble_does_not_grow_by_the_studys_variants():
    assert parse_config(shipped_ablation()).members == list(shipped_config()["models"])


def test_all_fifteen_subsets_of_four_modalities_are_there():
    rows = members(plan(), "modalities")
    assert len(rows) == 15
    assert len({tuple(jobs) for jobs in rows.values()}) == 15


def test_a_variant_that_changes_nothing_is_the_base_model():
    rows = members(plan(), "modalities")
    assert rows["rgbn_sar_sar_diff_indices"] == ["lightgbm"]
    assert members(plan(), "encoders_per_input")["caformer_multi"] == ["caformer_v3"]


def test_two_variants_with_the_same_settings_are_one_job():
    by_modality = {"change": {"inputs": ["rgbn"]}}
    by_channel = {"change": {"inputs": ["red", "green", "blue", "nir"]}}
    rows = members(plan(with_variants(one=by_modality, other=by_channel)), "mine")
    assert rows["one"] == rows["other"]
    assert rows["one"] == members(plan(), "modalities")["rgbn"]
    assert rows["one"] != ["lightgbm"]


def test_the_name_of_a_variant_or_its_place_changes_no_job():
    first = plan(with_variants(a={"change": {"trees": 7}}, b={"change": {"trees": 8}}))
    second = plan(with_variants(c={"change": {"trees": 8}}, d={"change": {"trees": 7}}))
    assert members(first, "mine")["a"] == members(second, "mine")["d"]
    assert members(first, "mine")["b"] == members(second, "mine")["c"]


@pytest.mark.parametrize(
    "change",
    [
        {"training": {"epochs": 3}},
        {"scaling": "robust"},
        {"encoder": "enc1"},
        {"encoder": ["enc1", "enc3"]},
        {"inputs": ["rgbn", "sar"]},
    ],
)
def test_whatever_changes_the_training_is_another_job(change: dict[str, Any]):
    variant = {"base": "pwee_v2_standard", "change": change}
    jobs = members(plan(with_variants(v=variant)), "mine")["v"]
    models = parse_config(shipped_ablation()).resolved_models()
    base = models["pwee_v2_standard"].settings.training
    made = (models | plan(with_variants(v=variant)).variants)[jobs[0]].settings
    if "scaling" in change:
        # With the robust scaling it is another model of the config.
        assert jobs == ["pwee_v2_robust"]
    else:
        assert jobs[0].startswith("network_")
    assert made.training.batch_size == base.batch_size


def test_how_often_to_save_makes_no_other_job():
    variant = {"base": "pwee_v2_standard", "change": {"training": {"save_minutes": 1}}}
    assert members(plan(with_variants(v=variant)), "mine")["v"] == ["pwee_v2_standard"]


def test_a_variant_may_fit_its_scaling_otherwise_or_start_at_random():
    made = plan(
        with_variants(
            fold={"base": "pwee_v3", "scaling_fit": "fold"},
            scratch={"base": "pwee_v3", "pretrained": False},
            same={"base": "pwee_v3", "scaling_fit": "all", "pretrained": True},
        )
    )
    rows = members(made, "mine")
    assert made.variants[rows["fold"][0]].scaling_fit == "fold"
    assert not any(encoder.pretrained for encoder in made.variants[rows["scratch"][0]].encoders)
    assert rows["same"] == ["pwee_v3"]


def test_ensembles_are_of_models_that_are_there():
    rows = members(plan(), "scenarios")
    assert rows["trees"] == ["lightgbm", "xgboost"]
    assert len(rows["networks"]) == 7
    assert len(rows["all"]) == 9
    assert rows["optical"] == ["maxvit_rgbn", *members(plan(), "modalities")["rgbn_indices"]]


def test_what_the_users_config_took_out_is_left_out_with_a_reason():
    made = plan({"models": {"caformer_v3": None, "xgboost": None}})
    assert "caformer_multi" not in members(made, "encoders_per_input")
    assert made.left_out["encoders_per_input"]["caformer_single"] == (
        "caformer_v3 is not in this config"
    )
    assert members(made, "scenarios")["trees"] == ["lightgbm"]


def test_a_table_can_be_taken_out():
    assert "statistics" not in plan({"ablation": {"tables": {"statistics": None}}}).tables


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ({"base": "lightgmb"}, "unknown model 'lightgmb'; did you mean 'lightgbm'?"),
        ({"change": {"tree": 5}}, "tree: unknown key; did you mean 'trees'?"),
        ({"change": {"inputs": ["rgb"]}}, "unknown modality or channel 'rgb'"),
        ({"change": {"subsample": 2}}, "subsample: expected 1 or less; got 2"),
        ({"members": ["modalities.rgbb"]}, "no variant 'rgbb'; did you mean 'rgbn'?"),
        ({"members": ["nothing"]}, "unknown model or variant 'nothing'"),
        ({"members": ["mine.v"]}, "mine.v is made of itself"),
        ({"against": "lightgmb"}, "unknown model or variant 'lightgmb'"),
        ({"scaling_fit": "fold"}, "are for networks, not lightgbm"),
        ({"base": "pwee_v3", "change": {"head": "V2"}}, "V2 reads 2 inputs, got 3"),
        ({"base": "pwee_v3", "change": {"encoder": "enc9"}}, "unknown encoder 'enc9'"),
        ({"members": "all", "change": {"trees": 3}}, "nothing can be changed beside them"),
        (
            {"chnage": {}},
            "ablation.tables.mine.variants.v.chnage: unknown key; did you mean 'change'?",
        ),
    ],
)
def test_a_mistake_is_refused_in_the_words_of_the_file(variant: dict[str, Any], message: str):
    text = refusal(with_variants(v=variant))
    assert message in text
    assert "ablation.tables.mine.variants.v" in text or "ablation.tables.mine" in text


def test_a_subset_is_told_by_its_inputs_and_what_a_name_says_is_not_told_again():
    words = plan().words
    assert words["modalities"]["sar_sar_diff"] == "lightgbm with inputs: [sar, sar_diff]"
    assert len(words["modalities"]) == 15
    assert words["statistics"] == {}
    assert words["scenarios"]["trees"] == "ensemble of trees"


def test_jobs_that_only_variants_need_are_called_after_the_first_of_them():
    made = plan()
    names = made.variant_names()
    assert set(names) == set(made.variants)
    all_multi = members(made, "encoders_per_input")["all_multi"][0]
    assert names[all_multi] == "encoders_per_input: all_multi"
