# cython: nonecheck=False
# (the objects whose fields are read here are self, and blocks that only this room hands in)
"""The four numbers of a handle, their checks, and its own count.

Owns    reader index, writer index, capacity, max capacity; retain and release; the hooks by which a shape that is not
        one piece (the composite) takes part in every access.
Never   bytes: it says where they are, others load and store them.
Always  0 <= reader <= writer <= capacity <= max, before and after every call, also after one that raised. A dead
        handle has all of them 0, so the ordinary bounds check catches its use and the cold path names it.

The one comparison chain of a hot accessor is "inside the window": see `Window`. Whatever does not pass it goes to a
cold method that finds out why, and either moves the window there or raises.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import as_size, let_go, references
from typing import Any, Self

from zbuf.errors import BoundsError, CapacityError, InternalError, ReadOnlyError, ReferenceCountError, UsageError
from zbuf.memory._memory import Memory, Window

__all__ = ["MAX_CAPACITY", "Indices"]

MAX_CAPACITY = 2**31 - 1  # Netty's default ceiling; more, up to sys.maxsize, on request
MAX_REFCNT = 2**31 - 1  # Netty's


class Indices(Window):
    """The state of a handle, without any access to bytes."""

    __slots__ = ()

    # State.

    @property
    def reader_index(self) -> int:
        """The absolute index of the next byte to read. Settable to 0 .. writer_index; else BoundsError."""
        if self._refcnt == 0:
            raise dead()
        return self._reader

    @reader_index.setter
    def reader_index(self, value: int) -> None:
        index = as_size(value)
        if self._refcnt == 0:
            raise dead()
        if index < 0 or index > self._writer:
            raise index_outside("reader_index", index, self._writer)
        self._reader = index

    @property
    def writer_index(self) -> int:
        """The absolute index of the next byte to write. Settable to reader_index .. capacity; else BoundsError."""
        if self._refcnt == 0:
            raise dead()
        return self._writer

    @writer_index.setter
    def writer_index(self, value: int) -> None:
        index = as_size(value)
        if self._refcnt == 0:
            raise dead()
        if index < self._reader or index > self._capacity:
            raise index_outside("writer_index", index, self._capacity)
        self._writer = index

    def set_index(self, reader: int, writer: int) -> None:
        """Set both indices; they are judged as a pair: 0 <= reader <= writer <= capacity.

        Raises: BoundsError, nothing changes. Source: Netty ByteBuf.setIndex."""
        reader = as_size(reader)
        writer = as_size(writer)
        if self._refcnt == 0:
            raise dead()
        if writer < 0 or writer > self._capacity:
            raise index_outside("writer_index", writer, self._capacity)
        if reader < 0 or reader > writer:
            raise index_outside("reader_index", reader, writer)
        self._reader = reader
        self._writer = writer

    @property
    def capacity(self) -> int:
        """The size of the window in bytes."""
        if self._refcnt == 0:
            raise dead()
        return self._capacity

    @property
    def max_capacity(self) -> int:
        """The ceiling for growth in bytes."""
        if self._refcnt == 0:
            raise dead()
        return self._max

    @property
    def readable_bytes(self) -> int:
        """Bytes between the reader index and the writer index."""
        if self._refcnt == 0:
            raise dead()
        return self._writer - self._reader

    @property
    def writable_bytes(self) -> int:
        """Bytes that fit behind the writer index without growth; 0 when read-only."""
        if self._refcnt == 0:
            raise dead()
        return 0 if self._read_only else self._capacity - self._writer

    @property
    def max_writable_bytes(self) -> int:
        """Bytes that fit behind the writer index with growth; 0 when read-only."""
        if self._refcnt == 0:
            raise dead()
        return 0 if self._read_only else self._max - self._writer

    @property
    def is_readable(self) -> bool:
        """Whether there is at least one byte to read."""
        if self._refcnt == 0:
            raise dead()
        return self._writer > self._reader

    @property
    def is_writable(self) -> bool:
        """Whether there is room for at least one byte without growth."""
        if self._refcnt == 0:
            raise dead()
        return not self._read_only and self._capacity > self._writer

    @property
    def is_read_only(self) -> bool:
        """Whether this handle refuses writes."""
        if self._refcnt == 0:
            raise dead()
        return self._read_only

    def can_read(self, n: int) -> bool:
        """Return whether `n` bytes can be read. Raises: ValueError if `n` is negative."""
        n = as_size(n)
        if self._refcnt == 0:
            raise dead()
        if n < 0:
            raise negative("n", n)
        return n <= self._writer - self._reader

    def can_write(self, n: int) -> bool:
        """Return whether `n` bytes can be written without growth. Raises: ValueError if `n` is negative."""
        n = as_size(n)
        if self._refcnt == 0:
            raise dead()
        if n < 0:
            raise negative("n", n)
        return not self._read_only and n <= self._capacity - self._writer

    def skip_bytes(self, length: int) -> None:
        """Move the reader index by `length`. Raises: BoundsError if fewer bytes are readable, ValueError if negative.

        Source: Netty ByteBuf.skipBytes."""
        length = as_size(length)
        if self._refcnt == 0:
            raise dead()
        if length < 0:
            raise negative("length", length)
        if length > self._writer - self._reader:
            raise cannot_read(length, self._writer - self._reader)
        self._reader += length

    # The handle's own count.

    @property
    def refcnt(self) -> int:
        """The count of this handle, 1 at birth; 0 when it is dead. It says nothing about other handles on the block."""
        return self._refcnt

    def retain(self, n: int = 1) -> Self:
        """Raise the handle's count by `n` and return the handle.

        Raises: ValueError if n < 1; ReferenceCountError on a dead handle or above 2**31 - 1; the count stays.
        Source: Netty ReferenceCounted.retain."""
        n = as_size(n)
        if self._refcnt == 0:
            raise ReferenceCountError("a released buffer cannot be retained", refcnt=0, change=n)
        if n < 1:
            raise ValueError(f"n must be at least 1, not {n}")
        if n > MAX_REFCNT - self._refcnt:
            raise ReferenceCountError(f"the count would exceed {MAX_REFCNT}", refcnt=self._refcnt, change=n)
        self._refcnt += n
        return self

    def release(self, n: int = 1) -> bool:
        """Lower the handle's count by `n`; at 0 the handle lets go of its memory and is dead. Return whether it is.

        Live slices, exports and transfers do not hinder it: the block stays until the last of them is gone.
        Raises: ValueError if n < 1; ReferenceCountError on a dead handle or if n exceeds the count; nothing changes.
        Source: Netty ReferenceCounted.release."""
        n = as_size(n)
        if n != 1 or self._refcnt == 0:
            if self._refcnt == 0:
                raise ReferenceCountError("the buffer was released before", refcnt=0, change=-n)
            if n < 1:
                raise ValueError(f"n must be at least 1, not {n}")
            if n > self._refcnt:
                raise ReferenceCountError(f"the count is {self._refcnt}, not {n}", refcnt=self._refcnt, change=-n)
        self._refcnt -= n
        if self._refcnt:
            return False
        self._die()
        return True

    def _die(self) -> None:
        """Let go of the memory; every number becomes 0, so that the bounds checks catch later use."""
        let_go(self)

    # The window. A contiguous buffer has one that never moves; the composite overrides what is cold here.

    def _look_at(self, memory: Memory, shift: int, n: int) -> None:
        """Show bytes [shift, shift + n) of `memory` as indices [0, n)."""
        self._memory = memory
        self._base = memory.base
        self._shift = shift
        self._lo = 0
        self._hi = n
        self._whi = 0 if self._read_only or memory.read_only else n

    # What happens when the window does not cover the bytes (`read_offset` and its like returned -1).

    def _take_cold(self, n: int) -> int:
        """Consume `n` >= 1 readable bytes and return their offset in `_base`."""
        offset = self._peek_cold(n)
        self._reader += n
        return offset

    def _peek_cold(self, n: int) -> int:
        """Return the offset in `_base` of the next `n` >= 1 readable bytes, which stay unread."""
        if self._refcnt == 0:
            raise dead()
        if n > self._writer - self._reader:
            raise cannot_read(n, self._writer - self._reader)
        return self._locate(self._reader, n)

    def _at_cold(self, index: int, n: int) -> int:
        """Return the offset in `_base` of the `n` >= 1 bytes at absolute `index`, for a load."""
        self._check_range(index, n)
        return self._locate(index, n)

    def _spot_cold(self, index: int, n: int) -> int:
        """Return the offset in `_base` of the `n` >= 1 bytes at absolute `index`, for a store."""
        self._check_writable()
        self._check_range(index, n)
        return self._locate_writable(index, n)

    def _room_cold(self, n: int) -> int:
        """Return the offset in `_base` where `n` >= 1 bytes can be written at the writer index; may grow."""
        self._ensure(n)
        return self._locate_writable(self._writer, n)

    def _ensure(self, n: int) -> None:
        """Make room for `n` bytes behind the writer index, by growth if need be. Raises in the order of rule I12."""
        self._check_writable()
        if n > self._capacity - self._writer:
            self._check_span_writable(self._writer, self._capacity - self._writer)  # a call that raises grows nothing
            if n > self._max - self._writer:
                raise cannot_write(n, self._max - self._writer, self._max)
            self._grow(self._writer + n)

    def _check_live(self) -> None:
        if self._refcnt == 0:
            raise dead()

    def _check_writable(self) -> None:
        if self._refcnt == 0:
            raise dead()
        if self._read_only:
            raise read_only()

    def _check_range(self, index: int, n: int) -> None:
        """Check that [index, index + n) lies within the capacity."""
        if self._refcnt == 0:
            raise dead()
        if n < 0:
            raise negative("length", n)
        if index < 0 or index > self._capacity:
            raise BoundsError(
                f"index {index} is outside 0..{self._capacity}", requested=index, available=self._capacity, index=index
            )
        if n > self._capacity - index:
            raise BoundsError(
                f"{n} bytes asked for at index {index}, {self._capacity - index} there",
                requested=n,
                available=self._capacity - index,
                index=index,
            )

    def _locate(self, index: int, n: int) -> int:
        """Move the window so that it covers the checked range and return its offset in `_base`.

        Where the range lies across spans the window becomes a scratch copy of it, good for one load."""
        return index + self._shift

    def _locate_writable(self, index: int, n: int) -> int:
        """As `_locate`, for a store. After a store into a scratch copy `_settle` must be called."""
        return index + self._shift

    def _settle(self, index: int, n: int) -> None:
        """Bring a value that was stored into the scratch copy to the spans it belongs to."""

    def _seek(self, index: int) -> None:
        """Move the window so that it covers the byte at `index`, which is within the capacity."""

    def _seek_writable(self, index: int) -> None:
        """As `_seek`, for bytes that are about to change. Raises: ReadOnlyError."""

    def _check_span_writable(self, index: int, n: int) -> None:
        """Check that no byte of the range lies in a read-only span, before any of them changes."""

    def _grow(self, target: int) -> None:
        """Make the capacity at least `target`, which is within max_capacity."""
        raise InternalError("this buffer cannot grow")

    def _lease(self, n: int) -> Memory:
        """Return a fresh block of at least `n` bytes from the buffer's allocator.

        That may be the user's own. If it changes this buffer meanwhile, as one does that makes room by releasing what
        it gave before, what the caller has checked no longer holds; and bytes go only into a block that has room."""
        last = self._memory
        reader = self._reader
        writer = self._writer
        capacity = self._capacity
        found: Any = self._allocator.lease(n)
        if not isinstance(found, Memory):
            raise TypeError(f"an allocator leases a Memory, not {type(found).__name__}")
        memory: Memory = found
        if memory.read_only or memory.size < n:
            raise bad_block(n)
        if self._refcnt == 0:
            raise dead()
        if self._memory is not last or self._reader != reader or self._writer != writer or self._capacity != capacity:
            raise UsageError("the allocator changed the buffer that it allocated for")
        return memory

    # Sharing.

    def _holders(self) -> int:
        """Return the number of references on the block of the window, plus a constant (see SOLE)."""
        return references(self._memory)

    def _is_sole(self) -> bool:
        """Return whether nobody but this handle holds the block."""
        return not self._memory.external and self._holders() == SOLE

    # The invariant can be run.

    def _check(self) -> None:
        """Assert what always holds; tests call this after every act."""
        numbers = (self._reader, self._writer, self._capacity, self._max)
        assert 0 <= self._reader <= self._writer <= self._capacity <= self._max, numbers
        assert self._refcnt >= 0, self._refcnt
        if self._refcnt == 0:
            assert numbers == (0, 0, 0, 0), numbers
        if self._hi >= self._lo:
            window = (self._lo, self._hi, self._whi, self._shift, self._memory.size)
            assert 0 <= self._lo and self._hi <= self._capacity, (window, numbers)
            assert 0 <= self._lo + self._shift, window
            assert self._hi - self._lo <= self._memory.size - (self._lo + self._shift), window
            assert self._whi in (0, self._hi), window
            assert self._whi == 0 or not (self._read_only or self._memory.read_only), window


def _count_of_sole_holder() -> int:
    probe = Indices()
    probe._memory = Memory()
    return probe._holders()


# What `_holders` says when a handle is alone with its block: it depends on the form and on Python, so it is asked once.
SOLE = _count_of_sole_holder()


# The builders of errors: hot paths format nothing.


def dead() -> ReferenceCountError:
    """Return the error for any use of a dead handle."""
    return ReferenceCountError("the buffer was released", refcnt=0)


def read_only() -> ReadOnlyError:
    """Return the error for a change to a read-only buffer."""
    return ReadOnlyError("the buffer is read-only")


def negative(name: str, value: int) -> ValueError:
    """Return the error for a negative length, size or count."""
    return ValueError(f"{name} must not be negative: {value}")


def torn() -> UsageError:
    """Return the error for a buffer that changed in the midst of a call."""
    return UsageError("the buffer was changed while it was in use, by another thread or by code that the call ran")


def bad_block(n: int) -> UsageError:
    """Return the error for an allocator that breaks its promise."""
    return UsageError(f"the allocator did not return a writable block of {n} bytes")


def index_outside(name: str, value: int, largest: int) -> BoundsError:
    """Return the error for an index that leaves its range."""
    return BoundsError(f"{name} {value} is outside its range; at most {largest}", requested=value, available=largest)


def cannot_read(n: int, available: int) -> BoundsError:
    """Return the error for a read of more bytes than are there."""
    return BoundsError(f"{n} bytes asked for, {available} readable", requested=n, available=available)


def cannot_write(n: int, available: int, max_capacity: int) -> CapacityError:
    """Return the error for a write beyond max_capacity."""
    return CapacityError(
        f"{n} bytes to write, {available} left below max_capacity {max_capacity}",
        requested=n,
        available=available,
        max_capacity=max_capacity,
    )


def does_not_fit(value: object, low: int, high: int) -> OverflowError:
    """Return the error for a value outside the range of its field."""
    return OverflowError(f"the value is outside {low}..{high}")
