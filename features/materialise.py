"""The online store filled from the log while events flow: none is lost, and each counts once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from features import record
from features.compute import Plan
from features.draft import Draft
from features.errors import NoLogError, StoreError
from features.everybody import Records, records
from features.feature import Aggregate, ContextRef, Feature, walk
from features.kernel import NULL
from features.local_time import DERIVED
from features.log import EventLog
from features.money import minor_units
from features.plan import compile_plan, feature_hash
from features.progress import Report, silent
from features.shelf import Shelf
from features.store_meta import (
    CAMPAIGNS,
    META,
    STATE,
    Meta,
    Progress,
    customer_key,
    name_key,
    pack_campaigns,
)
from features.tiling import Nothing, Tiling, fitting

if TYPE_CHECKING:
    from features.apply import Changes
    from features.following import FollowingStore


def materialise(
    log: EventLog,
    shelf: Shelf,
    ledger: Changes | None = None,
    *,
    anew: bool = False,
    report: Report = silent,
) -> FollowingStore:
    """Fill a store from the log, let it follow the ledger, and make it the current one.

    Servers read the store before until then, and what they apply to it meanwhile is in the
    ledger. A store that was filled from the same log for the same features is left as it is.

    Parameters
    ----------
    log : EventLog
    shelf : Shelf
        See `features.shelf.shelf_of`; its background says for which features.
    ledger : Ledger, optional
        None where nothing has been received yet.
    anew : bool
        Fill it in any case.
    report : callable
        Told how far it is, see `features.progress`.

    Raises
    ------
    StoreError
        The store cannot be written, or another process is filling it.
    """
    ledger = ledger or _Nothing()
    with shelf.filling():
        held = _usable(shelf)
        before = shelf.stamp()
        plan = plan_of(log, shelf.background.catalogue)
        meta = meta_of(log, plan)
        if held is not None and held.meta == meta and not anew:
            held.catch_up(ledger)
            return held
        name = f"{log.fingerprint[:12]}-{uuid.uuid4().hex[:8]}"
        try:
            store = _fill(log, shelf, name, plan, meta, report)
            store.catch_up(ledger)
            store.settle()
            _take_over(shelf, name, store, held, ledger)
            store.catch_up(ledger)
        finally:
            # Of a fill that failed nothing is left; readers of the one before may still be there.
            list(shelf.sweep(kept for kept in (shelf.stamp(), before) if kept is not None))
    return store


def _fill(
    log: EventLog, shelf: Shelf, name: str, plan: Plan, meta: Meta, report: Report
) -> FollowingStore:
    shelf.create(name)
    tiling = Tiling(meta, log.dictionaries, shelf.background)
    for some in records(log, plan, shelf.background.engine(), report):
        shelf.write(name, partial(_write, some, tiling, _latest(log)))
    shelf.write(name, partial(_describe, log, meta))
    return shelf.generation(name)


def _usable(shelf: Shelf) -> FollowingStore | None:
    try:
        return shelf.open()
    except NoLogError:
        return None
    except StoreError:
        return None


def _take_over(
    shelf: Shelf, name: str, store: FollowingStore, held: FollowingStore | None, ledger: Changes
) -> None:
    """Make a store the current one, at a moment at which nothing is applied to the one before."""
    if held is None:
        shelf.point(name, None)
        return

    def retire(draft: Any) -> None:
        store.catch_up(ledger)
        progress = Progress.unpack(draft.get(STATE))
        draft.put(STATE, progress._replace(retired=1).pack())
        shelf.point(name, draft)

    held.transact(retire)


def plan_of(log: EventLog, features: Sequence[Feature]) -> Plan:
    """Return the plan of those features whose columns the log has."""
    chosen = fitting(features, (*log.columns, *DERIVED))
    return compile_plan(chosen, log.columns, log.dictionaries, minor_units(log.source.currency))


def meta_of(log: EventLog, plan: Plan) -> Meta:
    """Return what a store filled from a log for a plan says of itself."""
    levels = {
        name: list(held.levels) for name, held in log.dictionaries.items() if name in plan.columns
    }
    for name, text in sorted(_texts(plan.features)):
        if name in levels and text not in levels[name]:
            levels[name].append(text)
    schema = log.customers.schema
    return Meta(
        log.source,
        plan.columns,
        levels,
        log.fingerprint,
        feature_hash(plan.features),
        log.exported or 0,
        dict(log.properties),
        {
            field.name: "text" if str(field.type) == "string" else "number"
            for field in schema
            if field.name not in ("customer_id", "known_at")
        },
    )


def _texts(features: Sequence[Feature]) -> set[tuple[str, str]]:
    """Return the texts that filters compare with: no plan may find them missing."""
    found = set()
    for feature in features:
        for leaf in walk(feature):
            if isinstance(leaf, Aggregate):
                found.add(("kind", leaf.kind))
                found |= {(n, v) for n, v in leaf.filters if not isinstance(v, ContextRef)}
    return found


def _write(some: Records, tiling: Tiling, now: int, draft: Draft) -> None:
    for customer, held in some:
        one, tiles = tiling.split(held, Nothing(), now)
        draft.put(customer_key(customer), record.encode(one))
        full = name_key(customer)
        if full is not None:
            draft.put(full, customer.encode())
        if tiles:
            draft.put_tiles(customer, tiles)


def _describe(log: EventLog, meta: Meta, draft: Draft) -> None:
    draft.put(META, meta.pack())
    draft.put(CAMPAIGNS, pack_campaigns(log.campaigns))
    draft.put(STATE, Progress(meta.exported, last_instant=_latest(log)).pack())


def _latest(log: EventLog) -> int:
    return log.last_instant if log.kinds else NULL


class _Nothing:
    """A ledger in which nothing was ever written."""

    def since(self, sequence: int, limit: int = 0) -> Sequence[Any]:
        """Return no changes."""
        return ()

    def of_customer(self, customer_id: str, up_to: int | None = None) -> Sequence[Any]:
        """Return no changes."""
        return ()
