"""Blocks of memory, raw loads and stores, and the buffer slot: the interpreted twin of `_memory.pyx`.

Owns    `Memory` (one block of bytes and what to do when nobody needs it any more), `Window` (the numbers by which a
        handle looks at a block, and the buffer export), and every access to raw bytes.
Never   an index of a buffer, a bounds check, a growth rule: whoever calls a load or a store has checked the bounds.
Always  a block lives as long as anything holds its `Memory`: a handle, an export, a transfer. CPython's reference
        count is the reference count of memory. Both twins offer the same names with the same behaviour.

In this form `base` is a memoryview of the block; in the compiled form it is a C pointer.
"""

import contextlib
import ctypes
import math
import mmap
import operator
import struct
import sys
from collections.abc import Callable
from typing import Any, ClassVar, Self

from zbuf._types import Buffer
from zbuf.errors import ReferenceCountError

__all__ = ["SHELVES", "Home", "Memory", "Shelf", "Window"]

SHELVES = 48  # 64 bytes to 256 MiB in 45 classes

_VIEWS_KEEP_OWNERS = sys.version_info >= (3, 12)  # PEP 688: memoryview(obj) of a Python class


class Block:
    """Raw bytes between two lives of a `Memory`: what the compiled form keeps in the `Memory` itself."""

    __slots__ = ("bytes", "pages", "shelf", "size", "start")

    def __init__(self, store: "bytearray | mmap.mmap", start: int, size: int) -> None:
        self.bytes = store
        self.start = start
        self.size = size
        self.shelf = -1
        self.pages = 0

    def wipe(self) -> None:
        """Overwrite every byte with zero."""
        memoryview(self.bytes)[self.start : self.start + self.size] = bytes(self.size)

    def is_exported(self) -> bool:
        """Return whether a view of the bytes is still alive somewhere (see `Memory.__del__`)."""
        if not self.bytes:
            return False
        try:
            if isinstance(self.bytes, bytearray):
                last = self.bytes.pop()  # refused while a view lives; appending first could move the bytes elsewhere
                self.bytes.append(last)
            else:
                self.bytes.resize(len(self.bytes))  # refused likewise
        except BufferError:
            return True
        except OSError:  # not refused, only impossible: the kernel sees several maps where one was asked for
            return False
        return False


class Home:
    """Where a block goes when the last holder of its `Memory` is gone: an allocator."""

    __slots__ = ()

    def _receive(self, memory: "Memory") -> bool:
        """Take back `memory`, which nobody holds; return whether it was kept for another life.

        Called on whichever thread dropped it, also in the midst of a collection; nothing in here may run foreign code.
        """
        return False


