"""What bodies the protocols take beside JSON, and where."""

from __future__ import annotations

OCTETS = "application/octet-stream"
CSV = "text/csv"
INFERENCE, INFER = "/v2/models/", "/infer"
INVOCATIONS = "/invocations"


def is_taken(path: str, bare_type: str) -> bool:
    """Whether a path of the protocols takes bodies of a media type.

    Triton's client names none. A web page may send such a body anywhere without being asked; here
    that changes nothing, and the page cannot read the answer.

    Examples
    --------
    >>> is_taken("/v2/models/churn/infer", OCTETS), is_taken("/invocations", CSV)
    (True, True)
    >>> is_taken("/v1/events", CSV)
    False
    """
    if bare_type == CSV:
        return path == INVOCATIONS
    return bare_type in (OCTETS, "") and path.startswith(INFERENCE) and path.endswith(INFER)
