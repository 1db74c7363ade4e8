"""Pretrained weights are there with the right digest, or training is refused."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from resumable import make_inputs, train_fold
from safetensors.torch import save_file

from landslip.io.files import InputError, file_digest
from landslip.models.encoder import build_encoder, check_fit
from landslip.models.weights import Pretrained, fetch_weights, verify_weights
from project import ROOT

NAME = "test_efficientnet"


def weights(width: int = 3, name: str = NAME) -> dict[str, torch.Tensor]:
    """Random weights of a small encoder that reads so many bands."""
    torch.manual_seed(1)
    state: dict[str, torch.Tensor] = timm.create_model(name, in_chans=width).state_dict()
    return state


def write(path: Path, state: dict[str, torch.Tensor]) -> Path:
    save_file(state, path)
    return path


@pytest.fixture
def local(tmp_path: Path) -> Path:
    return write(tmp_path / "given.safetensors", weights())


def fetch(local: Path | None, folder: Path, **options: Any) -> Path:
    target = folder / "weights" / f"{NAME}.safetensors"
    fetch_weights(
        NAME,
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
    assert verify_weights(target).path == target


def loaded_tensors(path: Path, channels: list[str], **given: Any) -> dict[str, torch.Tensor]:
    """Tensors of an encoder of `channels` that started from a file."""
    encoder, _ = build_encoder(
        NAME, channels=channels, outputs=1, image_size=64,
        pretrained=Pretrained(path=path, **given),
    )  # fmt: skip
    return dict(encoder.state_dict())


@pytest.mark.parametrize("prefix", ["backbone.", "module.", "encoder.", "module.model.encoder."])
def test_a_prefix_that_makes_weights_fit_is_taken_off_and_said(
    prefix: str, local: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    named = {f"{prefix}{name}": value for name, value in weights().items()}
    path = write(tmp_path / "named.safetensors", {**named, "loss.weight": torch.ones(1)})
    target = fetch(path, tmp_path)
    assert f"prefix '{prefix}'" in caplog.text
    told = json.loads(target.with_suffix(".json").read_text())
    assert told["loaded"] == told["tensors"] - 2  # all but the classifier
    one, other = (loaded_tensors(each, ["red", "nir"]) for each in (local, target))
    same = [name for name in one if not name.startswith("classifier.")]
    assert all(torch.equal(one[name], other[name]) for name in same)


def astray(case: str) -> dict[str, torch.Tensor]:
    """Weights that are not those of the encoder."""
    state = weights()
    if case == "unknown prefix":
        return {f"net.{name}": value for name, value in state.items()}
    if case == "another architecture":
        return weights(name="test_vit2")
    if case == "a tensor is missing":
        del state["bn1.weight"]
    elif case == "another shape":
        state["bn1.weight"] = torch.ones(5)
    elif case == "NaN":
        state["bn1.bias"][0] = torch.nan
    elif case == "infinity in half precision":
        state = {name: value.half() for name, value in state.items()}
        state["bn1.bias"][0] = torch.inf
    elif case == "quantised":
        state["bn1.weight"] = torch.ones(4, dtype=torch.int8)
    else:
        state["blocks.7.0.conv.weight"] = torch.ones(5)
    return state


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (
            "unknown prefix",
            r"\d+ of \d+ tensors are missing.*holds other names, such as net\..*not timm's",
        ),
        ("another architecture", r"tensors are missing.*not timm's"),
        ("a tensor is missing", r"1 of \d+ tensors are missing, such as bn1\.weight"),
        ("NaN", r"NaN or infinity in 1 tensors, such as bn1\.bias"),
        ("infinity in half precision", r"NaN or infinity in 1 tensors, such as bn1\.bias"),
        ("quantised", r"8 bits in 1 tensors, such as bn1\.weight.*float32"),
        ("another shape", r"1 of \d+ have another shape, such as bn1\.weight"),
        ("a deeper one's", r"1 are of layers that it does not have, such as blocks\.7"),
    ],
)
def test_weights_that_do_not_fit_are_refused_when_they_are_fetched(
    case: str, words: str, tmp_path: Path
):
    path = write(tmp_path / "given.safetensors", astray(case))
    with pytest.raises(InputError, match=words):
        fetch(path, tmp_path)
    assert not (tmp_path / "weights").exists()


@pytest.mark.parametrize(
    ("width", "bands", "words"),
    [
        (13, None, "reads 13 bands.*encoders.<name>.bands"),
        (4, None, "reads 4 bands"),
        (13, ["red", "nir"], "names 2 bands.*reads 13"),
        (3, ["red", "nir"], "names 2 bands.*reads 3"),
    ],
)
def test_bands_that_are_not_named_are_refused(
    width: int, bands: list[str] | None, words: str, tmp_path: Path
):
    path = write(tmp_path / "given.safetensors", weights(width))
    with pytest.raises(InputError, match=words):
        fetch(path, tmp_path, bands=bands)


def test_a_trained_model_says_how_much_of_each_encoder_came_from_its_weights(
    local: Path, tmp_path: Path
):
    (tmp_path / "inputs").mkdir()
    inputs = make_inputs(tmp_path / "inputs")
    target = fetch(local, tmp_path)
    train_fold(inputs, tmp_path, pretrained={NAME: target}, training={"epochs": 1})
    told = json.loads((tmp_path / "model.json").read_text())
    tensors = len(weights())
    came = {"tensors": tensors, "loaded": tensors - 2, "prefix": ""}
    assert told["pretrained"] == [None, came, None]


def test_bands_are_mapped_to_channels_by_name(tmp_path: Path):
    bands = ("B1", "blue", "green", "red", "nir")
    given = weights(len(bands))
    target = fetch(write(tmp_path / "given.safetensors", given), tmp_path, bands=bands)
    assert verify_weights(target).bands == bands
    filters = given["conv_stem.weight"]
    found = loaded_tensors(target, ["nir", "vv", "red"], bands=bands)
    plain = [filters[:, 4], filters.mean(1), filters[:, 3]]
    torch.testing.assert_close(found["conv_stem.weight"], torch.stack(plain, 1) * 5 / 3)
    assert torch.equal(found["bn1.weight"], given["bn1.weight"])
    same = loaded_tensors(target, list(bands), bands=bands)
    torch.testing.assert_close(same["conv_stem.weight"], filters)


REAL = ROOT.parent / "shared" / "data" / "weights" / "tf_efficientnet_lite0.safetensors"


@pytest.mark.skipif(not REAL.is_file(), reason="the real weights are not here")
def test_real_weights_fit_whole_but_for_the_classifier():
    fit = check_fit("tf_efficientnet_lite0.in1k", Pretrained(path=REAL))
    assert (fit.loaded, fit.prefix) == (fit.tensors - 2, "")


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


@pytest.mark.slow
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
