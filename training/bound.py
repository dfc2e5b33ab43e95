"""At most so many rows to learn from, drawn without regard to their answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.clock import parse_duration
from features.hashing import mixed, texts
from features.label import matures_at
from features.log import EventLog
from features.spine import Spine, grid
from models.answer import Answer
from models.spec import ModelSpec
from training.dataset import customer_ids, grid_moments, order_of, training_spine
from training.holdout import SHARE

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Sample:
    """How many rows were drawn, before those outside the population are left out.

    Attributes
    ----------
    rows, of : int
        Drawn, and there were.
    latest, of_latest : int
        The same of the latest slice, by which a model is judged.
    """

    rows: int
    of: int
    latest: int
    of_latest: int

    @property
    def whole(self) -> bool:
        """Whether nothing was left out."""
        return self.rows == self.of

    def words(self) -> str:
        """Return it in a sentence.

        Examples
        --------
        >>> print(Sample(100, 880, 40, 40).words())
        100 of 880 rows were drawn, whatever their answer, and of the latest slice 40 of 40.
        >>> print(Sample(880, 880, 40, 40).words())
        all 880
        """
        if self.whole:
            return f"all {self.of:,}"
        return (
            f"{self.rows:,} of {self.of:,} rows were drawn, whatever their answer, and of the "
            f"latest slice {self.latest:,} of {self.of_latest:,}."
        )

    def plain(self) -> dict[str, int]:
        """Return it for a report."""
        return asdict(self)


class Drawn(NamedTuple):
    """Rows to learn from, when each matured, and of how many they were drawn."""

    spine: Spine
    mature: Integers
    sample: Sample


def bounded_spine(
    spec: ModelSpec, log: EventLog, now: int, most_rows: int = 0, random_state: int = 0
) -> Drawn:
    """Return mature rows as `training_spine` does, but about `most_rows` of them at most.

    Which rows are drawn depends on a hash of who and when, never on what happened: rates stay
    what they were at each moment. The latest slice, by which a model is judged, is kept whole as
    long as it takes no more than half of the bound; other moments share the rest evenly, each
    with customers of its own. A grid of all customers at all moments is never held.

    Parameters
    ----------
    most_rows : int
        0 takes all. Each moment of a grid keeps at least one row.
    random_state : int
        Another one draws others.

    Raises
    ------
    DatasetError
        Nothing had matured at `now`.
    """
    if spec.label is None or isinstance(spec.label, Answer) or spec.spine is not None:
        return _of_rows(spec, log, now, most_rows, random_state)
    customers, moments = customer_ids(log), grid_moments(spec, spec.label, log, now)
    late = _latest(moments, spec)
    of, of_latest = len(customers) * len(moments), len(customers) * int(late.sum())
    if most_rows <= 0 or of <= most_rows:
        return Drawn(*training_spine(spec, log, now), Sample(of, of, of_latest, of_latest))
    room = _room(of, of_latest, most_rows)
    each = {
        True: max(1, room[0] // int(late.sum())),
        False: max(1, room[1] // max(1, int((~late).sum()))),
    }
    who = texts(pa.array(customers, pa.string()))
    parts = []
    for moment, is_late in zip(moments.tolist(), late.tolist(), strict=True):
        when = mixed(np.array([moment], np.int64).view(np.uint64) ^ _seed(random_state))
        chosen = _smallest(mixed(who ^ when), each[is_late])
        parts.append(grid(customers[chosen], [moment]))
    spine = _joined(parts)
    kept = int(np.isin(spine.as_of, moments[late]).sum())
    sample = Sample(len(spine), of, kept, of_latest)
    return Drawn(spine, matures_at(spec.label, spine, log.campaigns), sample)


def _of_rows(spec: ModelSpec, log: EventLog, now: int, most_rows: int, random_state: int) -> Drawn:
    """Draw among rows that the log holds one by one."""
    spine, mature = training_spine(spec, log, now)
    late = np.ones(len(spine), dtype=bool)
    if spec.label is not None and (order := order_of(spec, spine)) != "none":
        late = _latest(spine.as_of, spec)
        if order == "decided_at":
            late = mature >= np.quantile(mature, 1 - SHARE, method="lower")
    of, of_latest = len(spine), int(late.sum())
    if most_rows <= 0 or of <= most_rows:
        return Drawn(spine, mature, Sample(of, of, of_latest, of_latest))
    keys = mixed(texts(pa.array(spine.row_id, pa.string())) ^ _seed(random_state))
    parts = []
    for places, room in zip(
        (np.flatnonzero(late), np.flatnonzero(~late)),
        _room(of, of_latest, most_rows),
        strict=True,
    ):
        parts.append(places[_smallest(keys[places], room)])
    drawn = np.sort(np.concatenate(parts))
    sample = Sample(len(drawn), of, len(parts[0]), of_latest)
    return Drawn(spine.take(drawn), mature[drawn], sample)


def _latest(moments: Integers, spec: ModelSpec) -> NDArray[np.bool_]:
    """Which moments lie in the latest slice."""
    last = moments.max()
    found: NDArray[np.bool_] = (moments > last - parse_duration(spec.slice)) | (moments == last)
    return found


def _room(of: int, of_latest: int, most_rows: int) -> tuple[int, int]:
    """Return how many rows of the latest slice and of the others there is room for."""
    latest = min(of_latest, max(most_rows // 2, most_rows - (of - of_latest)))
    return latest, most_rows - latest


def _smallest(keys: NDArray[np.uint64], most: int) -> Integers:
    """Return the places of the smallest keys, in the order of their places."""
    if most >= len(keys):
        return np.arange(len(keys))
    return np.sort(np.argpartition(keys, most)[:most])


def _seed(random_state: int) -> NDArray[np.uint64]:
    return mixed(np.array([random_state % 2**64], np.uint64))


def _joined(parts: list[Spine]) -> Spine:
    ids, customers, moments = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("row_id", "customer_id", "as_of")
    )
    return Spine("customer", ids, customers, moments)
