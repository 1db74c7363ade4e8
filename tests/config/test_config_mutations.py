"""Whatever stands in a config, it is valid or refused in the config's own words."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from landslip.ablation.plan import names_in, plan_ablation
from landslip.config.files import read_overrides
from landslip.config.merge import merge_config
from landslip.config.schema import parse_config
from landslip.io.files import InputError
from project import shipped_ablation

SHIPPED = shipped_ablation()
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 3, 0.5, -2.5, 10**9, 10**40, 1e300, float("inf"), float("nan"),
    "", " ", "null", "yes", "50%", "0.5", "1e-4", "a.b", "a/b", "~", "$X", "{x}", "x" * 500, "é",
    "\udc80", "\x00", [], [1], ["red"], [["red"]], [[]], [None], [True, 5], {}, {"a": 1}, {5: 1},
    {None: {}}, {"kind": "network"}, {"kind": ["network"]}, {"kind": 5}, {"base": "lightgbm"},
    [{}], {"red": None}, {"x": {"y": {"z": []}}}, (1, 2), b"x",
]  # fmt: skip
# What pydantic, and nobody else, says.
FOREIGN = ("input should", "value error", "pydantic", "validation", "literal[", "constrained")
FOREIGN += ("another value", "another text", "unable to", "function-", "tagged-union", "list[")


def outcome(over: Any) -> str:
    """The refusal, or nothing of a valid config."""
    try:
        plan_ablation(parse_config(merge_config(SHIPPED, over)), names_in(SHIPPED))
    except InputError as error:
        return str(error)
    return ""


def places(value: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    found = [(*way, key) for key, _ in inside]
    for key in [key for *_, key in found]:
        if isinstance(value[key], dict | list):
            found += places(value[key], (*way, key))
    return found


def mutated(chance: random.Random) -> dict[str, Any]:
    """The shipped config with one to three values, or names of keys, exchanged for odd ones."""
    config = copy.deepcopy(SHIPPED)
    for _ in range(chance.choice([1, 1, 1, 2, 3])):
        *way, last = chance.choice(places(config))
        parent = config
        for key in way:
            parent = parent[key]
        if chance.random() < 0.1 and isinstance(parent, dict):
            parent[chance.choice([5, None, "", "Kind", "a b", "id", 1.5, True])] = parent.pop(last)
        else:
            parent[last] = copy.deepcopy(chance.choice(ODD))
    return config


@pytest.mark.parametrize("seed", range(8))
def test_a_mutated_config_is_valid_or_refused_in_the_configs_words(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("X", raising=False)
    chance = random.Random(seed)
    assert not outcome(SHIPPED)
    refused = 0
    for _ in range(40):
        over = mutated(chance)
        message = outcome(over)
        refused += bool(message)
        assert not [word for word in FOREIGN if word in message.lower()], message
        assert "\n  " in message or not message, message
    assert refused > 20


@pytest.mark.parametrize("seed", range(4))
def test_a_config_file_with_changed_bytes_is_read_or_refused(seed: int, tmp_path: Path):
    chance = random.Random(seed)
    texts = [
        yaml.safe_dump(SHIPPED["ablation"]),
        json.dumps(SHIPPED["folds"]),
        "a: &a {b: 1}\nc: {<<: *a}",
    ]
    path = tmp_path / "mine.yaml"
    for _ in range(60):
        raw = bytearray(chance.choice(texts)[:1500].encode())
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(raw))
            new = chance.choice(
                [b"\t", b"\n", b":", b"*a", b"!!x ", b"\xff", b"{", b"'", b"\0", b"- "]
            )
            raw[at : at + chance.randint(0, 2)] = new
        path.write_bytes(raw)
        try:
            assert isinstance(read_overrides([path]), dict)
        except InputError as error:
            assert str(path) in str(error)


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"ensemble": {"threshold": "50%"}}, "threshold: expected exact, grid or a number from 0"),
        ({"ensemble": {"threshold": True}}, "threshold: expected exact, grid or a number from 0"),
        ({"seed": True}, "seed: expected a whole number; got 'true'"),
        ({"seed": 10**40}, "seed: expected less than"),
        ({"data": {"simulation": {"train": 10**9}}}, "train: expected 1000000 or less"),
        ({"seed": 1.5}, "seed: expected a whole number; got 1.5"),
        ({"folds": {"n": [5]}}, "folds.n: expected a whole number; got [5]"),
        ({"folds": 5}, "folds: expected a section with keys of its own; got 5"),
        ({"folds": {"group": 7}}, "folds.group: expected text; got 7; put it in quotes"),
        ({"gpu": {"wait": "perhaps"}}, "gpu.wait: expected true or false"),
        ({"units": {"db": {"plausible": [1]}}}, "units.db.plausible.1: this key must be given"),
        ({"units": {"db": {"plausible": [0, float("inf")]}}}, "expected a finite number"),
        ({"models": {"pwee_v3": {"encoder": 5}}}, "encoder: expected a name in `encoders`"),
        ({"models": {"pwee_v3": {"inputs": [5]}}}, "inputs.0: expected a modality or channel"),
        ({"models": {"pwee_v3": {"kind": "forest"}}}, "kind: expected one of lightgbm"),
        ({"models": {"new": {"trees": 3}}}, "models.new.kind: this key must be given"),
        ({"models": {"a b": {"kind": "xgboost"}}}, "models.a b: expected a name of letters"),
        ({"results": None}, "results: expected text; got null"),
        ({"results": 2024}, "results: expected text; got 2024; put it in quotes"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_was_expected(over: dict[str, Any], message: str):
    assert message in outcome(over)
