"""Sources and targets that are the buffer itself, change during the call, or lie about their memory.

Owns    FAULTS 7, 9, 10, 11, 13, 14, 26 to 28.
Never   integers: the other file has them.
Always  its own error or ours, the target unchanged; foreign memory is used only while it is held."""

from __future__ import annotations

import array
import copy
import ctypes
import mmap
import pickle
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from tests.contracts._kit import each_fresh_shape, each_writable, fails, failure_of, for_each, unchanged
from zbuf import ByteBuf, buffer, composite, copied, hex_dump, wrap
from zbuf.errors import ReferenceCountError
from zbuf.testing import shapes
from zbuf.testing._shapes import shape as build

DATA = bytes(range(1, 33))
needs_pep_688 = pytest.mark.skipif(sys.version_info < (3, 12), reason="__buffer__ came with Python 3.12")

SOURCES: dict[str, Callable[[ByteBuf, Any], Any]] = {
    "write_bytes": lambda b, src: b.write_bytes(src),
    "set_bytes": lambda b, src: b.set_bytes(0, src),
    "append": lambda b, src: composite().append(src),
    "prepend": lambda b, src: composite().prepend(src),
    "extend": lambda b, src: composite().extend([src]),
    "wrap": lambda b, src: wrap(src),
    "copied": lambda b, src: copied(src),
    "find": lambda b, src: b.find(src),
    "rfind": lambda b, src: b.rfind(src),
    "bytes_before": lambda b, src: b.bytes_before(src),
    "in": lambda b, src: src in b,
    "set item": lambda b, src: b.__setitem__(slice(0, 4), src),
    "hex_dump": lambda b, src: hex_dump(src),
    "==": lambda b, src: b == src,
}
TARGETS: dict[str, Callable[[ByteBuf, Any], Any]] = {
    "get_bytes_into": lambda b, dst: b.get_bytes_into(0, dst),
    "read_bytes_into": lambda b, dst: b.read_bytes_into(dst),
}


