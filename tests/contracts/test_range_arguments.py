"""Lengths, ranges and integers as arguments: one rule for all methods.

Owns    BEHAVIOURS 8, 9, 10 and 18.
Never   what the methods do with good arguments.
Always  a bad argument is told apart from a bad place: ValueError, TypeError, OverflowError against BoundsError."""

from __future__ import annotations

import io
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import pytest

from tests.contracts._kit import Make, each_read_only, each_shape, each_writable, fails, for_each, unchanged
from zbuf import ByteBuf, hex_dump, pretty_hex_dump
from zbuf.errors import BoundsError, ReadOnlyError, ReferenceCountError

DATA = bytes(range(65, 85))
Call = Callable[[ByteBuf], Any]

NEGATIVE_LENGTH: dict[str, Call] = {
    "skip_bytes": lambda b: b.skip_bytes(-1),
    "read_bytes": lambda b: b.read_bytes(-1),
    "get_bytes": lambda b: b.get_bytes(0, -1),
    "read_bytes_into": lambda b: b.read_bytes_into(bytearray(4), 0, -1),
    "get_bytes_into": lambda b: b.get_bytes_into(0, bytearray(4), 0, -1),
    "read_to": lambda b: b.read_to(io.BytesIO(), -1),
    "get_to": lambda b: b.get_to(0, io.BytesIO(), -1),
    "slice": lambda b: b.slice(0, -1),
    "slice length": lambda b: b.slice(length=-1),
    "read_slice": lambda b: b.read_slice(-1),
    "copy": lambda b: b.copy(0, -1),
    "copy length": lambda b: b.copy(length=-1),
    "view": lambda b: b.view(0, -1),
    "split": lambda b: b.split(-1),
    "read_string": lambda b: b.read_string(-1),
    "get_string": lambda b: b.get_string(0, -1),
    "to_string": lambda b: b.to_string(index=0, length=-1),
    "bytes_before": lambda b: b.bytes_before(65, 0, -1),
    "is_text": lambda b: b.is_text(0, -1),
    "for_each_byte": lambda b: b.for_each_byte(bool, 0, -1),
    "for_each_byte_desc": lambda b: b.for_each_byte_desc(bool, 0, -1),
    "split_indices": lambda b: b.split_indices(b"a", max_pieces=-1),
    "can_read": lambda b: b.can_read(-1),
    "can_write": lambda b: b.can_write(-1),
    "retain": lambda b: b.retain(-1),
    "retain 0": lambda b: b.retain(0),
    "release": lambda b: b.release(-1),
    "release 0": lambda b: b.release(0),
    "readable_views": lambda b: b.readable_views(-1),
    "readable_views max_bytes": lambda b: b.readable_views(max_bytes=-1),
    "hex_dump": lambda b: hex_dump(b, 0, -1),
    "pretty_hex_dump": lambda b: pretty_hex_dump(b, 0, -1),
}
NEGATIVE_LENGTH_TO_WRITE: dict[str, Call] = {
    "write_bytes": lambda b: b.write_bytes(b"ab", 0, -1),
    "set_bytes": lambda b: b.set_bytes(0, b"ab", 0, -1),
    "set_zero": lambda b: b.set_zero(0, -1),
    "write_zero": lambda b: b.write_zero(-1),
    "ensure_writable": lambda b: b.ensure_writable(-1),
    "try_ensure_writable": lambda b: b.try_ensure_writable(-1),
    "write_from": lambda b: b.write_from(io.BytesIO(b"x"), -1),
    "write_from 0": lambda b: b.write_from(io.BytesIO(b"x"), 0),
    "set_from": lambda b: b.set_from(0, io.BytesIO(b"x"), -1),
    "set_from 0": lambda b: b.set_from(0, io.BytesIO(b"x"), 0),
    "set_capacity": lambda b: b.set_capacity(-1),
    "writable_views": lambda b: b.writable_views(-1),
}
EMPTY_RANGE: dict[str, Callable[[ByteBuf, int], Any]] = {
    "get_bytes": lambda b, i: b.get_bytes(i, 0),
    "get_bytes_into": lambda b, i: b.get_bytes_into(i, bytearray(), 0, 0),
    "get_to": lambda b, i: b.get_to(i, io.BytesIO(), 0),
    "slice": lambda b, i: b.slice(i, 0),
    "copy": lambda b, i: b.copy(i, 0),
    "view": lambda b, i: b.view(i, 0),
    "get_string": lambda b, i: b.get_string(i, 0),
    "to_string": lambda b, i: b.to_string(index=i, length=0),
    "bytes_before": lambda b, i: b.bytes_before(65, i, 0),
    "is_text": lambda b, i: b.is_text(i, 0),
    "for_each_byte": lambda b, i: b.for_each_byte(bool, i, 0),
    "for_each_byte_desc": lambda b, i: b.for_each_byte_desc(bool, i, 0),
    "index_of": lambda b, i: b.index_of(i, i, 65),
    "find_all": lambda b, i: b.find_all(65, i, i),
    "split_indices": lambda b, i: b.split_indices(65, i, i),
    "hex_dump": lambda b, i: hex_dump(b, i, 0),
    "get_struct": lambda b, i: b.get_struct(i, ">"),
}
EMPTY_RANGE_TO_WRITE: dict[str, Callable[[ByteBuf, int], Any]] = {
    "set_bytes": lambda b, i: b.set_bytes(i, b""),
    "set_zero": lambda b, i: b.set_zero(i, 0),
    "set_string": lambda b, i: b.set_string(i, ""),
    "set_struct": lambda b, i: b.set_struct(i, ">"),
}
INTEGER_ARGUMENT: dict[str, Callable[[ByteBuf, Any], Any]] = {
    "reader_index": lambda b, x: setattr(b, "reader_index", x),
    "writer_index": lambda b, x: setattr(b, "writer_index", x),
    "set_index reader": lambda b, x: b.set_index(x, 2),
    "set_index writer": lambda b, x: b.set_index(0, x),
    "skip_bytes": lambda b, x: b.skip_bytes(x),
    "can_read": lambda b, x: b.can_read(x),
    "get_byte": lambda b, x: b.get_byte(x),
    "get_double_le": lambda b, x: b.get_double_le(x),
    "get_bytes index": lambda b, x: b.get_bytes(x, 1),
    "get_bytes length": lambda b, x: b.get_bytes(0, x),
    "read_bytes": lambda b, x: b.read_bytes(x),
    "read_to": lambda b, x: b.read_to(io.BytesIO(), x),
    "get_to index": lambda b, x: b.get_to(x, io.BytesIO(), 1),
    "get_to length": lambda b, x: b.get_to(0, io.BytesIO(), x),
    "slice index": lambda b, x: b.slice(x, 1),
    "slice length": lambda b, x: b.slice(0, x),
    "copy": lambda b, x: b.copy(x, 1),
    "view": lambda b, x: b.view(x, 1),
    "read_slice": lambda b, x: b.read_slice(x),
    "split": lambda b, x: b.split(x),
    "split_off": lambda b, x: b.split_off(x),
    "get_string": lambda b, x: b.get_string(0, x, "latin-1"),
    "find start": lambda b, x: b.find(65, x),
    "find end": lambda b, x: b.find(65, 1, x),
    "rfind": lambda b, x: b.rfind(65, x),
    "index_of from": lambda b, x: b.index_of(x, 3, 65),
    "index_of to": lambda b, x: b.index_of(3, x, 65),
    "index_of value": lambda b, x: b.index_of(3, 5, x),
    "find_all start": lambda b, x: b.find_all(65, x),
    "count end": lambda b, x: b.count(65, 0, x),
    "split_indices max_pieces": lambda b, x: b.split_indices(65, max_pieces=x),
    "find_any start": lambda b, x: b.find_any(b"ab", x),
    "is_text length": lambda b, x: b.is_text(0, x),
    "for_each_byte index": lambda b, x: b.for_each_byte(bool, x, 1),
    "get_varint": lambda b, x: b.get_varint(x),
    "get_struct": lambda b, x: b.get_struct(x, "B"),
    "retain": lambda b, x: b.retain(x),
    "release": lambda b, x: b.release(x),
    "readable_views": lambda b, x: b.readable_views(x),
    "item": lambda b, x: b[x],
}
NONE_MEANS_DEFAULT = {
    "read_to",
    "slice index",
    "slice length",
    "copy",
    "view",
    "split",
    "find start",
    "find end",
    "rfind",
    "find_all start",
    "count end",
    "find_any start",
    "is_text length",
    "for_each_byte index",
}
INTEGER_ARGUMENT_TO_WRITE: dict[str, Callable[[ByteBuf, Any], Any]] = {
    "set_int index": lambda b, x: b.set_int(x, 1),
    "set_int value": lambda b, x: b.set_int(0, x),
    "set_byte value": lambda b, x: b.set_byte(0, x),
    "set_long value": lambda b, x: b.set_long(0, x),
    "set_medium_le value": lambda b, x: b.set_medium_le(0, x),
    "set_zero": lambda b, x: b.set_zero(0, x),
    "set_bytes": lambda b, x: b.set_bytes(x, b"a"),
    "ensure_writable": lambda b, x: b.ensure_writable(x),
    "try_ensure_writable": lambda b, x: b.try_ensure_writable(x),
    "write_from": lambda b, x: b.write_from(io.BytesIO(b"x"), x),
    "set_from index": lambda b, x: b.set_from(x, io.BytesIO(b"x"), 1),
    "set_from length": lambda b, x: b.set_from(0, io.BytesIO(b"x"), x),
    "set_capacity": lambda b, x: b.set_capacity(x),
    "can_write": lambda b, x: b.can_write(x),
    "set_string": lambda b, x: b.set_string(x, "a"),
    "set_struct": lambda b, x: b.set_struct(x, "B", 1),
    "setitem index": lambda b, x: b.__setitem__(x, 1),
    "setitem value": lambda b, x: b.__setitem__(0, x),
    "writable_views": lambda b, x: b.writable_views(x),
}