class Memory:
    """One block of bytes: a view of it, its size, whether it is read-only, and what happens at its end.

    Ownership: whoever holds a `Memory` holds the block. When the last holder goes, the block returns to the pool it
    was leased from, or the object it was wrapped around is let go.
    """

    __slots__ = (
        "__weakref__",
        "_block",
        "_home",
        "_on_release",
        "_record",
        "_shelf",
        "_source",
        "base",
        "exports",
        "external",
        "pages",
        "read_only",
        "size",
    )

    def __init__(self) -> None:
        self.base: memoryview = _NOTHING
        self.size: int = 0
        self.read_only: bool = False
        self.external: bool = False
        self.exports: int = 0
        self.pages: int = 0
        self._shelf = -1
        self._record: Any = None
        self._block: Block | None = None
        self._home: Home | None = None
        self._source: object = None
        self._on_release: Callable[[], object] | None = None

    def export(self, at: int, n: int, read_only: bool) -> memoryview:
        """Return a view of bytes [at, at + n) that keeps this block alive until the last view of it is gone."""
        if _VIEWS_KEEP_OWNERS:
            view = memoryview(self)[at : at + n]  # type: ignore[arg-type,unused-ignore]  # a Buffer from 3.12 on
        elif n:
            # Before PEP 688 nothing else makes a view hold its owner: a ctypes array may carry the reference.
            array: Any = (ctypes.c_ubyte * n).from_address(self.address() + at)
            array.memory = _Export(self)
            view = memoryview(array).cast("B")
        else:
            view = self.base[at:at]
        return view.toreadonly() if read_only or self.read_only else view

    def __buffer__(self, flags: int, /) -> memoryview:
        self.exports += 1
        return memoryview(self.base)  # one of its own: it is released with the export

    def __release_buffer__(self, view: memoryview, /) -> None:
        view.release()
        self.exports -= 1

    def is_immutable(self) -> bool:
        """Return whether nobody can change the bytes: memory of a hashable read-only object."""
        if not self.read_only:
            return False
        try:
            hash(self._source)
        except TypeError:
            return False
        return True

    def address(self) -> int:
        """Return the address of the first byte."""
        return _address_of(self.base)

    def __del__(self) -> None:
        home = getattr(self, "_home", None)  # absent when __init__ did not finish
        on_release = getattr(self, "_on_release", None)
        if on_release is None and home is None:
            return
        if self.base is not _NOTHING:
            with contextlib.suppress(BufferError):  # a view of it may be dying in the same collection, after us
                self.base.release()
        if home is not None:
            self._home = None  # what is asked below may find this object again, through a weak reference of its own
            home._receive(self)
        if on_release is not None:
            # Its owner is going to close or free what was wrapped: by then nothing of ours may hold it any more.
            self.base = _NOTHING
            self._source = None
            on_release()


class _Export:
    """The share that an export before PEP 688 has of its `Memory`."""

    __slots__ = ("memory",)

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        memory.exports += 1

    def __del__(self) -> None:
        self.memory.exports -= 1


class _Request(ctypes.Structure):
    """Python's Py_buffer: what an exporter fills in (https://docs.python.org/3/c-api/buffer.html)."""

    _fields_: ClassVar = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_void_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]


def _address_of(view: memoryview) -> int:
    """Return the address of the first byte. ctypes by itself tells only that of writable memory."""
    request = _Request()
    _get_buffer(view, ctypes.byref(request), 0)
    address: int = request.buf or 0
    _release_buffer(ctypes.byref(request))
    return address


# Functions of our own: those of ctypes.pythonapi are everybody's, and so are the types that somebody gives to them.
_get_buffer = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_void_p, ctypes.c_int)(
    ("PyObject_GetBuffer", ctypes.pythonapi)
)
_release_buffer = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(("PyBuffer_Release", ctypes.pythonapi))


_NOTHING = memoryview(b"")


def lend(memory: Memory, at: int, n: int, read_only: bool) -> memoryview:
    """Return what numpy.frombuffer takes for the `n` bytes at `at`. The block stays until the last array is gone."""
    return memory.export(at, n, read_only)


def allocate(size: int, alignment: int = 16) -> Memory:
    """Return a fresh block of `size` zero bytes that is freed with its last holder.

    Raises: ValueError if negative, MemoryError."""
    if size < 0:
        raise ValueError(f"a block has no negative size: {size}")
    # bytearray aligns at 16; more is had by asking for more and starting later.
    spare = alignment if alignment > 16 else 0
    try:
        store = bytearray(size + spare)
    except OverflowError:
        raise MemoryError(f"cannot allocate {size} bytes") from None
    return _over(Block(store, -_address_of(memoryview(store)) % alignment if spare else 0, size))


def allocate_in(source: "mmap.mmap", at: int, size: int, pages: int) -> Memory:
    """Return a block of the `size` bytes at `at` of a map that nobody else knows; the map goes with its last holder."""
    block = Block(source, at, size)
    block.pages = pages
    return _over(block)


