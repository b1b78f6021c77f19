"""zbuf: buffers for people who write network protocols, and a bill for every copy.

Which room holds what (imports point down only):

    cli, testing      commands; the public test kit
    probe             what this kernel really does under each technique
    protocols         one protocol each (http)
    transport         sockets and the event loop: connect(), serve()
    pipeline          handlers, contexts, who sees the message next
    handlers          ready-made stages: idle, timeouts, flow, logging, chunks
    codec, outbound   bytes to messages and back; what to send next
    region            bytes that stay in the kernel
    io                buffers as file objects, and to and from sockets and descriptors
    buffer            cursors over memory: ByteBuf and its family
    audit             the meter, the bill and the report
    memory            who owns the bytes
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING

from zbuf import _form as _form  # first: it decides which form the modules below are loaded in
from zbuf.buffer import (
    Allocator,
    BufferHolder,
    ByteBuf,
    CompositeByteBuf,
    MultiSearch,
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
    equal_range,
    hex_dump,
    pretty_hex_dump,
    release,
    retain,
    set_default_allocator,
    utf8_size,
    varint_size,
    wrap,
)
from zbuf.codec import (
    NEED_DATA,
    Cumulation,
    Decoder,
    Encoder,
    LengthFieldBasedFrameDecoder,
    LengthFieldPrepender,
    Limits,
    NeedData,
)
from zbuf.io import ByteBufReader, ByteBufWriter
from zbuf.memory import PoolStats
from zbuf.pipeline import (
    CodecHandler,
    Context,
    DecoderHandler,
    EncoderHandler,
    Handler,
    InputShutdown,
    Pipeline,
)
from zbuf.region import FileRegion

if _TYPE_CHECKING:
    from zbuf.transport import (
        AttributeKey,
        Channel,
        ChannelGroup,
        ChannelOptions,
        Server,
        connect,
        connect_unix,
        serve,
        serve_unix,
    )

__version__ = "0.1.0.dev0"

__all__ = [
    "NEED_DATA",
    "Allocator",
    "AttributeKey",
    "BufferHolder",
    "ByteBuf",
    "ByteBufReader",
    "ByteBufWriter",
    "Channel",
    "ChannelGroup",
    "ChannelOptions",
    "CodecHandler",
    "CompositeByteBuf",
    "Context",
    "Cumulation",
    "Decoder",
    "DecoderHandler",
    "Encoder",
    "EncoderHandler",
    "FileRegion",
    "Handler",
    "InputShutdown",
    "LengthFieldBasedFrameDecoder",
    "LengthFieldPrepender",
    "Limits",
    "MultiSearch",
    "NeedData",
    "Pipeline",
    "Pool",
    "PoolStats",
    "Server",
    "SlicedByteBuf",
    "Unpooled",
    "WrappedByteBuf",
    "__version__",
    "buffer",
    "calculate_new_capacity",
    "composite",
    "connect",
    "connect_unix",
    "copied",
    "decode_hex_dump",
    "default_allocator",
    "empty",
    "equal_range",
    "hex_dump",
    "pretty_hex_dump",
    "release",
    "retain",
    "serve",
    "serve_unix",
    "set_default_allocator",
    "utf8_size",
    "varint_size",
    "wrap",
]

_OF_TRANSPORT = frozenset(
    (
        "AttributeKey",
        "Channel",
        "ChannelGroup",
        "ChannelOptions",
        "Server",
        "connect",
        "connect_unix",
        "serve",
        "serve_unix",
    )
)


def __getattr__(name: str) -> object:
    """Load the transport room, and with it asyncio, when one of its names is first asked for."""
    if name in _OF_TRANSPORT:
        from zbuf import transport

        found: object = getattr(transport, name)
        globals()[name] = found
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
