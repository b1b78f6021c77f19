"""Making buffers: buffer, empty, wrap, copied, composite, and the default allocator.

Owns    BEHAVIOURS 111 and the part of 117 that needs no callback.
Never   what the buffers do afterwards.
Always  what is taken is dead afterwards, what is borrowed is untouched."""

from __future__ import annotations

import array
import mmap
import sys

import pytest

from tests.contracts._kit import Make, each_shape, fails, unchanged
from zbuf import buffer, composite, copied, default_allocator, empty, set_default_allocator, wrap
from zbuf.buffer import Pool, Unpooled
from zbuf.errors import ReadOnlyError, ReferenceCountError
from zbuf.testing import shapes


def test_b111_empty_buffers_are_fresh_handles() -> None:
    """buffer(0, 0) and empty() have no capacity and no maximum, and can be released like any other."""
    for make in (lambda: buffer(0, 0), empty):
        buf = make()
        assert (buf.capacity, buf.max_capacity, buf.readable_bytes, bytes(buf)) == (0, 0, 0, b"")
        assert buf is not make()
        assert buf.release()
        with pytest.raises(ReferenceCountError):
            buf.release()


def test_b111_bad_sizes_are_refused() -> None:
    """Negative sizes, and an initial capacity above the maximum, are ValueError."""
    for arguments in ((-1,), (0, -1), (5, 4), (-2, -1)):
        with pytest.raises(ValueError):
            buffer(*arguments)
        with pytest.raises(ValueError):
            Pool().buffer(*arguments)
    with pytest.raises(ValueError):
        composite(-1)
    for bad in (1.0, "1", None):
        with pytest.raises(TypeError):
            buffer(bad)
    with pytest.raises(OverflowError):
        buffer(2**64)


def test_b111_the_default_allocator_is_unpooled_and_can_be_replaced() -> None:
    """Buffers come from whatever is set, and say so."""
    before = default_allocator()
    assert isinstance(before, Unpooled)
    assert buffer(8).allocator is before
    pool = Pool()
    set_default_allocator(pool)
    try:
        buf = buffer(8)
        assert (default_allocator(), buf.allocator) == (pool, pool)
        assert pool.statistics().live_blocks == 1
        assert copied(b"abc").allocator is pool
        with pytest.raises(TypeError):
            set_default_allocator(None)
    finally:
        set_default_allocator(before)
    assert default_allocator() is before


def test_wrap_one_object_shows_its_memory() -> None:
    """r = 0, w = cap = max = nbytes; read-only iff the object is; writes go through."""
    store = bytearray(b"abcd")
    buf = wrap(store)
    assert (buf.reader_index, buf.writer_index, buf.capacity, buf.max_capacity) == (0, 4, 4, 4)
    assert (buf.is_read_only, buf.is_shared) == (False, True)
    buf.set_byte(0, ord("x"))
    store[1] = ord("y")
    assert (bytes(store), bytes(buf)) == (b"xycd", b"xycd")
    assert wrap(b"abcd").is_read_only
    assert wrap(store, read_only=True).is_read_only
    typed = array.array("I", [1, 2])
    assert wrap(typed) == typed.tobytes()
    assert wrap(memoryview(typed)).capacity == 8
    with pytest.raises(BufferError):
        wrap(memoryview(b"abcd")[::2])
    for bad in (None, "text", 5, [1]):
        with pytest.raises(TypeError):
            wrap(bad)


def test_b128_a_wrapped_object_cannot_be_resized_or_closed() -> None:
    """BufferError at its owner while a handle or an export lives; afterwards it works again."""
    store = bytearray(b"abcd")
    buf = wrap(store)
    part = buf.slice(1, 2)
    buf.release()
    with pytest.raises(BufferError):
        store.append(1)
    view = part.view()
    part.release()
    with pytest.raises(BufferError):
        store.append(1)
    view.release()
    del view
    store.append(1)
    mapped = mmap.mmap(-1, 4096)
    buf = wrap(mapped)
    buf.set_int(0, 5)
    with pytest.raises(BufferError):
        mapped.close()
    buf.release()
    mapped.close()


