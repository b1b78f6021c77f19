"""Allocators of the user's own that break their promise, or turn against the buffer that asks them.

Owns    what a buffer does with a block that is too small, read-only, none at all, or that cost it its own memory.
Never   the pools that zbuf brings: they keep their promises, and have their own tests.
Always  TypeError, UsageError, ReferenceCountError or the allocator's own error; bytes go where there is room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import zbuf
from tests.contracts._kit import content, fails, failure_of
from zbuf import ByteBuf, copied, default_allocator, set_default_allocator, wrap
from zbuf.errors import BoundsError, ReferenceCountError, UsageError
from zbuf.memory._memory import Memory, allocate, wrap_memory

DATA = bytes(range(1, 41))


class Turncoat:
    """An allocator that does something before it answers, or answers wrongly."""

    def __init__(self, lease: Callable[[int], Any]) -> None:
        self._lease = lease
        self._good = zbuf.Unpooled()

    def lease(self, nbytes: int) -> Memory:
        return self._lease(nbytes)

    def buffer(self, initial_capacity: int = 256, max_capacity: int = 2**31 - 1) -> ByteBuf:
        return self._good.buffer(initial_capacity, max_capacity)

    def composite(self, max_capacity: int = 2**63 - 1) -> zbuf.CompositeByteBuf:
        return self._good.composite(max_capacity)

    def statistics(self) -> zbuf.PoolStats:
        return self._good.statistics()

    def trim(self) -> int:
        return 0


@contextmanager
def default(allocator: Any) -> Iterator[None]:
    """Make `allocator` the default one for a while."""
    before = default_allocator()
    set_default_allocator(allocator)
    try:
        yield
    finally:
        set_default_allocator(before)


def _wrapped() -> ByteBuf:
    return wrap(bytearray(DATA))


def _composed() -> ByteBuf:
    return wrap(DATA[:7], bytearray(DATA[7:20]), DATA[20:])


MAKERS = {"wrapped": _wrapped, "composite": _composed}
ASKING: dict[str, Callable[[ByteBuf], Any]] = {
    "copy": lambda b: b.copy(3, 30),
    "compact": lambda b: b.compact(),
}
COMPOSITES_ASK: dict[str, Callable[[ByteBuf], Any]] = {
    **ASKING,
    "consolidate": lambda b: b.consolidate(),
    "consolidate two": lambda b: b.consolidate(1, 2),
    "write": lambda b: b.write_int(1),
    "write_bytes": lambda b: b.write_bytes(DATA),
    "write_bytes of itself": lambda b: b.write_bytes(b),
    "write_zero": lambda b: b.write_zero(100),
    "write_string": lambda b: b.write_string("text"),
    "ensure_writable": lambda b: b.ensure_writable(50),
    "try_ensure_writable": lambda b: b.try_ensure_writable(50),
    "set_capacity": lambda b: b.set_capacity(100),
    "writable_views": lambda b: b.writable_views(10),
}
ANSWERS: dict[str, Callable[[int], Any]] = {
    "nothing": lambda n: None,
    "something else": lambda n: bytearray(n),
    "half of it": lambda n: allocate(n // 2),
    "an empty block": lambda n: allocate(0),
    "constant bytes": lambda n: wrap_memory(bytes(n)),
}


def calls(make: str) -> dict[str, Callable[[ByteBuf], Any]]:
    return COMPOSITES_ASK if make == "composite" else ASKING


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("make", MAKERS)
def test_f7_a_block_that_is_none_is_refused(make: str, answer: str) -> None:
    """TypeError or UsageError before a byte is copied; the buffer is unchanged."""
    for name, call in calls(make).items():
        with default(Turncoat(ANSWERS[answer])):
            buf = MAKERS[make]()
        try:
            with fails(TypeError if answer in ("nothing", "something else") else UsageError, buf):
                call(buf)
        except BaseException as exc:
            exc.add_note(name)
            raise
        assert bytes(buf) == DATA


ACTS: dict[str, Callable[[ByteBuf], Any]] = {
    "release": lambda b: b.release(),
    "clear": lambda b: b.clear(),
    "shrink": lambda b: b.set_capacity(5),
    "skip": lambda b: b.skip_bytes(4),
    "move": lambda b: b.move(),
    "split": lambda b: b.split(9),
    "split off": lambda b: b.split_off(9),
    "append": lambda b: b.append(b"more") if isinstance(b, zbuf.CompositeByteBuf) else b.skip_bytes(1),
    "pop": lambda b: b.pop_component(1) if isinstance(b, zbuf.CompositeByteBuf) else b.skip_bytes(1),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("make", MAKERS)
def test_f8_an_allocator_that_makes_room_at_the_cost_of_the_buffer_that_asks(make: str, act: str) -> None:
    """What the call had checked no longer holds: it raises, and leaves what the allocator left."""
    for name, call in calls(make).items():
        done: list[str] = []
        asking: list[ByteBuf] = []

        def lease(n: int, done: list[str] = done, asking: list[ByteBuf] = asking) -> Memory:
            if not done:
                done.append("yes")
                ACTS[act](asking[0])
            return allocate(n)

        with default(Turncoat(lease)):
            asking.append(MAKERS[make]())
        failure = failure_of(call, asking[0])
        assert done, name
        assert type(failure) in (UsageError, ReferenceCountError), f"{name}: {failure!r}"
        asking[0]._check()
        if asking[0].refcnt:
            assert len(content(asking[0])) == asking[0].capacity
        asking.clear()


def test_f8_an_allocator_that_releases_the_source_of_the_bytes() -> None:
    """The source is looked at again after growth, before a byte is read from it."""
    for act in ("release", "clear", "compact", "shrink"):
        source = copied(DATA)

        def lease(n: int, act: str = act, source: ByteBuf = source) -> Memory:
            if act == "shrink":
                source.set_capacity(4)
            else:
                getattr(source, act)()
            return allocate(n)

        with default(Turncoat(lease)):
            target = wrap(b"already", b"there")
        failure = failure_of(target.write_bytes, source)
        assert type(failure) in ((BoundsError, ReferenceCountError) if act != "compact" else (type(None),)), act
        source._check()
        target._check()
        assert bytes(target) == b"alreadythere" + (DATA if failure is None else b"")


def test_f33_an_allocator_that_has_no_memory() -> None:
    """Its MemoryError passes; the buffer is unchanged."""

    def lease(n: int) -> Memory:
        raise MemoryError("nothing left")

    for make in MAKERS:
        for name, call in calls(make).items():
            with default(Turncoat(lease)):
                buf = MAKERS[make]()
            if name == "try_ensure_writable":
                assert call(buf) is False
                continue
            with fails(MemoryError, buf):
                call(buf)
            assert bytes(buf) == DATA
