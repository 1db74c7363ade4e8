"""Enlarging and embedding at once is the same as one after the other."""

import pytest
import timm
import torch
from torch import Tensor, nn
from torch.nn import functional

from landslip.models.encoder import build_encoder
from landslip.models.network import Architecture, MultiEncoder
from landslip.models.patch_embedding import EnlargingConv2d, enlargement, reads_small


def enlarge(images: Tensor, size: int) -> Tensor:
    return functional.interpolate(images, (size, size), mode="bilinear", align_corners=False)


@pytest.mark.parametrize(("side", "factor"), [(16, 4), (16, 2), (16, 8), (16, 16), (6, 3), (14, 2)])
def test_one_convolution_equals_enlarging_and_embedding(side: int, factor: int) -> None:
    torch.manual_seed(0)
    size = 3 * side // factor * 2
    plain = nn.Conv2d(3, 5, side, stride=side).double()
    folded = EnlargingConv2d(plain, size * factor)
    images = torch.randn(2, 3, size, size, dtype=torch.float64, requires_grad=True)
    expected, found = plain(enlarge(images, size * factor)), folded(images)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    upstream = torch.randn_like(found)
    exact = torch.autograd.grad(expected, [images, plain.weight], upstream)
    again = torch.autograd.grad(found, [images, folded.weight], upstream)
    for one, other in zip(again, exact, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-11)


def test_weights_of_a_block_sum_to_one_and_reach_its_neighbours() -> None:
    weights = enlargement(16, 4, torch.device("cpu"))
    assert weights.shape == (16, 6)
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(16, dtype=torch.float64))
    assert weights[0].tolist() == [0.375, 0.625, 0, 0, 0, 0]
    assert weights[-1].tolist() == [0, 0, 0, 0, 0.625, 0.375]


@pytest.mark.parametrize(
    "name",
    ["vit_pwee_patch16_reg1_gap_256", "vit_medium_patch16_rope_reg1_gap_256", "test_vit2"],
)
def test_an_encoder_gives_what_timms_own_gives(name: str) -> None:
    torch.manual_seed(1)
    ours = build_encoder(name, channels=list("abcd"), outputs=7, image_size=128)[0].eval()
    theirs = timm.create_model(name, in_chans=4, num_classes=7, img_size=128).eval()
    theirs.load_state_dict(ours.state_dict())
    assert reads_small(ours, 32)
    images = torch.randn(2, 4, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(enlarge(images, 128)), rtol=0, atol=2e-5)


def test_encoders_without_such_an_embedding_get_enlarged_images() -> None:
    torch.manual_seed(2)
    plan = Architecture(
        channels=(("red",), ("vv",)), encoders=("test_vit2", "test_efficientnet"), head="V2",
        features=8, image_size=32,
    )  # fmt: skip
    model = MultiEncoder(plan, shift=[1.0, 0.0], scale=[2.0, 1.0]).eval()
    assert [reads_small(encoder, 16) for encoder in model.encoders] == [True, False]
    patches = torch.randn(3, 2, 16, 16)
    scaled = enlarge((patches - model.shift) / model.scale, 32)
    with torch.inference_mode():
        features = [model.encoders[i](scaled[:, i : i + 1]) for i in range(2)]
        torch.testing.assert_close(
            model(patches), model.head(torch.cat(features, dim=1)), rtol=0, atol=1e-5
        )


def test_sizes_that_do_not_divide_are_enlarged_first() -> None:
    encoder, _ = build_encoder("test_vit2", channels=["a"], outputs=1, image_size=64)
    assert reads_small(encoder, 64)
    assert reads_small(encoder, 16)
    assert not reads_small(encoder, 24)
    assert not reads_small(encoder, 128)
