"""Several server processes on one database and one online store."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import closing
from pathlib import Path

from benchmarks.events_server import call, fill, free_port, make_log, running
from benchmarks.kill_events import differences
from features.ledger import Ledger

CALLERS, BATCHES, SIZE = 4, 10, 10


def test_two_servers_write_one_sequence_and_each_event_once(tmp_path: Path) -> None:
    home, rebuilt = tmp_path / "home", tmp_path / "rebuilt"
    for each in (home, rebuilt):
        make_log(each, 20)
    fill(home)
    ports = (free_port(), free_port())
    added: list[int] = []
    sequences: list[int] = []

    def send(caller: int) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", ports[caller % 2])) as connection:
            last = 0
            for batch in range(BATCHES):
                # Callers 0 and 1 send the same events, to one server each; so do 2 and 3.
                events = [
                    {
                        "event_id": f"{caller // 2}-{batch}-{n}",
                        "customer_id": f"c{n}",
                        "kind": f"kind-{batch}",
                        "occurred_at": 1_600_000_000_000_000 + batch,
                    }
                    for n in range(SIZE)
                ]
                body = json.dumps({"events": events}).encode()
                status, answer = call(connection, "POST", "/v1/events", body)
                assert status == 200
                assert answer["added"] + answer["repeated"] == SIZE
                assert answer["sequence"] >= last
                last = answer["sequence"]
                added.append(answer["added"])
            sequences.append(last)

    with running(home, ports[0]), running(home, ports[1]):
        callers = [threading.Thread(target=send, args=(caller,)) for caller in range(CALLERS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        with closing(Ledger.open(home)) as ledger:
            lines = ledger.since(0)
            assert differences(home, rebuilt, ledger) == []
    assert len(sequences) == CALLERS
    assert sum(added) == len(lines) == CALLERS // 2 * BATCHES * SIZE
    assert [line.sequence for line in lines] == list(range(1, len(lines) + 1))
    assert len({line.content["event_id"] for line in lines}) == len(lines)
