"""Scratch lines, one entry a row of the present customer, that the kernel's functions share.

Everything is passed as whole arrays and numbers into them: a slice would cost more than most of
the work that is done here.
"""

from __future__ import annotations

ROWS, STARTS, LOW, HIGH, LOOSE, PICKED, KEYS = range(7)
"""Row numbers; where windows start; the first and last + 1 event of each window; see
`windows.place`; the rows that are folded together; what rows ask for."""
N_LINES = 7

KEY, NEWEST, SPARE = range(3)
"""Lines of scratch, one entry an event: what it has, see `windows.newest_so_far`, and any use."""
N_ROOM = 3
