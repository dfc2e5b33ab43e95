"""What an online store says of itself: how it was filled, and how far it has followed."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from features.errors import StoreError
from features.kernel import NULL
from features.record import Buffer
from features.source import Source

FORMAT = 1
META, STATE, CAMPAIGNS = b"_meta", b"_state", b"_campaigns"
"""Keys of the store's own values; all others begin with a letter that says what they hold."""
_LONGEST = 400
_STATE = struct.Struct("<8q")


class Progress(NamedTuple):
    """How far a store has followed the ledger: one small value, rewritten with every change.

    Attributes
    ----------
    applied : int
        Sequence number of the last change that is in the store.
    words : int
        How many texts were added to the dictionaries since the store was filled.
    campaigns : int
        How often the campaigns changed since.
    last_instant : int
        The last moment at which something occurred or became known; `NULL` before the first.
    retired : int
        1 once another store has taken this one's place.
    instant : int
        When the last change was committed; 0 before the first.
    """

    applied: int
    words: int = 0
    campaigns: int = 0
    last_instant: int = NULL
    retired: int = 0
    instant: int = 0

    def pack(self) -> bytes:
        """Return the value as it is stored."""
        return _STATE.pack(FORMAT, *self, 0)

    @classmethod
    def unpack(cls, value: Buffer) -> Progress:
        """Return what `pack` wrote."""
        _, *numbers = _STATE.unpack(value)
        return cls(*numbers[:6])


@dataclass(frozen=True)
class Meta:
    """How a store was filled; never changed afterwards.

    Attributes
    ----------
    source : Source
    columns : tuple of str
        The rows of every record's matrix.
    levels : dict of str to list of str
        For each column of codes its texts, those of every filter of the catalogue among them.
    fingerprint : str
        Of the log that it was filled from.
    catalogue : str
        `features.plan.feature_hash` of the features that it was filled for.
    exported : int
        Sequence number up to which the ledger is in that log.
    properties : dict of str to {"text", "integer"}
        The source's own columns of events, whether or not a feature reads them.
    attribute_types : dict of str to {"text", "number"}
        Of the customers' attributes in that log.
    """

    source: Source
    columns: tuple[str, ...]
    levels: Mapping[str, Sequence[str]]
    fingerprint: str
    catalogue: str
    exported: int = 0
    properties: Mapping[str, str] = field(default_factory=dict)
    attribute_types: Mapping[str, str] = field(default_factory=dict)
    format: int = field(default=FORMAT)

    def pack(self) -> bytes:
        """Return the value as it is stored."""
        return msgspec.json.encode(asdict(self))

    @classmethod
    def unpack(cls, value: Buffer | None) -> Meta:
        """Return what `pack` wrote.

        Raises
        ------
        StoreError
            Another version of Nextbest wrote it, or the store was never filled to its end.
        """
        content: dict[str, Any] = {} if value is None else msgspec.json.decode(value)
        if content.get("format") != FORMAT:
            raise StoreError(
                f"The online store has format {content.get('format')}, not {FORMAT}.",
                remedy="Fill it again: python -m features materialise",
            )
        stated = content.pop("source")
        source = Source(**{**stated, "statements": tuple(stated["statements"])})
        return cls(source, tuple(content.pop("columns")), **content)


def customer_key(customer_id: str) -> bytes:
    """Return the key of a customer's record; a very long id is shortened to a digest.

    Examples
    --------
    >>> customer_key("42"), len(customer_key("x" * 1000))
    (b'c42', 33)
    """
    raw = customer_id.encode()
    return b"c" + raw if len(raw) <= _LONGEST else b"h" + blake2b(raw, digest_size=32).digest()


def name_key(customer_id: str) -> bytes | None:
    """Return the key under which a shortened id stands in full; None where the id is its key."""
    key = customer_key(customer_id)
    return b"n" + key[1:] if key.startswith(b"h") else None


def tiles_key(customer_id: str) -> bytes:
    """Return what the keys of a customer's tiles begin with: always 17 bytes."""
    return b"t" + blake2b(customer_id.encode(), digest_size=16).digest()


def word_keys(start: int, stop: int) -> Iterator[bytes]:
    """Yield the keys of the texts that were added to the dictionaries, in their order."""
    for number in range(start, stop):
        yield b"w" + number.to_bytes(8, "big")


def pack_word(column: str, text: str) -> bytes:
    """Return an added text as it is stored."""
    return msgspec.json.encode((column, text))


def unpack_word(value: Buffer) -> tuple[str, str]:
    """Return the column and the text that `pack_word` was given."""
    return msgspec.json.decode(value, type=tuple[str, str])


def pack_campaigns(campaigns: Mapping[str, Mapping[str, Any]]) -> bytes:
    """Return campaigns as they are stored; what is not known of one is left out."""
    plain = {
        name: {key: value for key, value in content.items() if value is not None}
        for name, content in campaigns.items()
    }
    return msgspec.json.encode(plain, order="sorted")


def read_campaigns(value: Buffer | None) -> dict[str, dict[str, Any]]:
    """Return what `pack_campaigns` was given."""
    return {} if value is None else msgspec.json.decode(value, type=dict[str, dict[str, Any]])
