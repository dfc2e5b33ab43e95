"""What exceeds a limit is refused at once with 503 and Retry-After; the rest stays as it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.scores import SqlScoreStore
from serving.front.admission import ALWAYS, Admission
from serving.front.boundary import BrokenOffError
from serving.parts import BATCHES_AT_ONCE
from serving.tables.media import ARROW
from tests.serving.fakes import opened

CHURN = "/v1/scores/churn"
START = {"type": "http.response.start", "status": 200, "headers": []}
NO_LIMIT = 60.0


async def nothing() -> Message:
    return {"type": "http.request", "body": b""}


def scope_of(path: str, content_type: str = "application/json") -> Scope:
    headers = [(b"host", b"127.0.0.1"), (b"content-type", content_type.encode())]
    return {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
        "query_string": b"", "headers": headers, "root_path": "", "scheme": "http",
    }  # fmt: skip


class Heard:
    """What one caller was sent."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        self.body += message.get("body", b"")


async def call(app: ASGIApp, path: str = CHURN, **scope: str) -> Heard:
    heard = Heard()
    await app(scope_of(path, **scope), nothing, heard)
    return heard


async def at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that never waits, as one score."""
    await send(START)
    await send({"type": "http.response.body", "body": b"right"})


class Slow:
    """An application that waits until it is told to answer."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.cancelled = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        await at_once(scope, receive, send)


def limited(app: ASGIApp, most: int = 4, seconds: float = NO_LIMIT) -> tuple[Admission, list[str]]:
    refused: list[str] = []
    return Admission(app, most, seconds, refused.append), refused


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        return await work()

    return asyncio.run(main())


def test_what_exceeds_the_limit_is_refused_while_the_others_wait_for_their_answer() -> None:
    async def work() -> None:
        slow = Slow()
        app, refused = limited(slow)
        waiting = [asyncio.create_task(call(app)) for _ in range(4)]
        await asyncio.sleep(0)
        excess = [await call(app) for _ in range(3)]
        for heard in excess:
            assert (heard.status, heard.headers["retry-after"]) == (503, "1")
            assert heard.headers["content-type"] == "application/problem+json"
            told = json.loads(heard.body)
            assert told["type"] == "urn:nextbest:problem:overloaded"
            assert "Retry-After" in told["remedy"]
        slow.go.set()
        assert {(heard.status, heard.body) for heard in await asyncio.gather(*waiting)} == {
            (200, b"right")
        }
        assert refused == ["at_once"] * 3
        await asyncio.sleep(0)
        assert (await call(app)).status == 200

    run(work)


def test_requests_that_never_wait_count_for_the_turn_they_arrive_in() -> None:
    async def work() -> None:
        app, refused = limited(at_once)
        for _ in range(3):  # each turn has the whole limit again
            heard = await asyncio.gather(*(call(app) for _ in range(10)))
            assert [each.status for each in heard] == [200] * 4 + [503] * 6
        assert len(refused) == 18
        for _ in range(20):  # one after the other, nobody is refused
            assert (await call(app)).status == 200
            await asyncio.sleep(0)

    run(work)


def test_a_request_that_waits_counts_once() -> None:
    async def work() -> None:
        slow = Slow()
        app, refused = limited(slow)
        waiting = [asyncio.create_task(call(app)) for _ in range(4)]
        await asyncio.sleep(0)
        slow.go.set()
        await asyncio.gather(*waiting)
        assert refused == []

    run(work)


@pytest.mark.parametrize("path", sorted(ALWAYS))
def test_health_and_metrics_are_answered_however_much_is_there(path: str) -> None:
    async def work() -> None:
        slow = Slow()
        app, _ = limited(slow, most=1)
        held = asyncio.create_task(call(app))
        await asyncio.sleep(0)
        asked = asyncio.create_task(call(app, path))
        await asyncio.sleep(0)
        slow.go.set()
        assert ((await asked).status, (await held).status) == (200, 200)

    run(work)


