"""Many boosters as one: the text of a model whose margin is the weighted sum of theirs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from features.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

_END = "end of trees\n"
_SCALED = ("leaf_value=", "internal_value=", "shrinkage=")


def weighted_sum(texts: Sequence[str], weights: Sequence[float]) -> str:
    """Return the text of a booster that answers the weighted sum of several boosters' margins.

    One file holds all trees, so that serving, contributions and reasons know nothing of it.

    Parameters
    ----------
    texts : sequence of str
        Models of the same columns in LightGBM's own text format.
    weights : sequence of float
        One a model; 1 / n each for the mean.

    Raises
    ------
    BadInputError
        There is no model, or not one weight for each.
    """
    if not texts or len(texts) != len(weights):
        raise BadInputError(
            f"{len(texts)} boosters were given {len(weights)} weights.",
            remedy="Give at least one booster, and a weight for each.",
        )
    trees: list[str] = []
    for text, weight in zip(texts, weights, strict=True):
        for body in _trees(text):
            trees.append(f"Tree={len(trees)}\n{_scaled(body, weight)}")
    header = texts[0][: texts[0].index("Tree=0\n")]
    sizes = " ".join(str(len(tree.encode())) for tree in trees)
    header = re.sub(r"^tree_sizes=.*$", f"tree_sizes={sizes}", header, flags=re.MULTILINE)
    # What follows the trees counts how often the first model alone used each column.
    after = texts[0][texts[0].index("\nparameters:\n") :]
    return f"{header}{''.join(trees)}{_END}{after}"


def _trees(text: str) -> list[str]:
    """Each tree's lines without its number."""
    inside = text[text.index("Tree=0\n") : text.index(_END)]
    return [body.split("\n", 1)[1] for body in inside.split("Tree=")[1:]]


def _scaled(body: str, weight: float) -> str:
    lines = body.split("\n")
    for place, line in enumerate(lines):
        name = line[: line.find("=") + 1]
        if name in _SCALED:
            numbers = (repr(float(number) * weight) for number in line[len(name) :].split())
            lines[place] = name + " ".join(numbers)
    return "\n".join(lines)
