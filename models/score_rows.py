"""A served score as it is stored, which of them one may ask for, and who keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import msgspec

from models.trend import Earlier

if TYPE_CHECKING:
    from models.score_changes import Changed, Place


def about(customer_id: str, context: Mapping[str, Any]) -> str:
    """Return what a row is about, as a text that is the same in every batch.

    A row's id is not: of a customer it names the moment.

    Examples
    --------
    >>> about("1001", {"campaign_id": "18"})
    '["1001",[["campaign_id","18"]]]'
    """
    return msgspec.json.encode([customer_id, sorted(context.items())]).decode()


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One served score.

    Attributes
    ----------
    model, version : str
        What made it.
    customer_id, row_id : str
        Whom it is about; the row id tells several rows of a customer apart.
    context : dict of str to str, float or None
        What the row was about beside the customer, such as its campaign.
    probability, margin, percentile, grade
        The answer of a probability model; None for segments.
    segment : str, optional
        The customer's segment, in words.
    reasons : list of dict
        As :mod:`models.reasons` gives them.
    as_of, scored_at : int
        Microseconds UTC.
    sequence : int
        Number of the log that was read.
    earlier : Earlier, optional
        The score that this one is compared with.
    abstained : str
        The rule by which the model abstains, see `models.abstention`; empty if it answers.
    """

    model: str
    version: str
    customer_id: str
    row_id: str
    as_of: int
    scored_at: int
    sequence: int
    probability: float | None = None
    margin: float | None = None
    percentile: float | None = None
    grade: str | None = None
    segment: str | None = None
    context: dict[str, Any] = field(default_factory=dict)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    earlier: Earlier | None = None
    abstained: str = ""


FIELDS = tuple(field.name for field in fields(ScoreRow))


@dataclass(frozen=True, slots=True)
class Filters:
    """Which scores of a model; None asks for all.

    Parameters
    ----------
    campaign_id : str, optional
        The campaign in the row's context.
    segment : str, optional
        Of the customer, by whichever model's scores say it.
    min_probability : float, optional
    """

    campaign_id: str | None = None
    segment: str | None = None
    min_probability: float | None = None


EVERYTHING = Filters()


class Standing(NamedTuple):
    """What is stored of a row, and may be compared with a later score of it."""

    probability: float
    version: str
    as_of: int
    earlier: Earlier | None


@dataclass(frozen=True, slots=True)
class ScorePage:
    """Some scores, and where the next ones begin; None at the end."""

    rows: tuple[ScoreRow, ...]
    cursor: int | None


class ScoreStore(Protocol):
    """What batch scoring writes and serving reads; `DatabaseError` where it does not answer."""

    def replace(self, model: str, rows: Iterable[ScoreRow]) -> int:
        """Put rows in the place of all scores of a model, at once; return how many."""
        ...

    def get(self, customer_id: str, model: str | None = None) -> list[ScoreRow]:
        """Return a customer's scores, by model and row."""
        ...

    def page(
        self,
        model: str,
        filters: Filters = EVERYTHING,
        cursor: int | None = None,
        limit: int = 100,
    ) -> ScorePage:
        """Return scores of a model, highest margin first, from a cursor on."""
        ...

    def read(self, model: str, filters: Filters = EVERYTHING) -> Iterator[ScoreRow]:
        """Yield all scores of a model, highest margin first, as they were at one moment."""
        ...

    def standing(self, model: str) -> dict[str, Standing]:
        """Return the stored probabilities of a model by `about`, without their reasons."""
        ...

    def changed_at(self, model: str) -> int | None:
        """Return the moment of the last batch that changed a score of a model; None of none."""
        ...

    def forgets_before(self) -> int:
        """Return the moment before which scores that went may have been forgotten."""
        ...

    def changes(
        self, model: str, since: int | None, until: int, after: Place = ..., limit: int = 100
    ) -> tuple[list[Changed], Place | None]:
        """Return what changed after a moment up to another, and where the next page begins."""
        ...

    def versions(self) -> dict[str, str]:
        """Return the version that made each model's scores."""
        ...
