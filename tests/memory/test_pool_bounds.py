"""The pool under attack: patterns of use that made other pools grow without end.

Owns    the bounds of FAULTS 34, 35 and 41; the half of BEHAVIOURS 112 to 115 that random use does not reach.
Never   what a buffer does with a block.
Always  reserved == live + cached after each act, cached within its bound, and live what somebody really holds."""

from __future__ import annotations

import gc
import os
import queue
import random
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import pytest

from tests.memory._marks import reused
from zbuf import ByteBuf, Pool, Unpooled
from zbuf.memory import Memory, PoolStats

ROOT = Path(__file__).resolve().parents[2]
BOUND = 1 << 20


def balanced(pool: Pool, bound: int = BOUND) -> PoolStats:
    """Assert the law of the figures and return them."""
    stats = pool.statistics()
    assert stats.reserved_bytes == stats.live_bytes + stats.cached_bytes, stats
    assert 0 <= stats.cached_bytes <= bound, stats
    assert min(stats.live_blocks, stats.live_bytes, stats.hits, stats.misses, stats.dropped) >= 0, stats
    return stats


def test_random_sizes_leave_nothing_but_a_bounded_cache() -> None:
    """Whoever asks for every size once fills the cache to its bound, not beyond."""
    rng = random.Random(1)
    pool = Pool(max_cached_bytes=BOUND)
    held: list[ByteBuf] = []
    live = 0
    for _ in range(6000):
        if len(held) > 40 or (held and rng.random() < 0.5):
            buf = held.pop(rng.randrange(len(held)))
            live -= buf.memory_size
            buf.release()
        else:
            held.append(pool.buffer(int(2 ** rng.uniform(0, 21))))
            live += held[-1].memory_size
        assert balanced(pool).live_bytes == live
    held.clear()
    assert balanced(pool).live_blocks == 0
    assert pool.trim() <= BOUND
    assert balanced(pool).reserved_bytes == 0


def test_one_small_slice_of_each_big_block_pins_what_the_figures_say() -> None:
    """Ten bytes kept out of each 64 KiB read: memory_size and live_bytes show it, compact() ends it."""
    pool = Pool(max_cached_bytes=BOUND)
    frames = []
    for _ in range(50):
        with pool.buffer(65536) as buf:
            buf.write_bytes(bytes(65536))
            frames.append(buf.slice(7, 10))
    assert [65536] * 50 == [frame.memory_size for frame in frames]
    assert balanced(pool).live_bytes == 50 * 65536
    for frame in frames:
        frame.compact()
    assert sum(frame.memory_size for frame in frames) <= 50 * 64
    assert balanced(pool).live_bytes <= 50 * 64


