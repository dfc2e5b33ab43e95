"""Whom to contact next: customers ranked by expected net value, under what limits a contact.

Everyone is either on the list or left out for exactly one reason, the first that holds in the
order of :data:`REASONS`. Money is in integer minor units.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from features.errors import NextbestError
from models.permissions import ANYONE, Permissions

REASONS = (
    "erased",
    "suppressed",
    "no_consent",
    "in_cooldown",
    "over_cap",
    "not_in_target",
    "abstained",
    "below_cost",
    "over_budget",
    "over_capacity",
    "holdout",
)


class ProspectError(NextbestError):
    """A list asked for in a way that has no meaning."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A scored customer who may be contacted.

    Attributes
    ----------
    margin : float
        Orders equal expected values.
    abstained : bool
        Whether the model had no answer; see `models.abstention`.
    """

    customer_id: str
    probability: float
    margin: float
    row_id: str = ""
    abstained: bool = False


@dataclass(frozen=True, slots=True)
class Prospect:
    """A place on the list.

    Attributes
    ----------
    rank : int
        From 1.
    candidate : Candidate
    expected_net_value : int
        Minor units: probability x value (x save rate) - cost.
    assignment_probability : float
        Chance that whoever stood here was contacted and not held out; to be logged with the
        contact, because results are weighed by it.
    """

    rank: int
    candidate: Candidate
    expected_net_value: int
    assignment_probability: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Who is not on the list, and why; the value is None where it did not come to that."""

    candidate: Candidate
    reason: str
    expected_net_value: int | None = None
    assignment_probability: float | None = None


