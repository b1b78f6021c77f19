"""Who sees a message next: handlers in order between the channel and the application.

Owns    the re-exports of its files.
Never   sockets, the event loop, bytes.
Always  Netty's events, with Netty's names in snake_case; an event that a handler does not override costs it nothing.
"""

from zbuf.pipeline._adapters import CodecHandler, DecoderHandler, EncoderHandler
from zbuf.pipeline._context import Context
from zbuf.pipeline._handler import Handler, InputShutdown
from zbuf.pipeline._message_decoder import MessageDecoderHandler
from zbuf.pipeline._pipeline import Pipeline
from zbuf.pipeline._sink import Sink
from zbuf.pipeline._timer import Task, Timer

__all__ = [
    "CodecHandler",
    "Context",
    "DecoderHandler",
    "EncoderHandler",
    "Handler",
    "InputShutdown",
    "MessageDecoderHandler",
    "Pipeline",
    "Sink",
    "Task",
    "Timer",
]
