"""Made-up people whose names, addresses and ids must appear in no error and in no log line."""

from __future__ import annotations

import random
import string

CANARIES = (
    "Zephyrine Quandtner",
    "zephyrine.quandtner@canary.example",
    "CUSTQX-88172",
    "+49 171 88172 QX",
    "Zéphyrine Quandtnér, Canary-Straße 5",
)
TRACES = ("zephyr", "quandtn", "zéphyr", "z\\u00e9phyr", "z%c3%a9phyr", "canary", "custqx", "88172")
"""In lower case; each of the above leaves one of them, in JSON and in addresses too."""


def one(rng: random.Random) -> str:
    """Return a canary, at times inside of other text."""
    canary = rng.choice(CANARIES)
    if rng.random() < 0.2:
        canary = f"{rng.choice(string.ascii_letters)} {canary}\n{rng.choice(CANARIES)}"
    return canary


def traces_in(text: str) -> list[str]:
    """Return what is left of canaries in a text.

    Examples
    --------
    >>> traces_in("No customer 'CustQX-88172'."), traces_in("No such customer.")
    (['custqx', '88172'], [])
    """
    lower = text.lower()
    return [trace for trace in TRACES if trace in lower]
