"""The command line of training; the models are those of the catalogue."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

from features import command
from features.clock import to_iso
from features.errors import BadInputError, NextbestError
from features.frame import frame
from features.log import EventLog
from features.progress import shown
from features.spark_build import frame_on_spark
from features.spark_session import chosen_engine
from models import catalog
from models.company import check_promotions
from models.registry import CHALLENGER, NoChampionError, RegistryError, prepare
from models.scores import SqlScoreStore, database_url
from models.shapley.machine_code import compiled
from training import batch, listing, printed, watch
from training.dataset import build, moment
from training.job import train
from training.parser import EVERY, job_parser, train_parser
from training.predict import predict, write
from training.report import check_report_path, write_report
from training.scoring import rows_to_score
from training.segment_names import rename
from training.settings import TrainingSettings
from training.spark_scoring import SparkAnswers

CANNOT_TELL = 3
"""Exit code of monitor for a mistake: 2 would be taken for a roll-back."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    # A thread of LightGBM that waits by spinning takes the processor from those that work: on a
    # busy machine of two cores a fit took six times as long. It is read when OpenMP is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    given = list(sys.argv[1:] if argv is None else argv)
    jobs: dict[str, Callable[[argparse.Namespace, TrainingSettings], int]] = {
        "dataset": _dataset,
        "score": _score,
        "promote": _promote,
        "rollback": _rollback,
        "predict": _predict,
        "prospects": _prospects,
        "monitor": _monitor,
        "name": _name,
    }
    # What is no job is a model to train, so that a new model needs nothing here.
    trains = bool(given) and given[0] not in jobs and not given[0].startswith("-")

    def run() -> int:
        arguments = (train_parser() if trains else job_parser()).parse_args(given)
        job = _train if trains else jobs[arguments.job]
        return job(arguments, TrainingSettings.from_environment())

    return command.run(run)


def _train(arguments: argparse.Namespace, settings: TrainingSettings) -> int:
    specs = (
        list(catalog.CATALOG.values())
        if arguments.model == EVERY
        else [catalog.spec(arguments.model)]
    )
    if arguments.report is not None:
        check_report_path(arguments.report)
    log = EventLog.open(settings.home)
    check_promotions(log.company, catalog.CATALOG)
    moment(log, arguments.as_of, clock_name=settings.clock)  # a bad date is said before the work
    registry = prepare(settings.home, settings.tracking_uri or None)
    compiled(settings.home / "numba")
    outcomes = []
    with shown() as report:
        for spec in specs:
            outcomes.append(
                train(
                    spec,
                    log,
                    registry,
                    settings,
                    as_of=arguments.as_of,
                    promote=arguments.promote,
                    regrade=arguments.regrade,
                    random_state=arguments.seed,
                    budget=arguments.budget,
                    most_rows=arguments.rows,
                    report=report,
                )
            )
    printed.trained(outcomes)
    if arguments.report is not None:
        write_report(arguments.report, {outcome.model: outcome.report for outcome in outcomes})
    return 0


def _dataset(arguments: argparse.Namespace, settings: TrainingSettings) -> int:
    spec, out = catalog.spec(arguments.model), arguments.out
    if out.suffix not in (".parquet", ".csv"):
        raise BadInputError(
            f"{out} is neither .parquet nor .csv.", remedy="Give --out one of these endings."
        )
    log = EventLog.open(settings.home)
    now = moment(log, arguments.as_of, clock_name=settings.clock)
    with chosen_engine(arguments) as spark, shown() as report:
        data = build(
            spec,
            log,
            now,
            progress=lambda done, of: report("rows", done, of),
            compute=frame if spark is None else partial(frame_on_spark, spark),
        )
    table = data.joined()
    try:
        table.to_parquet(out, index=False) if out.suffix == ".parquet" else table.to_csv(
            out, index=False
        )
    except OSError as error:
        raise BadInputError(
            f"{out} cannot be written: {error.strerror or error}.", remedy="Choose another --out."
        ) from error
    print(f"{len(data):,} rows, {table.shape[1]} columns: {out}")
    return 0


