"""Calls that are right: one at least for each route and each kind of body, to be broken."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.fuzz.canaries import CANARIES
from serving.protocols.media import CSV, OCTETS
from serving.protocols.octets import HEADER, octets_of
from serving.tables.media import ARROW, PARQUET

if TYPE_CHECKING:
    from models.spec import ModelSpec

JSON = "application/json"
NAME, EMAIL, ID, *_ = CANARIES
MODEL = "churn"
CAMPAIGN = "31"


class Call(NamedTuple):
    """A request; `body` is plain values for JSON, and bytes for all else."""

    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = {}

    @property
    def label(self) -> str:
        """Where it goes, for what is told of it."""
        return f"{self.method} {self.path}"


def right_calls(specs: Mapping[str, ModelSpec], customers: Sequence[str]) -> list[Call]:
    """Return calls that a service with these models and customers answers."""
    known = customers[0]
    values = {feature.name: _value(feature) for feature in specs[MODEL].features}
    lead = {"customer_id": known, "context": {"campaign_id": "31"}}
    order = {name: value for name, value in _order("x", ID).items() if name != "customer_id"}
    raw = {"attributes": {"age": "35-44", "city": NAME}, "events": [order]}
    placed = {"placement": "front", "category": NAME, "store": "7"}
    rows = [{"customer_id": who} for who in (known, ID)] + [{"features": values}, raw]
    scores = [
        *({"customer_id": who, "explain": 3} for who in (known, EMAIL)),
        {"features": values, "explain": 50, "language": "ko"},
        raw,
    ]
    calls = [
        Call("PUT", f"/v1/campaigns/{CAMPAIGN}", _campaign()),
        Call("PUT", f"/v1/customers/{ID}", _customer()),
        *(Call("POST", f"/v1/scores/{MODEL}", body) for body in scores),
    ]
    calls += [
        Call("POST", "/v1/scores/lead_score", lead),
        Call("POST", "/v1/scores/segments", {"customer_id": known}),
        Call("POST", "/v1/scores/ctr", {"customer_id": known, "context": placed}),
        Call("POST", f"/v1/scores/{MODEL}/batch", {"rows": rows, "explain": 1}),
        Call("POST", "/v1/events", {"events": [_order(f"e{n}", EMAIL) for n in range(3)]}),
    ]
    calls += [
        Call("POST", f"/v2/models/{MODEL}/infer", _inference(specs[MODEL])),
        Call("POST", "/v2/models/segments/versions/1/infer", _by_id([known] * 2)),
        Call("POST", "/v2/models/lead_score/infer", _by_id([known], campaign_id="31")),
        Call("POST", "/invocations", {"instances": [values], "params": {"model": MODEL}}),
        Call(
            "POST", f"/invocations?model={MODEL}", {"inputs": {n: [v] for n, v in values.items()}}
        ),
        Call("POST", f"/invocations?model={MODEL}", _split(values)),
        _csv(values),
        _octets(),
    ]
    paths = [
        "/", "/docs", "/openapi.json", "/health/live", "/health/ready", "/metrics", "/v1/models",
        f"/v1/models/{MODEL}", f"/v1/models/{MODEL}/card?format=md", f"/v1/customers/{ID}",
        f"/v1/customers/{known}", "/v1/prospects?campaign=31&value=500&cost=50&limit=3&format=csv",
        f"/v1/prospects?model={MODEL}&value=9&save_rate=0.5&limit=1",
        f"/v1/scores?model={MODEL}&changed_since=2017-12-01T00:00:00Z&limit=1&language=ko",
        f"/v1/scores?model={MODEL}&changed_since=1&cursor=e30",
        f"/v1/prospects?model={MODEL}&cursor=e30&min_probability=0.1&segment={NAME}", "/v2",
        "/v2/health/live", f"/v2/models/{MODEL}/ready", f"/v2/models/{MODEL}/versions/1",
        "/v2/health/ready", f"/v2/models/{MODEL}", f"/v2/models/{MODEL}/versions/1/ready", "/ping",
        "/health", "/version",
    ]  # fmt: skip
    return [*calls, *_tables(values), *(Call("GET", path) for path in paths)]


def encoded(body: Any) -> bytes | None:
    """Return a call's body as it is sent."""
    return body if body is None or isinstance(body, bytes) else json.dumps(body).encode()


