"""Floor 7: sockets and the event loop, the only room that has them.

`connect` and `serve` (and their UNIX twins) make a `Channel`: a non-blocking socket, a pipeline of handlers and an
outbound queue, on the running asyncio loop. `ChannelOptions` is what a channel may be told.
"""

from zbuf.transport._asyncio import connect, connect_unix, serve, serve_unix
from zbuf.transport._attributes import AttributeKey, Attributes
from zbuf.transport._channel import Channel
from zbuf.transport._group import ChannelGroup, GroupWrite
from zbuf.transport._options import ChannelOptions
from zbuf.transport._server import Server, channel_pool

__all__ = [
    "AttributeKey",
    "Attributes",
    "Channel",
    "ChannelGroup",
    "ChannelOptions",
    "GroupWrite",
    "Server",
    "channel_pool",
    "connect",
    "connect_unix",
    "serve",
    "serve_unix",
]
