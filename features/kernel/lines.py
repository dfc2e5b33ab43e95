"""Scratch lines that the kernel's functions share, one entry a row or event of one customer.

Everything is passed as whole arrays and numbers into them: a slice would cost more than most of
the work that is done here.
"""

from __future__ import annotations

ROWS, STARTS, LOW, HIGH, LOOSE, PICKED, KEYS = range(7)
"""Row numbers; room; the first and last + 1 event of each window; whether a row has known events
behind unknown ones; the rows that are folded together; what rows ask for."""
N_LINES = 8

KEY, NEWEST, SPARE = range(3)
"""What events have, of those that rows ask for; see `windows.newest_so_far`; and any use."""
N_ROOM = 4

SEEN, COUNTS = range(2)
"""Of each code: the stamp of the row that counted it last, and how often."""
