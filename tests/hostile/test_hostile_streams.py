"""Streams that do something to the buffer while it transfers: release, resize, move, retain, keep what they were lent.

Owns    the hostile half of BEHAVIOURS 30; FAULTS 8 for streams.
Never   a guess: the call goes on with the buffer as the stream left it, or raises the documented error.
Always  the invariant holds afterwards, bytes of other handles stay, and no byte that a stream delivered is lost when
        the buffer could take it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts._kit import WRITABLE_NAMES, for_each, fresh_pool
from zbuf import ByteBuf, buffer, composite, copied
from zbuf.errors import BoundsError, ReadOnlyError, ReferenceCountError
from zbuf.testing._shapes import shape as build

DATA = bytes(range(1, 33))
each_name = pytest.mark.parametrize("name", WRITABLE_NAMES, ids=lambda name: name.replace(" ", "-"))


class Stream:
    """Both directions; runs `act` before it takes or gives, and then behaves."""

    def __init__(self, act: Callable[[], Any], after: Callable[[], Any] = lambda: None) -> None:
        self.act = act
        self.after = after
        self.taken = b""
        self.views: list[Any] = []
        self.calls = 0

    def write(self, view: memoryview) -> int:
        self.calls += 1
        self.act()
        self.taken += bytes(view)
        self.after()
        return len(view)

    def readinto(self, view: memoryview) -> int:
        self.calls += 1
        self.act()
        view[:] = bytes(range(200, 200 + len(view)))
        self.after()
        return len(view)


ACTS: dict[str, Callable[[ByteBuf], Any]] = {
    "release": lambda b: b.refcnt and b.release(),
    "retain": lambda b: b.retain(),
    "set_capacity 0": lambda b: b.set_capacity(0),
    "shrink": lambda b: b.set_capacity(5),
    "grow": lambda b: b.set_capacity(min(b.max_capacity, 4000)),
    "clear": lambda b: b.clear(),
    "skip": lambda b: b.skip_bytes(min(1, b.readable_bytes)),
    "discard": lambda b: (b.skip_bytes(min(3, b.readable_bytes)), b.discard_read_bytes()),
    "split": lambda b: b.split(min(3, b.readable_bytes)),
    "split_off": lambda b: b.split_off(b.capacity // 2),
    "compact": lambda b: b.compact(),
    "move": lambda b: b.refcnt and b.move(),
    "rewind": lambda b: b.set_index(0, b.writer_index),
    "write": lambda b: b.try_ensure_writable(2) and b.write_bytes(b"!!"),
    "overwrite": lambda b: b.set_bytes(0, b"#" * min(4, b.capacity)),
    "read a number across": lambda b: b.capacity >= 8 and b.get_long(b.capacity - 8),
}
CALLS: dict[str, Callable[[ByteBuf, Any], Any]] = {
    "read_to": lambda b, s: b.read_to(s),
    "get_to": lambda b, s: b.get_to(1, s, 9),
    "write_from": lambda b, s: b.write_from(s, 6),
    "set_from": lambda b, s: b.set_from(1, s, 9),
}


def with_room(name: str) -> ByteBuf:
    """A shape with readable bytes and, where it can be, room behind them."""
    buf = build(name, DATA)
    buf.writer_index -= 8
    return buf


@each_name
@pytest.mark.parametrize("call_name", CALLS)
@for_each("act_name", {name: name for name in ACTS})
@for_each("late", {"before": False, "after": True})
def test_b030_whatever_a_stream_does_the_buffer_stays_whole(
    name: str, call_name: str, act_name: str, late: bool
) -> None:
    """Each act in each call, before the stream touched its view and after: documented errors, whole indices."""
    buf = with_room(name)
    twin = buf.copy(0, buf.capacity)
    before = bytes(twin)

    def act() -> None:
        if buf.refcnt:
            ACTS[act_name](buf)

    stream = Stream(act) if not late else Stream(lambda: None, act)
    try:
        CALLS[call_name](buf, stream)
    except (BoundsError, ReferenceCountError, ReadOnlyError):
        pass
    assert stream.calls >= 1
    assert bytes(twin) == before
    if buf.refcnt:
        buf._check()
        assert len(bytes(buf)) == buf.readable_bytes
    else:
        assert act_name in ("release", "move")


@each_name
def test_b030_a_stream_that_releases_the_buffer(name: str) -> None:
    """ReferenceCountError, also after the last piece; the stream's own piece was whole all the time."""
    for call_name in CALLS:
        buf = with_room(name)
        stream = Stream(buf.release)
        with pytest.raises(ReferenceCountError):
            CALLS[call_name](buf, stream)
        assert (stream.calls, buf.refcnt) == (1, 0)


