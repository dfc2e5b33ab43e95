"""Exact Shapley values of a row by trees: plain Python over tables, compiled in `machine_code`.

A leaf of value v, whose path asks for the features j, is a game that pays

    v * prod_j (o_j if j is in the coalition else p_j),

where o_j says whether the row passes all the path's conditions on j, and p_j is the share of
training rows that do. The Shapley value of feature u is an integral over a polynomial,

    phi_u = v (o_u - p_u) * integral over t in [0, 1] of prod_{j != u} ((1 - t) p_j + t o_j),

for which Gauss-Legendre nodes are exact: q of them up to 2 q features in a path. At each node t the
product is cut at every tree node into what lies above it, D, and the sum over the leaves of what
lies below it, R. One pass down makes all D, one pass up makes all R and the values. So a tree costs
its nodes and not, as path by path, its leaves times their depths.

Where a path asks for a feature again, its factor f_a is replaced by the narrower f_e, and the
value's terms telescope: the node adds (o_e p_a - o_a p_e) D R / f_a^2. When the row has failed an
earlier condition on the feature, both are zero but for shares, and nothing is added.

Everything is a product or sum of shares and of t, so nothing cancels, however long a path is.

Sources: L. S. Owen, "Multilinear extensions of games", Management Science 18 (1972), P64-P79, for
the integral; Lundberg, Erion & Lee, arXiv:1802.03888, for the game.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

LANES_STEP = 4
"""Quadrature nodes come in fours: what one instruction of the processor computes at once."""
ROWS = 8
"""Rows that go through a tree one after another, while its tables are close to the processor."""
ZERO, NAN, CATEGORY = 1, 2, 3
"""What counts as missing (0 is nothing), or that a set is asked."""
NEXT_TO_ZERO = float(np.float32(1e-35))
"""What LightGBM takes for zero, up to and including."""
DEAD = 2
"""The row has failed an earlier condition on the node's feature."""


