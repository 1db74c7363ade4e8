"""The symmetries of the square, applied to batches on their device."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

View = Callable[[Tensor], Tensor]


def random_symmetry(patches: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Turn or mirror each patch by a symmetry of its own, all equally likely.

    Parameters
    ----------
    patches : (n, channel, row, column)
        The eight symmetries of the square where rows equal columns, else the four of a rectangle.
    generator
        On the device of `patches`.

    Notes
    -----
    Three coin tosses a patch: transpose, mirror rows, mirror columns. Masks rather than indexing,
    so that nothing waits for the device.
    """
    tosses = torch.rand((3, len(patches), 1, 1, 1), generator=generator, device=patches.device)
    transpose, rows, columns = tosses < 0.5
    if patches.shape[-1] == patches.shape[-2]:
        patches = torch.where(transpose, patches.transpose(-1, -2), patches)
    patches = torch.where(rows, patches.flip(-2), patches)
    return torch.where(columns, patches.flip(-1), patches)


class SensorDropout:
    """Takes whole sensors out of patches, as modality dropout does in training.

    Parameters
    ----------
    sensors
        Channel -> the sensors that it comes from; an index may come from several.
    stack
        Channels of the patches, in order.
    absent : (1, channel, 1, 1)
        What stands in every pixel of a channel that is taken out.
    chance
        Of each sensor, in each patch. One, drawn at random, always stays.
    """

    def __init__(
        self,
        sensors: Mapping[str, Sequence[str]],
        stack: Sequence[str],
        absent: Tensor,
        chance: float,
    ) -> None:
        names = list(dict.fromkeys(each for name in stack for each in sensors[name]))
        self._absent, self._chance, self._names = absent, chance, names
        self._of = torch.tensor(
            [[name in sensors[channel] for channel in stack] for name in names],
            dtype=torch.float32,
            device=absent.device,
        )

    def __call__(self, patches: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Patches (n, channel, row, column) without some of their sensors."""
        shape, device = (len(patches), len(self._names)), patches.device
        tosses = torch.rand((2, *shape), generator=generator, device=device)
        # Masks rather than indexing, so that nothing waits for the device.
        stays = tosses[1] == tosses[1].max(dim=1, keepdim=True).values
        dropped = (tosses[0] < self._chance) & ~stays
        gone = (dropped.float() @ self._of) > 0
        return torch.where(gone[..., None, None], self._absent, patches)


def _turned(view: View) -> View:
    return lambda patches: view(patches.transpose(-1, -2))


_FLIPS: tuple[View, ...] = (
    lambda patches: patches,
    lambda patches: patches.flip(-1),
    lambda patches: patches.flip(-2),
    lambda patches: patches.flip(-1, -2),
)

# Views whose logits are averaged in prediction (test-time augmentation).
VIEWS: dict[str, tuple[View, ...]] = {
    "none": _FLIPS[:1],
    "flips": _FLIPS,
    "symmetries": (*_FLIPS, *(_turned(flip) for flip in _FLIPS)),
}
