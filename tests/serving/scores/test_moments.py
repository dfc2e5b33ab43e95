"""A score is judged after all that was committed before it, whichever clock there is."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from serving.scores.moments import Moments
from tests.serving.fakes import SHOP

FROZEN = replace(SHOP, frozen_at=100)
LIVE = replace(SHOP, frozen_at=None)


def moments(
    clock: str, source: Any = LIVE, last: int = 50, instant: int = 0, committed_at: int = 0
) -> Moments:
    held = SimpleNamespace(source=source, last_instant=last, instant=instant)
    store: Any = SimpleNamespace(store=held, committed_at=committed_at)
    return Moments(clock, store, wall=lambda: 7_000_000)


@pytest.mark.parametrize(
    ("made", "as_of"),
    [
        (moments("auto"), 7_000),
        (moments("wall", FROZEN), 7_000),
        (moments("auto", FROZEN), 100),
        (moments("data"), 51),
        # What this process committed counts, even if the wall clock was set back.
        (moments("auto", committed_at=9_000), 9_001),
        (moments("auto", FROZEN, committed_at=100), 101),
        # So does what another process committed, where time follows the events.
        (moments("auto", FROZEN, last=140, instant=140), 141),
        (moments("auto", FROZEN, instant=100), 101),
        (moments("data", last=50, instant=70), 71),
    ],
)
def test_a_score_is_judged_after_what_was_committed(made: Moments, as_of: int) -> None:
    assert made.as_of() == as_of


@pytest.mark.parametrize(
    ("made", "latest", "at"),
    [
        (moments("auto"), 9_000, 7_000),
        (moments("wall", FROZEN), 9_000, 7_000),
        (moments("auto", FROZEN), 60, 100),
        (moments("auto", FROZEN), 130, 130),
        (moments("data"), 60, 60),
        (moments("data"), 20, 51),
    ],
)
def test_a_commit_is_known_from_the_clock_on_or_from_its_latest_event(
    made: Moments, latest: int, at: int
) -> None:
    assert made.commit(latest) == at
