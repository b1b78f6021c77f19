"""Capacity, growth, discarding, and what they do when the block is shared.

Owns    the growth formula; widening in place, moving to a new block, detaching; discard and compact.
Never   a move or a resize of bytes under another holder of the block.
Always  the handle that acts gets the new block; all others keep the old one and its bytes. Every copy is billed.
"""

from typing import Any

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.audit._meter import charge
    from zbuf.buffer._indices import dead, negative
    from zbuf.memory._memory import as_size, copy
from zbuf.audit._bill import CopyReason
from zbuf.buffer._arrays import Arrays
from zbuf.errors import UsageError

__all__ = ["Growth", "calculate_new_capacity"]

GROW = int(CopyReason.GROW)
DISCARD = int(CopyReason.DISCARD)
COMPACT = int(CopyReason.COMPACT)

SMALLEST = 64  # Netty's
THRESHOLD = 4 << 20  # Netty's 4 MiB, where it changes to fixed steps; ours go on geometrically, so appends stay linear


def calculate_new_capacity(minimum: int, maximum: int) -> int:
    """Return the capacity to grow to when `minimum` bytes are needed and `maximum` are allowed.

    Up to 4 MiB the next power of two, at least 64; above it the smallest of 2**k and 1.5 * 2**k.
    Raises: ValueError if minimum is negative or above maximum. Source: Netty calculateNewCapacity up to 4 MiB."""
    minimum = as_size(minimum)
    maximum = as_size(maximum)
    if minimum < 0:
        raise negative("minimum", minimum)
    if minimum > maximum:
        raise ValueError(f"minimum {minimum} is above maximum {maximum}")
    size = SMALLEST if minimum <= THRESHOLD else THRESHOLD
    while size < minimum:
        if size >= THRESHOLD and minimum - size <= size >> 1:
            size += size >> 1
            break
        if size > maximum >> 1:
            return maximum
        size <<= 1
    return min(size, maximum)