def test_b030_delivered_bytes_follow_the_buffer() -> None:
    """A stream that makes the buffer grow, discard or write first loses nothing: its bytes are appended where it is."""
    acts: dict[str, tuple[Callable[[ByteBuf], Any], bytes]] = {
        "grow": (lambda b: b.set_capacity(4000), b"head"),
        "discard": (lambda b: (b.skip_bytes(2), b.discard_read_bytes()), b"ad"),
        "compact": (lambda b: b.compact(), b"head"),
        "write": (lambda b: b.write_bytes(b"!"), b"head!"),
        "split": (lambda b: b.split(3), b"d"),
    }
    for make in (lambda: buffer(100), composite):
        for label, (act, head) in acts.items():
            buf = make()
            buf.write_bytes(b"head")
            stream = Stream(lambda: None, lambda act=act, buf=buf: act(buf))
            assert buf.write_from(stream, 6) == 6, label
            if label != "write":
                assert bytes(buf) == head + bytes(range(200, 206)), (label, make)
            else:
                assert (bytes(buf)[:5], buf.readable_bytes) == (head, 11)
            buf._check()


def test_b030_a_stream_that_makes_it_grow_does_not_write_into_the_old_block() -> None:
    """set_from after a detach: the bytes are in the new block, and in the old one only where the stream put them."""
    buf = copied(DATA)
    old = buf.slice()
    stream = Stream(lambda: buf.set_capacity(4000))
    assert buf.set_from(2, stream, 4) == 4
    assert buf.get_bytes(0, 8) == DATA[:2] + bytes(range(200, 204)) + DATA[6:8]
    assert bytes(old)[2:6] == bytes(range(200, 204))


def test_b030_a_stream_that_moves_the_window_over_the_same_block() -> None:
    """set_from counts from the buffer's present index 0, also where the block is the same: after a split, a trim.

    The stream put its bytes at the old place, and they are copied to the new one."""
    buf = copied(DATA)
    made: list[ByteBuf] = []
    stream = Stream(lambda: made.append(buf.split(3)))
    assert buf.set_from(1, stream, 4) == 4
    assert buf.get_bytes(0, 6) == bytes((202, 200, 201, 202, 203)) + DATA[8:9]
    assert bytes(made[0]) == DATA[:1] + bytes((200, 201))
    whole = composite()
    block = copied(DATA)
    whole.extend([block.slice(0, 16), block.slice(16, 16)])
    stream = Stream(lambda: (whole.skip_bytes(3), whole.discard_read_bytes()))
    assert whole.set_from(1, stream, 4) == 4
    assert whole.get_bytes(0, 6) == bytes((202, 200, 201, 202, 203)) + DATA[8:9]
    whole._check()


class Keeper:
    """Keeps its view and further views of it: what it was lent is over, what it derived holds the block."""

    def __init__(self, derive: Callable[[memoryview], Any]) -> None:
        self.derive = derive
        self.kept: list[Any] = []
        self.lent: list[memoryview] = []

    def write(self, view: memoryview) -> int:
        self.lent.append(view)
        self.kept.append(self.derive(view))
        return len(view)

    readinto = write