def explain(
    X: Array, inputs: Array, words: Array, links: Array, shares: Array, leaves: Array, trees: Array,
    quadrature: Array, values: Array, desk: Array, sides: Array, sums: Array, out: Array,
) -> None:  # fmt: skip
    """Add each column's contribution to `out`.

    Parameters
    ----------
    X : float64[n, n_features]
    inputs, words, links, shares, leaves, trees, quadrature
        As `Tables` describes them.
    values : float64[ROWS, n_inputs]
        Room for what the nodes compare.
    desk : float64[3, most nodes + leaves of a tree, most lanes]
        Room for D, R and 1 / f_a.
    sides : int8[2, most nodes]
        Room for the side that each node sends the row to, and whether it is DEAD.
    sums : float64[ROWS, n_features, LANES_STEP]
        Room for the values before their lanes are added.
    out : float64[n, n_features + 1]
    """
    for begin in range(0, len(X), ROWS):
        rows = min(ROWS, len(X) - begin)
        for row in range(rows):
            compare(X[begin + row], inputs, words, values[row])
        sums[:rows] = 0.0
        for i in range(len(trees)):
            first, n, leaf, lanes = trees[i, 0], trees[i, 1], trees[i, 2], trees[i, 3]
            nodes = quadrature[lanes // LANES_STEP - 1]
            for row in range(rows):
                # A number in the call lets the compiler lay the loops over lanes out flat.
                if lanes == 4:
                    down(4, first, n, links, shares, nodes, values[row], desk, sides)
                    up(4, first, n, leaf, links, shares, leaves, nodes, desk, sides, sums[row])
                elif lanes == 8:
                    down(8, first, n, links, shares, nodes, values[row], desk, sides)
                    up(8, first, n, leaf, links, shares, leaves, nodes, desk, sides, sums[row])
                else:
                    down(lanes, first, n, links, shares, nodes, values[row], desk, sides)
                    up(lanes, first, n, leaf, links, shares, leaves, nodes, desk, sides, sums[row])
        for row in range(rows):
            for feature in range(sums.shape[1]):
                s = sums[row, feature]
                out[begin + row, feature] += (s[0] + s[1]) + (s[2] + s[3])


def compare(x: Array, inputs: Array, words: Array, values: Array) -> None:
    """Write what the nodes compare: a missing value as what is always, or never, up to a number."""
    for i in range(len(inputs)):
        value, missing = x[inputs[i, 0]], inputs[i, 1]
        if missing == CATEGORY:
            values[i] = 1.0
            # Cut to an integer as C does it; what an int32 cannot hold is in no set.
            if value > -1.0 and value < 2147483648.0:
                code = int(value)
                if (
                    code >> 5 < inputs[i, 4]
                    and words[inputs[i, 3] + (code >> 5)] >> (code & 31) & 1
                ):
                    values[i] = 0.0
            continue
        if np.isnan(value):
            if missing != NAN:
                value = 0.0
        elif abs(value) <= NEXT_TO_ZERO:
            value = 0.0
        if (missing == ZERO and value == 0.0) or (missing == NAN and np.isnan(value)):
            value = -np.inf if inputs[i, 2] else np.nan
        values[i] = value


def down(
    lanes: int, first: int, n: int, links: Array, shares: Array, nodes: Array, values: Array,
    desk: Array, sides: Array,
) -> None:  # fmt: skip
    """Lay D and 1 / f_a of one tree on the desk."""
    D, G = desk[0], desk[2]
    for k in range(lanes):
        D[0, k] = nodes[2, k]
    for i in range(n):
        m = first + i
        side = np.int64(not values[links[m, 0]] <= shares[m, 0])
        hot, cold = np.uint32(links[m, 2 + side]), np.uint32(links[m, 3 - side])
        h, c = shares[m, 1 + side], shares[m, 2 - side]
        before = links[m, 4]
        sides[0, i] = side
        sides[1, i] = 0
        if before < 0:
            for k in range(0, lanes, LANES_STEP):
                split(D, i, hot, cold, h, c, nodes, k)
        elif sides[1, before] != DEAD and sides[0, before] == links[m, 5]:
            p = shares[m, 3]
            for k in range(0, lanes, LANES_STEP):
                narrow(D, G, i, hot, cold, p * h, p * c, p, nodes, k)
        else:
            sides[1, i] = DEAD
            for k in range(0, lanes, LANES_STEP):
                thin(D, i, hot, cold, h, c, k)


def up(
    lanes: int, first: int, n: int, leaf: int, links: Array, shares: Array, leaves: Array,
    nodes: Array, desk: Array, sides: Array, sums: Array,
) -> None:  # fmt: skip
    """Add one tree's values, each in LANES_STEP parts, with the D that `down` laid out."""
    D, R, G = desk[0], desk[1], desk[2]
    for i in range(n + 1):
        for k in range(lanes):
            R[n + i, k] = leaves[leaf + i]
    for i in range(n - 1, -1, -1):
        m = first + i
        side = np.int64(sides[0, i])
        hot, cold = np.uint32(links[m, 2 + side]), np.uint32(links[m, 3 - side])
        h, c = shares[m, 1 + side], shares[m, 2 - side]
        feature = np.uint32(links[m, 1])
        if sides[1, i] == DEAD:
            for k in range(0, lanes, LANES_STEP):
                mix(R, i, hot, cold, h, c, k)
        elif links[m, 4] < 0:
            for k in range(0, lanes, LANES_STEP):
                join(D, R, i, hot, cold, h, c, nodes, sums, feature, k)
        else:
            p = shares[m, 3]
            for k in range(0, lanes, LANES_STEP):
                rejoin(D, R, G, i, hot, cold, p * h, p * c, p, nodes, sums, feature, k)


# In what follows each line works on LANES_STEP lanes, and everything is read before anything is
# written, which is what lets the compiler do a line in one instruction.


def split(
    D: Array, i: int, hot: Any, cold: Any, h: float, c: float, nodes: Array, k: int
) -> None:  # fmt: skip
    """Write D of the children where a feature is asked for the first time."""
    d0, d1, d2, d3 = D[i, k], D[i, k + 1], D[i, k + 2], D[i, k + 3]
    s0, s1, s2, s3 = nodes[0, k], nodes[0, k + 1], nodes[0, k + 2], nodes[0, k + 3]
    t0, t1, t2, t3 = nodes[1, k], nodes[1, k + 1], nodes[1, k + 2], nodes[1, k + 3]
    a0, a1, a2, a3 = d0 * (h * s0 + t0), d1 * (h * s1 + t1), d2 * (h * s2 + t2), d3 * (h * s3 + t3)
    b0, b1, b2, b3 = d0 * (c * s0), d1 * (c * s1), d2 * (c * s2), d3 * (c * s3)
    D[hot, k], D[hot, k + 1], D[hot, k + 2], D[hot, k + 3] = a0, a1, a2, a3
    D[cold, k], D[cold, k + 1], D[cold, k + 2], D[cold, k + 3] = b0, b1, b2, b3


def narrow(
    D: Array, G: Array, i: int, hot: Any, cold: Any, h: float, c: float, p: float, nodes: Array,
    k: int,
) -> None:  # fmt: skip
    """Write D of the children where a feature is asked again, and 1 / f_a."""
    d0, d1, d2, d3 = D[i, k], D[i, k + 1], D[i, k + 2], D[i, k + 3]
    s0, s1, s2, s3 = nodes[0, k], nodes[0, k + 1], nodes[0, k + 2], nodes[0, k + 3]
    t0, t1, t2, t3 = nodes[1, k], nodes[1, k + 1], nodes[1, k + 2], nodes[1, k + 3]
    g0, g1 = 1.0 / (p * s0 + t0), 1.0 / (p * s1 + t1)
    g2, g3 = 1.0 / (p * s2 + t2), 1.0 / (p * s3 + t3)
    d0, d1, d2, d3 = d0 * g0, d1 * g1, d2 * g2, d3 * g3
    a0, a1, a2, a3 = d0 * (h * s0 + t0), d1 * (h * s1 + t1), d2 * (h * s2 + t2), d3 * (h * s3 + t3)
    b0, b1, b2, b3 = d0 * (c * s0), d1 * (c * s1), d2 * (c * s2), d3 * (c * s3)
    D[hot, k], D[hot, k + 1], D[hot, k + 2], D[hot, k + 3] = a0, a1, a2, a3
    D[cold, k], D[cold, k + 1], D[cold, k + 2], D[cold, k + 3] = b0, b1, b2, b3
    G[i, k], G[i, k + 1], G[i, k + 2], G[i, k + 3] = g0, g1, g2, g3


def thin(D: Array, i: int, hot: Any, cold: Any, h: float, c: float, k: int) -> None:
    """Write D of the children where the row has failed before: both are only rarer."""
    d0, d1, d2, d3 = D[i, k], D[i, k + 1], D[i, k + 2], D[i, k + 3]
    D[hot, k], D[hot, k + 1], D[hot, k + 2], D[hot, k + 3] = d0 * h, d1 * h, d2 * h, d3 * h
    D[cold, k], D[cold, k + 1], D[cold, k + 2], D[cold, k + 3] = d0 * c, d1 * c, d2 * c, d3 * c


def join(
    D: Array, R: Array, i: int, hot: Any, cold: Any, h: float, c: float, nodes: Array, sums: Array,
    feature: Any, k: int,
) -> None:  # fmt: skip
    """Write R of a node from its children's, and add to its feature's value."""
    d0, d1, d2, d3 = D[i, k], D[i, k + 1], D[i, k + 2], D[i, k + 3]
    s0, s1, s2, s3 = nodes[0, k], nodes[0, k + 1], nodes[0, k + 2], nodes[0, k + 3]
    t0, t1, t2, t3 = nodes[1, k], nodes[1, k + 1], nodes[1, k + 2], nodes[1, k + 3]
    a0, a1, a2, a3 = R[hot, k], R[hot, k + 1], R[hot, k + 2], R[hot, k + 3]
    b0, b1, b2, b3 = R[cold, k], R[cold, k + 1], R[cold, k + 2], R[cold, k + 3]
    y0, y1, y2, y3 = sums[feature, 0], sums[feature, 1], sums[feature, 2], sums[feature, 3]
    u = 1.0 - h
    y0, y1 = y0 + d0 * (u * a0 - c * b0), y1 + d1 * (u * a1 - c * b1)
    y2, y3 = y2 + d2 * (u * a2 - c * b2), y3 + d3 * (u * a3 - c * b3)
    r0, r1 = (h * s0 + t0) * a0 + (c * s0) * b0, (h * s1 + t1) * a1 + (c * s1) * b1
    r2, r3 = (h * s2 + t2) * a2 + (c * s2) * b2, (h * s3 + t3) * a3 + (c * s3) * b3
    R[i, k], R[i, k + 1], R[i, k + 2], R[i, k + 3] = r0, r1, r2, r3
    sums[feature, 0], sums[feature, 1], sums[feature, 2], sums[feature, 3] = y0, y1, y2, y3


def rejoin(
    D: Array, R: Array, G: Array, i: int, hot: Any, cold: Any, h: float, c: float, p: float,
    nodes: Array, sums: Array, feature: Any, k: int,
) -> None:  # fmt: skip
    """Do what `join` does where the feature is asked again."""
    d0, d1, d2, d3 = D[i, k], D[i, k + 1], D[i, k + 2], D[i, k + 3]
    g0, g1, g2, g3 = G[i, k], G[i, k + 1], G[i, k + 2], G[i, k + 3]
    s0, s1, s2, s3 = nodes[0, k], nodes[0, k + 1], nodes[0, k + 2], nodes[0, k + 3]
    t0, t1, t2, t3 = nodes[1, k], nodes[1, k + 1], nodes[1, k + 2], nodes[1, k + 3]
    a0, a1, a2, a3 = R[hot, k], R[hot, k + 1], R[hot, k + 2], R[hot, k + 3]
    b0, b1, b2, b3 = R[cold, k], R[cold, k + 1], R[cold, k + 2], R[cold, k + 3]
    y0, y1, y2, y3 = sums[feature, 0], sums[feature, 1], sums[feature, 2], sums[feature, 3]
    u = p - h
    a0, a1, a2, a3 = a0 * g0, a1 * g1, a2 * g2, a3 * g3
    b0, b1, b2, b3 = b0 * g0, b1 * g1, b2 * g2, b3 * g3
    y0, y1 = y0 + d0 * g0 * (u * a0 - c * b0), y1 + d1 * g1 * (u * a1 - c * b1)
    y2, y3 = y2 + d2 * g2 * (u * a2 - c * b2), y3 + d3 * g3 * (u * a3 - c * b3)
    r0, r1 = (h * s0 + t0) * a0 + (c * s0) * b0, (h * s1 + t1) * a1 + (c * s1) * b1
    r2, r3 = (h * s2 + t2) * a2 + (c * s2) * b2, (h * s3 + t3) * a3 + (c * s3) * b3
    R[i, k], R[i, k + 1], R[i, k + 2], R[i, k + 3] = r0, r1, r2, r3
    sums[feature, 0], sums[feature, 1], sums[feature, 2], sums[feature, 3] = y0, y1, y2, y3


def mix(R: Array, i: int, hot: Any, cold: Any, h: float, c: float, k: int) -> None:
    """Write R of a node where the row has failed before."""
    a0, a1, a2, a3 = R[hot, k], R[hot, k + 1], R[hot, k + 2], R[hot, k + 3]
    b0, b1, b2, b3 = R[cold, k], R[cold, k + 1], R[cold, k + 2], R[cold, k + 3]
    R[i, k], R[i, k + 1] = h * a0 + c * b0, h * a1 + c * b1
    R[i, k + 2], R[i, k + 3] = h * a2 + c * b2, h * a3 + c * b3


INLINED = (compare, split, narrow, thin, join, rejoin, mix, down, up)
"""What the compiled `explain` holds; callees before their callers."""