def _score(arguments: argparse.Namespace, settings: TrainingSettings) -> int:
    log = EventLog.open(settings.home)
    now = moment(log, None, clock_name=settings.clock)
    registry = prepare(settings.home, settings.tracking_uri or None)
    serving = {name: registry.resolve(name) for name in catalog.CATALOG}
    if not any(serving.values()):
        raise NoChampionError(
            "No model has a champion.", remedy="Train them: python -m training all --promote"
        )
    compiled(settings.home / "numba")
    with (
        chosen_engine(arguments) as spark,
        closing(SqlScoreStore(database_url(settings.home, settings.database_url or None))) as store,
        shown() as report,
    ):
        compute = frame if spark is None else partial(frame_on_spark, spark)
        for name, version in serving.items():
            if version is None:
                print(f"{name} has no champion and is left out.", file=sys.stderr)
                continue
            spec = catalog.spec(name)

            def said(done: int, of: int, name: str = name) -> None:
                report(f"{name}: rows", done, of)

            bundle = watch.downloaded(registry, spec, version)
            data = rows_to_score(spec, log, now, progress=said, compute=compute)
            done = batch.score(
                spec,
                bundle,
                data,
                log,
                store,
                settings.home / "scores",
                scored_at=time.time_ns() // 1_000,
                engine=None if spark is None else SparkAnswers(spark),
                compute=compute,
            )
            print(batch.summary(done, now))
    return 0


def _predict(arguments: argparse.Namespace, settings: TrainingSettings) -> int:
    spec = catalog.spec(arguments.model)
    log = EventLog.open(settings.home)
    now = moment(log, None, clock_name=settings.clock)
    registry = prepare(settings.home, settings.tracking_uri or None)
    champion = watch.downloaded(registry, spec, registry.champion(spec.name))
    with shown() as report:
        found = predict(spec, champion, log, arguments.rows, now, report=report)
    write(arguments.out, found)
    print(f"{len(found.rows):,} rows by {spec.name} v{champion.spec.version}: {arguments.out}")
    return 0


def _promote(arguments: argparse.Namespace, settings: TrainingSettings) -> int:
    if arguments.rollback:
        return _rollback(arguments, settings)
    spec = catalog.spec(arguments.model)
    registry = prepare(settings.home, settings.tracking_uri or None)
    chosen = arguments.version or registry.resolve(spec.name, CHALLENGER)
    if chosen is None:
        raise RegistryError(
            f"{spec.name!r} has no challenger to promote.",
            remedy=f"Train one: python -m training {spec.name}",
        )
    registry.promote(spec.name, str(chosen))
    print(f"{spec.name}: version {chosen} is the champion.")
    return 0


def _rollback(arguments: argparse.Namespace, settings: TrainingSettings) -> int:
    spec = catalog.spec(arguments.model)
    registry = prepare(settings.home, settings.tracking_uri or None)
    when = to_iso(time.time_ns() // 1_000)
    version = registry.rollback(spec.name, f"{when}: {arguments.reason or 'no reason was given'}")
    print(f"{spec.name}: version {version} is the champion again.")
    return 0


def _prospects(arguments: argparse.Namespace, settings: TrainingSettings) -> int:
    spec = catalog.spec(arguments.model or listing.model_for_campaigns())
    log = EventLog.open(settings.home)
    money = listing.Money(arguments.value, arguments.cost, arguments.save_rate)
    with closing(
        SqlScoreStore(database_url(settings.home, settings.database_url or None))
    ) as store:
        found = listing.prospects(spec, log, store, arguments.campaign, money)
    if arguments.out is not None:
        table = listing.cells(found, arguments.limit)
        listing.write_csv(arguments.out, table)
        print(f"{len(table):,} places: {arguments.out}")
    else:
        printed.places(found, arguments.limit or 20, log.source.currency)
    for sentence in (*found.assumptions, *log.source.statements):
        print(f"- {sentence}", file=sys.stderr)
    return 0


def _name(arguments: argparse.Namespace, settings: TrainingSettings) -> int:
    spec = catalog.spec(arguments.model)
    registry = prepare(settings.home, settings.tracking_uri or None)
    with closing(
        SqlScoreStore(database_url(settings.home, settings.database_url or None))
    ) as store:
        done = rename(
            spec.name, registry, arguments.segment, arguments.name, arguments.description,
            store=store,
        )  # fmt: skip
    print(
        f"{spec.name}: segment {done.after.id} is now {done.after.name!r}, until now "
        f"{done.before.name!r}; version {done.version} is the champion, and {done.rows:,} stored "
        "scores carry the name."
    )
    return 0


def _monitor(arguments: argparse.Namespace, settings: TrainingSettings) -> int:
    try:
        spec = catalog.spec(arguments.model)
        log = EventLog.open(settings.home)
        now = moment(log, None, clock_name=settings.clock)
        registry = prepare(settings.home, settings.tracking_uri or None)
        with shown() as report:
            champion, found = watch.watch(spec, log, registry, now, report)
        if arguments.report is not None:
            watch.write_report(found, champion, now, arguments.report)
    except NextbestError as mistake:
        print(f"error: {mistake}", file=sys.stderr)
        return CANNOT_TELL
    printed.monitored(spec, champion, found)
    return found.code
