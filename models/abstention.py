"""When a model has nothing to say: the rule, which a bundle carries, and what an answer says of it.

A model learned from some values; of others it gives a number that means nothing. Such values are
counted, feature by feature: one that is missing although (almost) no row of training lacked it,
and a number far beyond those of training. A text that training never saw is missing to a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, inf, isnan
from operator import gt, lt
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from models.encoder import TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from models.encoder import Encoder
    from models.reference import Reference

    Floats = NDArray[np.float64]

NEVER = 0.001
"""A feature that at most this share of the rows lacked was never missing in training."""

LARGEST = 2.0**63
"""No whole number of a log or a request is larger."""

NOTHING_KNOWN, OUTSIDE_TRAINING = "nothing_known", "outside_training"

_WHY = {
    "en": {
        NOTHING_KNOWN: "None of {n} features is known: the number says nothing of this customer.",
        OUTSIDE_TRAINING: "{outside} of {n} features are outside what the model was trained on: "
        "the number means nothing.",
    },
    "ko": {
        NOTHING_KNOWN: "특성 {n}개 중 알려진 것이 없어 이 고객에 대한 점수가 아닙니다.",
        OUTSIDE_TRAINING: "특성 {n}개 중 {outside}개가 학습 범위를 벗어나 의미가 없는 점수입니다.",
    },
}


@dataclass(frozen=True)
class Abstain:
    """From where on a model abstains.

    Parameters
    ----------
    share : float
        Of its features, above 0 to 1: with as many outside training it abstains.
    far : float
        A number is outside if it lies further from the middle 98 % of training's numbers than
        this many times their width.

    Examples
    --------
    >>> Abstain().share
    0.5
    """

    share: float = 0.5
    far: float = 10.0


class Abstention(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whether an answer is one.

    Attributes
    ----------
    status : {"answered", "abstained"}
        "abstained": the numbers beside it are not to be acted on, and lists leave the row out.
    why : str
        For people; empty if it is answered, as is all that follows.
    rule : str
        "nothing_known" or "outside_training".
    features : list of str
        Those that are outside what the model was trained on.
    """

    status: Literal["answered", "abstained"]
    why: str = ""
    rule: str = ""
    features: list[str] = []


ANSWERED = Abstention("answered")


class Judge:
    """Tells for which encoded rows a model abstains.

    Parameters
    ----------
    encoder : Encoder
    reference : Reference
        Of the rows that the model was published with.
    abstain : Abstain
    """

    def __init__(self, encoder: Encoder, reference: Reference, abstain: Abstain) -> None:
        held = [reference.features[name] for name in encoder.names]
        # Where no training row had a value, a source knows none of anybody: see Scorer.
        self._asked = np.array([each.shares[-1] < 1.0 for each in held])
        self._never = np.array([each.shares[-1] <= NEVER for each in held])
        ends = [
            _ends(column.dtype, each.quantiles, abstain.far)
            for each, column in zip(held, encoder.columns, strict=True)
        ]
        self._low, self._high = [low for low, _ in ends], [high for _, high in ends]
        self._names = encoder.names
        self._n = int(self._asked.sum())
        self._least = max(1, int(np.ceil(abstain.share * self._n)))
        self._texts = sum(column.dtype in TEXTS for column in encoder.columns)

    def of(self, numbers: Sequence[float], missing: int, language: str = "en") -> Abstention:
        """Return whether the model abstains from one row.

        Parameters
        ----------
        numbers : sequence of float
            The row encoded.
        missing : int
            How many features the row lacks, as `models.sufficiency.missing_of` counts them.
        language : {"en", "ko"}
        """
        # Most rows are told at once: nothing is too far, and not enough is missing.
        if (
            missing + self._texts < self._least
            and not any(map(gt, numbers, self._high))
            and not any(map(lt, numbers, self._low))
        ):
            return ANSWERED
        rule = self.rules(np.array([numbers], dtype=np.float64))[0]
        if not rule:
            return ANSWERED
        names = [
            name
            for name, number, never, low, high in zip(
                self._names, numbers, self._never, self._low, self._high, strict=True
            )
            if (never if isnan(number) else not low <= number <= high)
        ]
        why = _WHY[language][rule].format(n=self._n, outside=len(names))
        return Abstention("abstained", why, rule, names)

    def rules(self, X: Floats) -> list[str]:
        """Return the rule by which the model abstains from each encoded row; "" if it answers."""
        gone = np.isnan(X)
        outside = np.where(gone, self._never, (self._low > X) | (self._high < X))
        rules = np.where(outside.sum(axis=1) >= self._least, OUTSIDE_TRAINING, "")
        rules = np.where((gone | ~self._asked).all(axis=1), NOTHING_KNOWN, rules)
        found: list[str] = rules.tolist()
        return found


def _ends(dtype: str, quantiles: Sequence[float], far: float) -> tuple[float, float]:
    """Return the least and the largest number inside; all are, where training knew but one."""
    width = quantiles[-1] - quantiles[0] if quantiles and dtype not in TEXTS else 0.0
    low, high = (quantiles[0] - far * width, quantiles[-1] + far * width) if width else (-inf, inf)
    # Whole numbers are compared with whole ones, which takes a fifth of the time.
    whole = dtype in ("int", "instant")
    return (_whole(ceil, low), _whole(floor, high)) if whole else (low, high)


def _whole(rounded: Callable[[float], int], end: float) -> int:
    return rounded(max(-LARGEST, min(end, LARGEST)))