class Growth(Arrays):
    """The capacity of a buffer."""

    __slots__ = ()

    def set_capacity(self, n: int) -> None:
        """Make the capacity exactly `n`.

        Shrinking narrows this handle's window, pulls the indices in, and copies nothing. Growing appends unspecified
        bytes and keeps the old ones: in place for a sole holder whose block has room, else in a new block (GROW).
        Raises: ReadOnlyError; ValueError if n is negative or above max_capacity; MemoryError; nothing changes."""
        n = as_size(n)
        self._check_writable()
        if n < 0 or n > self._max:
            raise ValueError(f"the capacity must be 0..{self._max}, not {n}")
        if n < self._capacity:
            self._narrow(n)
        elif n > self._capacity:
            self._enlarge(n)

    def _is_fixed(self) -> bool:
        """Return whether this is a window on somebody's memory, whose maximum is always its length."""
        return False

    def _narrow(self, n: int) -> None:
        if self._is_fixed():
            self._max = n
        self._capacity = self._hi = n
        self._whi = min(self._whi, n)
        self._writer = min(self._writer, n)
        self._reader = min(self._reader, n)

    def _enlarge(self, n: int) -> None:
        if self._is_sole() and n <= self._memory.size - self._shift:
            self._capacity = self._hi = self._whi = n
        else:
            self._move_to_new_block(0, self._capacity, n, GROW)

    def ensure_writable(self, n: int) -> None:
        """Make room for `n` more bytes, by growth if need be.

        Raises: ReadOnlyError, ValueError if negative, CapacityError beyond max_capacity. Source: Netty."""
        n = as_size(n)
        self._check_writable()
        if n < 0:
            raise negative("n", n)
        self._ensure(n)

    def try_ensure_writable(self, n: int, *, force: bool = False) -> bool:
        """Make room for `n` more bytes if that can be had, and return whether they can be written now.

        False beyond max_capacity, on read-only buffers, and where there is no memory. With `force` the buffer grows up
        to max_capacity even when that is not enough. Raises: ValueError if negative. Source: Netty ensureWritable(n,
        force), whose four codes are this and `capacity`."""
        n = as_size(n)
        force = bool(force)
        self._check_live()
        if n < 0:
            raise negative("n", n)
        if self._read_only:
            return False
        if n <= self._capacity - self._writer:
            return True
        fits = n <= self._max - self._writer
        try:
            if fits:
                self._grow(self._writer + n)
            elif force and self._max > self._capacity:
                self._grow(self._max)
        except MemoryError:
            return False
        return fits

    @property
    def max_fast_writable_bytes(self) -> int:
        """Bytes that can be written without a new block: the room of the block for a sole holder; 0 if read-only."""
        self._check_live()
        if self._read_only:
            return 0
        if self._is_sole():
            return max(min(self._memory.size - self._shift, self._max), self._capacity) - self._writer
        return self._capacity - self._writer

    @property
    def is_shared(self) -> bool:
        """Whether another handle, export or transfer holds a block of this buffer; always for wrapped memory."""
        self._check_live()
        return not self._is_sole()

    @property
    def memory_size(self) -> int:
        """The bytes of all blocks that this handle keeps alive; a slice of 10 bytes may pin 64 KiB (see compact)."""
        self._check_live()
        return self._memory.size

    def _grow(self, target: int) -> None:
        # A sole holder whose block has room only widens its window: a pooled block is often larger than was asked for.
        if self._is_sole() and target <= self._memory.size - self._shift:
            self._capacity = self._hi = self._whi = min(self._memory.size - self._shift, self._max)
        else:
            self._move_to_new_block(0, self._capacity, calculate_new_capacity(target, self._max), GROW)

    def _move_to_new_block(self, start: int, n: int, capacity: int, reason: int) -> None:
        """Copy [start, start + n) to the front of a fresh block of `capacity` and let go of the old one."""
        record = self._memory._record  # None unless a ledger is kept
        if record is not None and reason != COMPACT:
            self._announce(record)
        memory = self._lease(capacity)
        if n:
            charge(reason, n)
            copy(memory.base, 0, self._base, self._shift + start, n)
        if record is not None and memory._record is not None:
            record.moved(self, memory._record)
        self._capacity = capacity
        self._look_at(memory, 0, capacity)

    def _announce(self, record: Any) -> None:
        """Tell the ledger that this handle is about to leave a block; where others hold it, that is a report.

        A report may run a warning filter of the user's, or raise as one asked to: so it comes before anything moves."""
        is_shared = not self._is_sole()
        last = self._memory
        reader = self._reader
        writer = self._writer
        record.leaving(is_shared)
        if self._refcnt == 0:
            raise dead()
        if self._memory is not last or self._reader != reader or self._writer != writer:
            raise UsageError("a warning filter changed the buffer that it was told of")

    def discard_read_bytes(self) -> None:
        """Drop the bytes before the reader index: the readable ones move to 0, the writer index follows.

        Cost: readable_bytes copied (DISCARD), none if nothing is readable; where the block is shared they go to a new
        one of the same capacity, and nothing moves under the others. Raises: ReadOnlyError. Source: Netty."""
        self._check_writable()
        if self._reader == 0:
            return
        n = self._writer - self._reader
        if n == 0 or self._is_sole():
            if n:
                charge(DISCARD, n)
                copy(self._base, self._shift, self._base, self._shift + self._reader, n)
            self._reader = 0
            self._writer = n
            return
        last = self._memory
        self._move_to_new_block(self._reader, n, self._capacity, DISCARD)
        self._reader = 0
        self._writer = n
        del last  # at its end an on_release may run, which must find the buffer whole

    def discard_some_read_bytes(self) -> None:
        """Discard when at least half of the capacity was read, or when everything was. Raises: ReadOnlyError."""
        self._check_writable()
        if self._reader == self._writer or self._reader >= self._capacity - self._reader:
            self.discard_read_bytes()

    def compact(self) -> None:
        """Move the readable bytes to a fresh block of their size and drop the old share; works on read-only handles.

        Afterwards reader index 0, writer index and capacity the length; what could not grow still cannot.
        Cost: readable_bytes copied (COMPACT). The counted way to unpin a large block."""
        self._check_live()
        n = self._writer - self._reader
        last = self._memory
        self._compact(n)
        del last  # at its end an on_release may run, which must find the buffer whole

    def _compact(self, n: int) -> None:
        self._move_to_new_block(self._reader, n, n, COMPACT)
        self._reader = 0
        self._writer = n
        if self._is_fixed():
            self._max = n

    def clear(self) -> None:
        """Set both indices to 0; the bytes stay. Allowed on read-only handles. Source: Netty ByteBuf.clear."""
        self._check_live()
        self._reader = self._writer = 0
