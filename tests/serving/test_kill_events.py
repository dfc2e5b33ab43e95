"""A server killed in the middle of batches of events: nothing acknowledged is lost or doubled."""

from __future__ import annotations

from pathlib import Path

from benchmarks.kill_events import Sent, looked_at, rounds
from features.ledger import Change


def test_two_kills_lose_nothing_double_nothing_and_leave_the_store_equal(tmp_path: Path) -> None:
    assert rounds(tmp_path, kills=2, batches=40, size=20) == []


def test_the_look_finds_what_is_lost_doubled_or_there_in_part() -> None:
    def line(sequence: int, event_id: str) -> Change:
        return Change(sequence, "event", sequence, {"event_id": event_id})

    sent = Sent({0: [{"event_id": "a"}, {"event_id": "b"}], 1: [{"event_id": "c"}]}, {0, 1})
    whole = [line(1, "a"), line(2, "b"), line(3, "c")]
    assert looked_at(sent, whole) == []
    assert looked_at(sent, whole[:2]) == ["batch 1 was acknowledged, 0 of it are there"]
    assert looked_at(sent, [*whole, line(4, "a")]) == ["a is there 2 times"]
    assert looked_at(sent, [*whole, line(5, "d")]) == ["the sequence has gaps"]
    sent.acknowledged.remove(0)
    assert looked_at(sent, [line(1, "a"), line(2, "c")]) == ["batch 0 is there in part: 1"]
