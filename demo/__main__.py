"""The whole loop in one command: purchases to models, an API and a list of whom to contact."""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from demo.api import Api
from demo.memory import is_same, remember, state
from demo.report import ask_and_show
from demo.server import SERVE, running
from demo.steps import Done, Step, environment, run
from features.errors import NextbestError

TRAIN = Step("train four models and decide on each", ("training", "all", "--promote"))
STEPS = (
    Step("ingest real purchases", ("features", "ingest", "complete-journey")),
    Step("build features and the online store", ("features", "build")),
    TRAIN,
    Step("score everyone", ("training", "score")),
)
QUICK = {"ingest": ("--impressions", "60000")}
WIDTH = 110


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration; returns 0, or 1 after saying which step failed and why."""
    arguments = parser().parse_args(argv)
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    signal.signal(signal.SIGTERM, _stop)
    try:
        show(console, arguments.home, steps(quick=arguments.quick), again=arguments.again)
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
    made.add_argument(
        "--again", action="store_true", help="train even if data and code are what they were"
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
        replace(step, arguments=step.arguments + QUICK[step.arguments[1]])
        if quick and step.arguments[1] in QUICK
        else step
        for step in STEPS
    )


def show(console: Console, home: Path, wanted: Sequence[Step], again: bool) -> None:
    """Run the steps, start the service, print the five parts and stop the service.

    Raises
    ------
    NextbestError
        A step failed, or the service could not be started or refused a call.
    """
    started = time.monotonic()
    env = environment(home)
    for number, step in enumerate((*wanted, SERVE), start=1):
        console.print(f"[bold]{number}/{len(wanted) + 1}[/bold] {step.words}: {step.line}")
        if step is TRAIN:
            train(console, home, env, again)
        elif step is not SERVE:
            report(console, run(step, env, console))
    with running(env) as url:
        ask_and_show(console, Api(url), str(home))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    peak_mib = peak / (2**20 if sys.platform == "darwin" else 2**10)
    console.print(
        f"\nDone in {time.monotonic() - started:.0f} s; the largest process took "
        f"{peak_mib:,.0f} MiB; the service is stopped.",
        highlight=False,
    )


def train(console: Console, home: Path, env: Mapping[str, str], again: bool) -> None:
    """Train, unless the data and the code are those of the last time."""
    now = state(env, Path(__file__).resolve().parents[1])
    if is_same(home, now) and not again:
        console.print("    data and code are as they were: the models stay (--again trains anew)")
        return
    report(console, run(TRAIN, env, console))
    remember(home, now)


def report(console: Console, done: Done) -> None:
    """Print what a step said last, and how long it took."""
    said = f"    {done.said} ({done.seconds:.0f} s)"
    console.print(said, highlight=False, markup=False, soft_wrap=True)


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
