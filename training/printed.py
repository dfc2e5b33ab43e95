"""What the command line prints: tables for people, plain lines at the end."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from features.money import minor_units
from models.bundle import Bundle
from models.spec import ModelSpec
from training.card import percent
from training.details import METRIC_WORDS
from training.job import Outcome
from training.listing import Listed
from training.monitor import Monitored

WIDTH = 110


def trained(outcomes: Sequence[Outcome]) -> None:
    """Print each model's metrics beside its baselines, and the gate's reasons."""
    console = _console()
    for outcome in outcomes:
        spec = outcome.bundle.spec
        table = Table(title=f"{spec.name} v{outcome.version}: {spec.engine}", title_justify="left")
        table.add_column("metric")
        table.add_column(spec.engine, justify="right")
        for name in spec.baselines:
            table.add_column(name, justify="right")
        for metric, found in spec.metrics.items():
            others = [each.get(metric, {}) for each in spec.baselines.values()]
            table.add_row(METRIC_WORDS.get(metric, metric), *(_cell(e) for e in (found, *others)))
        console.print(table)
        for segment in spec.segments:
            console.print(f"{percent(segment.share)} {segment.name}. {segment.description}")
        for said in (outcome.decision.get("choice"), outcome.decision.get("verdict")):
            if said:
                console.print(said, highlight=False)
        console.print(outcome.decision["reason"], highlight=False)
        console.print()
    served = [
        f"{o.model} v{o.version}{' is champion' if o.decision['serves'] else ''}" for o in outcomes
    ]
    console.print("; ".join(served), highlight=False, soft_wrap=True)


def places(listed: Listed, limit: int, currency: str) -> None:
    """Print the first places of a list, and how many were left out for which reason."""
    console, unit = _console(), minor_units(currency)
    table = Table()
    for heading in ("rank", "customer", "probability", f"expected {currency}"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("because")
    for place in listed.places.ranked[:limit]:
        row = listed.rows[place.candidate.row_id]
        table.add_row(
            str(place.rank),
            row.customer_id,
            f"{place.candidate.probability:.1%}",
            f"{place.expected_net_value / unit:,.2f}",
            "\n".join(str(reason["words"]) for reason in row.reasons),
        )
    console.print(table)
    left = ", ".join(f"{n:,} {reason}" for reason, n in listed.places.counts.items())
    total = len(listed.places.ranked)
    console.print(f"{total:,} are worth a contact; left out: {left or 'nobody'}.", highlight=False)


def monitored(spec: ModelSpec, champion: Bundle, found: Monitored) -> None:
    """Print expected and actual rates by grade, drift, and the verdict with its reason."""
    console = _console()
    if found.grades:
        table = Table(title="Matured since training", title_justify="left")
        for heading in ("grade", "rows", "expected", "actual", "actual - expected, 95 %", "so"):
            table.add_column(heading, justify="left" if heading == "so" else "right")
        for each in found.grades:
            table.add_row(
                each.grade,
                f"{each.rows:,}",
                f"{each.expected:.1%}",
                f"{each.actual:.1%}",
                f"{100 * each.low:+.1f} to {100 * each.high:+.1f} points",
                each.word,
            )
        console.print(table)
    rate = found.label_rate
    if rate is not None:
        then = "" if rate.then is None else f" (training: {rate.then:.1%})"
        said = f"rate of yes: {rate.now:.1%} [{rate.low:.1%}, {rate.high:.1%}]{then}, {rate.word}"
        console.print(said, highlight=False)
    if found.waiting:
        console.print(f"not mature yet: {found.waiting:,} rows, left out", highlight=False)
    for shift in found.feature_drift[:3]:
        word = "drifted" if shift.drifted else "steady"
        console.print(
            f"stability index of {shift.name}: {shift.index:.2f}, {word}", highlight=False
        )
    version = champion.spec.version
    console.print(f"{spec.name} v{version}: {found.verdict}. {found.reason}", highlight=False)


def _cell(found: dict[str, float | None]) -> str:
    value, low, high = found.get("value"), found.get("low"), found.get("high")
    if value is None or low is None or high is None:
        return "-"
    return f"{value:.3f}\n{low:.3f} to {high:.3f}"


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=WIDTH)
