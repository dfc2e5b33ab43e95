"""The record of a customer: whatever way it was made, the same events have the same bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import record
from features.errors import StoreError
from features.record import EVER, decode, empty, encode, insert, pack_states, states_of

moments = st.integers(0, 5)
names = st.text("abé", min_size=1, max_size=3)


def built(events, batches):
    """A record after batches of the events, each batch as a slice of them."""
    held = empty(3)
    for batch in batches:
        some = [events[number] for number in batch]
        values = np.array(
            [[at, 2 * at, number] for (at, _), number in zip(some, batch, strict=True)], np.int64
        )
        held = decode(encode(insert(held, values.reshape(-1, 3).T, [i.encode() for _, i in some])))
    return held


@given(
    st.lists(st.tuples(moments, names), unique=True, max_size=30).flatmap(
        lambda events: st.tuples(
            st.just(events),
            st.permutations(range(len(events))),
            st.lists(st.integers(1, 5), max_size=30),
        )
    )
)
def test_any_order_and_any_batches_give_the_events_sorted_by_moment_and_id(drawn):
    events, order, sizes = drawn
    batches, rest = [], list(order)
    for size in [*sizes, len(rest)]:
        batches, rest = [*batches, rest[:size]], rest[size:]
    held = built(events, [batch for batch in batches if batch])
    wanted = sorted(range(len(events)), key=lambda n: (events[n][0], events[n][1].encode()))
    assert held.values[2].tolist() == wanted
    assert [held.event_id(n).decode() for n in range(len(wanted))] == [events[n][1] for n in wanted]
    assert encode(held) == encode(built(events, [wanted] if wanted else []))


def test_an_event_that_is_there_already_changes_nothing():
    held = built([(1, "a"), (1, "b"), (2, "a")], [[0, 1, 2]])
    again = insert(held, np.array([[1, 2, 2], [9, 9, 9], [9, 9, 9]]), [b"b", b"a", b"a"])
    assert again is held


def test_of_two_new_events_of_one_moment_and_id_one_is_kept():
    held = insert(empty(2), np.array([[3, 3], [1, 2]]), [b"x", b"x"])
    assert held.values.tolist() == [[3], [1]]


def test_a_decoded_record_is_a_view_of_its_value():
    value = encode(built([(1, "a")], [[0]]))
    held = decode(value)
    assert np.shares_memory(held.values, np.frombuffer(value, np.uint8))
    assert not held.values.flags.writeable


def test_a_record_of_another_format_is_refused_with_its_remedy():
    value = bytearray(encode(empty(2)))
    value[0] += 1
    with pytest.raises(StoreError, match="python -m features materialise"):
        decode(value)


def test_everything_of_a_record_comes_back():
    held = built([(1, "a"), (4, "bé")], [[0, 1]])._replace(
        states=pack_states([(5, {"age": "65+"})]), cut=-7
    )
    again = decode(encode(held))
    assert (again.cut, states_of(again)) == (-7, [(5, {"age": "65+"})])
    assert empty(2).cut == EVER


@given(st.permutations([(at, {"n": float(at)}) for at in range(12)]))
def test_the_last_states_are_kept_in_whatever_order_they_come(states):
    held = empty(1)
    for state in states:
        held = held._replace(states=pack_states([*states_of(held), state]))
    assert held.states == pack_states((at, {"n": at}) for at in range(12))
    assert [at for at, _ in states_of(held)] == list(range(12 - record.KEPT_STATES, 12))


def test_of_two_states_of_one_moment_the_later_given_counts():
    held = empty(1)._replace(states=pack_states([(1, {"a": "x"}), (1, {"b": "y"})]))
    assert states_of(held) == [(1, {"b": "y"})]


def test_missing_values_and_the_order_of_names_leave_no_trace():
    assert pack_states([(1, {"b": 2, "a": "x", "c": None, "d": float("nan")})]) == pack_states(
        [(1, {"a": "x", "b": 2.0})]
    )
    assert pack_states([(1, {"a": None})]) == pack_states([])
