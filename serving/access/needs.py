"""Which scope a request needs: one table, and whatever it does not name needs `admin`."""

from __future__ import annotations

OPEN = frozenset(
    {"/", "/docs", "/docs/oauth2-redirect", "/openapi.json", "/health/live", "/health/ready"}
)
"""They say what the service is and whether it runs, and nothing of anybody."""

NEEDS: dict[tuple[str, str], frozenset[str]] = {
    ("POST", "scores"): frozenset({"score"}),
    ("GET", "customers"): frozenset({"score"}),
    ("GET", "models"): frozenset({"score", "lists"}),
    ("GET", "prospects"): frozenset({"lists"}),
    ("POST", "events"): frozenset({"events"}),
    ("PUT", "customers"): frozenset({"events"}),
    ("PUT", "campaigns"): frozenset({"events"}),
}
"""By method and the first part of the path under /v1: any one of these scopes opens it."""

ADMIN = frozenset({"admin"})


def scopes_for(method: str, path: str) -> frozenset[str] | None:
    """Return the scopes of which a request needs one; None where it needs no key.

    Examples
    --------
    >>> sorted(scopes_for("GET", "/v1/models/churn/card")), scopes_for("GET", "/health/live")
    (['lists', 'score'], None)
    >>> scopes_for("DELETE", "/v1/customers/1001") == scopes_for("GET", "/metrics") == ADMIN
    True
    """
    if path in OPEN:
        return None
    if not path.startswith("/v1/"):
        return ADMIN
    return NEEDS.get((method, path[4:].partition("/")[0]), ADMIN)
