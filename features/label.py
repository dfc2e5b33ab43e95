"""When a label may be believed: once its window has passed and late records had their time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.campaigns import with_campaign
from features.errors import DeclarationError
from features.feature import Condition
from features.spine import Spine


def matures_at(
    label: Condition, spine: Spine, campaigns: Mapping[str, Mapping[str, Any]]
) -> NDArray[np.int64]:
    """Return for each row the instant at which its label is final, microseconds UTC.

    Until then the row has no label: it is absent, never 0.

    Raises
    ------
    DeclarationError
        The condition looks backward, so it is no label.

    Examples
    --------
    >>> from features.declare import events
    >>> from features.spine import grid
    >>> churned = events("order").none(next="28d")
    >>> int(matures_at(churned, grid(["a"], [0]), {})[0]) // 86_400_000_000
    28
    """
    window = label.count.window
    if not window.forward:
        raise DeclarationError(
            f"{label.name} looks backward.", remedy="A label takes next= or until=."
        )
    spine = with_campaign(spine, campaigns, label.reads)
    return window.matures(spine.as_of, spine.context)
