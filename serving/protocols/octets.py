"""Tensors in binary after the JSON of a request or an answer, little-endian and row by row.

Source: the Open Inference Protocol's binary tensor data extension. A BOOL is one byte; an element
of BYTES is its length in four bytes and then itself; here it is text in UTF-8.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from features.names import shown
from serving.errors import RequestError

HEADER = "Inference-Header-Content-Length"
DTYPES = {
    "BOOL": "|b1",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
    **{f"INT{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"UINT{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
}
_length = struct.Struct("<I")


class Octets:
    """A request's body: its JSON, and what follows it, tensor by tensor.

    Parameters
    ----------
    body : bytes
    json_length : str or None
        What the header `HEADER` says; without it all is JSON.

    Raises
    ------
    RequestError
        The header is no length within the body.

    Examples
    --------
    >>> octets = Octets(b'{"inputs": []}' + struct.pack("<2d", 0.5, 2.0), "14")
    >>> octets.json, octets.values("spend", "FP64", 2, 16)
    (b'{"inputs": []}', [0.5, 2.0])
    """

    def __init__(self, body: bytes, json_length: str | None) -> None:
        length = len(body)
        if json_length is not None:
            is_number = json_length.isascii() and json_length.isdigit() and len(json_length) < 12
            length = int(json_length) if is_number else -1
            if not 0 <= length <= len(body):
                raise RequestError(
                    f"The header {HEADER} is no number of bytes of the body.",
                    remedy="Send how many bytes the JSON before the binary data has.",
                )
        self.json = body[:length]
        self._rest = memoryview(body)[length:]

    def values(self, name: str, datatype: str, rows: int, size: Any) -> list[Any]:
        """Return the values of the tensor that comes next.

        Parameters
        ----------
        name : str
            For what is said of it.
        datatype : str
        rows : int
        size : int
            Its ``binary_data_size``.

        Raises
        ------
        RequestError
            There are not as many bytes, or they are no such values.
        """
        if type(size) is not int or not 0 <= size <= len(self._rest):
            raise _broken(name)
        taken, self._rest = self._rest[:size], self._rest[size:]
        if datatype == "BYTES":
            return _texts(name, taken)
        dtype = np.dtype(DTYPES[datatype])
        if size != rows * dtype.itemsize:
            raise _broken(name)
        if datatype == "BOOL" and not set(taken) <= {0, 1}:
            raise _broken(name)
        values: list[Any] = np.frombuffer(taken, dtype=dtype).tolist()
        return values

    def check_end(self) -> None:
        """Refuse bytes that belong to no tensor."""
        if len(self._rest):
            raise RequestError(
                "Bytes follow the last tensor.", remedy="Say the binary_data_size of each tensor."
            )


def octets_of(datatype: str, values: Sequence[Any]) -> bytes:
    """Return values in binary.

    Examples
    --------
    >>> octets_of("BYTES", ["A", "B"])
    b'\\x01\\x00\\x00\\x00A\\x01\\x00\\x00\\x00B'
    """
    if datatype == "BYTES":
        texts = [str(value).encode() for value in values]
        return b"".join(part for text in texts for part in (_length.pack(len(text)), text))
    return np.array(values, dtype=DTYPES[datatype]).tobytes()


def _texts(name: str, taken: memoryview) -> list[str]:
    texts, place = [], 0
    while place < len(taken):
        if place + _length.size > len(taken):
            raise _broken(name)
        (length,) = _length.unpack_from(taken, place)
        place += _length.size
        if place + length > len(taken):
            raise _broken(name)
        try:
            texts.append(str(taken[place : place + length], "utf-8"))
        except UnicodeDecodeError:
            raise _broken(name) from None
        place += length
    return texts


def _broken(name: str) -> RequestError:
    field, what = f"inputs.{shown(name)}", "holds no binary data of its datatype and shape"
    return RequestError(
        f"{field} {what}.",
        remedy=f"Send {HEADER}, and the bytes of each tensor in order after the JSON.",
        fields=[(field, what)],
    )
