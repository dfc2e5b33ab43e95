"""Served features computed again, offline: ``python -m features consistency``."""

from __future__ import annotations

import argparse
import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from features.catalog import CATALOG
from features.clock import EARLIEST, parse_instant, to_iso
from features.errors import NextbestError
from features.feature import CAMPAIGN, Feature
from features.frame import frame
from features.jit import Compiled
from features.ledger import Change, Ledger
from features.log import EventLog
from features.replay import Replay, past_of
from features.served import Served, ServedStore
from features.settings import Settings
from features.spine import Spine

BATCH = 500
CLOSE = 1e-9
WIDE = 200
"""Columns of a table that goes to a file or another program."""


class NothingServedError(NextbestError):
    """There are no served features to compute again."""


@dataclass
class Compared:
    """What became of one feature.

    Attributes
    ----------
    rows, mismatches : int
    example : (Served, computed), optional
        The first that differs.
    """

    rows: int = 0
    mismatches: int = 0
    example: tuple[Served, Any] | None = None


def consistency(
    served: Iterable[Served],
    log: EventLog,
    ledger: Ledger | None,
    features: Sequence[Feature] = CATALOG,
    engine: Compiled | None = None,
) -> dict[str, Compared]:
    """Return how served features compare with the same computed from the log and the ledger.

    Parameters
    ----------
    served : iterable of Served
        Those whose values came with the request are left out.
    log : EventLog
    ledger : Ledger, optional
    features : sequence of Feature
        Those of other names are no longer declared, and are left out.
    engine : Compiled, optional

    Returns
    -------
    dict of str to Compared
        By the features' names. Whole numbers, texts and conditions must be equal, other numbers to
        a relative 1e-9. What a log knew of a campaign before its first change through the API is
        lost once that change was exported; features that read it are left out then.
    """
    declared = {feature.name: feature for feature in features}
    changes = [] if ledger is None else ledger.since(0, 2**31, ("campaign",))
    numbers = [change.sequence for change in changes]
    # What is computed together reads the same features of the same campaigns.
    groups: dict[tuple[tuple[str, ...], int], list[Served]] = defaultdict(list)
    found: dict[str, Compared] = {}

    def flush(key: tuple[tuple[str, ...], int]) -> None:
        rows = groups.pop(key)
        wanted = [declared[name] for name in key[0]]
        campaigns = _campaigns(log, changes, key[1])
        pasts = [past_of(log, ledger, row) for row in rows]
        replay: Any = Replay(log, pasts, campaigns)
        table = frame(replay, _spine(rows), wanted, engine=engine)
        for feature in wanted:
            _compare(found.setdefault(feature.name, Compared()), feature, rows, table[feature.name])

    for row in served:
        if row.sequence is None:  # the values came with the request
            continue
        lost = _is_lost(row, row.sequence, log, changes)
        names = tuple(
            name
            for name in row.values
            if name in declared and not (lost and _reads_campaign(declared[name]))
        )
        key = names, bisect_right(numbers, row.sequence)
        groups[key].append(row)
        if len(groups[key]) >= BATCH:
            flush(key)
    for key in list(groups):
        flush(key)
    return found


def _is_lost(row: Served, sequence: int, log: EventLog, changes: Sequence[Change]) -> bool:
    """Return whether nobody knows any more what was known of the row's campaign."""
    own = [
        c.sequence for c in changes if c.content["campaign_id"] == row.context.get("campaign_id")
    ]
    return bool(own) and sequence < own[0] <= (log.exported or 0)


def _reads_campaign(feature: Feature) -> bool:
    return any(name.startswith(CAMPAIGN) for name in feature.reads)


def _campaigns(log: EventLog, changes: Sequence[Change], known: int) -> dict[str, dict[str, Any]]:
    """Return campaigns as they were after so many of their changes in the ledger."""
    later = {change.content["campaign_id"] for change in changes}
    campaigns = {name: given for name, given in log.campaigns.items() if name not in later}
    for change in changes[:known]:
        campaigns[change.content["campaign_id"]] = change.content
    for name in later - campaigns.keys():
        if name in log.campaigns:  # the log had it before the ledger changed it
            campaigns[name] = log.campaigns[name]
    return campaigns


def _spine(rows: Sequence[Served]) -> Spine:
    names = dict.fromkeys(name for row in rows for name in row.context)
    given = {
        name: np.array([row.context.get(name) for row in rows], dtype=object) for name in names
    }
    ids = np.array([f"{number:09d}" for number in range(len(rows))], dtype=object)
    return Spine("score", ids, ids, np.array([row.as_of for row in rows], np.int64), given)


def _compare(into: Compared, feature: Feature, rows: Sequence[Served], computed: Any) -> None:
    for row, value in zip(rows, computed.tolist(), strict=True):
        into.rows += 1
        if not _same(row.values[feature.name], value):
            into.mismatches += 1
            if into.example is None:
                into.example = row, value


def _same(served: Any, computed: Any) -> bool:
    if isinstance(computed, float) and math.isnan(computed):
        computed = None
    if served is None or computed is None:
        return served is computed
    if isinstance(computed, float) and not isinstance(served, str):
        return math.isclose(served, computed, rel_tol=CLOSE, abs_tol=1e-12)
    return bool(served == computed)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "--limit", type=float, default=0.0, help="share of values that may differ (default: 0)"
    )
    parser.add_argument("--since", help="only what was served as of this date or later")
    parser.add_argument(
        "--show-customers", action="store_true", help="name customers and values in examples"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print one line a feature; returns 1 where more differ than the limit allows."""
    log = EventLog.open(settings.home)
    url = settings.database_url or None
    zone = log.source.timezone
    since = EARLIEST if arguments.since is None else parse_instant(arguments.since, zone)
    with ExitStack() as held:
        ledger = Ledger.found(settings.home, url)
        if ledger is None:
            raise NothingServedError("Nothing was served here yet.", remedy=REMEDY)
        held.callback(ledger.close)
        store = held.enter_context(closing(ServedStore.open(settings.home, url)))
        found = consistency(store.since(since), log, ledger)
    if not found:
        raise NothingServedError("There are no served features to compare.", remedy=REMEDY)
    _print(found, shown=arguments.show_customers)
    rows = sum(compared.rows for compared in found.values())
    wrong = sum(compared.mismatches for compared in found.values())
    print(f"{wrong:,} of {rows:,} values differ; the limit is {arguments.limit:g} of them.")
    return int(wrong > arguments.limit * rows)


REMEDY = "Serve scores with NEXTBEST_LOG_SERVED above 0; an older --since looks further back."


def _print(found: dict[str, Compared], *, shown: bool) -> None:
    table = Table("feature", title="Served features computed again", title_justify="left")
    table.add_column("rows", justify="right")
    table.add_column("mismatches", justify="right")
    table.add_column("example")
    for name, compared in sorted(found.items(), key=lambda item: (-item[1].mismatches, item[0])):
        told = "" if compared.example is None else _told(name, *compared.example, shown=shown)
        table.add_row(name, f"{compared.rows:,}", f"{compared.mismatches:,}", told)
    console = Console()
    if not console.is_terminal:
        console.width = WIDE
    console.print(table)


def _told(name: str, row: Served, value: Any, *, shown: bool) -> str:
    place = f"{row.model} {row.version}, as of {to_iso(row.as_of)}, sequence {row.sequence}"
    if shown:
        return f"{row.customer_id}: served {row.values[name]}, computed {value}; {place}"
    return f"score {row.score_id[:8]}; {place}"
