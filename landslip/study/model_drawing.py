"""A drawing of one model: what it reads, what it is made of, how large each part is."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from landslip.models.network import Architecture
from landslip.report.plots import Axes
from landslip.report.style import BLUE, GREEN, QUIET, VERMILION, drawing
from landslip.study import diagram
from landslip.study.anatomy import Anatomy, Layer, dissect
from landslip.study.diagram import Box, Column, Lines

_TOP = 0.95  # inches above the boxes: the model's name, and what each column is
# Together as wide as the page, with room for arrows on the right of the last.
_INPUTS = Column(0.05, 2.6, BLUE)
_MIDDLE = Column(3.15, 2.85, GREEN)
_LAST = Column(6.6, 2.55, VERMILION)
_END = ("sigmoid", "probability of a landslide")

_SCALINGS = {
    "standard": "(x − mean) / std",
    "robust": "(x − median) / (q95 − q05)",
    "robust_1_99": "(x − median) / (q99 − q01)",
}
_FITTED = {"all": "all patches", "train": "training patches", "fold": "each fold's training part"}
_LIBRARIES = {"lightgbm": "LightGBM", "xgboost": "XGBoost"}
_SETTINGS = {
    "trees": "{:,} trees",
    "learning_rate": "learning rate {:g}",
    "leaves": "at most {} leaves",
    "max_depth": "at most {} deep",
    "subsample": "{:.0%} of the patches for each tree",
    "colsample": "{:.0%} of the features for each tree",
    "positive_weight": "a landslide weighs {:g}",
    "l2": "L2 penalty {:g}",
}
_NO_LIMIT = {"max_depth": (-1, 0)}


@dataclass(frozen=True, kw_only=True)
class NetworkPlan:
    """What the config says of a network."""

    architecture: Architecture
    inputs: Sequence[str]
    """Name of what each encoder reads."""
    encoders: Sequence[str]
    """Name of each encoder in the config."""
    pretrained: Sequence[bool]
    scaling: str
    scaling_fit: str


@dataclass(frozen=True, kw_only=True)
class TreePlan:
    """What the config says of a tree model."""

    kind: str
    channels: Mapping[str, Sequence[str]]
    """Input -> channels."""
    statistics: Sequence[str]
    settings: Mapping[str, Any]
    """Hyper-parameters."""


def draw_model(*, name: str, outline: Mapping[str, Any], target: Path) -> None:
    """Draw a network or a tree model.

    Parameters
    ----------
    name
        Above the drawing.
    outline
        As `landslip.study.outline.outline` gives it.
    target
        PNG file to write.

    Raises
    ------
    InputError
        A network's head cannot be followed (see `anatomy.dissect`).
    """
    known = {key: value for key, value in outline.items() if key != "kind"}
    if outline["kind"] == "network":
        architecture = Architecture.from_json(known.pop("architecture"))
        draw_network(name, NetworkPlan(architecture=architecture, **known), target)
    else:
        draw_trees(name, TreePlan(kind=outline["kind"], **known), target)


def draw_network(name: str, plan: NetworkPlan, target: Path) -> None:
    """Draw inputs, encoders and head of a network, with their parameters."""
    anatomy = dissect(plan.architecture)
    size = plan.architecture.image_size
    inputs = [
        _INPUTS.wrap(label, f"{_some(len(part.channels), 'channel')}: {', '.join(part.channels)}")
        for label, part in zip(plan.inputs, anatomy.encoders, strict=True)
    ]
    encoders = [
        _MIDDLE.wrap(
            label,
            *part.timm.replace(".", " .", 1).split(),
            f"{_rounded(part.parameters)} parameters, {'pretrained' if known else 'random start'}",
            "one logit" if part.outputs == 1 else _some(part.outputs, "feature"),
        )
        for label, part, known in zip(plan.encoders, anatomy.encoders, plan.pretrained, strict=True)
    ]
    head = [*(_LAST.wrap(*_layer(layer)) for layer in anatomy.layers), _END]
    # A row holds an input and its encoder, and is as high as the higher of the two.
    rows = [max(pair, key=diagram.height_of) for pair in zip(inputs, encoders, strict=True)]
    rest = max(diagram.height_of_all(rows), diagram.height_of_all(head))
    words = (
        f"{_SCALINGS[plan.scaling]},\nfitted on {_FITTED[plan.scaling_fit]};\n"
        f"resized to {size} × {size} pixels, bilinear",
        "one for each input" if len(encoders) > 1 else "",
        _head_words(anatomy),
    )
    titles = ("Inputs", _some(len(encoders), "encoder"), f"Head {plan.architecture.head}")
    with _sheet(target, name, _total(anatomy), rest, titles, words) as axes:
        steps = diagram.stack(_LAST, head, _centred(head, rest))
        for row, left, right in zip(
            diagram.stack(_INPUTS, rows, _centred(rows, rest)), inputs, encoders, strict=True
        ):
            source = Box(_INPUTS, row.middle - diagram.height_of(left) / 2, left)
            encoder = Box(_MIDDLE, row.middle - diagram.height_of(right) / 2, right)
            diagram.draw_box(axes, source)
            diagram.draw_box(axes, encoder)
            diagram.join_right(axes, source, encoder)
            diagram.join_right(axes, encoder, steps[0])
        for box in steps:
            diagram.draw_box(axes, box)
        _join(axes, steps, [layer.reads for layer in anatomy.layers] + [(len(steps) - 2,)])


def draw_trees(name: str, plan: TreePlan, target: Path) -> None:
    """Draw what a tree model reads and how its trees are grown."""
    statistics = _some(len(plan.statistics), "statistic")
    inputs = [
        _INPUTS.wrap(
            label, f"{_some(len(channels), 'channel')} × {statistics}", ", ".join(channels)
        )
        for label, channels in plan.channels.items()
    ]
    number = len(plan.statistics) * sum(len(channels) for channels in plan.channels.values())
    features = [_MIDDLE.wrap(_some(number, "feature"), ", ".join(plan.statistics))]
    known = {
        key: text.format(plan.settings[key]).replace("%", " %")
        for key, text in _SETTINGS.items()
        if key in plan.settings and plan.settings[key] not in _NO_LIMIT.get(key, ())
    }
    grown = [_LAST.wrap(_LIBRARIES[plan.kind], *known.values()), _END]
    rest = max(diagram.height_of_all(column) for column in (inputs, features, grown))
    titles = ("Inputs", "Features", "Boosted trees")
    words = (
        "in their units, not scaled",
        "of each channel, over the patch",
        "their sum is a logit",
    )
    with _sheet(target, name, "", rest, titles, words) as axes:
        sources = diagram.stack(_INPUTS, inputs, _centred(inputs, rest))
        trees, end = diagram.stack(_LAST, grown, _centred(grown, rest))
        table = Box(_MIDDLE, trees.middle - diagram.height_of(features[0]) / 2, features[0])
        for box in (*sources, table, trees, end):
            diagram.draw_box(axes, box)
        for source in sources:
            diagram.join_right(axes, source, table)
        diagram.join_right(axes, table, trees)
        diagram.join_down(axes, trees, end)


@contextmanager
def _sheet(
    target: Path,
    name: str,
    total: str,
    rest: float,
    titles: Sequence[str],
    words: Sequence[str],
) -> Iterator[Axes]:
    """A canvas with the model's name and, over each column, what it is; `rest` inches below."""
    with drawing(target, height=_TOP + rest + 0.1) as figure:
        axes = diagram.canvas(figure)
        look: dict[str, Any] = {"va": "center", "weight": "bold"}
        axes.text(_INPUTS.left, 0.14, name, fontsize=11, **look)
        right = _LAST.left + _LAST.width
        axes.text(right, 0.14, total, fontsize=9, va="center", ha="right", color=QUIET)
        for column, title, text in zip((_INPUTS, _MIDDLE, _LAST), titles, words, strict=True):
            axes.text(column.left, 0.4, title, fontsize=9, **look)
            axes.text(column.left, 0.49, text, fontsize=7.5, va="top", color=QUIET, linespacing=1.1)
        yield axes


