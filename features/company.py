"""What a log knows of the company's own tables it was made from: attributes, answers, events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from features import manifest
from features.declare import attribute
from features.feature import Aggregate, DaysSince, Feature, walk
from features.local_time import DERIVED
from features.settings import Settings

Kind = Literal["categorical", "numeric", "datetime"]
KINDS: tuple[Kind, ...] = ("categorical", "numeric", "datetime")


@dataclass(frozen=True)
class TableAttribute:
    """A column of the customers' table as the log holds it.

    Attributes
    ----------
    name : str
        In the log, made of letters, digits and underscores.
    column : str
        In the company's table.
    kind : {"categorical", "numeric", "datetime"}
        A datetime is kept as microseconds UTC; its feature is the days since.
    rest : bool
        Whether it holds only what is no number of a column that holds both; the numbers are
        an attribute of their own.
    """

    name: str
    column: str
    kind: Kind
    rest: bool = False

    @property
    def feature(self) -> Feature:
        """What a model reads of it."""
        if self.kind == "datetime":
            return DaysSince.of(attribute(self.name, number=True))
        return attribute(self.name, number=self.kind == "numeric")

    @property
    def words(self) -> str:
        """What a marketer would call its feature, in the words of the table."""
        if self.kind == "datetime":
            return f"days since {self.column}"
        return f"{self.column} (where it is no number)" if self.rest else self.column


@dataclass(frozen=True)
class TableAnswer:
    """A label that a column of the customers' table states.

    Attributes
    ----------
    name : str
        Of the label, of its model and of the log's spine.
    column : str
    positive : tuple of str
        The values that are a yes.
    judged_at : str
        Column or date of the moment at which rows are judged; empty: when they became known.
    question, act : str
        The model's, where the file gives them.
    """

    name: str
    column: str
    positive: tuple[str, ...]
    judged_at: str = ""
    question: str = ""
    act: str = ""


@dataclass(frozen=True)
class TablePromotion:
    """What the company's file asks of promoting a model.

    Attributes
    ----------
    model : str
        Its name; empty: every model, as far as nothing else is said of one.
    segments : tuple of str
        Attributes of whose values each is watched.
    too_good : float
        The AUC above which the whole is taken for a leak; 0 leaves the model's own.
    cleared : dict of str to str
        Feature that someone has looked at -> why it does not know the answer.
    """

    model: str = ""
    segments: tuple[str, ...] = ()
    too_good: float = 0.0
    cleared: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Company:
    """A company's own tables, as declared when they were ingested.

    Attributes
    ----------
    name : str
    key : str or None
        Column of the customers' table; None where its rows are numbered.
    known_at : str
        Column that says since when a row is known, or one date for all.
    reading : dict
        How its texts are read: na_values, decimal, date_order, delimiter, encoding.
    attributes : tuple of TableAttribute
    answers : tuple of TableAnswer
    kinds : dict of str to tuple of str
        Kind of event -> the columns of the event contract and properties that it fills.
    promotions : tuple of TablePromotion
        At most one a model.
    """

    name: str
    key: str | None
    known_at: str
    reading: dict[str, Any]
    attributes: tuple[TableAttribute, ...]
    answers: tuple[TableAnswer, ...] = ()
    kinds: dict[str, tuple[str, ...]] | None = None
    promotions: tuple[TablePromotion, ...] = ()

    @cached_property
    def features(self) -> tuple[Feature, ...]:
        """What models read of the table, in its order."""
        return tuple(each.feature for each in self.attributes)

    @cached_property
    def words(self) -> dict[str, str]:
        """Words for each feature, in those of the table."""
        return {each.feature.name: each.words for each in self.attributes}

    def answer(self, name: str) -> TableAnswer | None:
        """Return the answer of a name, None if the table states none."""
        return next((each for each in self.answers if each.name == name), None)

    def promotion(self, model: str) -> TablePromotion:
        """Return what is asked of a model: of it alone, else of all; reasons of both hold."""
        found = {each.model: each for each in self.promotions}
        every, own = (found.get(name, TablePromotion()) for name in ("", model))
        return TablePromotion(
            model,
            own.segments or every.segments,
            own.too_good or every.too_good,
            every.cleared | own.cleared,
        )

    def gives(self, feature: Feature) -> bool:
        """Return whether the company's events have all that a feature folds.

        A feature of events that never come would be the same number for everyone.
        """
        if feature.reads:
            return False
        return all(self._has(leaf) for leaf in walk(feature) if isinstance(leaf, Aggregate))

    def _has(self, leaf: Aggregate) -> bool:
        filled = (self.kinds or {}).get(leaf.kind)
        if filled is None:
            return False
        read = {name for name, _ in leaf.filters} | ({leaf.column} if leaf.column else set())
        return read <= {*filled, *DERIVED}

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, from which `from_plain` makes an equal one."""
        return asdict(self) | {"kinds": {k: list(c) for k, c in (self.kinds or {}).items()}}

    @classmethod
    def found(cls, content: Mapping[str, Any]) -> Company | None:
        """Return what a log's manifest declares, None where it was made from other sources."""
        plain = content.get("company")
        return None if plain is None else cls.from_plain(plain)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Company:
        """Return what `to_plain` described; what a later version added is left out."""
        known = {f.name: plain[f.name] for f in fields(cls) if f.name in plain}
        known["attributes"] = tuple(TableAttribute(**each) for each in plain["attributes"])
        known["answers"] = tuple(
            TableAnswer(**{**each, "positive": tuple(each["positive"])})
            for each in plain["answers"]
        )
        known["promotions"] = tuple(
            TablePromotion(**{**each, "segments": tuple(each["segments"])})
            for each in plain.get("promotions", ())
        )
        known["kinds"] = {kind: tuple(columns) for kind, columns in plain["kinds"].items()}
        return cls(**known)


def company_of(home: Path) -> Company | None:
    """Return what the log of a home declares of a company's own tables, None if nothing."""
    path = manifest.log_folder(home) / manifest.NAME
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _read(home.absolute(), (found.st_mtime_ns, found.st_ino, found.st_size))


def present_company() -> Company | None:
    """Return what the log of ``NEXTBEST_HOME`` declares; read anew when the log changed."""
    return company_of(Settings.from_environment().home)


@lru_cache(maxsize=8)
def _read(home: Path, stamp: tuple[int, int, int]) -> Company | None:
    del stamp  # part of the key
    return Company.found(manifest.read(home) or {})
