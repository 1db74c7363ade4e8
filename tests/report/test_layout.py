"""The workflow's graph is laid out so that every arrow points down and no box covers another."""

import random
import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report.made_study import EDGES, RULES, write_dot

from landslip.files import InputError
from landslip.report.graph import draw_graph, in_order, read_dot
from landslip.report.layout import Edge, drop_cycles, lay_out, reduce_edges

NODES = [f"rule{number}" for number in range(9)]
EDGE_LISTS = st.lists(
    st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)).filter(lambda e: e[0] != e[1]),
    max_size=25,
    unique=True,
)


def reachable(edges: Iterable[Edge]) -> set[Edge]:
    """All pairs that a walk along the edges joins, by repeated joining."""
    found = set(edges)
    while True:
        more = {(a, d) for a, b in found for c, d in found if b == c} - found
        if not more:
            return found
        found |= more


@given(EDGE_LISTS)
def test_without_cycles_no_rule_comes_before_itself(edges: list[Edge]) -> None:
    kept = drop_cycles(NODES, edges)
    assert set(kept) <= set(edges)
    assert not any(start == end for start, end in reachable(kept))


@given(EDGE_LISTS)
def test_a_graph_without_cycles_loses_no_edge(edges: list[Edge]) -> None:
    forward = [edge for edge in edges if edge[0] < edge[1]]
    assert sorted(drop_cycles(NODES, forward)) == sorted(forward)


@given(EDGE_LISTS)
def test_edges_that_follow_from_others_are_left_out_and_no_other(edges: list[Edge]) -> None:
    forward = [edge for edge in edges if edge[0] < edge[1]]
    kept = reduce_edges(forward)
    assert reachable(kept) == reachable(forward)
    for edge in kept:
        assert edge not in reachable(other for other in kept if other != edge)


@given(EDGE_LISTS)
def test_every_edge_points_down_one_layer_at_a_time(edges: list[Edge]) -> None:
    layout = lay_out(NODES, edges)
    for (start, end), route in layout.edges.items():
        assert route[0] == layout.nodes[start] and route[-1] == layout.nodes[end]
        assert [layer for _, layer in route] == list(range(route[0][1], route[-1][1] + 1))


@given(EDGE_LISTS)
def test_no_two_boxes_overlap(edges: list[Edge]) -> None:
    places = sorted(lay_out(NODES, edges).nodes.values(), key=lambda place: (place[1], place[0]))
    for (x0, layer0), (x1, layer1) in pairwise(places):
        assert layer0 != layer1 or x1 - x0 >= 1 - 1e-9
    assert min(x for x, _ in places) >= -1e-9


def test_the_rules_that_snakemake_prints_are_read(tmp_path: Path) -> None:
    write_dot(tmp_path / "rules.dot", RULES, EDGES)
    nodes, edges = read_dot(tmp_path / "rules.dot")
    assert tuple(nodes.values()) == RULES
    assert len(edges) == len(EDGES.split())


def test_a_single_rule_is_a_graph(tmp_path: Path) -> None:
    write_dot(tmp_path / "rules.dot", ("all",), "")
    draw_graph(dot=tmp_path / "rules.dot", stages={}, target=tmp_path / "dag.png")
    assert (tmp_path / "dag.png").stat().st_size > 0


def test_a_file_without_a_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rules.dot").write_text("Building DAG of jobs...\n")
    with pytest.raises(InputError, match="no graph"):
        read_dot(tmp_path / "rules.dot")


def test_a_graph_is_written_alike_however_its_nodes_and_edges_were_gone_through(
    tmp_path: Path,
) -> None:
    printed = tmp_path / "rules.dot"
    write_dot(printed, RULES, EDGES)
    text = printed.read_text()
    lines = text.splitlines()
    middle = lines[4:-1]
    random.Random(3).shuffle(middle)
    # numbers, which follow the order in which Snakemake comes to the rules
    renumbered = [re.sub(r"(?<=\t)\d+|(?<=-> )\d+", _other, line) for line in middle]
    again = "\n".join([*lines[:4], *renumbered, lines[-1], ""])
    assert again != text
    assert in_order(again) == in_order(text)
    printed.write_text(in_order(text))
    written = _named(printed)
    printed.write_text(text)
    assert written == _named(printed)


def _other(number: re.Match[str]) -> str:
    return str((int(number[0]) + 7) % len(RULES))


def _named(path: Path) -> set[tuple[str, str]]:
    """Edges of a graph, by the labels of their nodes."""
    nodes, edges = read_dot(path)
    return {(nodes[start], nodes[end]) for start, end in edges}
