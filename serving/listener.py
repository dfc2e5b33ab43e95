"""Where the service listens: a loopback host, or any once there are API keys."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from contextlib import suppress

from serving.errors import CannotServeError

BACKLOG = 1024


def check_host(host: str, has_keys: Callable[[], bool] = lambda: False) -> None:
    """Refuse every host that other machines can reach, unless requests need a key.

    Parameters
    ----------
    host : str
    has_keys : callable
        Whether any key opens anything; asked only where it matters.

    Raises
    ------
    CannotServeError

    Examples
    --------
    >>> check_host("localhost"), check_host("::1")
    (None, None)
    """
    with suppress(ValueError):  # a name, not an address
        if ipaddress.ip_address(host).is_loopback:
            return
    if host != "localhost" and not has_keys():
        raise CannotServeError(
            f"{host!r} is no loopback host, and there is no active API key: whoever reaches the "
            "service could read customer data.",
            remedy="Make one: python -m serving keys create NAME --scope score; or use 127.0.0.1.",
        )


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to a port, or to a free one for 0.

    Raises
    ------
    CannotServeError
        The port is taken or not allowed.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)  # now, so that no other process can take the port meanwhile
    except OSError as error:
        listener.close()
        raise CannotServeError(
            f"Port {port} of {host} cannot be used: {error.strerror}.",
            remedy="Stop what uses it, or take a free one: python -m serving --port 0",
        ) from error
    return listener


def say_where(listener: socket.socket) -> None:
    """Print the address, for a person and for a program that waits for the line."""
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    print(f"Nextbest listens on http://{shown}:{port} (stop with Ctrl-C)", flush=True)
