"""One monitoring job: the champion, what matured since it was trained, and what waits."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from features import clock
from features.errors import BadInputError
from features.label import matures_at
from features.log import EventLog
from features.progress import Report, silent
from features.spine import grid
from models.answer import Answer
from models.bundle import Bundle
from models.registry import PREVIOUS, Registry
from models.spec import ModelSpec
from training.dataset import build, customer_ids
from training.monitor import Monitored, monitor
from training.scoring import rows_to_score


def watch(
    spec: ModelSpec, log: EventLog, registry: Registry, now: int, report: Report = silent
) -> tuple[Bundle, Monitored]:
    """Return a model's champion and whether to keep it.

    Raises
    ------
    NextbestError
        There is no champion, or no row of the model in the log.
    """
    champion = downloaded(registry, spec, registry.champion(spec.name))
    before = registry.resolve(spec.name, PREVIOUS)
    if before is not None and registry.rolled_back(spec.name, before):
        before = None  # it was left for a reason, so it is nothing to go back to
    present = rows_to_score(
        spec, log, now, progress=lambda done, of: report("present rows", done, of)
    )
    matured = build(spec, log, now, progress=lambda done, of: report("matured rows", done, of))
    since = matured.rows["matures_at"].to_numpy() > champion.spec.as_of
    found = monitor(
        champion,
        spec.gate,
        matured.take(np.flatnonzero(since)),
        present,
        None if before is None else downloaded(registry, spec, before),
        waiting=waiting(spec, log, now),
    )
    return champion, found


def waiting(spec: ModelSpec, log: EventLog, now: int) -> int:
    """Return how many rows were judged before `now` and have no answer yet.

    They are counted before the population is looked at, so of a grid of dates there are at most
    as many. Where a table states the answers, those are rows that nobody has answered.
    """
    if spec.label is None:
        return 0
    if isinstance(spec.label, Answer):
        spine = log.spine(spec.label.name)
        return len(np.setdiff1d(customer_ids(log), spine.customer_id))
    if spec.spine is not None:
        spine = log.spine(spec.spine)
    else:
        everyone = customer_ids(log)
        wait = int(matures_at(spec.label, grid(["any"], [0]), log.campaigns)[0])
        step = clock.parse_duration(spec.step)
        dates = np.arange(now - wait + step, now, step)
        if len(dates) == 0:
            return 0
        spine = grid(everyone, dates.tolist())
    return int(((matures_at(spec.label, spine, log.campaigns) > now) & (spine.as_of < now)).sum())


def downloaded(registry: Registry, spec: ModelSpec, version: str) -> Bundle:
    """Return a version's bundle, verified."""
    with TemporaryDirectory() as scratch:
        folder = registry.download(spec.name, version, Path(scratch) / version)
        bundle = Bundle.load(folder, version)
    bundle.verify()
    return bundle


def write_report(found: Monitored, champion: Bundle, now: int, file: Path) -> None:
    """Write what monitoring found as JSON.

    Raises
    ------
    BadInputError
        The file cannot be written.
    """
    about = {"model": champion.spec.name, "version": champion.spec.version}
    plain = {**about, "as_of": clock.to_iso(now), **found.to_json()}
    try:
        file.write_text(json.dumps(plain, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInputError(
            f"{file} cannot be written: {error.strerror or error}.", remedy="Choose another file."
        ) from error
