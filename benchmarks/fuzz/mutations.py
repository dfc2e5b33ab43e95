"""Seeded mistakes in a call: in its values, its bytes, its headers and its address."""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from benchmarks.fuzz import canaries
from benchmarks.fuzz.calls import JSON, Call, encoded
from serving.protocols.media import CSV, OCTETS
from serving.protocols.octets import HEADER
from serving.tables.media import ARROW, PARQUET

MARK = "\x01raw%d\x01"
RAW = (
    "NaN", "-NaN", "Infinity", "-Infinity", "1e999", "-0", "-0.0", "1e-400", "9" * 400, "9" * 5_000,
    "18446744073709551616", "-9223372036854775808", "9007199254740993", "0x10", "01", "1_000", "+1",
    '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', "'1'", "tru", "undefined", "[" * 500 + "]" * 500,
    '{"a":' * 300 + "1" + "}" * 300, "[" * 100_000, '{"a": 1, "a": 2}', '"\x07"', "",
    "1 2", "/**/1",
)  # fmt: skip
"""What stands in a value's place as it is, most of it no JSON."""
PLAIN: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, -(2**63), 1.5, -0.0, 1e308, 5e-324, "",
    " ", "\0", "x" * 201, "x" * 20_000, "é" * 200, "\u202e\u200b", "👩‍👩‍👧", "ﬃ", "İ", "1", "true",
    "../../etc/passwd", "%00", "{{7*7}}", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59", "Europe/Berlin", [], {}, [[]], [None], {"": None}, [[[[[[1]]]]]],
)  # fmt: skip
NAMES = (
    "",
    " ",
    "__class__",
    "__proto__",
    "x" * 300,
    "é",
    "a.b",
    "a b",
    "\0",
    "customer_id",
    "rows",
)
TYPES = (
    "", JSON, "APPLICATION/JSON", "application/json; charset=utf-16", "text/plain", "text/json",
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", CSV, OCTETS, ARROW,
    PARQUET, "application/json, text/csv", "\xff", ";", "application/vnd.apache.parquet;",
    "application/xml",
)  # fmt: skip
ENCODINGS = ("gzip", "deflate", "br", "identity", "gzip, gzip", "")
CHARSETS = ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-7", "cp037")
NAMES_OF_OURS = "/v1/campaigns/"
BOMB = gzip.compress(b" " * 50_000_000)
MOST_BYTES = 400_000


