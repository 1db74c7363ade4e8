"""A drawing of a model says what the built network is, and fits into its boxes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from torch import Tensor, nn

from landslip.config import parse_config
from landslip.config_merge import merge_config
from landslip.files import InputError
from landslip.models.heads import BUILDERS
from landslip.models.names import HEADS
from landslip.models.network import Architecture, MultiEncoder
from landslip.report.style import DPI, drawing
from landslip.study import model_drawing
from landslip.study.anatomy import dissect, follow
from landslip.study.model_drawing import draw_model
from landslip.study.outline import drawn_models, outline
from landslip.study.plan import Plan, plan_study
from project import shipped_study
from workflow import planned, snakemake

CHANNELS = (("red", "nir"), ("vv",), ("vh", "ndvi", "ndwi"), ("slope",))
# Small models of timm, of four families.
MIXED = ("test_vit2", "test_efficientnet", "test_convnext", "test_vit3")


def architecture(head: str, encoders: tuple[str, ...] = MIXED) -> Architecture:
    """A network with as many inputs as the head reads, another encoder for each."""
    inputs = HEADS[head]
    return Architecture(
        channels=CHANNELS[:inputs],
        encoders=encoders[:inputs],
        head=head,
        features=12,
        image_size=64,
    )


def built(made: Architecture) -> MultiEncoder:
    """The network that would be trained."""
    n = len(made.stack)
    return MultiEncoder(made, shift=[0.0] * n, scale=[1.0] * n)


def size(module: nn.Module) -> int:
    """Parameters, counted one tensor after the other."""
    return sum(len(parameter.flatten()) for parameter in module.parameters())


@pytest.mark.parametrize("head", HEADS)
def test_parameters_are_those_of_the_network_that_is_trained(head: str):
    made = architecture(head)
    network, anatomy = built(made), dissect(made)
    assert anatomy.parameters == size(network) > 0
    assert [part.parameters for part in anatomy.encoders] == [size(e) for e in network.encoders]
    assert anatomy.head_parameters == size(network.head)
    assert sum(part.parameters for part in anatomy.encoders) + anatomy.head_parameters == (
        anatomy.parameters
    )
    assert len({part.parameters for part in anatomy.encoders}) == len(made.encoders)


@pytest.mark.parametrize("head", HEADS)
def test_widths_are_those_of_real_features(head: str):
    made = architecture(head)
    anatomy = dissect(made)
    network = built(made).eval()
    with torch.no_grad():
        features = network.encode(torch.rand(2, len(made.stack), 64, 64))
    assert anatomy.layers[0].outputs == features.shape[1]
    assert sum(part.outputs for part in anatomy.encoders) == features.shape[1]
    assert anatomy.layers[-1].outputs == 1


@pytest.mark.parametrize(
    ("head", "steps"),
    [
        ("single", ["logit"]),
        ("V2", ["features z: 2 × 12", "Linear 24 → 12", "BatchNorm", "z and BatchNorm joined",
                "Linear 36 → 1"]),
        ("V3", ["features z: 3 × 12", "Linear 36 → 24", "BatchNorm", "z and BatchNorm joined",
                "Linear 60 → 24", "Dropout 0.1", "Linear 24 → 1"]),
        ("V3c", ["features z: 3 × 12", "Linear 36 → 12", "ReLU", "z and ReLU joined",
                 "Linear 48 → 1"]),
        ("V4", ["features z: 4 × 12", "Linear 48 → 24", "BatchNorm", "z and BatchNorm joined",
                "Linear 72 → 24", "Dropout 0.1", "Linear 24 → 1"]),
    ],
)  # fmt: skip
def test_steps_of_a_head_are_the_papers(head: str, steps: list[str]):
    layers = dissect(architecture(head)).layers
    assert [layer.text for layer in layers] == steps
    joined = [layer for layer in layers if layer.text.endswith("joined")]
    # Features go round the reduction and are joined with it.
    assert [layer.reads for layer in joined] == [(0, 2)] * (head != "single")
    others = [layer.reads for layer in layers[1:] if layer not in joined]
    assert all(len(reads) == 1 for reads in others)


@pytest.mark.parametrize(
    ("timm", "millions"),
    [  # the paper's encoders, as their authors count them
        ("maxvit_rmlp_tiny_rw_256.sw_in1k", 28.8),
        ("vit_medium_patch16_reg4_gap_256.sbb_in12k_ft_in1k", 38.6),
        ("vit_pwee_patch16_reg1_gap_256.sbb_in1k", 15.1),
        ("caformer_s18.sail_in22k_ft_in1k", 24.8),
        ("vit_medium_patch16_rope_reg1_gap_256.sbb_in1k", 38.5),
    ],
)
def test_the_papers_encoders_have_their_published_size(timm: str, millions: float):
    made = Architecture(
        channels=(("red", "green", "blue"), ("nir", "vv", "vh")), encoders=(timm, timm),
        head="V2", features=256, image_size=256,
    )  # fmt: skip
    for part in dissect(made).encoders:
        assert part.parameters / 1e6 == pytest.approx(millions, rel=0.01)


class Fickle(nn.Module):
    """A head whose way depends on what it reads."""

    def forward(self, features: Tensor) -> Tensor:
        """(n, k f) -> (n,)."""
        return features[:, 0] if features.sum() > 0 else features[:, 1]


def test_a_head_that_cannot_be_followed_is_refused_by_name():
    with pytest.raises(InputError, match="head fickle cannot be drawn"):
        follow(Fickle(), [4, 4], "fickle")


def plan(over: dict[str, Any] | None = None) -> tuple[Any, Plan]:
    config = parse_config(merge_config(shipped_study(), over or {}))
    return config, plan_study(config)


@pytest.fixture
def sheets(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Every figure that is drawn, to be looked at."""
    drawn: list[Figure] = []

    @contextmanager
    def kept(target: Path, **look: float) -> Iterator[Figure]:
        with drawing(target, **look) as figure:
            yield figure
            drawn.append(figure)

    monkeypatch.setattr(model_drawing, "drawing", kept)
    return drawn


