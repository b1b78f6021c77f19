"""touch, shares_memory_with, address: what a buffer tells about its memory, over every shape.

Owns    the SURFACE row of these three.
Never   the ledger's own behaviour: see tests/memory/test_ledger.py.
Always  an address is checked by reading there with ctypes."""

from __future__ import annotations

import ctypes

import pytest

from tests.contracts._kit import Make, each_contiguous, each_shape
from zbuf import ByteBuf, Pool, buffer, composite, copied, empty, wrap

DATA = bytes(range(1, 33))


@each_contiguous
def test_address_is_where_the_next_byte_lies(shape: Make) -> None:
    """What foreign code reads there are the readable bytes; it moves with the reader index."""
    buf = shape(DATA)
    assert ctypes.string_at(buf.address(), len(DATA)) == DATA
    at = buf.address()
    buf.skip_bytes(5)
    assert buf.address() == at + 5
    assert ctypes.string_at(buf.address(), len(DATA) - 5) == DATA[5:]


@each_contiguous
def test_address_of_no_bytes_is_still_a_place(shape: Make) -> None:
    """At the end of the readable bytes there is an address too: writing may go on there."""
    buf = shape(DATA)
    at = buf.address()
    buf.skip_bytes(len(DATA))
    assert buf.address() == at + len(DATA)


def test_address_of_a_composite_needs_one_component() -> None:
    """Over several it is a BufferError; once the readable bytes lie in one, it is where they are."""
    whole = wrap(copied(DATA[:7]), copied(DATA[7:]))
    with pytest.raises(BufferError):
        whole.address()
    whole.skip_bytes(7)
    assert ctypes.string_at(whole.address(), len(DATA) - 7) == DATA[7:]
    whole.skip_bytes(len(DATA) - 7)
    assert isinstance(whole.address(), int)
    assert isinstance(composite().address(), int)
    assert isinstance(empty().address(), int)


def test_foreign_code_writes_where_the_address_says() -> None:
    """A store by ctypes is seen by the buffer."""
    buf = copied(DATA)
    ctypes.memset(buf.address(), 0xEE, 3)
    assert bytes(buf) == b"\xee\xee\xee" + DATA[3:]


@each_shape
def test_touch_returns_the_buffer_and_changes_nothing(shape: Make) -> None:
    """Off, it only says that the handle lives."""
    buf = shape(DATA)
    reader, writer = buf.reader_index, buf.writer_index
    assert buf.touch() is buf
    assert buf.touch("decoder") is buf
    assert buf.touch(hint=object()) is buf
    assert (bytes(buf), buf.reader_index, buf.writer_index) == (DATA, reader, writer)


@each_shape
def test_a_buffer_shares_with_what_is_derived_from_it_and_with_nothing_else(shape: Make) -> None:
    """Slices, duplicates and views share; copies, other buffers and empty ones do not; the relation is symmetric."""
    buf, other = shape(DATA), shape(DATA)
    slices: list[ByteBuf] = [buf.slice(), buf.duplicate(), buf.as_read_only(), buf.slice(buf.reader_index + 3, 1)]
    for derived in slices:
        assert buf.shares_memory_with(derived)
        assert derived.shares_memory_with(buf)
    assert buf.shares_memory_with(buf)
    for stranger in (buf.copy(), copied(DATA), empty(), composite(), buffer(0, 0)):
        assert not buf.shares_memory_with(stranger)
        assert not stranger.shares_memory_with(buf)
    if not buf.is_read_only:
        assert not buf.shares_memory_with(other)


def test_halves_of_one_block_share_it_also_without_a_common_byte() -> None:
    """Blocks count whole."""
    buf = copied(DATA)
    front = buf.split(16)
    assert front.shares_memory_with(buf)
    assert buf.shares_memory_with(front)


def test_two_wraps_of_one_object_share_it() -> None:
    """The handles have nothing in common but the bytes."""
    store = bytearray(DATA)
    one, two = wrap(store), wrap(memoryview(store)[8:16])
    assert one.shares_memory_with(two)
    assert two.shares_memory_with(one)
    assert not one.shares_memory_with(wrap(bytearray(DATA)))
    assert not wrap(memoryview(store)[:8]).shares_memory_with(two)


def test_composites_share_when_any_of_their_components_do() -> None:
    """In either order, among many blocks."""
    parts = [copied(DATA) for _ in range(20)]
    whole = wrap(*[part.slice() for part in parts])
    strangers = wrap(*[copied(DATA) for _ in range(20)])
    assert not whole.shares_memory_with(strangers)
    strangers.append(parts[13].slice(3, 2))
    assert whole.shares_memory_with(strangers)
    assert strangers.shares_memory_with(whole)
    assert whole.shares_memory_with(parts[0])
    assert parts[19].shares_memory_with(whole)


def test_sharing_ends_when_one_detaches() -> None:
    """A write beyond the block moves one of them to a new one."""
    buf = Pool().buffer(64)
    buf.write_bytes(DATA)
    twin = buf.duplicate()
    assert buf.shares_memory_with(twin)
    buf.write_bytes(bytes(200))
    assert not buf.shares_memory_with(twin)


@pytest.mark.parametrize("other", [None, b"bytes", 1, "text"], ids=repr)
def test_sharing_is_asked_of_buffers_only(other: object) -> None:
    """Anything else is a TypeError, also on a released buffer."""
    buf = copied(DATA)
    with pytest.raises(TypeError):
        buf.shares_memory_with(other)  # type: ignore[arg-type]  # the point of the test
    buf.release()
    with pytest.raises(TypeError):
        buf.shares_memory_with(other)  # type: ignore[arg-type]  # the point of the test