@reused
def test_burst_then_idle_keeps_the_bound_and_trim_gives_it_back() -> None:
    """A thousand blocks at once, then none: what is above the bound goes at once, the rest on request."""
    pool = Pool(max_cached_bytes=BOUND)
    burst = [pool.buffer(4096) for _ in range(1000)]
    assert balanced(pool).live_bytes == 1000 * 4096
    for buf in burst:
        buf.release()
        balanced(pool)
    stats = balanced(pool)
    assert (stats.live_blocks, stats.cached_bytes, stats.dropped) == (0, BOUND, 1000 - BOUND // 4096)
    assert pool.trim() == BOUND
    assert (balanced(pool).reserved_bytes, pool.trim()) == (0, 0)


@pytest.mark.parametrize("border", [64, 96, 128, 1024, 65536, 1 << 20])
def test_sizes_just_above_a_border_waste_at_most_a_third(border: int) -> None:
    """The worst size of each class costs half as much again; above 1 MiB a block has the size that was asked for."""
    pool = Pool(max_cached_bytes=BOUND)
    exact, above = pool.buffer(border), pool.buffer(border + 1)
    assert exact.memory_size == border
    assert above.memory_size <= max(96, (border + 1) * 3 // 2)
    if border == 1 << 20:
        assert above.memory_size == border + 1


def test_every_size_has_a_block_that_holds_it_and_is_no_larger_than_needed() -> None:
    """The class of a size is the smallest that fits, up to 1 MiB."""
    sizes = sorted({64 << k for k in range(15)} | {96 << k for k in range(14)})
    pool = Pool(max_cached_bytes=0)
    for asked in [0, 1, 63, *(size + d for size in sizes for d in (-1, 0, 1))]:
        with pool.buffer(asked) as buf:
            expected = next((size for size in sizes if size >= asked), asked)
            assert (buf.memory_size, buf.capacity) == (expected, asked)
    assert balanced(pool, 0).cached_bytes == 0


@reused
def test_leasing_here_and_dropping_there_does_not_starve_the_pool() -> None:
    """Blocks that one thread leases and another drops serve the first one again: there are no caches of threads."""
    pool = Pool(max_cached_bytes=BOUND)
    pipe: queue.Queue[ByteBuf | None] = queue.Queue(maxsize=8)

    def drop() -> None:
        while pipe.get() is not None:
            pass

    thread = threading.Thread(target=drop)
    thread.start()
    for _ in range(2000):
        pipe.put(pool.buffer(1024))
        balanced(pool)
    pipe.put(None)
    thread.join()
    stats = balanced(pool)
    assert (stats.live_blocks, stats.hits + stats.misses) == (0, 2000)
    assert stats.misses <= 16, "more fresh blocks than were ever held at once"


@pytest.mark.parametrize("order", ["first", "last"])
def test_a_pool_that_is_dropped_while_blocks_live_ends_with_the_last_of_them(order: str) -> None:
    """The blocks stay good; the pool and what it caches go when the last one comes home."""
    pool = Pool(max_cached_bytes=BOUND)
    alive = weakref.ref(pool)
    bufs = [pool.buffer(256) for _ in range(5)]
    for buf in bufs:
        buf.write_long(7)
    views = [buf.view() for buf in bufs]
    [pool.buffer(100) for _ in range(5)].clear()
    del pool
    gc.collect()
    assert alive() is not None, "the blocks know where they belong"
    for buf in bufs if order == "first" else reversed(bufs):
        assert buf.read_long() == 7
        buf.release()
    del buf, bufs
    assert [view[7] for view in views] == [7] * 5
    while views:
        views.pop(0 if order == "first" else -1)
    gc.collect()
    assert alive() is None


@reused
def test_a_pool_without_a_bound_to_speak_of_still_drops_what_is_too_large() -> None:
    """Blocks above 1 MiB are never kept."""
    pool = Pool(max_cached_bytes=sys.maxsize)
    pool.buffer((1 << 20) + 1).release()
    assert (balanced(pool, sys.maxsize).cached_bytes, pool.statistics().dropped) == (0, 1)
    pool.buffer(1 << 20).release()
    assert balanced(pool, sys.maxsize).cached_bytes == 1 << 20


def test_a_pool_that_keeps_nothing_works() -> None:
    """max_cached_bytes=0: every lease is fresh."""
    pool = Pool(max_cached_bytes=0)
    for _ in range(5):
        pool.buffer(100).release()
    stats = balanced(pool, 0)
    assert (stats.hits, stats.misses, stats.dropped, stats.cached_bytes) == (0, 5, 5, 0)


@reused
def test_f18_a_pool_of_one_block_gives_another_while_a_slice_lives() -> None:
    """The slice's bytes are nobody else's until it is gone."""
    pool = Pool(max_cached_bytes=64)
    buf = pool.buffer(64)
    buf.write_bytes(b"mine" * 16)
    at = buf.address()
    part = buf.slice()
    buf.release()
    other = pool.buffer(64)
    assert other.address() != at
    other.write_bytes(b"other" * 12)
    assert bytes(part) == b"mine" * 16
    part.release()
    assert pool.buffer(64).address() == at


@reused
def test_the_memory_that_comes_again_is_as_new() -> None:
    """Whatever was noted on a block in its earlier life is gone: exports, weak references, the ledger."""
    pool = Pool()
    memory = pool.lease(64)
    at, died = memory.address(), []
    ref = weakref.ref(memory, died.append)
    view = memory.export(0, 8, False)
    assert memory.exports == 1
    del memory
    assert ref() is not None, "the view holds it"
    del view
    assert (ref(), len(died)) == (None, 1)
    again = pool.lease(64)
    assert (again.address(), again.exports, again.size, again.read_only, again.external) == (at, 0, 64, False, False)
    assert (ref(), len(died)) == (None, 1)
    assert isinstance(again, Memory)


@reused
def test_f35_a_weak_reference_to_a_block_may_use_the_pool_as_it_dies() -> None:
    """Its callback runs in the midst of the give-back."""
    pool = Pool()
    found: list[int] = []

    def on_death(_: object) -> None:
        with pool.buffer(64) as buf:
            found.append(buf.capacity)

    for _ in range(20):
        memory = pool.lease(64)
        ref = weakref.ref(memory, on_death)
        del memory
        assert ref() is None
    assert found == [64] * 20
    assert balanced(pool).live_blocks == 0


def test_f42_zeroing_pools_never_show_an_old_byte() -> None:
    """Neither to the next holder of the block nor in the part that nobody asked for."""
    pool = Pool(zero_on_release=True)
    for _ in range(10):
        buf = pool.buffer(100)
        buf.set_capacity(buf.memory_size)
        assert bytes(buf.view(0, buf.capacity)) == bytes(buf.capacity)
        buf.set_bytes(0, b"\xaa" * buf.capacity)
        buf.release()


@pytest.mark.parametrize("allocator", [Pool(), Pool(alignment=4096), Pool(huge_pages=True), Unpooled()], ids=repr)
@pytest.mark.parametrize("size", [1 << 62, 2**63 - 1, 2**63 - 4097])
def test_f12_sizes_that_no_machine_has_are_a_memory_error(allocator: Pool | Unpooled, size: int) -> None:
    """No sum wraps, nothing is counted."""
    before = allocator.statistics()
    with pytest.raises(MemoryError):
        allocator.lease(size)
    assert allocator.statistics() == before
    with pytest.raises(OverflowError):
        allocator.lease(2**63)
    with pytest.raises(ValueError):
        allocator.lease(-1)
    with pytest.raises(ValueError):
        allocator.lease(-(2**63))
    assert allocator.statistics() == before


LIMITED = """
import resource, zbuf
soft = 400 << 20
resource.setrlimit(resource.RLIMIT_AS, (soft, soft))
pool = zbuf.Pool(max_cached_bytes=1 << 30)
held = []
try:
    while True:
        held.append(pool.buffer(1 << 20))
except MemoryError:
    pass
many = len(held)
stats = pool.statistics()
assert stats.live_blocks == many and stats.cached_bytes == 0, stats
held.clear()
assert pool.statistics().cached_bytes == many << 20
big = pool.buffer((many // 2) << 20)          # more than is free: what is cached makes room for it
assert pool.statistics().cached_bytes == 0
big.write_int(1)
print(many > 50)
"""


@reused
@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS")
def test_f34_at_the_limit_of_memory_the_cache_makes_room() -> None:
    """An allocation that fails frees what is cached and tries once more; then it is a MemoryError, with exact books."""
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (0, "True\n"), ended.stderr
