"""Messages around a buffer, as a user of zbuf would write and type them. Never run: type checkers read it."""

from dataclasses import dataclass
from typing import assert_type

import zbuf
from zbuf import BufferHolder, ByteBuf, CompositeByteBuf


@dataclass(frozen=True, slots=True)
class Frame(BufferHolder):
    """A frozen message; the payload may stand anywhere among the fields."""

    stream: int
    content: ByteBuf
    last: bool = False


@dataclass
class Block(BufferHolder):
    """A mutable message."""

    content: ByteBuf
    number: int = 0


class Packet(BufferHolder):
    """A message that is no dataclass."""

    def __init__(self, content: ByteBuf, address: str) -> None:
        super().__init__(content)
        self.address = address


frame = Frame(7, zbuf.wrap(b"payload"))
assert_type(frame.duplicate(), Frame)
assert_type(frame.copy().replace(zbuf.copied(b"other")), Frame)
assert_type(frame.retain(), Frame)
assert_type(frame.release(), bool)
assert_type(frame.content, ByteBuf)

block = Block(zbuf.composite())
block.content = zbuf.composite(100)
assert_type(block.retain().number, int)

whole: CompositeByteBuf = zbuf.composite()
whole.insert_component(0, b"head")
whole.insert_component(1, block.content)
assert_type(whole.pop_component(0), ByteBuf)
assert_type(whole.decompose(0, 4), list[ByteBuf])
assert_type(whole.to_byte_index(whole.to_component_index(0)), int)

with Packet(zbuf.wrap(b"x"), "here") as packet:
    assert_type(packet, Packet)
    assert_type(zbuf.equal_range(packet.content, 0, b"x", 0, 1), bool)