def _over(block: Block) -> Memory:
    memory = Memory()
    memory._block = block
    memory._shelf = block.shelf
    memory.pages = block.pages
    memory._source = block.bytes
    memory.size = block.size
    memory.base = memoryview(block.bytes)[block.start : block.start + block.size]
    return memory


def set_home(memory: Memory, home: Home) -> None:
    """Say where `memory` goes when its last holder is gone."""
    memory._home = home


# The way of a block between two lives.


class Shelf:
    """The blocks of a pool that wait for their next life, by class."""

    __slots__ = ("_stacks",)

    def __init__(self) -> None:
        self._stacks: list[list[Block]] = [[] for _ in range(SHELVES)]


def class_of(nbytes: int) -> int:
    """Return the number of the smallest class that holds `nbytes`: 64, 96, 128, 192 and so on."""
    if nbytes <= 64:
        return 0
    power = (nbytes - 1).bit_length() - 1
    return 2 * (power - 6) + (2 if nbytes - (1 << power) > 1 << (power - 1) else 1)


def unshelve(shelf: Shelf, k: int, home: Home | None) -> Memory | None:
    """Return a block of class `k` that goes back to `home`, or None when none waits."""
    stack = shelf._stacks[k]
    if not stack:
        return None
    memory = _over(stack.pop())  # nothing can come between this and the look: see the note on locks in _unpooled.py
    memory._home = home
    return memory


def shelve(shelf: Shelf, memory: Memory) -> bool:
    """Keep the block of `memory`, which nobody holds any more, for its next life."""
    block = memory._block
    assert block is not None
    block.shelf = memory._shelf
    shelf._stacks[memory._shelf].append(block)
    return True


def is_free(memory: Memory) -> bool:
    """Return whether no view of the bytes is alive that does not hold the `Memory`: there are such in this form."""
    return memory._block is not None and not memory._block.is_exported()


def wipe(memory: Memory) -> None:
    """Overwrite every byte with zero."""
    if memory._block is not None:
        memory._block.wipe()


def wrap_memory(source: Buffer, on_release: Callable[[], object] | None = None) -> Memory:
    """Return a `Memory` over the bytes of `source`, which cannot be resized or closed while it lives.

    `on_release` is called without arguments at its end, on whichever thread that is, once `source` was let go.
    Raises: TypeError if it has no buffer, BufferError if it is not C-contiguous; then `on_release` is not called.
    """
    view = memoryview(source)
    if not view.c_contiguous:
        raise BufferError("the object is not C-contiguous: its bytes are not in one piece")
    memory = Memory()
    memory.external = True
    memory.read_only = view.readonly
    memory._source = source
    if view.nbytes:
        memory.base = view if view.format == "B" and view.ndim == 1 else view.cast("B")
        memory.size = view.nbytes
    memory._on_release = on_release
    return memory


EMPTY = allocate(0)
EMPTY.external = True  # shared by everybody who has nothing


class Window:
    """What a handle knows of a block: the base of every buffer, and the buffer slot.

    `_base[_shift + index]` is the byte at `index`, for indices in [`_lo`, `_hi`): for a contiguous buffer that is
    all of it, for a composite the span that was looked at last. Writes need the index below `_whi`, which is `_hi`,
    or 0 where the bytes are read-only. `_hi < _lo` means: `_base` is a scratch copy of a value that lies across spans.
    """

    __slots__ = (
        "__weakref__",
        "_allocator",
        "_base",
        "_capacity",
        "_hi",
        "_lo",
        "_max",
        "_memory",
        "_read_only",
        "_reader",
        "_refcnt",
        "_shift",
        "_whi",
        "_writer",
    )

    _allocator: Any
    _base: memoryview
    _memory: Memory
    _shift: int
    _lo: int
    _hi: int
    _whi: int
    _reader: int
    _writer: int
    _capacity: int
    _max: int
    _refcnt: int
    _read_only: bool

    def __new__(cls) -> Self:
        self = super().__new__(cls)
        self._allocator = None
        self._memory = EMPTY
        self._base = EMPTY.base
        self._shift = self._lo = self._hi = self._whi = 0
        self._reader = self._writer = self._capacity = self._max = 0
        self._refcnt = 1
        self._read_only = False
        return self

    def __buffer__(self, flags: int, /) -> memoryview:
        if self._refcnt == 0:
            raise ReferenceCountError("the buffer was released", refcnt=0)
        at = self._expose()
        return self._memory.export(at, self._writer - self._reader, self._exports_read_only())

    def __release_buffer__(self, view: memoryview, /) -> None:
        # There is nothing to do. But numpy.frombuffer keeps a view only of what has this slot, and of all others the
        # object alone, which here may let go of the memory long before the array goes.
        pass

    def _expose(self) -> int:
        """Put the window over the readable bytes and return where they start in its block."""
        raise BufferError("nothing to export")

    def _exports_read_only(self) -> bool:
        """Return whether an export of the present window must be read-only."""
        return self._read_only


