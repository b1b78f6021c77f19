"""zbuf: buffers for people who write network protocols, and a bill for every copy.

Which room holds what (imports point down only):

    cli, testing      commands; the public test kit
    protocols         one protocol each (http)
    transport         sockets and the event loop: connect(), serve()
    pipeline          handlers, contexts, who sees the message next
    codec, outbound   bytes to messages and back; what to send next
    region            bytes that stay in the kernel
    buffer            cursors over memory: ByteBuf and its family
    audit             the meter, the bill and the report
    memory            who owns the bytes
"""

from zbuf import _form as _form  # first: it decides which form the modules below are loaded in

from zbuf.buffer import (
    Allocator,
    ByteBuf,
    CompositeByteBuf,
    Pool,
    SlicedByteBuf,
    Unpooled,
    WrappedByteBuf,
    buffer,
    calculate_new_capacity,
    composite,
    copied,
    decode_hex_dump,
    default_allocator,
    empty,
    hex_dump,
    pretty_hex_dump,
    release,
    retain,
    set_default_allocator,
    varint_size,
    wrap,
)
from zbuf.memory import PoolStats

__version__ = "0.1.0.dev0"

__all__ = [
    "Allocator",
    "ByteBuf",
    "CompositeByteBuf",
    "Pool",
    "PoolStats",
    "SlicedByteBuf",
    "Unpooled",
    "WrappedByteBuf",
    "__version__",
    "buffer",
    "calculate_new_capacity",
    "composite",
    "copied",
    "decode_hex_dump",
    "default_allocator",
    "empty",
    "hex_dump",
    "pretty_hex_dump",
    "release",
    "retain",
    "set_default_allocator",
    "varint_size",
    "wrap",
]
