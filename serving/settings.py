"""What the environment says about where and how the service runs, read once."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from features.settings import Settings


class ServingSettings(Settings):
    """Settings of the API and of its registry poller; every field is ``NEXTBEST_<NAME>``.

    Attributes
    ----------
    host, port
        Where to listen. Only loopback hosts are accepted while there are no API keys, see
        `serving.access.command`.
    workers : int
        Processes that answer, see `serving.workers`. Limits of requests at once hold for each.
    allowed_hosts : tuple of str
        Names a request may carry in its Host header; anything else is refused, which keeps a web
        page from reaching a loopback service through a name of its own.
    max_body_bytes : int
        Larger request bodies are refused, whether announced or streamed.
    max_table_bytes : int
        The same of bodies that are Arrow or Parquet, which are read as they arrive.
    max_at_once : int
        Requests above this number get 503 with ``Retry-After``, except for health and metrics.
    max_seconds : float
        A request that takes longer gets 503; a table in a body may take as long between two parts.
    database_seconds, store_seconds : float
        How long PostgreSQL, and Redis as the online store, may keep silent within one question
        before whoever asked is told to come back.
    poll_seconds, watch_seconds : float
        How often the child asks the registry, and how often the worker looks for a new champion
        or a rebuilt online store. Together they bound the time from alias to answer.
    first_poll_seconds : float
        How long a start waits for the registry's first answer before it uses what it has; not at
        all where the cache has champions and nobody answers at the registry's address.
    log_served : float
        The share of scores that are logged with their values, for ``python -m serving replay`` to
        score and ``python -m features consistency`` to compute again: 1 logs all, 0 none.
    log_drops : bool or None
        When the database is slower than the scores, whether they are served without being logged
        (and counted), or refused with 503 until there is room. Unless set, a sample may have gaps
        and a log of all scores may not.
    log_days : float
        How long logged scores are kept.
    shadows : str
        Models whose challenger scores what the champion answers, unseen: names separated by
        commas, or "all".
    keys_seconds : float
        How often the keys are read again: a key that is made or revoked counts after it.
    rate_limit : str
        Of each key that has no rate of its own, such as ``"100/second"``; empty is no limit.
    rate_store : str
        Where calls are counted: ``"memory"``, each process for itself, or ``redis://host:port/db``.
    tree_engine : {"lightgbm", "lignum"}
        What answers single rows: LightGBM's own library, or pylignum where it gives the bits of
        all golden rows, see `models.quick_trees`.
    tracking_uri : str
        ``MLFLOW_TRACKING_URI``: the registry; by default SQLite in the home.

    Examples
    --------
    >>> ServingSettings(port=0).host
    '127.0.0.1'
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "::1")
    max_body_bytes: int = Field(default=16 * 2**20, gt=0)
    max_table_bytes: int = Field(default=2**30, gt=0)
    max_at_once: int = Field(default=256, gt=0)
    max_seconds: float = Field(default=30.0, gt=0)
    database_seconds: float = Field(default=3.0, gt=0)
    store_seconds: float = Field(default=1.0, gt=0)
    poll_seconds: float = Field(default=1.0, gt=0)
    watch_seconds: float = Field(default=0.5, gt=0)
    first_poll_seconds: float = Field(default=30.0, gt=0)
    log_served: float = Field(default=0.01, ge=0, le=1)
    log_drops: bool | None = None
    log_days: float = Field(default=30.0, gt=0)
    shadows: str = ""
    keys_seconds: float = Field(default=2.0, gt=0)
    rate_limit: str = ""
    rate_store: str = "memory"
    tree_engine: Literal["lightgbm", "lignum"] = "lightgbm"
    tracking_uri: str = Field(default="", validation_alias="MLFLOW_TRACKING_URI")

    @property
    def may_drop(self) -> bool:
        """Whether a score may be served that could not be logged."""
        return self.log_served < 1.0 if self.log_drops is None else self.log_drops

    @property
    def cache(self) -> Path:
        """Folder of downloaded bundles, written by the poller and read by the worker."""
        return self.home / "cache"
