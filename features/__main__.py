"""The command line: ``python -m features --help`` lists its commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack, closing

from rich.console import Console
from rich.table import Table

from features import command, consistency, ingest_command
from features.clock import now, parse_instant, to_iso
from features.log import EventLog
from features.progress import shown
from features.settings import Settings
from features.spark_session import add_engine_arguments, chosen_engine


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = _parser().parse_args(argv)
    commands = {
        "ingest": ingest_command.run,
        "export": _export,
        "merge": _merge,
        "materialise": _materialise,
        "build": _build,
        "log": _log,
        "consistency": consistency.run,
    }
    return command.run(lambda: commands[arguments.command](arguments, Settings.from_environment()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m features", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    ingest_command.add_arguments(
        commands.add_parser("ingest", help="put a source's events into the log")
    )
    commands.add_parser("export", help="put what the API received into the log")
    commands.add_parser("merge", help="merge the log's small runs, so that it reads faster")
    fill = commands.add_parser("materialise", help="fill serving's online store from the log")
    fill.add_argument(
        "--anew", action="store_true", help="also where it was filled from this log already"
    )
    build = commands.add_parser(
        "build", help="prepare serving's store and a table of all features at the clock"
    )
    build.add_argument(
        "--as-of", metavar="DATE", help="of the table, such as 2017-12-04 (default: the clock)"
    )
    add_engine_arguments(build)
    commands.add_parser("log", help="show what is in the log")
    consistency.add_arguments(
        commands.add_parser(
            "consistency", help="compute served features again, and print what differs"
        )
    )
    return parser


def _merge(arguments: argparse.Namespace, settings: Settings) -> int:
    from features.merge import merge

    with shown() as report:
        done = merge(settings.home, report=report)
    print(f"Runs merged: {done.runs}. The log's events are what they were.")
    return 0


def _export(arguments: argparse.Namespace, settings: Settings) -> int:
    if not _exported(settings):
        print("Nothing has been received yet.")
    return 0


def _exported(settings: Settings) -> bool:
    """Bring the log up to the ledger, and return whether there is one."""
    from features.export import export
    from features.ledger import Ledger

    ledger = Ledger.found(settings.home, settings.database_url or None)
    if ledger is None:
        return False
    with closing(ledger), shown() as report:
        done = export(ledger, settings.home, report=report)
    if done.ingested is None:
        print("Nothing new: the log holds all that was received.")
        return True
    print(f"Lines received: {done.lines:,}. {ingest_command.sentence(done.ingested)}")
    ingest_command.tell_quarantine(done.ingested)
    return True


def _materialise(arguments: argparse.Namespace, settings: Settings) -> int:
    _filled(EventLog.open(settings.home), settings, anew=arguments.anew)
    return 0


def _filled(log: EventLog, settings: Settings, *, anew: bool = False) -> None:
    """Fill the online store from the log, and let it follow what is in the ledger beyond that."""
    from features.ledger import Ledger
    from features.materialise import materialise
    from features.shelf import shelf_of

    shelf = shelf_of(settings.home, settings.online_store)
    with ExitStack() as held:
        ledger = Ledger.found(settings.home, settings.database_url or None)
        if ledger is not None:
            held.enter_context(closing(ledger))
        report = held.enter_context(shown())
        store = held.enter_context(
            closing(materialise(log, shelf, ledger, anew=anew, report=report))
        )
        people = sum(1 for _ in store.customer_ids())
        print(
            f"Online store: {people:,} customers, {store.sequence:,} lines of the ledger applied."
        )


def _build(arguments: argparse.Namespace, settings: Settings) -> int:
    from features.snapshots import write_snapshot
    from features.spark_build import write_snapshot_on_spark

    _exported(settings)
    log = EventLog.open(settings.home)
    as_of = (
        now(settings.clock, log.source, last_instant=log.last_instant)
        if arguments.as_of is None
        else parse_instant(arguments.as_of, log.source.timezone)
    )
    with chosen_engine(arguments) as spark:
        _filled(log, settings)
        if spark is None:
            with shown() as report:
                table = write_snapshot(
                    log,
                    settings.home,
                    as_of,
                    progress=lambda done, total: report("features", done, total),
                    threads=settings.threads,
                    memory=settings.memory,
                )
        else:
            table = write_snapshot_on_spark(spark, log, settings.home, as_of)
    print(f"Features of all customers as of {to_iso(as_of)}: {table}")
    return 0


def _log(arguments: argparse.Namespace, settings: Settings) -> int:
    log = EventLog.open(settings.home)
    source = log.source
    kinds = Table("kind", title=f"Events of {source.name}", title_justify="left")
    for heading in ("events", "first", "last"):
        kinds.add_column(heading, justify="right")
    for name, kind in log.kinds.items():
        kinds.add_row(name, f"{kind.rows:,}", to_iso(kind.first), to_iso(kind.last))
    rows = Table("spine", title="Rows to be judged", title_justify="left")
    rows.add_column("rows", justify="right")
    for name in log.spine_names:
        rows.add_row(name, f"{len(log.spine(name)):,}")
    console = Console()
    console.print(kinds)
    console.print(rows)
    customers = len(set(log.customers["customer_id"].to_pylist()))
    facts = {
        "customers": f"{customers:,}",
        "campaigns": f"{len(log.campaigns):,}",
        "currency": source.currency,
        "time zone": source.timezone,
        "consent": source.consent,
        "sequence": str(log.sequence),
        "fingerprint": log.fingerprint,
    }
    for name, value in facts.items():
        print(f"{name}: {value}")
    for statement in source.statements:
        print(f"- {statement}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
