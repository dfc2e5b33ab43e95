"""Why a score is what it is: the features that moved it, in words, largest effect first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np

from models.evidence_words import evidence_of
from models.published import LANGUAGES
from models.words import check_language, sentence_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from models.calibrator import Calibrator
    from models.evidence import Evidence
    from models.published import PublishedSpec

    Floats = NDArray[np.float64]


class Reason(msgspec.Struct, frozen=True):
    """One feature's part in a score.

    Attributes
    ----------
    code : str
        The feature's name: stable, for machines.
    words : str
        The sentence, for people.
    value : number, text, bool or None
        The customer's own; None is not known.
    direction : {"raises", "lowers"}
        What it does to the probability.
    effect : float
        The probability less what it would be without this feature's contribution.
    evidence : str
        How many with such a value answered yes in training, in words; empty where those are too
        few to speak of.
    """

    code: str
    words: str
    value: float | int | str | bool | None
    direction: Literal["raises", "lowers"]
    effect: float
    evidence: str = ""


def effects(contributions: Floats, margins: Floats, calibrator: Calibrator) -> Floats:
    """Return how each contribution changes the calibrated probability, float64[n, n_columns].

    Parameters
    ----------
    contributions : float64[n, n_columns + 1]
        To the raw margin; the last column, the expected margin, has no effect of its own.
    margins : float64[n]
        Raw margins of the same rows.

    Examples
    --------
    >>> from models.calibrator import Calibrator
    >>> effects(np.array([[1.0, 0.0, -1.0]]), np.zeros(1), Calibrator.identity()).round(3)
    array([[0.231, 0.   ]])
    """
    without = margins[:, None] - contributions[:, :-1]
    return calibrator.probability(margins)[:, None] - calibrator.probability(without)


class Explainer:
    """Puts one model's contributions into words; what depends on the model alone is made once.

    Parameters
    ----------
    spec : PublishedSpec
        Names, words and currency.
    evidence : Evidence, optional
        Of the same model.
    """

    def __init__(self, spec: PublishedSpec, evidence: Evidence | None = None) -> None:
        self._names = [feature.name for feature in spec.features]
        self._sentences = {
            language: [sentence_of(feature, spec.currency, language) for feature in spec.features]
            for language in LANGUAGES
        }
        self._evidence = {
            language: [evidence_of(evidence, spec, feature, language) for feature in spec.features]
            for language in LANGUAGES
        }

    def explain(
        self,
        values: Sequence[Any],
        contributions: Floats,
        effects: Floats,
        top: int,
        language: str = "en",
    ) -> list[Reason]:
        """Return the reasons of one row, at most `top`, by the size of their effect.

        Features that add nothing are no reasons. Where the calibrated curve is flat the effect
        may be 0.0; then the contribution to the margin decides order and direction.

        Parameters
        ----------
        values : sequence
            The row's raw feature values, in the order of the spec.
        contributions, effects : float64[n_columns]
        top : int
        language : {"en", "ko"}
        """
        check_language(language)
        order = np.lexsort((-np.abs(contributions), -np.abs(effects)))
        names, sentences, reasons = self._names, self._sentences[language], []
        evidence = self._evidence[language]
        for i in order[: max(top, 0)].tolist():
            added, effect = contributions.item(i), effects.item(i)
            if added == 0.0:  # its effect is 0.0 too, so all that follow add nothing
                break
            value = _plain(values[i])
            direction: Literal["raises", "lowers"] = "raises" if added > 0 else "lowers"
            words = sentences[i](value, effect, direction)
            counted = evidence[i](value)
            reasons.append(Reason(names[i], words, value, direction, effect, counted))
        return reasons

    def say_again(self, stored: Mapping[str, Any], language: str) -> dict[str, Any]:
        """Return a stored reason with its words in a language.

        One whose feature this model does not have (of an earlier version) is left as it is.

        Parameters
        ----------
        stored : mapping
            A `Reason` as plain values.
        language : {"en", "ko"}
        """
        if stored["code"] not in self._names:
            return dict(stored)
        i, value = self._names.index(stored["code"]), stored["value"]
        words = self._sentences[language][i](value, stored["effect"], stored["direction"])
        return {**stored, "words": words, "evidence": self._evidence[language][i](value)}


def _plain(value: Any) -> float | int | str | bool | None:
    """The value as JSON knows it: numpy's numbers as Python's, NaN and infinities as None."""
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    return plain  # type: ignore[no-any-return]
