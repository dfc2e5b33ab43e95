"""What a model answers, as named columns with the datatypes of the Open Inference Protocol."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from features.names import one_of, shown
from models.contract import Score, SegmentScore
from serving.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.champions.champions import Champion


class Output(NamedTuple):
    """A column of answers.

    Attributes
    ----------
    name, datatype : str
    of : callable
        `Score` or `SegmentScore` -> its value.
    """

    name: str
    datatype: str
    of: Callable[[Any], Any]


OF_BOTH = (
    Output("abstains", "BOOL", lambda score: score.abstention.status == "abstained"),
    Output("score_id", "BYTES", attrgetter("score_id")),
)
# What a client that reads only one output should get stands first.
PROBABILITY = (
    Output("probability", "FP64", attrgetter("probability")),
    Output("score", "FP64", attrgetter("score")),
    Output("margin", "FP64", attrgetter("margin")),
    Output("percentile", "FP64", attrgetter("percentile")),
    Output("grade", "BYTES", attrgetter("grade")),
    *OF_BOTH,
)
INTERVAL = (
    Output("low", "FP64", attrgetter("interval.low")),
    Output("high", "FP64", attrgetter("interval.high")),
)
SEGMENT = (
    Output("segment", "INT64", attrgetter("segment.id")),
    Output("segment_name", "BYTES", attrgetter("segment.name")),
    Output("fit", "FP64", attrgetter("fit")),
    Output("distance", "FP64", attrgetter("distance")),
    *OF_BOTH,
)


def outputs_of(champion: Champion) -> dict[str, Output]:
    """Return what a version answers, by name; ``low`` and ``high`` where it has intervals."""
    outputs: tuple[Output, ...]
    if champion.spec.output == "segment":
        outputs = SEGMENT
    elif champion.bundle.intervals is None:
        outputs = PROBABILITY
    else:
        outputs = PROBABILITY + INTERVAL
    return {output.name: output for output in outputs}


def chosen(champion: Champion, names: Iterable[str]) -> list[Output]:
    """Return the outputs of these names, in their order.

    Raises
    ------
    RequestError
        The version has no such output, or one is asked for twice.
    """
    known = outputs_of(champion)
    names = list(names)
    if len(names) > len(set(names)):
        raise RequestError("An output is asked for twice.", remedy="Ask for each once.")
    unknown = [name for name in names if name not in known]
    if unknown:
        raise RequestError(
            "This version has no output of a name asked for.",
            remedy=one_of(list(known)),
            fields=[(f"outputs.{shown(name)}", "is no output") for name in unknown[:20]],
        )
    return [known[name] for name in names]


def prediction(score: Score | SegmentScore) -> float | int:
    """Return the one value that MLflow's pyfunc of the model returns."""
    return score.segment.id if isinstance(score, SegmentScore) else score.probability
