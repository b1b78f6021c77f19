"""Bytes to and from streams: whatever has `write`, whatever has `readinto`.

Owns    the loops over pieces, what a stream's answer means, and what happens when it does something else meanwhile.
Never   a file or a socket: those calls are `zbuf.io`'s. It makes room before the stream is called, never after.
Always  a stream gets a view of one piece for the length of its call: an export, so the block outlives whatever the
        stream does to the buffer. After each call the buffer is judged as the stream left it. Nothing is copied here,
        except bytes that a stream delivered into a place that is no longer the buffer's (TRANSFER).
"""

import contextlib
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import EMPTY, as_size
from zbuf.buffer._bulk import Bulk
from zbuf.memory._memory import Memory

if TYPE_CHECKING:
    from zbuf._types import SupportsReadinto, SupportsWrite

__all__ = ["Transfer"]


class Transfer(Bulk):
    """Ranges of bytes to and from streams."""

    __slots__ = ()

    def read_to(self, out: "SupportsWrite", length: int | None = None) -> int:
        """Read `length` bytes, by default all, into `out.write`, piece by piece; return how many it took.

        A short write goes on with the rest; None or 0 as the answer ends the call. The reader index moves by what was
        taken, also when `out` raises. Ownership: borrows: the view that `out` gets is released after its call.
        Cost: no copy of ours. Raises: BoundsError, ValueError if negative, or if `out` claims more than it was given,
        TypeError if it has no `write`; what `out` raises. Source: Netty readBytes(OutputStream)."""
        write = _act_of(out, "write")
        n = 0 if length is None else as_size(length)
        self._check_live()
        if length is None:
            n = self._writer - self._reader
        self._check_readable(n)
        done = 0
        while done < n:
            self._check_readable(n - done)
            k = self._offer(write, self._reader, n - done)
            self._check_live()
            if k <= 0:
                break
            self._check_readable(k)
            self._reader += k
            done += k
        return done

    def get_to(self, index: int, out: "SupportsWrite", length: int) -> int:
        """Give `length` bytes at absolute `index` to `out.write`; nothing moves. Return how many it took.

        Everything else as read_to. Raises: as read_to. Source: Netty getBytes(int, OutputStream, int)."""
        index = as_size(index)
        write = _act_of(out, "write")
        n = as_size(length)
        self._check_range(index, n)
        done = 0
        while done < n:
            self._check_range(index + done, n - done)
            k = self._offer(write, index + done, n - done)
            self._check_live()
            if k <= 0:
                break
            done += k
        return done

    def write_from(self, src: "SupportsReadinto", length: int) -> int | None:
        """Let `src.readinto` write up to `length` bytes, piece by piece, up to its first short answer.

        Returns how many came: 0 is the end of the stream, None that it has nothing just now. The writer index moves by
        what came, also when `src` raises in a later piece; room for `length` is made first.
        Ownership: borrows: the view that `src` gets is released after its call. Cost: no copy of ours.
        Raises: ValueError if `length` is not positive, or if `src` claims more than it was given; ReadOnlyError,
        CapacityError, TypeError if it has no `readinto`; what `src` raises. Source: Netty writeBytes(InputStream)."""
        readinto = _act_of(src, "readinto")
        n = as_size(length)
        self._check_writable()
        if n < 1:
            raise _not_positive(n)
        return self._fill_pieces(readinto, 0, n, True)

    def set_from(self, index: int, src: "SupportsReadinto", length: int) -> int | None:
        """Let `src.readinto` set up to `length` bytes at absolute `index`; nothing moves, nothing grows.

        Everything else as write_from. Raises: BoundsError; as write_from. Source: Netty setBytes(int, InputStream)."""
        index = as_size(index)
        readinto = _act_of(src, "readinto")
        n = as_size(length)
        self._check_writable()
        if n < 1:
            raise _not_positive(n)
        return self._fill_pieces(readinto, index, n, False)

    def _fill_pieces(self, readinto: Callable[..., Any], index: int, n: int, write: bool) -> int | None:
        done = 0
        while done < n:
            at = index + done
            if write:
                self._ensure(n - done)
                at = self._writer
            else:
                self._check_writable()
                self._check_range(at, n - done)
            self._check_span_writable(at, n - done)
            size = self._piece_at(at, n - done)
            k = self._fill_piece(readinto, at, size, write)
            if k < 0:
                return done if done else None
            done += k
            if k < size:
                break
        return done

    def _piece_at(self, at: int, n: int) -> int:
        """Put the window over the byte at `at`, which is there, and return how many of the `n` from it it covers."""
        self._seek_writable(at)
        return min(n, self._hi - at)

    def _offer(self, write: Callable[..., Any], at: int, n: int) -> int:
        """Give the first piece of the checked range to `write`; return how many bytes it took, -1 for None."""
        self._seek(at)
        size = min(n, self._hi - at)
        view = self._memory.export(at + self._shift, size, True)
        try:
            return _answer(write(view), size)
        finally:
            _let_go(view)

    def _fill_piece(self, readinto: Callable[..., Any], at: int, size: int, write: bool) -> int:
        """Let `readinto` fill the `size` bytes at `at`, all under the window; return how many came, -1 for None.

        `write`: the writer index moves by that. Bytes that came where the buffer no longer is (the stream made it grow,
        shrink or move on) are copied to where it is now."""
        memory: Memory = self._memory
        offset = at + self._shift
        view = memory.export(offset, size, False)
        try:
            k = _answer(readinto(view), size)
            if k > 0:
                if not self._is_still(memory, offset, at, k, write):
                    self._from_source(at, memory.export(offset, k, True), None, None, write)
                elif write:
                    self._writer += k
            return k
        finally:
            _let_go(view)
            memory = EMPTY  # a traceback that keeps this frame must not keep the block

    def _is_still(self, memory: Memory, offset: int, at: int, k: int, write: bool) -> bool:
        """Return whether the `k` bytes at index `at` are those at `offset` of `memory`, and next to be written."""
        if k > self._capacity - at or (write and at != self._writer):  # a dead handle has capacity 0
            return False
        self._seek_writable(at)
        return self._memory is memory and at + self._shift == offset and k <= self._hi - at


def _act_of(stream: object, name: str) -> Callable[..., Any]:
    """Return the method of `stream`. Raises: TypeError."""
    act: Callable[..., Any] | None = getattr(stream, name, None)
    if not callable(act):
        raise TypeError(f"a stream with the method {name} is needed, not {type(stream).__name__}")
    return act


def _answer(answer: object, size: int) -> int:
    """Return what a stream answered as a count, -1 for None. Raises: TypeError, ValueError outside 0 .. size."""
    if answer is None:
        return -1
    count = operator.index(answer)  # type: ignore[arg-type]  # whatever is no integer raises
    if count < 0 or count > size:
        raise ValueError(f"the stream says {count} of {size} bytes")
    return count


def _let_go(view: memoryview) -> None:
    """End the stream's use of `view`; what it derived from it keeps the block, not the place in the buffer."""
    with contextlib.suppress(BufferError):
        view.release()


def _not_positive(n: int) -> ValueError:
    return ValueError(f"length must be at least 1, not {n}: an answer of 0 means the end of the stream")
