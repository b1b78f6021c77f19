"""What the contract tests share: factories for every shape, the accessor grid, and the check that nothing changed.

Owns    the parametrisations `each_shape`, `each_writable`, `each_growable`; the table of accessors; `unchanged`.
Never   an expectation about one method: those stand in the tests.
Always  a factory gives a new buffer whose bytes a test may know: given bytes, or zeros."""

from __future__ import annotations

import inspect
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

import pytest

from zbuf.buffer import ByteBuf, Pool, buffer, composite, copied
from zbuf.testing import _shapes
from zbuf.testing._shapes import AFTER_HEAD, SHAPE_NAMES, shape

Make = Callable[[bytes], ByteBuf]
MakeRoom = Callable[[int], ByteBuf]
MakeGrowing = Callable[[bytes, int], ByteBuf]

READ_ONLY_NAMES = tuple(name for name in SHAPE_NAMES if name.startswith(("wrapped bytes", "read-only")))
WRITABLE_NAMES = tuple(name for name in SHAPE_NAMES if name not in READ_ONLY_NAMES)
FIXED_NAMES = tuple(name for name in WRITABLE_NAMES if name.startswith(("slice", "wrapped bytearray", "unpickled")))
CONTIGUOUS_NAMES = tuple(name for name in SHAPE_NAMES if not name.startswith("composite"))


def names(which: tuple[str, ...]) -> list[Any]:
    """Turn shape names into pytest parameters whose ids hold no blanks."""
    return [pytest.param(partial(shape, name), id=name.replace(" ", "-")) for name in which]


def room(name: str, size: int) -> ByteBuf:
    """Build a writable shape with `size` unwritten zero bytes behind its writer index (and maybe some more)."""
    buf = shape(name, bytes(size))
    buf.writer_index = buf.reader_index
    return buf


def _growing_plain(data: bytes, maximum: int) -> ByteBuf:
    buf = buffer(len(data), maximum)
    buf.write_bytes(data)
    return buf


def _growing_pooled(data: bytes, maximum: int) -> ByteBuf:
    buf = _shapes.POOL.buffer(len(data), maximum)
    buf.write_bytes(data)
    return buf


def _growing_duplicate(data: bytes, maximum: int) -> ByteBuf:
    return _growing_plain(data, maximum).duplicate()


def _growing_composite(data: bytes, maximum: int) -> ByteBuf:
    whole = composite(maximum)
    for at in range(len(data)):
        whole.append(copied(data[at : at + 1]))
    return whole


GROWING: dict[str, MakeGrowing] = {
    "plain": _growing_plain,
    "pooled": _growing_pooled,
    "duplicate": _growing_duplicate,
    "composite": _growing_composite,
}

each_shape = pytest.mark.parametrize("shape", names(SHAPE_NAMES))
each_fresh_shape = pytest.mark.parametrize("shape", names(tuple(n for n in SHAPE_NAMES if not n.endswith(AFTER_HEAD))))
each_contiguous = pytest.mark.parametrize("shape", names(CONTIGUOUS_NAMES))
each_writable = pytest.mark.parametrize("shape", names(WRITABLE_NAMES))
each_read_only = pytest.mark.parametrize("shape", names(READ_ONLY_NAMES))
each_fixed = pytest.mark.parametrize("shape", names(FIXED_NAMES))
each_room = pytest.mark.parametrize(
    "room", [pytest.param(partial(room, name), id=name.replace(" ", "-")) for name in WRITABLE_NAMES]
)
each_growing = pytest.mark.parametrize("growing", [pytest.param(make, id=name) for name, make in GROWING.items()])


@dataclass(frozen=True)
class Stem:
    """One column of the accessor grid: `read_`, `peek_`, `get_<name>` and, for those stored, `write_` and `set_`."""

    name: str
    size: int
    kind: str  # "bool", "signed", "unsigned", "float"
    order: str = "big"

    def decode(self, raw: bytes) -> Any:
        """The oracle: what `raw` means, by int.from_bytes and struct."""
        if self.kind == "bool":
            return raw != b"\x00"
        if self.kind == "float":
            return struct.unpack(self._float_format, raw)[0]
        return int.from_bytes(raw, "big" if self.order == "big" else "little", signed=self.kind == "signed")

    def encode(self, value: Any) -> bytes:
        """The oracle: how `value` is stored; integers modulo their width, so both signs are taken."""
        if self.kind == "bool":
            return b"\x01" if value else b"\x00"
        if self.kind == "float":
            return struct.pack(self._float_format, value)
        order = "big" if self.order == "big" else "little"
        return int(value % (1 << 8 * self.size)).to_bytes(self.size, order)  # type: ignore[arg-type]  # a literal

    @property
    def _float_format(self) -> str:
        return (">" if self.order == "big" else "<") + ("f" if self.size == 4 else "d")

    @property
    def edges(self) -> tuple[int, int]:
        """The smallest and largest integer that a writer of this stem takes (rule V1)."""
        return -(1 << 8 * self.size - 1), (1 << 8 * self.size) - 1

    def get(self, buf: ByteBuf, index: int) -> Any:
        return getattr(buf, f"get_{self.name}")(index)

    def read(self, buf: ByteBuf) -> Any:
        return getattr(buf, f"read_{self.name}")()

    def peek(self, buf: ByteBuf) -> Any:
        return getattr(buf, f"peek_{self.name}")()

    def set(self, buf: ByteBuf, index: int, value: Any) -> None:
        getattr(buf, f"set_{self.name}")(index, value)

    def write(self, buf: ByteBuf, value: Any) -> None:
        getattr(buf, f"write_{self.name}")(value)


