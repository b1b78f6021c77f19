"""Memory of others as buffers: shared memory, mmap, array.array, ctypes, memoryviews, and memory at an address.

Owns    BEHAVIOURS 128; what each kind of owner may do while a handle or an export lives.
Never   numpy's, Arrow's and DLPack's objects: they have files of their own.
Always  what the owner is refused while it is wrapped works again when the last holder is gone."""

from __future__ import annotations

import array
import ctypes
import gc
import mmap
import weakref
from collections.abc import Callable, Iterator
from multiprocessing import shared_memory
from typing import Any

import pytest

from zbuf import ByteBuf, composite, copied, wrap
from zbuf.errors import ReadOnlyError

HOLDERS: dict[str, Callable[[ByteBuf], Any]] = {
    "handle": lambda buf: buf,
    "slice": lambda buf: buf.slice(1, 2),
    "duplicate": lambda buf: buf.duplicate(),
    "read-only view": lambda buf: buf.as_read_only(),
    "export": lambda buf: buf.view(1, 2),
    "views": lambda buf: buf.readable_views(),
    "composite": lambda buf: wrap(buf.slice(0, 2), b"more"),
    "slice of a slice": lambda buf: buf.slice(0, 3).slice(1, 1),
    "iterator": iter,
}

each_holder = pytest.mark.parametrize("hold", HOLDERS.values(), ids=[name.replace(" ", "-") for name in HOLDERS])


@each_holder
def test_b128_a_bytearray_is_not_resized_under_a_buffer(hold: Callable[[ByteBuf], Any]) -> None:
    """Neither grown, nor shrunk, nor cleared, whoever the last holder is; items may change."""
    store = bytearray(b"abcd")
    buf = wrap(store)
    holder = hold(buf)
    if holder is not buf:
        buf.release()
    del buf
    for resize in (lambda: store.append(1), store.clear, store.pop, lambda: store.extend(b"xx")):
        with pytest.raises(BufferError):
            resize()
    store[1] = 0x7F
    del holder
    store.append(1)
    store.clear()


@each_holder
def test_b128_an_mmap_is_not_closed_or_resized_under_a_buffer(hold: Callable[[ByteBuf], Any]) -> None:
    """BufferError at the mmap; after the last holder it closes."""
    mapped = mmap.mmap(-1, mmap.PAGESIZE)
    buf = wrap(mapped)
    buf.set_int(0, 0x01020304)
    assert mapped[:4] == b"\1\2\3\4"
    holder = hold(buf)
    if holder is not buf:
        buf.release()
    del buf
    with pytest.raises(BufferError):
        mapped.close()
    with pytest.raises(BufferError):
        mapped.resize(2 * mmap.PAGESIZE)
    del holder
    mapped.close()


def test_b128_a_read_only_mmap_is_read_only() -> None:
    """The buffer is what the map is."""
    with mmap.mmap(-1, 64, access=mmap.ACCESS_READ) as mapped, wrap(mapped) as buf:
        assert (buf.is_read_only, buf.capacity) == (True, 64)
        with pytest.raises(ReadOnlyError):
            buf.set_byte(0, 1)


@pytest.fixture
def segment() -> Iterator[shared_memory.SharedMemory]:
    """A segment of 64 bytes, unlinked at the end."""
    made = shared_memory.SharedMemory(create=True, size=64)
    try:
        yield made
    finally:
        made.close()
        made.unlink()


@each_holder
def test_b128_shared_memory_is_not_closed_under_a_buffer(
    segment: shared_memory.SharedMemory, hold: Callable[[ByteBuf], Any]
) -> None:
    """close() raises BufferError while a holder lives, and works afterwards."""
    other = shared_memory.SharedMemory(segment.name)
    buf = wrap(other.buf)
    buf.set_long(8, -1)
    assert segment.buf[8:16] == b"\xff" * 8
    holder = hold(buf)
    if holder is not buf:
        buf.release()
    del buf
    with pytest.raises(BufferError):
        other.close()
    del holder
    other.close()


def test_shared_memory_is_one_memory_for_two_buffers(segment: shared_memory.SharedMemory) -> None:
    """Two attachments, two buffers: what is written to the one is read from the other."""
    other = shared_memory.SharedMemory(segment.name)
    one, two = wrap(segment.buf[:32]), wrap(other.buf[:32])
    one.set_bytes(4, b"hello")
    assert two.get_bytes(4, 5) == b"hello"
    one.release()
    two.release()
    other.close()


def test_closing_shared_memory_is_what_on_release_is_for() -> None:
    """With the last handle the segment is closed: nothing of the buffer holds it any more by then."""
    made = shared_memory.SharedMemory(create=True, size=16)
    made.unlink()
    buf = wrap(made.buf, on_release=made.close)
    part = buf.slice(2, 4)
    buf.release()
    assert made.buf is not None
    part.release()
    assert made.buf is None


