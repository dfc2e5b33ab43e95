"""Who did what: through the API and by the command line, without any customer's values."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from features.database import DatabaseError
from models.scores import ScoreRow, SqlScoreStore
from serving.access.audit import Audit
from serving.access.keys import SCOPES, make
from serving.access.opened import Access
from serving.access.rates import Rates
from serving.access.ring import Ring, wall
from serving.access.store import AccessStore, Act
from tests.serving.fakes import NOW, SECRET, opened

EVENTS, LISTS = "/v1/events", "/v1/prospects"
REQUEST_ID = "0af7651916cd43dd8448eb211c80319c"


def act_of(number: int) -> Act:
    return Act(number, "k", "crm", "POST /v1/events", "r", 200, {"sent": number})


class Sometimes:
    """A store of acts that answers or not."""

    def __init__(self, answers: bool) -> None:
        self.answers, self.asked = answers, 0
        self.kept: list[Act] = []

    def record(self, acts: Sequence[Act]) -> None:
        self.asked += 1
        if not self.answers:
            raise DatabaseError("It is silent.", remedy="Start it.")
        self.kept += acts


def until(holds: Callable[[], bool]) -> None:
    """Wait, for as long as a slow machine needs."""
    for _ in range(2_000):
        if holds():
            return
        time.sleep(0.005)
    raise AssertionError("it never came")


def test_a_silent_database_loses_no_line_while_there_is_room() -> None:
    store, lost = Sometimes(answers=False), []
    audit = Audit(store, most_waiting=3)  # type: ignore[arg-type]
    audit.dropped = lost.append
    audit.start()
    for number in range(5):
        audit.put(act_of(number))
    until(lambda: store.asked > 0)
    store.answers = True
    until(lambda: len(store.kept) == 3)
    audit.stop()
    assert store.kept == [act_of(0), act_of(1), act_of(2)]
    assert sum(lost) == 2


def test_what_is_left_at_the_end_is_written_or_counted() -> None:
    for answers in (True, False):
        store, lost = Sometimes(answers), []
        audit = Audit(store)  # type: ignore[arg-type]
        audit.dropped = lost.append
        audit.start()
        audit.put(act_of(1))
        audit.put(act_of(2))
        audit.stop()
        assert (len(store.kept), sum(lost)) == ((2, 0) if answers else (0, 2))


def test_changes_and_lists_are_recorded_with_who_and_how_many_and_nobodys_values(
    home: Path, scores: SqlScoreStore
) -> None:
    place: dict[str, Any] = {"probability": 0.5, "margin": 0.0, "percentile": 50.0, "grade": "B"}
    row = ScoreRow("churn", "1", SECRET, SECRET, NOW, NOW, 41, **place)
    scores.replace("churn", [row])
    store = AccessStore.open(home)
    key, token = make("crm", SCOPES, wall())
    store.create(key, "user jane")
    access = Access(store, Ring(store), Rates(), Audit(store))
    access.ring.refresh()
    event = {"customer_id": SECRET, "kind": "order", "occurred_at": NOW - 5, "amount": 4711}
    state = {"attributes": {"age": "35-44"}}
    described = {"starts_at": NOW, "ends_at": NOW + 5, "type": "35-44", "cost": 4711}
    events = [{"event_id": f"e{n}"} | event for n in range(3)]
    customer, campaign = "/v1/customers/{customer_id}", "/v1/campaigns/{campaign_id}"
    asked: list[tuple[str, str, str, Any, int, dict[str, int]]] = [
        ("PUT", customer, f"/v1/customers/{SECRET}", state, 200, {"sent": 1, "changed": 1}),
        ("PUT", campaign, "/v1/campaigns/spring", {"type": SECRET}, 422, {"sent": 1}),
        ("PUT", campaign, "/v1/campaigns/7", described, 200, {"sent": 1, "changed": 1}),
        ("POST", EVENTS, EVENTS, {"events": events}, 200, {"events_sent": 3, "events_added": 3}),
        ("POST", EVENTS, EVENTS, {"events": events}, 200, {"events_sent": 3, "events_added": 0}),
        ("POST", EVENTS, EVENTS, {"events": [event]}, 422, {"events_sent": 1}),
        ("GET", LISTS, f"{LISTS}?model=churn&format=csv", None, 200, {"csv_rows": 1}),
        ("GET", LISTS, f"{LISTS}?model=churn", None, 200, {"json_rows": 1}),
        ("GET", customer, f"/v1/customers/{SECRET}", None, 200, {}),
        ("POST", "/v1/scores/{model}", "/v1/scores/churn", {"customer_id": SECRET}, 200, {}),
    ]
    told = []
    with opened(home, scores, access=access) as client:
        for method, _, path, body, status, _ in asked:
            headers = {"authorization": f"Bearer {token}", "x-request-id": REQUEST_ID}
            answer = client.request(method, path, json=body, headers=headers)
            assert answer.status_code == status, (path, answer.text)
            told.append(answer.headers.get("x-request-id"))
    acts = store.acts()[::-1]
    kept = [(act.action, act.status, dict(act.counts)) for act in acts[1:]]
    assert kept == [(f"{m} {route}", s, counts) for m, route, _, _, s, counts in asked if counts]
    assert {(act.key_id, act.who, act.request_id) for act in acts[1:]} == {
        (key.id, "crm", REQUEST_ID)
    }
    assert told == [REQUEST_ID if counts else None for *_, counts in asked]
    assert (acts[0].action, acts[0].who) == ("keys create", "user jane")
    store.close()
    kept_bytes = b"".join(file.read_bytes() for file in home.glob("access.db*"))
    for value in (SECRET, "35-44", "4711", "spring"):
        assert value.encode() not in kept_bytes
