"""The schema that editors read, and the reference page, say what the code checks."""

import re
from typing import Any

import jsonschema
import pytest
import yaml

from landslip.config.json_schema import config_schema, files
from landslip.config.schema import Config
from project import ROOT

CONFIGS = [ROOT / "config.yaml", *sorted((ROOT / "resources" / "configs").glob("*.yaml"))]


def mistakes(config: dict[str, Any]) -> list[str]:
    """What the schema finds wrong with a config."""
    return [
        error.message
        for error in jsonschema.Draft202012Validator(config_schema()).iter_errors(config)
    ]


def test_schema_and_reference_are_those_of_the_code():
    for path, content in files().items():
        assert (ROOT / path).read_text() == content, "run python -m landslip.config.json_schema"


def test_every_key_says_what_it_means():
    reference = files()
    rows = [line for text in reference.values() for line in text.splitlines() if line[:2] == "| "]
    assert len(rows) > 60
    assert not [row for row in rows if row.endswith("|  |")]


def test_every_key_of_every_section_stands_in_the_reference():
    page = (ROOT / "docs" / "config.md").read_text()
    schema = Config.model_json_schema()
    sections = [schema, *schema["$defs"].values()]
    names = {name for section in sections for name in section.get("properties", {})}
    assert len(names) > 60
    assert not [name for name in names if not re.search(rf"\b{name}\b", page)]


def test_config_yaml_names_a_schema_that_is_there():
    first = (ROOT / "config.yaml").read_text().splitlines()[0]
    marker, path = first.split("$schema=")
    assert marker == "# yaml-language-server: "
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_the_schema_takes_every_config_that_ships(path):
    assert mistakes(yaml.safe_load(path.read_text())) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"fold": {"n": 3}},
        {"folds": {"schema": "kfold"}},
        {"folds": {"n": 1}},
        {"models": {"pwee_v3": {"training": {"epoch": 3}}}},
        {"models": {"pwee_v3": {"head": "V9"}}},
        {"models": {"3d": {"trees": 5}}},
        {"ensemble": {"threshold": 50}},
        {"channels": {"red": {"modality": "rgbn", "units": "db"}}},
    ],
    ids=str,
)
def test_the_schema_refuses_what_the_code_refuses(wrong):
    assert mistakes(wrong) != []


def test_the_schema_lets_another_file_take_entries_out():
    assert mistakes({"models": {"xgboost": None}, "encoders": {"enc1": None}}) == []
