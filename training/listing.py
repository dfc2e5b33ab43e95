"""Next-best-prospect lists from the batch scores, for the command line and spreadsheets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.errors import NextbestError, UnknownCampaignError
from features.log import EventLog
from models.catalog import CATALOG
from models.permissions import ANYONE, Permissions
from models.prospects import Candidate, ProspectList, rank_prospects
from models.scores import Filters, ScoreRow, ScoreStore
from models.sheet import to_csv
from models.spec import ModelSpec

HEADER = ("rank", "customer_id", "probability", "expected_net_value", "grade", "reasons")


class NoScoresError(NextbestError):
    """A list was asked for before anyone was scored."""


@dataclass(frozen=True)
class Money:
    """What a list assumes about money, in minor units; None where nobody said."""

    value: int | None = None
    cost: int | None = None
    save_rate: float | None = None


@dataclass(frozen=True)
class Listed:
    """A list with the scores behind it."""

    places: ProspectList
    rows: Mapping[str, ScoreRow]
    assumptions: tuple[str, ...]


def model_for_campaigns() -> str:
    """Return the first model of the catalogue whose rows say which campaign they are about."""
    for name, spec in CATALOG.items():
        if "campaign_id" in spec.context:
            return name
    raise NoScoresError(
        "No model of the catalogue is about campaigns.", remedy="Name one with --model."
    )


def prospects(
    spec: ModelSpec, log: EventLog, store: ScoreStore, campaign: str, money: Money
) -> Listed:
    """Return whom to contact in a campaign, by expected net value, best first.

    A model that is not about campaigns ranks all its customers; the campaign then only says what
    a contact costs.

    Raises
    ------
    UnknownCampaignError
        The log knows no such campaign.
    NoScoresError
        Nothing was scored for it.
    """
    if spec.output != "probability":
        raise NoScoresError(
            f"{spec.name!r} gives no probability to rank by.", remedy="Choose another --model."
        )
    if campaign not in log.campaigns:
        raise UnknownCampaignError(
            f"There is no campaign {campaign!r}.",
            remedy=f"Choose one of: {', '.join(sorted(log.campaigns, key=_natural))}.",
        )
    about = campaign if "campaign_id" in spec.context else None
    rows = {row.row_id: row for row in store.read(spec.name, Filters(campaign_id=about))}
    if not rows:
        open_ones = {str(row.context.get("campaign_id")) for row in store.read(spec.name)}
        raise NoScoresError(
            f"{spec.name!r} has no scores for campaign {campaign!r}: it is not open, or nobody "
            "was scored since it opened.",
            remedy=f"Choose one of: {', '.join(sorted(open_ones, key=_natural))}."
            if open_ones
            else "Score again: python -m training score",
        )
    candidates = [
        Candidate(
            row.customer_id, row.probability, row.margin or 0.0, row.row_id, bool(row.abstained)
        )
        for row in rows.values()
        if row.probability is not None
    ]
    cost = money.cost if money.cost is not None else log.campaigns[campaign].get("cost")
    recorded = log.source.consent != "assumed"
    found = rank_prospects(
        candidates,
        value=money.value or 0,
        # Without a value everyone is worth the same, and equals are ordered by margin.
        cost=0 if money.value is None or cost is None else int(cost),
        positive_is_good=spec.positive_is_good or money.value is None,
        save_rate=None if money.value is None else money.save_rate,
        permissions=Permissions(consented=frozenset()) if recorded else ANYONE,
    )
    said = list(found.assumptions)
    if money.value is None:
        said.append("No value was given: the list is ordered by probability.")
    elif cost is None:
        said.append("No cost was given: a contact is taken to cost nothing.")
    if recorded:
        said.append("Consent is recorded, but lists do not read it yet: nobody is listed.")
    return Listed(found, rows, tuple(said))


def cells(listed: Listed, limit: int | None) -> list[tuple[Any, ...]]:
    """Return the places of a list as rows under `HEADER`."""
    table = []
    for place in listed.places.ranked[:limit]:
        row = listed.rows[place.candidate.row_id]
        words = "; ".join(str(reason["words"]) for reason in row.reasons)
        value = place.expected_net_value
        table.append((place.rank, row.customer_id, row.probability, value, row.grade, words))
    return table


def write_csv(file: Path, table: list[tuple[Any, ...]]) -> None:
    """Write a list for spreadsheets; no text in it can become a formula.

    Raises
    ------
    NoScoresError
        The file cannot be written.
    """
    try:
        file.write_text(to_csv(HEADER, table), encoding="utf-8", newline="")
    except OSError as error:
        raise NoScoresError(
            f"{file} cannot be written: {error.strerror}.", remedy="Choose another --out."
        ) from error


def _natural(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdigit() else (10**9, name)
