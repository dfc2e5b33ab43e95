"""A PostgreSQL that falls silent is given up in time, and used again once it answers."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from benchmarks.chaos.proxy import Proxy
from features.database import DatabaseError
from features.ledger import Ledger
from tests.databases import postgres

PATIENCE = 0.4


@pytest.mark.services
@pytest.mark.parametrize("mode", ["hang", "refuse", "reset"])
def test_who_asks_a_silent_database_is_told_in_time_and_served_once_it_is_back(mode: str) -> None:
    with (
        postgres() as (url, prefix),
        Proxy(5432) as proxy,
        closing(
            Ledger(url.replace(":5432", f":{proxy.port}"), prefix=prefix, patience=PATIENCE)
        ) as ledger,
    ):
        assert ledger.last == 0
        proxy.become(mode)  # type: ignore[arg-type]
        started = time.monotonic()
        with pytest.raises(DatabaseError, match="does not answer"):
            _ = ledger.last
        # To find the connection dumb takes one wait, to connect anew another, of 2 s at least.
        assert time.monotonic() - started < PATIENCE + 2 + 2
        proxy.become("pass")
        assert ledger.last == 0