def sprout(model: Window, source: Window) -> Any:
    """Return a handle of the class of `model` that looks where `source` looks, with a share and a count of its own."""
    made = type(model).__new__(type(model))
    for name in _LOOKS:
        setattr(made, name, getattr(source, name))
    if _keeper is not None and made._memory._record is not None:
        made._memory._record.handle(made, False)
    return made


def hatch(model: Window, memory: Memory, capacity: int, maximum: int, allocator: Any, is_first: bool) -> Any:
    """Return an empty handle of the class of `model` over the first `capacity` bytes of a block fresh from its home.

    `is_first`: it goes to somebody who asked for a buffer, and of whom the ledger expects that he releases it."""
    made = type(model).__new__(type(model))
    made._allocator = allocator
    made._memory = memory
    made._base = memory.base
    made._hi = made._whi = made._capacity = capacity
    made._max = maximum
    if _keeper is not None and memory._record is not None:
        memory._record.handle(made, is_first)
    return made


def let_go(window: Window) -> None:
    """Make a handle over nothing of `window`, dead; at the end of its memory an on_release finds it so."""
    last = window._memory
    window._refcnt = 0
    window._memory = EMPTY
    window._base = EMPTY.base
    window._shift = window._lo = window._hi = window._whi = 0
    window._reader = window._writer = window._capacity = window._max = 0
    del last


def sprout_hollow(model: Window, hollow: int) -> Any:
    """Return a handle of the class of `model`, looking at nothing; the fields its class adds are the caller's to set.

    `hollow`: how many of these are objects; the compiled form must know."""
    return type(model).__new__(type(model))


_LOOKS = [name for name in Window.__slots__ if name not in ("__weakref__", "_refcnt")]


def references(memory: Memory) -> int:
    """Return how many references hold `memory`, plus a constant that depends on the form and on Python."""
    return sys.getrefcount(memory)


def seal(cls: type) -> None:
    """Forbid subclasses of `cls` from here on: the compiled form cannot honour what they would override."""

    def refuse(derived: type, /, **kwargs: object) -> None:
        raise TypeError(f"type '{derived.__mro__[1].__name__}' is not an acceptable base type: hold one and delegate")

    setattr(cls, "__init_subclass__", classmethod(refuse))  # noqa: B010  (an assignment mypy cannot follow)


# The ledger. While somebody keeps one, handles get a finaliser; else nothing is asked of them.

_keeper: Any = None


def watch(keeper: Any) -> None:
    """Tell `keeper` of blocks, handles and their ends from now on; None: nobody."""
    global _keeper
    _keeper = keeper
    if keeper is not None:
        setattr(Window, "__del__", _mourn)  # noqa: B010  (an assignment mypy does not allow)
    elif "__del__" in vars(Window):
        delattr(Window, "__del__")


def is_watched() -> bool:
    """Return whether a ledger is kept."""
    return _keeper is not None


