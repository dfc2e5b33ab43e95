"""How long the slowest of a hundred answers takes, and what a second worker adds.

Both are told against the endpoint that does nothing, measured in the same way in the same rounds:
the requests come from the same machine, which on two processors takes its share of them.
"""

from __future__ import annotations

import selectors
import socket
import statistics
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from benchmarks.serving.calls import CONNECTIONS, LARGEST, is_whole, rate, request

PAIR = ("noop", "inline")


def paced(port: int, path: str, body: bytes, a_second: float, seconds: float) -> list[float]:
    """Return how long each answer took, of requests that are due so many times a second.

    Counted from when a request was due: one that waits for a free connection waits for the server.
    """
    asked, took = request(port, path, body), []
    with ExitStack() as held, selectors.DefaultSelector() as waiting:
        free: deque[socket.socket] = deque()
        for _ in range(CONNECTIONS):
            each = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            free.append(each)
        under_way: dict[socket.socket, tuple[float, bytearray]] = {}
        started, sent = time.perf_counter(), 0
        most = int(a_second * seconds)
        while len(took) < most:
            while free and sent < most:
                due = started + sent / a_second
                if due > time.perf_counter():
                    break
                line = free.popleft()
                line.sendall(asked)
                under_way[line] = (due, bytearray())
                waiting.register(line, selectors.EVENT_READ)
                sent += 1
            # It turns without a rest: to be woken late would count as the server's time.
            for key, _ in waiting.select(0):
                line = key.fileobj  # type: ignore[assignment]
                due, answer = under_way[line]
                answer += line.recv(LARGEST)
                if is_whole(answer):
                    took.append(time.perf_counter() - due)
                    waiting.unregister(line)
                    free.append(line)
    return took


def p99_ratio(
    ports: Mapping[str, int], path: str, body: bytes, a_second: float, rounds: int, seconds: float
) -> float:
    """Return the 99th percentile of ours over the no-op's at one rate; medians of rounds."""
    found: dict[str, list[float]] = {name: [] for name in PAIR}
    for _ in range(rounds):
        for name in PAIR:
            took = paced(ports[name], path, body, a_second, seconds)
            found[name].append(statistics.quantiles(took, n=100)[98])
    medians = {name: statistics.median(each) for name, each in found.items()}
    for name, each in found.items():
        said = " ".join(f"{1e3 * one:.2f}" for one in each)
        print(
            f"{name:<12} p99 {1e3 * medians[name]:.2f} ms at {a_second:,.0f} requests/s; "
            f"rounds {said}"
        )
    return medians["inline"] / medians["noop"]


def two_workers(
    start: Callable[[str, int], int], path: str, body: bytes, rounds: int, seconds: float
) -> float:
    """Return how ours scales from one worker to two, over how the no-op does.

    Parameters
    ----------
    start : callable
        Starts a server by its name with so many workers and returns its port.
    path, body
        Of the request.
    rounds, seconds
        In each round each server is asked for so long.
    """
    ports = {(name, workers): start(name, workers) for name in PAIR for workers in (1, 2)}
    found: dict[tuple[str, int], list[float]] = {each: [] for each in ports}
    for number in range(rounds + 1):
        for each, port in ports.items():
            answered = rate(port, path, body, seconds if number else 0.5)
            if number:
                found[each].append(answered)
    medians = {each: statistics.median(rates) for each, rates in found.items()}
    for (name, workers), answered in medians.items():
        print(f"{name:<12} {answered:>10,.0f} requests/s with {workers} workers behind one door")
    gained = {name: medians[name, 2] / medians[name, 1] for name in PAIR}
    print("two workers do " + ", ".join(f"{name} {gain:.2f}" for name, gain in gained.items()))
    return gained["inline"] / gained["noop"]
