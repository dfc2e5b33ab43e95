from __future__ import annotations

import pytest

from models.sufficiency import sufficiency

NAMES = list("abcdefgh")


@pytest.mark.parametrize(
    ("n_missing", "has_events", "status"),
    [
        (0, True, "full"),
        (2, True, "full"),
        (3, True, "partial"),
        (7, None, "partial"),
        (8, True, "none"),
        (8, None, "none"),
        (0, False, "none"),
        (0, None, "full"),
    ],
)
def test_the_status_follows_the_share_of_missing_features(
    n_missing: int, has_events: bool | None, status: str
) -> None:
    missing = [i < n_missing for i in range(8)]
    found = sufficiency(NAMES, missing, has_events)
    assert found.status == status
    assert found.missing == NAMES[:n_missing]


def test_the_reason_counts_in_both_languages() -> None:
    missing = [True] * 3 + [False] * 5
    assert sufficiency(NAMES, missing).why == "Only 5 of 8 features are known."
    assert sufficiency(NAMES, missing, language="ko").why == "특성 8개 중 5개만 알고 있습니다."
