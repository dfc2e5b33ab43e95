"""Whether somebody listens where the registry should be: worth a long wait only then."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306}
PATIENCE = 0.5


def is_reachable(uri: str, seconds: float = PATIENCE) -> bool:
    """Return whether a connection to the registry's host can be opened; True where it has none.

    Parameters
    ----------
    uri : str
        ``MLFLOW_TRACKING_URI``; empty for SQLite in the home.
    seconds : float
        How long to try.

    Examples
    --------
    >>> is_reachable(""), is_reachable("sqlite:////srv/nextbest/mlflow.db")
    (True, True)
    """
    parts = urlsplit(uri)
    port = parts.port or PORTS.get(parts.scheme.partition("+")[0])
    if not parts.hostname or port is None:
        return True
    try:
        socket.create_connection((parts.hostname, port), seconds).close()
    except OSError:
        return False
    return True