def parts(figure: Figure) -> tuple[list[Bbox], list[tuple[str, Bbox]]]:
    """Where boxes and texts are, in pixels."""
    (axes,) = figure.axes
    figure.set_dpi(DPI)  # texts were laid out for the file
    boxes = [item.get_window_extent() for item in axes.patches if isinstance(item, FancyBboxPatch)]
    texts = [item for item in axes.findobj(Text) if item.get_text()]
    return boxes, [(item.get_text(), item.get_window_extent()) for item in texts]


def inside(inner: Bbox, outer: Bbox) -> bool:
    """With a pixel of tolerance."""
    return (
        outer.x0 - 1 <= inner.x0
        and inner.x1 <= outer.x1 + 1
        and outer.y0 - 1 <= inner.y0
        and inner.y1 <= outer.y1 + 1
    )


LONG = {
    "modality_with_a_name_of_more_than_thirty_letters": [f"channel_number_{i}" for i in range(9)],
    "b": ["c"],
}


def long_names() -> dict[str, Any]:
    """A network whose names are all too long for a line."""
    return {
        "kind": "network",
        "architecture": {
            "channels": list(LONG.values()),
            "encoders": ["vit_medium_patch16_rope_reg1_gap_256.sbb_in1k"] * 2,
            "head": "V2", "features": 256, "image_size": 256,
        },
        "inputs": [f"{name} + {name}" for name in LONG],
        "encoders": ["an_encoder_that_somebody_gave_an_endless_name_to", "e"],
        "pretrained": [True, False],
        "scaling": "robust_1_99",
        "scaling_fit": "fold",
    }  # fmt: skip


def many_trees() -> dict[str, Any]:
    """Trees with no limit to their depth and names that are too long."""
    settings = {"trees": 1, "learning_rate": 0.1, "max_depth": -1, "subsample": 1.0}
    return {"kind": "lightgbm", "channels": LONG, "statistics": ["mean"], "settings": settings}


@pytest.mark.parametrize("made", [long_names, many_trees])
def test_names_of_any_length_fit(
    made: Callable[[], dict[str, Any]], tmp_path: Path, sheets: list[Figure]
):
    draw_model(name="m", outline=made(), target=tmp_path / "m.png")
    assert_tidy(sheets[0])