@pytest.mark.parametrize("code", "bBhHiIlLqQfd")
def test_an_array_counts_by_its_bytes(code: str) -> None:
    """Never by its items; it cannot grow meanwhile."""
    store = array.array(code, [1, 2, 3])
    buf = wrap(store)
    assert (buf.capacity, bytes(buf)) == (3 * store.itemsize, store.tobytes())
    with pytest.raises(BufferError):
        store.append(4)
    buf.set_zero(0, store.itemsize)
    assert store[0] == 0
    buf.release()
    store.append(4)


def test_ctypes_objects_are_memory() -> None:
    """Arrays of any type, structures, and the buffers that ctypes makes."""

    class Pair(ctypes.Structure):
        _fields_ = [("a", ctypes.c_uint8), ("b", ctypes.c_uint32)]

    numbers = (ctypes.c_int32 * 3)(1, 2, 3)
    buf = wrap(numbers)
    assert (buf.capacity, buf.get_int_le(4)) == (12, 2)
    buf.set_int_le(8, 77)
    assert numbers[2] == 77
    pair = Pair(1, 2)
    buf = wrap(pair)
    buf.set_int_le(4, 99)
    assert (buf.capacity, pair.b) == (8, 99)
    text = ctypes.create_string_buffer(b"abc", 8)
    assert bytes(wrap(text)) == b"abc\0\0\0\0\0"
    grid = ((ctypes.c_uint16 * 2) * 3)()
    assert wrap(grid).capacity == 12
    assert composite().append(numbers) is None


def test_typed_views_count_by_their_bytes() -> None:
    """memoryviews of any format and shape, if they are in one piece."""
    store = bytearray(24)
    for view in (
        memoryview(store).cast("I"),
        memoryview(store).cast("H", [3, 4]),
        memoryview(store).cast("B").cast("d"),
        memoryview(store)[4:12],
    ):
        buf = wrap(view)
        assert (buf.capacity, buf.is_read_only) == (view.nbytes, False)
        buf.set_byte(0, 1)
        view.release()  # the buffer has its own view
        assert buf.get_byte(0) == 1
    with pytest.raises(BufferError):
        wrap(memoryview(store)[::2])
    assert wrap(memoryview(store).toreadonly()).is_read_only


def test_a_released_view_is_refused() -> None:
    """ValueError, as from Python itself, and nothing is taken."""
    view = memoryview(b"abcd")
    view.release()
    for call in (lambda: wrap(view), lambda: composite().append(view), lambda: copied(view)):
        with pytest.raises(ValueError, match="released"):
            call()


def test_what_has_no_bytes_is_an_empty_buffer() -> None:
    """Of every kind; the owner may do with it what it likes."""
    store = bytearray()
    for nothing in (b"", store, memoryview(b""), array.array("I"), (ctypes.c_int * 0)(), memoryview(b"ab")[2:]):
        buf = wrap(nothing)
        assert (buf.capacity, buf.max_capacity, bytes(buf)) == (0, 0, b"")
    store.append(1)


def test_memory_at_an_address_is_wrapped_by_ctypes() -> None:
    """External memory: a ctypes array at its address, and on_release to free it, after the last holder."""
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.free.restype = None
    freed = []
    address = libc.malloc(64)

    def free() -> None:
        libc.free(address)
        freed.append(address)

    buf = wrap((ctypes.c_ubyte * 64).from_address(address), on_release=free)
    assert (buf.capacity, buf.is_read_only) == (64, False)
    buf.set_string(0, "external")
    assert ctypes.string_at(address, 8) == b"external"
    view = buf.slice(0, 8).view()
    buf.release()
    assert (freed, bytes(view)) == ([], b"external")
    view.release()
    del view
    assert freed == [address]


def test_the_object_is_let_go_with_the_last_holder() -> None:
    """A wrap keeps what it wraps alive, and no longer than it must."""

    class Store(bytearray):
        pass

    store = Store(b"abcd")
    ref = weakref.ref(store)
    buf = wrap(store)
    del store
    part = buf.slice(1, 2)
    buf.release()
    gc.collect()
    assert ref() is not None
    assert bytes(part) == b"bc"
    part.release()
    assert ref() is None


def test_handles_can_be_referred_to_weakly() -> None:
    """weakref.ref(buf) tells when the handle goes; it does not keep it."""
    makers = (lambda: copied(b"abc"), lambda: wrap(b"abc"), lambda: wrap(b"a", b"b"), lambda: copied(b"abc").slice())
    for make in makers:
        buf = make()
        gone: list[str] = []
        name = type(buf).__name__
        ref = weakref.ref(buf, lambda _, name=name, gone=gone: gone.append(name))
        assert ref() is buf
        holder = [buf]
        del buf
        assert gone == []
        holder.clear()
        assert (ref(), gone) == (None, [name])
