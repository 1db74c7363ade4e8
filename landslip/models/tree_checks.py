"""What every stored tree must be, whichever library stored it: a tree, over known columns.

The libraries trust their files: an index out of range is followed wherever it leads. So a file is
read and checked here first. All trees of a model are checked at once, as arrays.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

# Libraries follow a tree by recursion: one of a million levels overflows their stack.
_DOUBLINGS = 10
DEEPEST = 2**_DOUBLINGS


class NotTreesError(ValueError):
    """A file that is not as its library writes it; the message says where and what."""


class Forest:
    """The nodes of all trees of a model, one tree after the other; node 0 of each is its root.

    Parameters
    ----------
    nodes : (tree,)
        How many nodes each tree has.
    """

    def __init__(self, nodes: Ints) -> None:
        self.nodes = nodes
        self.start: Ints = np.cumsum(nodes) - nodes
        self.tree: Ints = np.repeat(np.arange(len(nodes)), nodes)
        self.node: Ints = np.arange(len(self.tree)) - self.start[self.tree]
        """Number of each node in its tree."""

    def require(self, right: NDArray[np.bool_], what: str) -> None:
        """Refuse a forest some of whose nodes are not `right`, by the first of them.

        Parameters
        ----------
        right : (node,)
            Whether each node is as it must be.
        what
            What is wrong where it is not, for the message.

        Raises
        ------
        NotTreesError
            One is not.
        """
        if not right.all():
            first = int(np.argmin(right))
            raise NotTreesError(f"tree {self.tree[first]}, node {self.node[first]}: {what}")

    def require_children(self, tree: Ints, parent: Ints, child: Ints) -> None:
        """Refuse trees in which a node other than the root is not the child of one node before it.

        Parameters
        ----------
        tree, parent, child : (edge,)
            Numbers of a tree and of two of its nodes.

        Raises
        ------
        NotTreesError
            A child does not exist, comes before its parent, has two parents or none, or lies more
            than DEEPEST levels below the root.
        """
        wrong = (child <= parent) | (child >= self.nodes[tree])
        if wrong.any():
            edge = int(np.argmax(wrong))
            raise NotTreesError(
                f"tree {tree[edge]}, node {parent[edge]}: child {child[edge]} is not among the"
                f" {self.nodes[tree[edge]]} nodes, or does not follow its parent"
            )
        parents = np.bincount(self.start[tree] + child, minlength=len(self.tree))
        self.require(parents == (self.node > 0), "expected one parent, the root none")
        ancestor = np.arange(len(self.tree))
        ancestor[self.start[tree] + child] = self.start[tree] + parent
        for _ in range(_DOUBLINGS):
            ancestor = ancestor[ancestor]
        self.require(self.node[ancestor] == 0, f"it lies more than {DEEPEST} levels deep")


def require_lengths(found: Sequence[int] | Ints, expected: Ints, what: str) -> None:
    """Refuse arrays that are not as long as their trees.

    Raises
    ------
    NotTreesError
        One is longer or shorter.
    """
    wrong = np.asarray(found) != expected
    if wrong.any():
        tree = int(np.argmax(wrong))
        raise NotTreesError(
            f"tree {tree}: {found[tree]} values of {what}, expected {expected[tree]}"
        )
