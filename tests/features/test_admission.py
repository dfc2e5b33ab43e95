"""Who comes in when hashes are not enough; the hashes are arguments here, so that they can lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from features.admission import Admission, admit
from features.incoming import ARRIVAL, FILE
from features.keys import Keys
from features.validate import ROW

NAMES = ("event_id", "customer_id", "amount")
Event = tuple[str, str, int]


def table_of(events: list[Event]) -> pa.Table:
    rows = [dict(zip(NAMES, event, strict=True)) for event in events]
    types = (pa.string(), pa.string(), pa.int64())
    table = pa.Table.from_pylist(rows, pa.schema(list(zip(NAMES, types, strict=True))))
    numbers = np.arange(len(events))
    for name in (FILE, ROW, ARRIVAL):
        table = table.append_column(name, pa.array(numbers))
    return table


def keys_of(events: list[Event], hashes: int) -> Keys:
    """Keys with so few hashes of ids that different ids share one."""
    ids = [hash(int(event[0])) % hashes for event in events]
    contents = [(int(event[0]) * 97 + int(event[1]) * 31 + event[2] + 9) << 4 for event in events]
    return Keys(np.array(ids, dtype=np.uint64), np.array(contents, dtype=np.uint64))


def admitted(old: list[Event], new: list[Event], hashes: int) -> Admission:
    stored = keys_of(old, hashes)
    order = np.argsort(stored.ids, kind="stable")

    def stored_rows(asked: Keys) -> pa.Table:
        return table_of(old).filter(pa.array(np.isin(stored.ids, asked.ids)))

    def arrived_rows(numbers: Any) -> pa.Table:
        return table_of(new).take(pa.array(numbers[::-1]))

    return admit(keys_of(new, hashes), [stored.take(order)], arrived_rows, stored_rows, NAMES)


events = st.tuples(st.integers(0, 6).map(str), st.integers(0, 1).map(str), st.integers(0, 1))


@settings(deadline=None)
@given(
    st.lists(events, max_size=5, unique_by=lambda event: event[0]),
    st.lists(events, max_size=12),
    st.sampled_from((1, 2, 3, 100)),
)
def test_each_id_counts_once_and_the_first_word_stands(
    old: list[Event], new: list[Event], hashes: int
) -> None:
    found = admitted(old, new, hashes)
    known = {event[0]: event for event in old}
    kept, repeated, conflicts = [], 0, []
    for number, event in enumerate(new):
        kept.append(event[0] not in known)
        first = known.setdefault(event[0], event)
        if not kept[-1] and first == event:
            repeated += 1
        elif not kept[-1]:
            conflicts.append((number, "customer_id" if first[1] != event[1] else "amount"))
    assert found.kept.tolist() == kept
    assert found.repeated == repeated
    assert [(conflict.row, conflict.column) for conflict in found.conflicts] == conflicts
    assert [tuple(conflict.event.values()) for conflict in found.conflicts] == [
        new[row] for row, _ in conflicts
    ]
