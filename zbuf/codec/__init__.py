"""Bytes to messages and back, with no pipeline and no I/O: usable in a plain `for` loop over `recv`.

Owns    the re-exports of its files.
Never   sockets, handlers, an event loop.
Always  a decoder has three outcomes: a message, NEED_DATA, or a DecodeError; and every limit is finite by default.
"""

from zbuf.codec._base import NEED_DATA, Decoder, Encoder, NeedData
from zbuf.codec._cumulation import Cumulation
from zbuf.codec._length_field import LengthFieldBasedFrameDecoder, LengthFieldPrepender
from zbuf.codec._limits import Limits

__all__ = [
    "NEED_DATA",
    "Cumulation",
    "Decoder",
    "Encoder",
    "LengthFieldBasedFrameDecoder",
    "LengthFieldPrepender",
    "Limits",
    "NeedData",
]
