"""WrappedByteBuf: memory that the caller brought, seen as a buffer; and the ways to make a buffer of what is there.

Owns    wrap(), copied(), buffer(), empty(), composite().
Never   a copy in wrap(); a view in copied().
Always  the owner of wrapped memory cannot resize or close it while a handle or export lives, and keeps seeing it:
        wrapped memory counts as shared.
"""

import sys
from collections.abc import Callable
from typing import Any, TypeVar

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.buffer._composite import composite_of
    from zbuf.buffer._parts import give_up, take_spans
    from zbuf.memory._memory import as_source, source_size, sprout, wrap_memory
from zbuf._types import Buffer, SupportsDLPack
from zbuf.buffer._allocator import default_allocator
from zbuf.buffer._bytebuf import ByteBuf
from zbuf.buffer._composite import CompositeByteBuf
from zbuf.buffer._indices import MAX_CAPACITY
from zbuf.buffer._ndarray import from_dlpack
from zbuf.buffer._pickling import wraps_by

__all__ = ["WrappedByteBuf", "buffer", "composite", "copied", "empty", "release", "retain", "wrap"]

T = TypeVar("T")


class WrappedByteBuf(ByteBuf):
    """A window of fixed size on memory that the caller brought: bytes, bytearray, mmap, array, shared memory."""

    __slots__ = ()

    def _model(self) -> ByteBuf:
        return WRAPPED

    def _is_fixed(self) -> bool:
        return True


WRAPPED = WrappedByteBuf()  # what sprout() makes handles after


def wrap(
    *parts: "ByteBuf | Buffer | SupportsDLPack",
    read_only: bool = False,
    on_release: Callable[[], object] | None = None,
) -> ByteBuf:
    """Return a buffer over `parts` without copying them.

    One bytes-like: a WrappedByteBuf, all of it readable, read-only iff the object is (or `read_only`). One ByteBuf:
    the same bytes under a new handle. Several: a composite; with `read_only` it refuses further parts. Only empty
    parts: an empty buffer. What has no buffer but `__dlpack__` is taken by that (needs numpy; CPU only).

    `on_release`, with exactly one bytes-like: called once, without arguments, when the last handle, slice, view or
    array on it is gone, on whichever thread that is, after the object was let go. What it raises is reported to
    `sys.unraisablehook`. It must not refer to the buffer, which would then never be gone. This is how memory that
    somebody else allocated becomes a buffer: wrap a ctypes array at its address, and free it in `on_release`.

    Ownership: transfers ByteBufs, also when it raises; bytes-likes stay their owner's, who cannot resize or close
    them meanwhile. Raises: TypeError (str, None; `on_release` with anything but one bytes-like), BufferError (not
    C-contiguous; memory of a device), ReferenceCountError. Source: Netty Unpooled.wrappedBuffer."""
    if on_release is not None and (len(parts) != 1 or isinstance(parts[0], ByteBuf) or not callable(on_release)):
        for part in parts:
            give_up(part)
        raise TypeError("on_release is a callable and goes with exactly one bytes-like object")
    if len(parts) == 1 and not isinstance(parts[0], ByteBuf):
        return _wrap_one(parts[0], bool(read_only), on_release)
    if len(parts) == 1 and isinstance(parts[0], ByteBuf):
        moved = parts[0].move()
        if not read_only:
            return moved
        view = moved.as_read_only()
        moved.release()
        return view
    spans = []
    for i in range(len(parts)):
        try:
            spans += take_spans(_with_a_buffer(parts[i]))
        except BaseException:
            for rest in parts[i + 1 :]:
                give_up(rest)
            raise
    if not spans:
        return empty()
    return composite_of(spans, default_allocator(), bool(read_only))


wraps_by(wrap)


def _wrap_one(source: "Buffer | SupportsDLPack", read_only: bool, on_release: Callable[[], object] | None) -> ByteBuf:
    if isinstance(source, str) or source is None:
        raise TypeError(f"only bytes-like objects can be wrapped, not {type(source).__name__}")
    memory = wrap_memory(_with_a_buffer(source), on_release)
    if memory.size == 0 and on_release is None:
        return empty()
    buf: WrappedByteBuf = sprout(WRAPPED, WRAPPED)
    buf._allocator = default_allocator()
    buf._read_only = read_only or memory.read_only
    buf._look_at(memory, 0, memory.size)
    buf._writer = buf._capacity = buf._max = memory.size
    return buf


def _with_a_buffer(part: Any) -> Any:
    """Return `part`, or an array on its memory where it has only `__dlpack__`."""
    kind = type(part)  # to look for what is not there is slow: the common kinds are known by their type
    if kind is bytes or kind is bytearray or kind is memoryview or isinstance(part, ByteBuf):
        return part
    if not hasattr(kind, "__dlpack__"):
        return part
    try:
        memoryview(part)
    except TypeError:
        return from_dlpack(part)
    except (BufferError, ValueError):  # it has one, and will say again what is wrong with it
        pass
    return part


def copied(*parts: "ByteBuf | Buffer") -> ByteBuf:
    """Return one fresh, contiguous, growable buffer with the bytes of all `parts`.

    Ownership: copies (TRANSFER); the arguments are untouched, indices included. Raises: TypeError (str, None),
    BufferError (not C-contiguous), ReferenceCountError. Source: Netty Unpooled.copiedBuffer."""
    sources: list[Any] = []
    for part in parts:  # no comprehension: Cython's releases its item twice where there is no memory for the list
        sources.append(part.slice() if isinstance(part, ByteBuf) else as_source(part))
    n = 0
    for source in sources:
        n += len(source) if isinstance(source, ByteBuf) else source_size(source)
    made = default_allocator().buffer(n)
    for source in sources:
        made.write_bytes(source)
    return made


def buffer(initial_capacity: int = 256, max_capacity: int = MAX_CAPACITY) -> ByteBuf:
    """Return an empty buffer of `initial_capacity` bytes that grows up to `max_capacity`, from the default allocator.

    Raises: ValueError if negative or initial above max, MemoryError. Source: Netty Unpooled.buffer."""
    return default_allocator().buffer(initial_capacity, max_capacity)


def empty() -> ByteBuf:
    """Return a fresh handle with nothing in it: capacity and max_capacity 0."""
    return default_allocator().buffer(0, 0)


def composite(max_capacity: int = sys.maxsize) -> CompositeByteBuf:
    """Return an empty composite from the default allocator. Raises: ValueError if negative."""
    return default_allocator().composite(max_capacity)


def retain(obj: T) -> T:
    """Retain `obj` if it is counted (a buffer, a region), and return it. Raises: ReferenceCountError."""
    act = getattr(obj, "retain", None)
    if act is not None and hasattr(obj, "refcnt"):
        act()
    return obj


def release(obj: object) -> bool:
    """Release `obj` if it is counted (a buffer, a region) and return whether it is gone; anything else: False.

    Raises: ReferenceCountError. Source: Netty ReferenceCountUtil.release."""
    act = getattr(obj, "release", None)
    if act is None or not hasattr(obj, "refcnt"):
        return False
    return bool(act())