@dataclass(frozen=True)
class ProspectList:
    """The list, everyone left out, and what the reader must be told."""

    ranked: tuple[Prospect, ...]
    left_out: tuple[LeftOut, ...]
    assumptions: tuple[str, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many were left out for each reason, in order of precedence; reasons that occurred."""
        found = Counter(left.reason for left in self.left_out)
        return {reason: found[reason] for reason in REASONS if found[reason]}

    @property
    def expected_net_value(self) -> int:
        """Sum over the list, in minor units."""
        return sum(prospect.expected_net_value for prospect in self.ranked)


def rank_prospects(
    candidates: Iterable[Candidate],
    *,
    value: int,
    cost: int,
    positive_is_good: bool = True,
    save_rate: float | None = None,
    permissions: Permissions = ANYONE,
    target: Callable[[Candidate], bool] | None = None,
    budget: int | None = None,
    capacity: int | None = None,
    holdout: float = 0.0,
    random_state: int = 0,
) -> ProspectList:
    """Return customers by expected net value, best first, and why everyone else is left out.

    A customer with several rows is judged by the most probable of those in the target that the
    model did not abstain from. Equal
    values are ordered by margin, highest first, then by customer. The list is filled from the
    top; holding out comes last, among those who would be contacted, and nobody moves up for who
    was held out.

    Parameters
    ----------
    candidates : iterable of Candidate
    value : int
        What one "yes" is worth (for a model of a loss: one customer who stays), minor units.
    cost : int
        Of one contact, minor units.
    positive_is_good : bool
        False for a model of a loss, such as churn.
    save_rate : float, optional
        Share of those about to be lost whom a contact keeps; needed if and only if
        `positive_is_good` is False, and printed as an assumption. It has no default.
    permissions : Permissions
        Who may be contacted at all.
    target : callable, optional
        Candidate -> whether the list is meant for them; None means everyone.
    budget : int, optional
        For all contacts together, minor units.
    capacity : int, optional
        Most contacts.
    holdout : float
        Chance, 0 to less than 1, of being held out to measure what the contacts do. Drawn for
        each customer from `random_state` and the id, so the draw does not depend on the others.

    Raises
    ------
    ProspectError
        If money is not a whole number or negative, a share is out of range, a probability is not
        one, or the save rate is missing or out of place.

    Examples
    --------
    >>> asked = [Candidate("a", 0.5, 0.0), Candidate("b", 0.1, -2.2), Candidate("c", 0.01, -4.6)]
    >>> found = rank_prospects(asked, value=1_000, cost=50, capacity=1)
    >>> [(p.rank, p.candidate.customer_id, p.expected_net_value) for p in found.ranked]
    [(1, 'a', 450)]
    >>> found.counts
    {'below_cost': 1, 'over_capacity': 1}
    """
    limits = {"value": value, "cost": cost, "budget": budget, "capacity": capacity}
    _check_money({name: amount for name, amount in limits.items() if amount is not None})
    _check_share("holdout", holdout, below_one=True)
    rate = _rate(positive_is_good, save_rate)
    left: list[LeftOut] = []
    worth: list[tuple[int, Candidate]] = []
    for candidate in _best_of_each(candidates, target or _everyone):
        net = round(candidate.probability * rate * value) - cost
        refusal = permissions.refusal(candidate.customer_id)
        if refusal is not None:
            left.append(LeftOut(candidate, refusal))
        elif target is not None and not target(candidate):
            left.append(LeftOut(candidate, "not_in_target"))
        elif candidate.abstained:
            left.append(LeftOut(candidate, "abstained"))
        elif net < 0:
            left.append(LeftOut(candidate, "below_cost", net))
        else:
            worth.append((net, candidate))
    worth.sort(key=lambda pair: (-pair[0], -pair[1].margin, pair[1].customer_id))
    affordable = len(worth) if budget is None or cost == 0 else budget // cost
    places = len(worth) if capacity is None else capacity
    ranked: list[Prospect] = []
    for place, (net, candidate) in enumerate(worth):
        if place >= affordable:
            left.append(LeftOut(candidate, "over_budget", net))
        elif place >= places:
            left.append(LeftOut(candidate, "over_capacity", net))
        elif _drawn(candidate.customer_id, random_state) < holdout:
            left.append(LeftOut(candidate, "holdout", net, 1 - holdout))
        else:
            ranked.append(Prospect(len(ranked) + 1, candidate, net, 1 - holdout))
    return ProspectList(tuple(ranked), tuple(left), _assumptions(permissions, save_rate))


def _everyone(_: Candidate) -> bool:
    return True


def _best_of_each(
    candidates: Iterable[Candidate], target: Callable[[Candidate], bool]
) -> list[Candidate]:
    best: dict[str, tuple[bool, bool, float, float, str]] = {}
    chosen: dict[str, Candidate] = {}
    for candidate in candidates:
        _check_share("probability", candidate.probability)
        order = (
            not target(candidate),
            candidate.abstained,
            -candidate.probability,
            -candidate.margin,
            candidate.row_id,
        )
        who = candidate.customer_id
        if who not in best or order < best[who]:
            best[who], chosen[who] = order, candidate
    return list(chosen.values())


def _drawn(customer_id: str, random_state: int) -> float:
    """A number in [0, 1) that only the seed and the customer decide."""
    digest = hashlib.blake2b(f"{random_state}:{customer_id}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def _rate(positive_is_good: bool, save_rate: float | None) -> float:
    if positive_is_good:
        if save_rate is not None:
            raise ProspectError(
                f"A save rate of {save_rate} was given for a model of a gain.",
                remedy="Leave save_rate out; it belongs to models of a loss, such as churn.",
            )
        return 1.0
    if save_rate is None:
        raise ProspectError(
            "A model of a loss needs a save rate: how many of those about to be lost a contact "
            "keeps.",
            remedy="Give save_rate, 0 to 1, from an earlier campaign with a holdout; there is no "
            "default.",
        )
    _check_share("save_rate", save_rate)
    return save_rate


def _check_money(amounts: Mapping[str, int]) -> None:
    for name, amount in amounts.items():
        if isinstance(amount, bool) or not isinstance(amount, int) or amount < 0:
            raise ProspectError(
                f"{name} is {amount!r}.", remedy="Give a whole number of 0 or more (minor units)."
            )


def _check_share(name: str, share: float, below_one: bool = False) -> None:
    if not 0 <= share <= 1 or (below_one and share == 1):
        raise ProspectError(
            f"{name} is {share!r}.",
            remedy=f"Give a number from 0 to {'less than ' if below_one else ''}1.",
        )


def _assumptions(permissions: Permissions, save_rate: float | None) -> tuple[str, ...]:
    said = []
    if permissions.consented is None:
        said.append("Consent is assumed: the source records none.")
    if save_rate is not None:
        said.append(f"A save rate of {save_rate:g} is assumed, not measured.")
    return tuple(said)
