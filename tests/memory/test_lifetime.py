"""The lifetime law: a block lives exactly as long as anything holds it.

Owns    BEHAVIOURS 57, 60, 67 to 69, 114, 121; FAULTS 17, 18, 21, 22, 23, 35, 37.
Never   what the buffers contain.
Always  a pool of the test's own says when a block came back; nobody is asked politely."""

from __future__ import annotations

import gc
import itertools
import sys
import weakref

import pytest

from tests.contracts._kit import fresh_pool
from tests.memory._marks import reused
from zbuf import ByteBuf, _form, composite, wrap
from zbuf.buffer import Pool
from zbuf.errors import ReferenceCountError

DATA = bytes(range(100, 164))
INTERPRETED_ON_311 = _form.FORM == _form.INTERPRETED and sys.version_info < (3, 12)


def leased(pool: Pool, data: bytes = DATA) -> ByteBuf:
    """A pooled buffer with these bytes."""
    buf = pool.buffer(len(data))
    buf.write_bytes(data)
    return buf


def overwrite(pool: Pool, times: int = 4) -> list[ByteBuf]:
    """Lease blocks of the same class and fill them: whoever still looks at a reused block sees it."""
    bufs = [pool.buffer(len(DATA)) for _ in range(times)]
    for buf in bufs:
        buf.write_bytes(b"\xee" * len(DATA))
    return bufs


HOLD = {
    "slice": lambda b: b.slice(),
    "slice of a slice": lambda b: b.slice().slice(),
    "duplicate": lambda b: b.duplicate(),
    "read-only view": lambda b: b.as_read_only(),
    "read_slice": lambda b: b.read_slice(len(DATA)),
    "split": lambda b: b.split(),
    "move": lambda b: b.move(),
    "composite": lambda b: wrap(b.slice(0, 10), b.slice(10, 54)),
    "component": lambda b: wrap(b.slice(), b"more").component(0),
    "view": lambda b: b.view(),
    "part of a view": lambda b: b.view()[:][:],
    "readable view": lambda b: b.readable_views()[0],
    "iterator": iter,
}


@pytest.mark.parametrize("how", HOLD)
def test_b069_whatever_holds_a_block_keeps_its_bytes(how: str) -> None:
    """With a pool of one block: while it is held it is never leased again, and its bytes stay."""
    pool = fresh_pool(64)
    buf = leased(pool)
    held = HOLD[how](buf)
    if buf.refcnt:
        buf.release()
    with pytest.raises(ReferenceCountError):
        buf.get_byte(0)
    others = overwrite(pool)
    assert pool.statistics().live_blocks == 1 + len(others)
    assert bytes(held) == DATA
    del held
    assert pool.statistics().live_blocks == len(others)


@reused
@pytest.mark.parametrize("how", HOLD)
def test_b069_the_block_goes_back_when_the_last_holder_is_gone(how: str) -> None:
    """Nothing is cached before, one block after; the next lease takes it."""
    pool = fresh_pool()
    buf = leased(pool)
    held = HOLD[how](buf)
    if buf.refcnt:
        buf.release()
    assert pool.statistics().cached_bytes == 0
    del held
    if INTERPRETED_ON_311 and how in ("view", "part of a view", "readable view", "iterator"):
        assert pool.statistics().live_blocks == 0
        return  # there a block that was exported is dropped: see the tests of a plain view below
    assert (pool.statistics().live_blocks, pool.statistics().cached_bytes) == (0, 64)
    hits = pool.statistics().hits
    again = pool.buffer(64)
    assert pool.statistics().hits == hits + 1
    again.release()


def test_b121_a_numpy_array_keeps_the_block() -> None:
    """The array, a slice of it and a reshaped view of that outlive the release; the bytes stay."""
    numpy = pytest.importorskip("numpy")
    pool = fresh_pool(64)
    buf = leased(pool)
    array = numpy.frombuffer(buf.view(), ">u4")
    derived = array[2:].reshape(2, 7)
    buf.release()
    del buf, array
    others = overwrite(pool)
    assert derived.tobytes() == DATA[8:]
    assert pool.statistics().live_blocks == 1 + len(others)
    derived[0, 0] = 0x01020304
    assert derived.tobytes()[:4] == b"\1\2\3\4"
    del derived
    assert pool.statistics().live_blocks == len(others)


