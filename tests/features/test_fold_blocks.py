"""Blocks in work: in order, few at a time, within a bound of memory."""

from __future__ import annotations

import threading

import pytest

from features.fold_blocks import in_order, threads_within

MIB = 2**20


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_results_come_in_the_order_of_their_tasks(threads: int) -> None:
    assert list(in_order(lambda task: task * task, range(50), threads)) == [
        task * task for task in range(50)
    ]


def test_no_more_results_wait_than_there_are_threads_and_one() -> None:
    begun: list[int] = []
    lock = threading.Lock()

    def work(task: int) -> int:
        with lock:
            begun.append(task)
        return task

    for done, _ in enumerate(in_order(work, range(100), 2), start=1):
        assert len(begun) <= done + 3


def test_an_error_of_one_block_is_the_callers() -> None:
    def work(task: int) -> int:
        if task == 3:
            raise ValueError("block 3")
        return task

    taken = in_order(work, range(10), 2)
    assert [next(taken) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="block 3"):
        next(taken)


def test_a_ceiling_of_memory_leaves_fewer_threads_but_one() -> None:
    def within(ceiling: int | None) -> int:
        return threads_within(ceiling, largest=2**18, columns=8, features=40, threads=8)

    assert within(None) == 8
    chosen = [within(mib * MIB) for mib in (1, 100, 200, 400, 4000)]
    assert chosen == sorted(chosen)
    assert chosen[0] == 1
    assert 1 < chosen[2] < 8
    assert chosen[-1] == 8
