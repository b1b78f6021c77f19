"""Memory whose end runs code, while the buffer that lets go of it is in the middle of a call.

Owns    what a source's `__del__` and an `on_release` find when they use the buffer that has just dropped them.
Never   arguments: test_whole_surface has those.
Always  they find a buffer that keeps its invariant and shows its new bytes, or a dead one that says so; whatever they
        do to it, it is whole afterwards."""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts._kit import content
from zbuf import ByteBuf, composite, copied, wrap
from zbuf.errors import ReferenceCountError, UsageError, ZbufError

FRONT, MIDDLE, BACK = b"front", b"in the middle", b"at the back"
WHOLE = FRONT + MIDDLE + BACK


class Dying(bytearray):
    """Bytes that use a buffer as they die."""

    last_words: Callable[[], Any]

    def __del__(self) -> None:
        self.last_words()


class Witness:
    """What happened at the end of some memory."""

    def __init__(self, act: Callable[[ByteBuf], Any]) -> None:
        self.act = act
        self.ref: Callable[[], ByteBuf | None] = lambda: None
        self.found: list[BaseException | str] = []

    def __call__(self) -> None:
        buf = self.ref()
        if buf is None:
            return
        try:
            look_at(buf)
            if buf.refcnt:
                with contextlib.suppress(ZbufError, ValueError):
                    self.act(buf)
                look_at(buf)
            self.found.append("whole")
        except BaseException as exc:
            self.found.append(exc)


def look_at(buf: ByteBuf) -> None:
    """Assert that a buffer is whole, by its invariant and by using it at every border."""
    buf._check()
    if buf.refcnt == 0:
        for use in (lambda: buf.get_byte(0), lambda: buf.read_byte(), lambda: buf.write_byte(1), lambda: bytes(buf)):
            with pytest.raises(ReferenceCountError):
                use()
        return
    assert len(bytes(buf)) == buf.readable_bytes
    seen = content(buf)
    assert bytes(buf) == seen[buf.reader_index : buf.writer_index]
    for index in range(-1, buf.capacity + 2):
        if 0 <= index < buf.capacity:
            assert buf.get_unsigned_byte(index) == seen[index]
        else:
            with pytest.raises(IndexError):
                buf.get_byte(index)
    for index in (0, buf.capacity - 4, buf.capacity - 3, buf.capacity):
        if 0 <= index <= buf.capacity - 4:
            assert buf.get_unsigned_int(index) == int.from_bytes(seen[index : index + 4], "big")
        else:
            with pytest.raises(IndexError):
                buf.get_int(index)


def _nothing(buf: ByteBuf) -> None:
    return None


ACTS: dict[str, Callable[[ByteBuf], Any]] = {
    "nothing": _nothing,
    "release": lambda b: b.release(),
    "clear": lambda b: b.clear(),
    "shrink": lambda b: b.set_capacity(1),
    "grow": lambda b: b.write_bytes(b"more than there was" * 10),
    "discard": lambda b: (b.skip_bytes(b.readable_bytes), b.discard_read_bytes()),
    "compact": lambda b: b.compact(),
    "split": lambda b: b.split(1),
    "move": lambda b: b.move(),
}
ALONE: dict[str, Callable[[ByteBuf], Any]] = {
    "release": lambda b: b.release(),
    "with": lambda b: b.__exit__(None, None, None),
    "move and drop": lambda b: b.move(),
    "compact": lambda b: (b.skip_bytes(3), b.compact()),
}
PARTS: dict[str, Callable[[ByteBuf], Any]] = {
    **ALONE,
    "clear": lambda b: b.clear(),
    "shrink to nothing": lambda b: b.set_capacity(0),
    "shrink": lambda b: b.set_capacity(len(FRONT) - 2),
    "discard all": lambda b: (b.skip_bytes(len(WHOLE)), b.discard_read_bytes()),
    "discard some": lambda b: (b.skip_bytes(len(WHOLE) - 2), b.discard_some_read_bytes()),
    "discard bytes": lambda b: (b.skip_bytes(len(FRONT + MIDDLE) + 2), b.discard_read_bytes()),
    "discard components": lambda b: (b.skip_bytes(len(FRONT + MIDDLE) + 2), b.discard_read_components()),
    "consolidate": lambda b: b.consolidate(),
    "consolidate some": lambda b: b.consolidate(0, 2),
    "prepend": lambda b: (b.skip_bytes(len(FRONT + MIDDLE) + 2), b.prepend(b"new")),
    "append": lambda b: (b.set_index(1, len(FRONT) - 1), b.append(b"new")),
    "extend": lambda b: (b.set_index(1, len(FRONT) - 1), b.extend([b"new", copied(b"newer")])),
    "split and drop": lambda b: b.split(len(WHOLE) - 2),
    "split off and drop": lambda b: b.split_off(2),
    "pop and drop": lambda b: (b.pop_component(2), b.pop_component(1), b.pop_component(0)),
}


