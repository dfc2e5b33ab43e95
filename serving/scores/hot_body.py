"""The body of a score request as one model reads it: decoded once, into the model's own types.

The types are narrower than what `serving.schema` and `serving.scores.inputs` accept, never wider:
what does not fit is not refused here but read again by the route, whose answer counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from serving.schema import MOST_REASONS
from serving.scores.inputs import LONGEST_TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from features.feature import Feature

LARGEST = 2**62
"""Numbers beyond it are left to the route, which knows the exact bound."""

CustomerId = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Explain = Annotated[int, msgspec.Meta(ge=0, le=MOST_REASONS)]
Whole = Annotated[int, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
Real = Annotated[float, msgspec.Meta(ge=-float(LARGEST), le=float(LARGEST))]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_TEXT)]


class HotBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a request said; `features` is a struct with a field for each feature, in order.

    It has what `serving.scores.inputs.known_of` reads of a row.
    """

    customer_id: CustomerId | None = None
    features: Any = None
    context: dict[str, Any] = {}
    explain: Explain = 0
    language: Literal["en", "ko"] = "en"
    attributes: None = None
    events: None = None


def decoder_of(features: Sequence[Feature]) -> msgspec.json.Decoder[HotBody]:
    """Return what decodes requests for a model of these features.

    Examples
    --------
    >>> from models.catalog import spec
    >>> features = spec("churn").features
    >>> body = decoder_of(features).decode(b'{"features": {"%s": 3}}' % features[0].name.encode())
    >>> msgspec.structs.astuple(body.features)[:2]
    (3, None)
    """
    # Fields are numbered, for a name need not be an identifier.
    fields = [(f"f{at}", _type_of(feature) | None, None) for at, feature in enumerate(features)]
    names = {f"f{at}": feature.name for at, feature in enumerate(features)}
    values = msgspec.defstruct("Values", fields, rename=names, forbid_unknown_fields=True)
    body = msgspec.defstruct(
        "Body", [("features", values | None, None)], bases=(HotBody,), forbid_unknown_fields=True
    )
    return msgspec.json.Decoder(body)


def _type_of(feature: Feature) -> Any:
    if feature.levels and feature.dtype in ("ordinal", "category"):
        return Literal[feature.levels]
    # A whole number stays whole where any number is taken: reasons repeat it as it was sent.
    kinds: dict[str, Any] = {
        "int": Whole,
        "instant": Whole,
        "float": Whole | Real,
        "bool": bool,
    }
    return kinds.get(feature.dtype, Text)
