"""The symmetries of the square, applied to batches on their device."""

from collections.abc import Callable

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
