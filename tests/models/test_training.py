"""Training: symmetries, loss, schedule, and that a network learns what is there to learn."""

import math
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from landslip.io.files import InputError
from landslip.models import precision
from landslip.models.augmentation import VIEWS, random_symmetry
from landslip.models.epochs import LabelledPatches
from landslip.models.network import Architecture, MultiEncoder
from landslip.models.objective import landslide_loss, learning_rate, smooth_f1_loss
from landslip.models.precision import (
    Processor,
    arithmetic_intensity,
    choose_precision,
    read_processor,
    same_precision,
    write_processor,
)
from landslip.models.prediction import predict_logits, sigmoid
from landslip.models.run import LossNotFiniteError, Run
from landslip.models.settings import Training
from landslip.models.training import train
from processors import FAST, SLOW

CPU = torch.device("cpu")


def symmetries_of(patch: torch.Tensor) -> list[torch.Tensor]:
    """The eight images of a square, by rotation and mirroring, independent of the code."""
    turned = [torch.rot90(patch, k, (-2, -1)) for k in range(4)]
    return turned + [image.flip(-1) for image in turned]


def test_augmentation_draws_all_eight_symmetries_equally():
    patch = torch.arange(9.0).view(1, 1, 3, 3)
    drawn = random_symmetry(patch.repeat(4000, 1, 1, 1), torch.Generator().manual_seed(1))
    counts = [sum(torch.equal(one, image[0]) for one in drawn) for image in symmetries_of(patch)]
    assert sum(counts) == 4000
    # 500 each; five standard deviations of a binomial are 105
    assert all(abs(count - 500) < 105 for count in counts)


def test_augmentation_moves_all_channels_of_a_patch_together():
    patch = torch.rand(1, 1, 5, 5)
    drawn = random_symmetry(patch.repeat(64, 3, 1, 1), torch.Generator().manual_seed(1))
    assert torch.equal(drawn[:, 0], drawn[:, 2])


def test_a_rectangle_keeps_its_shape():
    assert random_symmetry(torch.rand(16, 2, 3, 5)).shape == (16, 2, 3, 5)


def test_the_eight_views_of_prediction_are_the_eight_symmetries():
    patch = torch.arange(16.0).view(1, 1, 4, 4)
    views = [view(patch) for view in VIEWS["symmetries"]]
    for image in symmetries_of(patch):
        assert sum(torch.equal(image, view) for view in views) == 1
    assert len(VIEWS["flips"]) == 4


@given(
    st.lists(st.tuples(st.floats(-8, 8), st.booleans()), min_size=1, max_size=30),
    st.floats(0, 1),
)
def test_the_loss_is_the_papers_formula(rows: list[tuple[float, bool]], weight: float):
    logits = np.array([logit for logit, _ in rows])
    labels = np.array([float(label) for _, label in rows])
    p = 1 / (1 + np.exp(-logits))
    bce = -(labels * np.log(p) + (1 - labels) * np.log1p(-p)).mean()
    tp, fp, fn = (p * labels).sum(), (p * (1 - labels)).sum(), ((1 - p) * labels).sum()
    f1 = 1 - (2 * tp + 1e-7) / (2 * tp + fp + fn + 1e-7)
    got = landslide_loss(
        torch.tensor(logits, dtype=torch.float64), torch.tensor(labels), weight
    ).item()
    assert got == pytest.approx(weight * bce + (1 - weight) * f1, rel=1e-5, abs=1e-8)


def test_perfect_logits_have_no_smooth_f1_loss():
    logits, labels = torch.tensor([50.0, -50.0]), torch.tensor([1.0, 0.0])
    assert smooth_f1_loss(logits, labels).item() == pytest.approx(0, abs=1e-6)


def rates(schedule: str, warmup: float = 0.0) -> list[float]:
    return [
        learning_rate(
            schedule, start=2.0, epoch=epoch, epochs=5, step=step, steps=10, warmup=warmup
        )
        for epoch in range(5)
        for step in range(10)
    ]


def test_the_papers_schedule_steps_each_epoch():
    by_epoch = np.reshape(rates("cosine_epoch"), (5, 10))
    assert (by_epoch == by_epoch[:, :1]).all()
    expected = [1 + math.cos(math.pi * epoch / 5) for epoch in range(5)]
    assert by_epoch[:, 0] == pytest.approx(expected)


def test_the_schedule_by_step_rises_and_then_falls():
    values = rates("cosine_step", warmup=0.2)
    assert np.argmax(values) in (9, 10)
    assert max(values) == pytest.approx(2.0)
    assert all(np.diff(values[:10]) > 0)
    assert all(np.diff(values[10:]) < 0)


def tiny() -> MultiEncoder:
    torch.manual_seed(3)
    plan = Architecture(
        channels=(("red",), ("vv",)),
        encoders=("test_vit2", "test_efficientnet"),
        head="V2",
        features=8,
        image_size=32,
    )
    return MultiEncoder(plan, shift=[0.0, 0.0], scale=[1.0, 1.0])


