"""Config files are data: read whole, or refused with file, line and what to do."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from landslip.config.files import read_config_file, read_overrides
from landslip.io.files import InputError
from project import ROOT


def written(folder: Path, text: str | bytes, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def refusal(folder: Path, text: str | bytes, name: str = "mine.yaml") -> str:
    path = written(folder, text, name)
    with pytest.raises(InputError) as caught:
        read_config_file(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "models: {a: 1}\nseed: 1\nmodels: {b: 2}\n",
            "models stands there twice, on lines 1 and 3",
        ),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", "a.b stands there twice, on lines 2 and 4"),
        ("a: [{x: 1}, {x: 1,\n x: 2}]", "a.1.x stands there twice, on lines 1 and 2"),
        ("a: 1\na: 2\n'a': 3\n", "a stands there 3 times, on lines 1, 2 and 3"),
        ("x: &x {b: 1}\ny: {<<: *x, b: 2,\n b: 3}", "y.b stands there twice, on lines 2 and 3"),
        ('{"a": {"b": 1,\n\t"b": 2}}', "a.b stands there twice, on lines 1 and 2"),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_its_lines(tmp_path: Path, text: str, words: str):
    assert words in refusal(tmp_path, text)


def test_a_key_that_overrides_a_merged_one_stands_there_once(tmp_path: Path):
    text = "a: &a {x: 1, y: 2}\nb: &b {<<: *a, y: 3}\nc: {<<: [*b, *a], x: 4}\nd: *a\n"
    found = read_config_file(written(tmp_path, text))
    assert found["b"] == {"x": 1, "y": 3}
    assert found["c"] == {"x": 4, "y": 3}
    assert found["d"] == found["a"]


@pytest.mark.parametrize("path", sorted([*ROOT.glob("resources/configs/*"), ROOT / "config.yaml"]))
def test_shipped_configs_are_read_as_yaml_reads_them(path: Path):
    import yaml

    assert read_config_file(path) == yaml.safe_load(path.read_text())


BOMB = "a0: &a0 [1, 1]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(40))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("results: out\n".encode("utf-16"), "UTF-16"),
        (b"seed: 1\nresults: caf\xe9\n", "line 2: not UTF-8"),
        ("", "keys at top level"),
        ("# nothing\n", "keys at top level"),
        ("- a\n", "keys at top level"),
        ("50%", "keys at top level"),
        ("a:\n\tb: 1\n", "line 2, column 1: not valid YAML"),
        ("a: b: c\n", "in quotes"),
        ("a: [1\n", "line 2"),
        ("a: 1\n---\nb: 2\n", "line 2"),
        ("a: *b\n", "line 1"),
        ("a: \0\n", "not valid YAML"),
        ("a: !!python/object/apply:os.system [ls]\n", "line 1: tags such as !!python"),
        ("a: !!set {x}\n", "tags"),
        ("a: !mine 1\n", "tags"),
        ("a: !!int x\n", "tags"),
        ("a: &a [*a]\n", "alias"),
        (BOMB, "aliases"),
        ("a: " + "[" * 60 + "]" * 60, "nested deeper"),
        ("a: " + "[" * 9000 + "]" * 9000, "nested deeper"),
        ("a: " + "9" * 5000, "5000 digits"),
        ("a: 010\n", "the number 8"),
        ("a: 12:30\n", "the number 750"),
        ("no: 1\n", "in quotes"),
        ("5: 1\n", "in quotes"),
        ("2024-01-01: 1\n{", "not valid YAML"),
        ("? [a]\n: 1\n", "a key must be text"),
        ("a: {<<: 1}\n", "not valid YAML"),
        ("x: " + "y" * 2_000_000, "larger than 1 MB"),
        ("__use_yte__: true\nresults: ?open('ran', 'w').name\n", "__use_yte__"),
    ],
)
def test_what_is_no_config_is_refused(
    tmp_path: Path, text: str | bytes, words: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert words in refusal(tmp_path, text)
    assert os.listdir(tmp_path) == ["mine.yaml"]


def test_what_is_no_file_is_refused(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("nowhere", "No such file"), ("pipe", "regular file"), (".", "regular")):
        with pytest.raises(InputError, match=words):
            read_config_file(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 2024-01-01", "2024-01-01"),
        ("a: =", "="),
        ("a: 50%", "50%"),
        ("a: 1_000", 1000),
        ("a: 0x10", 16),
        ("a: yes", True),
        ("a: !!str 5", "5"),
        ("\ufeffa: 1", 1),
        ('{"a":\t1e5}', 1e5),
        ('{"a": "\\ud83d\\ude00\\/"}', "\U0001f600/"),
    ],
)
def test_plain_values_are_read_as_they_look(tmp_path: Path, text: str, value: Any):
    assert read_config_file(written(tmp_path, text)) == {"a": value}


def test_later_files_and_the_command_line_override(tmp_path: Path):
    first = written(tmp_path, "folds: {n: 3, seed: 1}\nseed: 1\n")
    second = written(tmp_path, json.dumps({"folds": {"n": 4}}), "other.json")
    over = read_overrides([first, second], ["seed=9", "folds={group: scene}"])
    assert over == {"folds": {"n": 4, "seed": 1, "group": "scene"}, "seed": 9}


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("data={folder: null}", {"folder": None}),
        ("data={'folder': None, 'on': True}", {"folder": None, "on": True}),
        ("data={folder: ~}", {"folder": None}),
        ("data=", None),
        ("data={folder: 'null'}", {"folder": "null"}),
        ("data=@x", "@x"),
        ("data=my=data", "my=data"),
        ("data='5'", "5"),
    ],
)
def test_a_null_on_the_command_line_is_null(argument: str, value: Any):
    assert read_overrides([], [argument]) == {"data": value}


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("data={folder: x, folder: y}", "--config data: folder stands there twice"),
        ("data={folder: x", "--config data, line 1"),
        ("seed=010", "--config seed, line 1"),
    ],
)
def test_a_mistake_on_the_command_line_is_refused(argument: str, words: str):
    with pytest.raises(InputError, match=words):
        read_overrides([], [argument])
