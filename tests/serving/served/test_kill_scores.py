"""A server killed while it scores: what its log lacks is the end of it, and is counted."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from features.served import ServedStore
from models.catalog import spec
from serving.served.log import MOST_A_COMMIT
from serving.served.tally import FOLDER, lost
from tests.serving.fakes import publish

CALLERS, KILLS, MOST_KILLS, ANSWERS = 4, 2, 12, 300
BODY = json.dumps({"features": {spec("churn").features[0].name: 3}})

SERVER = """
import sys
from pathlib import Path
import uvicorn
from features.ledger import Ledger
from features.served import ServedStore
from models.catalog import CATALOG
from models.scores import SqlScoreStore
from serving.server import Server
from serving.app import create_app
from serving.champions.champions import Champions
from serving.listener import bind
from serving.settings import ServingSettings
from tests.serving.fakes import NOW, fake_store

home = Path(sys.argv[1])
settings = ServingSettings(home=home, log_served=1.0)
app = create_app(
    settings, Champions(CATALOG, settings.cache), fake_store(), SqlScoreStore("sqlite://"),
    lambda: NOW, Ledger.open(home, clock=lambda latest: max(NOW, latest)),
    served=ServedStore.open(home),
)
Server(uvicorn.Config(app, log_config=None)).run(sockets=[bind("127.0.0.1", 0)])
"""


def killed(home: Path, store: ServedStore, later: float) -> list[str]:
    """Return the ids that a server gave before it was killed, seconds after its first commit."""
    given: list[str] = []
    enough = threading.Event()
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(home)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = next(line for line in process.stdout if "listens on" in line)
        port = int(said.split()[3].rsplit(":", 1)[1])

        def call() -> None:
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
                for _ in range(200 * ANSWERS):
                    try:
                        connection.request("POST", "/v1/scores/churn", BODY, JSON)
                        given.append(json.loads(connection.getresponse().read())["score_id"])
                    except (OSError, http.client.HTTPException, ValueError):
                        return
                    if len(given) >= ANSWERS:
                        enough.set()

        callers = [threading.Thread(target=call) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        assert enough.wait(60)
        while not any(row.score_id[14:] == given[0][14:] for row in store.since(0)):
            time.sleep(0.001)
        time.sleep(later)
        os.kill(process.pid, signal.SIGKILL)
        for caller in callers:
            caller.join()
        process.wait()
    return given


JSON = {"content-type": "application/json"}


def test_a_kill_loses_at_most_the_last_group_which_is_counted_at_the_next_start(
    tmp_path: Path,
) -> None:
    publish(tmp_path / "cache", spec("churn"), "1")
    expected = kills = 0
    with closing(ServedStore.open(tmp_path)) as store:
        # Now and then nothing was on its way; until something was, nothing has been shown.
        while kills < KILLS or (expected == 0 and kills < MOST_KILLS):
            given = killed(tmp_path, store, later=0.003 * kills)
            kills += 1
            process = given[0][14:]
            kept = {row.score_id for row in store.since(0) if row.score_id.endswith(process)}
            missing = set(given) - kept
            assert kept, "nothing was committed before the kill"
            assert all(score_id > max(kept) for score_id in missing)
            assert len(missing) <= MOST_A_COMMIT
            # A score that was logged, or was to be, although its answer did not arrive.
            counted = lost(tmp_path, store)
            assert len(missing) <= counted <= len(missing) + CALLERS
            assert len(kept) <= len(given) + CALLERS
            expected += counted
        assert lost(tmp_path, store) == 0
    assert list((tmp_path / FOLDER).glob("*.tally")) == []
    assert expected > 0
