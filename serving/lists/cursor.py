"""Places in a list as opaque texts that belong to one question and one batch of scores."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import msgspec

from serving.errors import BadCursorError, StaleCursorError

if TYPE_CHECKING:
    from serving.lists.listing import Ask, Batch


def cursor_at(ask: Ask, batch: Batch, offset: int) -> str:
    """Return a cursor to a place of a list."""
    raw = msgspec.json.encode([ask.fingerprint, batch.scored_at, offset])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def offset_of(cursor: str | None, ask: Ask, batch: Batch) -> int:
    """Return the place a cursor points to; 0 without one.

    Raises
    ------
    BadCursorError
        It is none of ours, or of another question.
    StaleCursorError
        A new batch of scores has arrived since.
    """
    if cursor is None:
        return 0
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        fingerprint, scored_at, offset = msgspec.json.decode(raw, type=tuple[str, int, int])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        fingerprint, scored_at, offset = "", 0, -1
    if fingerprint != ask.fingerprint or offset < 0:
        raise BadCursorError(
            "The cursor is not one that this list gave out.",
            remedy="Take 'next_cursor' of the page before, and change no other parameter.",
            fields=[("cursor", "is not of this list")],
        )
    if scored_at != batch.scored_at:
        raise StaleCursorError(
            "New scores have arrived since the page before.",
            remedy="Start the list again, without cursor.",
        )
    return offset
