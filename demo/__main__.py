"""The whole loop in one command: purchases to models, an API and a list of whom to contact."""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from demo.api import Api
from demo.report import ask_and_show
from demo.server import SERVE, running
from demo.steps import Step, environment, run
from features.errors import NextbestError

STEPS = (
    Step("ingest real purchases", ("features", "ingest", "complete-journey")),
    Step("build features and the online store", ("features", "build")),
    Step("train four models and decide on each", ("training", "all", "--promote")),
    Step("score everyone", ("training", "score")),
)
QUICK = {"ingest": ("--impressions", "60000")}
WIDTH = 100


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration; returns 0, or 1 after saying which step failed and why."""
    arguments = parser().parse_args(argv)
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    signal.signal(signal.SIGTERM, _stop)
    try:
        show(console, arguments.home, steps(quick=arguments.quick))
    except NextbestError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; everything it had started is stopped as well.", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    made.add_argument(
        "--home", type=Path, default=Path(".nextbest"), help="folder of all state: %(default)s"
    )
    made.add_argument(
        "--quick", action="store_true", help="a fifth of the impressions, for machines in a hurry"
    )
    return made


def steps(quick: bool) -> tuple[Step, ...]:
    """Return the commands to run, in order.

    Examples
    --------
    >>> steps(quick=True)[0].line
    'python -m features ingest complete-journey --impressions 60000'
    """
    return tuple(
        Step(step.words, step.arguments + (QUICK.get(step.arguments[1], ()) if quick else ()))
        for step in STEPS
    )


def show(console: Console, home: Path, wanted: Sequence[Step]) -> None:
    """Run the steps, start the service, print the five parts and stop the service.

    Raises
    ------
    NextbestError
        A step failed, or the service could not be started or refused a call.
    """
    started = time.monotonic()
    env = environment(home)
    for number, step in enumerate(wanted, start=1):
        console.print(f"[bold]{number}/{len(wanted) + 1}[/bold] {step.words}: {step.line}")
        done = run(step, env, console)
        said = f"    {done.said} ({done.seconds:.0f} s)"
        console.print(said, highlight=False, markup=False, soft_wrap=True)
    console.print(f"[bold]{len(wanted) + 1}/{len(wanted) + 1}[/bold] {SERVE.words}: {SERVE.line}")
    with running(env) as url:
        ask_and_show(console, Api(url), str(home))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    peak_mib = peak / (2**20 if sys.platform == "darwin" else 2**10)
    console.print(
        f"\nDone in {time.monotonic() - started:.0f} s; the largest process took "
        f"{peak_mib:,.0f} MiB; the service is stopped.",
        highlight=False,
    )


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