@pytest.mark.skipif(not _form.EXPORTS_BUFFERS, reason="before 3.12 the interpreted form exports through view() only")
def test_b121_an_array_over_the_handle_itself_keeps_the_block() -> None:
    """np.frombuffer(buf) and memoryview(buf) hold the memory, not the handle."""
    numpy = pytest.importorskip("numpy")
    pool = fresh_pool(64)
    buf = leased(pool)
    array, view = numpy.frombuffer(buf, "u1"), memoryview(buf)
    buf.release()
    del buf
    overwrite(pool)
    assert (array.tobytes(), bytes(view)) == (DATA, DATA)
    del array
    assert pool.statistics().live_blocks == 1
    view.release()
    assert pool.statistics().live_blocks == 0


@pytest.mark.skipif(not INTERPRETED_ON_311, reason="only the interpreted form on 3.11 has views that hold nothing")
def test_f23_a_block_with_a_live_plain_view_is_dropped_not_pooled() -> None:
    """A plain view over the block does not keep its Memory alive there: such a block must never be leased again."""
    pool = fresh_pool()
    buf = leased(pool)
    plain = memoryview(buf._memory.base)
    buf.release()
    assert (pool.statistics().live_blocks, pool.statistics().cached_bytes) == (0, 0)
    overwrite(pool)
    assert bytes(plain) == DATA


@pytest.mark.skipif(_form.FORM != _form.INTERPRETED, reason="compiled code has no plain view of a block")
def test_f23_a_plain_view_of_an_interpreted_block_never_shows_later_bytes() -> None:
    """Whatever the version: bytes that somebody can see are not given to somebody else."""
    pool = fresh_pool()
    buf = leased(pool)
    plain = memoryview(buf._memory.base)
    buf.release()
    overwrite(pool)
    assert bytes(plain) == DATA


def test_b057_a_block_is_free_exactly_when_the_last_of_five_goes() -> None:
    """In any order of release, through release() and through dropping the name."""
    for order in itertools.permutations(range(5)):
        pool = fresh_pool()
        buf = leased(pool)
        handles: list[ByteBuf | None] = [buf, buf.slice(), buf.duplicate(), buf.slice(3, 9), buf.as_read_only()]
        del buf
        for turn, k in enumerate(order):
            assert pool.statistics().live_blocks == 1
            handle = handles[k]
            assert handle is not None
            if turn % 2:
                assert handle.release()
            handles[k] = handle = None
        assert pool.statistics().live_blocks == 0


def test_b060_a_dropped_handle_frees_its_block_at_once() -> None:
    """No release, no warning (the suite turns warnings into errors), no collection pass."""
    gc.disable()
    try:
        pool = fresh_pool()
        buf = leased(pool)
        part = buf.slice()
        del buf
        assert pool.statistics().live_blocks == 1
        del part
        assert pool.statistics().live_blocks == 0
    finally:
        gc.enable()


@pytest.mark.parametrize("hold", ["slice", "duplicate", "view", "part of a view", "composite", "iterator"])
def test_b068_is_shared_while_another_holder_lives(hold: str) -> None:
    """False for a fresh buffer, True while a slice, view or composite of it lives, False after the last."""
    buf = leased(fresh_pool())
    assert not buf.is_shared
    held = HOLD[hold](buf)
    other = buf.slice(0, 1)
    assert buf.is_shared
    del held
    assert buf.is_shared
    other.release()
    assert not buf.is_shared


def test_b068_an_array_shares_and_wrapped_memory_always_does() -> None:
    """numpy holds the block; memory that the caller brought may always have other holders."""
    numpy = pytest.importorskip("numpy")
    buf = leased(fresh_pool())
    array = numpy.frombuffer(buf.view(), "u1")
    assert buf.is_shared
    del array
    assert not buf.is_shared
    assert wrap(bytearray(4)).is_shared
    assert wrap(b"abcd").is_shared


def test_is_shared_is_not_confused_by_an_empty_buffer_elsewhere() -> None:
    """Two empty buffers have nothing in common that a write could show in."""
    one, other = fresh_pool().buffer(0), fresh_pool().buffer(0)
    one.write_bytes(b"one")
    assert (bytes(one), bytes(other), one.is_shared) == (b"one", b"", False)


