"""Integers whose conversion runs code: `__index__` that releases, shrinks, grows, moves, writes or raises.

Owns    BEHAVIOURS 11; FAULTS 8.
Never   a guess: the result is that of the state after conversion, or the documented error.
Always  no old pointer is used: whatever the argument did, no byte outside the buffer's present window changes."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts._kit import GETTERS, SETTERS, WRITABLE_NAMES, for_each
from zbuf import ByteBuf, hex_dump
from zbuf.errors import BoundsError, ReferenceCountError
from zbuf.testing._shapes import shape as build

DATA = bytes(range(1, 33))
NAMES = ("plain", "pooled", "duplicate", "slice", "wrapped bytearray", "split half", "composite of uneven parts")


class Index:
    """An integer that does something to a buffer while it is asked for its value."""

    def __init__(self, value: int, act: Callable[[], Any]) -> None:
        self.value = value
        self.act = act
        self.asked = 0

    def __index__(self) -> int:
        self.asked += 1
        self.act()
        return self.value


CALLS: dict[str, Callable[[ByteBuf, Any], Any]] = {
    **{f"get_{s.name}": lambda b, x, s=s: s.get(b, x) for s in GETTERS},
    **{f"set_{s.name}": lambda b, x, s=s: s.set(b, x, 1) for s in SETTERS},
    **{f"set_{s.name} value": lambda b, x, s=s: s.set(b, 0, x) for s in SETTERS if s.kind == "signed"},
    "get_bytes": lambda b, x: b.get_bytes(x, 4),
    "get_bytes length": lambda b, x: b.get_bytes(0, x),
    "get_bytes_into": lambda b, x: b.get_bytes_into(x, bytearray(4)),
    "get_bytes_into length": lambda b, x: b.get_bytes_into(0, bytearray(40), 0, x),
    "read_bytes": lambda b, x: b.read_bytes(x),
    "read_bytes_into": lambda b, x: b.read_bytes_into(bytearray(40), 0, x),
    "set_bytes": lambda b, x: b.set_bytes(x, b"abcd"),
    "set_bytes length": lambda b, x: b.set_bytes(0, b"abcdefgh", 0, x),
    "set_zero": lambda b, x: b.set_zero(x, 4),
    "set_zero length": lambda b, x: b.set_zero(0, x),
    "set_string": lambda b, x: b.set_string(x, "abcd"),
    "get_string": lambda b, x: b.get_string(x, 4, "latin-1"),
    "read_string": lambda b, x: b.read_string(x, "latin-1"),
    "skip_bytes": lambda b, x: b.skip_bytes(x),
    "get_to": lambda b, x: b.get_to(x, io.BytesIO(), 4),
    "get_to length": lambda b, x: b.get_to(0, io.BytesIO(), x),
    "read_to": lambda b, x: b.read_to(io.BytesIO(), x),
    "set_from": lambda b, x: b.set_from(x, io.BytesIO(b"abcd"), 4),
    "set_from length": lambda b, x: b.set_from(0, io.BytesIO(b"abcd"), x),
    "slice": lambda b, x: b.slice(x, 4),
    "slice length": lambda b, x: b.slice(0, x),
    "read_slice": lambda b, x: b.read_slice(x),
    "copy": lambda b, x: b.copy(x, 4),
    "view": lambda b, x: b.view(x, 1),
    "split": lambda b, x: b.split(x),
    "split_off": lambda b, x: b.split_off(x),
    "set_index": lambda b, x: b.set_index(0, x),
    "reader_index": lambda b, x: setattr(b, "reader_index", x),
    "writer_index": lambda b, x: setattr(b, "writer_index", x),
    "find": lambda b, x: b.find(b"\x05", x),
    "find needle": lambda b, x: b.find(x),
    "rfind": lambda b, x: b.rfind(b"\x05", 0, x),
    "bytes_before": lambda b, x: b.bytes_before(5, x, 4),
    "index_of": lambda b, x: b.index_of(x, 9, 5),
    "find_all": lambda b, x: b.find_all(b"\x05", x),
    "split_indices": lambda b, x: b.split_indices(b"\x05", x),
    "is_text": lambda b, x: b.is_text(x, 4),
    "for_each_byte": lambda b, x: b.for_each_byte(bool, x, 4),
    "get_varint": lambda b, x: b.get_varint(x),
    "get_struct": lambda b, x: b.get_struct(x, ">I"),
    "set_struct": lambda b, x: b.set_struct(x, ">I", 1),
    "set_struct value": lambda b, x: b.set_struct(0, ">I", x),
    "item": lambda b, x: b[x],
    "item range": lambda b, x: b[x:],
    "set item": lambda b, x: b.__setitem__(x, 1),
    "set item value": lambda b, x: b.__setitem__(0, x),
    "hex_dump": lambda b, x: hex_dump(b, x, 4),
    "readable_views": lambda b, x: b.readable_views(x),
    "can_read": lambda b, x: b.can_read(x),
}
GROWING_CALLS: dict[str, Callable[[ByteBuf, Any], Any]] = {
    **{f"write_{s.name} value": lambda b, x, s=s: s.write(b, x) for s in SETTERS if s.kind == "signed"},
    "write_float value": lambda b, x: b.write_float(x),
    "write_double value": lambda b, x: b.write_double(x),
    "write_varint": lambda b, x: b.write_varint(x),
    "write_varint_zigzag": lambda b, x: b.write_varint_zigzag(x),
    "write_zero": lambda b, x: b.write_zero(x),
    "write_bytes length": lambda b, x: b.write_bytes(b"abcdefgh", 0, x),
    "write_struct": lambda b, x: b.write_struct(">I", x),
    "write_boolean": lambda b, x: b.write_boolean(x.__index__()),
    "write_from": lambda b, x: b.write_from(io.BytesIO(b"abcd"), x),
    "try_ensure_writable": lambda b, x: b.try_ensure_writable(x),
    "ensure_writable": lambda b, x: b.ensure_writable(x),
    "set_capacity": lambda b, x: b.set_capacity(x),
    "writable_views": lambda b, x: b.writable_views(x),
}
each_shape_name = pytest.mark.parametrize("name", NAMES, ids=lambda name: name.replace(" ", "-"))
each_call = for_each("call", CALLS)
each_growing_call = for_each("call", GROWING_CALLS)


@each_shape_name
@for_each("call", {**CALLS, **GROWING_CALLS})
def test_b011_an_index_that_releases_the_buffer(name: str, call: Callable[[ByteBuf, Any], Any]) -> None:
    """ReferenceCountError: the state is looked at after all arguments were converted; no byte changes."""
    buf = build(name, DATA)
    witness = buf.duplicate()
    index = Index(4, buf.release)
    with pytest.raises(ReferenceCountError):
        call(buf, index)
    assert index.asked == 1
    assert bytes(witness) == DATA
    assert buf.refcnt == 0


ADDRESSING = [n for n in CALLS if n.split(" ")[0] not in ("find", "rfind", "readable_views", "can_read", "item")]


@each_shape_name
@for_each("call_name", {name: name for name in ADDRESSING})
def test_b011_an_index_that_takes_the_capacity_away(name: str, call_name: str) -> None:
    """BoundsError: the place it names is no longer there."""
    buf = build(name, DATA)
    witness = buf.duplicate()
    with pytest.raises(BoundsError):
        CALLS[call_name](buf, Index(4, lambda: buf.set_capacity(0)))
    assert bytes(witness) == DATA
    assert (buf.capacity, buf.reader_index, buf.writer_index) == (0, 0, 0)
    buf._check()


@each_shape_name
@each_call
def test_an_index_that_raises_changes_nothing(name: str, call: Callable[[ByteBuf, Any], Any]) -> None:
    """The foreign exception passes unchanged."""

    def fail() -> None:
        raise KeyError("from the argument")

    buf = build(name, DATA)
    with pytest.raises(KeyError, match="from the argument"):
        call(buf, Index(4, fail))
    buf._check()
    assert bytes(buf) == DATA


@pytest.mark.parametrize("name", WRITABLE_NAMES, ids=lambda name: name.replace(" ", "-"))
@pytest.mark.parametrize("act", ["clear", "shrink", "grow", "discard", "split", "compact", "write"])
def test_f8_whatever_an_index_does_the_buffer_stays_whole(name: str, act: str) -> None:
    """The call works on the state after conversion or raises what is documented; bytes elsewhere stay."""
    acts: dict[str, Callable[[ByteBuf], Any]] = {
        "clear": lambda b: b.clear(),
        "shrink": lambda b: b.set_capacity(5),
        "grow": lambda b: b.ensure_writable(100) if b.max_writable_bytes >= 100 else b.skip_bytes(1),
        "discard": lambda b: (b.skip_bytes(3), b.discard_read_bytes()),
        "split": lambda b: b.split(3),
        "compact": lambda b: b.compact(),
        "write": lambda b: b.set_bytes(0, b"\xcc" * 4),
    }
    for call_name, call in {**CALLS, **GROWING_CALLS}.items():
        buf = build(name, DATA)
        witness = buf.copy()
        index = Index(4, lambda buf=buf: acts[act](buf))
        try:
            call(buf, index)
        except (BoundsError, ValueError, BufferError):
            pass
        assert index.asked == 1, call_name
        buf._check()
        assert len(bytes(buf)) == buf.readable_bytes
        assert bytes(witness) == DATA


@each_growing_call
def test_f8_a_value_that_grows_the_buffer_is_stored_in_the_new_block(call: Callable[[ByteBuf, Any], Any]) -> None:
    """The write goes where the buffer is after the conversion, not where it was."""
    buf = build("plain", DATA)
    old = buf.slice()
    call(buf, Index(4, lambda: buf.set_capacity(4000)))
    buf._check()
    assert bytes(old) == DATA
    assert buf.get_bytes(0, 4) == DATA[:4]


@each_shape_name
def test_f8_a_value_that_writes_first_is_written_behind(name: str) -> None:
    """Conversion comes first: what the argument wrote stands before what the call writes."""
    if name in ("slice", "wrapped bytearray"):
        pytest.skip("a fixed buffer has no room")
    buf = build(name, b"")
    buf.write_int(Index(7, lambda: buf.write_bytes(b"first")))
    assert bytes(buf) == b"first\x00\x00\x00\x07"


class Lies:
    """An `__index__` that returns something that is no integer."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __index__(self) -> Any:
        return self.value