def bright_or_dark(n: int) -> LabelledPatches:
    """Patches whose label shows in both channels: a bright square, wherever it lies."""
    generator = torch.Generator().manual_seed(n)
    labels = (torch.arange(n) % 2).float()
    patches = torch.randn(n, 2, 16, 16, generator=generator)
    corner = torch.randint(0, 10, (n,), generator=generator)
    for patch, at, label in zip(patches, corner, labels, strict=True):
        patch[:, at : at + 6, at : at + 6] += 3 * label
    return LabelledPatches(patches, labels)


SETTINGS = Training(epochs=6, batch_size=16, learning_rate=3e-3, image_size=32)


def run(settings: Training = SETTINGS, seed: int = 5, precision: str = "float32"):
    model = tiny()
    trained = train(
        model,
        bright_or_dark(160),
        bright_or_dark(40),
        settings,
        seed=seed,
        device=CPU,
        precision=precision,
    )
    return model, trained.history


def test_a_network_learns_what_is_there_to_learn():
    _, history = run()
    assert [row.step for row in history] == [1, 2, 3, 4, 5, 6]
    assert history[-1].train_loss < history[0].train_loss
    assert history[-1].validation_f1 > 0.9


def test_the_same_seed_gives_the_same_weights_and_another_does_not():
    (one, _), (two, _), (other, _) = run(), run(), run(seed=6)
    same = [torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True)]
    assert all(same)
    assert any(
        not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True)
    )


def test_another_number_of_threads_changes_probabilities_by_less_than_a_hundredth():
    threads = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            model, _ = run(SETTINGS.model_copy(update={"epochs": 2}))
            patches = bright_or_dark(40).patches
            found.append(
                predict_logits(model, patches, tta="flips", precision="float32", device=CPU)
            )
    finally:
        torch.set_num_threads(threads)
    assert np.abs(sigmoid(found[0]) - sigmoid(found[1])).max() < 0.01


def test_bfloat16_stays_near_float32():
    model, _ = run()
    patches = bright_or_dark(40).patches
    exact = predict_logits(model, patches, tta="flips", precision="float32", device=CPU)
    fast = predict_logits(model, patches, tta="flips", precision="bfloat16", device=CPU)
    assert np.abs(exact - fast).max() < 0.05 * max(1, np.abs(exact).max())


def test_the_moving_average_is_that_of_the_weights_of_all_steps():
    """Against the definition, written down by itself, with the decay's rise."""
    settings = SETTINGS.model_copy(update={"epochs": 1, "ema_decay": 0.7})
    model = tiny()
    run = Run(model, bright_or_dark(160), settings, seed=5, device=CPU, precision="float32")
    expected: dict[str, torch.Tensor] = {}
    for step in range(1, run.steps + 1):
        run.take_step()
        decay = 0.0 if step == 1 else min(0.7, 1 - step ** (-2 / 3))
        for name, value in model.state_dict().items():
            older = expected.get(name, value)
            expected[name] = decay * older + (1 - decay) * value.double()
    last = {name: value.clone() for name, value in model.named_parameters()}
    run.keep_average()
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value.double(), expected[name], rtol=1e-4, atol=1e-6)
    assert any(not torch.equal(value, last[name]) for name, value in model.named_parameters())


def test_the_learning_curve_measures_the_moving_average_and_it_is_kept():
    model, history = run(SETTINGS.model_copy(update={"ema_decay": 0.9}))
    held_out = bright_or_dark(40)
    logits = predict_logits(model, held_out.patches, tta="none", precision="float32", device=CPU)
    loss = landslide_loss(torch.from_numpy(logits), held_out.labels, SETTINGS.bce_weight)
    assert float(loss) == pytest.approx(history[-1].validation_loss, rel=1e-6)


def test_a_loss_that_is_not_finite_stops_training():
    settings = SETTINGS.model_copy(update={"learning_rate": 1e30, "epochs": 3})
    with pytest.raises(LossNotFiniteError, match=r"epoch \d, step \d+.*learning_rate") as caught:
        run(settings)
    assert len(set(caught.value.rows)) == settings.batch_size


def test_prediction_does_not_change_when_a_patch_is_mirrored():
    model, _ = run()
    patches = bright_or_dark(8).patches
    plain = predict_logits(model, patches, tta="flips", precision="float32", device=CPU)
    mirrored = predict_logits(model, patches.flip(-1), tta="flips", precision="float32", device=CPU)
    np.testing.assert_allclose(plain, mirrored, rtol=1e-4, atol=1e-4)


def test_batches_do_not_change_predictions():
    model, _ = run()
    patches = bright_or_dark(21).patches
    whole = predict_logits(model, patches, tta="none", precision="float32", device=CPU)
    parts = predict_logits(
        model, patches, tta="none", precision="float32", device=CPU, batch_size=4
    )
    np.testing.assert_allclose(whole, parts, rtol=1e-4, atol=1e-4)


