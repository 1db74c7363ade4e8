"""Pretrained weights are there with the right digest, or training is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from landslip.files import InputError, file_digest
from landslip.models.weights import fetch_weights, verify_weights
from project import ROOT


@pytest.fixture
def local(tmp_path: Path) -> Path:
    path = tmp_path / "given.safetensors"
    save_file({"conv_stem.weight": np.ones((2, 3), np.float32)}, path)
    return path


def fetch(local: Path | None, folder: Path, **options: str) -> Path:
    target = folder / "weights" / "resnet10t.c3_in1k.safetensors"
    fetch_weights(
        "resnet10t.c3_in1k",
        local=local,
        target=target,
        description=target.with_suffix(".json"),
        **options,
    )
    return target


def test_local_weights_are_put_in_place_with_their_digest(local: Path, tmp_path: Path):
    target = fetch(local, tmp_path)
    assert target.read_bytes() == local.read_bytes()
    assert json.loads(target.with_suffix(".json").read_text())["sha256"] == file_digest(local)
    verify_weights(target)


def test_another_digest_than_the_expected_is_refused(local: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"expected SHA-256 0{64}"):
        fetch(local, tmp_path, sha256="0" * 64)
    assert not (tmp_path / "weights").exists()


def test_a_pickle_under_the_name_of_weights_is_refused(tmp_path: Path):
    path = tmp_path / "given.safetensors"
    path.write_bytes(b"\x80\x04\x95pickle")
    with pytest.raises(InputError, match="not a safetensors file"):
        fetch(path, tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"version https://git-lfs.github.com/spec/v1\n", "git lfs"), (b"<html>", "web page")],
)
def test_what_stands_in_place_of_weights_is_named(tmp_path: Path, content: bytes, words: str):
    path = tmp_path / "given.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"not a safetensors file but .*{words}"):
        fetch(path, tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="absent"):
        fetch(tmp_path / "absent.safetensors", tmp_path)


def test_an_unreachable_hub_is_a_refusal_that_says_what_to_do(tmp_path: Path):
    code = (
        "import sys; from pathlib import Path; from landslip.models.weights import fetch_weights\n"
        "out = Path(sys.argv[1])\n"
        "fetch_weights('resnet10t.c3_in1k', local=None, target=out, description=out)"
    )
    target = tmp_path / "weights" / "resnet10t.c3_in1k.safetensors"
    # The hub's own client, with an empty cache and told that there is no network.
    answer = subprocess.run(
        [sys.executable, "-c", code, str(target)],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode != 0
    message = answer.stderr.strip().splitlines()[-1]
    assert "cannot download the weights of resnet10t.c3_in1k" in message
    assert "local safetensors file" in message
    assert "pretrained: false" in message
    assert not target.parent.exists()


def test_damaged_and_missing_weights_are_refused(local: Path, tmp_path: Path):
    target = fetch(local, tmp_path)
    data = bytearray(target.read_bytes())
    data[-1] ^= 1
    target.write_bytes(data)
    with pytest.raises(InputError, match="damaged"):
        verify_weights(target)
    target.unlink()
    with pytest.raises(InputError, match=r"missing.*snakemake"):
        verify_weights(target)