class Small(IntEnum):
    """An integer that is not an int by class name."""

    ONE = 1


def calls(table: dict[str, Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test over the calls of a table."""
    return for_each("call", table)


@each_shape
@calls(NEGATIVE_LENGTH)
def test_b008_a_negative_length_is_a_bad_value(shape: Make, call: Call) -> None:
    """A length below 0 is ValueError, not a question of bounds; nothing changes."""
    buf = shape(DATA)
    with fails(ValueError, buf):
        call(buf)


@each_writable
@calls(NEGATIVE_LENGTH_TO_WRITE)
def test_b008_a_negative_length_to_write_is_a_bad_value(shape: Make, call: Call) -> None:
    """The same for the calls that a read-only buffer refuses earlier."""
    buf = shape(DATA)
    with fails(ValueError, buf):
        call(buf)


@each_shape
@calls(EMPTY_RANGE)
def test_b009_an_empty_range_is_legal_up_to_the_capacity(shape: Make, call: Callable[[ByteBuf, int], Any]) -> None:
    """Length 0 succeeds from 0 to the capacity, still checks its index, and still notices a released buffer."""
    buf = shape(DATA)
    with unchanged(buf):
        call(buf, 0)
        call(buf, buf.capacity)
    for index in (buf.capacity + 1, -1):
        with fails(BoundsError, buf):
            call(buf, index)
    buf.release()
    with pytest.raises(ReferenceCountError):
        call(buf, 0)


@each_writable
@calls(EMPTY_RANGE_TO_WRITE)
def test_b009_an_empty_range_to_write_is_legal_up_to_the_capacity(
    shape: Make, call: Callable[[ByteBuf, int], Any]
) -> None:
    """Setting nothing changes nothing and is checked like setting something."""
    buf = shape(DATA)
    with unchanged(buf):
        call(buf, 0)
        call(buf, buf.capacity)
    for index in (buf.capacity + 1, -1):
        with fails(BoundsError, buf):
            call(buf, index)
    buf.release()
    with pytest.raises(ReferenceCountError):
        call(buf, 0)


@each_read_only
@calls(EMPTY_RANGE_TO_WRITE)
def test_b009_an_empty_range_of_a_read_only_buffer_is_refused(shape: Make, call: Callable[[ByteBuf, int], Any]) -> None:
    """set_zero(0, 0) on a read-only buffer raises ReadOnlyError."""
    buf = shape(DATA)
    with fails(ReadOnlyError, buf):
        call(buf, 0)


@each_shape
@calls(INTEGER_ARGUMENT)
def test_b010_wrong_types_are_told_and_integers_taken(shape: Make, call: Callable[[ByteBuf, Any], Any]) -> None:
    """True, an IntEnum and a numpy integer are integers; a float and a string are not; 2**70 is too large."""
    for good in (True, Small.ONE):
        taking = shape(DATA)
        taking.reader_index = 0
        call(taking, good)
    buf = shape(DATA)
    for bad in (1.0, "1", b"1", 1j, object()):
        with fails(TypeError, buf):
            call(buf, bad)
    for huge in (2**70, -(2**70), 2**64):
        with fails(OverflowError, buf):
            call(buf, huge)


@calls({name: call for name, call in INTEGER_ARGUMENT.items() if name not in NONE_MEANS_DEFAULT})
def test_b010_none_for_a_required_integer_is_refused(call: Callable[[ByteBuf, Any], Any]) -> None:
    """None stands for "the default" only where a default exists."""
    from zbuf import copied

    buf = copied(DATA)
    with fails(TypeError, buf):
        call(buf, None)


@each_writable
@calls(INTEGER_ARGUMENT_TO_WRITE)
def test_b010_wrong_types_to_write_are_told_and_integers_taken(
    shape: Make, call: Callable[[ByteBuf, Any], Any]
) -> None:
    """The same for values and for the arguments of mutators; 1.9 is never stored as 1."""
    for good in (True, Small.ONE):
        taking = shape(DATA)
        taking.set_index(0, 2)
        call(taking, good)
    buf = shape(DATA)
    for bad in (1.9, "1", None, object()):
        with fails(TypeError, buf):
            call(buf, bad)
    for huge in (2**70, -(2**70)):
        with fails(OverflowError, buf):
            call(buf, huge)


@calls({**INTEGER_ARGUMENT, **INTEGER_ARGUMENT_TO_WRITE})
def test_b010_numpy_integers_are_taken(call: Callable[[ByteBuf, Any], Any]) -> None:
    """numpy.int64 has `__index__` and is therefore an integer."""
    numpy = pytest.importorskip("numpy")
    from zbuf import copied

    call(copied(DATA), numpy.int64(1))
    call(copied(DATA), numpy.uint8(1))


class OnlyInt:
    """Something that int() takes and an index does not."""

    def __int__(self) -> int:
        return 1


@calls({**INTEGER_ARGUMENT, **INTEGER_ARGUMENT_TO_WRITE})
def test_b010_an_object_with_int_but_no_index_is_refused(call: Callable[[ByteBuf, Any], Any]) -> None:
    """A C argument type would call `__int__`: a Decimal or a float would be cut off in silence."""
    from zbuf import copied

    buf = copied(DATA)
    with fails(TypeError, buf):
        call(buf, OnlyInt())


@each_shape
def test_b018_the_optional_pair_means_readable_bytes_by_default(shape: Make) -> None:
    """Both absent: the readable bytes; only index: up to w; only length: from r; both: any place up to capacity."""
    buf = shape(DATA)
    buf.reader_index += 2
    buf.writer_index -= 1
    reader, writer = buf.reader_index, buf.writer_index
    for method in (buf.copy, buf.slice):
        assert method() == DATA[2:-1]
        assert method(reader + 1) == DATA[3:-1]
        assert method(length=3) == DATA[2:5]
        assert method(writer, 1) == DATA[-1:]
        assert method(buf.capacity, 0) == b""
        assert method(writer) == b""
        assert method(length=0) == b""
        for bad in ({"index": writer + 1}, {"length": len(DATA) - 2}, {"index": buf.capacity, "length": 1}):
            with fails(BoundsError, buf):
                method(**bad)
    assert (buf.reader_index, buf.writer_index) == (reader, writer)
