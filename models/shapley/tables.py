"""What the kernel reads of a model's trees: flat tables, made once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.shapley.kernel import CATEGORY, LANES_STEP
from models.shapley.tree_text import CATEGORICAL, DEFAULT_LEFT, Tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int32]
    Condition = tuple[int, int, bool, tuple[int, ...]]
    """Feature, what is missing (or CATEGORY), whether missing goes left, and the set's words."""


class Tables(NamedTuple):
    """Trees as arrays.

    Attributes
    ----------
    inputs : int32[n_inputs, 5]
        What a node may compare, each once: feature, what is missing, whether that goes left, and
        the set's first word and number of words.
    words : int64[n_words]
        The sets, 32 categories in a word.
    links : int32[n_nodes, 6]
        Input, feature, left and right child, the last node above that asks for the same feature
        (-1 without), and which of its sides leads here. Nodes are counted within their tree, and
        leaf i of a tree of n nodes is n + i.
    shares : float64[n_nodes, 4]
        Threshold, the shares of training rows that went left and right, and the share that
        the conditions above let through on this feature.
    leaves : float64[n_leaves]
    trees : int32[n_trees, 4]
        First node, number of nodes, first leaf, lanes.
    quadrature : float64[most lanes / LANES_STEP, 3, most lanes]
        1 - t, t and weight of the Gauss-Legendre nodes on [0, 1], by number of lanes.
    """

    inputs: Integers
    words: NDArray[np.int64]
    links: Integers
    shares: Floats
    leaves: Floats
    trees: Integers
    quadrature: Floats

    @classmethod
    def of(cls, trees: Sequence[Tree]) -> Tables:
        """Return the tables of all trees that split at all."""
        inputs: dict[Condition, int] = {}
        grown = [tree for tree in trees if len(tree.feature)]
        links, shares, rows = [], [], []
        first_node = first_leaf = 0
        for tree in grown:
            linked, shared, longest = _paths(tree, inputs)
            links += linked
            shares += shared
            lanes = LANES_STEP * -(-longest // (2 * LANES_STEP))
            rows.append((first_node, len(linked), first_leaf, lanes))
            first_node, first_leaf = len(links), first_leaf + len(tree.leaf_value)
        # Trees of equal lanes beside each other: the processor then guesses its jumps right.
        rows.sort(key=lambda row: row[3])
        most = max((row[3] for row in rows), default=LANES_STEP)
        words: list[int] = []
        listed = []
        for feature, missing, left, asked in inputs:
            listed.append((feature, missing, left, len(words), len(asked)))
            words += asked
        return cls(
            np.array(listed, np.int32).reshape(-1, 5),
            np.array(words, np.int64),
            np.array(links, np.int32).reshape(-1, 6),
            np.array(shares, np.float64).reshape(-1, 4),
            np.concatenate([tree.leaf_value for tree in grown]) if grown else np.empty(0),
            np.array(rows, np.int32).reshape(-1, 4),
            _quadrature(most),
        )

    @property
    def nbytes(self) -> int:
        """Bytes of all tables."""
        return sum(table.nbytes for table in self)


def _paths(
    tree: Tree, inputs: dict[Condition, int]
) -> tuple[list[tuple[int, ...]], list[tuple[float, ...]], int]:
    """Links and shares of a tree, and how many features its longest path asks for."""
    n = len(tree.feature)
    feature, decision, threshold = tree.feature.tolist(), tree.decision.tolist(), tree.threshold
    left, right, cover = tree.left.tolist(), tree.right.tolist(), tree.cover.tolist()
    leaf_cover = tree.leaf_cover.tolist()
    # By feature, for the nodes of a path: the last node that asks for it, its side, its share.
    above: list[dict[int, tuple[int, int, float]]] = [{} for _ in range(n)]
    links: list[tuple[int, ...]] = []
    shares: list[tuple[float, ...]] = []
    longest = 1
    for node in range(n):
        asked, missing = feature[node], decision[node] >> 2 & 3
        cut = float(threshold[node])
        if decision[node] & CATEGORICAL:
            # In the set is 0.0, which goes left of 0.5.
            condition: Condition = (asked, CATEGORY, False, tree.sets[int(cut)])
            cut = 0.5
        else:
            condition = (asked, missing, bool(missing and decision[node] & DEFAULT_LEFT), ())
        before, side_of, through = above[node].get(asked, (-1, 0, 1.0))
        children, went = [], []
        for side, child in enumerate((left[node], right[node])):
            came = cover[child] if child >= 0 else leaf_cover[~child]
            share = came / cover[node] if cover[node] else 0.0
            below = above[node] | {asked: (node, side, share * through)}
            longest = max(longest, len(below))
            if child >= 0:
                above[child] = below
            children.append(child if child >= 0 else n + ~child)
            went.append(share)
        place = inputs.setdefault(condition, len(inputs))
        links.append((place, asked, *children, before, side_of))
        shares.append((cut, *went, through))
    return links, shares, longest


def _quadrature(most: int) -> Floats:
    tables = np.zeros((most // LANES_STEP, 3, most))
    for group in range(len(tables)):
        lanes = LANES_STEP * (group + 1)
        x, weight = np.polynomial.legendre.leggauss(lanes)
        tables[group, :, :lanes] = (1.0 - x) / 2.0, (1.0 + x) / 2.0, weight / 2.0
    return tables
