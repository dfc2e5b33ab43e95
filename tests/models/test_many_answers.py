"""Many rows at once get the bits that each gets alone, on any number of threads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.intervals import Intervals
from models.linear import Linear, Term
from models.many_answers import many_answers
from models.score import Scorer

TABLE = Intervals((-2.0, 0.0, 2.0), (0.0, 0.3, 0.7), (0.2, 0.6, 1.0))
LINEAR = Linear(-0.5, (Term(column=0, scale=3.0, coefficient=0.8),))


@pytest.mark.parametrize("engine", [None, LINEAR], ids=["trees", "linear"])
@pytest.mark.parametrize("intervals", [None, TABLE], ids=["no intervals", "intervals"])
@pytest.mark.parametrize("threads", [1, 2])
def test_each_row_is_answered_as_it_is_alone(
    made: Any, engine: Linear | None, intervals: Intervals | None, threads: int
) -> None:
    bundle = replace(made.bundle, engine=engine or made.bundle.engine, intervals=intervals)
    scorer = Scorer(bundle, now=lambda: 0)
    rows = made.rows(50)
    found = many_answers(bundle, np.array([bundle.encoder.encode(row) for row in rows]), threads)
    for place, row in enumerate(rows):
        alone: Any = scorer.score(row, as_of=0)
        for name in ("probability", "margin", "percentile", "grade"):
            assert getattr(found, name)[place] == getattr(alone, name)
        ends = [None if end is None else end[place] for end in (found.low, found.high)]
        assert ends == [getattr(alone.interval, name, None) for name in ("low", "high")]
