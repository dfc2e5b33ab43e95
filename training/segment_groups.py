"""Which side of a customer a column speaks of, and how much it counts among the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.feature import Attribute, Feature, walk

Floats = NDArray[np.float64]

MOST_OF_ONE = 0.25
"""The share of the whole that one column may have: a side with one column alone would otherwise
count as much as thirty columns of behaviour, and the segments would be that column."""

_WORDS = {
    "demographic": "age birth birthday birthyear gender sex income salary education degree marital "
    "married marriage partner dependent household family kid kids child children occupation job "
    "profession employment employer senior citizen home house housing nationality ethnicity "
    "industry employee company 나이 연령 성별 소득 직업 학력 결혼 가구 자녀",
    "geographic": "zip zipcode postal postcode city town country region state province county "
    "district area address location latitude longitude lat lon timezone territory urban rural "
    "지역 도시 주소 우편번호 거주지 시도",
    "psychographic": "interest interests hobby hobbies lifestyle attitude opinion preference "
    "preferences personality motivation persona belief beliefs taste values affinity "
    "관심 관심사 취미 취향 선호 성향",
}
_SIDE_OF = {word: side for side, words in _WORDS.items() for word in words.split()}


def side_of(feature: Feature, words: str = "") -> str:
    """Return demographic, geographic, psychographic or behavioural.

    What is folded from events is behaviour; an attribute is told by the words of its name, or of
    the table's own name for it, and counts as behaviour where none of them is known.

    Examples
    --------
    >>> from features.declare import attribute, events
    >>> side_of(events("order").count(last="90d")), side_of(attribute("home_city"))
    ('behavioural', 'geographic')
    >>> side_of(attribute("seniorcitizen"), "SeniorCitizen"), side_of(attribute("contract"))
    ('demographic', 'behavioural')
    """
    if not any(isinstance(part, Attribute) for part in walk(feature)):
        return "behavioural"
    text = f"{feature.name} {words}"
    parts = [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|[가-힣]+", text)]
    sides = [_SIDE_OF.get(part, _SIDE_OF.get(part.removesuffix("s"))) for part in parts]
    found = [side for side in sides if side is not None]
    # "home_city" speaks of a place: the noun stands last.
    return found[-1] if found else "behavioural"


def weights_of(sides: Sequence[str]) -> Floats:
    """Return how much of the variance each column has, float64[n], 1.0 on average.

    Every side counts the same, whatever its number of columns; within a side every column does.
    No column has more than `MOST_OF_ONE` of the whole, or its even share of it.

    Source
    ------
    Escofier & Pagès (1994), Multiple factor analysis, Computational Statistics & Data Analysis 18:
    groups of variables balanced by weight, so that none decides because it is large.

    Examples
    --------
    >>> weights_of(["behavioural"] * 3).tolist()
    [1.0, 1.0, 1.0]
    >>> weights_of(["behavioural"] * 6 + ["demographic"] * 2).round(2).tolist()
    [0.67, 0.67, 0.67, 0.67, 0.67, 0.67, 2.0, 2.0]
    >>> weights_of(["behavioural"] * 9 + ["geographic"]).round(2).tolist()[-1]
    2.5
    """
    columns = Counter(sides)
    shares = np.array([1.0 / (len(columns) * columns[side]) for side in sides])
    most = max(MOST_OF_ONE, 1.0 / len(shares))
    capped = np.zeros(len(shares), dtype=bool)
    while (shares > most * (1 + 1e-9)).any():
        capped |= shares >= most
        shares[capped] = most
        shares[~capped] *= (1.0 - most * capped.sum()) / shares[~capped].sum()
    return np.asarray(shares * len(shares))
