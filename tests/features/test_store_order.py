"""Whatever way the same changes reach an online store, it holds the same bytes."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.shelves import KINDS, START, Ledger, content, empty_store, shelf_in

lines = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {
                "customer_id": st.sampled_from("abc"),
                "kind": st.sampled_from(["order", "visit"]),
                "occurred_at": st.integers(START, START + 3),
            },
            optional={"amount": st.integers(-5, 5), "channel": st.just("store")},
        ),
        st.fixed_dictionaries(
            {
                "customer_id": st.sampled_from("abc"),
                "attributes": st.fixed_dictionaries(
                    {"timezone": st.sampled_from(["Asia/Seoul", "UTC", "no/where"])}
                ),
            }
        ),
    ),
    max_size=25,
)


def numbered(rows):
    """Changes that are known at moments of their own, whatever order they are written in."""
    return [
        ("customer", row, START + number)
        if "attributes" in row
        else ("event", {**row, "event_id": f"e{number % 3}{number}"}, START + number)
        for number, row in enumerate(rows)
    ]


def written(kind, rows, batches):
    """A store's content after rows were written and applied in batches."""
    with TemporaryDirectory() as folder, shelf_in(kind, Path(folder)) as shelf:
        store, ledger = empty_store(shelf), Ledger()
        rest = list(rows)
        for size in [*batches, len(rest)]:
            for row in rest[:size]:
                ledger.add(*row)
            rest = rest[size:]
            store.catch_up(ledger)
        return content(store)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=40)
@given(lines.flatmap(lambda rows: st.permutations(numbered(rows))), st.lists(st.integers(1, 6)))
def test_events_in_any_order_and_any_batches_give_equal_bytes(kind, rows, batches):
    # Attributes are written first: at the moment of an event all that was known before is there.
    rows = sorted(rows, key=lambda row: row[0] == "event")
    sorted_rows = sorted(rows, key=lambda row: (row[0] == "event", row[2]))
    assert written(kind, rows, batches) == written("embedded", sorted_rows, [])


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("mnopq")), max_size=20),
    st.lists(st.integers(1, 6)),
)
def test_new_texts_get_the_same_codes_however_the_ledger_is_cut(kind, rows, batches):
    events = [
        ("event", {"event_id": f"e{n}", "customer_id": who, "kind": text, "occurred_at": n}, n)
        for n, (who, text) in enumerate(rows)
    ]
    assert written(kind, events, batches) == written("embedded", events, [])
