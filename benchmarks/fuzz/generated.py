"""Requests made by schemathesis from the service's OpenAPI document, right ones and wrong ones."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisWarning, Unsatisfiable
from requests import Request
from schemathesis import GenerationMode

from benchmarks.fuzz import canaries
from benchmarks.fuzz.calls import Call

EXAMPLES = 50
BASE = "http://127.0.0.1"


def send_generated(
    document: dict[str, Any],
    models: Sequence[str],
    send: Callable[[Call], Any],
    requests: int,
    number: int,
) -> int:
    """Send requests of every operation in turn, until there are as many; return how many.

    Parameters
    ----------
    document : dict
        OpenAPI.
    models : sequence of str
        Put where a path names a model, most of the time: of other names there is little to say.
    send : callable
    requests : int
    number : int
        Seeds what is generated.
    """
    operations = [
        found.ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()
    ]
    ways = [(operation, mode) for operation in operations for mode in GenerationMode]
    sent = 0
    while sent < requests:
        number += 1
        for way in list(ways):
            done = _some(*way, models, send, min(EXAMPLES, requests - sent), number)
            sent += done
            if done < 2:  # nothing about it can be varied
                ways.remove(way)
            if sent >= requests:
                break
    return sent


def _some(
    operation: Any,
    mode: GenerationMode,
    models: Sequence[str],
    send: Callable[[Call], Any],
    most: int,
    number: int,
) -> int:
    sent, rng = 0, random.Random(number)

    @seed(number)
    @settings(
        max_examples=most,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(operation.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        nonlocal sent
        if sent < most:
            sent += 1
            send(_planted(case, models, rng))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        try:
            each()
        except Unsatisfiable:  # nothing about it can be wrong
            return 0
    return sent


def _planted(case: Any, models: Sequence[str], rng: random.Random) -> Call:
    """Return a case as a call, some of its texts canaries."""
    for name in case.path_parameters or {}:
        if name == "model" and rng.random() < 0.8:
            case.path_parameters[name] = rng.choice(models)
        elif name == "version" and rng.random() < 0.8:
            case.path_parameters[name] = "1"
        elif name == "customer_id" and rng.random() < 0.5:
            case.path_parameters[name] = rng.choice(canaries.CANARIES)
    case.body = _with_canaries(case.body, rng)
    made = Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    body = made.body.encode("utf-8", "surrogatepass") if isinstance(made.body, str) else made.body
    headers = {
        name.lower(): value if isinstance(value, str) else value.decode("latin-1")
        for name, value in made.headers.items()
        if name.lower() not in ("content-length", "authorization", "host", "connection")
    }
    return Call(str(made.method), str(made.url).removeprefix(BASE), body or None, headers)


def _with_canaries(node: Any, rng: random.Random) -> Any:
    if isinstance(node, dict):
        return {name: _with_canaries(value, rng) for name, value in node.items()}
    if isinstance(node, list):
        return [_with_canaries(value, rng) for value in node]
    return canaries.one(rng) if isinstance(node, str) and rng.random() < 0.4 else node
