"""The graph of the workflow's rules as a picture."""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from landslip.io.files import InputError, read_json
from landslip.report.plots import Axes, Curve, FancyArrowPatch, Patch
from landslip.report.style import COLOURS, INK, QUIET, drawing, picture_axes
from landslip.report.wording import readable

_NODE = re.compile(r'^\s*"?(\w+)"?\s*\[\s*label\s*=\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)
_EDGE = re.compile(r'^\s*"?(\w+)"?\s*->\s*"?(\w+)"?', re.MULTILINE)
_BOX = (1.5, 0.34)  # inches
_SPACE = 1.7  # inches for a box and the gap beside it
_LAYER = 0.8  # inches from layer to layer
_BEND = 0.35  # room that a passing edge takes, in widths of a box
_SWEEPS = 24


class Layout(NamedTuple):
    """Positions of boxes and lines: x in widths of a box, from 0; layers from 0 down."""

    rules: dict[str, tuple[float, int]]
    edges: list[list[tuple[float, int]]]
    """From the first rule to the second, through a point in every layer between."""


def read_rulegraph(dot: str) -> dict[str, Any]:
    """Rules and which reads from which, in an order that does not depend on Snakemake's sets.

    Parameters
    ----------
    dot
        What `snakemake --rulegraph dot` prints: a node or an edge a line.

    Raises
    ------
    InputError
        There is no node, or an edge of an unknown one.
    """
    names = {key: label.split("\\n")[0] for key, label in _NODE.findall(dot)}
    edges = _EDGE.findall(dot)
    if not names or not {key for edge in edges for key in edge} <= names.keys():
        raise InputError("`snakemake --rulegraph dot` printed no graph that this version reads")
    return {
        "rules": sorted(names.values()),
        "edges": sorted([names[start], names[end]] for start, end in edges),
    }


def draw_graph(*, rulegraph: Path, stages: Mapping[str, str], target: Path) -> None:
    """Draw which rule's files which rule reads.

    Parameters
    ----------
    rulegraph
        JSON, as `read_rulegraph` gives it.
    stages
        Rule -> the stage that it belongs to, which colours its box; a rule may lack one.
    target
        PNG file to write.

    Raises
    ------
    InputError
        The file is damaged.
    """
    graph = read_json(rulegraph)
    layout = lay_out(graph["rules"], graph["edges"])
    used = {stages[name] for name in graph["rules"] if name in stages}
    groups = [name for name in dict.fromkeys(stages.values()) if name in used]
    colours = {name: COLOURS[index % len(COLOURS)] for index, name in enumerate(groups)}
    points = [*layout.rules.values(), *(point for route in layout.edges for point in route)]
    width = max(max(x for x, _ in points) * _SPACE + _BOX[0] + 0.1, 4.0)
    height = max(layer for _, layer in points) * _LAYER + _BOX[1] + 0.1
    with drawing(target, height=height, width=width) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        picture_axes(axes)
        axes.set(
            xlim=(-_BOX[0] / 2 - 0.05, width - _BOX[0] / 2 - 0.05),
            ylim=(height - _BOX[1] / 2 - 0.05, -_BOX[1] / 2 - 0.05),
        )
        for route in layout.edges:
            _draw_edge(axes, route)
        for name, (x, layer) in layout.rules.items():
            colour = colours.get(stages.get(name, ""), QUIET)
            box = {"boxstyle": "round,pad=0.7", "facecolor": (colour, 0.18), "edgecolor": colour}
            axes.text(
                x * _SPACE, layer * _LAYER, readable(name), ha="center", va="center", fontsize=9,
                color=INK, bbox={**box, "lw": 1.4}, zorder=3,
            )  # fmt: skip
        handles = [
            Patch(facecolor=(colours[name], 0.18), edgecolor=colours[name], label=readable(name))
            for name in groups
        ]
        if handles:
            axes.legend(handles=handles, loc="upper right", title="Stage", alignment="left")


def lay_out(rules: list[str], edges: list[list[str]]) -> Layout:
    """Place the rules in layers, every edge pointing down, with few crossings (after Sugiyama).

    Parameters
    ----------
    rules, edges
        Edges that close a cycle and edges that follow from others are left out.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(rules)
    graph.add_edges_from(edge for edge in edges if edge[0] != edge[1])
    while not nx.is_directed_acyclic_graph(graph):
        graph.remove_edge(*nx.find_cycle(graph)[-1])
    graph = nx.transitive_reduction(graph)
    layer = {
        name: depth
        for depth, names in enumerate(nx.topological_generations(graph))
        for name in sorted(names)
    }
    for name in [name for name in layer if not graph.pred[name] and graph.succ[name]]:
        layer[name] = min(layer[other] for other in graph.succ[name]) - 1  # just above its use
    routes = []
    for start, end in sorted(graph.edges):  # networkx gives them in the order of sets
        # An edge that passes layers by has a point in each, which takes room like a narrow box.
        passed = [f"{start}\n{end}\n{depth}" for depth in range(layer[start] + 1, layer[end])]
        layer |= {point: depth for depth, point in enumerate(passed, layer[start] + 1)}
        routes.append([start, *passed, end])
    neighbours = nx.Graph(step for route in routes for step in pairwise(route))
    neighbours.add_nodes_from(layer)
    x = dict.fromkeys(layer, 0.0)
    levels = [[name for name in layer if layer[name] == depth] for depth in set(layer.values())]
    for sweep in range(_SWEEPS):
        for level in levels if sweep % 2 == 0 else reversed(levels):
            wanted = {
                name: np.mean([x[other] for other in neighbours[name]] or [x[name]])
                for name in level
            }
            level.sort(key=wanted.__getitem__)
            room = np.array([_BEND if "\n" in name else 1.0 for name in level])
            places = np.cumsum(room) - room / 2
            shift = np.mean([wanted[name] for name in level]) - places.mean()
            x.update(zip(level, (places + shift).tolist(), strict=True))
    left = min(x.values(), default=0.0)
    position = {name: (value - left, layer[name]) for name, value in x.items()}
    return Layout(
        {name: position[name] for name in rules}, [[position[name] for name in r] for r in routes]
    )


def _draw_edge(axes: Axes, route: list[tuple[float, int]]) -> None:
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
