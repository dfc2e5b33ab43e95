"""The keys of a TOML table, each asked for by its type; what nobody asks for is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from features.errors import BadInputError
from features.names import nearest

_MISSING = object()


class Keys:
    """One table of a TOML file.

    Parameters
    ----------
    file : str
        Named in errors.
    where : str
        The table's own name, such as ``"customers"``; empty for the file itself.
    content : dict

    Examples
    --------
    >>> Keys("company.toml", "customers", {"key": "lead_id"}).text("key")
    'lead_id'
    """

    def __init__(self, file: str, where: str, content: Any) -> None:
        self._file, self._where = file, where
        if not isinstance(content, dict):
            self.refuse("", content, f"Write it as a table: [{where}].")
        self._content: dict[str, Any] = content
        self._asked: list[str] = []

    def refuse(self, key: str, got: Any, remedy: str) -> NoReturn:
        """Raise what is wrong with a key."""
        found = "missing" if got is None else f"{got!r}"
        raise BadInputError(f"{self._file}: {self._name(key)} is {found}.", remedy=remedy)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not blank; required where there is no default."""
        value = self._get(key, default)
        if not isinstance(value, str) or (value != default and not value):
            self.refuse(key, value, "Give text in double quotes.")
        return value

    def one_of(self, key: str, allowed: Sequence[str], default: str) -> str:
        """Return one of some texts."""
        value = self.text(key, default)
        if value != default and value not in allowed:
            self.refuse(key, value, f"Choose one of: {', '.join(map(repr, allowed))}.")
        return value

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return a list of texts; whole numbers and truth values are written as text."""
        value = self._get(key, default)
        if value is default:
            return tuple(default)
        if not isinstance(value, list):
            self.refuse(key, value, 'Give a list of texts, such as ["", "n/a"].')
        found = []
        for each in value:
            if not isinstance(each, str | int):
                self.refuse(key, each, "Put each value in double quotes.")
            found.append(str(each).lower() if isinstance(each, bool) else str(each))
        return tuple(found)

    def text_table(self, key: str) -> dict[str, str]:
        """Return a table of texts by name; empty where there is none."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            self.refuse(key, value, "Write it as a table of names and texts.")
        for name, each in value.items():
            if not isinstance(each, str):
                self.refuse(f"{key}.{name}", each, "Give text in double quotes.")
        return dict(value)

    def number(self, key: str, default: float, low: float, high: float) -> float:
        """Return a number between two others, or the default."""
        value = self._get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse(key, value, f"Give a number from {low:g} to {high:g}.")
        if value != default and not low <= value <= high:
            self.refuse(key, value, f"Give a number from {low:g} to {high:g}.")
        return float(value)

    def table(self, key: str, default: dict[str, Any] | None = None) -> Keys:
        """Return a table; required where there is no default."""
        value = self._get(key, default)
        return Keys(self._file, self._name(key), value)

    def tables(self, key: str) -> Iterator[Keys]:
        """Yield each table of a list of them."""
        value = self._get(key, [])
        if not isinstance(value, list):
            self.refuse(key, value, f"Write each as [[{key}]].")
        for place, each in enumerate(value):
            yield Keys(self._file, f"{self._name(key)}[{place}]", each)

    def named_tables(self, key: str) -> Iterator[tuple[str, Keys]]:
        """Yield the tables of a table, with their names."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            self.refuse(key, value, f"Write each as [{key}.NAME].")
        for name, each in value.items():
            yield name, Keys(self._file, f"{key}.{name}", each)

    def other_tables(self) -> Iterator[tuple[str, Keys]]:
        """Yield the tables under names that were not asked for."""
        for name, each in self._content.items():
            if name not in self._asked and isinstance(each, dict):
                self._asked.append(name)
                yield name, Keys(self._file, self._name(name), each)

    def done(self) -> None:
        """Refuse a key that nobody asked for."""
        for key in self._content:
            if key not in self._asked:
                raise BadInputError(
                    f"{self._file}: nothing reads the key {self._name(key)!r}.",
                    remedy=nearest(key, self._asked),
                )

    def _name(self, key: str) -> str:
        return ".".join(part for part in (self._where, key) if part)

    def _get(self, key: str, default: Any) -> Any:
        self._asked.append(key)
        value = self._content.get(key, _MISSING)
        if value is _MISSING:
            if default is None:
                self.refuse(key, None, f"Add it: {key} = ...")
            return default
        # TOML reads a bare date as one; it says the same as its text.
        return value.isoformat() if hasattr(value, "isoformat") else value
