"""Whether somebody answers where the registry should be: worth a long wait only then."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306}
PATIENCE = 0.5


def is_reachable(uri: str, seconds: float = PATIENCE) -> bool:
    """Return whether the registry's host answers; True where it has none.

    An MLflow server has to say a word; of other kinds (a database, TLS) it is enough that a
    connection can be opened.

    Parameters
    ----------
    uri : str
        ``MLFLOW_TRACKING_URI``; empty for SQLite in the home.
    seconds : float
        How long to try, twice where a word is awaited.

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
        with socket.create_connection((parts.hostname, port), seconds) as line:
            if parts.scheme == "http":
                line.sendall(b"GET /health HTTP/1.0\r\nHost: %b\r\n\r\n" % parts.hostname.encode())
                return bool(line.recv(1))
    except OSError:
        return False
    return True
