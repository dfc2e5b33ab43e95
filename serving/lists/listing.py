"""Next-best-prospect lists: batch scores ranked by expected net value."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.permissions import ANYONE, Permissions
from models.prospects import Candidate, Prospect, rank_prospects
from models.scores import Filters
from serving.errors import NoScoresError

if TYPE_CHECKING:
    from models.scores import ScoreRow, ScoreStore

KEPT = 8


@dataclass(frozen=True)
class Ask:
    """Which list, and what it assumes about money (integer minor units).

    Attributes
    ----------
    model : str
    campaign, segment, min_probability
        Which scores; None asks for all.
    value, cost, save_rate
        What one "yes" (or one customer who stays) is worth, what a contact costs (None if nobody
        said), and which share of those about to be lost it keeps. Without `value` the list is
        ordered by probability.
    positive_is_good : bool
        False for a model of a loss.
    consent : str
        The source's: "assumed" or "recorded".
    """

    model: str
    campaign: str | None
    segment: str | None
    min_probability: float | None
    value: int | None
    cost: int | None
    save_rate: float | None
    positive_is_good: bool
    consent: str

    @property
    def filters(self) -> Filters:
        """Which rows of the score store the list is made from."""
        return Filters(self.campaign, self.segment, self.min_probability)

    @property
    def fingerprint(self) -> str:
        """A short text that no other question has."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class Batch:
    """The batch of scores that a list is made from; instants in microseconds UTC."""

    version: str
    as_of: int
    scored_at: int


@dataclass(frozen=True)
class Listing:
    """A whole list: places in order, how many were left out and why, what is assumed."""

    batch: Batch
    ranked: tuple[Prospect, ...]
    left_out: dict[str, int]
    assumptions: tuple[str, ...]
    expected_net_value: int


class Lists:
    """Makes lists from a score store; the last few are kept until their scores are replaced.

    Everything here reads the database and blocks, so it is called in a thread.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Ask, Batch], Listing] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, scores: ScoreStore, ask: Ask) -> Listing:
        """Return the list for a question.

        Raises
        ------
        NoScoresError
            Nothing was scored that the question could be answered from.
        ProspectError
            The model of a loss lacks a save rate, or another model has one.
        """
        key = ask, batch_of(scores, ask)
        with self._lock:
            listing = self._kept.get(key)
        if listing is None:
            listing = make_list(scores, *key)
        with self._lock:
            self._kept[key] = listing
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return listing


def batch_of(scores: ScoreStore, ask: Ask) -> Batch:
    """Return the batch that scored what the question is about, or raise `NoScoresError`."""
    first = scores.page(ask.model, Filters(campaign_id=ask.campaign), limit=1).rows
    if not first:
        what = "this campaign" if ask.campaign else "this model"
        raise NoScoresError(
            f"{ask.model!r} has no batch scores for {what}.",
            remedy="Score customers, open campaigns and placements: python -m training score",
        )
    return Batch(first[0].version, first[0].as_of, first[0].scored_at)


def make_list(scores: ScoreStore, ask: Ask, batch: Batch) -> Listing:
    """Return everyone a question is about, ranked, with what is assumed in saying so."""
    # Who agreed to what is not read yet; until then a source that records consent lists nobody.
    permissions = ANYONE if ask.consent == "assumed" else Permissions(consented=frozenset())
    valued = ask.value is not None
    found = rank_prospects(
        candidates(scores, ask),
        value=ask.value or 0,
        cost=ask.cost or 0,
        # Without a value everyone's is 0, and equal values are ordered by margin.
        positive_is_good=ask.positive_is_good or not valued,
        save_rate=ask.save_rate,
        permissions=permissions,
    )
    assumptions = list(found.assumptions)
    if not valued:
        assumptions.append("No value was given: the list is ordered by probability.")
    elif ask.cost is None:
        assumptions.append("No cost was given: a contact is taken to cost nothing.")
    if ask.consent != "assumed":
        assumptions.append("Consent is recorded, but lists do not read it yet: nobody is listed.")
    return Listing(batch, found.ranked, found.counts, tuple(assumptions), found.expected_net_value)


def candidates(scores: ScoreStore, ask: Ask) -> Iterator[Candidate]:
    """Yield the scores that a question is about."""
    for row in scores.read(ask.model, ask.filters):
        if row.probability is not None and row.margin is not None:
            abstained = bool(row.abstained)
            yield Candidate(row.customer_id, row.probability, row.margin, row.row_id, abstained)


def rows_of(
    scores: ScoreStore, model: str, page: tuple[Prospect, ...]
) -> list[tuple[Prospect, ScoreRow | None]]:
    """Return each place with its stored score; None where a new batch took it away just now."""
    found = []
    for prospect in page:
        rows = scores.get(prospect.candidate.customer_id, model)
        same = (row for row in rows if row.row_id == prospect.candidate.row_id)
        found.append((prospect, next(same, None)))
    return found
