"""Posts: a topic and a payload.

4 bytes   length of all that follows
1 byte    length of the topic, at least 1
n bytes   the topic, UTF-8
the rest  the payload
"""

from dataclasses import dataclass

from zbuf.buffer import Allocator, ByteBuf
from zbuf.codec import Encoder, GeneratorDecoder, Need, Steps, length_field
from zbuf.errors import CorruptedFrameError, EncodeError


@dataclass(frozen=True)
class Post:
    """One message."""

    topic: str
    payload: ByteBuf


class PostDecoder(GeneratorDecoder[Post]):
    """Bytes to posts."""

    def decode(self) -> Steps[Post]:
        length = (yield Need(4)).read_unsigned_int()
        frame = yield Need(length)
        if length == 0:
            raise CorruptedFrameError("a post has no topic")
        size = frame.read_unsigned_byte()
        if size == 0 or not frame.can_read(size):
            raise CorruptedFrameError("the topic does not fit its post")
        try:
            topic = frame.read_string(size)
        except UnicodeDecodeError:
            raise CorruptedFrameError("the topic is no UTF-8 text") from None
        return Post(topic, frame)


class PostEncoder(Encoder[Post]):
    """Posts to bytes."""

    accepts = Post

    def encode(self, msg: Post, alloc: Allocator) -> list[ByteBuf]:
        topic = msg.topic.encode()
        if not 1 <= len(topic) <= 255:
            raise EncodeError(f"a topic has 1 to 255 bytes, not {len(topic)}")
        head = alloc.buffer(5 + len(topic))
        with length_field(head, 4) as length:
            head.write_byte(len(topic))
            head.write_bytes(topic)
            length.include(msg.payload)
        return [head, msg.payload]
