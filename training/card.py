"""The model card: a page for marketers first, the details after; Markdown and HTML."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined


@dataclass(frozen=True)
class Table:
    """A table of a card; every cell is text already."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture and the words for those who do not see it.

    Attributes
    ----------
    name : str
        Of the file in the run: "gain".
    png : bytes
    alt : str
        What it shows, with its numbers.
    width : int
        In CSS pixels; on a narrower screen it shrinks.
    """

    name: str
    png: bytes
    alt: str
    width: int = 480


@dataclass(frozen=True)
class Section:
    """A titled part of a card: sentences, then pictures."""

    title: str
    sentences: Sequence[str]
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True)
class Card:
    """What a card says, in the order it says it.

    Attributes
    ----------
    title, question : str
    short : sequence of str
        The page in sentences: what it answers, whether it is good, whether it is used.
    front : sequence of Table or Section
        What a marketer reads: how often it is right and what to do, or the segments.
    statements : sequence of str
        What every report made from the source must say.
    details : sequence of Table or Section
        For those who want to know how.
    plots : sequence of Picture
        Shown before the details; only the HTML shows pictures.
    warnings : sequence of str
        What a reader must know before using it, in plain words.
    """

    title: str
    question: str
    short: Sequence[str]
    front: Sequence[Table | Section]
    statements: Sequence[str]
    details: Sequence[Table | Section]
    plots: Sequence[Picture] = ()
    warnings: Sequence[str] = ()

    @property
    def pictures(self) -> list[Picture]:
        """Every picture of the card, in the order it shows them."""
        sections = [part for part in (*self.front, *self.details) if isinstance(part, Section)]
        return [*(picture for part in sections for picture in part.pictures), *self.plots]

    def markdown(self) -> str:
        """Return the card as Markdown, without pictures.

        Examples
        --------
        >>> card = Card("churn", "Who leaves?", ["It works."], [], ["Consent assumed."], [])
        >>> print(card.markdown().splitlines()[0])
        # churn
        """
        return _environment(html=False).get_template("card.md.j2").render(card=self)

    def html(self) -> str:
        """Return the card as one HTML page with its pictures inside; it loads nothing."""
        return _environment(html=True).get_template("card.html.j2").render(card=self)


def percent(share: float | None) -> str:
    """Return a share as people say it.

    Examples
    --------
    >>> percent(0.1234), percent(0.0999), percent(0.00123), percent(None)
    ('12 %', '10 %', '0.12 %', 'not known')
    """
    if share is None:
        return "not known"
    digits = 0 if abs(share) >= 0.0995 else 1 if abs(share) >= 0.00995 else 2
    return f"{100 * share:.{digits}f} %"


def _environment(*, html: bool) -> Environment:
    # Markdown is read as text, so nothing is escaped there but what would break a table.
    environment = Environment(
        loader=PackageLoader("training", "."),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", " ")
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode()
    return environment
