"""Which models have a shadow, and the challengers that are loaded for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from serving.champions.champions import Champions, Change
from serving.errors import CannotServeError

if TYPE_CHECKING:
    from pathlib import Path

    from models.spec import ModelSpec
    from serving.champions.champions import Load

ALL = "all"
ALIAS = "challenger"


def shadowed(shadows: str, models: Collection[str]) -> tuple[str, ...]:
    """Return the models whose challenger is scored, as ``NEXTBEST_SHADOWS`` names them.

    Raises
    ------
    CannotServeError
        One of them is no model of the catalogue.

    Examples
    --------
    >>> shadowed("ctr, churn", ["churn", "ctr"]), shadowed("all", ["churn"])
    (('ctr', 'churn'), ('churn',))
    """
    if shadows.strip() == ALL:
        return tuple(models)
    names = tuple(name.strip() for name in shadows.split(",") if name.strip())
    unknown = [name for name in names if name not in models]
    if unknown:
        raise CannotServeError(
            f"NEXTBEST_SHADOWS names {', '.join(unknown)}, which the catalogue does not have.",
            remedy=f"Name some of {', '.join(models)}, separated by commas, or {ALL!r}.",
        )
    return names


class Challengers(Champions):
    """The challenger of each model that has a shadow: verified as a champion is.

    Parameters
    ----------
    specs : mapping of str to ModelSpec
        Of these models.
    cache : Path
    load : callable
    """

    def __init__(
        self, specs: Mapping[str, ModelSpec], cache: Path, load: Load | None = None
    ) -> None:
        super().__init__(specs, cache, load, ALIAS)

    def holds(self, model: str, other_than: str) -> bool:
        """Whether a model has a challenger that is not the version given; of any thread."""
        challenger = self._current.get(model)
        return challenger is not None and challenger.version != other_than

    def _refresh(self, model: str, spec: ModelSpec) -> Change | None:
        if self.announced(model) is None:  # it was promoted, or withdrawn
            self._current.pop(model, None)
            self._refused.pop(model, None)
        change = super()._refresh(model, spec)
        self._previous.pop(model, None)  # nobody goes back to a challenger
        return change
