"""What answers hold, as structs: the routes encode them and OpenAPI is made from them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from models.contract import Score, SegmentScore
from models.trend import Trend

# msgspec cannot decode a union of two structs, so the schema is given by hand; it only encodes.
EITHER = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Score", "SegmentScore")]}
ScoreOrSegment = Annotated[Any, msgspec.Meta(extra_json_schema=EITHER)]


class ProblemAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem by RFC 9457.

    Attributes
    ----------
    type : str
        ``urn:nextbest:problem:<slug>``, stable.
    title, status, detail
        What is wrong: the kind, the HTTP status, this occurrence.
    remedy : str
        What to do next.
    errors : list of dict
        Field by field, for requests that do not fit the schema.
    instance : str
        Names a failure of the service in its log.
    error : str
        Detail and remedy under ``/v2/``, whose clients read this field.
    """

    type: str
    title: str
    status: int
    detail: str
    remedy: str
    errors: list[dict[str, str]] = msgspec.field(default_factory=list)
    instance: str | None = None
    error: str | None = None


class RefusedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was not taken, by its place in the request, and what to do about it."""

    index: int
    field: str
    detail: str
    remedy: str


class EventsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch of events; all but the refused are durable and count from now on.

    Attributes
    ----------
    added, repeated : int
        Events that are new, and those that were there already with the same content.
    refused : list of RefusedEvent
    sequence : int
        A score that carries this number, or a higher one, has counted them.
    recorded_at : str
        The moment from which on they are known.
    """

    added: int
    repeated: int
    refused: list[RefusedEvent]
    sequence: int
    recorded_at: str


class ChangeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a change of a customer or campaign.

    Attributes
    ----------
    changed : bool
        False where all of it was known already.
    sequence : int
        A score that carries this number, or a higher one, has counted it.
    known_at : str
        The moment from which on it is known.
    """

    changed: bool
    sequence: int
    known_at: str


class BatchResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of a batch: its score, or the problem that kept it from having one."""

    row: int
    score: ScoreOrSegment = None
    problem: ProblemAnswer | None = None


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of many rows by one version, in the order of the request."""

    model: str
    version: str
    scored: int
    refused: int
    results: list[BatchResult]


class KeyFeature(msgspec.Struct, frozen=True, kw_only=True):
    """A feature that describes the customer, with words and the customer's own value."""

    name: str
    words: str
    value: float | int | str | bool | None
    unit: str


class ContextScore(msgspec.Struct, frozen=True, kw_only=True):
    """A batch score of the customer in some context: a campaign, a placement."""

    model: str
    version: str
    context: dict[str, Any]
    probability: float | None
    percentile: float | None
    grade: str | None
    segment: str | None
    as_of: str
    scored_at: str
    trend: Trend | None = None
    abstained: str = ""


class CustomerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is known and expected of one customer.

    Attributes
    ----------
    segment : SegmentScore or None
        None while the segments have no champion, or where they are not for this customer.
    scores : list of Score
        Of the models that need nothing but the customer, computed for this answer.
    in_context : list of ContextScore
        The last batch's scores of the models that need a context.
    not_scored : dict
        Model -> why it has no score here.
    key_features : list of KeyFeature
        What the segments are made from: how recently, how often, how much.
    """

    customer_id: str
    as_of: str
    segment: SegmentScore | None
    scores: list[Score]
    in_context: list[ContextScore]
    not_scored: dict[str, str]
    key_features: list[KeyFeature]
    statements: list[str]


class RefusedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version that the registry calls champion and that could not be verified."""

    version: str
    reason: str
    refused_at: str


class ChampionAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The version being served and the facts its bundle carries."""

    version: str
    loaded_at: str
    trained_at: str
    as_of: str
    engine: str
    horizon: str
    base_rate: float | None
    currency: str
    metrics: dict[str, Any]
    baselines: dict[str, Any]
    decision: dict[str, Any]
    segments: list[dict[str, Any]]
    statements: list[str]
    code_version: str
    card: str


class ChallengerAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The version that scores what the champion answers, unseen by callers."""

    version: str
    loaded_at: str
    trained_at: str


class FeatureAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A feature a model reads: what may be sent inline."""

    name: str
    type: str
    unit: str
    levels: list[str]
    words: dict[str, str]


class ModelAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A model of the catalogue: what it answers, what it takes, what is being served."""

    model: str
    question: str
    entity: str
    output: str
    context: dict[str, str]
    population: str | None
    score: str
    champion: ChampionAnswer | None
    previous_version: str | None
    refused: RefusedVersion | None
    challenger: ChallengerAnswer | None = None
    refused_challenger: RefusedVersion | None = None
    features: list[FeatureAnswer] = msgspec.field(default_factory=list)


class RegistryAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the model registry answers the poller, and when it last did."""

    answers: bool
    answered_at: str | None


class ModelsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """All models."""

    models: list[ModelAnswer]
    registry: RegistryAnswer


class ProspectAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A place on a list.

    Attributes
    ----------
    expected_net_value : int or None
        Minor units: probability x value (x save rate) - cost; None if no value was given.
    """

    rank: int
    customer_id: str
    context: dict[str, Any]
    probability: float
    percentile: float | None
    grade: str | None
    segment: str | None
    expected_net_value: int | None
    reasons: list[dict[str, Any]]
    trend: Trend | None = None


class ProspectsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list: whom to contact next, why, and what it is expected to bring.

    Attributes
    ----------
    value, cost, expected_net_value_of_all
        Minor units of the currency; None where the list is ordered by probability.
    listed : int
        Customers on the whole list, of which this is a page.
    left_out : dict
        Reason -> customers who are not on the list for it.
    assumptions, statements : list of str
        What whoever uses the list must know.
    next_cursor : str or None
        Of the next page; None on the last.
    """

    model: str
    version: str
    question: str
    campaign: str | None
    as_of: str
    scored_at: str
    currency: str
    value: int | None
    cost: int | None
    save_rate: float | None
    listed: int
    expected_net_value_of_all: int | None
    left_out: dict[str, int]
    assumptions: list[str]
    statements: list[str]
    next_cursor: str | None
    prospects: list[ProspectAnswer]
