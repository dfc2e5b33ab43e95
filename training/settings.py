"""Where training runs; what it trains and how is code and command line."""

from __future__ import annotations

from pydantic import Field

from features.settings import Settings


class TrainingSettings(Settings):
    """Settings of the training jobs, from ``NEXTBEST_*``.

    Attributes
    ----------
    threads : int
        ``NEXTBEST_THREADS``: threads of one fit. The models are the same with any number.
    tracking_uri : str
        ``MLFLOW_TRACKING_URI``: the registry; by default SQLite in the home.

    Examples
    --------
    >>> TrainingSettings(threads=1).threads
    1
    """

    threads: int = Field(default=2, ge=1, le=256)
    tracking_uri: str = Field(default="", validation_alias="MLFLOW_TRACKING_URI")
