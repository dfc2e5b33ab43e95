"""Champions swapped under load, every second one broken: no request fails, none broken answers.

    python -m benchmarks.broken_swaps --swaps 200

Everything is real but the models (`benchmarks.serving.four`): MLflow on SQLite, the service's own
command line and its poller. The alias moves in turn to one of three sound versions and to one of
the broken ones (`benchmarks.serving.broken`). A swap counts once the sound version answers, or once
`/v1/models` shows the broken one as refused.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.load import Load
from benchmarks.real_server import ask, server
from benchmarks.serving.broken import BROKEN
from benchmarks.serving.four import bundle_of, fill
from models.bundle import Bundle
from models.catalog import CATALOG
from models.registry import Registry, prepare
from models.spec import ModelSpec

MODEL = "churn"
SOUND = 3
TREES = 100
LONGEST_SECONDS = 60.0
# More often than by default: two hundred swaps should not take an hour.
OFTEN = {"NEXTBEST_POLL_SECONDS": "0.1", "NEXTBEST_WATCH_SECONDS": "0.05"}
REFUSED = re.compile(rb'nextbest_champion_refusals_total\{model="churn"\} ([\d.]+)')


def main() -> int:
    """Swap, print what was counted and one RESULT line; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--swaps", type=int, default=200)
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        customers = fill(home, customers=20)
        registry = prepare(home)
        sound, broken = publish(registry, home)
        registry.promote(MODEL, sound[0])
        body = {"customer_id": customers[0], "explain": 3}
        with server(home, **OFTEN) as running:
            load = Load(running.port, f"/v1/scores/{MODEL}", body, given.rate)
            load.start()
            began = time.monotonic()
            seen = refusals = 0
            try:
                for swap in range(given.swaps):
                    turn = swap // 2
                    if swap % 2:
                        version = list(broken)[turn % len(broken)]
                        registry.promote(MODEL, version)
                        refusals += 1
                        shown = await_refusal(running.port, version)
                        seen += shown
                        if not shown:
                            print(f"swap {swap + 1}: {broken[version]} is not shown as refused")
                        continue
                    version = sound[(turn + 1) % SOUND]
                    registry.promote(MODEL, version)
                    if load.await_version(version, LONGEST_SECONDS) is None:
                        load.failures.append(f"version {version} never answered")
            finally:
                load.stop()
            took = time.monotonic() - began
            counted = REFUSED.search(ask(running.port, "/metrics")[1])
    metric = 0 if counted is None else round(float(counted[1]))
    not_200 = sum(answer.status != 200 for answer in load.answers)
    strange = sum(answer.version not in sound for answer in load.answers if answer.status == 200)
    failures = len(load.failures) + not_200
    slowest = max(answer.seconds for answer in load.answers)
    print(f"{given.swaps} swaps in {took:.0f} s, slowest answer {slowest * 1e3:.0f} ms")
    for failure in load.failures[:10]:
        print(failure)
    print(
        f"RESULT swaps={given.swaps} broken={refusals} answers={len(load.answers)} "
        f"swap_failures={failures} by_a_broken_version={strange} refusals_shown={seen} "
        f"refusals_counted={metric}"
    )
    return int(failures + strange > 0 or not seen == metric == refusals)


def publish(registry: Registry, home: Path) -> tuple[list[str], dict[str, str]]:
    """Publish sound and broken versions; return the sound ones, and what is broken by version."""
    run, spec = registry.client.create_run(registry.experiment(MODEL)).info.run_id, CATALOG[MODEL]
    sound = publish_sound(registry, home)

    def make(asked: ModelSpec) -> Bundle:
        return bundle_of(asked, SOUND, TREES)

    broken = {}
    for what, save in BROKEN.items():
        folder = save(make, spec, home / "made" / what)
        broken[registry.publish(MODEL, folder, run)] = what
    return sound, broken


def publish_sound(registry: Registry, home: Path) -> list[str]:
    """Publish versions that can be served; return them."""
    run = registry.client.create_run(registry.experiment(MODEL)).info.run_id
    folders = (
        bundle_of(CATALOG[MODEL], seed, TREES).save(home / "made" / f"sound {seed}")
        for seed in range(SOUND)
    )
    return [registry.publish(MODEL, folder, run) for folder in folders]


def await_refusal(port: int, version: str) -> bool:
    """Return whether a version is shown as refused in time."""
    until = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < until:
        told = json.loads(ask(port, f"/v1/models/{MODEL}")[1])
        if told.get("refused") and told["refused"]["version"] == version:
            return True
        time.sleep(0.05)
    return False


if __name__ == "__main__":
    sys.exit(main())
