"""What a published model says about itself: `spec.json`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from models.abstention import Abstain

if TYPE_CHECKING:
    from models.spec import ModelSpec

LANGUAGES = ("en", "ko")


@dataclass(frozen=True)
class PublishedFeature:
    """A feature as it was declared when the model was trained.

    Attributes
    ----------
    words : dict
        Language -> what a marketer would call it.
    """

    name: str
    dtype: str
    unit: str
    levels: tuple[str, ...]
    words: dict[str, str]


@dataclass(frozen=True)
class Segment:
    """One kind of customer, in words a marketer would use.

    Attributes
    ----------
    id : int
        Stays with the segment when it is found again in later training, and is never reused.
    share : float
        Of the customers clustered.
    named : bool
        Whether a person gave the name; then training keeps name and description as they are.
    """

    id: int
    name: str
    description: str
    share: float
    named: bool = False


@dataclass(frozen=True)
class PublishedSpec:
    """A model's definition and the facts of its training, without which its answers mean nothing.

    Attributes
    ----------
    name, entity, question, output, act, positive_is_good, context
        As in `models.spec.ModelSpec`.
    version : str
        The registry's number; empty before it has one.
    engine : str
        In words: "LightGBM, 120 trees", or the name of the baseline that was published instead.
    features : tuple of PublishedFeature
        In the encoder's order.
    feature_hash : str
        Of the declarations; a catalogue with another hash computes other values.
    horizon : str
        Time within which the answer comes true: "28d", "until the campaign ends".
    base_rate : float or None
        Share of "yes" in training; None for segments.
    currency : str
        ISO 4217 code of every amount.
    as_of, trained_at : int
        Microseconds UTC: what was known then, and when it was trained.
    code_version : str
        Commit or release of the code.
    statements : tuple of str
        What every report made from the source must say.
    metrics, baselines, decision : dict
        Plain values, as evaluation and gate wrote them.
    segments : tuple of Segment
        In the order of the clusters' centres.
    abstain : Abstain
        From where on it gives no answer.
    """

    name: str
    entity: str
    question: str
    output: str
    features: tuple[PublishedFeature, ...]
    feature_hash: str
    horizon: str
    base_rate: float | None
    currency: str
    as_of: int
    trained_at: int
    code_version: str
    engine: str = ""
    version: str = ""
    act: str = ""
    positive_is_good: bool = True
    context: dict[str, str] = field(default_factory=dict)
    statements: tuple[str, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    baselines: dict[str, Any] = field(default_factory=dict)
    decision: dict[str, Any] = field(default_factory=dict)
    segments: tuple[Segment, ...] = ()
    abstain: Abstain = field(default_factory=Abstain)

    @classmethod
    def of(cls, spec: ModelSpec, **facts: Any) -> PublishedSpec:
        """Return what a spec declares, with its features' words and hash, and the facts given.

        Parameters
        ----------
        spec : ModelSpec
        **facts
            The remaining attributes: horizon, base_rate, currency, as_of, trained_at,
            code_version, and any of those that have a default.
        """
        from features.catalog import feature_hash

        features = tuple(
            PublishedFeature(
                feature.name,
                feature.dtype,
                feature.unit,
                tuple(feature.levels or ()),
                {language: spec.feature_words(feature, language) for language in LANGUAGES},
            )
            for feature in spec.features
        )
        shared = (
            "name", "entity", "question", "output", "act", "positive_is_good", "context", "abstain",
        )  # fmt: skip
        declared = {name: getattr(spec, name) for name in shared}
        return cls(**declared, features=features, feature_hash=feature_hash(spec.features), **facts)

    def to_json(self) -> dict[str, Any]:
        """Return plain values from which `from_json` makes an equal one."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> PublishedSpec:
        """Return what `to_json` described; what a later version added is left out."""
        known = {f.name: plain[f.name] for f in fields(cls) if f.name in plain}
        known["features"] = tuple(
            PublishedFeature(**{**feature, "levels": tuple(feature["levels"])})
            for feature in known["features"]
        )
        known["segments"] = tuple(Segment(**segment) for segment in known.get("segments", ()))
        known["abstain"] = Abstain(**known.get("abstain", {}))
        known["statements"] = tuple(known.get("statements", ()))
        return cls(**known)
