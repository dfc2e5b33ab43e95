"""The file of the embedded store: shared, grown when full, and refused after a crash."""

from __future__ import annotations

import resource
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from features.boot import CLEAN, Mark, boot_id
from features.errors import StoreError
from features.lmdb_file import LmdbFile

SMALL = 1 << 17


def put(file, number, size=1_000):
    file.write(lambda txn: txn.put(b"k%d" % number, bytes([number % 251]) * size))


def elsewhere(folder, script):
    """Run a few lines in another process, with the file open there as `file`."""
    begin = f"""
        import sys
        from pathlib import Path
        from features.lmdb_file import LmdbFile
        file = LmdbFile.at(Path({str(folder)!r}), {SMALL})
    """
    lines = textwrap.dedent(begin) + textwrap.dedent(script)
    return subprocess.Popen(
        [sys.executable, "-c", lines], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_process_opens_a_file_once(tmp_path):
    file = LmdbFile.create(tmp_path / "g")
    assert LmdbFile.at(tmp_path / "g") is file
    assert LmdbFile.at(tmp_path / "." / "g") is file


def test_a_full_map_grows_and_nothing_is_lost(tmp_path):
    file = LmdbFile.create(tmp_path / "g", SMALL)
    for number in range(500):
        put(file, number)
    assert file.env.info()["map_size"] > SMALL
    with file.reading() as txn:
        assert all(txn.get(b"k%d" % n) == bytes([n % 251]) * 1_000 for n in range(500))


def test_a_file_grows_while_threads_read_it(tmp_path):
    file = LmdbFile.create(tmp_path / "g", SMALL)
    put(file, 0)
    wrong, reads, stop = [], [0], threading.Event()

    def read():
        while not stop.is_set():
            with file.reading() as txn:
                value = txn.get(b"k0")
                if bytes(value) != bytes(1_000):
                    wrong.append(value)
                reads[0] += 1
            # A loop that never rests would leave the writer no turn.
            time.sleep(0.0005)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 100):
        put(file, number, size=10_000)
    stop.set()
    for thread in threads:
        thread.join()
    assert file.env.info()["map_size"] >= 8 * SMALL
    assert not wrong
    assert reads[0] > 0


def test_a_file_that_another_process_has_grown_is_read_and_written_on(tmp_path):
    file = LmdbFile.create(tmp_path / "g", SMALL)
    put(file, 0)
    other = elsewhere(
        tmp_path / "g",
        """
        for n in range(1, 500):
            file.write(lambda txn: txn.put(b"k%d" % n, bytes([n % 251]) * 1000))
        """,
    )
    other.communicate()
    assert other.returncode == 0
    with file.reading() as txn:
        assert txn.get(b"k499") == bytes([499 % 251]) * 1_000
    put(file, 500)
    with file.reading() as txn:
        assert txn.stat()["entries"] == 501


def test_a_killed_process_leaves_what_it_wrote_and_no_lock(tmp_path):
    file = LmdbFile.create(tmp_path / "g")
    other = elsewhere(
        tmp_path / "g",
        """
        file.write(lambda txn: txn.put(b"done", b"1"))
        def half(txn):
            txn.put(b"half", b"1")
            print("writing", flush=True)
            sys.stdin.read()
        file.write(half)
        """,
    )
    assert other.stdout.readline() == "writing\n"
    other.kill()
    other.communicate()
    put(file, 7)
    with file.reading() as txn:
        assert (txn.get(b"done"), txn.get(b"half")) == (b"1", None)


def test_a_write_that_fails_leaves_nothing(tmp_path):
    file = LmdbFile.create(tmp_path / "g")

    def fail(txn):
        txn.put(b"half", b"1")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        file.write(fail)
    with file.reading() as txn:
        assert txn.get(b"half") is None


def test_readers_may_nest(tmp_path):
    file = LmdbFile.create(tmp_path / "g")
    put(file, 1)
    with file.reading() as outer:
        with file.reading() as inner:
            assert inner.get(b"k1") == outer.get(b"k1")
        assert outer.get(b"k1") is not None


def test_a_disk_that_takes_no_more_is_an_error_with_a_remedy(tmp_path):
    other = elsewhere(
        LmdbFile.create(tmp_path / "g").folder,
        f"""
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, ({SMALL}, resource.RLIM_INFINITY))
        from features.errors import StoreError
        try:
            file.write(lambda txn: txn.put(b"big", bytes({4 * SMALL})))
        except StoreError as error:
            print(error)
        """,
    )
    assert "cannot be written" in other.communicate()[0]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != SMALL


def test_after_a_crash_of_the_system_a_file_is_refused(tmp_path):
    file = LmdbFile.create(tmp_path / "g")
    put(file, 1)
    mark = Mark(tmp_path / "g" / "mark", boot_id())
    assert mark.read() == boot_id()
    del file
    mark.set("an earlier run of the system")
    with pytest.raises(StoreError, match="python -m features materialise"):
        LmdbFile.at(tmp_path / "g")


def test_a_file_written_through_outlives_a_crash_until_it_is_written_to(tmp_path):
    file = LmdbFile.create(tmp_path / "g")
    put(file, 1)
    file.sync()
    mark = Mark(tmp_path / "g" / "mark", boot_id())
    assert mark.read() == CLEAN
    assert Mark(mark.path, "another run").trusted
    put(file, 2)
    assert not Mark(mark.path, "another run").trusted


def test_a_file_that_is_none_is_refused(tmp_path):
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "data.mdb").write_bytes(b"no database" * 1_000)
    Mark(tmp_path / "g" / "mark", boot_id()).set(CLEAN)
    with pytest.raises(StoreError, match="cannot be opened"):
        LmdbFile.at(tmp_path / "g")


def test_without_a_name_of_the_run_only_what_is_clean_is_trusted(tmp_path):
    mark = Mark(tmp_path / "mark", "")
    assert not mark.trusted
    mark.set("")
    assert not mark.trusted
    mark.set(CLEAN)
    assert mark.trusted
