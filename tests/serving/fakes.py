"""Parts of an application: real specs, bundles and scorers; customers from dictionaries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from features.errors import UnknownCustomerError
from features.feature import Feature
from features.ledger import Ledger
from features.online import Reading
from features.source import Source
from models.bundle import Bundle
from models.calibrator import Calibrator
from models.catalog import CATALOG
from models.clusters import Clusters
from models.encoder import Column, Encoder
from models.linear import Linear, Term
from models.published import PublishedSpec, Segment
from models.scores import SqlScoreStore
from models.spec import ModelSpec
from serving.access.opened import Access
from serving.app import create_app
from serving.champions.cache import announce
from serving.champions.champions import Champions
from serving.received.live_store import LiveStore, Value
from serving.settings import ServingSettings

NOW = 1_514_782_800_000_000
SHOP = Source(
    "shop", "EUR", "Europe/Berlin", "assumed", 1, NOW, statements=("Consent is assumed.",)
)
CAMPAIGNS = {
    "7": {"type": "Type A", "starts_at": NOW - 10**12, "ends_at": NOW + 10**12, "cost": 50},
    "13": {"type": "Type B", "starts_at": NOW - 10**12, "ends_at": NOW + 10**12, "cost": 0},
}
SECRET = "jane.doe@example.com"


class FakeStore:
    """Customers by name, each with a number from which every feature follows; an event adds 1."""

    sequence = 41
    distant = False
    properties: Mapping[str, str] = {"store": "text", "discount": "integer"}
    attribute_types: Mapping[str, str] = {"age": "text"}

    def __init__(self, customers: Mapping[str, int], source: Source = SHOP) -> None:
        self.customers = dict(customers)
        self.campaigns: dict[str, dict[str, Any]] = dict(CAMPAIGNS)
        self.states: dict[str, list[tuple[int, dict[str, Any]]]] = {"1002": [(5, {"age": "65+"})]}
        self.source = source
        self.applied = 0
        self.instant = 0
        self.closed = False

    def get(self, customer_id: str) -> Any:
        number = self.customers.get(customer_id)
        return None if number is None else SimpleNamespace(values=np.zeros((2, number)))

    @contextmanager
    def history(self, customer_id: str) -> Iterator[Any]:
        number = self.customers.get(customer_id)
        states = self.states.get(customer_id, [])
        values = np.zeros((2, number or 0))
        held = SimpleNamespace(values=values, attributes=states, tiles=None)
        yield held if number is not None or states else None

    def close(self) -> None:
        self.closed = True

    def catch_up(self, ledger: Any) -> None:
        for change in ledger.since(self.applied):
            content = change.content
            if change.kind == "event":
                who = content["customer_id"]
                self.customers[who] = self.customers.get(who, 0) + 1
            elif change.kind == "customer":
                who = content["customer_id"]
                self.customers.setdefault(who, 0)
                self.states.setdefault(who, []).append((change.at, content["attributes"]))
            else:
                self.campaigns[content["campaign_id"]] = content
            self.applied, self.instant = change.sequence, change.at


class FakeRows:
    """Every number of a customer is the customer's own; texts are missing; 0 is inactive."""

    def __init__(self, store: FakeStore, features: Sequence[Feature]) -> None:
        self.store = store
        self.features = features

    def read(self, customer_id: str, as_of: int, context: Mapping[str, Any]) -> Reading:
        if customer_id not in self.store.customers:
            raise UnknownCustomerError(f"Nothing of {customer_id!r}.", remedy="Check the id.")
        with self.store.history(customer_id) as held:
            number = held.values.shape[1]
        return Reading(self._of(number), number > 0, self.store.sequence)

    def row_of(
        self,
        attributes: Mapping[str, Any],
        events: Sequence[Mapping[str, Any]],
        as_of: int,
        context: Mapping[str, Any],
    ) -> list[Value]:
        assert all(event["recorded_at"] < as_of for event in events)
        return self._of(len(events))

    def _of(self, number: int) -> list[Value]:
        of_type: dict[str, Value] = {"int": number, "float": float(number), "bool": number > 0}
        return [of_type.get(feature.dtype) for feature in self.features]


def make_bundle(spec: ModelSpec, intercept: float = -1.0, card: str = "# Card") -> Bundle:
    """A published model of one linear term, or of two clusters, on the spec's own features."""
    columns = [Column(f.name, f.dtype, f.levels) for f in spec.features]
    encoder = Encoder(columns)
    numbers = [i for i, column in enumerate(columns) if column.dtype in ("int", "float")]
    X = np.tile(np.arange(50.0)[:, None], (1, len(columns)))
    segments = ()
    engine: Linear | Clusters
    if spec.output == "segment":
        place = np.array(numbers[:1])
        plain = np.ones(1, bool), np.zeros(1), np.ones(1)
        engine = Clusters(place, *plain, np.array([[0.0], [3.0]]))
        segments = (Segment(0, "rare", "seldom here", 0.5), Segment(1, "loyal", "often here", 0.5))
    else:
        engine = Linear(intercept, (Term(column=numbers[0], scale=10.0, coefficient=0.5),))
    published = PublishedSpec.of(
        spec,
        horizon="28d",
        base_rate=None if spec.output == "segment" else 0.2,
        currency="EUR",
        as_of=NOW,
        trained_at=NOW,
        code_version="test",
        engine="a fake",
        metrics={"auc": {"value": 0.7, "low": 0.6, "high": 0.8}},
        statements=("Consent is assumed.",),
        segments=segments,
    )
    html = f"<h1>{card}</h1>" if card else ""
    return Bundle.of(
        published, encoder, engine, Calibrator.identity(), X, card_markdown=card, card_html=html
    )


def publish(cache: Path, spec: ModelSpec, version: str, intercept: float = -1.0) -> Path:
    """What the poller does: a bundle in the cache, then its announcement."""
    folder = make_bundle(spec, intercept).save(cache / spec.name / version)
    announce(cache, spec.name, version)
    return folder


def fake_store(source: Source = SHOP) -> LiveStore:
    """A live store of four customers; "gone" is outside the population of every model."""
    held = FakeStore({"1001": 12, "1002": 3, "gone": 0, SECRET: 5}, source)
    return LiveStore(lambda: held, lambda: "first", FakeRows, CATALOG)  # type: ignore[arg-type, return-value]


@contextmanager
def opened(
    home: Path,
    scores: SqlScoreStore,
    champions: Champions | None = None,
    store: LiveStore | None = None,
    ledger: Ledger | None = None,
    access: Access | None = None,
    **given: Any,
) -> Iterator[TestClient]:
    """A client of an application that runs."""
    limits = {"watch_seconds": 0.05, "max_body_bytes": 20_000} | given
    settings = ServingSettings(home=home, **limits)
    written = ledger or Ledger.open(home, clock=lambda latest: max(NOW, latest))
    app = create_app(
        settings,
        champions or Champions(CATALOG, settings.cache),
        store or fake_store(),
        scores,
        lambda: NOW,
        written,
        access=access,
    )
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client
    if ledger is None:
        written.close()
