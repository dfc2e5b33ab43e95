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
from demo.report import ask_and_show, part
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
# Lists do not read consent yet, and of customers who carry it they would name nobody.
SIMULATE = Step("simulate a company", ("features", "ingest", "simulator", "--consent", "assumed"))
QUICK = {
    STEPS[0].arguments: ("--impressions", "60000"),
    SIMULATE.arguments: ("--customers", "1500"),
}
HOME, COMPANY_HOME = Path(".nextbest"), Path(".nextbest/company")
WIDTH = 110


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration; returns 0, or 1 after saying which step failed and why."""
    arguments = parser().parse_args(argv)
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    signal.signal(signal.SIGTERM, _stop)
    try:
        home = arguments.home or (COMPANY_HOME if arguments.company else HOME)
        wanted = steps(quick=arguments.quick, company=arguments.company)
        show(console, home, wanted, again=arguments.again)
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
        "--home", type=Path, help=f"folder of all state: {HOME}; with --company {COMPANY_HOME}"
    )
    made.add_argument(
        "--quick", action="store_true", help="a fifth of the impressions, for machines in a hurry"
    )
    made.add_argument(
        "--company", action="store_true", help="a simulated company instead, whose truth is known"
    )
    made.add_argument(
        "--again", action="store_true", help="train even if data and code are what they were"
    )
    return made


def steps(quick: bool, company: bool = False) -> tuple[Step, ...]:
    """Return the commands to run, in order.

    Examples
    --------
    >>> steps(quick=True)[0].line
    'python -m features ingest complete-journey --impressions 60000'
    """
    wanted = (SIMULATE, *STEPS[1:]) if company else STEPS
    return tuple(
        replace(step, arguments=step.arguments + QUICK[step.arguments])
        if quick and step.arguments in QUICK
        else step
        for step in wanted
    )


def show(console: Console, home: Path, wanted: Sequence[Step], again: bool) -> None:
    """Run the steps, start the service, print the parts and stop the service.

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
    if wanted[0].arguments[:3] == SIMULATE.arguments[:3]:
        yardstick(console, home)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    peak_mib = peak / (2**20 if sys.platform == "darwin" else 2**10)
    console.print(
        f"\nDone in {time.monotonic() - started:.0f} s; the largest process took "
        f"{peak_mib:,.0f} MiB; the service is stopped.",
        highlight=False,
    )


def yardstick(console: Console, home: Path) -> None:
    """Print how far the champions are from the best possible, where the truth is known."""
    from demo.yardstick import distances, show

    part(console, 6, "How far the models are from the best possible")
    show(console, distances(home))


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