def found_by(make: Callable[[Callable[[], Any]], ByteBuf], drop: Callable[[ByteBuf], Any], act: Any) -> list[Any]:
    """Build a buffer on dying memory, make it let go, and return what the memory found at its end."""
    witness = Witness(act)
    buf = make(witness)
    witness.ref = weakref.ref(buf)
    with contextlib.suppress(ZbufError):  # the act may have released the buffer between two steps of the drop
        drop(buf)
    look_at(buf)
    witness.ref = lambda: None
    if buf.refcnt:
        buf.release()
    return witness.found


def dying(data: bytes, witness: Callable[[], Any]) -> Dying:
    """Bytes whose `__del__` calls the witness."""
    source = Dying(data)
    source.last_words = witness
    return source


def wrapped(witness: Callable[[], Any]) -> ByteBuf:
    return wrap(dying(WHOLE, witness))


def sliced(witness: Callable[[], Any]) -> ByteBuf:
    return wrap(dying(b"__" + WHOLE, witness)).slice(2, len(WHOLE))


def wrapped_with_callback(witness: Callable[[], Any]) -> ByteBuf:
    return wrap(bytearray(WHOLE), on_release=witness)


def composed(witness: Callable[[], Any]) -> ByteBuf:
    whole = composite()
    for part in (FRONT, MIDDLE, BACK):
        whole.append(dying(part, witness))
    return whole


def composed_with_callback(witness: Callable[[], Any]) -> ByteBuf:
    whole = composite()
    for part in (FRONT, MIDDLE, BACK):
        whole.append(wrap(bytearray(part), on_release=witness))
    return whole


def composed_of_slices(witness: Callable[[], Any]) -> ByteBuf:
    """Many components of few bytes, so that a list of spans is cut in its midst."""
    whole = composite()
    for at in range(len(WHOLE)):
        whole.append(wrap(dying(WHOLE[at : at + 1], witness)))
    return whole


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("drop", ALONE)
@pytest.mark.parametrize("make", [wrapped, sliced, wrapped_with_callback], ids=lambda make: make.__name__)
def test_f29_the_end_of_wrapped_memory_finds_the_buffer_whole(make: Any, drop: str, act: str) -> None:
    """The buffer has let go, its numbers are those of what comes next, and using it is safe."""
    found = found_by(make, ALONE[drop], ACTS[act])
    assert found == ["whole"]


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("drop", PARTS)
@pytest.mark.parametrize("make", [composed, composed_with_callback, composed_of_slices], ids=lambda make: make.__name__)
def test_f29_the_end_of_a_component_finds_the_composite_whole(make: Any, drop: str, act: str) -> None:
    """Components go when all numbers are right again; what their end does to the composite is what it finds."""
    found = found_by(make, PARTS[drop], ACTS[act])
    assert found
    assert set(map(repr, found)) == {repr("whole")}


def test_f35_a_collection_in_the_midst_of_a_call_may_release_the_buffer(request: pytest.FixtureRequest) -> None:
    """A collection may run within any call that makes objects; one whose finaliser releases the buffer breaks nothing.

    What the call then gives is its own business: nobody could say what it should be."""

    class Garbage:
        """A cycle whose finaliser releases a buffer."""

        def __init__(self, buf: ByteBuf) -> None:
            self.buf = buf
            self.me = self

        def __del__(self) -> None:
            if self.buf.refcnt:
                self.buf.release()

    calls: list[Callable[[ByteBuf], Any]] = [
        lambda b: b.readable_views(),
        lambda b: b.get_varint(0),
        lambda b: b.read_struct(">HH"),
        lambda b: b.split(4),
        lambda b: b.slice(1, 9),
        lambda b: b.copy(),
        lambda b: b.get_bytes(0, 20),
        lambda b: b.set_bytes(0, bytearray(20)),
        lambda b: b.compact(),
        lambda b: b.components() if hasattr(b, "components") else None,
        lambda b: b.consolidate() if hasattr(b, "consolidate") else None,
        lambda b: b.append([b"x"][0]) if hasattr(b, "append") else None,
        lambda b: b.duplicate(),
        lambda b: list(b),
        lambda b: b.find(b"ab"),
        lambda b: b == b"abc",
    ]
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()  # what the whole suite has left behind would be looked at sixty times: a minute where the heap is large
    request.addfinalizer(gc.unfreeze)
    for make in (lambda: copied(WHOLE), lambda: composed(lambda: None), lambda: wrap(bytearray(WHOLE))):
        for call in calls:
            buf = make()
            gc.collect()
            gc.disable()
            Garbage(buf)
            gc.set_threshold(1)
            gc.enable()
            try:
                call(buf)
            except (
                ReferenceCountError,
                IndexError,
                UsageError,
                ValueError,
            ):  # of a released view
                pass
            finally:
                gc.set_threshold(*thresholds)
            gc.collect()
            assert buf.refcnt == 0
            for use in (lambda b: b.get_byte(0), lambda b: b.read_byte(), lambda b: b.write_int(1), bytes, len):
                with pytest.raises(ReferenceCountError):
                    use(buf)
