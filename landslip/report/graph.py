"""The graph of the workflow's rules as a picture, drawn without Graphviz."""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from landslip.files import InputError
from landslip.report.layout import Edge, Point, lay_out
from landslip.report.plots import Axes, Curve, FancyArrowPatch, FancyBboxPatch, Patch
from landslip.report.style import COLOURS, INK, QUIET, drawing, picture_axes
from landslip.report.wording import readable

_NODE = re.compile(r'^\s*"?(\w+)"?\s*\[\s*label\s*=\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_EDGE = re.compile(r'^\s*"?(\w+)"?\s*->\s*"?(\w+)"?', re.MULTILINE)
_BOX = (1.5, 0.34)  # inches
_SPACE = 1.7  # inches for a box and the gap beside it
_LAYER = 0.8  # inches from layer to layer


def draw_graph(*, dot: Path, stages: Mapping[str, str], target: Path) -> None:
    """Draw which rule's files which rule reads.

    Parameters
    ----------
    dot
        What `snakemake --rulegraph dot` prints.
    stages
        Rule -> the stage that it belongs to, which colours its box; a rule may lack one.
    target
        PNG file to write.

    Raises
    ------
    InputError
        The file holds no graph.
    """
    nodes, edges = read_dot(dot)
    layout = lay_out(list(nodes), edges)
    used = {stages[name] for name in nodes.values() if name in stages}
    groups = [name for name in dict.fromkeys(stages.values()) if name in used]
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(groups)}
    right = max(x for route in [layout.nodes.values(), *layout.edges.values()] for x, _ in route)
    deepest = max(layer for _, layer in layout.nodes.values())
    width = max(right * _SPACE + _BOX[0] + 0.1, 4.0)
    height = deepest * _LAYER + _BOX[1] + 0.1
    with drawing(target, height=height, width=width) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        picture_axes(axes)
        axes.set(
            xlim=(-_BOX[0] / 2 - 0.05, width - _BOX[0] / 2 - 0.05),
            ylim=(height - _BOX[1] / 2 - 0.05, -_BOX[1] / 2 - 0.05),
        )
        for route in layout.edges.values():
            _draw_edge(axes, route)
        for key, (x, layer) in layout.nodes.items():
            colour = colours.get(stages.get(nodes[key], ""), QUIET)
            _draw_box(axes, readable(nodes[key]), x * _SPACE, layer * _LAYER, colour)
        handles = [
            Patch(facecolor=_tint(colours[name]), edgecolor=colours[name], label=readable(name))
            for name in groups
        ]
        if handles:
            axes.legend(handles=handles, loc="upper right", title="Stage", alignment="left")


def read_dot(path: Path) -> tuple[dict[str, str], list[Edge]]:
    """Nodes (key -> first line of the label) and edges of a graph in the dot language.

    Raises
    ------
    InputError
        There is no node, or an edge of an unknown one.
    """
    text = path.read_text(encoding="utf-8")
    nodes = {
        key: label.replace("\\n", "\n").split("\n")[0]
        for key, label in _NODE.findall(text)
        if key not in ("graph", "node", "edge")
    }
    edges = [(start, end) for start, end in _EDGE.findall(text) if start != end]
    unknown = sorted({key for edge in edges for key in edge} - nodes.keys())
    if not nodes or unknown:
        what = f"edges of unknown nodes {unknown[:5]}" if unknown else "no graph"
        raise InputError(f"{path} holds {what}; expected what `snakemake --rulegraph dot` prints")
    return nodes, edges


def in_order(dot: str) -> str:
    """The same graph, whatever the order in which Snakemake went through its sets.

    Nodes are numbered and listed in the order of their labels, edges in that of their nodes.

    Parameters
    ----------
    dot
        What `snakemake --rulegraph dot` prints: a node or an edge a line.
    """
    lines = dot.splitlines()
    nodes = {found[1]: line for line in lines if (found := _NODE.match(line))}
    edges = [found.groups() for line in lines if (found := _EDGE.match(line))]
    labels = {key: line.partition("[")[2] for key, line in nodes.items()}
    number = {key: place for place, key in enumerate(sorted(labels, key=labels.__getitem__))}
    others = [line for line in lines if line not in nodes.values() and not _EDGE.match(line)]
    return "\n".join(
        [
            *others[:-1],
            *(f"\t{place}[{labels[key]}" for key, place in number.items()),
            *(f"\t{a} -> {b}" for a, b in sorted((number[a], number[b]) for a, b in edges)),
            *others[-1:],
            "",
        ]
    )


def _draw_box(axes: Axes, text: str, x: float, y: float, colour: str) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x - _BOX[0] / 2 + 0.05, y - _BOX[1] / 2 + 0.05),
            _BOX[0] - 0.1,
            _BOX[1] - 0.1,
            boxstyle="round,pad=0.05",
            facecolor=_tint(colour),
            edgecolor=colour,
            lw=1.4,
            zorder=3,
        )
    )
    axes.text(x, y, text, ha="center", va="center", fontsize=9, color=INK, zorder=4)


def _draw_edge(axes: Axes, route: list[Point]) -> None:
    """A line that bends between layers and runs straight down between the boxes of a layer."""
    half = _BOX[1] / 2
    points = [(x * _SPACE, layer * _LAYER) for x, layer in route]
    vertices, codes = [(points[0][0], points[0][1] + half)], [Curve.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        end = y1 - half
        vertices += [(x0, y0 + half), (x0, middle), (x1, middle), (x1, end)]
        codes += [Curve.LINETO] + [Curve.CURVE4] * 3
    axes.add_patch(
        FancyArrowPatch(
            path=Curve(vertices, codes),
            arrowstyle="-|>,head_length=5,head_width=2.6",
            color=QUIET,
            lw=1.2,
            zorder=2,
        )
    )


def _tint(colour: str) -> str:
    """The colour at a fifth of its strength on white, opaque."""
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(255 - (255 - part) * 0.18):02x}" for part in parts)
