"""What the demonstration shows, printed from the service's own answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from demo.api import Api

# First come the metrics that decide; a model has some of them.
SHOWN_METRICS = ("log_loss", "auc", "silhouette")
METRIC_WORDS = {"log_loss": "log loss", "auc": "AUC", "silhouette": "silhouette"}
# Illustration, not knowledge: what one redeemed coupon brings and one mailing costs, in cents.
VALUE, COST = 500, 50
TOP = 10
REASONS = 2


def models(console: Console, answer: Mapping[str, Any]) -> None:
    """Part 1: a row a model and metric, with interval and best baseline, from /v1/models."""
    table = Table(box=None, padding=(0, 1))
    for heading in ("model", "version serving", "metric [95 % interval]"):
        table.add_column(heading, no_wrap=True)
    table.add_column("best baseline")
    verdicts = []
    for model in answer["models"]:
        champion = model["champion"]
        if champion is None:
            table.add_row(model["model"], "no champion")
            continue
        name, serves = model["model"], f"{champion['version']}: {champion['engine']}"
        best = best_baseline(champion["baselines"])
        for metric in SHOWN_METRICS:
            found = champion["metrics"].get(metric)
            if found is None or found["value"] is None:
                continue
            beside = champion["baselines"].get(best, {}).get(metric)
            interval = f"[{found['low']:.3f}, {found['high']:.3f}]"
            table.add_row(
                name,
                serves,
                Text(f"{METRIC_WORDS[metric]:<10} {found['value']:.3f} {interval}"),
                Text(f"{beside['value']:.3f} {best}") if beside else "",
            )
            name = serves = ""
        if "verdict" in champion["decision"]:
            verdicts.append(f"{model['model']}: {champion['decision']['verdict']}")
    part(console, 1, "The models, judged on rows later than any they learned from")
    console.print(table)
    for verdict in verdicts:
        console.print(verdict, highlight=False, markup=False)


def best_baseline(baselines: Mapping[str, Mapping[str, Any]]) -> str:
    """Name of the baseline with the lowest log loss; empty if there is none.

    Examples
    --------
    >>> best_baseline({"a": {"log_loss": {"value": 0.4}}, "b": {"log_loss": {"value": 0.3}}})
    'b'
    """
    judged = {name: each["log_loss"]["value"] for name, each in baselines.items()}
    return min(judged, key=lambda name: judged[name], default="")


def segments(console: Console, answer: Mapping[str, Any]) -> None:
    """Part 2: each kind of customer in words, from the champions of /v1/models."""
    part(console, 2, "The kinds of customers there are")
    for model in answer["models"]:
        for segment in (model["champion"] or {}).get("segments", ()):
            console.print(Text.assemble(f"{segment['share']:5.0%}  ", (segment["name"], "bold")))
            console.print(Padding(Text(segment["description"]), (0, 0, 0, 7)))


def prospects(console: Console, answer: Mapping[str, Any]) -> None:
    """Part 3: whom to contact next, from /v1/prospects."""
    currency = answer["currency"]
    part(console, 3, f"Whom to contact next in campaign {answer['campaign']}")
    table = Table(box=None, padding=(0, 1))
    for heading in ("rank", "customer", "probability", f"expected {currency}"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("because")
    for place in answer["prospects"]:
        table.add_row(
            str(place["rank"]),
            Text(place["customer_id"]),
            f"{place['probability']:.1%}",
            f"{place['expected_net_value'] / 100:.2f}",
            Text("\n".join(reason["words"] for reason in place["reasons"][:REASONS])),
        )
    console.print(table)
    left_out = sum(answer["left_out"].values())
    console.print(
        f"{answer['listed']} are worth a contact, {left_out} are left out: an answer is taken to "
        f"be worth {answer['value'] / 100:.2f} {currency}, a contact to cost "
        f"{answer['cost'] / 100:.2f}.",
        highlight=False,
    )
    for assumption in answer["assumptions"]:
        console.print(assumption, highlight=False, markup=False)


def call(console: Console, url: str, path: str, body: object, answer: object) -> None:
    """Part 4: one call a CRM would make, and its answer."""
    part(console, 4, "What a CRM asks, and what it is told")
    sent = json.dumps(body)
    console.print(f"$ curl -s {url}{path} \\", highlight=False, markup=False, soft_wrap=True)
    console.print(
        f"    -H 'content-type: application/json' -d '{sent}'",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    shown = json.dumps(answer, indent=2, ensure_ascii=False)
    console.print(shown, highlight=False, markup=False, soft_wrap=True)


def where_next(console: Console, home: str, statements: Sequence[str]) -> None:
    """Part 5: how to open what is there now, and what must be known of the data."""
    part(console, 5, "Where to look next")
    given = "" if home == ".nextbest" else f"NEXTBEST_HOME={home} "
    for command, address, what in (
        ("make mlflow", "http://127.0.0.1:5000", "runs, cards and the registry"),
        ("make serve", "http://127.0.0.1:8000/docs", "the API, with examples to try"),
    ):
        line = f"{given}{command:<12} {address:<28} {what}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print()
    for statement in statements:
        console.print(f"- {statement}", highlight=False, markup=False)


def ask_and_show(console: Console, api: Api, home: str) -> None:
    """Ask the service everything the five parts need, and print them."""
    served = api.get("/v1/models")
    models(console, served)
    segments(console, served)
    leads = api.get("/v1/prospects", limit=1)
    campaign = leads["prospects"][0]["context"]["campaign_id"]
    found = api.get("/v1/prospects", campaign=campaign, value=VALUE, cost=COST, limit=TOP)
    prospects(console, found)
    path = f"/v1/scores/{found['model']}"
    body = {
        "customer_id": found["prospects"][0]["customer_id"],
        "context": {"campaign_id": campaign},
        "explain": REASONS,
    }
    call(console, api.url, path, body, api.post(path, body))
    where_next(console, home, found["statements"])


def part(console: Console, number: int, title: str) -> None:
    """Begin a part of what is shown."""
    console.print()
    console.rule(f"[bold]{number}. {title}[/bold]", align="left")