@each_call
def test_an_index_that_returns_no_integer_is_a_type_error(call: Callable[[ByteBuf, Any], Any]) -> None:
    """1.0, None and text from `__index__`: TypeError from Python, in both forms."""
    buf = build("plain", DATA)
    for value in (1.0, None, "4"):
        with pytest.raises(TypeError):
            call(buf, Lies(value))
    if call not in (CALLS["item range"], CALLS["set_struct value"]):  # Python clamps slices; struct judges its values
        with pytest.raises(OverflowError):
            call(buf, Lies(2**70))
    assert bytes(buf) == DATA


class Truth:
    """An object whose truth value releases a buffer."""

    def __init__(self, buf: ByteBuf) -> None:
        self.buf = buf

    def __bool__(self) -> bool:
        return self.buf.release()


def test_a_truth_value_that_releases_the_buffer() -> None:
    """write_boolean and set_boolean ask first and then look at the state."""
    for call in (lambda b, x: b.write_boolean(x), lambda b, x: b.set_boolean(0, x)):
        buf = build("plain", DATA)
        with pytest.raises(ReferenceCountError):
            call(buf, Truth(buf))


class Number:
    """A float whose conversion releases a buffer."""

    def __init__(self, buf: ByteBuf) -> None:
        self.buf = buf

    def __float__(self) -> float:
        self.buf.release()
        return 1.5


def test_a_float_conversion_that_releases_the_buffer() -> None:
    """The four float setters convert first and then look at the state."""
    for stem in ("float", "double", "float_le", "double_le"):
        for verb, index in (("write", ()), ("set", (0,))):
            buf = build("plain", DATA)
            witness = buf.duplicate()
            with pytest.raises(ReferenceCountError):
                getattr(buf, f"{verb}_{stem}")(*index, Number(buf))
            assert bytes(witness) == DATA
