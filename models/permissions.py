"""Who may be contacted at all, and the first reason why not."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Permissions:
    """Who may be contacted at all, now.

    Parameters
    ----------
    erased, suppressed : container of customer ids
        Erased on request; not to be contacted.
    consented : container of customer ids, or None
        Who agreed to this channel and purpose; None where the source states consent as assumed.
    in_cooldown, over_cap : container of customer ids
        Contacted too lately (see :func:`contacted_since`), or too often.
    """

    erased: Container[str] = frozenset()
    suppressed: Container[str] = frozenset()
    consented: Container[str] | None = None
    in_cooldown: Container[str] = frozenset()
    over_cap: Container[str] = frozenset()

    def refusal(self, customer_id: str) -> str | None:
        """Return the first reason not to contact a customer, or None.

        Examples
        --------
        >>> Permissions(suppressed={"a"}, in_cooldown={"a", "b"}).refusal("a")
        'suppressed'
        """
        for reason in ("erased", "suppressed"):
            if customer_id in getattr(self, reason):
                return reason
        if self.consented is not None and customer_id not in self.consented:
            return "no_consent"
        for reason in ("in_cooldown", "over_cap"):
            if customer_id in getattr(self, reason):
                return reason
        return None


ANYONE = Permissions()
"""Nobody is refused, and consent is assumed."""


def contacted_since(last_contact: Mapping[str, int], as_of: int, cooldown: int) -> frozenset[str]:
    """Return who was last contacted less than `cooldown` before `as_of` (microseconds UTC).

    Examples
    --------
    >>> sorted(contacted_since({"a": 90, "b": 10}, as_of=100, cooldown=50))
    ['a']
    """
    return frozenset(who for who, when in last_contact.items() if as_of - when < cooldown)
