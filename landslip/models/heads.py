"""Heads: from the features of one encoder per input to one landslide logit."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Single(nn.Module):
    """The encoder's own classifier is the head: its one output is the logit."""

    def forward(self, features: Tensor) -> Tensor:
        """Logits (n,) of the encoder's output (n, 1)."""
        return features.squeeze(1)


class SkipReduce(nn.Module):
    """V2: logit = Linear([z, BN(Linear(z))]); V3c: logit = Linear([z, ReLU(Linear(z))]).

    Parameters
    ----------
    inputs
        Number of encoders k.
    features
        Features of each encoder f; z has k f.
    activation
        What follows the reduction k f -> f.
    """

    def __init__(self, inputs: int, features: int, activation: nn.Module) -> None:
        super().__init__()
        width = inputs * features
        self.reduce = nn.Linear(width, features)
        self.activation = activation
        self.logit = nn.Linear(width + features, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(n, k f) -> (n,)."""
        reduced = self.activation(self.reduce(features))
        logit: Tensor = self.logit(torch.cat([features, reduced], dim=1))
        return logit.squeeze(1)


class SkipMix(nn.Module):
    """V3 and V4: r = BN(Linear(z)); h = Dropout(Linear([z, r])); logit = Linear(h).

    The reduction has two thirds of z's width for k = 3 (768 -> 512 with f = 256), which is 2 f;
    V4 keeps 2 f: the paper names it and says no more than that it has four encoders.
    """

    def __init__(self, inputs: int, features: int, dropout: float = 0.1) -> None:
        super().__init__()
        width, reduced = inputs * features, 2 * features
        self.reduce = nn.Linear(width, reduced)
        self.norm = nn.BatchNorm1d(reduced)
        self.mix = nn.Linear(width + reduced, reduced)
        self.dropout = nn.Dropout(dropout)
        self.logit = nn.Linear(reduced, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(n, k f) -> (n,)."""
        reduced = self.norm(self.reduce(features))
        mixed = self.dropout(self.mix(torch.cat([features, reduced], dim=1)))
        logit: Tensor = self.logit(mixed)
        return logit.squeeze(1)


# One line adds a head; its name and number of inputs also stand in landslip.models.names.
BUILDERS: dict[str, Callable[[int, int], nn.Module]] = {
    "single": lambda inputs, features: Single(),
    "V2": lambda inputs, features: SkipReduce(inputs, features, nn.BatchNorm1d(features)),
    "V3": SkipMix,
    "V3c": lambda inputs, features: SkipReduce(inputs, features, nn.ReLU()),
    "V4": SkipMix,
}


def build_head(name: str, inputs: int, features: int) -> nn.Module:
    """Head `name` for `inputs` encoders of `features` features each."""
    return BUILDERS[name](inputs, features)
