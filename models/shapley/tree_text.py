"""The trees of a LightGBM model, read from its own text format.

Source: LightGBM's `Tree::ToString` (src/io/tree.cpp) and `Tree::NumericalDecision`,
`Tree::CategoricalDecision` (include/LightGBM/tree.h), version 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from features.errors import NextbestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

CATEGORICAL, DEFAULT_LEFT = 1, 2
"""Bits of `decision`; the two above them say what is missing: nothing, zero or NaN."""


class TreesError(NextbestError):
    """A model's trees are of a kind that has no contributions."""


@dataclass(frozen=True)
class Tree:
    """One tree: n inner nodes, children after their parents, and n + 1 leaves.

    Attributes
    ----------
    feature, decision, left, right : int64[n]
        A child below 0 is the leaf ~child.
    threshold : float64[n]
        A value up to it goes left; of a categorical node the place of its set.
    cover, leaf_cover : float64[n], float64[n + 1]
        Training rows that came by.
    leaf_value : float64[n + 1]
    sets : tuple of tuple of int
        The bits of the categories that go left, 32 in a word.
    """

    feature: Integers
    decision: Integers
    left: Integers
    right: Integers
    threshold: Floats
    cover: Floats
    leaf_cover: Floats
    leaf_value: Floats
    sets: tuple[tuple[int, ...], ...] = ()

    @property
    def expected(self) -> float:
        """The mean of the leaves by training rows; a tree of one leaf has only its value."""
        if len(self.leaf_value) == 1:
            return float(self.leaf_value[0])
        return float((self.leaf_cover / self.cover[0] * self.leaf_value).sum())


def read_trees(text: str) -> list[Tree]:
    """Return the trees of a model of one class.

    Parameters
    ----------
    text : str
        As lightgbm's `Booster.model_to_string` returns it.

    Raises
    ------
    TreesError
        The trees are averaged (a random forest) or hold linear models, or a line is missing.
    """
    head, *parts = text.partition("\nend of trees")[0].split("\nTree=")
    if "\naverage_output" in head:
        raise TreesError(
            "The model averages its trees, and a contribution is a part of a sum.",
            remedy="Train it with boosting='gbdt'.",
        )
    return [_tree(number, part) for number, part in enumerate(parts)]


def _tree(number: int, part: str) -> Tree:
    lines = dict(line.split("=", 1) for line in part.split("\n") if "=" in line)

    def numbers(name: str, kind: type = np.int64) -> NDArray[Any]:
        if name not in lines:
            raise TreesError(
                f"Tree {number} of the model has no line {name!r}.",
                remedy="Copy the whole file again, as LightGBM 4 wrote it.",
            )
        return np.array(lines[name].split(), dtype=kind)

    if lines.get("is_linear", "0") != "0":
        raise TreesError(
            f"Tree {number} holds a linear model in each leaf.",
            remedy="Train it without linear_tree.",
        )
    leaf_value = numbers("leaf_value", np.float64)
    if len(leaf_value) == 1:
        none, nothing = np.empty(0, np.int64), np.empty(0)
        return Tree(none, none, none, none, nothing, nothing, np.ones(1), leaf_value)
    sets: tuple[tuple[int, ...], ...] = ()
    if "cat_boundaries" in lines:
        bounds, words = numbers("cat_boundaries").tolist(), numbers("cat_threshold").tolist()
        sets = tuple(tuple(words[a:b]) for a, b in pairwise(bounds))
    return Tree(
        numbers("split_feature"),
        numbers("decision_type"),
        numbers("left_child"),
        numbers("right_child"),
        numbers("threshold", np.float64),
        numbers("internal_count", np.float64),
        numbers("leaf_count", np.float64),
        leaf_value,
        sets,
    )
