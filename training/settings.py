"""Where training runs; what it trains and how is code and command line."""

from __future__ import annotations

from pydantic import Field

from features.settings import Settings


class TrainingSettings(Settings):
    """Settings of the training jobs, from ``NEXTBEST_*``.

    Attributes
    ----------
    tracking_uri : str
        ``MLFLOW_TRACKING_URI``: the registry; by default SQLite in the home.

    Examples
    --------
    >>> TrainingSettings(threads=1).threads
    1
    """

    tracking_uri: str = Field(default="", validation_alias="MLFLOW_TRACKING_URI")
