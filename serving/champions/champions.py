"""The models being served: one immutable bundle each, swapped by one reference.

A worker looks at what the poller announced (`serving.champions.cache`), loads and verifies the
bundle beside the running one and only then swaps. A request takes the reference once and keeps it,
so a swap can fail no request. A bundle that cannot be verified is refused: the running one stays,
and the refusal is shown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from features.errors import NextbestError
from serving.champions.cache import CHAMPION, MICROS, announced
from serving.errors import NoChampionError

if TYPE_CHECKING:
    from models.bundle import Bundle
    from models.score import Scorer
    from models.spec import ModelSpec


log = structlog.get_logger("nextbest.serving")


@dataclass(frozen=True)
class Champion:
    """One version of one model, loaded and verified; nothing of it ever changes."""

    spec: ModelSpec
    version: str
    bundle: Bundle
    scorer: Scorer
    loaded_at: int
    """Microseconds UTC."""


@dataclass(frozen=True)
class Refusal:
    """A version that was to be served and is not."""

    version: str
    reason: str
    refused_at: int


@dataclass(frozen=True)
class Change:
    """What a refresh did to one model."""

    model: str
    version: str
    reason: str | None = None
    """Why the version was refused; None if it is being served."""


Load = Callable[["ModelSpec", str, Path], Champion]


class Champions:
    """The champion of each model of a catalogue.

    Parameters
    ----------
    specs : mapping of str to ModelSpec
    cache : Path
        Where the poller writes.
    load : callable
        (spec, version, folder) -> Champion; raises when the bundle cannot be verified.
    alias : str
        The registry's name of the versions.
    """

    def __init__(
        self,
        specs: Mapping[str, ModelSpec],
        cache: Path,
        load: Load | None = None,
        alias: str = CHAMPION,
    ) -> None:
        self._alias = alias
        self.specs = dict(specs)
        self._cache = cache
        self._load = load or load_champion
        self._current: dict[str, Champion] = {}
        self._previous: dict[str, Champion] = {}
        self._refused: dict[str, Refusal] = {}
        self._refreshing = threading.Lock()

    def get(self, model: str) -> Champion:
        """Return the champion of a model.

        Raises
        ------
        UnknownModelError
            The catalogue has no such model.
        NoChampionError
            No version of it is being served.
        """
        champion = self._current.get(model)
        if champion is None:
            self.spec(model)
            raise NoChampionError.of(model)
        return champion

    def spec(self, model: str) -> ModelSpec:
        """Return the definition of a model, or raise `UnknownModelError`."""
        from models.catalog import UnknownModelError

        if model not in self.specs:
            raise UnknownModelError(
                f"{model!r} is no model.", remedy=f"Choose one of: {', '.join(self.specs)}."
            )
        return self.specs[model]

    def announced(self, model: str) -> str | None:
        """Return the version that the poller announced."""
        return announced(self._cache, model, self._alias)

    def current(self) -> dict[str, Champion]:
        """Return the champions there are, by model."""
        return dict(self._current)

    def previous(self, model: str) -> Champion | None:
        """Return the version served before the current one, kept for a swap back."""
        return self._previous.get(model)

    def refusal(self, model: str) -> Refusal | None:
        """Return the version that should be served and could not be verified, if there is one."""
        return self._refused.get(model)

    def refresh(self) -> list[Change]:
        """Load and swap what the poller announced since the last time."""
        with self._refreshing:
            changes = [self._refresh(name, spec) for name, spec in self.specs.items()]
        return [change for change in changes if change is not None]

    def _refresh(self, model: str, spec: ModelSpec) -> Change | None:
        version = self.announced(model)
        running = self._current.get(model)
        refused = self._refused.get(model)
        if version is None or (refused is not None and refused.version == version):
            return None
        if running is not None and running.version == version:
            self._refused.pop(model, None)  # the registry went back to what is being served
            return None
        previous = self._previous.get(model)
        try:
            if previous is not None and previous.version == version:
                champion = previous
            else:
                champion = self._load(spec, version, self._cache / model / version)
        except (NextbestError, OSError, ValueError, KeyError) as error:
            reason = str(error) if isinstance(error, NextbestError) else type(error).__name__
            self._refused[model] = Refusal(version, reason, _now())
            return Change(model, version, reason)
        if running is not None:
            self._previous[model] = running
        self._current[model] = champion
        self._refused.pop(model, None)
        return Change(model, version)


def load_champion(
    spec: ModelSpec,
    version: str,
    folder: Path,
    quicken: Callable[[Bundle], Bundle] | None = None,
) -> Champion:
    """Return a bundle's champion, verified by its hashes and golden rows.

    Parameters
    ----------
    spec : ModelSpec
    version : str
    folder : Path
    quicken : callable, optional
        Returns the bundle with another engine (`models.quick_trees`). One that raises is refused
        with a warning, and the bundle's own answers.

    Raises
    ------
    BundleError
        A file was changed, a golden row gives another answer, or the features are not those of
        the catalogue.
    """
    from features.catalog import feature_hash
    from models.bundle import Bundle
    from models.score import Scorer

    bundle = Bundle.load(folder, version)
    bundle.verify(feature_hash(spec.features))
    if quicken is not None:
        try:
            bundle = quicken(bundle)
        except NextbestError as error:
            log.warning("engine refused", model=spec.name, version=version, reason=str(error))
    scorer = Scorer(bundle)
    # The first reasons make tables of the trees, which no request should wait for.
    scorer.score(bundle.golden.rows[0], bundle.spec.as_of, explain=1)
    return Champion(spec, version, bundle, scorer, _now())


def _now() -> int:
    return int(time.time() * MICROS)
