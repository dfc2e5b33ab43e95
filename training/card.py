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
class Card:
    """What a card says, in the order it says it.

    Attributes
    ----------
    title, question : str
    short : sequence of str
        The page in sentences: what it answers, whether it is good, whether it is used.
    front : sequence of Table
        Tables a marketer reads: what moves the score, or the segments.
    statements : sequence of str
        What every report made from the source must say.
    details : sequence of Table
        For those who want to know how.
    plots : sequence of (str, bytes)
        Title and PNG; only the HTML shows them.
    """

    title: str
    question: str
    short: Sequence[str]
    front: Sequence[Table]
    statements: Sequence[str]
    details: Sequence[Table]
    plots: Sequence[tuple[str, bytes]] = ()

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
        pictures = [(title, base64.b64encode(png).decode()) for title, png in self.plots]
        template = _environment(html=True).get_template("card.html.j2")
        return template.render(card=self, pictures=pictures)


def percent(share: float | None) -> str:
    """Return a share as people say it.

    Examples
    --------
    >>> percent(0.1234), percent(0.00123), percent(None)
    ('12 %', '0.12 %', 'not known')
    """
    if share is None:
        return "not known"
    digits = 0 if abs(share) >= 0.1 else 1 if abs(share) >= 0.01 else 2
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
    return environment
