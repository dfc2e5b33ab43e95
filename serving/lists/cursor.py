"""Places in a list as opaque texts that belong to one question and one batch of scores."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from serving.errors import BadCursorError, StaleCursorError

if TYPE_CHECKING:
    from serving.lists.listing import Ask, Batch

T = TypeVar("T")


def cursor_at(ask: Ask, batch: Batch, offset: int) -> str:
    """Return a cursor to a place of a list."""
    return packed([ask.fingerprint, batch.scored_at, offset])


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
    found = unpacked(cursor, tuple[str, int, int])
    if found is None or found[0] != ask.fingerprint or found[2] < 0:
        raise bad_cursor()
    _, scored_at, offset = found
    if scored_at != batch.scored_at:
        raise StaleCursorError(
            "New scores have arrived since the page before.",
            remedy="Start the list again, without cursor.",
        )
    return offset


def packed(place: Sequence[Any]) -> str:
    """Return plain values as one opaque text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def unpacked(cursor: str, kind: type[T]) -> T | None:
    """Return the values that `packed` made a text of; None if they are not of the type given."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None


def bad_cursor() -> BadCursorError:
    """Return the error for a cursor of another list, or of none."""
    return BadCursorError(
        "The cursor is not one that this list gave out.",
        remedy="Take 'next_cursor' of the page before, and change no other parameter.",
        fields=[("cursor", "is not of this list")],
    )
