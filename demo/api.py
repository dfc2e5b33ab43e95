"""Ask the running service over HTTP, as any other program would: standard library only."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from features.errors import NextbestError


class ApiError(NextbestError):
    """The service refused a request; carries its problem document."""

    def __init__(self, method: str, url: str, status: int, body: str) -> None:
        super().__init__(
            f"{method} {url} answered {status}: {body}\n",
            remedy="Read the problem's detail.",
        )


class Api:
    """A client of one running service.

    Parameters
    ----------
    url : str
        Its address, for example ``http://127.0.0.1:8000``.
    timeout : float
        Seconds to wait for an answer.
    """

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        self.url = url
        self.timeout = timeout

    def get(self, path: str, **query: object) -> Any:
        """The JSON answer to GET; parameters that are None are left out.

        Raises
        ------
        ApiError
            The answer's status is 400 or more.
        """
        given = {key: value for key, value in query.items() if value is not None}
        return self._ask("GET", path + (f"?{urlencode(given)}" if given else ""), None)

    def post(self, path: str, body: object) -> Any:
        """The JSON answer to POST of a JSON body; raises like `get`."""
        return self._ask("POST", path, json.dumps(body).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> Any:
        request = Request(self.url + path, data=body, method=method)
        request.add_header("accept", "application/json")
        if body is not None:
            request.add_header("content-type", "application/json")
        try:
            with urlopen(request, timeout=self.timeout) as answer:
                return json.load(answer)
        except HTTPError as error:
            with error:
                said = error.read().decode(errors="replace")
            raise ApiError(method, self.url + path, error.code, said) from error
