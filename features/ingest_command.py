"""`python -m features ingest`: a bundled source, or a company's own tables."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from features.errors import BadInputError
from features.ingest import Ingested
from features.progress import Report, shown
from features.settings import Settings

SOURCES = ("complete-journey", "simulator")
OPTIONS = {
    "complete-journey": ("impressions", "folder"),
    "simulator": ("customers", "days", "drift", "late", "consent", "futures", "judged", "bulk"),
}
"""What may be said of each source, beside the seed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what may be typed after ``ingest``."""
    parser.add_argument(
        "source",
        help=f"one of: {', '.join(SOURCES)}; or a .toml file that says what a company's own "
        "tables look like: docs/your-own-data.md",
    )
    parser.add_argument(
        "--impressions", type=int, help="how many of the mailers' impressions to draw"
    )
    parser.add_argument("--seed", type=int, default=0, help="chooses which (default: 0)")
    parser.add_argument(
        "--folder", type=Path, help="where its Parquet files lie, if not in the package"
    )
    made = parser.add_argument_group("simulator", "a company with known truth: docs/simulator.md")
    made.add_argument("--customers", type=int, help="how many (default: 5000)")
    made.add_argument("--days", type=int, help="how many are simulated (default: 728)")
    made.add_argument("--drift", action="store_true", default=None, help="ways change at 70 %%")
    made.add_argument("--late", type=float, help="share of events known late (default: 0.03)")
    made.add_argument(
        "--consent", choices=("recorded", "assumed"), help="in customers' attributes or not"
    )
    made.add_argument(
        "--futures", type=int, help="drawn for what each customer is worth (default: 16)"
    )
    made.add_argument("--judged", type=int, help="customers in spines and truth (default: all)")
    made.add_argument(
        "--bulk", action="store_true", default=None, help="for large ones, in an empty home"
    )


def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Ingest what was asked for and return the exit code."""
    own = arguments.source.endswith(".toml")
    if not own and arguments.source not in SOURCES:
        raise BadInputError(
            f"There is no source {arguments.source!r}.",
            remedy=f"Choose one of: {', '.join(SOURCES)}; or give a .toml file.",
        )
    for source, names in OPTIONS.items():
        for name in names:
            if source != arguments.source and getattr(arguments, name) is not None:
                raise BadInputError(
                    f"--{name} is for {source!r}, not for {arguments.source!r}.",
                    remedy="Leave it out.",
                )
    if own:
        return _own_tables(Path(arguments.source), settings)
    ways = {"complete-journey": _complete_journey, "simulator": _simulator}
    with shown() as report:
        done = ways[arguments.source](arguments, settings, report)
    print(sentence(done))
    tell_quarantine(done)
    return 0


def _own_tables(file: Path, settings: Settings) -> int:
    from features.sources.company_tables import ingest_company

    with shown() as report:
        found = ingest_company(file, settings.home, report)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    log = found.done.log
    customers = len(log.stated)
    print(f"{customers:,} customers. {sentence(found.done)}")
    for name in log.spine_names:
        print(f"{len(log.spine(name)):,} rows with an answer: {name}")
    tell_quarantine(found.done)
    return 0


def tell_quarantine(done: Ingested) -> None:
    """Say where rejected rows are, if there are any."""
    if done.quarantine is not None:
        print(f"Rejected rows and their remedies: {done.quarantine}", file=sys.stderr)


def _complete_journey(
    arguments: argparse.Namespace, settings: Settings, report: Report
) -> Ingested:
    from features.sources.complete_journey import IMPRESSIONS, ingest_complete_journey

    size = IMPRESSIONS if arguments.impressions is None else arguments.impressions
    return ingest_complete_journey(settings.home, size, arguments.seed, report, arguments.folder)


def _simulator(arguments: argparse.Namespace, settings: Settings, report: Report) -> Ingested:
    from features.sources.simulator import FUTURES, Company, ingest_simulator

    said = {name: getattr(arguments, name) for name in ("customers", "days", "drift", "late")}
    company = Company(
        seed=arguments.seed, **{name: value for name, value in said.items() if value is not None}
    )
    futures = FUTURES if arguments.futures is None else arguments.futures
    recorded, bulk = arguments.consent != "assumed", bool(arguments.bulk)
    return ingest_simulator(
        settings.home,
        company,
        report,
        consent=recorded,
        futures=futures,
        judged_below=arguments.judged,
        bulk=bulk,
    )


def sentence(done: Ingested) -> str:
    """Return what came of an ingest, in a sentence."""
    if not done.changed:
        return (
            f"Nothing changed: all {done.repeated:,} events were in the log already; "
            f"{done.rejected:,} rows rejected."
        )
    return (
        f"{done.added:,} events added, {done.repeated:,} were there already, "
        f"{done.rejected:,} rows rejected."
    )
