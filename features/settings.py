"""Where Nextbest runs: read once from the environment, then passed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from features.errors import BadInputError


class Settings(BaseSettings):
    """Settings that every part shares, from ``NEXTBEST_*``.

    Attributes
    ----------
    home : Path
        ``NEXTBEST_HOME``: the folder that holds all state.
    clock : {"auto", "wall", "data"}
        ``NEXTBEST_CLOCK``: where "now" comes from, see `features.clock.now`.
    database_url : str
        ``NEXTBEST_DATABASE_URL``: where scores are kept and what is received is written; by
        default in SQLite files under `home`.
    catalog : str
        ``NEXTBEST_CATALOG``: a Python module of a company's own `FEATURES` and `MODELS`.
    online_store : str
        ``NEXTBEST_ONLINE_STORE``: ``"embedded"``, under `home`, or ``redis://host:port/db``.
    threads : int
        ``NEXTBEST_THREADS``: blocks folded, and threads of one fit, at the same time; by default
        one a processor. What comes out is the same with any number.
    memory_gib : float
        ``NEXTBEST_MEMORY_GIB``: what the blocks in work may take together; fewer threads are used
        where they would take more.

    Examples
    --------
    >>> Settings(home="elsewhere").home.name
    'elsewhere'
    """

    model_config = SettingsConfigDict(env_prefix="NEXTBEST_", frozen=True)

    home: Path = Path(".nextbest")
    clock: Literal["auto", "wall", "data"] = "auto"
    database_url: str = ""
    catalog: str = ""
    online_store: str = "embedded"
    threads: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    memory_gib: float = Field(default=2.0, gt=0)

    @property
    def memory(self) -> int:
        """`memory_gib` in bytes."""
        return int(self.memory_gib * 2**30)

    @classmethod
    def from_environment(cls) -> Self:
        """Return the settings of the environment.

        Raises
        ------
        BadInputError
            A variable has a value that its setting cannot take.
        """
        try:
            return cls()
        except ValidationError as error:
            wrong = error.errors()[0]
            name = f"NEXTBEST_{'_'.join(str(part) for part in wrong['loc'])}".upper()
            raise BadInputError(
                f"{name} is {wrong['input']!r}: {wrong['msg']}.",
                remedy="Set it to another value, or leave it unset.",
            ) from error