def _value(feature: Any) -> Any:
    of_type: dict[str, Any] = {"int": 4, "float": 2.5, "bool": True}
    return of_type.get(feature.dtype, feature.levels[0] if feature.levels else NAME)


def _order(event_id: str, customer: str) -> dict[str, Any]:
    return {
        "event_id": f"{event_id} of {customer}", "customer_id": customer, "kind": "order",
        "occurred_at": "2026-05-01T17:05:00+01:00", "amount": 2599, "quantity": 3, "channel": NAME,
    }  # fmt: skip


def _customer() -> dict[str, Any]:
    return {
        "attributes": {"age": "35-44", "name": NAME, "visits": 3, "member": True},
        "consent": {"email": {"offers": True}},
        "timezone": "Europe/Berlin",
    }


def _campaign() -> dict[str, Any]:
    start, end = "2026-05-01T00:00:00Z", "2026-12-01T00:00:00Z"
    return {
        "starts_at": start,
        "ends_at": end,
        "type": "Type A",
        "cost": 50,
        "offer": "a tenth off",
    }


def _inference(spec: ModelSpec) -> dict[str, Any]:
    kinds = {"int": "INT64", "float": "FP64", "bool": "BOOL"}
    inputs = [
        {
            "name": f.name,
            "shape": [2],
            "datatype": kinds.get(f.dtype, "BYTES"),
            "data": [_value(f)] * 2,
        }
        for f in spec.features
    ]
    wanted = [{"name": "margin", "parameters": {"binary_data": False}}, {"name": "grade"}]
    return {"id": "7", "inputs": inputs, "outputs": wanted, "parameters": {"priority": 1}}


def _by_id(customers: Sequence[str], **context: str) -> dict[str, Any]:
    columns = {"customer_id": customers} | {n: [v] * len(customers) for n, v in context.items()}
    return {
        "inputs": [
            {"name": name, "shape": [len(values), 1], "datatype": "BYTES", "data": list(values)}
            for name, values in columns.items()
        ]
    }


def _split(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"dataframe_split": {"columns": list(values), "data": [list(values.values())] * 2}}


def _csv(values: Mapping[str, Any]) -> Call:
    lines = [",".join(values), ",".join(map(str, values.values())), "," * (len(values) - 1)]
    body = "\n".join(lines).encode()
    return Call("POST", f"/invocations?model={MODEL}", body, {"content-type": CSV})


def _octets() -> Call:
    column = octets_of("BYTES", [ID, NAME])
    tensor = {"name": "customer_id", "shape": [2], "datatype": "BYTES",
              "parameters": {"binary_data_size": len(column)}}  # fmt: skip
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    headers = {"content-type": OCTETS, HEADER: str(len(head))}
    return Call("POST", f"/v2/models/{MODEL}/infer", head + column, headers)


def _tables(values: Mapping[str, Any]) -> list[Call]:
    rows = 20
    columns = {"customer_id": [f"{ID}-{row}" for row in range(rows)]}
    table = pa.table(columns | {name: [value] * rows for name, value in values.items()})
    arrow, parquet = io.BytesIO(), io.BytesIO()
    with pa.ipc.new_stream(arrow, table.schema) as writer:
        writer.write_table(table)
    pq.write_table(table, parquet)
    bodies = {ARROW: arrow.getvalue(), PARQUET: parquet.getvalue()}
    path = f"/v1/scores/{MODEL}/batch"
    return [Call("POST", path, body, {"content-type": kind}) for kind, body in bodies.items()]
