"""The watch outlives whatever it meets."""

from __future__ import annotations

import time
from pathlib import Path

from features.errors import StoreError
from models.scores import SqlScoreStore
from serving.champions.champions import Champions
from serving.received.live_store import LiveStore
from tests.serving.fakes import fake_store, opened


class Silent(LiveStore):
    """A store that cannot be brought up to the ledger while it is silent, or that fails oddly."""

    failure: Exception | None = None

    def catch_up(self, ledger: object) -> None:
        if self.failure is not None:
            raise self.failure


def test_a_store_that_falls_silent_is_told_as_behind_and_followed_again_once_it_answers(
    home: Path, scores: SqlScoreStore, champions: Champions
) -> None:
    store = fake_store()
    store.__class__ = Silent
    assert isinstance(store, Silent)
    with opened(home, scores, champions, store) as client:

        def told(word: str) -> bool:
            until = time.monotonic() + 10
            while time.monotonic() < until:
                answer = client.get("/health/ready")
                assert answer.status_code == 200
                if word in answer.json()["online_store"]:
                    return True
                time.sleep(0.02)
            return False

        assert told("up to date")
        store.failure = StoreError("It hangs.", remedy="Wait.")
        assert told("behind")
        store.failure = ZeroDivisionError()  # what nobody foresaw ends no watch
        time.sleep(0.2)
        store.failure = None
        assert told("up to date")
