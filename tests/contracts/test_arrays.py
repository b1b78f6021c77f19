"""Arrays over every shape: read_array, as_array, write_array, and the protocols by which numpy asks.

Owns    BEHAVIOURS 122, 123, 124 but for its subprocess, and what of 121 concerns shapes.
Never   other libraries: tests/interop has those.
Always  the oracle is numpy itself on `bytes(buf)`."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts._kit import (
    Make,
    MakeGrowing,
    MakeRoom,
    each_contiguous,
    each_growing,
    each_read_only,
    each_room,
    each_shape,
    each_writable,
    fails,
    fresh_pool,
    unchanged,
)
from zbuf import ByteBuf, composite, copied, empty, wrap
from zbuf.audit import CopyReason, audit
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError, ReferenceCountError

np = pytest.importorskip("numpy")

DATA = bytes(range(1, 32))  # odd in length: no item but a byte divides it
RECORD = np.dtype([("kind", "u1"), ("length", ">u2"), ("value", "<f4")])  # packed, so unaligned, in both byte orders
DTYPES = (
    "u1", "i1", "?", "<u2", ">u2", "<i4", ">i4", ">u4", "<u8", ">i8", ">f2", "<f4", ">f8", ">c8", "S3", "V5", ">U1",
    "<M8[s]", RECORD, (">u2", (3,)), int, np.float32, np.dtype(">i8"),
)  # fmt: skip


def in_one_piece(buf: ByteBuf) -> bool:
    return buf.is_contiguous


def copies(bill: Any) -> dict[CopyReason, int]:
    return {reason: count.nbytes for reason, count in bill.user.items() if count.nbytes}


# Reading.


@each_shape
def test_b122_read_array_equals_three_reads(shape: Make) -> None:
    """`read_array(">i2", 3)` moves r by 6 and equals three read_short."""
    buf, other = shape(DATA), shape(DATA)
    r = buf.reader_index
    array = buf.read_array(">i2", 3)
    assert array.tolist() == [other.read_short() for _ in range(3)]
    assert (buf.reader_index, array.dtype, array.shape) == (r + 6, np.dtype(">i2"), (3,))
    buf._check()


@each_shape
def test_b122_every_dtype_reads_what_numpy_reads(shape: Make) -> None:
    """Both byte orders, structures, subarrays, texts, dates: as numpy on the same bytes; the rest stays unread."""
    for given in DTYPES:
        buf = shape(DATA)
        dtype = np.dtype(given)
        n = len(DATA) // dtype.itemsize
        expected = np.frombuffer(DATA, dtype, n)
        array = buf.read_array(given)
        assert (array.dtype, array.shape) == (expected.dtype, expected.shape), given
        assert array.tobytes() == expected.tobytes(), given
        assert buf.readable_bytes == len(DATA) - n * dtype.itemsize, given


@each_shape
def test_b122_count_minus_one_leaves_a_trailing_odd_byte(shape: Make) -> None:
    """-1 takes all whole items; a second time there are none."""
    buf = shape(DATA)
    assert buf.read_array("<u2").size == len(DATA) // 2
    assert (buf.readable_bytes, bytes(buf)) == (1, DATA[-1:])
    with unchanged(buf):
        assert buf.read_array("<u2").shape == (0,)
        assert buf.read_array("<u2", 0).dtype == np.dtype("<u2")
        assert buf.read_array((">u2", (3,)), 0).shape == (0, 3)


@each_shape
def test_b122_too_large_a_count_raises(shape: Make) -> None:
    """With the bytes asked for and those there; also where their number exceeds 64 bits."""
    buf = shape(DATA)
    with fails(BoundsError, buf) as caught:
        buf.read_array(">u4", 8)
    assert (caught.value.requested, caught.value.available) == (32, 31)
    with fails(BoundsError, buf) as caught:
        buf.read_array(">u4", 2**62 + 1)
    assert caught.value.requested == 2**64 + 4
    with fails(BoundsError, buf):
        buf.as_array("u1", sys.maxsize)
    buf.skip_bytes(len(DATA))
    with fails(BoundsError, buf):
        buf.read_array("u1", 1)


@each_shape
def test_b122_bad_arguments_are_refused(shape: Make) -> None:
    """Counts below -1 and items without size are ValueError; objects, None and what is no dtype TypeError."""
    buf = shape(DATA)
    for call in (buf.read_array, buf.as_array):
        for count in (-2, -(2**63)):
            with fails(ValueError, buf):
                call("u1", count)
        for dtype in ("S", "V0", "U0", (">u4", (0,)), np.dtype([])):
            with fails(ValueError, buf):
                call(dtype)
        for dtype in ("O", object, [("a", "O")], None, "nonsense", 5):
            with fails(TypeError, buf):
                call(dtype)
        for count in (1.0, "1", None):
            with fails(TypeError, buf):
                call("u1", count)
        with fails(OverflowError, buf):
            call("u1", 2**70)


@each_shape
def test_b122_faults_come_in_the_order_of_the_rule(shape: Make) -> None:
    """A wrong type before a dead handle, that before a bad value, that before a bad place."""
    buf = shape(DATA)
    with fails(ValueError, buf):
        buf.as_array("u1", -2, buf.capacity + 1)
    buf.release()
    for call in (buf.read_array, buf.as_array):
        with pytest.raises(TypeError):
            call("O")
        with pytest.raises(ReferenceCountError):
            call("u1", -2)
    with pytest.raises(TypeError):
        buf.write_array([None])
    with pytest.raises(ReferenceCountError):
        buf.write_array([300], "u1")


@each_shape
def test_b122_across_components_it_copies_once(shape: Make) -> None:
    """GATHER, exactly the bytes of the array; in one piece nothing is copied at all."""
    buf = shape(DATA)
    apart = not in_one_piece(buf)
    with audit() as opened:
        array = buf.read_array(">u4")
    assert copies(opened.bill) == ({CopyReason.GATHER: 28} if apart else {})
    assert array.tobytes() == DATA[:28]


@each_shape
def test_b121_an_array_is_writable_iff_the_buffer_is(shape: Make) -> None:
    """And one that is not cannot be made so."""
    buf = shape(DATA)
    for array in (buf.as_array("u1", 1), buf.as_array("u1", 0), np.asarray(buf), buf.read_array(">u4")):
        assert array.flags.writeable == (not buf.is_read_only)
        if buf.is_read_only and array.size:
            with pytest.raises(ValueError):
                array.setflags(write=True)


@each_read_only
def test_b121_nothing_of_a_read_only_buffer_can_be_written_through_an_array(shape: Make) -> None:
    """Not through what the array is based on either."""
    buf = shape(DATA)
    base: Any = buf.as_array()
    while isinstance(base, np.ndarray):
        with pytest.raises(ValueError):
            base[0] = 0
        base = base.base
    assert memoryview(base).readonly


@each_writable
def test_b121_an_array_shares_the_memory_both_ways(shape: Make) -> None:
    """What one writes the other sees, wherever the bytes start."""
    buf = shape(DATA)
    r = buf.reader_index
    if not in_one_piece(buf):
        array = buf.as_array("u1", 1)
        array[0] = 0xEE
        assert buf.get_unsigned_byte(r) == 0xEE
        return
    array = buf.as_array(">u2", 3, r + 1)
    array[1] = 0xBEEF
    assert buf.get_unsigned_short(r + 3) == 0xBEEF
    buf.set_short(r + 5, 0x1234)
    assert array[2] == 0x1234
    taken = buf.read_array("<u4", 2)
    buf.set_int_le(r, 77)
    assert taken[0] == 77


@each_shape
def test_b121_an_array_outlives_the_buffer(shape: Make) -> None:
    """It holds the block: after release, and after the handle is gone."""
    buf = shape(DATA)
    arrays = [buf.as_array("u1", 1), np.asarray(buf), buf.read_array(">u2"), buf.read_array("u1")]
    buf.release()
    del buf
    assert [a.tobytes() for a in arrays] == [DATA[:1], DATA, DATA[:30], DATA[30:]]


def test_b121_a_block_returns_when_the_last_array_goes() -> None:
    """Derived arrays included; a gathered one has a block of the same allocator."""
    pool = fresh_pool()
    buf = pool.buffer(64)
    buf.write_bytes(bytes(64))
    array = buf.read_array(">u4")
    part = array[4:8].reshape(2, 2)
    buf.release()
    del buf, array
    assert pool.statistics().live_blocks == 1
    del part
    assert pool.statistics().live_blocks == 0
    whole = pool.composite()
    whole.append(b"abc")
    whole.append(b"def")
    array = whole.read_array("<u2")
    assert pool.statistics().live_blocks == 1
    whole.release()
    assert array.tobytes() == b"abcdef"
    del array
    assert pool.statistics().live_blocks == 0


def test_b121_growth_detaches_from_an_array() -> None:
    """The array keeps the old block; nothing moves under it."""
    buf = copied(b"\0\1\0\2")
    array = buf.as_array(">u2")
    assert buf.is_shared
    buf.write_bytes(bytes(100_000))
    buf.set_short(0, 9)
    assert array.tolist() == [1, 2]
    assert not buf.is_shared


# Looking.


@each_shape
def test_b123_as_array_moves_nothing_and_never_copies(shape: Make) -> None:
    """In one piece it is a view from any index on; across components it raises."""
    buf = shape(DATA)
    r, w = buf.reader_index, buf.writer_index
    with unchanged(buf), audit() as opened:
        for index in range(r, w + 1):
            if _is_one_piece(buf, index, w - index):
                array = buf.as_array("u1", index=index)
                assert array.tobytes() == DATA[index - r :]
            else:
                with pytest.raises(BufferError):
                    buf.as_array("u1", index=index)
    assert CopyReason.GATHER not in copies(opened.bill)


def _is_one_piece(buf: ByteBuf, index: int, n: int) -> bool:
    return buf.slice(index, n).is_contiguous


@each_contiguous
def test_b123_unaligned_starts_work(shape: Make) -> None:
    """An item may start at any byte, and be computed with."""
    buf = shape(DATA)
    r = buf.reader_index
    for at, given in itertools.product(range(9), (">u2", "<u4", ">f8", RECORD)):
        expected = np.frombuffer(DATA, given, 2, at)
        array = buf.as_array(given, 2, r + at)
        assert array.tobytes() == expected.tobytes()
        if np.dtype(given).kind == "u":
            assert int(array.sum()) == int(expected.sum())


@each_shape
def test_b123_as_array_is_bounded_by_the_writer_index(shape: Make) -> None:
    """An index behind it, or below 0, is out of bounds, and so is a count that reaches beyond it."""
    buf = shape(DATA)
    w = buf.writer_index
    for index in (w + 1, -1, 2**40):
        with fails(BoundsError, buf):
            buf.as_array("u1", 0, index)
    with fails(BoundsError, buf) as caught:
        buf.as_array(">u4", 1, w - 3)
    assert (caught.value.requested, caught.value.available) == (4, 3)
    assert buf.as_array("u1", -1, w).size == 0
    with unchanged(buf):
        assert buf.as_array("u1", 1, 0).tobytes() == buf.get_bytes(0, 1)  # consumed bytes may be looked at


# Writing.

SOURCES: dict[str, Callable[[], Any]] = {
    "1-D": lambda: np.arange(5, dtype=">u2"),
    "strided": lambda: np.arange(20, dtype="<i4")[::3],
    "reversed": lambda: np.arange(6, dtype="u1")[::-1],
    "2-D": lambda: np.arange(6, dtype=">i8").reshape(2, 3),
    "Fortran": lambda: np.asfortranarray(np.arange(12, dtype="<f4").reshape(3, 4)),
    "transposed": lambda: np.arange(12, dtype="u1").reshape(3, 4).T,
    "0-D": lambda: np.array(0x0102, ">u2"),
    "empty": lambda: np.zeros((3, 0), "<f8"),
    "structured": lambda: np.array([(1, 2, 0.5), (3, 4, 1.5)], RECORD),
    "one field": lambda: np.array([(1, 2, 0.5), (3, 4, 1.5)], RECORD)["length"],
    "dates": lambda: np.array(["2026-01-01", "1970-01-01"], "M8[s]"),
    "texts": lambda: np.array([b"ab", b"c"], "S3"),
    "broadcast": lambda: np.broadcast_to(np.array([7, 8], "<u2"), (3, 2)),
    "read-only": lambda: np.frombuffer(b"abcd", ">u2"),
    "list": lambda: [1.5, -2.5],
    "number": lambda: 7,
    "memoryview": lambda: memoryview(b"abc"),
}


@each_room
def test_b124_write_array_stores_c_order(room: MakeRoom) -> None:
    """Strided, 2-D, empty, 0-d: the bytes of tobytes(), and their number is returned."""
    for name, make in SOURCES.items():
        source = make()
        expected = np.asarray(source).tobytes()
        buf = room(len(expected) + 3)
        w = buf.writer_index
        assert buf.write_array(source) == len(expected), name
        assert buf.writer_index == w + len(expected), name
        assert bytes(buf) == expected, name
        buf._check()


CONVERSIONS = (
    ([1, 2, 300], ">u2"),
    ([-1, 127], "i1"),
    (np.arange(-3, 4), "<i8"),
    (np.arange(4, dtype="u8")[::2], "u1"),
    ([0.5, 1e300], ">f8"),
    ([0.1, float("inf"), float("-inf"), float("nan"), 3.4028235e38], "<f4"),
    ([65519.0], ">f2"),
    ([1, 0, 2.5], "?"),
    ([1.9, -1.9], "i1"),
    ([255.9], "u1"),
    ([1 + 2j], ">c8"),
    ([1.5], "<c16"),
    ([True, False], ">i4"),
    (["2026-01-01"], "<M8[D]"),
    ([b"ab"], "S4"),
    ([2**63], "<u8"),
    ([-(2**63)], ">i8"),
    (np.arange(6).reshape(2, 3).T, ">u2"),
    (5, "<u4"),
    ([], "<u4"),
)


@each_room
def test_b124_with_a_dtype_it_converts(room: MakeRoom) -> None:
    """As numpy does, straight into place."""
    for values, given in CONVERSIONS:
        with np.errstate(all="ignore"):
            expected = np.asarray(values).astype(given, order="C").tobytes()
        buf = room(len(expected))
        assert buf.write_array(values, given) == len(expected), (values, given)
        assert bytes(buf) == expected, (values, given)


@each_room
def test_b124_structures_and_subarrays_are_written_as_they_are_read(room: MakeRoom) -> None:
    """Tuples become records; what pads a record is zero; a subarray wants its own shape."""
    buf = room(100)
    assert buf.write_array([(1, 2, 0.5)], RECORD) == 7
    assert buf.read_array(RECORD).tolist() == [(1, 2, 0.5)]
    padded = np.dtype([("a", "u1"), ("b", "<u4")], align=True)
    for at in range(buf.capacity):
        buf.set_byte(at, 0xEE)
    buf.clear()
    assert buf.write_array([(1, 2)], padded) == 8
    assert buf.read_bytes(8) == b"\1\0\0\0\2\0\0\0"
    assert buf.write_array(np.array([(3, 4)], [("a", "u1"), ("b", ">u4")]), padded) == 8
    assert buf.read_bytes(8) == b"\3\0\0\0\4\0\0\0"
    buf.clear()
    triples = (">u2", (3,))
    assert buf.write_array([[1, 2, 3], [4, 5, 6]], triples) == 12
    assert buf.read_array(triples).tolist() == [[1, 2, 3], [4, 5, 6]]
    with fails(ValueError, buf):
        buf.write_array([1, 2], triples)


TOO_LARGE = (
    ([256], "u1"), ([-1], "u1"), ([128], "i1"), ([-129], "i1"), ([2**16], ">u2"), ([2**32], "<u4"), ([-1], "<u8"),
    ([2**63], ">i8"), ([2**64], "<u8"), (np.array([2**63], "u8"), "i8"), ([256.0], "u1"), ([-1.0], "u1"),
    ([1e39], "f4"), ([-1e39, float("inf")], "f4"), ([float("nan"), 1e39], "f4"), ([65520.0], "f2"), ([70_000], "f2"),
    ([1e39j], "c8"), ([float("nan")], "i4"), ([float("inf")], "u1"), (np.array([3.5e38], "g"), "f4"),
)  # fmt: skip


@each_room
def test_b124_v1_a_number_outside_its_range_is_refused(room: MakeRoom) -> None:
    """OverflowError, and nothing is written: the same rule as for every other writer."""
    buf = room(16)
    for values, given in TOO_LARGE:
        with fails(OverflowError, buf):
            buf.write_array(values, given)


@each_room
def test_b124_what_has_no_conversion_is_refused(room: MakeRoom) -> None:
    """Objects, texts as numbers, complex numbers as real ones, a structure with narrower fields: TypeError."""
    buf = room(32)
    wide = np.array([(1, 2)], [("a", "<i8"), ("b", "<i8")])
    for values, given in (
        ([None], None),
        ([object()], None),
        ([1], "O"),
        (["1"], "u1"),
        ([1j], "f8"),
        (wide, [("a", "<i4"), ("b", "<i4")]),
        (np.array(["2026-01-01"], "M8[ns]"), "M8[s]"),
        ([1], 5),
    ):
        with fails(TypeError, buf):
            buf.write_array(values, given)
    with fails(ValueError, buf):
        buf.write_array([1], "S")
    with fails(ValueError, buf):
        buf.write_array([[1, 2], [3]])


@each_growing
def test_b124_write_array_grows_up_to_the_maximum(growing: MakeGrowing) -> None:
    """Growing as every write does; beyond the maximum nothing changes, nor is anything allocated."""
    buf = growing(b"", 40)
    assert buf.write_array(range(8), ">u4") == 32
    for values, given in ((range(3), ">u4"), (np.broadcast_to(np.uint8(1), (2**31, 2**31)), None)):
        with fails(CapacityError, buf):
            buf.write_array(values, given)
    assert buf.write_array([1, 2, 3, 4][::2], "<i4") == 8
    assert bytes(buf) == np.arange(8, dtype=">u4").tobytes() + np.array([1, 3], "<i4").tobytes()


@each_read_only
def test_b124_a_read_only_buffer_is_not_written(shape: Make) -> None:
    """Nor is one whose room lies in a read-only component, and it does not grow before it says so."""
    buf = shape(DATA)
    for values in ([], [1]):
        with fails(ReadOnlyError, buf):
            buf.write_array(values)
    mixed = composite()
    mixed.append(bytearray(4))
    mixed.append(b"abcd")
    mixed.writer_index = 2
    for values in (bytes(3), np.arange(8, dtype="u1")[::2], bytes(100), np.zeros(100, "u1"), np.zeros(100)[::2]):
        with fails(ReadOnlyError, mixed):
            mixed.write_array(values)
    with fails(ReadOnlyError, mixed):
        mixed.write_bytes(bytes(100))
    assert mixed.write_array(np.array([1], "<u2")) == 2


@each_room
def test_b124_the_bytes_are_billed_once(room: MakeRoom) -> None:
    """TRANSFER, and no copy in between: strided, converted or as they lie."""
    for values, given in ((np.arange(8, dtype="u1"), None), (np.arange(16, dtype="u1")[::2], None), (range(4), ">u2")):
        buf = room(8)
        with audit() as opened:
            buf.write_array(values, given)
        assert copies(opened.bill) == {CopyReason.TRANSFER: 8}


@each_writable
def test_b124_a_buffer_may_be_written_to_itself(shape: Make) -> None:
    """Through an array on its own bytes: also where it has to grow or is looked at by a strided view."""
    buf = shape(DATA)
    fixed = buf.max_capacity == buf.capacity
    if fixed:
        buf.writer_index = buf.reader_index + 8
    content = bytes(buf)[:8]
    array = buf.read_array("u1", 8)
    r = buf.reader_index
    buf.writer_index = max(r, buf.writer_index)
    if fixed and buf.max_writable_bytes < 8:
        pytest.skip("no room")
    assert buf.write_array(array) == 8
    assert buf.write_array(array[::-4]) == 2
    assert buf.get_bytes(buf.writer_index - 10, 10) == content + content[::-4]


@each_room
def test_b124_what_is_written_is_what_is_read(room: MakeRoom) -> None:
    """For every dtype with a value."""
    for given in DTYPES:
        dtype = np.dtype(given)
        values = np.frombuffer(DATA, dtype, len(DATA) // dtype.itemsize)
        buf = room(len(DATA))
        n = buf.write_array(values)
        assert (n, bytes(buf)) == (values.nbytes, values.tobytes())
        assert buf.read_array(given).tobytes() == values.tobytes()
        assert buf.readable_bytes == 0


@each_room
def test_b011_values_that_turn_against_the_buffer(room: MakeRoom) -> None:
    """Conversion runs foreign code, which may release the buffer: it is seen before a byte moves."""

    class Turncoat:
        def __init__(self, buf: ByteBuf) -> None:
            self.buf = buf

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            self.buf.release()
            return np.arange(4)

        @property
        def dtype(self) -> Any:
            self.buf.release()
            return np.dtype("u1")

    class Count:
        def __init__(self, buf: ByteBuf) -> None:
            self.buf = buf

        def __index__(self) -> int:
            self.buf.release()
            return 1

    for call in (
        lambda buf: buf.write_array(Turncoat(buf)),
        lambda buf: buf.read_array("u1", Count(buf)),
        lambda buf: buf.as_array("u1", 1, Count(buf)),
        lambda buf: buf.read_array(Turncoat(buf)),
        lambda buf: buf.write_array([1], Turncoat(buf)),
    ):
        buf = room(8)
        buf.write_long(1)
        with pytest.raises(ReferenceCountError):
            call(buf)
        assert buf.refcnt == 0


# The protocols.


@each_shape
def test_b121_asarray_is_uint8_in_every_form(shape: Make) -> None:
    """Never a list of integers, and no copy in one piece."""
    buf = shape(DATA)
    with audit() as opened:
        array = np.asarray(buf)
    assert (array.dtype, array.shape, array.tobytes()) == (np.dtype("u1"), (31,), DATA)
    assert copies(opened.bill) == ({} if in_one_piece(buf) else {CopyReason.GATHER: 31})
    assert np.asarray(buf, dtype=">u4").tolist() == list(DATA)  # the numbers are converted, not seen otherwise
    assert np.array(buf).tobytes() == DATA
    assert np.array_equal(np.concatenate([buf, buf]), list(DATA + DATA))


@each_shape
def test_b121_array_protocol_keeps_its_word_about_copies(shape: Make) -> None:
    """copy=True is a copy of one's own, copy=False never one, None as needed."""
    buf = shape(DATA)
    mine = buf.__array__(copy=True)
    assert (mine.tobytes(), mine.flags.writeable) == (DATA, True)
    mine[0] = 0xEE
    assert bytes(buf) == DATA
    with pytest.raises(ValueError):
        buf.__array__(dtype="<f4", copy=False)
    assert buf.__array__(dtype="<f4").tolist() == list(DATA)
    assert buf.__array__(np.dtype("u1"), copy=None).tobytes() == DATA
    if in_one_piece(buf):
        view = buf.__array__(copy=False)
        assert np.shares_memory(view, buf.as_array())
    else:
        with pytest.raises(ValueError):
            buf.__array__(copy=False)


def test_empty_buffers_give_empty_arrays() -> None:
    """Of every dtype, also where there is no component at all."""
    for make in (empty, composite, lambda: wrap(b""), lambda: copied(b"")):
        buf = make()
        assert buf.read_array(">u4").shape == (0,)
        assert buf.as_array(RECORD).shape == (0,)
        assert np.asarray(buf).shape == (0,)
        assert buf.__array__(copy=True).shape == (0,)
        with pytest.raises(BoundsError):
            buf.read_array("u1", 1)
