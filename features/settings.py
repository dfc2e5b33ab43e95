"""Where Nextbest runs: read once from the environment, then passed."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings that every part shares, from ``NEXTBEST_*``.

    Attributes
    ----------
    home : Path
        ``NEXTBEST_HOME``: the folder that holds all state.
    clock : {"auto", "wall", "data"}
        ``NEXTBEST_CLOCK``: where "now" comes from, see `features.clock.now`.

    Examples
    --------
    >>> Settings(home="elsewhere").home.name
    'elsewhere'
    """

    model_config = SettingsConfigDict(env_prefix="NEXTBEST_", frozen=True)

    home: Path = Path(".nextbest")
    clock: Literal["auto", "wall", "data"] = "auto"
