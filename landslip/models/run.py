"""One training under way: its steps, and all that changes from one to the next."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor

from landslip.models.augmentation import SensorDropout, random_symmetry
from landslip.models.epochs import Epoch, LabelledPatches, measure_epoch
from landslip.models.gradients import BatchGradient
from landslip.models.network import MultiEncoder
from landslip.models.objective import learning_rate
from landslip.models.patch_cache import MemoryPatches, Patches
from landslip.models.settings import Training
from landslip.models.state import State

log = logging.getLogger(__name__)

# Steps between looks at the losses: each look waits for the device.
_STEPS_BETWEEN_CHECKS = 50


class LossNotFiniteError(FloatingPointError):
    """A loss or a weight is NaN or infinite.

    Parameters
    ----------
    where
        What is not finite, in which epoch and step.
    rows
        The batch: rows of the training patches.
    """

    def __init__(self, where: str, rows: list[int]):
        super().__init__(
            f"{where}; lower training.learning_rate, or set training.precision: float32"
        )
        self.rows = rows


class Run:
    """A training between its first and its last step.

    Parameters
    ----------
    model
        Trained in place.
    seed
        Draws the order, the symmetries and the dropout.
    sensors
        Channel -> sensors that it comes from; read where sensors are dropped.
    """

    def __init__(
        self,
        model: MultiEncoder,
        training: LabelledPatches,
        settings: Training,
        *,
        seed: int,
        device: torch.device,
        precision: str,
        sensors: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        torch.manual_seed(seed)
        # Convolutions run faster with channels innermost; transformers do not mind.
        torch.nn.utils.convert_conv2d_weight_memory_format(model.to(device), torch.channels_last)
        self._model, self._settings, self._seed = model, settings, seed
        self._device, self._precision = device, precision
        self._patches: Patches = (
            MemoryPatches(training.patches.to(device))
            if isinstance(training.patches, Tensor)
            else training.patches
        )
        self._labels = training.labels.to(device)
        self._batch_size = min(settings.batch_size, len(training.labels))
        self.steps = len(training.labels) // self._batch_size
        self._optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=settings.learning_rate,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self._average = (
            ModelEmaV3(model, decay=settings.ema_decay, use_warmup=True)
            if settings.ema_decay
            else None
        )
        self._scaler = torch.amp.GradScaler(device.type, enabled=precision == "float16")
        self._gradient = BatchGradient(
            model,
            self._scaler,
            bce_weight=settings.bce_weight,
            precision=precision,
            device=device,
        )
        self._symmetries = torch.Generator(device).manual_seed(seed)
        self._dropout = (
            SensorDropout(
                sensors or {}, model.architecture.stack, model.shift, settings.modality_dropout
            )
            if settings.modality_dropout
            else None
        )
        self._losses = torch.zeros(self.steps, device=device)
        self._checked = 0
        self._last = ""
        self._last_rows = torch.empty(0)
        self._begun = time.perf_counter()
        self._timed_from = self._begun, 0
        self.epoch, self.step = 0, 0
        """Epochs closed, and steps taken in the one under way."""
        self.history: list[Epoch] = []
        self.seconds = 0.0
        """In training steps; those that were lost with a killed process are not counted."""
        self.resumed = 0
        self.earlier_seconds = 0.0
        """Of the processes that this one goes on from, up to their last saves."""
        self._order = self._batches()

    @property
    def patches_trained(self) -> int:
        """Patches that went through training steps, each as often as it did."""
        return (self.epoch * self.steps + self.step) * self._batch_size

    def take_step(self) -> None:
        """Train on one batch, without waiting for the device."""
        if self.step == 0:
            self._model.train()
            self._timed_from = time.perf_counter(), 0
        rows = self._order[self.step]
        batch = self._patches[rows].to(self._device, torch.float32, non_blocking=True)
        if self.step + 1 < self.steps:
            self._patches.prefetch(self._order[self.step + 1])
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate(self.step)
        if self._settings.augmentation == "symmetries":
            batch = random_symmetry(batch, self._symmetries)
        if self._dropout is not None:
            batch = self._dropout(batch, self._symmetries)
        self._optimizer.zero_grad(set_to_none=True)
        self._losses[self.step] = self._gradient(
            batch, self._labels[rows.to(self._device, non_blocking=True)]
        )
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._last, self._last_rows = self._describe_step(self.step), rows
        self.step += 1
        if self._average is not None:
            self._average.update(self._model, step=self.epoch * self.steps + self.step)
        if self.step - self._checked >= _STEPS_BETWEEN_CHECKS:
            self.check_losses()

    def check_losses(self) -> None:
        """Check the losses since the last check, which waits for the device.

        Raises
        ------
        LossNotFiniteError
            One is NaN or infinite; epoch, step and batch are named.
        """
        bad = (~self._losses[self._checked : self.step].isfinite()).nonzero()
        if len(bad):
            step = self._checked + int(bad[0])
            raise LossNotFiniteError(
                f"the training loss is {float(self._losses[step])} in {self._describe_step(step)}",
                self._order[step].tolist(),
            )
        self._checked = self.step

    def close_epoch(self, validation: LabelledPatches) -> None:
        """Measure the validation patches, without test-time augmentation; begin the next epoch."""
        self.check_losses()
        started, first = self._timed_from
        seconds = time.perf_counter() - started
        speed = (self.steps - first) * self._batch_size / seconds
        self.seconds += seconds
        row = measure_epoch(
            self._model if self._average is None else self._average.module,
            validation,
            number=self.epoch + 1,
            train_loss=float(self._losses.mean()),
            learning_rate=self._rate(self.steps - 1),
            bce_weight=self._settings.bce_weight,
            precision=self._precision,
            device=self._device,
        )
        self.history.append(row)
        log.info(
            "epoch %d/%d  loss %.4f  validation loss %.4f  F1 %.4f  %.1f patches/s  %.0f s",
            self.epoch + 1, self._settings.epochs, row.train_loss, row.validation_loss,
            row.validation_f1, speed, seconds,
        )  # fmt: skip
        self.begin_epoch(self.epoch + 1)

    def keep_average(self) -> None:
        """At the end, give the network the weights that it is to predict with."""
        if self._average is not None:
            self._model.load_state_dict(self._average.module.state_dict())

    def begin_epoch(self, epoch: int) -> None:
        """Go to the first step of an epoch."""
        self.epoch, self.step, self._checked = epoch, 0, 0
        self._order = self._batches()

    def state(self) -> State:
        """All that a process needs to go on from here as if nothing had happened.

        Raises
        ------
        LossNotFiniteError
            A loss or a weight is not finite: such a state is not worth keeping.
        """
        self.check_losses()
        self._check_weights()
        tensors = {f"model.{name}": value for name, value in self._model.state_dict().items()}
        if self._average is not None:
            averaged = self._average.module.state_dict()
            tensors |= {f"average.{name}": value for name, value in averaged.items()}
        for number, values in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": value for name, value in values.items()}
        tensors["losses"] = self._losses
        tensors["random.cpu"] = torch.get_rng_state()
        if self._device.type == "cuda":
            tensors["random.cuda"] = torch.cuda.get_rng_state(self._device)
        tensors["random.symmetries"] = self._symmetries.get_state()
        progress = {
            "epoch": self.epoch,
            "step": self.step,
            "history": [asdict(row) for row in self.history],
            "scaler": self._scaler.state_dict(),
            "at_once": self._gradient.at_once,
            "resumed": self.resumed,
            "seconds": self.seconds + self._seconds_of_open_epoch(),
            "wall_seconds": self.earlier_seconds + time.perf_counter() - self._begun,
        }
        return State(tensors, progress)

    def restore(self, state: State) -> None:
        """Go on from a state of this training."""
        tensors, progress = state
        self._model.load_state_dict(_under("model.", tensors))
        if self._average is not None:
            self._average.module.load_state_dict(_under("average.", tensors))
        self._optimizer.load_state_dict(self._optimizer_state(_under("optimizer.", tensors)))
        self._scaler.load_state_dict(progress["scaler"])
        self._losses.copy_(tensors["losses"])
        self.epoch, self.step, self._checked = progress["epoch"], progress["step"], progress["step"]
        self.history = [Epoch(**row) for row in progress["history"]]
        self._gradient.at_once = progress["at_once"]
        self.resumed = progress["resumed"] + 1
        self.seconds, self.earlier_seconds = progress["seconds"], progress["wall_seconds"]
        self._timed_from = time.perf_counter(), self.step
        self._order = self._batches()
        self._model.train()
        torch.set_rng_state(tensors["random.cpu"])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(tensors["random.cuda"], self._device)
        self._symmetries.set_state(tensors["random.symmetries"])

    def _describe_step(self, step: int) -> str:
        return f"epoch {self.epoch + 1}, step {step + 1} of {self.steps}"

    def _batches(self) -> tuple[Tensor, ...]:
        """Rows of the epoch's batches, a function of (seed, epoch) alone; where the patches lie.

        The last partial batch is dropped: BatchNorm must not learn from a handful of patches.
        """
        generator = torch.Generator().manual_seed(self._seed + self.epoch)
        order = torch.randperm(len(self._labels), generator=generator)
        kept = order[: self.steps * self._batch_size].to(self._patches.device)
        return tuple(kept.split(self._batch_size))

    def _rate(self, step: int) -> float:
        return learning_rate(
            self._settings.schedule,
            start=self._settings.learning_rate,
            epoch=self.epoch,
            epochs=self._settings.epochs,
            step=step,
            steps=self.steps,
            warmup=self._settings.warmup,
        )

    def _check_weights(self) -> None:
        finite = torch.stack([weight.isfinite().all() for weight in self._model.parameters()])
        if not bool(finite.all()):
            raise LossNotFiniteError(
                f"weights are not finite after {self._last}", self._last_rows.tolist()
            )

    def _seconds_of_open_epoch(self) -> float:
        return time.perf_counter() - self._timed_from[0] if self.step else 0.0

    def _optimizer_state(self, tensors: dict[str, Tensor]) -> dict[str, Any]:
        """State dict of the optimizer; moments lie in memory as their parameters do."""
        whole = self._optimizer.state_dict()
        parameters = list(self._model.parameters())
        states: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            number, name = key.split(".")
            like = parameters[int(number)]
            if value.shape == like.shape:
                value = torch.empty_like(like, requires_grad=False).copy_(value)
            states.setdefault(int(number), {})[name] = value
        return {**whole, "state": states}


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
