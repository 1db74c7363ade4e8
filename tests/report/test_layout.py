"""The workflow's graph is laid out so that every arrow points down and no box covers another."""

import random
import re
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report.made_run import EDGES, RULES, printed_dot

from landslip.io.files import InputError
from landslip.report.graph import lay_out, read_rulegraph

NODES = [f"rule{number}" for number in range(9)]
EDGE_LISTS = st.lists(
    st.tuples(st.sampled_from(NODES), st.sampled_from(NODES)), max_size=25, unique=True
).map(lambda edges: [list(edge) for edge in edges])


def reachable(edges: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """All pairs that a walk along the edges joins, by repeated joining."""
    found = set(edges)
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


@given(EDGE_LISTS)
def test_every_edge_points_down_one_layer_at_a_time_and_no_two_boxes_overlap(edges) -> None:
    layout = lay_out(NODES, edges)
    for route in layout.edges:
        assert [layer for _, layer in route] == list(range(route[0][1], route[-1][1] + 1))
        assert route[0] in layout.rules.values() and route[-1] in layout.rules.values()
    places = sorted(layout.rules.values(), key=lambda place: (place[1], place[0]))
    for (x0, layer0), (x1, layer1) in pairwise(places):
        assert layer0 != layer1 or x1 - x0 >= 1 - 1e-9
    assert min(x for x, _ in places) >= -1e-9


@given(EDGE_LISTS)
def test_edges_that_follow_from_others_are_left_out_and_no_other(edges) -> None:
    forward = [edge for edge in edges if edge[0] < edge[1]]
    layout = lay_out(NODES, forward)
    name = {place: rule for rule, place in layout.rules.items()}
    kept = [(name[route[0]], name[route[-1]]) for route in layout.edges]
    assert reachable(kept) == reachable((start, end) for start, end in forward)
    for edge in kept:
        assert edge not in reachable(other for other in kept if other != edge)


def test_a_single_rule_is_a_graph() -> None:
    assert lay_out(["all"], []).rules == {"all": (0.0, 0)}


def test_what_is_no_graph_is_refused() -> None:
    with pytest.raises(InputError, match="no graph"):
        read_rulegraph("Building DAG of jobs...\n")


def test_a_graph_is_read_alike_however_snakemake_went_through_its_sets() -> None:
    text = printed_dot(RULES, EDGES)
    lines = text.splitlines()
    middle = lines[4:-1]
    random.Random(3).shuffle(middle)
    # numbers, which follow the order in which Snakemake comes to the rules
    other = [
        re.sub(r"(?<=\t)\d+|(?<=-> )\d+", lambda n: str((int(n[0]) + 7) % len(RULES)), line)
        for line in middle
    ]
    again = "\n".join([*lines[:4], *other, lines[-1], ""])
    assert again != text
    assert read_rulegraph(again) == read_rulegraph(text)
    assert sorted(RULES) == read_rulegraph(text)["rules"]
    assert len(read_rulegraph(text)["edges"]) == len(EDGES.split())
