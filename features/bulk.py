"""A whole log at once, from columns of numbers: for simulated companies and benchmarks.

What comes here is believed: it is coded already, each event comes once, and nothing is checked.
A company's own events go through `features.ingest`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features import bucket, contract, hashing, id_index, keys, manifest, part
from features.customers import FIRST_SEEN
from features.dictionary import Dictionary
from features.errors import BadInputError
from features.fill import fill
from features.kernel import NULL
from features.keys import Keys
from features.log import EventLog
from features.part import Chunk, People
from features.progress import Report, silent
from features.source import Source
from features.writing import Writing, keep_index

_NUMBER, _EVENT = "_customer", "_event"


def customer_ids(numbers: NDArray[np.int64]) -> Any:
    """Return the customer ids of numbers below a billion, as an Arrow array.

    Examples
    --------
    >>> customer_ids(np.array([7, 123])).to_pylist()
    ['c000000007', 'c000000123']
    """
    return _texts(b"c", numbers, 9)


def event_ids(numbers: NDArray[np.int64]) -> Any:
    """Return the event ids of numbers below 10^12, as an Arrow array.

    Examples
    --------
    >>> event_ids(np.array([7])).to_pylist()
    ['e000000000007']
    """
    return _texts(b"e", numbers, 12)


def _texts(first: bytes, numbers: NDArray[np.int64], digits: int) -> Any:
    # All of one length, so that the order of the numbers is the order of the texts.
    content = np.empty((len(numbers), digits + 1), dtype=np.uint8)
    content[:, 0] = first[0]
    rest = numbers.astype(np.uint64)
    for place in range(digits, 0, -1):
        rest, last = np.divmod(rest, np.uint64(10))
        content[:, place] = last + np.uint64(ord("0"))
    starts = np.arange(len(numbers) + 1, dtype=np.int32) * np.int32(digits + 1)
    return pa.StringArray.from_buffers(len(numbers), pa.py_buffer(starts), pa.py_buffer(content))


class BulkWriter:
    """Writes a log that did not exist, from events in any order.

    Parameters
    ----------
    home : Path
        Holds no log yet.
    source : Source
    properties : dict of str to {"text", "integer"}
    dictionaries : dict of str to Dictionary
        Of every column of codes whose codes are not all -1.

    Examples
    --------
    >>> import tempfile
    >>> from features.source import Source
    >>> shop = Source("shop", "EUR", "UTC", "assumed", 2, frozen_at=None)
    >>> with tempfile.TemporaryDirectory() as home:
    ...     with BulkWriter(Path(home), shop, {}, {"kind": Dictionary(["order"])}) as writer:
    ...         times = {"occurred_at": np.array([5, 3]), "recorded_at": np.array([5, 4])}
    ...         writer.add(np.array([1, 1]), times | {"kind": np.zeros(2, dtype=np.int32)})
    ...         log = writer.finish()
    ...     log.history("c000000001")["event_id"].to_pylist()
    ['e000000000001', 'e000000000000']
    """

    def __init__(
        self,
        home: Path,
        source: Source,
        properties: Mapping[str, str],
        dictionaries: Mapping[str, Dictionary],
        *,
        block_rows: int = part.BLOCK_ROWS,
        report: Report = silent,
    ) -> None:
        self._home, self._source, self._report = home, source, report
        self._properties = dict(sorted(properties.items()))
        coded = contract.text_columns(self._properties)
        self._dictionaries = {name: dictionaries.get(name, Dictionary()) for name in coded}
        self._schema = bucket.schema((*contract.EVENT_COLUMNS, *self._properties), coded)
        self._missing = keys.missing_values(self._schema)
        self._write = Writing(home, self._schema, self._dictionaries["kind"], block_rows)
        self._block_rows = block_rows
        self._rows = 0
        self._digest = [0, 0]
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._open.enter_context(manifest.writing(self._home))
        with self._open.pop_all() as held:
            if manifest.read(self._home) is not None:
                raise BadInputError(
                    f"There is a log in {self._home} already.",
                    remedy="Choose an empty home (NEXTBEST_HOME).",
                )
            self._folder = manifest.log_folder(self._home) / ".incoming"
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir()
            held.callback(shutil.rmtree, self._folder)
            numbers = [pa.field(_NUMBER, pa.int64()), pa.field(_EVENT, pa.int64())]
            narrow = pa.schema([*numbers, *(self._schema.field(name) for name in self._missing)])
            self._writers = [
                pa.ipc.new_file(str(self._folder / f"{number}.arrow"), narrow)
                for number in range(bucket.N_BUCKETS)
            ]
            self._narrow = narrow
            self._open = held.pop_all()
        return self

    def __exit__(self, *raised: object) -> None:
        self._open.close()

    def add(self, customers: NDArray[np.int64], columns: Mapping[str, NDArray[Any]]) -> None:
        """Take some events.

        Parameters
        ----------
        customers : ndarray of int64, shape (n,)
            Numbers, see `customer_ids`.
        columns : dict of str to ndarray of int64 or int32, each of shape (n,)
            `occurred_at`, `recorded_at`, `kind` and others, coded; -1 is a missing code and
            `NULL` a missing number. A column that is left out is all missing. The n-th event
            ever added has the id ``event_ids([n])``.
        """
        who, of = np.unique(customers, return_inverse=True)
        buckets = bucket.buckets_of(customer_ids(who))[of]
        order = np.argsort(buckets.astype(np.uint8), kind="stable")
        ends = np.searchsorted(buckets[order], np.arange(bucket.N_BUCKETS + 1))
        arrays = [pa.array(customers[order]), pa.array(self._rows + order)]
        for name, missing in self._missing.items():
            field = self._schema.field(name)
            values = columns.get(name)
            if values is None:
                values = np.full(len(customers), missing)
            values = values[order].astype(field.type.to_pandas_dtype(), copy=False)
            arrays.append(pa.array(values, mask=values == NULL if field.nullable else None))
        table = pa.Table.from_arrays(arrays, schema=self._narrow)
        for writer, (first, end) in zip(self._writers, pairwise(ends.tolist()), strict=True):
            writer.write_table(table.slice(first, end - first))
        self._rows += len(customers)
        self._report("taking events", self._rows, None)

    def finish(self, customers: pa.Table | None = None) -> EventLog:
        """Write the log and return it.

        Campaigns and spines, and later events, are added by an ordinary ingest.

        Parameters
        ----------
        customers : pyarrow.Table, optional
            `customer_id`, `known_at` (microseconds UTC) and attributes (text or float64), at most
            one row a customer and moment.
        """
        for writer in self._writers:
            writer.close()
        states = FIRST_SEEN.empty_table() if customers is None else customers
        content = {
            "format": manifest.FORMAT,
            "sequence": 1,
            "exported": None,
            "origin": None,
            "source": json.loads(json.dumps(asdict(self._source))),
            "properties": self._properties,
            "buckets": self._buckets(),
            "index": self._index(),
            "events": {"rows": self._rows, "digest": self._digest},
            "dictionaries": {
                name: manifest.keep(self._home, f"dictionary-{name}", ".json", levels.save)
                for name, levels in self._dictionaries.items()
            },
            "customers": self._keep(
                "customers", states.sort_by([(name, "ascending") for name in FIRST_SEEN.names])
            ),
            "campaigns": self._keep("campaigns", contract.CAMPAIGNS.empty_table()),
            "spines": {},
        }
        manifest.publish(self._home, content, lambda step: None)
        manifest.collect_garbage(self._home, None, content)
        return EventLog.open(self._home)

    def _buckets(self) -> list[list[manifest.Entry]]:
        found = []
        ids, contents = ((self._folder / name).open("wb") for name in Keys._fields)
        with ids, contents:
            for number in range(bucket.N_BUCKETS):
                path = self._folder / f"{number}.arrow"
                with pa.memory_map(str(path)) as stream:
                    rows = pa.ipc.open_file(stream).read_all()
                chunks = self._blocks(rows, ids, contents)
                found.append([self._write.piece(number, chunks)] if rows.num_rows else [])
                del rows, chunks
                path.unlink()
                self._report("sorting customers", number + 1, bucket.N_BUCKETS)
        return found

    def _blocks(self, rows: pa.Table, ids: Any, contents: Any) -> Iterator[Chunk]:
        """Yield a bucket's events block by block, and write down their keys."""
        who, when = rows[_NUMBER].to_numpy(), rows["occurred_at"].to_numpy()
        order = np.lexsort((rows[_EVENT].to_numpy(), when, who))
        numbers, counts = np.unique(who, return_counts=True)
        ends = np.concatenate([[0], np.cumsum(counts)])
        columns = {name: rows[name].combine_chunks() for name in (_EVENT, *self._missing)}
        for first, end in part.cuts(counts, self._block_rows):
            chosen = pa.array(order[ends[first] : ends[end]])
            held = {name: column.take(chosen) for name, column in columns.items()}
            held["event_id"] = event_ids(held.pop(_EVENT).to_numpy())
            events = pa.table({name: held[name] for name in self._schema.names}, self._schema)
            starts = ends[first:end] - ends[first]
            known_at = np.minimum.reduceat(events["recorded_at"].to_numpy(), starts)
            people = People(customer_ids(numbers[first:end]), counts[first:end], known_at)
            found = self._keys(people, events)
            ids.write(found.ids.tobytes())
            contents.write(found.contents.tobytes())
            self._digest = keys.digest_sum(self._digest, keys.digest(found))
            yield Chunk(people, events)

    def _keys(self, people: People, events: pa.Table) -> Keys:
        columns = {}
        for name in self._missing:
            columns[name] = np.empty(events.num_rows, dtype=np.int64)
            fill(columns[name], events[name])
        who = np.repeat(hashing.texts(people.ids), people.counts)
        return keys.keys(hashing.texts(events["event_id"]), who, columns, self._missing)

    def _index(self) -> list[manifest.Entry]:
        if not self._rows:
            return []
        parts = map(self._written, id_index.ranges(self._rows))
        return [keep_index(self._home, self._rows, parts)]

    def _written(self, bounds: tuple[int, int]) -> Keys:
        # Mapped anew for each range, so that what is mapped does not pile up in memory.
        written = Keys(*(np.memmap(self._folder / n, np.uint64, "r") for n in Keys._fields))
        return written.take(id_index.within(written.ids, bounds))

    def _keep(self, name: str, table: pa.Table) -> manifest.Entry:
        write = partial(pq.write_table, table, compression="zstd")
        return manifest.keep(self._home, name, ".parquet", write) | {"rows": table.num_rows}