def _centred(boxes: Sequence[Lines], rest: float) -> float:
    """Upper edge of boxes in the middle of the sheet."""
    return _TOP + (rest - diagram.height_of_all(boxes)) / 2


def _join(axes: Axes, steps: Sequence[Box], reads: Sequence[Sequence[int]]) -> None:
    """Arrows of the head: down to the next step, and round the steps that they pass by."""
    passing = 0
    for place, sources in enumerate(reads):
        for source in sources:
            if source == place - 1:
                diagram.join_down(axes, steps[source], steps[place])
            else:
                diagram.join_round(axes, steps[source], steps[place], passing)
                passing += 1


def _layer(layer: Layer) -> tuple[str, ...]:
    if layer.parameters:
        return layer.text, _some(layer.parameters, "parameter")
    return (layer.text, _some(layer.outputs, "value")) if layer.outputs > 1 else (layer.text,)


def _head_words(anatomy: Anatomy) -> str:
    if anatomy.head_parameters == 0:
        return "the encoder's own classifier"
    return _some(anatomy.head_parameters, "parameter")


def _total(anatomy: Anatomy) -> str:
    total = f"{_rounded(anatomy.parameters)} parameters"
    head = anatomy.head_parameters
    if head == 0:
        return total
    return (
        f"{total}: {_rounded(anatomy.parameters - head)} in encoders, {_rounded(head)} in the head"
    )


def _rounded(number: int) -> str:
    """15127808 -> '15.1 M'; 849 -> '849'."""
    if number < 1_000:
        return f"{number}"
    return f"{number / 1e3:.1f} k" if number < 1_000_000 else f"{number / 1e6:.1f} M"


def _some(number: int, word: str) -> str:
    """2, 'encoder' -> '2 encoders'."""
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
