"""Ledgers on a SQLite file and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from features.ledger import Ledger
from tests.databases import postgres

Address = tuple[str, str]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.services)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Address]:
    """URL and table prefix of a ledger that nothing else uses."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}", "nextbest_"
        return
    with postgres() as found:
        yield found


@pytest.fixture
def ledger(address: Address) -> Iterator[Ledger]:
    opened = Ledger(address[0], prefix=address[1])
    yield opened
    opened.close()
