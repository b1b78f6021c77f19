"""Pools and the unpooled allocator, by their statistics.

Owns    BEHAVIOURS 112, 113, 116; FAULTS 34 and 42 in part.
Never   what buffers do with a block.
Always  reserved == live + cached, after every act."""

from __future__ import annotations

import ctypes
import random

import pytest

from tests.memory._marks import reused
from zbuf import ByteBuf
from zbuf.buffer import Pool, Unpooled


def address(buf: ByteBuf) -> int:
    """The address of the first byte of a buffer's window."""
    return ctypes.addressof(ctypes.c_ubyte.from_buffer(buf.view(0, 1)))


def balanced(pool: Pool | Unpooled) -> None:
    """Assert the law of the figures."""
    stats = pool.statistics()
    assert stats.reserved_bytes == stats.live_bytes + stats.cached_bytes, stats
    assert min(stats.live_blocks, stats.live_bytes, stats.cached_bytes, stats.hits, stats.misses) >= 0, stats


@reused
def test_b112_a_freed_block_serves_the_next_lease_of_its_class() -> None:
    """hits rises, live_bytes returns to its start."""
    pool = Pool()
    first = pool.buffer(1000)
    at = address(first)
    live = pool.statistics()
    assert (live.live_blocks, live.hits, live.misses) == (1, 0, 1)
    assert 1000 <= live.live_bytes <= 2048
    first.release()
    idle = pool.statistics()
    assert (idle.live_blocks, idle.live_bytes, idle.cached_bytes) == (0, 0, live.live_bytes)
    second = pool.buffer(1000)
    again = pool.statistics()
    assert (again.hits, again.misses, again.live_bytes, again.cached_bytes) == (1, 1, live.live_bytes, 0)
    assert address(second) == at
    assert (second.capacity, second.reader_index, second.writer_index) == (1000, 0, 0)


def test_b112_the_figures_balance_after_any_sequence() -> None:
    """Allocate, slice, view, release, drop, grow, trim in random order; at the end nothing is live."""
    rng = random.Random(112)
    pool = Pool(max_cached_bytes=40_000)
    held: list[object] = []
    for _ in range(1500):
        act = rng.randrange(8)
        if act <= 2 or not held:
            held.append(pool.buffer(rng.choice((0, 1, 63, 64, 65, 500, 5000, 70_000, 3_000_000))))
        elif act == 3:
            buf = rng.choice(held)
            held.append(buf.slice(0, buf.capacity) if isinstance(buf, ByteBuf) else memoryview(b""))
        elif act == 4:
            buf = rng.choice(held)
            held.append(buf.view() if isinstance(buf, ByteBuf) else memoryview(b""))
        elif act == 5:
            buf = held.pop(rng.randrange(len(held)))
            if isinstance(buf, ByteBuf):
                buf.release()
        elif act == 6:
            held.pop(rng.randrange(len(held)))
        else:
            pool.trim()
        if isinstance(buf := rng.choice(held or [None]), ByteBuf) and buf.max_writable_bytes >= 100:
            buf.ensure_writable(rng.randrange(100))
        if len(held) > 30:
            del held[:10]
        del buf
        balanced(pool)
        assert pool.statistics().cached_bytes <= 40_000
    held.clear()
    balanced(pool)
    assert (pool.statistics().live_blocks, pool.statistics().live_bytes) == (0, 0)


@reused
def test_b113_trim_empties_the_cache_and_returns_its_size() -> None:
    """Live blocks are not touched."""
    pool = Pool()
    kept = pool.buffer(100)
    bufs = [pool.buffer(5000) for _ in range(7)]
    for buf in bufs:
        buf.release()
    cached = pool.statistics().cached_bytes
    assert cached >= 7 * 5000
    assert pool.trim() == cached
    assert (pool.statistics().cached_bytes, pool.statistics().live_blocks) == (0, 1)
    assert pool.trim() == 0
    kept.write_bytes(b"alive")
    balanced(pool)


