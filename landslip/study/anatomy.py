"""What a network is made of: encoders, layers of its head, parameters, as it is really built."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from landslip.files import InputError
from landslip.models.network import Architecture, MultiEncoder

# Calls that only take an axis away or add one.
_RESHAPING = frozenset({"squeeze", "unsqueeze", "flatten", "view", "reshape"})
_JOINING = frozenset({"cat", "concat", "concatenate"})


@dataclass(frozen=True, kw_only=True)
class EncoderPart:
    """One encoder."""

    timm: str
    channels: tuple[str, ...]
    outputs: int
    """Features, or 1: the logit of a network whose head is the encoder's own."""
    parameters: int


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One step of the head, in the order in which they run."""

    text: str
    """What it does: `Linear 768 → 512`."""
    outputs: int
    """Width of what comes out."""
    parameters: int
    reads: tuple[int, ...]
    """Places of the steps that it reads; the first step is the encoders' features."""


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """Parts of a network. `parameters` counts what is trained: weights, no running statistics."""

    encoders: tuple[EncoderPart, ...]
    layers: tuple[Layer, ...]
    """Of the head; the first is the encoders' features, side by side."""
    parameters: int

    @property
    def head_parameters(self) -> int:
        """Those of the head's layers."""
        return sum(layer.parameters for layer in self.layers)


def dissect(architecture: Architecture) -> Anatomy:
    """Build a network without memory for its weights, and say what it is made of.

    Raises
    ------
    InputError
        The head cannot be followed: its way depends on the values that it reads.
    """
    # Tensors on torch's meta device have a shape and no content: 100 M weights take no time.
    with torch.device("meta"):
        zeros = [0.0] * len(architecture.stack)
        network = MultiEncoder(architecture, shift=zeros, scale=[1.0] * len(zeros)).eval()
    outputs = 1 if architecture.head == "single" else architecture.features
    encoders = tuple(
        EncoderPart(timm=name, channels=channels, outputs=outputs, parameters=count(encoder))
        for name, channels, encoder in zip(
            architecture.encoders, architecture.channels, network.encoders, strict=True
        )
    )
    return Anatomy(
        encoders=encoders,
        layers=tuple(follow(network.head, [outputs] * len(encoders), architecture.head)),
        parameters=count(network),
    )


def count(module: nn.Module) -> int:
    """Number of a module's parameters."""
    return sum(parameter.numel() for parameter in module.parameters())


def follow(head: nn.Module, widths: Sequence[int], name: str) -> list[Layer]:
    """Steps of a head, by running it on tensors without content.

    Parameters
    ----------
    widths
        Features of each encoder.
    name
        The head's, for an error.

    Raises
    ------
    InputError
        See `dissect`.
    """
    try:
        graph = fx.symbolic_trace(head)
    except Exception as error:  # whatever the head's own code raises on a stand-in
        raise InputError(
            f"head {name} cannot be drawn: {error}. torch.fx must be able to follow it; let its "
            "forward() not depend on the values that it reads"
        ) from error
    shapes = _Widths(graph)
    with torch.no_grad():
        shapes.run(torch.empty(2, sum(widths), device="meta"))
    layers: list[Layer] = []
    place: dict[fx.Node, int] = {}
    for node in graph.graph.nodes:
        read = tuple(dict.fromkeys(place[other] for other in node.all_input_nodes))
        if node.op == "output":
            break
        if node.op == "call_method" and node.target in _RESHAPING:
            place[node] = read[0]
            continue
        module = graph.get_submodule(str(node.target)) if node.op == "call_module" else None
        place[node] = len(layers)
        layers.append(
            Layer(
                text=(
                    _features(widths)
                    if node.op == "placeholder"
                    else _say(node, module, [layers[at] for at in read])
                ),
                outputs=shapes.of[node],
                parameters=0 if module is None else count(module),
                reads=read,
            )
        )
    return layers


class _Widths(fx.Interpreter):
    """Runs a graph and keeps the width of every step."""

    def __init__(self, graph: fx.GraphModule) -> None:
        super().__init__(graph)
        self.of: dict[fx.Node, int] = {}

    def run_node(self, n: fx.Node) -> object:
        """Run one step."""
        value = super().run_node(n)
        if isinstance(value, Tensor):
            self.of[n] = value.shape[-1] if value.ndim > 1 else 1
        return value


def _features(widths: Sequence[int]) -> str:
    if len(widths) == 1:
        return "features" if widths[0] > 1 else "logit"
    return f"features z: {len(widths)} × {widths[0]}"


def _say(node: fx.Node, module: nn.Module | None, read: Sequence[Layer]) -> str:
    """A step in words."""
    if isinstance(module, nn.Linear):
        return f"Linear {module.in_features:,} → {module.out_features:,}"
    if isinstance(module, nn.Dropout):
        return f"Dropout {module.p:g}"
    if module is not None:
        return type(module).__name__.removesuffix("1d")
    called = str(getattr(node.target, "__name__", node.target))
    if called in _JOINING:
        # 'z' of 'features z: ...', 'Linear' of 'Linear 768 → 512'.
        names = [layer.text.split(":")[0].removeprefix("features ").split()[0] for layer in read]
        return f"{' and '.join(names)} joined"
    return called
