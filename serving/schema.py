"""What a request may say. Types are strict: "3" is no number, and unknown fields are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

if TYPE_CHECKING:
    from models.spec import ModelSpec

MOST_ROWS = 10_000
MOST_REASONS = 50
MOST_PROSPECTS = 1_000
MOST_EVENTS = 1_000

Language = Literal["en", "ko"]
CustomerId = Annotated[str, Field(min_length=1, max_length=200)]

# The values are checked against the model's own declaration (serving.scores.inputs), which knows
# more than a schema common to all models can say.
Context = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": ["string", "number"]},
            "description": "What the model needs to know beside the customer; GET /v1/models "
            "says what each takes.",
        }
    ),
]
Values = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            "description": "Feature values by name instead of a customer; what is left out or "
            "null is missing. GET /v1/models lists the names.",
        }
    ),
]
Attributes = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            "description": "What is known of somebody who is not stored.",
        }
    ),
]
Event = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "required": ["kind", "occurred_at"],
            "additionalProperties": {"type": ["string", "integer", "null"]},
            "description": "As POST /v1/events takes them; event_id may be left out, and "
            "recorded_at given.",
        }
    ),
]


def named(**properties: dict[str, Any]) -> WithJsonSchema:
    """Return the schema of an object of which nothing else is known to pydantic."""
    kind = {"type": "object", "additionalProperties": False, "properties": properties}
    return WithJsonSchema(kind)


# The same holds here: `features.arrival` checks what a customer's state may be.
CustomerState = Annotated[
    dict[str, Any],
    named(
        attributes={
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            "description": "By name; text has at most 200 characters.",
        },
        consent={
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": {"type": ["boolean", "null"]},
            },
            "description": "Channel -> purpose -> whether it is given.",
        },
        timezone={"type": ["string", "null"], "description": "IANA name."},
    ),
]
CUSTOMER_EXAMPLE = {
    "attributes": {"age": "35-44", "household_size": "3"},
    "consent": {"email": {"offers": True}},
    "timezone": "America/New_York",
}


class Strict(BaseModel):
    """A body whose fields have exactly the declared types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Row(Strict):
    """Whom to score: a customer of the store, or somebody else by attributes and events; both in a
    context; or feature values.
    """

    customer_id: CustomerId | None = None
    attributes: Attributes | None = None
    events: list[Event] | None = Field(default=None, max_length=MOST_EVENTS)
    context: Context = Field(default_factory=dict)
    features: Values | None = None


class ScoreRequest(Row):
    """One row to score."""

    explain: int = Field(default=0, ge=0, le=MOST_REASONS, description="How many reasons to give.")
    language: Language = Field(default="en", description="Language of the reasons.")


class BatchRequest(Strict):
    """Rows to score by one version of a model."""

    rows: list[Row] = Field(min_length=1, max_length=MOST_ROWS)
    explain: int = Field(default=0, ge=0, le=MOST_REASONS, description="Reasons a row.")
    language: Language = Field(default="en", description="Language of the reasons.")


class ProspectsQuery(BaseModel):
    """Which list, what it assumes about money, and which page of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(
        default=None, max_length=100, description="By default the model that takes campaigns."
    )
    campaign: str | None = Field(
        default=None, max_length=200, description="Leads of this campaign."
    )
    segment: str | None = Field(
        default=None, max_length=200, description="Customers of the segment of this name only."
    )
    min_probability: float | None = Field(default=None, ge=0, le=1)
    value: int | None = Field(
        default=None,
        ge=0,
        le=10**12,
        description="What one 'yes' is worth (for churn: one customer who stays), in minor units "
        "of the currency, such as cents. Without it the list is ordered by probability.",
    )
    cost: int | None = Field(
        default=None,
        ge=0,
        le=10**12,
        description="What one contact costs, in minor units; by default the campaign's own cost.",
    )
    save_rate: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Share of those about to be lost whom a contact keeps; models of a loss "
        "(churn) need it, there is no default, and the list prints it as an assumption.",
    )
    language: Language = Field(default="en", description="Language of the reasons.")
    limit: int = Field(default=100, ge=1, le=MOST_PROSPECTS)
    cursor: str | None = Field(
        default=None, max_length=500, description="`next_cursor` of the page before."
    )
    format: Literal["json", "csv"] | None = Field(
        default=None, description="Instead of the Accept header, for browsers."
    )


class ChangesQuery(BaseModel):
    """Which scores, changed since when, and which page of them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(max_length=100)
    changed_since: str | None = Field(
        default=None,
        max_length=40,
        description="`next_changed_since` of the time before, or another moment (ISO 8601, or "
        "microseconds UTC); without it all scores are given.",
    )
    language: Language = Field(default="en", description="Language of reasons and trends.")
    limit: int = Field(default=100, ge=1, le=MOST_PROSPECTS)
    cursor: str | None = Field(
        default=None, max_length=500, description="`next_cursor` of the page before."
    )


def request_examples(specs: Mapping[str, ModelSpec]) -> dict[str, Any]:
    """Return OpenAPI examples of score requests, one a model, from the catalogue.

    Examples
    --------
    >>> from models.catalog import CATALOG
    >>> request_examples(CATALOG)["lead_score"]["value"]["context"]
    {'campaign_id': '18'}
    """
    return {
        name: {"summary": spec.question, "value": {**example_row(spec), "explain": 3}}
        for name, spec in specs.items()
    }


def batch_examples(specs: Mapping[str, ModelSpec]) -> dict[str, Any]:
    """Return OpenAPI examples of batch requests, one a model, from the catalogue."""
    return {
        name: {"summary": spec.question, "value": {"rows": [example_row(spec)], "explain": 1}}
        for name, spec in specs.items()
    }


EXAMPLE_CONTEXT: dict[str, str | float] = {
    "campaign_id": "18",
    "category": "SOFT DRINKS",
    "placement": "A",
    "store": "367",
}


def example_row(spec: ModelSpec) -> dict[str, Any]:
    """Return a row that a model could be asked about."""
    row: dict[str, Any] = {"customer_id": "1001"}
    if spec.context:
        row["context"] = {
            name: EXAMPLE_CONTEXT.get(name, 1.0 if kind == "number" else name)
            for name, kind in spec.context.items()
        }
    return row
