"""BufferHolder: messages around a buffer, as users subclass it.

Owns    the base class, and dataclasses of every kind built on it.
Never   the buffer inside: the contract tests have that.
Always  a holder's count is its content's; two holders are equal when their class and their content are."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

import zbuf
from tests.contracts._kit import Make, each_shape, fresh_pool
from zbuf import BufferHolder, ByteBuf, composite, copied, wrap
from zbuf.errors import ReferenceCountError


@dataclasses.dataclass
class Mutable(BufferHolder):
    content: ByteBuf
    stream: int = 7


@dataclasses.dataclass(frozen=True)
class Frozen(BufferHolder):
    stream: int
    content: ByteBuf


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted(BufferHolder):
    stream: int
    content: ByteBuf


@dataclasses.dataclass(slots=True, kw_only=True)
class Named(BufferHolder):
    stream: int = 7
    content: ByteBuf


class Plain(BufferHolder):
    def __init__(self, content: ByteBuf, stream: int) -> None:
        super().__init__(content)
        self.stream = stream


class Private(BufferHolder):
    __slots__ = ("__stream",)

    def __init__(self, content: ByteBuf, stream: int) -> None:
        super().__init__(content)
        self.__stream = stream

    @property
    def stream(self) -> int:
        return self.__stream


MAKERS: dict[str, Callable[[ByteBuf], Any]] = {
    "mutable": Mutable,
    "frozen": lambda content: Frozen(7, content),
    "frozen with slots": lambda content: Slotted(7, content),
    "keywords and slots": lambda content: Named(content=content),
    "plain": lambda content: Plain(content, 7),
    "private slot": lambda content: Private(content, 7),
    "the base": BufferHolder,
}
each_holder = pytest.mark.parametrize("make", MAKERS.values(), ids=[name.replace(" ", "-") for name in MAKERS])


@each_holder
def test_a_holder_delegates_its_count(make: Callable[[ByteBuf], Any]) -> None:
    """retain, release, refcnt, with, and the functions that act on counted objects."""
    content = copied(b"payload")
    holder = make(content)
    assert (holder.content is content, holder.refcnt) == (True, 1)
    assert holder.retain() is holder
    assert (holder.retain(2).refcnt, content.refcnt) == (4, 4)
    assert (holder.release(2), zbuf.release(holder), holder.refcnt) == (False, False, 1)
    assert zbuf.retain(holder) is holder
    with holder as same:
        assert same is holder
    with holder:
        assert holder.refcnt == 1
    assert (holder.refcnt, content.refcnt) == (0, 0)
    for call in (holder.retain, holder.release, holder.copy, holder.duplicate, holder.__enter__):
        with pytest.raises(ReferenceCountError):
            call()
    holder.__exit__(None, None, None)
    assert "freed" in repr(holder)


@each_holder
def test_copy_duplicate_and_replace_change_the_content_only(make: Callable[[ByteBuf], Any]) -> None:
    """Class and fields stay; a copy is independent, a duplicate shares bytes but not its indices nor its count."""
    holder = make(copied(b"payload"))
    twin, double, other = holder.duplicate(), holder.copy(), holder.replace(copied(b"other"))
    for made in (twin, double, other, copy.copy(holder), copy.deepcopy(holder)):
        assert type(made) is type(holder)
        assert getattr(made, "stream", 7) == 7
        assert made.content is not holder.content
    holder.content.set_byte(0, ord("P"))
    holder.content.skip_bytes(3)
    assert (bytes(twin.content), bytes(double.content), bytes(other.content)) == (b"Payload", b"payload", b"other")
    assert holder.release()
    assert (twin.refcnt, double.refcnt, other.refcnt) == (1, 1, 1)
    assert bytes(twin.content) == b"Payload"
    with pytest.raises(TypeError):
        other.replace(b"bytes")


@each_holder
def test_holders_are_equal_when_class_and_content_are(make: Callable[[ByteBuf], Any]) -> None:
    """Wherever the bytes lie; and never equal to a holder of another class, nor to the bytes."""
    inner = composite()
    inner.extend([b"pay", copied(b"load")])
    assert make(copied(b"payload")) == make(wrap(b"payload")) == make(inner)
    assert make(copied(b"payload")) != make(copied(b"payloaD"))
    for other in MAKERS.values():
        if other is not make:
            assert make(copied(b"payload")) != other(copied(b"payload"))
    assert make(copied(b"payload")) != b"payload"


def test_dataclass_fields_count_for_equality() -> None:
    """A dataclass compares all its fields, as dataclasses do."""
    assert Frozen(1, wrap(b"x")) == Frozen(1, wrap(b"x"))
    assert Frozen(1, wrap(b"x")) != Frozen(2, wrap(b"x"))
    assert dataclasses.replace(Frozen(1, wrap(b"x")), stream=2) == Frozen(2, wrap(b"x"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Frozen(1, wrap(b"x")).content = wrap(b"y")
    holder = Mutable(wrap(b"x"))
    holder.content, holder.stream = wrap(b"y"), 1
    assert holder == Mutable(wrap(b"y"), 1)
    assert not hasattr(Slotted(1, wrap(b"x")), "__dict__")


def test_a_holder_hashes_when_its_content_does() -> None:
    """Immutable memory: like the content; anything else: TypeError."""
    assert hash(BufferHolder(wrap(b"x"))) == hash(b"x")
    assert {Frozen(1, wrap(b"x")), Frozen(1, wrap(b"x"))} == {Frozen(1, wrap(b"x"))}
    for content in (copied(b"x"), wrap(bytearray(b"x"))):
        with pytest.raises(TypeError):
            hash(BufferHolder(content))
        with pytest.raises(TypeError):
            hash(Frozen(1, content))


@each_shape
def test_a_holder_takes_every_shape(shape: Make) -> None:
    """Content of any class; what is no buffer is refused."""
    holder = BufferHolder(shape(b"payload"))
    assert holder.duplicate() == holder == BufferHolder(copied(b"payload")) == holder.copy()
    for bad in (b"payload", None, "text", holder):
        with pytest.raises(TypeError):
            BufferHolder(bad)


def test_a_dropped_holder_gives_its_block_back() -> None:
    """Nothing else keeps the content: no cycle, no cache."""
    pool = fresh_pool()
    holder = Frozen(1, pool.buffer(10))
    twin = holder.duplicate()
    del holder
    assert pool.statistics().live_blocks == 1
    del twin
    assert pool.statistics().live_blocks == 0


def test_repr_shows_the_content_never_its_bytes() -> None:
    """The class and the content's own repr."""
    assert repr(BufferHolder(copied(b"ab"))) == "BufferHolder(ByteBuf(ridx: 0, widx: 2, cap: 2))"
    assert "ridx" in repr(Frozen(1, copied(b"secret")))
    assert "secret" not in repr(Frozen(1, copied(b"secret")))
