"""What is true of a model before it is trained: its question, rows, answer and promises."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from features.errors import NextbestError
from models.abstention import Abstain
from models.answer import Answer
from models.finding import Leaks
from models.promotion import Gate

if TYPE_CHECKING:
    from features.feature import Condition, Feature

ENTITIES = ("customer", "lead", "impression", "opportunity")
OUTPUTS = ("probability", "segment")
CONTEXT_TYPES = ("text", "number")


class SpecError(NextbestError):
    """A model declared in a way that cannot be trained or served."""


class Estimator(Protocol):
    """Anything with scikit-learn's `fit`; what else it offers is its trainer's business."""

    def fit(self, X: Any, y: Any = None) -> Any:
        """Return itself, fitted to X and y."""
        ...


class MakeEstimator(Protocol):
    """Makes an unfitted estimator; nothing is imported or computed before it is called."""

    def __call__(self, random_state: int, num_threads: int = 1) -> Estimator:
        """Return an unfitted estimator that gives the same answer for the same random_state."""
        ...


@dataclass(frozen=True)
class Baseline:
    """What a model must beat to be worth having.

    Parameters
    ----------
    name : str
        Its name in reports: "constant rate", "days since the last order", "logistic regression".
    kind : {"constant", "rule", "best_column", "logistic", "naive_bayes"}
        The same probability for all; a logistic curve over one feature; the one column that does
        best in training; logistic regression over all; or what a CRM counts from its leads.
    feature : Feature, optional
        One of the model's own: the rule's, or for naive Bayes the one that names the team.
    """

    name: str
    kind: Literal["constant", "rule", "best_column", "logistic", "naive_bayes"]
    feature: Feature | None = None


BASELINES = (
    Baseline("constant rate", "constant"),
    Baseline("best single column", "best_column"),
    Baseline("logistic regression", "logistic"),
    Baseline("naive Bayes", "naive_bayes"),
)
"""What every model with an answer is shown beside; its own rule comes on top."""


@dataclass(frozen=True)
class Minimum:
    """The least data from which a model may be trained; below it training stops and says so."""

    rows: int
    positives: int = 0


PROBABILITY_METRICS = (
    "log_loss",
    "auc",
    "average_precision",
    "brier",
    "calibration_slope",
    "calibration_intercept",
    "lift_at_10",
)


@dataclass(frozen=True)
class ModelSpec:
    """One model's definition; the command line, the routes and the README's table follow from it.

    Parameters
    ----------
    name : str
        An identifier: "churn". Also the name in the registry and the route.
    entity : {"customer", "lead", "impression", "opportunity"}
        What one row is.
    question : str
        What the model answers, in one sentence.
    output : {"probability", "segment"}
        What comes back.
    features : tuple of Feature
        The columns, in the order the encoder sees them.
    estimator : callable
        (random_state, num_threads) -> unfitted estimator.
    population : Condition, optional
        Which rows are judged; None is every row of the spine.
    label : Condition or Answer, optional
        What answers "yes": events that follow, or what a company's table states. None for
        segments, which have no label.
    context : dict of str to {"text", "number"}
        What a caller must send beside the customer.
    spine, score_spine : str, optional
        Names of the log's rows to train on and to score; customers have a grid of dates instead.
    step, history, slice, backtests
        Step of the grid of training dates, events before the first, width of an evaluation slice
        and number of earlier slices evaluated by rolling origin.
    most_rows : int
        Of how many rows at most training takes account; with more, some are drawn. 0 takes all.
    leaks : Leaks
        From where on a column is taken for a leak.
    clusters : tuple of int
        Numbers of clusters to choose from; only for segments.
    act : str
        The "yes" as a verb phrase in the third person: "redeems a coupon of the campaign".
    did : str
        The same in the past, of several: "redeemed a coupon".
    did_ko : str
        The same in Korean: "쿠폰을 사용함".
    positive_is_good : bool
        False where "yes" is what one wants to prevent.
    value_note : str
        What `value` means when customers are ranked by this model's expected net value.
    words : dict
        Language -> feature name -> words that replace the feature's own.
    monotone : dict
        Feature name -> 1 where a higher value never lowers the probability, -1 where it never
        raises it; for numbers and ordinals.

    abstain : Abstain
        From where on the model gives no answer.

    Raises
    ------
    SpecError
        Naming the field, what it holds and what it may hold.
    """

    name: str
    entity: str
    question: str
    output: str
    features: tuple[Feature, ...]
    estimator: MakeEstimator
    population: Condition | None = None
    label: Condition | Answer | None = None
    context: dict[str, str] = field(default_factory=dict)
    spine: str | None = None
    score_spine: str | None = None
    step: str = "7d"
    history: str = "90d"
    slice: str = "28d"
    backtests: int = 4
    baselines: tuple[Baseline, ...] = ()
    metrics: tuple[str, ...] = PROBABILITY_METRICS
    gate: Gate = field(default_factory=Gate)
    leaks: Leaks = field(default_factory=Leaks)
    most_rows: int = 1_000_000
    minimum: Minimum = Minimum(rows=1_000, positives=100)
    clusters: tuple[int, ...] = ()
    act: str = ""
    did: str = ""
    did_ko: str = ""
    positive_is_good: bool = True
    value_note: str = ""
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    monotone: dict[str, int] = field(default_factory=dict)
    abstain: Abstain = field(default_factory=Abstain)

    def __post_init__(self) -> None:
        self._among("entity", self.entity, ENTITIES)
        self._among("output", self.output, OUTPUTS)
        for name, kind in self.context.items():
            self._among(f"context[{name!r}]", kind, CONTEXT_TYPES)
        if not self.name.isidentifier():
            self._refuse("has no usable name", "Use letters, digits and underscores.")
        if (self.label is None) != (self.output == "segment"):
            self._refuse(
                f"has output {self.output!r} and {'no' if self.label is None else 'a'} label",
                "A probability needs a label; a segment has none.",
            )
        if bool(self.clusters) != (self.output == "segment"):
            self._refuse("has the wrong `clusters`", "Give numbers of clusters to segments only.")
        if isinstance(self.label, Answer):
            if self.spine != self.label.name:
                self._refuse(
                    f"has the answer {self.label.name!r} and the spine {self.spine!r}",
                    "An answer's rows are the spine of its name.",
                )
        elif (self.spine is None) != (self.entity == "customer"):
            self._refuse(
                f"is about a {self.entity} and has spine {self.spine!r}",
                "Customers have a grid of dates; every other entity names a spine of the log.",
            )
        if self.label is not None and not self.label.forward:
            self._refuse(f"has a label that does not look ahead: {self.label.name}", "Give next=.")
        if self.population is not None and self.population.forward:
            self._refuse(
                f"has a population that looks ahead: {self.population.name}", "Give last=."
            )
        if not 0 < self.abstain.share <= 1 or not self.abstain.far > 0:
            self._refuse(f"has {self.abstain}", "Give a share above 0 to 1, and far above 0.")
        self._check_features()

    def _check_features(self) -> None:
        names = self.feature_names
        if not names or len(set(names)) != len(names):
            self._refuse(f"has features {names}", "List at least one, and each only once.")
        missing = sorted(self.needs - set(self.context))
        if missing:
            self._refuse(
                f"has features or conditions that need the context {missing}",
                "Add them to `context`, or drop what needs them.",
            )
        ahead = [feature.name for feature in self.features if feature.forward]
        if ahead:
            self._refuse(f"has features that look ahead: {ahead}", "Only a label may.")
        ordered = {f.name for f in self.features if f.dtype != "category"}
        for name, sign in self.monotone.items():
            if name not in ordered or sign not in (1, -1):
                self._refuse(
                    f"has the monotone feature {name!r}: {sign!r}",
                    "Name one of its features that are numbers or ordinals, with 1 or -1.",
                )
        for baseline in self.baselines:
            known = baseline.feature is not None and baseline.feature.name in names
            may_do_without = baseline.kind == "naive_bayes" and baseline.feature is None
            if known != (baseline.kind in ("rule", "naive_bayes")) and not may_do_without:
                self._refuse(
                    f"has a baseline {baseline.name!r} with an unfitting feature",
                    "A rule names one of the model's own features, naive Bayes may name that of "
                    "the team; other baselines name none.",
                )

    def _among(self, what: str, got: str, allowed: tuple[str, ...]) -> None:
        if got not in allowed:
            self._refuse(f"has {what} {got!r}", f"Choose one of: {', '.join(allowed)}.")

    def _refuse(self, what: str, remedy: str) -> None:
        raise SpecError(f"The model {self.name!r} {what}.", remedy=remedy)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features in the encoder's order."""
        return tuple(feature.name for feature in self.features)

    @property
    def needs(self) -> frozenset[str]:
        """Names of the context values that features, population and label read."""
        conditions = [c for c in (self.population, self.label) if c is not None]
        return frozenset[str]().union(*(read.needs for read in (*self.features, *conditions)))

    def feature_words(self, feature: Feature, language: str) -> str:
        """Words for a feature in "en" or "ko": this model's own, else the feature's."""
        own = self.words.get(language, {}).get(feature.name)
        return feature.words(language) if own is None else own