def test_b113_the_cache_stays_below_its_bound_after_a_burst() -> None:
    """What would exceed it is freed; a pool that may cache nothing caches nothing."""
    for bound in (0, 1, 64, 10_000):
        pool = Pool(max_cached_bytes=bound)
        bufs = [pool.buffer(64) for _ in range(500)] + [pool.buffer(4096) for _ in range(20)]
        while bufs:
            bufs.pop().release()
            assert pool.statistics().cached_bytes <= bound
        balanced(pool)
        assert pool.statistics().live_blocks == 0


def test_large_blocks_are_not_pooled() -> None:
    """Above the largest class a block is fresh each time and freed with its last holder."""
    pool = Pool()
    buf = pool.buffer(8 << 20)
    assert (pool.statistics().live_bytes, buf.capacity) == (8 << 20, 8 << 20)
    buf.release()
    assert (pool.statistics().cached_bytes, pool.statistics().live_bytes) == (0, 0)


@pytest.mark.parametrize("alignment", [1, 2, 16, 64, 512, 4096])
def test_b116_blocks_are_aligned(alignment: int) -> None:
    """Addresses are divisible by the alignment, fresh and reused, small and large."""
    pool = Pool(alignment=alignment)
    for _ in range(2):
        bufs = [pool.buffer(size) for size in (1, 64, 100, 1000, 5000, 3_000_000) for _ in range(3)]
        assert [address(buf) % alignment for buf in bufs] == [0] * len(bufs)
        for buf in bufs:
            buf.release()


def test_b116_bad_settings_are_refused() -> None:
    """The alignment is a power of two; a bound is not negative."""
    for alignment in (0, -1, 3, 48):
        with pytest.raises(ValueError):
            Pool(alignment=alignment)
    with pytest.raises(ValueError):
        Pool(max_cached_bytes=-1)
    for bad in ("64", 1.0, None):
        with pytest.raises(TypeError):
            Pool(max_cached_bytes=bad)


@reused
def test_b116_zero_on_release_leaves_no_old_byte() -> None:
    """A reused block shows zeros, all of it, behind the writer index too."""
    pool = Pool(zero_on_release=True)
    for size in (64, 1000, 4096):
        secret = pool.buffer(size)
        secret.write_bytes(b"S" * size)
        at = address(secret)
        secret.release()
        again = pool.buffer(size)
        assert address(again) == at
        assert again.get_bytes(0, size) == bytes(size)


def test_a_pooled_buffer_grows_within_its_pool() -> None:
    """Growth and copies take blocks from the allocator the buffer came from."""
    pool = Pool()
    buf = pool.buffer(64)
    assert buf.allocator is pool
    buf.write_bytes(bytes(64))
    buf.write_bytes(bytes(1000))
    assert pool.statistics().live_blocks == 1
    twin = buf.copy()
    assert twin.allocator is pool
    assert pool.statistics().live_blocks == 2
    whole = pool.composite()
    whole.append(twin)
    whole.write_bytes(b"more")
    assert (whole.allocator, pool.statistics().live_blocks) == (pool, 3)


def test_unpooled_blocks_are_counted_and_never_cached() -> None:
    """Every lease is a miss; trim has nothing to give back."""
    unpooled = Unpooled()
    bufs = [unpooled.buffer(size) for size in (1, 1000, 100_000)]
    stats = unpooled.statistics()
    assert (stats.live_blocks, stats.live_bytes, stats.cached_bytes, stats.hits, stats.misses) == (3, 101_001, 0, 0, 3)
    balanced(unpooled)
    for buf in bufs:
        buf.release()
    stats = unpooled.statistics()
    assert (stats.live_blocks, stats.live_bytes, stats.reserved_bytes) == (0, 0, 0)
    assert unpooled.trim() == 0


def test_fresh_blocks_are_zero() -> None:
    """Memory nobody wrote to holds nobody's bytes."""
    for allocator in (Unpooled(), Pool()):
        assert allocator.buffer(5000).get_bytes(0, 5000) == bytes(5000)
