"""Networks: the paper's encoders and heads at full size, and what goes through them."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from landslip.io.files import InputError, file_digest
from landslip.models.encoder import build_encoder
from landslip.models.heads import build_head
from landslip.models.network import Architecture, MultiEncoder
from landslip.models.network_files import load_network, save_network
from landslip.models.objective import landslide_loss
from landslip.models.weights import Pretrained

TINY = "test_vit2"


def architecture(
    encoder: str, inputs: int, head: str, *, features: int = 256, size: int = 256, channels: int = 4
) -> Architecture:
    groups = tuple(tuple(f"c{i}_{j}" for j in range(channels)) for i in range(inputs))
    return Architecture(
        channels=groups,
        encoders=(encoder,) * inputs,
        head=head,
        features=features,
        image_size=size,
    )


def network(plan: Architecture) -> MultiEncoder:
    width = len(plan.stack)
    return MultiEncoder(plan, shift=[0.0] * width, scale=[1.0] * width)


@pytest.mark.parametrize(
    ("encoder", "inputs", "head", "channels", "millions"),
    [
        ("maxvit_rmlp_tiny_rw_256.sw_in1k", 1, "single", 4, 28.8),
        ("vit_medium_patch16_reg4_gap_256.sbb_in12k_ft_in1k", 1, "single", 14, 38.6),
        ("vit_pwee_patch16_reg1_gap_256.sbb_in1k", 2, "V2", 4, 2 * 15.1),
        ("vit_pwee_patch16_reg1_gap_256.sbb_in1k", 3, "V3", 4, 3 * 15.1),
        ("vit_pwee_patch16_reg1_gap_256.sbb_in1k", 4, "V4", 4, 4 * 15.1),
        ("caformer_s18.sail_in22k_ft_in1k", 3, "V3", 4, 3 * 24.8),
        ("vit_medium_patch16_rope_reg1_gap_256.sbb_in1k", 3, "V3c", 4, 3 * 38.5),
    ],
)
def test_every_encoder_of_the_study_takes_one_training_step_at_full_size(
    encoder: str, inputs: int, head: str, channels: int, millions: float
):
    torch.manual_seed(0)
    model = network(architecture(encoder, inputs, head, channels=channels))
    parameters = sum(parameter.numel() for parameter in model.parameters())
    assert parameters / 1e6 == pytest.approx(millions, rel=0.04)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, weight_decay=0.01)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    patches = torch.randn(2, len(model.architecture.stack), 64, 64)
    loss = landslide_loss(model(patches), torch.tensor([0.0, 1.0]), 0.5)
    loss.backward()
    optimizer.step()
    assert torch.isfinite(loss)
    changed = [not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)]
    assert all(changed)


@pytest.mark.parametrize(
    ("head", "inputs", "shapes"),
    [
        ("V2", 2, [(256, 512), (1, 768)]),
        ("V3", 3, [(512, 768), (512, 1280), (1, 512)]),
        ("V3c", 3, [(256, 768), (1, 1024)]),
        ("V4", 4, [(512, 1024), (512, 1536), (1, 512)]),
    ],
)
def test_heads_have_the_papers_layers(head: str, inputs: int, shapes: list[tuple[int, int]]):
    built = build_head(head, inputs, 256)
    linear = [m.weight.shape for m in built.modules() if isinstance(m, torch.nn.Linear)]
    assert linear == [torch.Size(shape) for shape in shapes]
    assert built(torch.randn(3, inputs * 256)).shape == (3,)


def test_each_encoder_sees_its_own_channels_only():
    torch.manual_seed(0)
    model = network(architecture(TINY, 2, "V2", features=8, size=32)).eval()
    patches = torch.randn(2, 8, 16, 16)
    seen: list[torch.Tensor] = []
    for encoder in model.encoders:
        encoder.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    model(patches)
    changed = patches.clone()
    changed[:, 4:] += 1
    model(changed)
    assert torch.equal(seen[0], seen[2])
    assert not torch.equal(seen[1], seen[3])


def test_scaling_is_part_of_the_network():
    plan = architecture(TINY, 1, "single", size=32, channels=2)
    torch.manual_seed(0)
    raw = MultiEncoder(plan, shift=[10.0, -3.0], scale=[4.0, 0.5]).eval()
    plain = MultiEncoder(plan, shift=[0.0, 0.0], scale=[1.0, 1.0]).eval()
    state = {
        name: value for name, value in raw.state_dict().items() if name not in ("shift", "scale")
    }
    plain.load_state_dict(state, strict=False)
    patches = torch.randn(2, 2, 32, 32)
    in_units = patches * torch.tensor([4.0, 0.5]).view(1, 2, 1, 1)
    in_units = in_units + torch.tensor([10.0, -3.0]).view(1, 2, 1, 1)
    torch.testing.assert_close(raw(in_units), plain(patches), rtol=1e-4, atol=1e-4)


def test_pretrained_weights_are_adapted_to_the_number_of_channels(tmp_path: Path):
    torch.manual_seed(0)
    source, _ = build_encoder("test_efficientnet", channels=["a"] * 3, outputs=9, image_size=64)
    path = tmp_path / "test_efficientnet.safetensors"
    save_file(source.state_dict(), path)
    four, loaded = build_encoder(
        "test_efficientnet", channels=["a"] * 4, outputs=8, image_size=64,
        pretrained=Pretrained(path=path),
    )  # fmt: skip
    assert loaded is not None
    assert loaded.loaded == loaded.tensors - 2  # all but the classifier
    trained, kept = source.state_dict(), four.state_dict()
    assert kept["conv_stem.weight"].shape[1] == 4
    assert torch.equal(trained["blocks.0.0.conv.weight"], kept["blocks.0.0.conv.weight"])
    # timm repeats the three channels and rescales by 3 / channels
    first = trained["conv_stem.weight"][:, 0] * 3 / 4
    torch.testing.assert_close(kept["conv_stem.weight"][:, 3], first)


def test_a_stored_network_gives_the_same_logits(tmp_path: Path):
    torch.manual_seed(0)
    model = network(architecture(TINY, 3, "V3", features=8, size=32)).eval()
    weights, description = tmp_path / "model.safetensors", tmp_path / "model.json"
    save_network(model, weights=weights, description=description, metadata={"model": "tiny"})
    again, metadata = load_network(description)
    patches = torch.randn(4, 12, 16, 16)
    assert torch.equal(model(patches), again(patches))
    assert metadata["model"] == "tiny"


def stored(tmp_path: Path) -> Path:
    model = network(architecture(TINY, 1, "single", size=32))
    description = tmp_path / "model.json"
    save_network(
        model, weights=tmp_path / "model.safetensors", description=description, metadata={}
    )
    return description


def test_flipped_weights_are_refused(tmp_path: Path):
    description = stored(tmp_path)
    weights = tmp_path / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-5] ^= 1
    weights.write_bytes(data)
    with pytest.raises(InputError, match=r"model\.safetensors is damaged"):
        load_network(description)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": "../elsewhere.safetensors"}, "the name of a file beside it"),
        ({"weights": ".."}, "the name of a file beside it"),
        ({"weights": "absent.safetensors"}, "no file beside it"),
        ({"format_version": 99}, "99"),
        ({"kind": "lightgbm"}, "lightgbm"),
    ],
)
def test_a_foreign_model_folder_is_refused(change: dict[str, object], words: str, tmp_path: Path):
    description = stored(tmp_path)
    description.write_text(json.dumps({**json.loads(description.read_text()), **change}))
    with pytest.raises(InputError, match=words):
        load_network(description)


def forge(description: Path, state: dict[str, torch.Tensor]) -> None:
    """Other weights in a model folder, with a digest made to fit."""
    weights = description.with_name("model.safetensors")
    save_file(state, weights)
    metadata = json.loads(description.read_text())
    description.write_text(json.dumps({**metadata, "sha256": file_digest(weights)}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"features": 10**9}, "features is 1000000000, expected 1 to"),
        ({"features": 2.5}, "features"),
        ({"image_size": 10**6}, "image_size is 1000000"),
        ({"image_size": 17}, "pos_embed"),
        ({"head": "V9"}, "unknown head 'V9'"),
        ({"head": "V2"}, "reads 2 inputs, got 1"),
        ({"head": None}, "head"),
        ({"channels": [[]]}, "channels"),
        ({"channels": [["a", "a"]]}, "different names"),
        ({"channels": [[f"c{n}" for n in range(2000)]]}, "expected 1 to 1024 channels"),
        ({"channels": "abcd"}, "channels"),
        ({"encoders": ["no_such_encoder"]}, "unknown timm architecture"),
        ({"encoders": ["hf-hub:timm/resnet18"]}, "not followed"),
        ({"encoders": ["hf_hub:timm/resnet18"]}, "not followed"),
        ({"encoders": ["local-dir:elsewhere"]}, "not followed"),
        ({"encoders": ["../elsewhere"]}, "not followed"),
        ({"encoders": ["test_vit"]}, "expected"),
        ({"more": 1}, "more"),
    ],
)
def test_an_architecture_that_cannot_be_is_refused_by_file_and_cause_and_nothing_is_fetched(
    change: dict[str, object], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def connect(*_: object) -> None:
        raise AssertionError("a model folder made the job ask the internet")

    monkeypatch.setattr("socket.socket.connect", connect)
    description = stored(tmp_path)
    metadata = json.loads(description.read_text())
    metadata["architecture"].update(change)
    description.write_text(json.dumps(metadata))
    with pytest.raises(InputError, match=rf"model\.json.*{words}"):
        load_network(description)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "does not describe a model"),
        ("null", "does not describe a model"),
        ("[" * 100_000, "is damaged"),
        (" " * 2**21, "expected at most"),
    ],
)
def test_a_description_that_is_no_object_is_refused(text: str, words: str, tmp_path: Path):
    description = stored(tmp_path)
    description.write_text(text)
    with pytest.raises(InputError, match=rf"model\.json.*{words}"):
        load_network(description)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": 3}, "got 3"),
        ({"precision": "int4"}, "precision is 'int4'"),
        ({"threads": 0}, "threads is 0, expected a number from 1 to"),
        ({"threads": 10**6}, "threads is 1000000, expected a number from 1 to"),
        ({"threads": "two"}, "threads is 'two'"),
        ({"tta": ["flips"]}, "tta is"),
        ({"settings": []}, "settings.training"),
        ({"settings": {"training": {"compile": "os.system"}}}, "compile is 'os.system'"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(
    change: dict[str, object], words: str, tmp_path: Path
):
    description = stored(tmp_path)
    description.write_text(json.dumps({**json.loads(description.read_text()), **change}))
    with pytest.raises(InputError, match=rf"model\.json.*{words}"):
        load_network(description)


@pytest.mark.parametrize("change", ["shape", "type", "absent", "extra", "not finite"])
def test_weights_whose_digest_was_made_to_fit_are_refused(change: str, tmp_path: Path):
    description = stored(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    name = "encoders.0.fc_norm.weight"
    if change == "shape":
        state[name] = torch.zeros(7)
    elif change == "type":
        state[name] = state[name].to(torch.float64)
    elif change == "absent":
        del state[name]
    elif change == "extra":
        state["more"] = torch.zeros(1)
    else:
        state[name] = torch.full_like(state[name], float("nan"))
    forge(description, state)
    with pytest.raises(InputError, match=r"model\.safetensors"):
        load_network(description)


def test_weights_that_are_a_link_are_refused(tmp_path: Path):
    description = stored(tmp_path)
    weights = tmp_path / "model.safetensors"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    weights.rename(elsewhere / weights.name)
    weights.symlink_to(elsewhere / weights.name)
    with pytest.raises(InputError, match="is a link"):
        load_network(description)


def test_weights_of_another_network_are_refused(tmp_path: Path):
    description = stored(tmp_path)
    metadata = json.loads(description.read_text())
    metadata["architecture"]["channels"] = [["a", "b"]]
    description.write_text(json.dumps(metadata))
    with pytest.raises(InputError, match="does not fit"):
        load_network(description)
