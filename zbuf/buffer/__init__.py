"""Buffers: cursors over memory.

`ByteBuf` has a reader index and a writer index on a block that it may share; `SlicedByteBuf` is a window on somebody's
block, `WrappedByteBuf` one on memory the caller brought, `CompositeByteBuf` several seen as one. All have the same
face, so a handler never asks which it got.
"""

from zbuf.buffer._allocator import Allocator, Pool, Unpooled, default_allocator, set_default_allocator
from zbuf.buffer._bulk import varint_size
from zbuf.buffer._bytebuf import ByteBuf, SlicedByteBuf
from zbuf.buffer._composite import CompositeByteBuf
from zbuf.buffer._dump import decode_hex_dump, hex_dump, pretty_hex_dump
from zbuf.buffer._equal import equal_range
from zbuf.buffer._growth import calculate_new_capacity
from zbuf.buffer._holder import BufferHolder
from zbuf.buffer._multi_search import MultiSearch
from zbuf.buffer._scan import CR, CRLF, LF, LINEAR_WHITESPACE, NUL, SPACE
from zbuf.buffer._text import utf8_size
from zbuf.buffer._wrapped import WrappedByteBuf, buffer, composite, copied, empty, release, retain, wrap
from zbuf.memory._memory import seal

__all__ = [
    "CR",
    "CRLF",
    "LF",
    "LINEAR_WHITESPACE",
    "NUL",
    "SPACE",
    "Allocator",
    "BufferHolder",
    "ByteBuf",
    "CompositeByteBuf",
    "MultiSearch",
    "Pool",
    "SlicedByteBuf",
    "Unpooled",
    "WrappedByteBuf",
    "buffer",
    "calculate_new_capacity",
    "composite",
    "copied",
    "decode_hex_dump",
    "default_allocator",
    "empty",
    "equal_range",
    "hex_dump",
    "pretty_hex_dump",
    "release",
    "retain",
    "set_default_allocator",
    "utf8_size",
    "varint_size",
    "wrap",
]

for _cls in (ByteBuf, SlicedByteBuf, WrappedByteBuf, CompositeByteBuf):
    seal(_cls)
del _cls
