"""What was counted in training: how many answered yes, by what was known of them.

A table speaks of groups only: a group is kept from `LEAST` customers on, and shares and counts are
rounded, so that nobody's own answer can be worked out from the others'.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from features.errors import BadInputError
from models.published import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST = 50
"""Customers a group must have to be spoken of."""


@dataclass(frozen=True)
class Group:
    """Rows with like values of one feature.

    Attributes
    ----------
    customers : int
        Different ones, rounded down to tens.
    rate : float
        Share of the rows with "yes", as `rounded` gives it.
    """

    customers: int
    rate: float


@dataclass(frozen=True)
class Counted:
    """The groups of one feature.

    Attributes
    ----------
    edges : tuple of float
        Between the groups of a number, rising: a value on an edge belongs above it.
    levels : tuple of str
        The texts that are groups; either these or `edges` are empty.
    groups : tuple of Group
        From the lowest numbers to the highest, or as the levels.
    missing : Group or None
        Where the value is not known; None if those are too few.
    """

    edges: tuple[float, ...]
    levels: tuple[str, ...]
    groups: tuple[Group, ...]
    missing: Group | None = None

    def __post_init__(self) -> None:
        wanted = len(self.levels) if self.levels else len(self.edges) + 1
        if len(self.groups) != wanted or (self.levels and self.edges):
            raise _refusal(
                f"{len(self.groups)} groups for {len(self.edges)} edges and "
                f"{len(self.levels)} levels"
            )
        if not all(a < b for a, b in pairwise(self.edges)):
            raise _refusal("edges that do not rise")
        shown = [*self.groups, self.missing] if self.missing else self.groups
        if any(each is not None and not 0.0 <= each.rate <= 1.0 for each in shown):
            raise _refusal("a share outside 0 to 1")


@dataclass(frozen=True)
class Evidence:
    """Counts of the training rows, by feature.

    Attributes
    ----------
    rate : float
        Share of "yes" among all rows.
    did : dict
        Language -> the "yes" as what people did: "redeemed a coupon".
    features : dict of str to Counted
        Without those whose rows are all in one group.
    """

    rate: float
    did: dict[str, str]
    features: dict[str, Counted]

    def __post_init__(self) -> None:
        if not 0.0 <= self.rate <= 1.0 or not set(self.did) >= set(LANGUAGES):
            raise _refusal(f"the share {self.rate} and words in {', '.join(self.did) or 'nothing'}")

    def to_json(self) -> dict[str, Any]:
        """Return plain values from which `from_json` makes an equal one."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Evidence:
        """Return the evidence that `to_json` described."""
        features = {
            name: Counted(
                tuple(counted["edges"]),
                tuple(counted["levels"]),
                _groups(counted["groups"]),
                *_groups([counted["missing"]] if counted["missing"] else []),
            )
            for name, counted in plain["features"].items()
        }
        return cls(plain["rate"], dict(plain["did"]), features)


def rounded(rate: float) -> float:
    """Return a share as it is told: whole percents, below ten percent tenths of one.

    Examples
    --------
    >>> rounded(0.61803), rounded(0.0142857)
    (0.62, 0.014)
    """
    return round(rate, 2 if rate >= 0.1 else 3)


def _groups(plain: Sequence[dict[str, Any]]) -> tuple[Group, ...]:
    return tuple(Group(each["customers"], each["rate"]) for each in plain)


def _refusal(got: str) -> BadInputError:
    return BadInputError(
        f"A table of evidence got {got}.",
        remedy="Give rising edges or levels, a group for each, and words in each language.",
    )