def test_b067_compact_frees_the_old_block() -> None:
    """The large block goes back when nobody else holds it; memory_size falls to the new one."""
    pool = fresh_pool()
    buf = pool.buffer(65536)
    buf.write_bytes(DATA * 1024)
    frame = buf.slice(128, 10)
    buf.release()
    assert (pool.statistics().live_bytes, frame.memory_size) == (65536, 65536)
    frame.compact()
    assert frame.memory_size <= 64
    assert pool.statistics().live_bytes <= 64
    assert bytes(frame) == (DATA * 3)[128:138]


def test_memory_size_counts_each_block_once() -> None:
    """Two slices of one block in a composite pin it once; two blocks add up."""
    pool = fresh_pool()
    buf, other = leased(pool), leased(pool)
    both = wrap(buf.slice(0, 4), buf.slice(8, 4))
    assert both.memory_size == buf.memory_size == 64
    three = wrap(buf.slice(0, 4), other.slice(0, 4), buf.slice(4, 4))
    assert three.memory_size == 128


def test_b114_no_block_goes_into_the_pool_twice() -> None:
    """However it was released, the next two leases do not overlap."""
    pool = fresh_pool()
    buf = leased(pool)
    part = buf.slice()
    buf.release()
    part.release()
    for dead in (buf, part):
        with pytest.raises(ReferenceCountError):
            dead.release()
    del buf, part, dead
    one, two = pool.buffer(64), pool.buffer(64)
    one.write_bytes(b"\x01" * 64)
    two.write_bytes(b"\x02" * 64)
    assert (bytes(one), bytes(two)) == (b"\x01" * 64, b"\x02" * 64)
    assert pool.statistics().live_blocks == 2


def test_f17_a_parent_released_under_slices_of_slices() -> None:
    """Slices of slices stay readable; every accessor of the parent raises."""
    pool = fresh_pool(64)
    buf = leased(pool)
    chain = [buf]
    for _ in range(20):
        chain.append(chain[-1].slice(1, chain[-1].capacity - 1))
    last = chain[-1]
    for handle in chain[:-1]:
        handle.release()
    overwrite(pool)
    assert bytes(last) == DATA[20:]
    for handle in chain[:-1]:
        with pytest.raises(ReferenceCountError):
            handle.read_byte()


def test_f21_a_view_stays_writable_after_release() -> None:
    """Statistics show the block as live until the view is gone."""
    pool = fresh_pool()
    buf = leased(pool)
    view = buf.view()
    assert buf.release()
    view[0] = 1
    assert (view[0], bytes(view[1:])) == (1, DATA[1:])
    assert pool.statistics().live_blocks == 1
    view.release()
    del view
    assert pool.statistics().live_blocks == 0


def test_f35_a_block_comes_back_from_a_collected_cycle() -> None:
    """A buffer in a reference cycle returns its block when the collector breaks it."""

    class Node:
        """Something that can point at itself."""

    pool = fresh_pool()
    node = Node()
    node.me, node.buf, node.view = node, leased(pool), leased(pool).view()  # type: ignore[attr-defined]
    ref = weakref.ref(node)
    del node
    assert pool.statistics().live_blocks == 2
    gc.collect()
    assert (ref(), pool.statistics().live_blocks) == (None, 0)


def test_f35_a_block_may_come_back_inside_a_finaliser() -> None:
    """A __del__ that leases and releases while its own buffer dies leaves the pool consistent."""
    pool = fresh_pool()

    class Holder:
        """Uses the pool while it dies."""

        def __init__(self) -> None:
            self.buf = leased(pool)

        def __del__(self) -> None:
            overwrite(pool, 3)
            self.buf.release()

    for _ in range(50):
        Holder()
    stats = pool.statistics()
    assert (stats.live_blocks, stats.live_bytes) == (0, 0)
    assert stats.reserved_bytes == stats.cached_bytes


def test_a_composite_gives_each_block_back_on_its_own() -> None:
    """Dropping the front of a composite frees the front's block, not the others."""
    pool = fresh_pool()
    buf = composite()
    for _ in range(5):
        buf.append(leased(pool))
    for left in (4, 3, 2, 1, 0):
        buf.skip_bytes(64)
        buf.discard_read_components()
        assert pool.statistics().live_blocks == left


def test_the_pool_may_go_before_its_blocks() -> None:
    """A buffer outlives the pool it came from."""
    pool = fresh_pool()
    buf = leased(pool)
    del pool
    gc.collect()
    assert bytes(buf) == DATA
    buf.write_bytes(DATA)
    assert bytes(buf) == DATA * 2
