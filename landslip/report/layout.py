"""A layered layout of a directed graph (after Sugiyama): layers, order in them, positions."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression

Edge = tuple[str, str]
Point = tuple[float, int]

_SWEEPS = 12
_BEND = 0.35  # room that a passing edge takes, in widths of a node


class Layout(NamedTuple):
    """Where everything is: x in widths of a node, from 0; layers from 0 down."""

    nodes: dict[str, Point]
    edges: dict[Edge, list[Point]]
    """From the first node to the second, through a point in every layer between."""


def lay_out(nodes: Sequence[str], edges: Iterable[Edge]) -> Layout:
    """Place the nodes in layers, every edge pointing down, with few crossings.

    Parameters
    ----------
    nodes
        Names; where nothing else decides, their order is kept.
    edges
        (from, to). Edges that close a cycle and edges that follow from others are left out.
    """
    kept = reduce_edges(drop_cycles(nodes, edges))
    layer = assign_layers(nodes, kept)
    routes: dict[Edge, list[str]] = {}
    levels: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name in nodes:
        levels[layer[name]].append(name)
    bends: set[str] = set()
    for start, end in kept:
        passed = [f"{start}\n{end}\n{level}" for level in range(layer[start] + 1, layer[end])]
        for level, bend in enumerate(passed, layer[start] + 1):
            levels[level].append(bend)
        bends.update(passed)
        routes[start, end] = [start, *passed, end]
    steps = [step for route in routes.values() for step in pairwise(route)]
    levels = _order(levels, steps)
    x = _positions(levels, steps, bends)
    depth = {name: number for number, level in enumerate(levels) for name in level}
    return Layout(
        {name: (x[name], depth[name]) for name in nodes},
        {edge: [(x[name], depth[name]) for name in route] for edge, route in routes.items()},
    )


def drop_cycles(nodes: Sequence[str], edges: Iterable[Edge]) -> list[Edge]:
    """The edges without those that lead back to where a walk from the first nodes came from."""
    following = _following(edges)
    state: dict[str, str] = {}
    kept: list[Edge] = []

    def walk(name: str) -> None:
        state[name] = "open"
        for other in following.get(name, []):
            if state.get(other) != "open":
                kept.append((name, other))
            if other not in state:
                walk(other)
        state[name] = "done"

    for name in nodes:
        if name not in state:
            walk(name)
    return kept


def reduce_edges(edges: Sequence[Edge]) -> list[Edge]:
    """The fewest edges from which the others follow (transitive reduction); no cycles."""
    following = _following(edges)

    def reached(name: str, found: set[str]) -> set[str]:
        for other in following.get(name, []):
            if other not in found:
                found.add(other)
                reached(other, found)
        return found

    beyond = {
        name: set().union(*(reached(other, set()) for other in others))
        for name, others in following.items()
    }
    return [(start, end) for start, end in edges if end not in beyond[start]]


def assign_layers(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """One more than the deepest node before it; what nothing comes before, just above its use."""
    preceding = _following((end, start) for start, end in edges)
    following = _following(edges)
    layer: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in layer:
            layer[name] = 1 + max((depth(other) for other in preceding.get(name, [])), default=-1)
        return layer[name]

    for name in nodes:
        depth(name)
    for name in nodes:
        if name not in preceding and name in following:
            layer[name] = min(layer[other] for other in following[name]) - 1
    return layer


def _following(edges: Iterable[Edge]) -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for start, end in edges:
        table.setdefault(start, []).append(end)
    return table


def _order(levels: list[list[str]], steps: Sequence[Edge]) -> list[list[str]]:
    """Order each layer by the mean place of its neighbours, down and up; the best of all sweeps."""
    above, below = _following((end, start) for start, end in steps), _following(steps)
    best, fewest = levels, _crossings(levels, steps)
    current = levels
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        place = {name: i for level in current for i, name in enumerate(level)}
        current = [list(level) for level in current]
        for level in current if down else reversed(current):
            mean = {
                name: float(np.mean([place[other] for other in neighbours.get(name, [name])]))
                for name in level
            }
            level.sort(key=mean.__getitem__)
            place.update({name: i for i, name in enumerate(level)})
        crossings = _crossings(current, steps)
        if crossings < fewest:
            best, fewest = current, crossings
    return best


def _crossings(levels: Sequence[Sequence[str]], steps: Sequence[Edge]) -> int:
    place = {name: (depth, i) for depth, level in enumerate(levels) for i, name in enumerate(level)}
    ends: dict[int, list[tuple[int, int]]] = {}
    for start, end in steps:
        ends.setdefault(place[start][0], []).append((place[start][1], place[end][1]))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0
        for level in ends.values()
        for i, a in enumerate(level)
        for b in level[:i]
    )


def _positions(
    levels: Sequence[Sequence[str]], steps: Sequence[Edge], bends: set[str]
) -> dict[str, float]:
    """As near to the mean of the neighbours as order and widths allow."""
    neighbours = _following([*steps, *((end, start) for start, end in steps)])
    room = {name: _BEND if name in bends else 1.0 for level in levels for name in level}
    offsets = []
    for level in levels:
        gaps = [(room[a] + room[b]) / 2 for a, b in pairwise(level)]
        offsets.append(np.concatenate([[0.0], np.cumsum(gaps)])[: len(level)])
    # A long edge runs straight where it can: its bends follow each other, and give way last.
    pulls = {
        name: [other for other in others if name in bends and other in bends] or others
        for name, others in ((n, neighbours.get(n, [n])) for level in levels for n in level)
    }
    weights = [np.array([4.0 if name in bends else 1.0 for name in level]) for level in levels]
    x: dict[str, float] = {}
    for level, offset in zip(levels, offsets, strict=True):
        x.update(zip(level, (offset - offset.mean()).tolist(), strict=True))
    for sweep in range(4 * _SWEEPS):
        order = range(len(levels)) if sweep % 2 == 0 else range(len(levels) - 1, -1, -1)
        for number in order:
            level, offset = levels[number], offsets[number]
            wanted = [np.mean([x[other] for other in pulls[name]]) for name in level]
            # The nearest positions in the least-squares sense that keep order and distance.
            fitted = isotonic_regression(np.array(wanted) - offset, weights=weights[number]).x
            fitted += offset
            x.update(zip(level, fitted.tolist(), strict=True))
    left = min(x.values(), default=0.0)
    return {name: value - left for name, value in x.items()}
