"""Loss and gradient of a batch, in parts where the device's memory does not hold it whole."""

import logging

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from landslip.io.files import InputError
from landslip.models.network import MultiEncoder
from landslip.models.objective import landslide_loss
from landslip.models.precision import autocast

log = logging.getLogger(__name__)


class BatchGradient:
    """Adds the gradient of a batch's loss to a network's parameters.

    Attributes
    ----------
    at_once
        Patches that the encoders read at once; None: the whole batch.

    Notes
    -----
    The loss couples the patches of a batch (its F1 is of the whole batch), and so do the heads'
    batch norms; the encoders' layers do not. So when memory runs out, the encoders read the batch
    in parts without keeping what a gradient needs; head and loss run on the features of all; and
    with the loss's gradient at the features each part is read again and differentiated (Gao et
    al. 2021, arXiv:2101.06983). This is the gradient of the whole batch, up to rounding and to
    which units dropout draws inside the encoders. It costs one more forward pass.
    """

    def __init__(
        self,
        model: MultiEncoder,
        scaler: torch.amp.GradScaler,
        *,
        bce_weight: float,
        precision: str,
        device: torch.device,
    ) -> None:
        self.at_once: int | None = None
        self._model, self._scaler = model, scaler
        self._bce_weight, self._precision, self._device = bce_weight, precision, device
        self._divisible = not any(
            isinstance(module, _BatchNorm) for module in model.encoders.modules()
        )

    def __call__(self, patches: Tensor, labels: Tensor) -> Tensor:
        """Gradients into `.grad`, which must be empty; the loss, detached.

        Raises
        ------
        InputError
            Memory does not hold the batch and parts would change the result, or it does not hold
            one patch.
        """
        while True:
            before = self._state() if self._divisible else []
            try:
                if self.at_once is None or self.at_once >= len(patches):
                    return self._whole(patches, labels)
                return self._in_parts(patches, labels, self.at_once)
            except torch.OutOfMemoryError as error:
                reason = str(error).split("\n")[0]
            # Out of the except block: the traceback would keep the failed attempt's tensors.
            self._model.zero_grad(set_to_none=True)
            self._halve(len(patches), reason)
            self._restore(before)

    def _whole(self, patches: Tensor, labels: Tensor) -> Tensor:
        with autocast(self._precision, self._device):
            logits = self._model(patches)
        return self._differentiate(logits, labels)

    def _in_parts(self, patches: Tensor, labels: Tensor, at_once: int) -> Tensor:
        parts = patches.split(at_once)
        draws, seen = [], []
        with torch.no_grad(), autocast(self._precision, self._device):
            for part in parts:
                draws.append(_random_state(self._device))
                seen.append(self._model.encode(part))
        features = torch.cat(seen).requires_grad_()
        with autocast(self._precision, self._device):
            logits = self._model.head(features)
        loss = self._differentiate(logits, labels)
        assert features.grad is not None
        end = _random_state(self._device)
        for part, draw, gradient in zip(parts, draws, features.grad.split(at_once), strict=True):
            # The same dropout as in the pass that gave the features.
            _set_random_state(draw, self._device)
            with autocast(self._precision, self._device):
                again = self._model.encode(part)
            again.backward(gradient)
        _set_random_state(end, self._device)
        return loss

    def _differentiate(self, logits: Tensor, labels: Tensor) -> Tensor:
        loss = landslide_loss(logits.float(), labels, self._bce_weight)
        self._scaler.scale(loss).backward()
        return loss.detach()

    def _halve(self, batch: int, reason: str) -> None:
        tried = min(self.at_once or batch, batch)
        advice = (
            "lower training.image_size or training.batch_size of this model, "
            "or take a device with more memory"
        )
        if not self._divisible:
            raise InputError(
                f"the device's memory does not hold a batch of {batch} patches ({reason}), and in "
                f"parts the encoders' batch norms would give another result; {advice}"
            )
        if tried == 1:
            raise InputError(f"the device's memory does not hold one patch ({reason}); {advice}")
        self.at_once = (tried + 1) // 2
        log.warning(
            "the device's memory does not hold %d patches at once; from here on the encoders read "
            "%d at once. Batches are still of %d, and their gradient is the same",
            tried, self.at_once, batch,
        )  # fmt: skip

    def _state(self) -> list[Tensor]:
        """What an attempt changes: the generator and the heads' running statistics."""
        buffers = [buffer.clone() for buffer in self._model.head.buffers()]
        return [_random_state(self._device), *buffers]

    def _restore(self, state: list[Tensor]) -> None:
        _set_random_state(state[0], self._device)
        for buffer, value in zip(self._model.head.buffers(), state[1:], strict=True):
            buffer.copy_(value)


def _random_state(device: torch.device) -> Tensor:
    """State of the generator that dropout draws from on `device`."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_random_state(state: Tensor, device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
