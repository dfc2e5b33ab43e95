"""What several processes count is told by each of them, also of those that ended."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from serving.front.page import CHUNK, ENDED, Page, ended, path_of, read, retire

COUNTS_AND_DIES = """
import os, signal, sys
from pathlib import Path
from serving.front.page import Page, path_of
page = Page(path_of(Path(sys.argv[1]), 1, os.getpid()))
for number in range(5):
    page.slots(("requests", "200"), 1)[0] += 1
page.slots(("loaded",), 1, adds=False)[0] = 7
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_pages_add_up_whatever_was_counted_where(tmp_path: Path) -> None:
    draw = random.Random(5)
    pages = [Page(path_of(tmp_path, place, 100 + place)) for place in range(3)]
    expected: Counter[tuple[str, ...]] = Counter()
    for _ in range(3_000):  # keys of many lengths, more than a chunk holds
        key = ("metric", draw.choice("abc") * draw.randrange(200), f"é{draw.randrange(4)}")
        draw.choice(pages).slots(key, 2)[1] += 2
        expected[key] += 2
    assert (tmp_path / "0-100.page").stat().st_size > CHUNK
    for page in pages:
        assert page.everywhere().adding == {key: [0.0, n] for key, n in expected.items()}


def test_a_page_without_a_file_says_the_same(tmp_path: Path) -> None:
    both = Page(), Page(path_of(tmp_path, 0, 1))
    for page in both:
        page.slots(("a", "b"), 3)[2] = 0.5
        page.slots(("state",), 1, adds=False)[0] = 9
    alone, shared = (page.everywhere() for page in both)
    assert alone.adding == shared.adding == {("a", "b"): [0.0, 0.0, 0.5]}
    assert alone.living == shared.living == [{("state",): [9.0]}]
    assert (alone.processes, shared.processes) == ({}, {"0-1": os.getpid()})


def test_counts_of_a_killed_process_stay_and_its_states_do_not(tmp_path: Path) -> None:
    page = Page(path_of(tmp_path, 0, os.getpid()))
    page.slots(("requests", "200"), 1)[0] += 2
    died = subprocess.Popen([sys.executable, "-c", COUNTS_AND_DIES, str(tmp_path)])
    assert died.wait() == -signal.SIGKILL
    found = page.everywhere()
    assert found.adding == {("requests", "200"): [7.0]}
    assert {("loaded",): [7.0]} in found.living
    for times in (1, 2):  # a second time there is no page any more
        retire(path_of(tmp_path, 1, died.pid), {("restarts",): [1.0]})
        found = page.everywhere()
        assert found.adding == {("requests", "200"): [7.0], ("restarts",): [times]}
        assert found.living == [{}]
    assert sorted(path.name for path in tmp_path.glob("*.page")) == [f"0-{os.getpid()}.page"]


def test_nothing_is_missed_or_counted_twice_while_a_page_is_retired(tmp_path: Path) -> None:
    page = Page(path_of(tmp_path, 0, 1))
    others = [Page(path_of(tmp_path, place, 2)) for place in range(1, 40)]
    for other in others:
        other.slots(("n",), 1)[0] = 1
    seen: set[float] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            seen.add(page.everywhere().adding[("n",)][0])

    looking = threading.Thread(target=look)
    looking.start()
    for other in others:
        assert other.path is not None
        retire(other.path, {})
    done.set()
    looking.join()
    assert seen == {39.0}
    assert ended(tmp_path) == {("n",): [39.0]}


def test_a_record_that_is_being_written_is_not_read(tmp_path: Path) -> None:
    path = path_of(tmp_path, 0, 1)
    Page(path).slots(("whole",), 1)[0] = 1
    content = bytearray(path.read_bytes())
    end = content.index(b"whole") + 40
    content[end : end + 5] = b"begun"  # its head, which says how long it is, is still zero
    path.write_bytes(content)
    assert read(path)[0] == {("whole",): [1.0]}


def test_a_page_is_nobodys_but_the_process_that_made_it(tmp_path: Path) -> None:
    Page(path_of(tmp_path, 0, 1))
    with pytest.raises(FileExistsError):
        Page(path_of(tmp_path, 0, 1))
    assert not (tmp_path / ENDED).exists()