_ONE_BYTE = (Stem("boolean", 1, "bool"), Stem("byte", 1, "signed"), Stem("unsigned_byte", 1, "unsigned"))
_INTEGERS = tuple(
    Stem(sign + word, size, "unsigned" if sign else "signed")
    for word, size in (("short", 2), ("medium", 3), ("int", 4), ("long", 8))
    for sign in ("", "unsigned_")
)
_BIG = (*_INTEGERS, Stem("float", 4, "float"), Stem("double", 8, "float"))
_LITTLE = tuple(Stem(stem.name + "_le", stem.size, stem.kind, "little") for stem in _BIG)

GETTERS = (*_ONE_BYTE, *_BIG, *_LITTLE)
SETTERS = tuple(stem for stem in GETTERS if not stem.name.startswith("unsigned_"))
INTEGER_SETTERS = tuple(stem for stem in SETTERS if stem.kind == "signed")
assert (len(GETTERS), len(SETTERS)) == (23, 14)


def for_each(argument: str, cases: Mapping[str, Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test over all cases within one test item; a failure carries the name of its case as a note.

    For grids of shapes by methods: as items of their own they would be ten thousand, and cost more than they test."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def run(**arguments: Any) -> None:
            for label, value in cases.items():
                try:
                    test(**arguments, **{argument: value})
                except BaseException as exc:
                    exc.add_note(f"{argument}: {label}")
                    raise

        signature = inspect.signature(test)
        others = [parameter for name, parameter in signature.parameters.items() if name != argument]
        run.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]  # pytest reads it
        return run

    return decorate


each_getter = for_each("stem", {stem.name: stem for stem in GETTERS})
each_setter = for_each("stem", {stem.name: stem for stem in SETTERS})
each_integer_setter = for_each("stem", {stem.name: stem for stem in INTEGER_SETTERS})


def content(buf: ByteBuf) -> bytes:
    """All bytes of the window, the unwritten ones included."""
    return bytes(buf.get_bytes(0, buf.capacity))


def state(buf: ByteBuf) -> tuple[object, ...]:
    """Everything a failed call must leave alone (rule I13)."""
    indices = (buf.reader_index, buf.writer_index, buf.capacity, buf.max_capacity)
    return (*indices, buf.refcnt, buf.is_read_only, buf.memory_size, content(buf))


@contextmanager
def unchanged(*bufs: ByteBuf) -> Iterator[None]:
    """Assert that the block changes nothing of any of these buffers, and that each still keeps its invariant."""
    before = [state(buf) for buf in bufs]
    yield
    for buf, was in zip(bufs, before, strict=True):
        buf._check()
        assert state(buf) == was


class fails:  # reads like pytest.raises
    """Assert that the block raises exactly `cls`, not a subclass, and changes nothing of these buffers.

    Unlike pytest.raises it keeps no traceback: one would hold the frame of the test, and with it every buffer, in a
    cycle that only the collector breaks; then each test would cost a collection pass before its leak check."""

    def __init__(self, cls: type[BaseException], *bufs: ByteBuf) -> None:
        self.cls = cls
        self.bufs = bufs
        self.value: Any = None

    def __enter__(self) -> fails:
        self.before = [state(buf) for buf in self.bufs]
        return self

    def __exit__(self, cls: type[BaseException] | None, value: BaseException | None, traceback: object) -> bool:
        assert cls is not None, f"did not raise {self.cls.__name__}"
        if cls is not self.cls:
            return False  # the real error is the best report
        for buf, was in zip(self.bufs, self.before, strict=True):
            buf._check()
            assert state(buf) == was, f"{value!r} changed the buffer"
        self.value = without_traceback(value)
        return True


def without_traceback(exc: BaseException | None) -> BaseException | None:
    """Cut the tracebacks off an exception and the ones that led to it."""
    link = exc
    while link is not None:
        link.__traceback__ = None
        link = link.__context__
    return exc


def failure_of(call: Callable[..., Any], *arguments: Any) -> BaseException | None:
    """Return what the call raises, without its traceback, or None."""
    try:
        call(*arguments)
    except Exception as exc:  # the caller judges it
        return without_traceback(exc)
    return None


def fresh_pool(max_cached_bytes: int = 1 << 20) -> Pool:
    """A pool of a test's own, so that its statistics speak of that test alone."""
    return Pool(max_cached_bytes=max_cached_bytes)
