"""Names that people give to segments: at once, for good, and through every retraining."""

from __future__ import annotations

import html
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from features.errors import NextbestError
from models.bundle import Bundle
from models.published import Segment
from models.registry import Registry
from models.scores import SqlScoreStore
from training.segment_memory import GivenName, note_name, remembered
from training.track import run

MOST_CHARACTERS = 80
MOST_IN_DESCRIPTION = 1_000


class SegmentNameError(NextbestError):
    """A name that cannot be given."""


@dataclass(frozen=True)
class Renamed:
    """What giving a name did."""

    version: str
    before: Segment
    after: Segment
    rows: int


def rename(
    model: str,
    registry: Registry,
    segment: int,
    name: str,
    description: str = "",
    *,
    store: SqlScoreStore | None = None,
    wall: Callable[[], int] = time.time_ns,
) -> Renamed:
    """Give one of the champion's segments a person's name, served from the next load on.

    A new version with the same clusters becomes the champion, and stored scores carry the name.
    The name is also written beside all versions, where the next training finds it.

    Parameters
    ----------
    segment : int
        Its id.
    name : str
    description : str
        In place of what training says of it; empty to leave that to training.
    store : SqlScoreStore, optional
        Whose rows of this segment are to carry the name.

    Raises
    ------
    SegmentNameError
        There is no such segment, or the name is empty, too long, or another segment's.
    NoChampionError
        Nothing serves yet.
    """
    name, description = " ".join(name.split()), " ".join(description.split())
    registry.champion(model)  # says what to do where there is none
    bundle = remembered(model, registry).bundle
    if bundle is None or not bundle.spec.segments:
        raise SegmentNameError(
            f"{model!r} has no segments that can be named.",
            remedy="Train and promote segments: python -m training segments --promote",
        )
    before = _checked(bundle, segment, name, description)
    after = replace(before, name=name, description=description or before.description, named=True)
    words = f"Segment {segment}, {before.name!r} until now, is called {name!r}."
    decision = {
        **bundle.spec.decision,
        "reason": f"{words} The clusters are those of version {bundle.spec.version}.",
        "renamed_from": bundle.spec.version,
    }
    segments = tuple(after if each.id == segment else each for each in bundle.spec.segments)
    renamed = replace(
        bundle,
        spec=replace(
            bundle.spec, version="", segments=segments, decision=decision,
            trained_at=wall() // 1_000,
        ),
        card_markdown=_noted(bundle.card_markdown, words, "\n", f"\n{words}\n"),
        card_html=_noted(bundle.card_html, words, "</h1>", f"\n<p>{html.escape(words)}</p>"),
    )  # fmt: skip
    with run(registry, model, {"model": model}) as written, tempfile.TemporaryDirectory() as folder:
        written.files({"decision.json": decision, "card.md": renamed.card_markdown})
        saved = renamed.save(Path(folder) / "bundle")
        version = registry.publish(model, saved, written.run_id, description=decision["reason"])
    note_name(model, registry, segment, GivenName(name, description))
    registry.promote(model, version)
    rows = 0 if store is None else store.rename_segment(model, before.name, name, version)
    return Renamed(version, before, after, rows)


def _checked(bundle: Bundle, segment: int, name: str, description: str) -> Segment:
    segments = {each.id: each for each in bundle.spec.segments}
    if segment not in segments:
        raise SegmentNameError(
            f"There is no segment {segment}.",
            remedy="Choose one of: "
            + "; ".join(f"{each.id} ({each.name})" for each in segments.values()),
        )
    if not 0 < len(name) <= MOST_CHARACTERS or len(description) > MOST_IN_DESCRIPTION:
        raise SegmentNameError(
            f"A name of {len(name)} characters with a description of {len(description)}.",
            remedy=f"Give a name of 1 to {MOST_CHARACTERS} characters, and a description of at "
            f"most {MOST_IN_DESCRIPTION}.",
        )
    taken = [each.id for each in segments.values() if each.name == name and each.id != segment]
    if taken:
        raise SegmentNameError(
            f"Segment {taken[0]} is called {name!r} already.", remedy="Choose another name."
        )
    return segments[segment]


def _noted(card: str, words: str, after: str, note: str) -> str:
    head, found, rest = card.partition(after)
    return f"{head}{found}{note}{rest}" if found else f"{card}\n{words}\n"