def assert_tidy(figure: Figure) -> None:
    """No text leaves its box or the sheet or lies on another, no box lies on another."""
    boxes, texts = parts(figure)
    assert len(boxes) > 3
    assert not [pair for pair in combinations(boxes, 2) if Bbox.intersection(*pair) is not None]
    for text, place in texts:
        assert inside(place, figure.bbox), text
        touched = [box for box in boxes if Bbox.intersection(place, box) is not None]
        assert all(inside(place, box) for box in touched), (text, place, touched)
        assert len(touched) <= 1, text
    for (one, first), (other, second) in combinations(texts, 2):
        shared = Bbox.intersection(first, second)
        assert shared is None or shared.height < 3, (one, other)


@pytest.mark.parametrize("name", list(shipped_study()["models"]))
def test_every_model_of_the_config_is_drawn_tidily(name: str, tmp_path: Path, sheets: list[Figure]):
    config, made = plan()
    draw_model(name=name, outline=outline(config, made.jobs[name]), target=tmp_path / "m.png")
    assert (tmp_path / "m.png").read_bytes().startswith(b"\x89PNG")
    assert_tidy(sheets[0])
    said = " ".join(text for text, _ in parts(sheets[0])[1])
    settings = made.jobs[name].settings
    network = settings.kind == "network"
    groups = settings.groups if network else [settings.inputs]
    for channel in config.channels_of(item for group in groups for item in group):
        assert channel in said
    if not network:
        assert "126 features" in said
        assert f"{settings.trees:,} trees" in said
        assert "at most" in said
    else:
        assert f"Head {settings.head}" in said
        assert f"resized to {settings.training.image_size} × {settings.training.image_size}" in said
        assert said.count("pretrained") == len(settings.groups)


def test_a_limit_that_is_none_is_not_told(tmp_path: Path, sheets: list[Figure]):
    draw_model(name="m", outline=many_trees(), target=tmp_path / "m.png")
    said = [text for text, _ in parts(sheets[0])[1]]
    assert "100 % of the patches for each tree" in said
    assert not [text for text in said if "deep" in text]


def test_an_encoder_for_every_input_is_told_with_its_own_size(tmp_path: Path, sheets: list[Figure]):
    config, made = plan()
    job = made.jobs[drawn_models(made)["mixed_encoders.maxvit_pwee"]]
    draw_model(name="mixed", outline=outline(config, job), target=tmp_path / "m.png")
    said = [text for text, _ in parts(sheets[0])[1]]
    assert said.index("enc1") < said.index("enc3")
    assert "28.8 M parameters, pretrained" in said
    assert "15.1 M parameters, pretrained" in said


def test_every_model_and_every_variant_that_is_one_model_can_be_drawn():
    _, made = plan()
    names = drawn_models(made)
    assert set(made.jobs) <= set(names)
    assert set(names.values()) == set(made.jobs)
    assert names["encoders_per_input.caformer_multi"] == "caformer_v3"
    assert names["pretraining.from_scratch"] != "pwee_v2_standard"
    assert "scenarios.trees" not in names, "a mean of models is no model"


def test_random_starts_are_told_from_pretrained_ones(tmp_path: Path, sheets: list[Figure]):
    config, made = plan()
    job = made.jobs[drawn_models(made)["pretraining.from_scratch"]]
    draw_model(name="scratch", outline=outline(config, job), target=tmp_path / "m.png")
    said = " ".join(text for text, _ in parts(sheets[0])[1])
    assert said.count("random start") == 2
    assert "pretrained" not in said


def test_every_head_that_can_be_built_can_be_drawn():
    assert set(BUILDERS) == set(HEADS)
    for head, inputs in HEADS.items():
        width = 1 if head == "single" else 8
        with torch.device("meta"):
            built_head = BUILDERS[head](inputs, 8)
        assert follow(built_head, [width] * inputs, head)[-1].outputs == 1


@pytest.mark.parametrize("name", ["pwee_v3", "lightgbm", "encoders_per_input.all_multi"])
def test_a_drawing_is_one_job_that_needs_no_data(name: str, tmp_path: Path):
    target = f"results/study/models/{name}.png"
    assert planned(snakemake(tmp_path, "-n", "--quiet", "rules", "--", target)) == {"draw_model": 1}
