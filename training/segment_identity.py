"""Which new segment is which old one, and who moved between them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.published import Segment
from training.card import Table, percent

Counts: TypeAlias = NDArray[np.int64]

SAME = 0.5
"""Jaccard overlap from which a segment counts as found again; below it has dissolved."""


def overlap(old: Counts, new: Counts, n_old: int, n_new: int) -> Counts:
    """Return how many customers each pair of segments shares, int64[n_old, n_new].

    Parameters
    ----------
    old, new : ndarray of int64, shape (n,)
        Positions of the same customers' old and new segments.
    """
    counts = np.zeros((n_old, n_new), dtype=np.int64)
    np.add.at(counts, (old, new), 1)
    return counts


def matches(counts: Counts) -> dict[int, int]:
    """Return new position -> old position of the segments that were found again.

    The assignment makes the sum of Jaccard overlaps (shared customers among those of either) as
    large as it can be; a pair below `SAME` is no match.

    Source
    ------
    Kuhn (1955), The Hungarian method for the assignment problem; Hennig (2007), Cluster-wise
    assessment of cluster stability: a cluster below 0.5 is dissolved.

    Examples
    --------
    >>> matches(np.array([[0, 90], [80, 5], [3, 0]]))
    {1: 0, 0: 1}
    """
    from scipy.optimize import linear_sum_assignment

    either = counts.sum(axis=1)[:, None] + counts.sum(axis=0)[None, :] - counts
    jaccard = counts / np.maximum(either, 1)
    pairs = zip(*linear_sum_assignment(-jaccard), strict=True)
    return {int(new): int(old) for old, new in pairs if jaccard[old, new] >= SAME}


def share_kept(old: Counts, new: Counts, number: int) -> float:
    """Return the share of customers who stay in their segment once segments are matched.

    Examples
    --------
    >>> share_kept(np.array([0, 0, 0, 1, 1]), np.array([1, 1, 1, 0, 1]), 2)
    0.8
    """
    counts = overlap(old, new, number, number)
    return float(sum(counts[o, n] for n, o in matches(counts).items()) / len(old))


def ids_of(found: dict[int, int], old: Sequence[Segment], number: int, next_id: int) -> list[int]:
    """Return the id of each new segment: that of the old one it is, or one never given before.

    Examples
    --------
    >>> old = [Segment(0, "Loyal", "", 0.5), Segment(4, "Lapsed", "", 0.5)]
    >>> ids_of({2: 1}, old, 3, next_id=5)
    [5, 6, 4]
    """
    ids = []
    for position in range(number):
        if position in found:
            ids.append(old[found[position]].id)
        else:
            ids.append(next_id)
            next_id += 1
    return ids


@dataclass(frozen=True)
class Migration:
    """Where the customers of each old segment are now; the same customers at the same moment.

    Attributes
    ----------
    version : str
        Of the old segments.
    old, new : tuple of (int, str)
        Id and name of each segment.
    counts : ndarray of int64, shape (n_old, n_new)
    """

    version: str
    old: tuple[tuple[int, str], ...]
    new: tuple[tuple[int, str], ...]
    counts: Counts

    @property
    def kept(self) -> float:
        """Share of customers whose segment id is the same as before."""
        same = np.array([[o == n for n, _ in self.new] for o, _ in self.old])
        return float(self.counts[same].sum() / max(self.counts.sum(), 1))

    def words(self) -> list[str]:
        """Return what a marketer must know: who stayed, what is new, what is gone."""
        ids = {number for number, _ in self.old}, {number for number, _ in self.new}
        fresh = [f"{name!r} ({number})" for number, name in self.new if number not in ids[0]]
        gone = [f"{name!r} ({number})" for number, name in self.old if number not in ids[1]]
        said = [f"{percent(self.kept)} of the customers keep the segment they had."]
        if fresh:
            said.append(f"New: {', '.join(fresh)}.")
        if gone:
            said.append(f"No longer found: {', '.join(gone)}; their ids are not used again.")
        return said

    def table(self) -> Table:
        """Return old segments by row, new ones by column, each cell with its share of the row."""
        rows = [
            (
                f"{number} {name}",
                *(
                    f"{count:,} ({percent(count / max(row.sum(), 1))})" if count else "-"
                    for count in row.tolist()
                ),
            )
            for (number, name), row in zip(self.old, self.counts, strict=True)
        ]
        header = (
            f"version {self.version}, now in",
            *(f"{number} {name}" for number, name in self.new),
        )
        return Table("Who moved since last time", header, rows, " ".join(self.words()))

    def csv(self) -> str:
        """Return one line a pair of segments: ids, names, customers, share of the old segment."""
        page = io.StringIO()
        lines = csv.writer(page, lineterminator="\n")
        lines.writerow(("old_id", "old_name", "new_id", "new_name", "customers", "share_of_old"))
        for (old_id, old_name), row in zip(self.old, self.counts.tolist(), strict=True):
            for (new_id, new_name), count in zip(self.new, row, strict=True):
                share = count / max(sum(row), 1)
                lines.writerow((old_id, old_name, new_id, new_name, count, f"{share:.6f}"))
        return page.getvalue()

    def text(self) -> str:
        """Return the table as lines of text."""
        table = self.table()
        lines = [table.header, *table.rows]
        widths = [max(len(line[i]) for line in lines) for i in range(len(table.header))]
        told = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines]
        return "\n".join([*(line.rstrip() for line in told), "", *self.words(), ""])
