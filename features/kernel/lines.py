"""Scratch lines that the kernel's functions share.

Everything is passed as whole arrays and numbers into them: a slice would cost more than most of
the work that is done here.
"""

from __future__ import annotations

ROWS, STARTS, LOW, HIGH, LOOSE, PICKED, KEYS, UNSURE = range(8)
"""Of each row of one customer: its number; room; the first and last + 1 event of each window;
whether it has known events behind unknown ones; the rows that are folded together; what it asks
for; whether some event before its moment was recorded later."""
N_LINES = 8

KEY, NEWEST, SPARE = range(3)
"""What events of one customer have, of those that rows ask for; see `windows.newest_so_far`; and
any use."""
N_ROOM = 4

MET, ASKING, GROUP = range(3)
"""Of each event that a row of a sweep meets: its number, that row's place, and its group."""
EVENT, ROW = range(3, 5)
"""The same events and rows, group by group."""
CHOSEN, WITHIN = 5, 7
"""Those of a stream, and those within one window that looks ahead: two lines each, as above."""
N_LISTS = 9

SEEN, COUNTS = range(2)
"""Of each code: the stamp of the row that counted it last, and how often."""

ROWS_AT_ONCE = 256
"""Rows that are swept together."""
EVENTS_AT_ONCE = 4096
"""Events that they may meet: as many as the nearest caches hold."""
