"""Blocks may be freed on any thread; the figures stay exact.

Owns    BEHAVIOURS 70 and 115; FAULTS 35.
Never   two threads on one handle: that is not promised.
Always  the threads start together behind a barrier and every result is checked after the join."""

from __future__ import annotations

import queue
import random
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.memory._marks import reused
from zbuf.buffer import Pool, Unpooled

THREADS = 8


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    """Let CPython switch threads as often as it can, so that a lost update shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def together(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Run work(k) in that many threads at once; a failure in any of them fails the test."""
    barrier, failures = threading.Barrier(threads), []

    def run(k: int) -> None:
        try:
            barrier.wait()
            work(k)
        except BaseException as exc:  # reported below, in the thread of the test
            failures.append(exc)

    started = [threading.Thread(target=run, args=(k,)) for k in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    if failures:
        raise failures[0]


@reused
def test_b070_ten_threads_read_ten_duplicates() -> None:
    """Each gets the right bytes; the last handle is dropped in one of them."""
    pool = Pool()
    data = random.Random(70).randbytes(4096)
    buf = pool.buffer(4096)
    buf.write_bytes(data)
    handles = [buf.duplicate() for _ in range(10)]
    buf.release()
    del buf

    def read(k: int) -> None:
        mine = handles[k]
        got = bytearray()
        while mine.is_readable:
            got += bytes(mine.read_slice(min(7 + k, mine.readable_bytes)))
        assert got == data
        handles[k] = None  # type: ignore[call-overload]  # the last of them frees the block

    together(read, 10)
    stats = pool.statistics()
    assert (stats.live_blocks, stats.live_bytes, stats.cached_bytes) == (0, 0, 4096)


@pytest.mark.parametrize("make", [Pool, Unpooled])
def test_b115_counters_stay_exact_with_eight_threads(make: Callable[[], Pool | Unpooled]) -> None:
    """Every thread leases, slices, exports and drops; afterwards nothing is live and the figures add up."""
    allocator = make()
    turns = 400

    def work(k: int) -> None:
        rng = random.Random(k)
        held = []
        for turn in range(turns):
            buf = allocator.buffer(rng.choice((64, 200, 1000)))
            buf.write_int(k * turns + turn)
            held.append((buf.slice(), buf.view(), k * turns + turn))
            if rng.random() < 0.5:
                buf.release()
            if len(held) > 5:
                part, view, expected = held.pop(rng.randrange(len(held)))
                assert part.read_int() == expected == int.from_bytes(view[:4], "big")

    together(work)
    stats = allocator.statistics()
    assert (stats.live_blocks, stats.live_bytes) == (0, 0)
    assert stats.hits + stats.misses == THREADS * turns
    assert stats.reserved_bytes == stats.cached_bytes
    assert allocator.trim() == stats.cached_bytes
    assert allocator.statistics().reserved_bytes == 0


def test_b115_blocks_leased_in_one_thread_come_back_from_others() -> None:
    """One leases and hands out, seven drop; every block is back once, and none was leased twice at a time."""
    pool = Pool(max_cached_bytes=1 << 20)
    work: queue.SimpleQueue[object] = queue.SimpleQueue()
    total = 3000

    def run(k: int) -> None:
        if k == 0:
            for turn in range(total):
                buf = pool.buffer(64)
                buf.write_long(turn)
                buf.write_long(~turn)
                work.put(buf)
                del buf
            for _ in range(THREADS - 1):
                work.put(None)
            return
        while (buf := work.get()) is not None:
            assert buf.read_long() == ~buf.read_long()
            if k % 2:
                buf.release()

    together(run)
    stats = pool.statistics()
    assert (stats.live_blocks, stats.hits + stats.misses) == (0, total)
    balance = stats.cached_bytes
    assert pool.trim() == balance
    assert pool.statistics().cached_bytes == 0


def test_b115_a_burst_of_frees_never_exceeds_the_bound() -> None:
    """Eight threads give back at once into a cache with room for a few blocks."""
    pool = Pool(max_cached_bytes=640)
    bufs = [[pool.buffer(64) for _ in range(200)] for _ in range(THREADS)]

    def drop(k: int) -> None:
        while bufs[k]:
            bufs[k].pop().release()
            assert pool.statistics().cached_bytes <= 640

    together(drop)
    stats = pool.statistics()
    assert (stats.live_blocks, stats.cached_bytes <= 640) == (0, True)
    assert pool.trim() == stats.cached_bytes


def test_handles_made_in_parallel_from_one_source_count_right() -> None:
    """Each thread derives from its own duplicate; afterwards the source is the sole holder again."""
    pool = Pool()
    buf = pool.buffer(256)
    buf.write_bytes(bytes(range(256)))
    mine = [buf.duplicate() for _ in range(THREADS)]

    def work(k: int) -> None:
        for turn in range(300):
            part = mine[k].slice(turn % 200, 50)
            assert part.get_unsigned_byte(0) == turn % 200
            part.release()
        mine[k].release()

    together(work)
    assert not buf.is_shared
    assert pool.statistics().live_blocks == 1
