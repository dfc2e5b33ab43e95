"""API keys: what is given out, what is kept of it, and how the two are compared.

A key is ``nextbest_<id>_<secret>``. The id finds it; of the secret only the SHA-256 is kept. A slow
hash makes it dear to guess what people thought up; 256 random bits cannot be guessed at any price,
and a slow hash would cost every request more than its score.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from typing import NamedTuple

from features.errors import BadInputError

PREFIX = "nextbest"
SCOPES = {
    "score": "scores, and what is known of one customer",
    "events": "tell events, customers and campaigns",
    "lists": "lists of prospects",
    "admin": "metrics, and whatever no other scope opens",
}
LONGEST_NAME = 80
ID_BYTES, SECRET_BYTES = 6, 32


class Key(NamedTuple):
    """What is kept of a key.

    Attributes
    ----------
    id : str
        Public: it stands in lists, in the audit and in the key itself.
    name : str
        For people.
    digest : bytes
        SHA-256 of the secret.
    scopes : frozenset of str
        Of `SCOPES`; none contains another.
    rate : str
        ``"100/second"``; empty where the setting's holds.
    created_at : int
        Microseconds UTC.
    expires_at, revoked_at : int or None
        The moment from which it opens nothing.
    """

    id: str
    name: str
    digest: bytes
    scopes: frozenset[str]
    rate: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None

    def state(self, now: int) -> str:
        """Return "active", "revoked" or "expired" at a moment."""
        if self.revoked_at is not None and self.revoked_at <= now:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


def make(
    name: str, scopes: Collection[str], now: int, lifetime: int | None = None, rate: str = ""
) -> tuple[Key, str]:
    """Return a new key as it is kept, and as it is given out, once.

    Parameters
    ----------
    name : str
    scopes : collection of str
        At least one.
    now : int
        Microseconds UTC.
    lifetime : int, optional
        Microseconds; by default without end.
    rate : str

    Raises
    ------
    BadInputError
        The name or a scope is none.

    Examples
    --------
    >>> key, token = make("crm", ["score"], now=5)
    >>> matches(key, parts_of(token)[1]), token.startswith(f"nextbest_{key.id}_")
    (True, True)
    """
    if not (name.isprintable() and 1 <= len(name.strip()) <= LONGEST_NAME):
        raise BadInputError(
            f"{name!r} is no name of a key.",
            remedy=f"Give 1 to {LONGEST_NAME} printable characters, such as the caller's name.",
        )
    unknown = sorted(set(scopes) - SCOPES.keys())
    if unknown or not scopes:
        raise BadInputError(
            f"A key needs scopes of {', '.join(SCOPES)}; got {', '.join(unknown) or 'none'}.",
            remedy="Give each as --scope NAME.",
        )
    secret = secrets.token_urlsafe(SECRET_BYTES)
    expires_at = None if lifetime is None else now + lifetime
    key = Key(
        secrets.token_hex(ID_BYTES),
        name.strip(),
        digest_of(secret),
        frozenset(scopes),
        rate,
        now,
        expires_at,
    )
    return key, f"{PREFIX}_{key.id}_{secret}"


def digest_of(secret: str) -> bytes:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def parts_of(token: str) -> tuple[str, str] | None:
    """Return id and secret of a key as it is sent; None where it is none.

    Examples
    --------
    >>> parts_of("nextbest_3f9a1c0b7d2e_to_ken"), parts_of("hunter2")
    (('3f9a1c0b7d2e', 'to_ken'), None)
    """
    parts = token.split("_", 2)
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == PREFIX else None


def matches(key: Key, secret: str) -> bool:
    """Return whether a secret is the key's, in a time that does not tell how nearly."""
    return hmac.compare_digest(key.digest, digest_of(secret))
