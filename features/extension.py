"""A company's own features and models: from a package that ``NEXTBEST_CATALOG`` names."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar

from features.errors import NextbestError
from features.settings import Settings


class CatalogError(NextbestError):
    """A package of own features and models that cannot be used as it is."""


class Named(Protocol):
    """A declaration."""

    @property
    def name(self) -> str:
        """What nothing else of its kind is called."""
        ...


T = TypeVar("T", bound=Named)


class Extended(Generic[T]):
    """What is declared here, then what a company's package declares; asked for on first use.

    Importing a catalogue reads no environment: the package is looked for when somebody loops over
    the catalogue or asks for a name. While the package itself is being imported, it sees what is
    declared here.

    Parameters
    ----------
    declared : iterable
        The declarations of this code base.
    listed : str
        What the package calls its own: ``"FEATURES"``.
    kind : type
        What each of them must be.
    check : callable, optional
        Told the name of the package and each of its declarations; raises what is wrong with it.
    package : callable
        Returns the package's name; empty where there is none.
    """

    def __init__(
        self,
        declared: Iterable[T],
        listed: str,
        kind: type[T],
        check: Callable[[str, T], None] = lambda package, own: None,
        package: Callable[[], str] = lambda: Settings.from_environment().catalog,
    ) -> None:
        self._declared = {each.name: each for each in declared}
        self._listed, self._kind, self._check, self._package = listed, kind, check, package
        self._all: dict[str, T] | None = None
        self._loading = False
        self._lock = threading.RLock()

    def by_name(self) -> Mapping[str, T]:
        """Return everything by name: first what is declared here.

        Raises
        ------
        CatalogError
            The package is not there, or lists something unfit.
        """
        with self._lock:
            if self._loading:  # the package, which this thread is importing, asks
                return self._declared
            if self._all is None:
                self._loading = True
                try:
                    self._all = self._declared | self._own()
                finally:
                    self._loading = False
            return self._all

    def own(self) -> tuple[T, ...]:
        """Return only what the company's package declares; see `by_name`."""
        found = self.by_name()
        return tuple(each for name, each in found.items() if name not in self._declared)

    def _own(self) -> dict[str, T]:
        name = self._package()
        if not name:
            return {}
        given: Any = getattr(_imported(name), self._listed, ())
        held = list(given) if isinstance(given, tuple | list) else [given]
        unfit = [type(each).__name__ for each in held if not isinstance(each, self._kind)]
        if unfit or held == [given]:
            raise CatalogError(
                f"{name}.{self._listed} holds {(unfit or ['no tuple'])[0]}.",
                remedy=f"Make it a tuple of {self._kind.__name__}, or leave it out.",
            )
        own: dict[str, T] = {}
        for each in held:
            if each.name in self._declared or each.name in own:
                raise CatalogError(
                    f"{name}.{self._listed} has {each.name!r}, which there is already.",
                    remedy="Leave it out, or give what differs another name.",
                )
            self._check(name, each)
            own[each.name] = each
        return own


def _imported(name: str) -> ModuleType:
    try:
        found = find_spec(name)
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise CatalogError(
            f"NEXTBEST_CATALOG names {name!r}, which Python does not find.",
            remedy="Install the package into this environment, or put its folder on PYTHONPATH.",
        )
    return importlib.import_module(name)
