"""DLPack: buffers that others take, and objects that have nothing else.

Owns    BEHAVIOURS 127 as far as DLPack goes.
Never   a device: there is a stand-in for one.
Always  memory is shared, never copied, unless a copy was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts._kit import Make, each_shape
from zbuf import composite, copied, empty, wrap
from zbuf.audit import CopyReason, audit

np = pytest.importorskip("numpy")

DATA = bytes(range(1, 24))
VERSIONED = tuple(int(part) for part in np.__version__.split(".")[:2]) >= (2, 1)  # it can say "read-only" in a capsule


class Tensor:
    """An object that has `__dlpack__` and no buffer, as tensors of other libraries do."""

    def __init__(self, array: Any, device: tuple[int, int] = (1, 0)) -> None:
        self.array = array
        self.device = device
        self.asked = 0

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.device

    def __dlpack__(self, **arguments: Any) -> Any:
        self.asked += 1
        return self.array.__dlpack__(**arguments)


@each_shape
def test_b127_numpy_takes_a_buffer_by_dlpack(shape: Make) -> None:
    """As uint8, on the same memory, holding it; BufferError across components."""
    buf = shape(DATA)
    assert buf.__dlpack_device__() == (1, 0)
    if not buf.is_contiguous:
        with pytest.raises(BufferError):
            np.from_dlpack(buf)
        with audit() as opened:
            capsule = buf.__dlpack__(copy=True)
        assert opened.bill.user[CopyReason.GATHER].nbytes == len(DATA)
        del capsule
        return
    if buf.is_read_only and not VERSIONED:
        with pytest.raises(BufferError):
            np.from_dlpack(buf)
        return
    with audit() as opened:
        array = np.from_dlpack(buf)
    assert opened.bill.user == {}
    assert (array.dtype, array.shape, array.tobytes()) == (np.dtype("u1"), (23,), DATA)
    assert np.shares_memory(array, buf.as_array())
    if buf.is_read_only:
        assert not array.flags.writeable
    buf.release()
    del buf
    assert array.tobytes() == DATA


def test_b127_read_only_bytes_need_a_consumer_that_hears_of_it() -> None:
    """Without a version a capsule cannot say so: BufferError, and not a writable array."""
    for buf in (wrap(b"abcd"), copied(b"abcd").as_read_only()):
        with pytest.raises(BufferError):
            buf.__dlpack__()
        assert buf.__dlpack__(copy=True) is not None
    assert copied(b"abcd").__dlpack__() is not None


def test_b127_a_copy_is_one_of_its_own() -> None:
    """copy=True: later changes of the buffer do not show; copy=False is what one gets anyway."""
    buf = copied(DATA)
    with audit() as opened:
        array = np.from_dlpack(Copying(buf))
    assert opened.bill.user[CopyReason.COPY].nbytes == len(DATA)
    buf.set_byte(0, 0x7F)
    assert array.tobytes() == DATA
    assert buf.__dlpack__(copy=False) is not None
    with pytest.raises(BufferError):
        wrap(b"a", b"b").__dlpack__(copy=False)


class Copying:
    """Asks a buffer for a copy, whoever asks it."""

    def __init__(self, buf: Any) -> None:
        self.buf = buf

    def __dlpack_device__(self) -> Any:
        return self.buf.__dlpack_device__()

    def __dlpack__(self, **arguments: Any) -> Any:
        return self.buf.__dlpack__(**(arguments | {"copy": True}))


def test_b127_other_devices_are_refused() -> None:
    """Bytes in the CPU's memory do not move to a device, and a device's memory is no buffer."""
    buf = copied(DATA)
    for device in ((2, 0), (1, 1), (10, 0)):
        with pytest.raises(BufferError):
            buf.__dlpack__(dl_device=device)
    assert buf.__dlpack__(dl_device=(1, 0)) is not None
    for device in ((2, 0), (10, 3)):
        tensor = Tensor(np.zeros(4, "u1"), device)
        with pytest.raises(BufferError):
            wrap(tensor)
        with pytest.raises(BufferError):
            wrap(b"abc", tensor)
        assert tensor.asked == 0


def test_b127_wrap_shares_the_memory_of_an_object_with_dlpack_only() -> None:
    """Its bytes, whatever its items are; alone or among several parts."""
    array = np.arange(6, dtype="<i4").reshape(2, 3)
    tensor = Tensor(array)
    buf = wrap(tensor)
    assert (buf.capacity, bytes(buf), tensor.asked) == (24, array.tobytes(), 1)
    array[1, 2] = 77
    assert buf.get_int_le(20) == 77
    both = wrap(b"head", Tensor(array))
    assert (both.num_components, bytes(both)) == (2, b"head" + array.tobytes())
    del array, tensor
    assert buf.get_int_le(20) == 77
    assert wrap(Tensor(np.zeros(0, "u1"))).capacity == 0


def test_b127_wrap_keeps_the_object_and_says_when_it_is_done() -> None:
    """on_release, for tensors too."""
    done: list[int] = []
    buf = wrap(Tensor(np.zeros(4, "u1")), on_release=lambda: done.append(1))
    part = buf.slice(0, 2)
    buf.release()
    assert done == []
    part.release()
    assert done == [1]


def test_b127_a_tensor_that_is_not_in_one_piece_is_refused() -> None:
    """BufferError, as for every other object."""
    grid = np.zeros((4, 4), "u1")
    for array in (grid[:, ::2], grid.T[1:]):
        with pytest.raises(BufferError):
            wrap(Tensor(array))


def test_b127_what_has_both_is_taken_by_its_buffer() -> None:
    """numpy's own arrays keep being locked and typed by the buffer protocol."""
    array = np.zeros(4, "u1")
    buf = wrap(array)
    assert not buf.is_read_only
    with pytest.raises(ValueError, match="resize"):
        array.resize(8)


def test_b127_errors_of_the_object_pass() -> None:
    """What its own methods raise is not hidden; an item that numpy does not know is a BufferError."""

    class Broken(Tensor):
        def __dlpack__(self, **arguments: Any) -> Any:
            raise RuntimeError("Unsupported dtype")

    with pytest.raises(BufferError):
        wrap(Broken(np.zeros(1)))

    class Dead(Tensor):
        def __dlpack_device__(self) -> Any:
            raise LookupError("gone")

    with pytest.raises(LookupError):
        wrap(Dead(np.zeros(1)))


def test_b127_nothing_is_an_empty_array() -> None:
    """Buffers without bytes can be taken too."""
    for buf in (empty(), composite(), copied(b"")):
        assert np.from_dlpack(buf).shape == (0,)