def enter(memory: Memory, home: Home, asked: int) -> None:
    """Note in the ledger that `home` leased `memory` because of a request for `asked` bytes."""
    memory._record = _keeper.lease(memory, home, asked)


def settle(memory: Memory) -> None:
    """Note in the ledger that nobody holds `memory` any more."""
    memory._record.settle()  # it stays: in a collected cycle the handles may end after their memory


def retire(memory: Memory, bar: Callable[[object], object]) -> None:
    """Call `bar` with the map of a fenced block whose last holder is gone."""
    if is_free(memory):
        bar(memory._source)


def _mourn(window: Window) -> None:
    """Note in the ledger that a handle ends which was not released."""
    if window._refcnt and window._memory._record is not None:
        window._memory._record.dropped(id(window))


# The one comparison chain of a hot accessor: does the window cover these bytes? Else -1, and the cold path says why.


def read_offset(window: Window, n: int) -> int:
    """Return the offset of the next `n` >= 1 readable bytes and move the reader index past them; -1 if not covered."""
    at = window._reader
    if n <= window._writer - at and at >= window._lo and n <= window._hi - at:
        window._reader = at + n
        return at + window._shift
    return -1


def peek_offset(window: Window, n: int) -> int:
    """Return the offset of the next `n` >= 1 readable bytes, which stay unread; -1 if not covered."""
    at = window._reader
    return at + window._shift if n <= window._writer - at and at >= window._lo and n <= window._hi - at else -1


def get_offset(window: Window, index: int, n: int) -> int:
    """Return the offset of the `n` >= 1 bytes at `index`, for a load; -1 if not covered."""
    return index + window._shift if index >= window._lo and n <= window._hi - index else -1


def set_offset(window: Window, index: int, n: int) -> int:
    """Return the offset of the `n` >= 1 bytes at `index`, for a store; -1 if not covered or read-only."""
    return index + window._shift if index >= window._lo and n <= window._whi - index else -1


def write_offset(window: Window, n: int) -> int:
    """Return the offset of `n` >= 1 writable bytes at the writer index, which stays; -1 if not covered or read-only."""
    at = window._writer
    return at + window._shift if at >= window._lo and n <= window._whi - at else -1


# Arguments. Conversion may run foreign code, so it comes before every check.


def as_size(value: int) -> int:
    """Return `value` as a signed 64-bit index or length. Raises: TypeError, OverflowError."""
    n = operator.index(value)
    if not -(2**63) <= n < 2**63:
        raise OverflowError("the number does not fit 64 bits")
    return n


def as_value(value: int) -> int:
    """Return `value` as an integer of at most 64 bits, signed or unsigned. Raises: TypeError, OverflowError."""
    n = operator.index(value)
    if not -(2**63) <= n < 2**64:
        raise OverflowError("the number does not fit 64 bits")
    return n


as_long = as_value


def as_double(value: float) -> float:
    """Return `value` as a double. Raises: TypeError, OverflowError (an integer too large)."""
    return math.ldexp(value, 0)


def fits_single(value: float) -> bool:
    """Return whether `value` can be stored as a single: not finite, or within its range after rounding."""
    try:
        _BE_F32.pack(value)
    except OverflowError:
        return False
    return True


def as_source(value: Buffer) -> bytes | memoryview:
    """Return something `put` can read: bytes as they are, anything else as a C-contiguous view of its bytes.

    Raises: TypeError if it has no buffer, BufferError if it is not C-contiguous.
    """
    if type(value) is bytes:
        return value
    view = memoryview(value)
    if not view.c_contiguous:
        raise BufferError("the object is not C-contiguous: its bytes are not in one piece")
    if view.format == "B" and view.ndim == 1:
        return view
    return view.cast("B") if view.nbytes else _NOTHING


