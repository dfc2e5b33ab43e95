"""Kills the server in the middle of batches of events, again and again, and counts what is left.

    python -m benchmarks.kill_events --kills 20

After each kill the server is started again, and: every acknowledged event is in the database once,
none is there twice, no batch is there in part, and the online store equals one that is filled anew
from the log and the database. Callers send what was not acknowledged again, as they should.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.events_server import FEATURES, call, fill, free_port, make_log, running, shelf
from features.following import FollowingStore
from features.jit import PLAIN
from features.ledger import Change, Ledger
from features.online import OnlineFeatures
from features.record import KEPT_STATES

CALLERS = 4
CUSTOMERS = 300


@dataclass
class Sent:
    """What callers sent and what was acknowledged.

    Attributes
    ----------
    batches : dict of int to list of dict
        Every batch that was ever sent.
    acknowledged : set of int
        Those that were answered.
    waiting : list of int
        Those that were not, to be sent again.
    """

    batches: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    acknowledged: set[int] = field(default_factory=set)
    waiting: list[int] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def next(self, make: Any) -> int:
        """Return the number of a batch to send: one that was not answered, else a new one."""
        with self._lock:
            if self.waiting:
                return self.waiting.pop()
            number = len(self.batches)
            self.batches[number] = make(number)
            return number


class Round:
    """Callers that send batches until the server is killed under them.

    Parameters
    ----------
    sent : Sent
    port : int
    size : int
        Events of a batch.
    batches : int
        How many to send at most.
    die_after : int
        The number of answers after which the server is killed.
    """

    def __init__(self, sent: Sent, port: int, size: int, batches: int, die_after: int) -> None:
        self.sent, self.port, self.size = sent, port, size
        self._left = batches
        self._die_after = die_after
        self._lock = threading.Lock()
        self._answers = 0
        self._now = threading.Event()

    def run(self, process: Any, rng: random.Random) -> int:
        """Send, kill the server in the middle, and return how many batches were answered."""
        callers = [threading.Thread(target=self._call) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        self._now.wait(60)
        threading.Event().wait(rng.random() * 0.01)
        os.kill(process.pid, signal.SIGKILL)
        for caller in callers:
            caller.join()
        process.wait()
        return self._answers

    def _call(self) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            while self._take():
                number = self.sent.next(self._batch)
                body = json.dumps({"events": self.sent.batches[number]}).encode()
                try:
                    status, answer = call(connection, "POST", "/v1/events", body)
                except (OSError, http.client.HTTPException):
                    self.sent.waiting.append(number)
                    return
                if status != 200 or answer["added"] + answer["repeated"] != self.size:
                    self.sent.failures.append(f"batch {number}: {status} {answer}")
                self.sent.acknowledged.add(number)
                with self._lock:
                    self._answers += 1
                    if self._answers >= self._die_after:
                        self._now.set()
                if number % 10 == 0:
                    self._change(connection, number)

    def _take(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0

    def _change(self, connection: http.client.HTTPConnection, number: int) -> None:
        path = f"/v1/customers/c{number % CUSTOMERS}"
        body = json.dumps({"attributes": {"visits": number}, "timezone": "Asia/Seoul"}).encode()
        try:
            call(connection, "PUT", path, body)
        except (OSError, http.client.HTTPException):
            return

    def _batch(self, number: int) -> list[dict[str, Any]]:
        rng = random.Random(number)
        return [
            {
                "event_id": f"{number}-{place}",
                "customer_id": f"c{rng.randrange(CUSTOMERS + 20)}",
                "kind": rng.choice(["order", "visit", f"kind-{number % 7}"]),
                "occurred_at": 1_700_000_000_000_000 + rng.randrange(10**13),
                "amount": rng.randrange(-500, 5_000),
                "item": f"item-{rng.randrange(200)}",
                "channel": rng.choice(["web", "store"]),
                "discount": rng.randrange(9),
            }
            for place in range(self.size)
        ]


def main(argv: Sequence[str] | None = None) -> int:
    """Kill, start again and look; returns 1 if anything was lost, doubled or differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--batches", type=int, default=100, help="sent in each round")
    parser.add_argument("--size", type=int, default=100, help="events of a batch")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        wrong = rounds(Path(folder), given.kills, given.batches, given.size)
    for line in wrong:
        print(line)
    print("FAILED" if wrong else "OK")
    return int(bool(wrong))


