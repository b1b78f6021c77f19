"""Bytes to messages and back, with no pipeline and no I/O: usable in a plain `for` loop over `recv`.

Owns    the re-exports of its files.
Never   sockets, handlers, an event loop.
Always  a decoder has three outcomes: a message, NEED_DATA, or a DecodeError; and every limit is finite by default.
"""

from zbuf.codec._aggregator import MessageAggregator
from zbuf.codec._base import NEED_DATA, Decoder, Encoder, NeedData
from zbuf.codec._base64 import Base64Decoder, Base64Encoder
from zbuf.codec._cumulation import Cumulation
from zbuf.codec._delimiter import DelimiterBasedFrameDecoder
from zbuf.codec._fixed import FixedLengthFrameDecoder
from zbuf.codec._generator import GeneratorDecoder, Need, NeedUntil, Skip, Steps
from zbuf.codec._json import JsonObjectDecoder
from zbuf.codec._json_lines import JsonLinesDecoder, JsonLinesEncoder
from zbuf.codec._length_field import LengthFieldBasedFrameDecoder, LengthFieldPrepender
from zbuf.codec._limits import Limits
from zbuf.codec._line import LineBasedFrameDecoder
from zbuf.codec._messages import MessageToMessageDecoder, MessageToMessageEncoder
from zbuf.codec._netstring import NetstringEncoder, NetstringFrameDecoder
from zbuf.codec._reservation import LengthField, length_field
from zbuf.codec._strings import ByteArrayDecoder, ByteArrayEncoder, LineEncoder, StringDecoder, StringEncoder
from zbuf.codec._varint32 import ProtobufVarint32FrameDecoder, ProtobufVarint32LengthFieldPrepender

__all__ = [
    "NEED_DATA",
    "Base64Decoder",
    "Base64Encoder",
    "ByteArrayDecoder",
    "ByteArrayEncoder",
    "Cumulation",
    "Decoder",
    "DelimiterBasedFrameDecoder",
    "Encoder",
    "FixedLengthFrameDecoder",
    "GeneratorDecoder",
    "JsonLinesDecoder",
    "JsonLinesEncoder",
    "JsonObjectDecoder",
    "LengthField",
    "LengthFieldBasedFrameDecoder",
    "LengthFieldPrepender",
    "Limits",
    "LineBasedFrameDecoder",
    "LineEncoder",
    "MessageAggregator",
    "MessageToMessageDecoder",
    "MessageToMessageEncoder",
    "Need",
    "NeedData",
    "NeedUntil",
    "NetstringEncoder",
    "NetstringFrameDecoder",
    "ProtobufVarint32FrameDecoder",
    "ProtobufVarint32LengthFieldPrepender",
    "Skip",
    "Steps",
    "StringDecoder",
    "StringEncoder",
    "length_field",
]