def as_target(value: Buffer) -> memoryview:
    """Return a writable, C-contiguous view of the bytes of `value`. Raises: TypeError, BufferError."""
    view = memoryview(value)
    if view.readonly:
        raise BufferError("the object is read-only")
    if not view.c_contiguous:
        raise BufferError("the object is not C-contiguous: its bytes are not in one piece")
    if view.format == "B" and view.ndim == 1:
        return view
    return view.cast("B") if view.nbytes else memoryview(bytearray())


def source_size(source: bytes | memoryview) -> int:
    """Return the number of bytes of what `as_source` or `as_target` returned."""
    return len(source)


# Loads and stores. `at` is an offset in the block; the caller has checked it.

_BE_I16, _LE_I16 = struct.Struct(">h"), struct.Struct("<h")
_BE_U16, _LE_U16 = struct.Struct(">H"), struct.Struct("<H")
_BE_I32, _LE_I32 = struct.Struct(">i"), struct.Struct("<i")
_BE_U32, _LE_U32 = struct.Struct(">I"), struct.Struct("<I")
_BE_I64, _LE_I64 = struct.Struct(">q"), struct.Struct("<q")
_BE_U64, _LE_U64 = struct.Struct(">Q"), struct.Struct("<Q")
_BE_F32, _LE_F32 = struct.Struct(">f"), struct.Struct("<f")
_BE_F64, _LE_F64 = struct.Struct(">d"), struct.Struct("<d")


def load_bool(base: memoryview, at: int) -> bool:
    """Load one byte as a truth value."""
    return base[at] != 0


def load_u8(base: memoryview, at: int) -> int:
    """Load an unsigned byte."""
    return base[at]


def load_i8(base: memoryview, at: int) -> int:
    """Load a signed byte."""
    value = base[at]
    return value - 256 if value > 127 else value


def load_u24(base: memoryview, at: int) -> int:
    """Load an unsigned big-endian 24-bit integer."""
    return base[at] << 16 | base[at + 1] << 8 | base[at + 2]


def load_u24_le(base: memoryview, at: int) -> int:
    """Load an unsigned little-endian 24-bit integer."""
    return base[at + 2] << 16 | base[at + 1] << 8 | base[at]


def load_i24(base: memoryview, at: int) -> int:
    """Load a signed big-endian 24-bit integer."""
    value = load_u24(base, at)
    return value - 0x1000000 if value & 0x800000 else value


def load_i24_le(base: memoryview, at: int) -> int:
    """Load a signed little-endian 24-bit integer."""
    value = load_u24_le(base, at)
    return value - 0x1000000 if value & 0x800000 else value


def _integers(layout: struct.Struct) -> Callable[[memoryview, int], int]:
    unpack_from = layout.unpack_from

    def load(base: memoryview, at: int) -> int:
        value: int = unpack_from(base, at)[0]
        return value

    return load


def _floats(layout: struct.Struct) -> Callable[[memoryview, int], float]:
    unpack_from = layout.unpack_from

    def load(base: memoryview, at: int) -> float:
        value: float = unpack_from(base, at)[0]
        return value

    return load


load_i16, load_i16_le = _integers(_BE_I16), _integers(_LE_I16)
load_u16, load_u16_le = _integers(_BE_U16), _integers(_LE_U16)
load_i32, load_i32_le = _integers(_BE_I32), _integers(_LE_I32)
load_u32, load_u32_le = _integers(_BE_U32), _integers(_LE_U32)
load_i64, load_i64_le = _integers(_BE_I64), _integers(_LE_I64)
load_u64, load_u64_le = _integers(_BE_U64), _integers(_LE_U64)
load_f32, load_f32_le = _floats(_BE_F32), _floats(_LE_F32)
load_f64, load_f64_le = _floats(_BE_F64), _floats(_LE_F64)


def store_8(base: memoryview, at: int, value: int) -> None:
    """Store the low 8 bits."""
    base[at] = value & 0xFF


