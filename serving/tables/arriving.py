"""A request's body as a file that a thread reads while it arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import anyio.from_thread
import numpy as np
from starlette.exceptions import HTTPException

from serving.errors import TableError, TooSlowError

if TYPE_CHECKING:
    from starlette.types import Message, Receive


class Arriving:
    """Bytes in the order they arrive; for one thread that the event loop started.

    Parameters
    ----------
    receive : ASGI receive
    most_bytes : int
        No single read may ask for more: a header could announce anything.
    seconds : float
        How long the next part may take.
    """

    closed = False
    mode = "rb"

    def __init__(self, receive: Receive, most_bytes: int, seconds: float) -> None:
        self._receive = receive
        self._most_bytes = most_bytes
        self._seconds = seconds
        self._kept = memoryview(b"")
        self._ended = False

    def readable(self) -> bool:
        """It is a file to read."""
        return True

    def close(self) -> None:
        """There is nothing to give back."""
        self.closed = True

    def chunk(self) -> memoryview:
        """Return what arrives next, empty at the end.

        Raises
        ------
        HTTPException
            The caller has gone (400), or sends too much (413, by the gate).
        TooSlowError
            The next part did not arrive in time.
        """
        while not len(self._kept) and not self._ended:
            message = anyio.from_thread.run(self._next)
            if message["type"] == "http.disconnect":
                raise HTTPException(400)
            self._kept = memoryview(message.get("body", b""))
            self._ended = not message.get("more_body", False)
        found, self._kept = self._kept, memoryview(b"")
        return found

    async def _next(self) -> Message:
        try:
            with anyio.fail_after(self._seconds):
                return await self._receive()
        except TimeoutError:
            raise TooSlowError(
                f"No more of the table arrived within {self._seconds:g} seconds.",
                remedy="Send it again, without a pause.",
            ) from None

    def read(self, size: int) -> memoryview:
        """Return up to `size` bytes, fewer only at the end.

        Raises
        ------
        HTTPException
            As `chunk`.
        TableError
            More is asked for than a body may have.
        """
        if size > self._most_bytes:
            raise TableError(
                f"The table announces a part of more than {self._most_bytes:,} bytes.",
                remedy="Send what pyarrow.ipc.new_stream writes, or fewer rows at a time.",
            )
        held = np.empty(size, dtype=np.uint8).data  # not touched before something arrives
        filled = 0
        while filled < size:
            found = self.chunk()
            if not len(found):
                break
            taken = min(len(found), size - filled)
            held[filled : filled + taken] = found[:taken]
            self._kept = found[taken:]
            filled += taken
        return held[:filled]