def test_a_request_that_takes_too_long_is_ended_and_told_so() -> None:
    async def work() -> None:
        slow = Slow()
        app, refused = limited(slow, seconds=0.01)
        heard = await call(app)
        assert (heard.status, heard.headers["retry-after"]) == (503, "1")
        assert heard.headers["connection"] == "close"
        assert json.loads(heard.body)["type"] == "urn:nextbest:problem:too-slow"
        assert (slow.cancelled, refused) == (1, ["seconds"])
        slow.go.set()
        assert (await call(app)).status == 200  # its place is free again

    run(work)


def test_an_answer_that_had_begun_breaks_off() -> None:
    async def begins(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await asyncio.Event().wait()

    async def work() -> None:
        app, _ = limited(begins, seconds=0.01)
        with pytest.raises(BrokenOffError):
            await call(app)

    run(work)


def test_a_caller_who_is_cancelled_for_another_reason_is_not_answered() -> None:
    async def work() -> None:
        app, refused = limited(Slow())
        asked = asyncio.create_task(call(app))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert refused == []

    run(work)


def test_a_table_is_not_ended_while_it_arrives() -> None:
    async def work() -> None:
        slow = Slow()
        app, refused = limited(slow, seconds=0.01)
        table = asyncio.create_task(call(app, f"{CHURN}/batch", content_type=ARROW))
        rows = await call(app, f"{CHURN}/batch")  # of JSON: by now the limit has passed for both
        slow.go.set()
        assert (rows.status, (await table).status) == (503, 200)
        assert refused == ["seconds"]

    run(work)


def test_the_service_refuses_and_counts(first_versions: Path, scores: SqlScoreStore) -> None:
    never = asyncio.Event

    async def work(app: ASGIApp) -> tuple[Heard, Heard]:
        arrives = never()

        async def slowly() -> Message:
            await arrives.wait()
            return {"type": "http.request", "body": b'{"customer_id": "1001"}'}

        first = Heard()
        scope = scope_of(CHURN)
        scope["headers"].append((b"content-length", b"23"))
        held = asyncio.create_task(app(scope, slowly, first))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        second = await call(app)
        arrives.set()
        await held
        return first, second

    with opened(first_versions, scores, max_at_once=1) as client:
        assert client.portal is not None
        first, second = client.portal.call(work, client.app)
        assert (first.status, second.status) == (200, 503)
        metrics = client.get("/metrics").text
        assert 'nextbest_requests_refused_total{limit="at_once"} 1.0' in metrics
        assert 'status="503"' in metrics
        operations = client.get("/openapi.json").json()["paths"]
        assert {
            path for path, methods in operations.items()
            for operation in methods.values() if "503" not in operation["responses"]
        } <= set(ALWAYS)  # fmt: skip


def test_batches_take_turns_and_a_single_score_waits_for_none(
    first_versions: Path, scores: SqlScoreStore
) -> None:
    async def work(app: Any) -> list[int]:
        turns = app.state.parts.batch_turns
        for _ in range(BATCHES_AT_ONCE):  # as so many batches do
            await turns.acquire()

        async def ask(path: str, body: bytes) -> int:
            async def receive() -> Message:
                return {"type": "http.request", "body": body}

            heard = Heard()
            scope = scope_of(path)
            scope["headers"].append((b"content-length", b"%d" % len(body)))
            await app(scope, receive, heard)
            return heard.status

        one = b'{"customer_id": "1001"}'
        batch = asyncio.create_task(ask(f"{CHURN}/batch", b'{"rows": [%s]}' % one))
        found = []
        for _ in range(20):
            await asyncio.sleep(0.01)  # time for the batch, if it did not have to wait
            found.append(await ask(CHURN, one))
        assert not batch.done()
        turns.release()
        return [*found, await batch]

    with opened(first_versions, scores) as client:
        assert client.portal is not None
        assert set(client.portal.call(work, client.app)) == {200}
