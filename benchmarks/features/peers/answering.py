"""One peer in a process of its own: asked in lines of JSON, it answers how long each task took.

python answering.py in_polars
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any


def main() -> None:
    peer: Any = None
    for line in sys.stdin:
        asked = json.loads(line)
        if peer is None:
            # Some libraries read how many threads to use when they are imported.
            os.environ["POLARS_MAX_THREADS"] = str(asked["question"]["threads"])
            peer = importlib.import_module(sys.argv[1])
            peer.setup(asked["question"])
        started, used = time.perf_counter(), time.process_time()
        table = getattr(peer, asked["task"])(asked["question"])
        took = {"seconds": time.perf_counter() - started, "processor": time.process_time() - used}
        if asked["keep"]:
            _write(table, asked["keep"])
        del table
        print(json.dumps(took), flush=True)


def _write(table: Any, path: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = table if isinstance(table, pa.Table) else pa.Table.from_pandas(table)
    pq.write_table(arrow, path)


if __name__ == "__main__":
    main()
