"""Who follows what changed holds, in the end, what is stored: whatever is written meanwhile."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.database import connect, create
from models.score_changes import DAYS_GONE, MICROS_A_DAY, START
from models.score_rows import about
from models.scores import ScoreRow, SqlScoreStore
from models.scores_table import tables
from models.trend import Earlier


class Clock:
    """A clock that stands still, goes on or falls back, as clocks do."""

    def __init__(self) -> None:
        self.at = 10**15

    def __call__(self) -> int:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(address: tuple[str, str], clock: Clock) -> Iterator[SqlScoreStore]:
    opened = SqlScoreStore(*address, now=clock)
    yield opened
    opened.close()


def row(customer: str, probability: float = 0.5, batch: int = 0, **more: Any) -> ScoreRow:
    """A score whose id, moment and sequence are those of its batch, as real ones are."""
    return ScoreRow(
        "lead_score", "1", customer, f"{customer}@{batch}{more.get('context')}", batch, batch,
        batch, probability=probability, margin=probability, **more,
    )  # fmt: skip


class Crm:
    """A mirror that asks for what changed."""

    def __init__(self, store: SqlScoreStore) -> None:
        self.store, self.since = store, None
        self.held: dict[str, ScoreRow] = {}

    def follow(self, rng: random.Random, meanwhile: Any = lambda: None) -> int:
        """Ask once, page by page; returns how many changes came."""
        until = self.store.changed_at("lead_score")
        assert until is not None
        if self.since is None:
            self.held.clear()
        seen: list[str] = []
        place = START
        while True:
            found, end = self.store.changes(
                "lead_score", self.since, until, place, rng.randint(1, 7)
            )
            for change in found:
                key = about(change.customer_id, change.context)
                seen.append(key)
                if change.row is None:
                    self.held.pop(key, None)
                else:
                    self.held[key] = change.row
            if end is None:
                break
            place = end
            meanwhile()
        assert len(seen) == len(set(seen))
        self.since = until
        return len(seen)


def said(rows: dict[str, ScoreRow]) -> dict[str, tuple[Any, ...]]:
    return {key: (r.version, r.probability, r.grade, r.reasons) for key, r in rows.items()}


@pytest.mark.parametrize("seed", range(4))
def test_a_mirror_is_what_is_stored_whatever_is_written_between_two_pages(
    store: SqlScoreStore, clock: Clock, seed: int
) -> None:
    rng = random.Random(seed)
    batches = 0

    def write() -> None:
        nonlocal batches
        batches += 1
        clock.at += rng.choice([0, 1, 10**6, -(10**3)])
        who = [f"h{i}" for i in range(25) if rng.random() < 0.8]
        rows = [
            row(name, rng.choice([0.25, 0.5]), batches, context={"campaign_id": campaign})
            for name in who
            for campaign in rng.sample(["8", "9"], rng.randint(1, 2))
        ]
        store.replace("lead_score", rows)

    write()
    crm = Crm(store)
    for _ in range(6):
        crm.follow(rng, lambda: rng.random() < 0.3 and write())
    crm.follow(rng)
    stored = {about(r.customer_id, r.context): r for r in store.read("lead_score")}
    assert said(crm.held) == said(stored)
    assert crm.follow(rng) == 0
    assert batches > 3


def test_only_what_says_something_else_has_changed(store: SqlScoreStore, clock: Clock) -> None:
    rows = [row("a"), row("b"), row("c", grade="A")]
    store.replace("lead_score", rows)
    crm, rng = Crm(store), random.Random(0)
    assert crm.follow(rng) == 3
    clock.at += 5
    again = [replace(r, row_id=f"{r.row_id}!", as_of=9, scored_at=9, sequence=9) for r in rows]
    store.replace("lead_score", again)
    assert crm.follow(rng) == 0
    moved = [
        replace(again[0], earlier=Earlier(0.49, "1", 0, 0.49)),  # a trend where none was
        replace(again[1], earlier=Earlier(0.2, "1", 0, 0.2)),
        replace(again[2], grade="B"),
    ]
    store.replace("lead_score", moved)
    assert crm.follow(rng) == 3
    as_far = replace(moved[1], earlier=Earlier(0.21, "1", 0, 0.21))  # the same direction
    store.replace("lead_score", [moved[0], as_far, moved[2]])
    assert crm.follow(rng) == 0


def test_what_is_gone_is_told_once_and_what_returns_is_a_score_again(
    store: SqlScoreStore, clock: Clock
) -> None:
    store.replace("lead_score", [row("a"), row("b")])
    crm, rng = Crm(store), random.Random(0)
    crm.follow(rng)
    store.replace("lead_score", [row("a", batch=1)])
    assert crm.follow(rng) == 1
    assert set(crm.held) == {about("a", {})}
    store.replace("lead_score", [])
    assert crm.follow(rng) == 1
    store.replace("lead_score", [row("b", batch=3)])
    assert crm.follow(rng) == 1
    assert set(crm.held) == {about("b", {})}
    later = Crm(store)
    assert later.follow(rng) == 1  # without a moment nothing that is gone is told


def test_several_rows_about_the_same_are_all_told(store: SqlScoreStore) -> None:
    store.replace("lead_score", [row("a", batch=1), row("a", 0.25, batch=2)])
    until = store.changed_at("lead_score")
    assert until is not None
    found, _ = store.changes("lead_score", None, until)
    assert sorted(change.row.probability for change in found if change.row) == [0.25, 0.5]


def test_what_went_long_ago_is_forgotten(store: SqlScoreStore, clock: Clock) -> None:
    store.replace("lead_score", [row("a"), row("b")])
    first = store.changed_at("lead_score")
    store.replace("lead_score", [row("a")])
    clock.at += DAYS_GONE * MICROS_A_DAY + 10
    assert store.forgets_before() > first  # so nobody may ask from there on
    store.replace("lead_score", [row("a", 0.25)])
    found, _ = store.changes("lead_score", first, 2 * 10**15)
    assert [change.customer_id for change in found] == ["a"]


def test_a_renamed_segment_is_a_change(store: SqlScoreStore, clock: Clock) -> None:
    named = ScoreRow("segments", "1", "a", "a", 0, 0, 1, segment="rare")
    store.replace("segments", [named])
    before = store.changed_at("segments")
    store.rename_segment("segments", "rare", "seldom", "2")
    after = store.changed_at("segments")
    assert after > before
    ((change,), _) = store.changes("segments", before, after)
    assert (change.row.segment, change.row.version) == ("seldom", "2")


def test_models_have_changes_of_their_own(store: SqlScoreStore) -> None:
    store.replace("lead_score", [row("a")])
    assert store.changed_at("churn") is None
    assert store.changes("churn", None, 2 * 10**15) == ([], None)


def test_pages_are_read_along_an_index(tmp_path: Path) -> None:
    # Of SQLite: PostgreSQL plans by the number of rows.
    engine = connect(f"sqlite:///{tmp_path / 'scores.db'}")
    metadata, scores, _ = tables("x_")
    create(engine, metadata)
    sql = (
        f"SELECT * FROM {scores.name} WHERE model = 'x' AND changed_at > 1 AND changed_at <= 5 "
        "AND (changed_at, about) > (2, 'a') ORDER BY changed_at, about LIMIT 10"
    )
    with engine.connect() as connection:
        plan = connection.execute(sa.text(f"EXPLAIN QUERY PLAN {sql}")).fetchall()
    engine.dispose()
    assert len(plan) == 1
    assert "scores_changed (model=? AND changed_at>" in plan[0][-1]
