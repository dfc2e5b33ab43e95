"""Registry, database and Redis cut off and restored under load, one after the other.

    python -m benchmarks.chaos --seconds 5

A real server with PostgreSQL as database, Redis as online store and as store of rates, and an
MLflow server as registry, each behind a proxy (`benchmarks.chaos.proxy`) that refuses, hangs,
resets or is slow for some seconds. Meanwhile scores with inline features, scores by id, events,
customers and lists are asked at constant rates. Every score is logged. PostgreSQL must answer on
127.0.0.1:5432 (database `test`), Redis on 127.0.0.1:6379.
"""

from __future__ import annotations

import argparse
import http.client
import re
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from benchmarks.broken_swaps import publish_sound
from benchmarks.chaos import company
from benchmarks.chaos.callers import Caller, Load
from benchmarks.chaos.figures import Cut, Figures, figures, is_fine
from benchmarks.chaos.proxy import CUTS, Mode, Proxy
from benchmarks.real_server import Running, server
from features.ledger import Ledger
from features.served import ServedStore
from models.registry import Registry, prepare

BAR_SECONDS = 10.0
CALM_SECONDS = 3.0
WATCHED_SECONDS = 20.0


def main() -> int:
    """Cut, print what was seen and one RESULT line; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each cut")
    parser.add_argument("--rate", type=float, default=50.0, help="inline scores a second")
    parser.add_argument("--modes", nargs="*", default=CUTS, choices=CUTS)
    parser.add_argument("--of", nargs="*", default=("registry", "database", "redis"))
    parser.add_argument("--log", type=Path, help="where the server's log lines go")
    given = parser.parse_args()
    with ExitStack() as held:
        home = Path(held.enter_context(tempfile.TemporaryDirectory()))
        name = held.enter_context(company.schema())
        held.enter_context(company.empty_redis())
        customers, key = company.settle(home, name)
        mlflow = held.enter_context(company.registry_server(home))
        registry = prepare(home, f"http://127.0.0.1:{mlflow}")
        sound = publish_sound(registry, home)
        registry.promote(company.MODEL, sound[0])
        ports = {"registry": mlflow, "database": company.POSTGRES_PORT, "redis": company.REDIS_PORT}
        proxies = {what: held.enter_context(Proxy(port)) for what, port in ports.items()}
        callers = company.callers(customers, given.rate)
        with server(home, given.log, **environment(proxies, name)) as running:
            bench = Bench(running, key, callers, proxies, registry, sound)
            with Load(running.port, list(callers.values()), key):
                time.sleep(CALM_SECONDS)
                for what in given.of:
                    for mode in given.modes:
                        bench.cut(what, mode, given.seconds)
            scores = bench.metric("nextbest_scores_total")
            kept = bench.metric("nextbest_served_kept_total")
            dropped = bench.metric("nextbest_served_dropped_total")
        url = company.database_url(company.POSTGRES_PORT, name)
        with closing(ServedStore(url)) as store:
            logged = sum(1 for _ in store.since(0))
        doubled, lost = events_of(url, callers["events"])
        starts = [started(home, proxies, name, key, mode) for mode in ("refuse", "hang")]
    print(f"scores served {scores:.0f}, in the log {logged}; counted before the end {kept:.0f}")
    print(
        f"RESULT cuts={bench.cuts} inline={len(callers['inline'].seen)} "
        f"inline_failed={bench.inline_failed} inline_p99_ratio={bench.worst_ratio:.1f} "
        f"without_retry_after={bench.silent} recovered_s={bench.slowest:.1f} "
        f"unlogged={scores - logged - dropped:.0f} dropped={dropped:.0f} "
        f"events_lost={lost} events_doubled={doubled} ready_s={max(starts):.1f}"
    )
    failed = bench.inline_failed + bench.silent + lost + doubled + (scores != logged + dropped)
    return int(failed > 0 or bench.slowest > BAR_SECONDS)


def started(home: Path, proxies: dict[str, Proxy], name: str, key: str, mode: Mode) -> float:
    """Return the seconds until a server scores that starts while the registry is cut off."""
    proxies["registry"].become(mode)
    began = time.monotonic()
    caller = Caller("inline", 20.0, company.callers(["c0"], 1.0)["inline"].make)
    with server(home, **environment(proxies, name)) as running:
        with Load(running.port, [caller], key):
            while not caller.seen:
                time.sleep(0.01)
        took = time.monotonic() - began
    proxies["registry"].become("pass")
    if not all(is_fine(each) for each in caller.seen):
        raise SystemExit(f"A start with a registry that does not answer ({mode}) does not score.")
    print(f"start while the registry does not answer ({mode}): a score after {took:.1f} s")
    return took


def environment(proxies: dict[str, Proxy], name: str) -> dict[str, str]:
    """Return the server's variables: everything behind its proxy, every score logged."""
    redis = company.redis_url(proxies["redis"].port)
    return {
        "NEXTBEST_DATABASE_URL": company.database_url(proxies["database"].port, name),
        "NEXTBEST_ONLINE_STORE": redis,
        "NEXTBEST_RATE_STORE": redis,
        "NEXTBEST_LOG_SERVED": "1",
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{proxies['registry'].port}",
    }