def store_16(base: memoryview, at: int, value: int) -> None:
    """Store the low 16 bits, big-endian."""
    _BE_U16.pack_into(base, at, value & 0xFFFF)


def store_16_le(base: memoryview, at: int, value: int) -> None:
    """Store the low 16 bits, little-endian."""
    _LE_U16.pack_into(base, at, value & 0xFFFF)


def store_24(base: memoryview, at: int, value: int) -> None:
    """Store the low 24 bits, big-endian."""
    base[at : at + 3] = (value & 0xFFFFFF).to_bytes(3, "big")


def store_24_le(base: memoryview, at: int, value: int) -> None:
    """Store the low 24 bits, little-endian."""
    base[at : at + 3] = (value & 0xFFFFFF).to_bytes(3, "little")


def store_32(base: memoryview, at: int, value: int) -> None:
    """Store the low 32 bits, big-endian."""
    _BE_U32.pack_into(base, at, value & 0xFFFFFFFF)


def store_32_le(base: memoryview, at: int, value: int) -> None:
    """Store the low 32 bits, little-endian."""
    _LE_U32.pack_into(base, at, value & 0xFFFFFFFF)


def store_64(base: memoryview, at: int, value: int) -> None:
    """Store the low 64 bits, big-endian."""
    _BE_U64.pack_into(base, at, value & 0xFFFFFFFFFFFFFFFF)


def store_64_le(base: memoryview, at: int, value: int) -> None:
    """Store the low 64 bits, little-endian."""
    _LE_U64.pack_into(base, at, value & 0xFFFFFFFFFFFFFFFF)


def store_f32(base: memoryview, at: int, value: float) -> None:
    """Store a single, big-endian."""
    _BE_F32.pack_into(base, at, value)


def store_f32_le(base: memoryview, at: int, value: float) -> None:
    """Store a single, little-endian."""
    _LE_F32.pack_into(base, at, value)


def store_f64(base: memoryview, at: int, value: float) -> None:
    """Store a double, big-endian."""
    _BE_F64.pack_into(base, at, value)


def store_f64_le(base: memoryview, at: int, value: float) -> None:
    """Store a double, little-endian."""
    _LE_F64.pack_into(base, at, value)


# Ranges. Every caller has checked them.


def copy(target: memoryview, to: int, base: memoryview, at: int, n: int) -> None:
    """Copy `n` bytes between blocks, or within one (as memmove)."""
    target[to : to + n] = base[at : at + n]


def put(base: memoryview, at: int, source: bytes | memoryview, start: int, n: int) -> None:
    """Copy `n` bytes of `source` (see `as_source`) from `start` into the block."""
    base[at : at + n] = source[start : start + n]


def get(base: memoryview, at: int, target: memoryview, start: int, n: int) -> None:
    """Copy `n` bytes of the block into `target` (see `as_target`) at `start`."""
    target[start : start + n] = base[at : at + n]


def fill(base: memoryview, at: int, n: int, value: int) -> None:
    """Set `n` bytes to `value`."""
    base[at : at + n] = bytes((value,)) * n


def to_bytes(base: memoryview, at: int, n: int) -> bytes:
    """Return a copy of `n` bytes."""
    return bytes(base[at : at + n])


def blank(n: int) -> bytearray:
    """Return `n` bytes whose content is still to be written, through `base_of`; compiled these are `bytes`."""
    return bytearray(n)


def base_of(data: bytearray) -> memoryview:
    """Return what `copy` takes for the bytes of what `blank` returned."""
    return memoryview(data)


def compare(base: memoryview, at: int, other: memoryview, other_at: int, n: int) -> int:
    """Return -1, 0 or 1 as the `n` bytes of the one are below, equal to or above those of the other, unsigned."""
    mine, theirs = base[at : at + n], other[other_at : other_at + n]
    if mine == theirs:
        return 0
    return -1 if bytes(mine) < bytes(theirs) else 1
