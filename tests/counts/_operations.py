"""Every public operation on buffers as one expression, and the buffers it is measured on.

Owns    the expressions; `b` is a buffer, `o` what the operation needs besides: a second buffer, fresh for each call.
Never   what an expression may cost.
Always  numbers and runs of bytes straddle the border of the two components when the buffer is a composite; a write
        goes into room that is there. What grows, takes or frees is measured by an operation of its own."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import os
import pickle
import struct
from collections.abc import Callable
from typing import Any

import zbuf
import zbuf.io  # a room of its own, found by its address
from zbuf import ByteBuf, CompositeByteBuf, Pool
from zbuf.io import ByteBufReader, ByteBufWriter

PAYLOAD = bytes(range(256)) * 16
HALF = len(PAYLOAD) // 2
BEFORE_BORDER = HALF - 1  # every number of two bytes and more straddles

STEMS_STORED = ("boolean", "byte", "short", "medium", "int", "long", "float", "double")
STEMS_READ = (*STEMS_STORED, "unsigned_byte", "unsigned_short", "unsigned_medium", "unsigned_int", "unsigned_long")


def _orders(stem: str) -> tuple[str, ...]:
    return ("",) if stem in ("boolean", "byte", "unsigned_byte") else ("", "_le")


READ_STEMS = [stem + order for stem in STEMS_READ for order in _orders(stem)]
STORED_STEMS = [stem + order for stem in STEMS_STORED for order in _orders(stem)]

READING: dict[str, str] = {
    **{f"read_{stem}": f"b.read_{stem}()" for stem in READ_STEMS},
    **{f"get_{stem}": f"b.get_{stem}(2047)" for stem in READ_STEMS},
    **{f"peek_{stem}": f"b.peek_{stem}()" for stem in READ_STEMS},
    "reader_index": "b.reader_index",
    "writer_index": "b.writer_index",
    "capacity": "b.capacity",
    "max_capacity": "b.max_capacity",
    "readable_bytes": "b.readable_bytes",
    "writable_bytes": "b.writable_bytes",
    "max_writable_bytes": "b.max_writable_bytes",
    "max_fast_writable_bytes": "b.max_fast_writable_bytes",
    "is_readable": "b.is_readable",
    "is_writable": "b.is_writable",
    "is_read_only": "b.is_read_only",
    "is_contiguous": "b.is_contiguous",
    "is_shared": "b.is_shared",
    "memory_size": "b.memory_size",
    "allocator": "b.allocator",
    "refcnt": "b.refcnt",
    "can_read": "b.can_read(8)",
    "can_write": "b.can_write(8)",
    "set_index": "b.set_index(5, 9)",
    "clear": "b.clear()",
    "skip_bytes": "b.skip_bytes(8)",
    "retain": "b.retain()",
    "release": "b.release()",
    "set_capacity": "b.set_capacity(2050)",
    "discard_read_bytes": "b.discard_read_bytes()",
    "discard_some_read_bytes": "b.discard_some_read_bytes()",
    "compact": "b.compact()",
    "read_varint": "b.read_varint()",
    "read_varint_zigzag": "b.read_varint_zigzag()",
    "get_varint": "b.get_varint(2047)",
    "read_struct": "b.read_struct(LAYOUT)",
    "get_struct": "b.get_struct(2047, LAYOUT)",
    "read_bytes": "b.read_bytes(64)",
    "get_bytes": "b.get_bytes(2047, 64)",
    "read_bytes_into": "b.read_bytes_into(o, None, 64)",
    "get_bytes_into": "b.get_bytes_into(2047, o, None, 64)",
    "read_to": "b.read_to(SINK, 64)",
    "get_to": "b.get_to(2047, SINK, 64)",
    "readable_views": "b.readable_views()",
    "read_string": "b.read_string(64, 'latin-1')",
    "get_string": "b.get_string(2047, 64, 'latin-1')",
    "to_string": "b.to_string('latin-1')",
    "find": "b.find(CRLF)",
    "rfind": "b.rfind(CRLF)",
    "bytes_before": "b.bytes_before(200)",
    "index_of": "b.index_of(2040, 2400, 200)",
    "find_any": "b.find_any(CRLF)",
    "find_not": "b.find_not(PAYLOAD[:64])",
    "find_all": "b.find_all(CRLF)",
    "count": "b.count(CRLF)",
    "startswith": "b.startswith(SMALL)",
    "endswith": "b.endswith(SMALL)",
    "split_indices": "b.split_indices(CRLF)",
    "for_each_byte": "b.for_each_byte(STOP)",
    "for_each_byte_desc": "b.for_each_byte_desc(STOP)",
    "is_text": "b.is_text(None, None, 'latin-1')",
    "MultiSearch.find": "SEARCH.find(b)",
    "read_array": "b.read_array('>u4', 16)",
    "equal_range()": "zbuf.equal_range(b, 2040, o, 0, 64)",
    "slice": "b.slice(2040, 64)",
    "read_slice": "b.read_slice(64)",
    "duplicate": "b.duplicate()",
    "copy": "b.copy(2040, 64)",
    "as_read_only": "b.as_read_only()",
    "split": "b.split(64)",
    "split_off": "b.split_off(2050)",
    "move": "b.move()",
    "len()": "len(b)",
    "bool()": "bool(b)",
    "bytes()": "bytes(b)",
    "repr()": "repr(b)",
    "hex_dump()": "zbuf.hex_dump(b, 2040, 64)",
    "pretty_hex_dump()": "zbuf.pretty_hex_dump(b, 2040, 64)",
    "b[i]": "b[3]",
    "b[i:j]": "b[0:64]",
    "iter()": "iter(b)",
    "reversed()": "reversed(b)",
    "in": "CRLF in b",
    "== bytes": "b == PAYLOAD",
    "== buffer": "b == o",
    "< bytes": "b < PAYLOAD",
    "with": "use(b)",
    "copy.copy()": "copy.copy(b)",
    "copy.deepcopy()": "copy.deepcopy(b)",
    "set reader_index": "setattr(b, 'reader_index', 2050)",
    "set writer_index": "setattr(b, 'writer_index', 2050)",
    "retain()": "zbuf.retain(b)",
    "release()": "zbuf.release(b)",
    "wrap() of a buffer": "zbuf.wrap(b)",
    "copied() of a buffer": "zbuf.copied(b)",
    "touch": "b.touch()",
    "shares_memory_with": "b.shares_memory_with(o)",
}
WRITING: dict[str, str] = {
    **{f"write_{stem}": f"b.write_{stem}(65)" for stem in STORED_STEMS},
    **{f"set_{stem}": f"b.set_{stem}(2047, 65)" for stem in STORED_STEMS},
    "ensure_writable": "b.ensure_writable(64)",
    "try_ensure_writable": "b.try_ensure_writable(64)",
    "write_varint": "b.write_varint(300)",
    "write_varint_zigzag": "b.write_varint_zigzag(300)",
    "write_struct": "b.write_struct(LAYOUT, 1, 2, 3)",
    "set_struct": "b.set_struct(2047, LAYOUT, 1, 2, 3)",
    "write_bytes": "b.write_bytes(SMALL)",
    "write_bytes of a buffer": "b.write_bytes(o)",
    "set_bytes": "b.set_bytes(2047, SMALL)",
    "set_zero": "b.set_zero(2047, 64)",
    "write_zero": "b.write_zero(64)",
    "write_from": "b.write_from(SPRING, 64)",
    "set_from": "b.set_from(2047, SPRING, 64)",
    "writable_views": "b.writable_views()",
    "write_string": "b.write_string(TEXT)",
    "set_string": "b.set_string(2047, TEXT)",
    "write_array": "b.write_array(NUMBERS)",
    "b[i] = v": "b.__setitem__(0, 65)",
    "b[i:j] = data": "b.__setitem__(HEAD, SMALL)",
}
GROWING: dict[str, str] = {
    "set_capacity, growing": "b.set_capacity(10_000)",
    "ensure_writable, growing": "b.ensure_writable(10_000)",
    "write_bytes, growing": "b.write_bytes(PAYLOAD)",
}
ONE_PIECE: dict[str, str] = {
    "view": "b.view()",
    "as_array": "b.as_array('>u4', 16)",
    "hash()": "hash(o)",
    "address": "b.address()",
}
COMPOSITE: dict[str, str] = {
    "append": "b.append(o)",
    "append of bytes": "b.append(SMALL)",
    "extend": "b.extend((o,))",
    "prepend": "b.prepend(o)",
    "component": "b.component(1)",
    "components": "b.components()",
    "num_components": "b.num_components",
    "consolidate": "b.consolidate()",
    "discard_read_components": "b.discard_read_components()",
    "insert_component": "b.insert_component(1, o)",
    "pop_component": "b.pop_component(1)",
    "to_component_index": "b.to_component_index(2049)",
    "to_byte_index": "b.to_byte_index(1)",
    "component_at_offset": "b.component_at_offset(2049)",
    "decompose": "b.decompose(2047, 64)",
}
MAKING: dict[str, str] = {
    "buffer()": "zbuf.buffer(256)",
    "composite()": "zbuf.composite()",
    "empty()": "zbuf.empty()",
    "wrap() of bytes": "zbuf.wrap(SMALL)",
    "wrap() of two": "zbuf.wrap(SMALL, PAYLOAD)",
    "copied() of bytes": "zbuf.copied(SMALL)",
    "decode_hex_dump()": "zbuf.decode_hex_dump(HEX)",
    "varint_size()": "zbuf.varint_size(300)",
    "utf8_size()": "zbuf.utf8_size(TEXT)",
    "MultiSearch()": "zbuf.MultiSearch((CRLF, SMALL))",
    "MultiSearch.longest": "SEARCH.longest",
    "MultiSearch.memory_size": "SEARCH.memory_size",
    "MultiSearch.needles": "SEARCH.needles",
    "calculate_new_capacity()": "zbuf.calculate_new_capacity(300, 10_000)",
    "default_allocator()": "zbuf.default_allocator()",
    "set_default_allocator()": "zbuf.set_default_allocator(zbuf.default_allocator())",
    "Pool.buffer": "POOL.buffer(256)",
    "Pool.composite": "POOL.composite()",
    "Pool.lease": "POOL.lease(256)",
    "Pool.statistics": "zbuf.Pool().statistics()",  # a used one counts beyond 256, where integers cost memory
    "Pool.trim": "SPARE.trim()",
    "Unpooled.buffer": "UNPOOLED.buffer(256)",
    "Unpooled.composite": "UNPOOLED.composite()",
    "Unpooled.lease": "UNPOOLED.lease(256)",
    "Unpooled.statistics": "zbuf.Unpooled().statistics()",
    "Unpooled.trim": "UNPOOLED.trim()",
}


STREAMS: dict[str, str] = {
    "ByteBufReader()": "zbuf.io.ByteBufReader(b)",
    "ByteBufReader.read": "o.read(64)",
    "ByteBufReader.read1": "o.read1(64)",
    "ByteBufReader.readinto": "o.readinto(TARGET)",
    "ByteBufReader.readinto1": "o.readinto1(TARGET)",
    "ByteBufReader.readline": "o.readline(64)",
    "ByteBufReader.peek": "o.peek(64)",
    "ByteBufReader.seek": "o.seek(64)",
    "ByteBufReader.tell": "o.tell()",
    "ByteBufReader.close": "o.close()",
    "ByteBufReader.readable": "o.readable()",
    "ByteBufReader.seekable": "o.seekable()",
}
SINKS: dict[str, str] = {
    "ByteBufWriter()": "zbuf.io.ByteBufWriter(b)",
    "ByteBufWriter.write": "o.write(SMALL)",
    "ByteBufWriter.tell": "o.tell()",
    "ByteBufWriter.close": "o.close()",
    "ByteBufWriter.writable": "o.writable()",
    "write_fd()": "zbuf.io.write_fd(b, NULL, 64)",
    "read_fd()": "zbuf.io.read_fd(b, ZERO, 64)",
}


HOLDING: dict[str, str] = {
    "BufferHolder()": "zbuf.BufferHolder(b)",
    "BufferHolder.content": "o.content",
    "BufferHolder.refcnt": "o.refcnt",
    "BufferHolder.retain": "o.retain()",
    "BufferHolder.release": "o.release()",
    "BufferHolder.replace": "o.replace(b)",
    "BufferHolder.copy": "o.copy()",
    "BufferHolder.duplicate": "o.duplicate()",
}


class Sink:
    """A stream that takes everything and keeps nothing."""

    def write(self, data: memoryview) -> int:
        return data.nbytes


class Spring:
    """A stream that always has as much as it is asked for."""

    def readinto(self, data: memoryview) -> int:
        return data.nbytes


def use(buf: ByteBuf) -> None:
    """What `with` costs."""
    with buf:
        pass


POOL = Pool(max_cached_bytes=8 << 20)
NAMES: dict[str, Any] = {
    "zbuf": zbuf, "copy": copy, "pickle": pickle, "use": use,
    "POOL": POOL, "SPARE": zbuf.Pool(), "UNPOOLED": zbuf.Unpooled(),
    "PAYLOAD": PAYLOAD, "SMALL": PAYLOAD[:64], "TEXT": "a" * 64, "HEX": "0a" * 64, "CRLF": b"\r\n",
    "LAYOUT": struct.Struct(">HBI"), "SINK": Sink(), "SPRING": Spring(), "HEAD": slice(0, 64),
    "SEARCH": zbuf.MultiSearch((b"\r\n", b"\r\n\r\n")), "STOP": lambda byte: byte != 65,
    "TARGET": bytearray(64), "NULL": os.open(os.devnull, os.O_WRONLY), "ZERO": os.open("/dev/zero", os.O_RDONLY),
}  # fmt: skip

HAS_NUMPY = importlib.util.find_spec("numpy") is not None
OF_NUMPY = {"read_array", "as_array", "write_array"}  # what NumPy requests differs from release to release: not counted
if HAS_NUMPY:
    NAMES["NUMBERS"] = importlib.import_module("numpy").arange(16, dtype=">u4")


def flat() -> ByteBuf:
    """A pooled buffer with the payload and as much room behind it."""
    buf = POOL.buffer(2 * len(PAYLOAD))
    buf.write_bytes(PAYLOAD)
    return buf


def halves() -> CompositeByteBuf:
    """The payload in two pooled components."""
    whole = POOL.composite()
    for piece in (PAYLOAD[:HALF], PAYLOAD[HALF:]):
        part = POOL.buffer(HALF)
        part.write_bytes(piece)
        whole.append(part)
    return whole


def other() -> ByteBuf:
    """A pooled buffer with 64 bytes in it and room for as many."""
    buf = POOL.buffer(128)
    buf.write_bytes(PAYLOAD[:64])
    return buf


def constant() -> ByteBuf:
    """A buffer that can be hashed."""
    return zbuf.wrap(PAYLOAD[:64])


Make = Callable[[], tuple[Any, Any]]


def _reading(make: Callable[[], ByteBuf]) -> Make:
    def made() -> tuple[ByteBuf, ByteBuf]:
        buf = make()
        buf.reader_index = BEFORE_BORDER
        return buf, other()

    return made


def _writing(make: Callable[[], ByteBuf]) -> Make:
    def made() -> tuple[ByteBuf, ByteBuf]:
        buf = make()
        buf.writer_index = BEFORE_BORDER
        return buf, other()

    return made


def _reader() -> tuple[ByteBuf, ByteBufReader]:
    buf = flat()
    return buf, ByteBufReader(buf)


def _writer() -> tuple[ByteBuf, ByteBufWriter]:
    buf = flat()
    return buf, ByteBufWriter(buf)


# table of the budget -> (expressions, what makes their buffers)
TABLES: dict[str, list[tuple[dict[str, str], Make]]] = {
    "flat": [
        (READING, _reading(flat)),
        (WRITING, _writing(flat)),
        (GROWING, lambda: (flat(), other())),
        (ONE_PIECE, lambda: (flat(), constant())),
    ],
    "composite": [
        (READING, _reading(halves)),
        (WRITING, _writing(halves)),
        (GROWING, lambda: (halves(), other())),
        (COMPOSITE, _reading(halves)),
    ],
    "streams": [(STREAMS, _reader), (SINKS, _writer)],
    "holders": [(HOLDING, lambda: (flat(), zbuf.BufferHolder(other())))],
    "making": [(MAKING, lambda: (None, None))],
}


def operations() -> dict[str, dict[str, tuple[Callable[[Any, Any], object], Make]]]:
    """Return table -> row -> (what is called, what makes its arguments)."""
    return {
        table: {
            row: (eval(f"lambda b, o: {text}", NAMES), make)
            for expressions, make in groups
            for row, text in expressions.items()
            if HAS_NUMPY or row not in OF_NUMPY
        }
        for table, groups in TABLES.items()
    }
