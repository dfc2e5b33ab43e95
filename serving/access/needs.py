"""Which scope a request needs: one table, and whatever it does not name needs `admin`."""

from __future__ import annotations

OPEN = frozenset(
    {"/", "/docs", "/docs/oauth2-redirect", "/openapi.json", "/health/live", "/health/ready"}
    | {"/v2", "/v2/", "/v2/health/live", "/v2/health/ready", "/ping", "/health", "/version"}
)
"""They say what the service is and whether it runs, and nothing of anybody."""

NEEDS: dict[tuple[str, str], frozenset[str]] = {
    ("POST", "/v1/scores"): frozenset({"score"}),
    ("GET", "/v1/customers"): frozenset({"score"}),
    ("GET", "/v1/models"): frozenset({"score", "lists"}),
    ("GET", "/v1/prospects"): frozenset({"lists"}),
    ("GET", "/v1/scores"): frozenset({"lists"}),
    ("POST", "/v1/events"): frozenset({"events"}),
    ("PUT", "/v1/customers"): frozenset({"events"}),
    ("PUT", "/v1/campaigns"): frozenset({"events"}),
    ("GET", "/v2/models"): frozenset({"score", "lists"}),
    ("POST", "/v2/models"): frozenset({"score"}),
    ("POST", "/invocations"): frozenset({"score"}),
}
"""By method and the first two parts of the path: any one of these scopes opens it."""

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
    return NEEDS.get((method, "/".join(path.split("/", 3)[:3])), ADMIN)