class Bench:
    """Cuts one thing after the other and adds up what was seen."""

    def __init__(
        self, running: Running, key: str, callers: dict[str, Caller], proxies: dict[str, Proxy],
        registry: Registry, sound: list[str],
    ) -> None:  # fmt: skip
        self._port, self._key, self._callers, self._proxies = running.port, key, callers, proxies
        self._registry, self._sound = registry, sound
        self.cuts = self.inline_failed = self.silent = 0
        self.slowest = self.worst_ratio = 0.0

    def cut(self, what: str, mode: Mode, seconds: float) -> None:
        """Cut one thing off for some seconds, restore it, and look until all is well again."""
        before = time.monotonic()
        time.sleep(CALM_SECONDS)
        began = time.monotonic()
        self._proxies[what].become(mode)
        if what == "registry":  # a promotion that the poller must learn of afterwards
            version = self._sound[(self.cuts + 1) % len(self._sound)]
            self._registry.promote(company.MODEL, version)
        time.sleep(max(0.0, seconds - (time.monotonic() - began)))
        self._proxies[what].become("pass")
        cut = Cut(what, mode, began, time.monotonic())
        learned = self._learned(version, cut.ended) if what == "registry" else 0.0
        self._settle(cut)
        until = time.monotonic()
        found = {name: figures(c.seen, cut, before, until) for name, c in self._callers.items()}
        self._add(cut, found, learned)

    def _settle(self, cut: Cut) -> None:
        """Wait until nothing has failed for a while."""
        while time.monotonic() < cut.ended + WATCHED_SECONDS:
            now = time.monotonic()
            found = [figures(c.seen, cut, cut.began, now) for c in self._callers.values()]
            if now - cut.ended - max(each.recovered for each in found) > CALM_SECONDS:
                return
            time.sleep(0.2)

    def _learned(self, version: str, ended: float) -> float:
        """Return how long after the restoration a promotion reached the answers."""
        while time.monotonic() < ended + WATCHED_SECONDS:
            last = self._callers["inline"].seen[-1].content
            if last.get("version") == version:
                return time.monotonic() - ended
            time.sleep(0.05)
        return WATCHED_SECONDS

    def _add(self, cut: Cut, found: dict[str, Figures], learned: float) -> None:
        self.cuts += 1
        print(f"{cut.what}, {cut.mode}" + (f": promoted after {learned:.1f} s" if learned else ""))
        for name, each in found.items():
            answers = ", ".join(f"{n} x {what}" for what, n in sorted(each.answers.items()))
            print(
                f"  {name:9} p99 {each.before_ms:6.1f} -> {each.during_ms:7.1f} ms, failed "
                f"{each.failed:4}, well after {each.recovered:4.1f} s ({answers})",
                flush=True,
            )
        inline = found["inline"]
        self.inline_failed += inline.failed
        self.worst_ratio = max(self.worst_ratio, inline.during_ms / inline.before_ms)
        self.silent += sum(each.silent for each in found.values())
        self.slowest = max(self.slowest, learned, *(each.recovered for each in found.values()))

    def metric(self, name: str) -> float:
        """Return the sum of a metric's series."""
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)) as asked:
            asked.request("GET", "/metrics", headers={"authorization": f"Bearer {self._key}"})
            text = asked.getresponse().read().decode()
        return sum(float(n) for n in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


def events_of(url: str, caller: Caller) -> tuple[int, int]:
    """Return how many events are in the ledger twice, and how many that were taken are not."""
    taken = sum(int(each.content.get("added", 0)) for each in caller.seen)
    with closing(Ledger(url)) as ledger:
        lines: list[Any] = ledger.since(0, 1_000_000)
    found = [line.content["event_id"] for line in lines]
    return len(found) - len(set(found)), max(0, taken - len(found))


if __name__ == "__main__":
    sys.exit(main())
