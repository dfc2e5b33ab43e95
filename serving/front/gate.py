"""What a request must be before it is read: for this host, of a type taken, and not too large.

Pure ASGI: a `BaseHTTPMiddleware` would cost more than a score.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving import problems
from serving.problems import problem, respond
from serving.protocols.media import is_taken
from serving.responses import ProblemAnswer
from serving.tables.media import bare, is_table

CLOSE = {"connection": "close"}
JSON = b"application/json"
MOST_KNOWN = 1_000


class Gate:
    """Refuse requests for other hosts, bodies of another type and bodies that are too large.

    Parameters
    ----------
    app : ASGI application
    allowed_hosts : collection of str
        Host names without ports. A web page that points a name of its own at the loopback address
        sends that name, and gets nothing.
    max_body_bytes : int
        Judged by Content-Length where it is sent, and by counting what arrives in any case.
    max_table_bytes : int
        The same for Arrow and Parquet, taken where `serving.tables.media` says.
    """

    def __init__(
        self,
        app: ASGIApp,
        allowed_hosts: Collection[str],
        max_body_bytes: int,
        max_table_bytes: int,
    ) -> None:
        self.app = app
        self.allowed_hosts = frozenset(host.lower() for host in allowed_hosts)
        self.max_body_bytes = max_body_bytes
        self.max_table_bytes = max_table_bytes
        self._known: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(reversed(list(scope["headers"])))  # of several of a name the first counts
        limit = self._limit(scope["path"], headers.get(b"content-type", b""))
        refusal = self._refusal(headers, limit)
        if refusal is not None:
            await respond(refusal, CLOSE)(scope, receive, send)
            return
        has_body = b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"
        await self.app(scope, self._counted(receive, limit or 0) if has_body else receive, send)

    def _refusal(self, headers: Mapping[bytes, bytes], limit: int | None) -> ProblemAnswer | None:
        if not self._knows(headers.get(b"host", b"")):
            return problem(
                problems.BAD_HOST,
                "The Host header names a host this service does not answer for.",
                "Call it as 127.0.0.1 or localhost, or list the name in NEXTBEST_ALLOWED_HOSTS.",
            )
        length = headers.get(b"content-length", b"0").decode("latin-1")
        if length == "0" and b"transfer-encoding" not in headers:
            return None
        if limit is None:
            return problem(
                problems.NOT_JSON,
                "The body's Content-Type is not application/json.",
                "Send the header 'Content-Type: application/json'.",
            )
        if headers.get(b"content-encoding", b"identity") != b"identity":
            return problem(
                problems.NOT_JSON,
                "The body is compressed, and none is unpacked here.",
                "Send it without Content-Encoding.",
            )
        if length.isdecimal() and int(length) > limit:
            return problem(problems.TOO_LARGE, _said(limit), "Send fewer rows at a time.")
        return None

    def _knows(self, header: bytes) -> bool:
        if header in self._known:  # to take an address apart costs a tenth of a score
            return True
        if host_of(header.decode("latin-1")) not in self.allowed_hosts:
            return False
        if len(self._known) < MOST_KNOWN:
            self._known.add(header)
        return True

    def _limit(self, path: str, media_type: bytes) -> int | None:
        """Return how large a body of this type may be, None where it is not taken."""
        if media_type == JSON:
            return self.max_body_bytes
        kind = bare(media_type.decode("latin-1"))
        if kind == "application/json" or is_taken(path, kind):
            return self.max_body_bytes
        return self.max_table_bytes if is_table(path, kind) else None

    def _counted(self, receive: Receive, limit: int) -> Receive:
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, _said(limit), CLOSE)
            return message

        return counted


def _said(limit: int) -> str:
    return f"A body may have {limit:,} bytes."


def host_of(header: str) -> str:
    """Return the host name of a Host header, without port and brackets.

    Examples
    --------
    >>> host_of("127.0.0.1:8000"), host_of("[::1]:8000"), host_of("Localhost")
    ('127.0.0.1', '::1', 'localhost')
    """
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:  # an unclosed bracket
        return ""
