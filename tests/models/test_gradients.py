"""Where memory is short, a batch's gradient in parts is the gradient of the whole batch."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from landslip.io.files import InputError
from landslip.models.gradients import BatchGradient
from landslip.models.network import Architecture, MultiEncoder
from landslip.models.prediction import predict_logits

CPU = torch.device("cpu")


def network(encoder: str = "test_vit2", head: str = "V3") -> MultiEncoder:
    torch.manual_seed(3)
    groups = {"single": 1, "V3": 3}[head]
    plan = Architecture(
        channels=(("red",), ("vv",), ("vh",))[:groups],
        encoders=(encoder,) * groups,
        head=head,
        features=8,
        image_size=32,
    )
    return MultiEncoder(plan, shift=[0.0] * groups, scale=[1.0] * groups)


def holding(model: MultiEncoder, patches: int, attempts: list[int]) -> MultiEncoder:
    """The model on a device that holds a gradient of so many patches."""
    original: Callable[[Tensor], Tensor] = model.encode

    def encode(batch: Tensor) -> Tensor:
        attempts.append(len(batch))
        if torch.is_grad_enabled() and len(batch) > patches:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nmore")
        return original(batch)

    model.encode = encode
    return model


def batch(model: MultiEncoder, patches: int = 11) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    channels = len(model.architecture.stack)
    labels = (torch.arange(patches) % 3 == 0).float()
    return torch.randn(patches, channels, 16, 16, generator=generator), labels


def gradient(model: MultiEncoder, precision: str = "float32") -> BatchGradient:
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    model.train()
    return BatchGradient(model, scaler, bce_weight=0.5, precision=precision, device=CPU)


def grown(model: MultiEncoder) -> dict[str, Tensor]:
    return {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


@pytest.mark.parametrize("head", ["V3", "single"])
@pytest.mark.parametrize("held", [6, 3, 1])
def test_a_gradient_in_parts_is_that_of_the_whole_batch(head: str, held: int):
    whole = network(head=head)
    parts = copy.deepcopy(whole)
    attempts: list[int] = []
    holding(parts, held, attempts)
    losses, ends = [], []
    for model in (whole, parts):
        torch.manual_seed(8)
        losses.append(gradient(model)(*batch(model)))
        ends.append(torch.rand(1))
    assert max(attempts) == 11
    torch.testing.assert_close(losses[0], losses[1])
    expected, found = grown(whole), grown(parts)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6, msg=name)
    # The heads' running statistics and the random draws go on as if nothing had happened.
    for one, two in zip(whole.head.buffers(), parts.head.buffers(), strict=True):
        torch.testing.assert_close(one, two)
    assert torch.equal(*ends)


def test_both_passes_over_a_part_draw_the_same_dropout():
    model = network(head="single")
    dropout = torch.nn.Dropout(0.5)
    original, seen = model.encode, []

    def encode(patches: Tensor) -> Tensor:
        features = dropout(original(patches))
        seen.append(features.detach() == 0)
        return features

    model.encode = encode
    step = gradient(model)
    step.at_once = 4
    step(*batch(model))
    first, second = seen[:3], seen[3:]
    assert [part.tolist() for part in first] == [part.tolist() for part in second]
    assert len({str(part.tolist()) for part in first}) > 1


def test_what_did_not_fit_is_not_tried_again_and_is_said_once(caplog: pytest.LogCaptureFixture):
    attempts: list[int] = []
    model = holding(network(), 6, attempts)
    step = gradient(model)
    step(*batch(model))
    assert step.at_once == 6
    first = len(attempts)
    step(*batch(model))
    assert max(attempts[first:]) == 6
    assert len(caplog.messages) == 1
    assert "6 at once. Batches are still of 11" in caplog.messages[0]


def test_encoders_with_batch_norm_are_refused_in_words():
    model = holding(network("test_efficientnet"), 6, [])
    with pytest.raises(InputError, match=r"batch of 11 .*batch norms.*training\.image_size"):
        gradient(model)(*batch(model))


def test_one_patch_that_does_not_fit_is_refused_in_words():
    model = holding(network(), 0, [])
    with pytest.raises(InputError, match=r"does not hold one patch .*training\.image_size"):
        gradient(model)(*batch(model))


def test_prediction_goes_on_with_fewer_patches_at_once():
    model = network()
    patches, _ = batch(model, 30)
    expected = predict_logits(model, patches, tta="flips", precision="float32", device=CPU)
    original = model.encode

    def encode(part: Tensor) -> Tensor:
        if len(part) > 4:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return original(part)

    model.encode = encode
    found = predict_logits(model, patches, tta="flips", precision="float32", device=CPU)
    torch.testing.assert_close(torch.from_numpy(found), torch.from_numpy(expected))
