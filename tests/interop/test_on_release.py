"""wrap(x, on_release=f): who hears when the last holder of wrapped memory is gone.

Owns    BEHAVIOURS 117.
Never   what can be wrapped: test_wrapped_objects.py.
Always  f runs exactly once, after the object was let go, and whatever it does is nobody's failure but its own."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from zbuf import ByteBuf, buffer, composite, copied, empty, wrap
from zbuf.errors import ReferenceCountError

KINDS: dict[str, Callable[[], Any]] = {
    "bytearray": lambda: bytearray(b"abcdef"),
    "bytes": lambda: b"abcdef",
    "view": lambda: memoryview(bytearray(b"abcdef")),
    "read-only view": lambda: memoryview(b"abcdef"),
}
each_kind = pytest.mark.parametrize("make", KINDS.values(), ids=[name.replace(" ", "-") for name in KINDS])

HOLDERS: dict[str, Callable[[ByteBuf], Any]] = {
    "slice": lambda buf: buf.slice(1, 3),
    "duplicate": lambda buf: buf.duplicate(),
    "read-only view": lambda buf: buf.as_read_only(),
    "read slice": lambda buf: buf.read_slice(2),
    "split half": lambda buf: buf.split(3),
    "moved handle": lambda buf: buf.move(),
    "composite": lambda buf: wrap(buf.slice(), b"more"),
    "slice of a composite": lambda buf: wrap(b"less", buf.slice()).slice(2, 4),
    "view": lambda buf: buf.view(),
    "part of a view": lambda buf: buf.view()[2:4],
    "cast view": lambda buf: buf.view(0, 4).cast("H"),
    "views": lambda buf: buf.readable_views(),
    "iterator": iter,
    "second of two": lambda buf: (buf.slice(), buf.view(1, 1))[1],
}
each_holder = pytest.mark.parametrize("hold", HOLDERS.values(), ids=[name.replace(" ", "-") for name in HOLDERS])


class Calls(list[str]):
    """An on_release that notes its calls."""

    def __call__(self) -> None:
        self.append("called")


@each_kind
@each_holder
def test_b117_it_runs_once_when_the_last_holder_is_gone(
    make: Callable[[], Any], hold: Callable[[ByteBuf], Any]
) -> None:
    """Not at the first release: when handle, slice and export are all gone, in whichever order they go."""
    for keep_handle in (False, True):
        calls = Calls()
        buf = wrap(make(), on_release=calls)
        holder = hold(buf)
        if keep_handle:
            del holder
            assert calls == ([] if buf.refcnt else ["called"])
            if buf.refcnt:
                buf.release()
        else:
            if buf.refcnt:
                buf.release()
            assert calls == []
            del holder
        assert calls == ["called"]
        del buf
        assert calls == ["called"]


@each_kind
def test_b117_a_dropped_handle_is_as_good_as_a_released_one(make: Callable[[], Any]) -> None:
    """Nobody has to release."""
    calls = Calls()
    buf = wrap(make(), on_release=calls)
    assert calls == []
    del buf
    assert calls == ["called"]


def test_b117_a_retained_handle_needs_every_release() -> None:
    """The count of the handle is what release counts."""
    calls = Calls()
    buf = wrap(bytearray(4), on_release=calls)
    buf.retain()
    assert not buf.release()
    assert calls == []
    buf.release()
    assert calls == ["called"]
    with pytest.raises(ReferenceCountError):
        buf.release()
    assert calls == ["called"]


def test_b117_an_array_is_a_holder_too() -> None:
    """numpy's arrays, and what is derived from them."""
    np = pytest.importorskip("numpy")
    for make in (lambda: bytearray(8), lambda: bytes(8)):
        for look in (
            lambda buf: buf.as_array(">u4"),
            lambda buf: buf.read_array("u1", 4)[1:3],
            np.asarray,
            lambda buf: np.frombuffer(buf.view(), "u1"),
            lambda buf: np.from_dlpack(buf) if not buf.is_read_only else np.asarray(buf),
        ):
            calls = Calls()
            buf = wrap(make(), on_release=calls)
            array = look(buf)
            buf.release()
            del buf
            assert calls == []
            assert array.sum() == 0
            del array
            assert calls == ["called"]