def test_certain_logits_stay_apart_as_probabilities():
    assert sigmoid(np.array([20.0, 30.0], np.float32))[0] < 1 - 1e-10
    assert sigmoid(np.array([0.0], np.float32))[0] == 0.5


def of(*encoders: str, image_size: int = 64) -> Architecture:
    groups = tuple((f"red{number}",) for number in range(len(encoders)))
    head = {1: "single", 2: "V2"}[len(encoders)]
    return Architecture(
        channels=groups, encoders=encoders, head=head, features=8, image_size=image_size
    )


@pytest.mark.parametrize("processor", [FAST, SLOW])
@pytest.mark.parametrize("asked", ["float32", "bfloat16", "float16"])
def test_a_precision_that_is_asked_for_is_used(asked: str, processor: Processor):
    network = of("test_vit2")
    assert choose_precision(asked, CPU, processor=processor, architecture=network) == asked


def test_auto_is_bfloat16_where_products_gain_and_the_network_consists_of_them():
    chosen = {
        (processor is FAST, encoder): choose_precision(
            "auto", CPU, processor=processor, architecture=of(encoder)
        )
        for processor in (FAST, SLOW)
        for encoder in ("vit_pwee_patch16_reg1_gap_256", "resnet18", "tf_efficientnet_lite0")
    }
    assert {key for key, value in chosen.items() if value == "bfloat16"} == {
        (True, "vit_pwee_patch16_reg1_gap_256"),
        (True, "resnet18"),
    }


def test_intensity_of_a_network_lies_between_those_of_its_encoders():
    low, high = (arithmetic_intensity(of(name)) for name in ("mobilenetv3_small_100", "resnet18"))
    both = arithmetic_intensity(of("mobilenetv3_small_100", "resnet18"))
    assert low < both < high


@pytest.mark.parametrize("encoder", ["test_vit3", "test_convnext2", "test_nfnet", "test_resnet"])
def test_intensity_is_told_of_encoders_of_every_make(encoder: str):
    assert arithmetic_intensity(of(encoder)) > 1


def test_intensity_is_nearly_the_same_where_a_network_cannot_do_without_memory(
    monkeypatch: pytest.MonkeyPatch,
):
    expected = arithmetic_intensity(of("test_vit2"))
    count = precision._count_intensity

    def refuse(architecture: Architecture, device: torch.device) -> float:
        if device.type == "meta":
            raise NotImplementedError("no memory")
        return count(architecture, device)

    monkeypatch.setattr(precision, "_count_intensity", refuse)
    torch.manual_seed(1)
    drawn = torch.rand(3)
    torch.manual_seed(1)
    # On a processor the counter knows fewer kinds of attention.
    assert arithmetic_intensity(of("test_vit2")) == pytest.approx(expected, rel=0.25)
    assert torch.equal(torch.rand(3), drawn)


def test_choosing_a_precision_draws_nothing():
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    choose_precision("auto", CPU, processor=FAST, architecture=of("test_vit2"))
    assert torch.equal(torch.rand(3), expected)


def test_a_measured_processor_is_read_as_it_was_written(tmp_path: Path):
    found = write_processor(tmp_path / "processor.json")
    assert read_processor(tmp_path / "processor.json") == found
    assert found.name
    assert min(found.float32, found.bfloat16) > 0.1


def test_a_processor_that_others_use_too_is_measured_as_if_alone(monkeypatch: pytest.MonkeyPatch):
    multiply, pause = torch.Tensor.__matmul__, 0.5

    def interrupted(self: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        time.sleep(pause)  # others run
        return multiply(self, other)

    monkeypatch.setattr(torch.Tensor, "__matmul__", interrupted)
    monkeypatch.setattr(precision, "_REPEATS", 1)
    found = precision.measure_processor()
    assert found.float32 > 2e-9 * precision._SIDE**3 / pause


@pytest.mark.parametrize(
    "content", ['{"name": "x", "float32": -1, "bfloat16": 2}', '{"name": "x"}', "[]", "7"]
)
def test_a_damaged_measurement_is_refused_by_name(tmp_path: Path, content: str):
    (tmp_path / "processor.json").write_text(content)
    with pytest.raises(InputError, match="processor"):
        read_processor(tmp_path / "processor.json")


def test_a_network_predicts_in_the_format_it_was_trained_in_where_the_device_is_fast_at_it():
    def predicts(trained: str, asked: str, processor: Processor) -> str:
        return same_precision(trained, asked, CPU, processor=processor)

    assert predicts("float32", "auto", FAST) == "float32"
    assert predicts("bfloat16", "auto", FAST) == "bfloat16"
    assert predicts("bfloat16", "auto", SLOW) == "float32"
    assert predicts("float16", "auto", FAST) == "float32"
    assert predicts("float16", "float16", SLOW) == "float16"