def test_wrap_of_a_wrapped_bytearray_frees_it_when_the_handle_is_dropped() -> None:
    """Without release as well: the last holder is what counts."""
    store = bytearray(b"abcd")
    buf = wrap(store)
    twin = buf.duplicate()
    del buf
    with pytest.raises(BufferError):
        store.clear()
    del twin
    store.clear()


@each_shape
def test_wrap_takes_one_buffer_as_a_move(shape: Make) -> None:
    """The handle given is dead; the one returned has its bytes and indices."""
    buf = shape(b"moved")
    r = buf.reader_index
    taken = wrap(buf)
    assert buf.refcnt == 0
    assert (bytes(taken), taken.reader_index, taken.refcnt) == (b"moved", r, 1)
    taken.retain()
    again = wrap(taken, read_only=True)
    assert (taken.refcnt, again.is_read_only, bytes(again)) == (1, True, b"moved")


def test_wrap_of_several_parts_is_a_composite() -> None:
    """Buffers are taken, foreign memory is looked at; empty parts vanish."""
    parts = [copied(b"ab"), b"cd", empty(), bytearray(b"ef"), composite()]
    buf = wrap(*parts)
    assert (bytes(buf), buf.num_components, buf.readable_bytes) == (b"abcdef", 3, 6)
    assert (parts[0].refcnt, parts[2].refcnt, parts[4].refcnt) == (0, 0, 0)


def test_b117_wrap_of_only_empty_parts_releases_every_one() -> None:
    """The result is an empty buffer."""
    parts = [empty(), buffer(16), composite()]
    buf = wrap(*parts)
    assert (len(buf), [part.refcnt for part in parts]) == (0, [0, 0, 0])
    assert len(wrap()) == 0
    assert len(wrap(b"", b"")) == 0


def test_wrap_with_a_bad_part_takes_the_buffers_all_the_same() -> None:
    """A call that takes its arguments takes them also when it fails (section 2.6)."""
    one, two = copied(b"ab"), copied(b"cd")
    with pytest.raises(TypeError):
        wrap(one, None, two)
    assert (one.refcnt, two.refcnt) == (0, 0)
    dead, one = copied(b"x"), copied(b"ab")
    dead.release()
    with pytest.raises(ReferenceCountError):
        wrap(one, dead)
    assert one.refcnt == 0


def test_b109_a_read_only_composite_refuses_parts_and_takes_them() -> None:
    """wrap(a, b, read_only=True): append and prepend raise ReadOnlyError and release the part; views work."""
    buf = wrap(copied(b"ab"), b"cd", read_only=True)
    assert buf.is_read_only
    for call in (lambda part: buf.append(part), lambda part: buf.prepend(part), lambda part: buf.extend([part])):
        part = copied(b"xy")
        with fails(ReadOnlyError, buf):
            call(part)
        assert part.refcnt == 0
    with pytest.raises(ReadOnlyError):
        buf.set_byte(0, 1)
    assert b"".join(buf.readable_views()) == b"abcd"
    assert all(view.readonly for view in buf.readable_views())
    assert buf.slice(1, 2) == b"bc"


def test_copied_joins_its_arguments_into_one_fresh_buffer() -> None:
    """Contiguous, growable, and nothing is taken."""
    for name, buf in shapes(b"part").items():
        with unchanged(buf):
            joined = copied(b"a", buf, bytearray(b"z"), array.array("B", [1]))
            assert (bytes(joined), joined.reader_index) == (b"apartz\x01", 0), name
        joined.write_bytes(b"more")
        assert bytes(joined) == b"apartz\x01more"
    assert bytes(copied()) == b""
    for bad in (None, "text", 5):
        with pytest.raises(TypeError):
            copied(b"a", bad)


def test_composite_starts_empty_with_its_maximum() -> None:
    """The default maximum is sys.maxsize."""
    buf = composite()
    assert (buf.capacity, buf.max_capacity, buf.num_components) == (0, sys.maxsize, 0)
    assert composite(10).max_capacity == 10
