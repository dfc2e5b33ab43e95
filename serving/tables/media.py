"""What a table in a request's body is called, and where one is taken."""

from __future__ import annotations

ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
TABLES = frozenset((ARROW, PARQUET))
PREFIX, SUFFIX = "/v1/scores/", "/batch"


def is_table(path: str, content_type: str) -> bool:
    """Whether a request's body is a table, sent to where tables are taken.

    Examples
    --------
    >>> is_table("/v1/scores/churn/batch", ARROW), is_table("/v1/events", ARROW)
    (True, False)
    """
    takes_tables = path.startswith(PREFIX) and path.endswith(SUFFIX)
    return takes_tables and bare(content_type) in TABLES


def bare(content_type: str) -> str:
    """Return a media type without its parameters.

    Examples
    --------
    >>> bare("Application/JSON; charset=utf-8")
    'application/json'
    """
    return content_type.partition(";")[0].strip().lower()