def mutated(call: Call, rng: random.Random) -> Call:
    """Return a call with one to three mistakes."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        call = rng.choice(_kinds(call))(call, rng)
    return call


def _kinds(call: Call) -> list[Callable[[Call, random.Random], Call]]:
    kinds = [_other_headers, _other_address]
    if isinstance(call.body, bytes):
        kinds += [_other_bytes] * 6
    elif call.body is not None:
        kinds += [_other_values] * 8 + [_other_text] * 4
    else:
        kinds += [_other_address] * 3 + [_a_body]
    return kinds


def _other_values(call: Call, rng: random.Random) -> Call:
    """Replace, remove, rename, repeat or nest some nodes of a body."""
    body = json.loads(json.dumps(call.body))
    raws: dict[str, str] = {}
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        body = _changed(body, rng, raws)
    if not raws:
        return call._replace(body=body)
    text = json.dumps(body)
    for mark, raw in raws.items():
        text = text.replace(json.dumps(mark), raw)
    return call._replace(body=text.encode("utf-8", "surrogatepass"))


def _changed(node: Any, rng: random.Random, raws: dict[str, str]) -> Any:
    deeper = [k for k, v in _items(node) if isinstance(v, list | dict) and v]
    if deeper and rng.random() < 0.7:
        key = rng.choice(deeper)
        node[key] = _changed(node[key], rng, raws)
        return node
    if not isinstance(node, list | dict) or not node or rng.random() < 0.05:
        return _odd(rng, raws)
    key, kind = rng.choice([k for k, _ in _items(node)]), rng.random()
    if kind < 0.55:
        node[key] = _odd(rng, raws)
    elif kind < 0.7:
        del node[key]
    elif isinstance(node, dict):
        name = canaries.one(rng) if kind < 0.8 else rng.choice(NAMES)
        node[name] = node.pop(key) if kind < 0.9 else _odd(rng, raws)
    elif kind < 0.9:
        node.insert(rng.randrange(len(node) + 1), _odd(rng, raws))
    else:
        return node * rng.choice((2, 50, 1_001))
    return node


def _items(node: Any) -> list[tuple[Any, Any]]:
    if isinstance(node, Mapping):
        return list(node.items())
    return list(enumerate(node)) if isinstance(node, list) else []


def _odd(rng: random.Random, raws: dict[str, str]) -> Any:
    kind = rng.random()
    if kind < 0.4:
        return canaries.one(rng)
    if kind < 0.75:
        return copy.deepcopy(rng.choice(PLAIN))
    mark = MARK % len(raws)
    raws[mark] = rng.choice(RAW)
    return mark


def _other_text(call: Call, rng: random.Random) -> Call:
    """Break the text of a body: its end, its encoding, its bytes, or what stands around it."""
    body = encoded(call.body) or b""
    kind = rng.randrange(7)
    if kind == 0:
        body = body[: rng.randrange(len(body) + 1)]
    elif kind == 1:
        body = body.decode().encode(rng.choice(CHARSETS), "replace")
    elif kind == 2:
        body = rng.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"[", b"\x00", b")]}',\n")) + body
    elif kind == 3:
        body += rng.choice((b"\x00", b"}", b" {}", body, b"\xff", b"," + body))
    elif kind == 4:
        body = body.replace(b'"', b"'") if rng.random() < 0.5 else body.replace(b":", b"=", 1)
    else:
        return _other_bytes(call._replace(body=body), rng)
    return call._replace(body=body)


def _other_bytes(call: Call, rng: random.Random) -> Call:
    body = bytearray(encoded(call.body) or b"")
    for _ in range(rng.choice((1, 2, 8, 64))):
        place, kind = rng.randrange(len(body) + 1), rng.randrange(5)
        if kind == 0:
            body[place : place + 1] = bytes([rng.randrange(256)])
        elif kind == 1:
            body[place : place + 8] = rng.choice((b"\xff" * 8, b"\0" * 8, b"\x7f" + b"\xff" * 7))
        elif kind == 2:
            del body[place : place + rng.choice((1, 4, 64))]
        elif kind == 3:
            body[place:place] = rng.choice((canaries.one(rng).encode(), b"\x80", b"\n", b",", b'"'))
        elif rng.random() < 0.1:
            del body[place:]
    return call._replace(body=bytes(body))


def _other_headers(call: Call, rng: random.Random) -> Call:
    headers = {"content-type": JSON, **call.headers}
    kind = rng.randrange(6)
    if kind == 0:
        headers["content-type"] = rng.choice(TYPES)
    elif kind == 1:
        headers["content-encoding"] = rng.choice(ENCODINGS)
    elif kind == 2 and call.body is not None:
        return call._replace(body=BOMB, headers=headers | {"content-encoding": "gzip"})
    elif kind == 3:
        headers[HEADER] = rng.choice(("0", "-1", "7", "99999999999", "x", "١", "1e3", "9" * 5_000))
    elif kind == 4:
        name = rng.choice(("x-nextbest-model", "accept", "x-request-id", "x-forwarded-for"))
        headers[name] = rng.choice((*TYPES, "churn", quote(canaries.one(rng)), "*/*;q=x"))
    else:
        headers.pop("content-type")
    return call._replace(headers=headers)


def _other_address(call: Call, rng: random.Random) -> Call:
    path, _, query = call.path.partition("?")
    kind = rng.randrange(6)
    if path.startswith(NAMES_OF_OURS):  # ids that are no secret: other errors list them
        kind = 4
    if kind == 0 and query:
        pairs = query.split("&")
        place = rng.randrange(len(pairs))
        pairs[place] = f"{pairs[place].partition('=')[0]}={_quoted(rng)}"
        query = "&".join(pairs)
    elif kind == 1:
        name = (
            quote(canaries.one(rng)) if rng.random() < 0.5 else rng.choice(("model", "id", "limit"))
        )
        query += f"&{name}={_quoted(rng)}"
    elif kind == 2:
        parts = path.split("/")
        parts[rng.randrange(1, len(parts))] = _quoted(rng)
        path = "/".join(parts)
    elif kind == 3:
        path += rng.choice(
            ("/", "//", "/..", "/%2e%2e", "/batch", "/x", "%00", "%ff", "/" + _quoted(rng))
        )
    elif kind == 4:
        return call._replace(
            method=rng.choice(("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"))
        )
    return call._replace(path=path + ("?" + query if query else ""))


def _quoted(rng: random.Random) -> str:
    odd = rng.choice((canaries.one(rng), rng.choice(PLAIN), "%ff%fe", "9" * 400, "a" * 5_000))
    return odd if isinstance(odd, str) and odd.startswith("%f") else quote(str(odd), safe="")


def _a_body(call: Call, rng: random.Random) -> Call:
    body = json.dumps({canaries.one(rng): canaries.one(rng)}).encode()
    return call._replace(body=body, headers={"content-type": rng.choice(TYPES)})