@pytest.mark.parametrize("call_name", CALLS)
def test_b030_a_kept_view_pins_the_block_and_nothing_else(call_name: str) -> None:
    """A pooled block does not go back under a view that the stream derived from its own, in whatever way."""
    ways: dict[str, Callable[[memoryview], Any]] = {
        "slice": lambda v: v[:],
        "memoryview": memoryview,
        "cast": lambda v: v.cast("b"),
    }
    if call_name in ("write_from", "set_from"):
        ways["ctypes"] = lambda v: (ctypes.c_char * len(v)).from_buffer(v)
    for way, derive in ways.items():
        pool = fresh_pool()
        buf = pool.buffer(64)
        buf.write_bytes(DATA)
        keeper = Keeper(derive)
        CALLS[call_name](buf, keeper)
        seen = [bytes(kept) for kept in keeper.kept]
        buf.release()
        assert pool.statistics().live_blocks == 1, way
        other = pool.buffer(64)
        other.write_bytes(b"\xee" * 64)
        assert [bytes(kept) for kept in keeper.kept] == seen, way
        other.release()
        keeper.kept.clear()
        keeper.lent.clear()
        assert pool.statistics().live_blocks == 0, way


@pytest.mark.parametrize("call_name", CALLS)
def test_b030_a_view_kept_as_it_is_pins_nothing(call_name: str) -> None:
    """It is released when the call is over: no use of it reaches the block any more."""
    pool = fresh_pool()
    buf = pool.buffer(64)
    buf.write_bytes(DATA)
    keeper = Keeper(lambda view: None)
    CALLS[call_name](buf, keeper)
    with pytest.raises(ValueError, match="released"):
        bytes(keeper.lent[0])
    assert not buf.is_shared
    buf.release()
    assert pool.statistics().live_blocks == 0


@pytest.mark.parametrize("call_name", CALLS)
def test_b030_a_stream_that_releases_its_view(call_name: str) -> None:
    """The view is the stream's for the call; giving it back early harms nobody."""

    class Tidy(Stream):
        def write(self, view: memoryview) -> int:
            n = super().write(view)
            view.release()
            return n

        def readinto(self, view: memoryview) -> int:
            n = super().readinto(view)
            view.release()
            return n

    buf = copied(DATA)
    stream = Tidy(lambda: None)
    CALLS[call_name](buf, stream)
    buf._check()
    moved = copied(DATA)
    stream = Tidy(lambda: moved.set_capacity(4000))
    if call_name == "write_from":
        assert moved.write_from(stream, 6) == 6
        assert bytes(moved) == DATA + bytes(range(200, 206))
    elif call_name == "set_from":
        assert moved.set_from(1, stream, 9) == 9
        assert bytes(moved)[1:10] == bytes(range(200, 209))
    else:
        CALLS[call_name](moved, stream)


@pytest.mark.parametrize("call_name", CALLS)
def test_b030_an_answer_whose_conversion_releases_the_buffer(call_name: str) -> None:
    """The answer is asked for its value before the state is looked at."""

    class Answer:
        def __index__(self) -> int:
            buf.release()
            return 1

    class Odd:
        def write(self, view: memoryview) -> Any:
            return Answer()

        readinto = write

    buf = copied(DATA)
    with pytest.raises(ReferenceCountError):
        CALLS[call_name](buf, Odd())
    assert buf.refcnt == 0


@pytest.mark.parametrize("call_name", CALLS)
def test_b030_a_method_whose_look_up_releases_the_buffer(call_name: str) -> None:
    """Finding the method is conversion, too."""

    class Odd:
        def __getattr__(self, name: str) -> Any:
            buf.release()
            return len

    buf = copied(DATA)
    with pytest.raises(ReferenceCountError):
        CALLS[call_name](buf, Odd())


def test_b030_a_stream_that_writes_the_buffer_to_itself() -> None:
    """The buffer as its own stream, through an adapter: what is taken is appended behind."""

    class Itself:
        def write(self, view: memoryview) -> int:
            return buf.write_bytes(view)

    buf = copied(b"twice")
    assert buf.read_to(Itself()) == 5
    assert bytes(buf) == b"twice"
    assert buf.reader_index == 5


def test_b030_a_traceback_keeps_no_block() -> None:
    """A caught exception of a stream holds frames, and yet the block goes back when the buffer is released."""

    class Broken:
        def write(self, view: memoryview) -> int:
            raise KeyError("broken")

        readinto = write

    for call in CALLS.values():
        pool = fresh_pool()
        buf = pool.buffer(64)
        buf.write_bytes(DATA)
        with pytest.raises(KeyError) as caught:
            call(buf, Broken())
        assert not buf.is_shared
        buf.release()
        assert pool.statistics().live_blocks == 0
        del caught