def test_b117_by_then_the_object_is_let_go() -> None:
    """f may resize, close or free what was wrapped."""
    store = bytearray(b"abcd")
    buf = wrap(store, on_release=store.clear)
    view = buf.view()
    buf.release()
    assert store == b"abcd"
    view.release()
    del view
    assert store == b""


@pytest.mark.parametrize(
    "failure", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)], ids=lambda e: type(e).__name__
)
def test_b117_an_exception_in_it_is_reported_not_raised(
    monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    """By sys.unraisablehook, whatever it is; the release itself succeeds."""
    reported: list[BaseException | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda args: reported.append(args.exc_value))

    def fail() -> None:
        raise failure

    buf = wrap(bytearray(4), on_release=fail)
    assert buf.release()
    assert reported == [failure]
    part = wrap(bytearray(4), on_release=fail).slice(0, 2)
    reported.clear()
    del part
    assert reported == [failure]
    reported.clear()
    failure.__traceback__ = None


def test_b117_an_exception_under_way_is_not_lost() -> None:
    """f runs while a block unwinds: the exception of the block goes on."""
    calls = Calls()

    def use() -> None:
        buf = wrap(bytearray(4), on_release=calls)
        buf.get_int(1)

    with pytest.raises(IndexError) as caught:
        use()
    assert caught.value.args
    caught.value.__traceback__ = None
    del caught
    assert calls == ["called"]


def test_b117_it_goes_with_exactly_one_object() -> None:
    """Several parts, none, or a ByteBuf: TypeError; buffers given are taken all the same, and f is not called."""
    calls = Calls()
    for parts in ((b"ab", b"cd"), (), (copied(b"ab"),), (copied(b"ab"), b"cd"), (b"ab", composite())):
        with pytest.raises(TypeError):
            wrap(*parts, on_release=calls)
        assert [part.refcnt for part in parts if isinstance(part, ByteBuf)] == [0] * sum(
            isinstance(part, ByteBuf) for part in parts
        )
    with pytest.raises(TypeError):
        wrap(b"ab", on_release=5)  # type: ignore[arg-type]  # the point
    assert calls == []


def test_b117_a_wrap_that_fails_takes_nothing() -> None:
    """TypeError, BufferError: the memory is still the caller's, and f is not called."""
    calls = Calls()
    for bad in (None, "text", 5, memoryview(b"abcd")[::2]):
        with pytest.raises((TypeError, BufferError)):
            wrap(bad, on_release=calls)
    assert calls == []


def test_b117_without_bytes_it_waits_for_the_handle_all_the_same() -> None:
    """An empty object has an empty buffer, and f runs at its end."""
    for nothing in (b"", bytearray(), memoryview(b"")):
        calls = Calls()
        buf = wrap(nothing, on_release=calls)
        part = buf.slice()
        assert (len(buf), buf.capacity, buf.max_capacity, calls) == (0, 0, 0, [])
        buf.release()
        assert calls == []
        part.release()
        assert calls == ["called"]


def test_b117_wrap_of_only_empty_parts_releases_every_one() -> None:
    """With or without read_only; empty objects vanish too."""
    for read_only in (False, True):
        parts = [empty(), buffer(16), composite(), copied(b"")]
        made = wrap(*parts, b"", bytearray(), read_only=read_only)
        assert (len(made), made.capacity, [part.refcnt for part in parts]) == (0, 0, [0] * 4)


def test_b117_read_only_and_on_release_go_together() -> None:
    """The buffer refuses writes, the object does not change for it."""
    calls = Calls()
    store = bytearray(b"abc")
    buf = wrap(store, read_only=True, on_release=calls)
    assert buf.is_read_only
    store[0] = 0x7F
    assert buf.get_byte(0) == 0x7F
    buf.release()
    assert calls == ["called"]


# Foreign code in the midst of a release must find every buffer whole.


@each_kind
def test_b117_it_finds_the_handle_dead(make: Callable[[], Any]) -> None:
    """Every use of the handle whose release it answers raises, and touches nothing."""
    found: list[object] = []

    def look() -> None:
        for use in (buf.read_int, lambda: buf.get_byte(0), buf.view, lambda: len(buf), buf.slice, lambda: bytes(buf)):
            try:
                found.append(use())
            except ReferenceCountError:
                found.append("dead")

    buf = wrap(make(), on_release=look)
    buf.release()
    assert found == ["dead"] * 6
    buf._check()


@pytest.mark.parametrize("act", ["compact", "discard_read_bytes"])
def test_b117_it_finds_a_live_handle_whole(act: str) -> None:
    """What moves to a new block lets go of the old one last: indices and window agree by then."""
    found: list[object] = []

    def look() -> None:
        buf._check()
        found.append((bytes(buf), buf.read_short(), buf.readable_bytes))

    buf = wrap(bytearray(b"12345678"), on_release=look)
    buf.skip_bytes(4)
    getattr(buf, act)()
    assert found == [(b"5678", 0x3536, 2)]


ACTS: dict[str, Callable[[Any], Any]] = {
    "clear": lambda buf: buf.clear(),
    "compact": lambda buf: buf.compact(),
    "consolidate": lambda buf: buf.consolidate(),
    "consolidate two": lambda buf: buf.consolidate(1, 2),
    "discard": lambda buf: buf.discard_read_bytes(),
    "discard components": lambda buf: buf.discard_read_components(),
    "shrink": lambda buf: buf.set_capacity(1),
    "split": lambda buf: buf.split(5).release(),
    "split off": lambda buf: buf.split_off(3).release(),
    "prepend": lambda buf: buf.prepend(b"xyz"),
    "append": lambda buf: (buf.set_index(0, 2), buf.append(b"tail")),
    "release": lambda buf: buf.release(),
    "move": lambda buf: buf.move().release(),
}


@pytest.mark.parametrize("deed", ["look", "read", "release"])
@pytest.mark.parametrize("act", ACTS.values(), ids=[name.replace(" ", "-") for name in ACTS])
def test_b117_it_finds_a_composite_whole(act: Callable[[Any], Any], deed: str) -> None:
    """Whatever drops components: f may look at the composite, read from it, or release it."""
    seen: list[str] = []

    def look() -> None:
        seen.append(deed)
        buf._check()
        if not buf.refcnt:
            return
        content = bytes(buf)
        for at in range(buf.reader_index, buf.writer_index):
            assert buf.get_unsigned_byte(at) == content[at - buf.reader_index]
        if deed == "read":
            buf.skip_bytes(min(1, buf.readable_bytes))
            if buf.can_read(2):
                buf.get_short(buf.reader_index)
        elif deed == "release":
            buf.release()

    buf = wrap(*(wrap(bytearray(f"{k}{k}", "ascii"), on_release=look) for k in range(5)))
    buf.skip_bytes(5)
    try:
        act(buf)
    except ReferenceCountError:  # f released it in the midst of the act
        assert deed == "release"
    buf._check()
    if buf.refcnt:
        buf.release()
    assert seen == [deed] * 5


def test_b117_it_runs_on_the_thread_that_drops_the_last_holder() -> None:
    """Blocks may be freed from any thread."""
    names: list[str] = []
    buf = wrap(bytearray(4), on_release=lambda: names.append(threading.current_thread().name))
    holders = [buf.slice()]
    buf.release()
    thread = threading.Thread(target=holders.clear, name="dropper")
    thread.start()
    thread.join()
    assert names == ["dropper"]