def table(calls: dict[str, Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test over a table of calls."""
    return for_each("call", calls)


@pytest.mark.parametrize("alien", [None, "text", 1.5, object(), [1, 2], int, lambda: None, 10**30], ids=repr)
@table({n: c for n, c in {**SOURCES, **TARGETS}.items() if n != "=="})
def test_f7_no_foreign_object_passes_for_a_buffer(call: Callable[[ByteBuf, Any], Any], alien: object) -> None:
    """TypeError in both forms (OverflowError for a huge needle); never a field read out of None."""
    buf = build("plain", DATA)
    with unchanged(buf):
        assert type(failure_of(call, buf, alien)) in ((TypeError, OverflowError) if alien == 10**30 else (TypeError,))


@needs_pep_688
@table(SOURCES)
@pytest.mark.parametrize("act", ["release", "clear", "shrink", "grow", "write"])
def test_f9_a_source_whose_buffer_acts_on_the_target(call: Callable[[ByteBuf, Any], Any], act: str) -> None:
    """`__buffer__` runs before the state is looked at; the call works on what is then there, or raises."""
    buf = build("plain", DATA)
    acts: dict[str, Callable[[], Any]] = {
        "release": buf.release,
        "clear": buf.clear,
        "shrink": lambda: buf.set_capacity(2),
        "grow": lambda: buf.set_capacity(4000),
        "write": lambda: buf.write_bytes(b"\xcc" * 40),
    }

    class Source:
        """Four bytes, with a side effect."""

        def __buffer__(self, flags: int) -> memoryview:
            acts[act]()
            return memoryview(b"abcd")

    try:
        call(buf, Source())
    except (ReferenceCountError, IndexError, ValueError):
        assert act in ("release", "clear", "shrink")
    if buf.refcnt:
        buf._check()
        assert len(bytes(buf)) == buf.readable_bytes


@needs_pep_688
@table({**SOURCES, **TARGETS})
def test_f9_a_buffer_that_raises_passes_its_error_on(call: Callable[[ByteBuf, Any], Any]) -> None:
    """Its own error, and nothing changes. (Comparison may say NotImplemented instead.)"""

    class Source:
        """No bytes to be had."""

        def __buffer__(self, flags: int) -> memoryview:
            raise KeyError("no bytes today")

    buf = build("plain", DATA)
    with unchanged(buf), pytest.raises(KeyError, match="no bytes today"):
        call(buf, Source())


@needs_pep_688
@table(TARGETS)
@pytest.mark.parametrize("act", ["release", "clear", "shrink", "grow"])
def test_f9_a_target_whose_buffer_acts_on_the_source(call: Callable[[ByteBuf, Any], Any], act: str) -> None:
    """The bytes that arrive are the buffer's own, or the call raises; nothing else can arrive."""
    buf = build("plain", DATA)
    acts = {
        "release": buf.release,
        "clear": buf.clear,
        "shrink": lambda: buf.set_capacity(2),
        "grow": lambda: buf.set_capacity(4000),
    }
    store = bytearray(4)

    class Target:
        """Four writable bytes, with a side effect."""

        def __buffer__(self, flags: int) -> memoryview:
            acts[act]()
            return memoryview(store)

    try:
        call(buf, Target())
    except (ReferenceCountError, IndexError):
        assert store == bytes(4)
    else:
        assert store == DATA[:4]
    if buf.refcnt:
        buf._check()


class LyingLength(bytearray):
    """Its len() has nothing to do with its memory."""

    def __len__(self) -> int:
        return 10**6


def test_f9_len_is_never_asked() -> None:
    """What counts is the memory exported, not what `__len__` says."""
    source = LyingLength(b"abcd")
    buf = buffer(0)
    assert buf.write_bytes(source) == 4
    assert wrap(source).capacity == 4
    target = LyingLength(b"....")
    assert copied(b"wxyz!").read_bytes_into(target) == 4
    assert bytes(memoryview(target)) == b"wxyz"


def test_f9_a_source_shrinking_while_it_is_held_is_impossible() -> None:
    """A bytearray that the call holds cannot be resized by an argument converted later."""
    source = bytearray(b"abcdefgh")

    class Shrink:
        """Tries to take the source away while it is being asked for an index."""

        def __index__(self) -> int:
            try:
                source.clear()
            except BufferError:
                return 4
            return 4

    buf = build("plain", DATA)
    try:
        buf.set_bytes(0, source, Shrink(), 4)
    except IndexError:
        assert bytes(buf) == DATA
    else:
        assert bytes(buf) in (b"efgh" + DATA[4:], DATA)
    buf._check()


def test_f10_memory_is_counted_in_bytes() -> None:
    """Typed, multi-dimensional, zero-dimensional, empty and big-endian memory by nbytes."""
    numpy = pytest.importorskip("numpy")
    sources = [
        array.array("d", [1.5, 2.5]),
        memoryview(bytes(range(12))).cast("B", (3, 4)),
        memoryview(b"abcd").cast("I", ()),
        numpy.arange(6, dtype=">u2").reshape(2, 3),
        numpy.array(7, dtype="<i8"),
        numpy.zeros((0, 3)),
        (ctypes.c_ushort * 3)(1, 2, 3),
        memoryview(b""),
        mmap.mmap(-1, 8),
    ]
    for source in sources:
        expected = bytes(memoryview(source).tobytes())
        buf = buffer(0)
        assert buf.write_bytes(source) == len(expected) == memoryview(source).nbytes
        assert buf == expected
        assert wrap(source) == expected
        whole = composite()
        whole.append(source)
        assert whole == expected
        whole.release()
    sources[-1].close()


def test_f10_memory_in_pieces_is_refused_everywhere() -> None:
    """A strided or Fortran-ordered view is BufferError, not a garbled copy."""
    numpy = pytest.importorskip("numpy")
    buf = build("plain", DATA)
    square = numpy.arange(16, dtype="u1").reshape(4, 4)
    for source in (memoryview(b"abcdefgh")[::2], memoryview(b"abcd")[::-1], square[:, 1], square.T):
        for name, call in SOURCES.items():
            if name == "==":
                continue
            with fails(BufferError, buf):
                call(buf, source)
    for call in TARGETS.values():
        with fails(BufferError, buf):
            call(buf, square[:, 1])


@each_writable
def test_f11_a_buffer_written_into_itself_and_its_slices(shape: Callable[[bytes], ByteBuf]) -> None:
    """Overlapping ranges through self, slice, duplicate and read-only view behave like memmove."""
    for at, to, n in ((0, 3, 20), (3, 0, 20), (5, 5, 9), (0, 31, 1), (0, 0, 32)):
        for make in (lambda b: b, lambda b: b.duplicate(), lambda b: b.as_read_only(), lambda b: b.slice()):
            buf = shape(DATA)
            r = buf.reader_index
            source = make(buf)
            offset = r if source.capacity == buf.capacity else 0
            model = bytearray(DATA)
            model[to : to + n] = model[at : at + n]
            buf.set_bytes(r + to, source, offset + at, n)
            assert bytes(buf) == model


def test_f13_objects_made_by_new_alone_raise_and_do_not_crash() -> None:
    """Every public name of such an object raises or answers like an empty or a dead buffer."""
    for cls in {type(buf) for buf in shapes(b"ab").values()}:
        try:
            raw = cls.__new__(cls)
        except TypeError:
            continue
        for name in dir(cls):
            if name.startswith("_"):
                continue
            try:
                value = getattr(raw, name)
                if callable(value):
                    value()
            except SystemError:
                raise
            except Exception:  # any error will do; a crash, or CPython's word for a broken object, will not
                continue
        repr_or_error(raw)


def repr_or_error(thing: object) -> None:
    """A repr may fail on a half-made object, but only in an orderly way."""
    try:
        assert isinstance(repr(thing), str)
    except (AttributeError, ReferenceCountError):
        return


def test_f13_init_called_again_loses_no_block() -> None:
    """A second __init__ is refused, or leaves the buffer usable."""
    buf = copied(DATA)
    try:
        buf.__init__()  # type: ignore[misc]  # the very misuse
    except TypeError:
        assert bytes(buf) == DATA
    buf._check()


@each_fresh_shape
def test_f14_attributes_cannot_be_smuggled_in(shape: Callable[[bytes], ByteBuf]) -> None:
    """A new attribute is refused in both forms: a misspelt one must not pass in silence."""
    buf = shape(DATA)
    with fails(AttributeError, buf):
        buf.writer_indx = 3
    with fails(AttributeError, buf):
        buf.capacity = 3
    with fails(AttributeError, buf):
        buf.refcnt = 7


@each_fresh_shape
def test_f14_a_copy_never_shares_an_owner_by_accident(shape: Callable[[bytes], ByteBuf]) -> None:
    """copy, deepcopy and pickle give a right copy or TypeError."""
    buf = shape(DATA)
    shallow, deep = copy.copy(buf), copy.deepcopy(buf)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        try:
            again = pickle.loads(pickle.dumps(buf, protocol))
        except TypeError:
            continue
        assert again == DATA
    buf.release()
    assert bytes(shallow) == bytes(deep) == DATA


def test_f26_no_writable_memory_leaks_out_of_a_read_only_buffer() -> None:
    """View, readable views, slices of it, iterators: nothing lets a byte be changed."""
    store = bytearray(DATA)
    frozen = (copied(DATA).as_read_only(), wrap(DATA), wrap(store, read_only=True), wrap(copied(DATA), read_only=True))
    for buf in frozen:
        for handle in (buf, buf.slice(), buf.duplicate(), buf.copy().as_read_only(), buf.slice().slice(2, 5)):
            views = [handle.view(), *handle.readable_views()]
            assert all(view.readonly for view in views)
            for view in views:
                with pytest.raises(TypeError):
                    view[0] = 1
                with pytest.raises((TypeError, BufferError)):
                    (ctypes.c_ubyte * 1).from_buffer(view)
                with pytest.raises((TypeError, BufferError, struct.error)):
                    struct.pack_into("B", view, 0, 1)
    assert store == DATA


def test_f30_extend_with_an_iterator_that_acts_on_the_composite() -> None:
    """The parts are listed first; whatever the listing did, the composite stays whole."""

    def parts(whole: ByteBuf, act: str) -> Iterator[bytes]:
        yield b"ab"
        getattr(whole, act)()
        yield b"cd"

    for act in ("clear", "discard_read_bytes", "compact", "consolidate"):
        whole = composite()
        whole.append(copied(b"xy"))
        whole.extend(parts(whole, act))
        whole._check()
        assert bytes(whole) == (b"abcd" if act == "clear" else b"xyabcd")
    whole = composite()
    whole.append(b"xy")
    with pytest.raises(ReferenceCountError):
        whole.extend(parts(whole, "release"))


def test_f30_extend_with_an_iterator_that_raises() -> None:
    """Its error passes; parts it had already given are released; the composite keeps what it had."""
    given = copied(b"ab")

    def parts() -> Iterable[ByteBuf]:
        yield given
        raise KeyError("no more")

    whole = composite()
    whole.append(b"xy")
    with pytest.raises(KeyError):
        whole.extend(parts())
    assert bytes(whole) in (b"xy", b"xyab")
    whole._check()


class Encoder(str):
    """Text that encodes itself, to whatever it was told."""

    answer: Any

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> Any:
        return self.answer


class Packer(struct.Struct):
    """A struct that packs into whatever it was told."""

    answer: Any

    def pack(self, *values: Any) -> Any:
        return self.answer


@pytest.mark.parametrize("answer", [5, "text", None, [1, 2], object(), memoryview(b"abcdef")[::2]], ids=repr)
def test_f9_what_a_subclass_gives_for_bytes_is_looked_at(answer: object) -> None:
    """Encoded text and packed values come from the user's own class: what has no bytes in one piece is refused."""
    text, layout = Encoder("xy"), Packer(">H")
    text.answer = layout.answer = answer
    expected = BufferError if isinstance(answer, memoryview) else TypeError
    for call in (
        lambda b: b.write_string(text),
        lambda b: b.set_string(0, text),
        lambda b: b.write_struct(layout, 1),
        lambda b: b.set_struct(0, layout, 1),
    ):
        buf = build("plain", DATA)
        with fails(expected, buf):
            call(buf)


def test_f9_what_a_subclass_gives_for_bytes_is_stored_as_it_is() -> None:
    """Any length, any kind of memory."""
    text, layout = Encoder("xy"), Packer(">H")
    text.answer, layout.answer = bytearray(b"longer than xy"), array.array("H", [0x4141] * 3)
    buf = buffer(0)
    assert buf.write_string(text) == 14
    buf.write_struct(layout, 1)
    assert bytes(buf) == b"longer than xyAAAAAA"
