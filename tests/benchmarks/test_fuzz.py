"""What the search for failures and leaks looks for, it finds; and a seed repeats it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import structlog

from benchmarks.fuzz.calls import Call, right_calls
from benchmarks.fuzz.canaries import CANARIES, one, traces_in
from benchmarks.fuzz.judge import Judge, listening, wrong
from benchmarks.fuzz.mutations import mutated
from models.catalog import CATALOG


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return right_calls(CATALOG, ["1001", "1002"])


def answer(
    status: int, text: str = "{}", kind: str = "application/problem+json"
) -> httpx2.Response:
    headers = {"content-type": kind}
    request = httpx2.Request("POST", "http://127.0.0.1/")
    return httpx2.Response(status, headers=headers, content=text.encode(), request=request)


JSON = "application/json"
WRONG = {
    "a failure": answer(500),
    "a 503 that does not pass": answer(503),
    "an error that is no problem": answer(422, "{}", JSON),
    "a name in an error": answer(422, '{"detail": "No Zephyrine Quandtner"}'),
    "a name in an error, escaped": answer(404, '{"detail": "Z\\u00e9phyrine"}'),
    "an id in a refused event": answer(207, '{"refused": [{"detail": "CUSTQX-88172"}]}', JSON),
    "an address in a row's problem": answer(
        200, '{"results": [{"problem": {"detail": "x@canary.example"}}]}', JSON
    ),
}


@pytest.mark.parametrize("found", WRONG.values(), ids=WRONG.keys())
def test_what_must_not_be_answered_is_found(found: Any) -> None:
    assert wrong(found) is not None


def test_what_may_be_answered_is_no_finding() -> None:
    assert wrong(answer(422)) is None
    assert wrong(answer(200, '{"customer_id": "CUSTQX-88172"}', JSON)) is None
    busy = answer(503)
    busy.headers["retry-after"] = "1"
    assert wrong(busy) is None


def test_an_exception_that_reaches_the_caller_is_a_finding() -> None:
    class Broken:
        def request(self, *arguments: Any, **given: Any) -> None:
            raise RuntimeError("the answer broke off")

    judge = Judge(Broken())  # type: ignore[arg-type]
    assert judge.send(Call("GET", "/")) == 0
    assert "broke off" in str(judge.findings[0])


def test_what_is_logged_is_heard() -> None:
    import logging

    with listening() as heard:
        structlog.get_logger("x").info("scored", customer=CANARIES[0])
        logging.getLogger("uvicorn.error").warning("no %s", CANARIES[1])
        logging.getLogger("httpx2").info("what the caller says of itself")
        print(CANARIES[2])
    assert [bool(traces_in(line)) for line in heard.getvalue().splitlines()] == [True] * 3


@pytest.mark.parametrize("seed", range(3))
def test_each_canary_leaves_a_trace_and_a_seed_gives_the_same_calls(
    calls: list[Call], seed: int
) -> None:
    assert all(traces_in(f"...{canary}...") for canary in CANARIES)
    assert all(traces_in(one(random.Random(n))) for n in range(50))

    def made() -> Iterator[Call]:
        rng = random.Random(seed)
        for _ in range(50):
            yield mutated(rng.choice(calls), rng)

    assert list(made()) == list(made())
