"""What can be taken back: sums, sums of squares and gaps, over sliding windows; decayed sums."""

from __future__ import annotations

from typing import Any

from features.kernel.lines import HIGH, LOW, PICKED
from features.kernel.marks import called, inlined
from features.kernel.states import (
    HOUR,
    LARGEST_WEIGHTED,
    LIMB,
    NULL,
    TOO_LARGE,
    add,
    square,
)  # fmt: skip


@inlined
def sums(
    column: Any, null: Any, slot: Any, values: Any, members: Any, s: Any, lines: Any, n_rows: Any,
    out: Any, base: Any,
) -> None:  # fmt: skip
    """Sum and number of values; what does not fit 64 bits is carried."""
    a = 0
    b = 0
    total = 0
    carry = 0
    n = 0
    for j in range(n_rows):
        low = lines[LOW, j]
        high = lines[HIGH, j]
        if low < a or high < b or low >= b:
            a = low
            b = low
            total = 0
            carry = 0
            n = 0
        while a < low:
            value = values[column, members[s, a]]
            a += 1
            if value != null:
                n -= 1
                total, carry = add(total, carry, -value)
        while b < high:
            value = values[column, members[s, b]]
            b += 1
            if value != null:
                n += 1
                total, carry = add(total, carry, value)
        r = lines[PICKED, j] - base
        out[slot, r] = total
        out[slot + 1, r] = carry
        out[slot + 2, r] = n


@called
def squares(
    column: Any, null: Any, slot: Any, values: Any, members: Any, s: Any, lines: Any, n_rows: Any,
    out: Any, base: Any,
) -> None:  # fmt: skip
    """Sum, number and sum of squares of values, the last in two limbs."""
    a = 0
    b = 0
    total = 0
    carry = 0
    n = 0
    low_limb = 0
    high_limb = 0
    for j in range(n_rows):
        low = lines[LOW, j]
        high = lines[HIGH, j]
        if low < a or high < b or low >= b:
            a = low
            b = low
            total = 0
            carry = 0
            n = 0
            low_limb = 0
            high_limb = 0
        # What leaves has a sign of -1; what enters, of +1.
        while a < low or b < high:
            sign = 1
            if a < low:
                sign = -1
                value = values[column, members[s, a]]
                a += 1
            else:
                value = values[column, members[s, b]]
                b += 1
            if value == null:
                continue
            n += sign
            total, carry = add(total, carry, sign * value)
            if abs(value) >> LIMB != 0:
                carry += sign * TOO_LARGE
            else:
                more_low, more_high = square(value)
                low_limb += sign * more_low
                over = low_limb >> LIMB
                low_limb -= over << LIMB
                high_limb += sign * more_high + over
        r = lines[PICKED, j] - base
        out[slot, r] = total
        out[slot + 1, r] = carry
        out[slot + 2, r] = n
        out[slot + 3, r] = low_limb
        out[slot + 4, r] = high_limb


@called
def gaps(
    slot: Any, values: Any, members: Any, s: Any, lines: Any, n_rows: Any, out: Any, base: Any
) -> None:
    """Sums of the gaps between events and of their squares, in whole hours."""
    a = 0
    b = 0
    total = 0
    squared = 0
    for j in range(n_rows):
        low = lines[LOW, j]
        high = lines[HIGH, j]
        if low < a or high < b or low >= b:
            a = low
            b = low
            total = 0
            squared = 0
        while a < low:
            if a + 1 < b:
                gap = (values[0, members[s, a + 1]] - values[0, members[s, a]]) // HOUR
                total -= gap
                squared -= gap * gap
            a += 1
        while b < high:
            if b > a:
                gap = (values[0, members[s, b]] - values[0, members[s, b - 1]]) // HOUR
                total += gap
                squared += gap * gap
            b += 1
        r = lines[PICKED, j] - base
        out[slot, r] = total
        out[slot + 1, r] = squared
        out[slot + 2, r] = b - a
        out[slot + 3, r] = values[0, members[s, a]] if b > a else NULL
        out[slot + 4, r] = values[0, members[s, b - 1]] if b > a else NULL


@called
def decayed(
    column: Any, null: Any, slot: Any, values: Any, members: Any, s: Any, lines: Any, n_rows: Any,
    weights: Any, first_weight: Any, n_weights: Any, as_of: Any, out: Any, base: Any,
) -> None:  # fmt: skip
    """Sums that fade: each value times the fixed-point weight of its age in whole hours.

    A weight is a rounded number, so that a sum cannot be aged: each row adds up its own, and only
    as far back as weights reach.
    """
    for j in range(n_rows):
        hour = as_of[lines[PICKED, j]] // HOUR
        total = 0
        carry = 0
        n = 0
        for m in range(lines[HIGH, j] - 1, lines[LOW, j] - 1, -1):
            age = hour - values[0, members[s, m]] // HOUR
            if age >= n_weights:
                break
            value = 1
            if column >= 0:
                value = values[column, members[s, m]]
                if value == null:
                    continue
            n += 1
            if abs(value) >= LARGEST_WEIGHTED:
                carry += TOO_LARGE
            else:
                total, carry = add(total, carry, value * weights[first_weight + age])
        r = lines[PICKED, j] - base
        out[slot, r] = total
        out[slot + 1, r] = carry
        out[slot + 2, r] = n