def rounds(folder: Path, kills: int, batches: int, size: int) -> list[str]:
    """Return what was found wrong, nothing if all is well."""
    home, rebuilt = folder / "home", folder / "rebuilt"
    for each in (home, rebuilt):
        make_log(each, CUSTOMERS)
    fill(home)
    sent, rng, wrong = Sent(), random.Random(0), list[str]()
    port = free_port()
    for kill in range(kills):
        with running(home, port) as process:
            die_after = rng.randrange(batches // 5, batches * 4 // 5)
            answered = Round(sent, port, size, batches, die_after).run(process, rng)
        # Starting again is what brings the store up to the ledger.
        with running(home, port), closing(Ledger.open(home)) as ledger:
            found = looked_at(sent, ledger.since(0, limit=10**9))
            found += differences(home, rebuilt, ledger)
        lines = len(sent.acknowledged) * size
        print(
            f"kill {kill + 1}: after {answered} of {batches} batches, {len(sent.waiting)} without "
            f"an answer; {lines:,} events acknowledged so far, {len(found)} things wrong",
            flush=True,
        )
        wrong += found
    return wrong + sent.failures


def looked_at(sent: Sent, changes: Sequence[Change]) -> list[str]:
    """Return what is wrong with the ledger."""
    wrong = []
    numbers = [change.sequence for change in changes]
    if numbers != list(range(1, len(numbers) + 1)):
        wrong.append("the sequence has gaps")
    held = Counter(c.content["event_id"] for c in changes if c.kind == "event")
    wrong += [f"{event_id} is there {n} times" for event_id, n in held.items() if n > 1]
    for number, events in sent.batches.items():
        there = sum(event["event_id"] in held for event in events)
        if number in sent.acknowledged and there < len(events):
            wrong.append(f"batch {number} was acknowledged, {there} of it are there")
        elif 0 < there < len(events):
            wrong.append(f"batch {number} is there in part: {there}")
    return wrong


def differences(home: Path, rebuilt: Path, ledger: Ledger) -> list[str]:
    """Return how the store of a home differs from one that is filled anew."""
    with closing(shelf(home).open()) as mine, closing(fill(rebuilt, ledger)) as other:
        wrong = [
            f"the stores' {name} differ"
            for name in ("sequence", "instant", "last_instant", "campaigns", "columns")
            if getattr(mine, name) != getattr(other, name)
        ]
        texts = {name: held.levels for name, held in mine.dictionaries.items()}
        if texts != {name: held.levels for name, held in other.dictionaries.items()}:
            wrong.append("the stores' dictionaries differ")
        people = list(mine.customer_ids())
        if people != list(other.customer_ids()):
            wrong.append("the stores' customers differ")
        as_of = mine.instant + 1
        rows = [OnlineFeatures(store, FEATURES, PLAIN).row for store in (mine, other)]
        for who in people:
            if not same(mine, other, who):
                wrong.append(f"the records of {who} differ")
            if rows[0](who, as_of, {}) != rows[1](who, as_of, {}):
                wrong.append(f"the features of {who} differ")
        return wrong


def same(mine: FollowingStore, other: FollowingStore, customer_id: str) -> bool:
    """Return whether two stores hold the same of a customer."""
    one, two = mine.get(customer_id), other.get(customer_id)
    return bool(
        one is not None
        and two is not None
        and one.values.shape == two.values.shape
        and (one.values == two.values).all()
        and one.attributes[-KEPT_STATES:] == two.attributes[-KEPT_STATES:]
    )


if __name__ == "__main__":
    sys.exit(main())
