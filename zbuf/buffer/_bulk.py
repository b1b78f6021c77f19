"""Bytes, structs and varints in the same verbs as numbers.

Owns    copies between a buffer and bytes, other buffers, anything with the buffer protocol.
Never   growth or sharing rules; it asks for room and gets it.
Always  arguments are converted first (that may run foreign code), then state and bounds are checked, then bytes move,
        then an index moves. Ranges of one block may overlap: every copy is a memmove. Copies are billed (TRANSFER).
"""

import operator
import struct
import sys
from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.audit._meter import charge
    from zbuf.buffer._indices import cannot_read, negative, torn
    from zbuf.memory._memory import as_size, as_source, as_target, copy, fill, get, put, source_size, to_bytes
from zbuf._types import Buffer
from zbuf.audit._bill import CopyReason
from zbuf.buffer._setters import Setters
from zbuf.errors import BoundsError, DecodeError

if TYPE_CHECKING:
    from zbuf.buffer._bytebuf import ByteBuf

__all__ = ["Bulk", "varint_size"]

TRANSFER = int(CopyReason.TRANSFER)
GATHER = int(CopyReason.GATHER)
MAX_VARINT = 2**64 - 1
STRUCT = struct.Struct


class Bulk(Setters):
    """Ranges of bytes in and out of a buffer."""

    __slots__ = ()

    # Out.

    def get_bytes(self, index: int, length: int) -> bytes:
        """Return a copy of `length` bytes at absolute `index`; nothing moves.

        Raises: BoundsError, ValueError if negative. Source: Netty getBytes."""
        index = as_size(index)
        length = as_size(length)
        self._check_range(index, length)
        return self._copy_out(index, length, TRANSFER)

    def read_bytes(self, length: int) -> bytes:
        """Read `length` bytes as a copy and move the reader index. For a window without a copy see read_slice.

        Raises: BoundsError, ValueError if negative; the index stays. Source: Netty readBytes."""
        length = as_size(length)
        self._check_readable(length)
        data = self._copy_out(self._reader, length, TRANSFER)
        self._reader += length
        return data

    def get_bytes_into(
        self, index: int, dst: "ByteBuf | Buffer", dst_index: int | None = None, length: int | None = None
    ) -> int:
        """Copy bytes at absolute `index` into `dst` and return how many; nothing moves here.

        `length` absent: what `dst` can take (a buffer without `dst_index`: its writable bytes, whose writer index then
        moves; else from `dst_index` to its end). `dst` never grows. Ownership: borrows.
        Raises: BoundsError, ReadOnlyError (BufferError for a read-only view); both sides unchanged."""
        index = as_size(index)
        if isinstance(dst, Bulk):
            return self._into_buffer(index, dst, dst_index, length, False)
        return self._into_view(index, as_target(dst), dst_index, length, False)

    def read_bytes_into(self, dst: "ByteBuf | Buffer", dst_index: int | None = None, length: int | None = None) -> int:
        """Read bytes into `dst`, move the reader index, and return how many; `dst` as in get_bytes_into.

        Raises: BoundsError, ReadOnlyError (BufferError for a read-only view); both sides unchanged."""
        if isinstance(dst, Bulk):
            return self._into_buffer(0, dst, dst_index, length, True)
        return self._into_view(0, as_target(dst), dst_index, length, True)

    def _into_view(self, index: int, dst: memoryview, dst_index: int | None, length: int | None, read: bool) -> int:
        start = 0 if dst_index is None else as_size(dst_index)
        n = 0 if length is None else as_size(length)
        self._check_live()
        size = source_size(dst)
        _check_part(start, n, size, "dst_index")
        if length is None:
            n = size - start
        if read:
            self._check_readable(n)
            index = self._reader
        else:
            self._check_range(index, n)
        self._copy_to_view(index, dst, start, n)
        if read:
            self._reader += n
        return n

    def _into_buffer(self, index: int, dst: "Bulk", dst_index: int | None, length: int | None, read: bool) -> int:
        start = 0 if dst_index is None else as_size(dst_index)
        n = 0 if length is None else as_size(length)
        self._check_live()
        dst._check_writable()
        if dst_index is None:
            start = dst._writer
        _check_part(start, n, dst._capacity, "dst_index")
        if length is None:
            n = dst._capacity - start
        if read:
            self._check_readable(n)
            index = self._reader
        else:
            self._check_range(index, n)
        dst._check_span_writable(start, n)
        self._copy_to_buffer(index, dst, start, n)
        if read:
            self._reader += n
        if dst_index is None:
            dst._writer = start + n
        return n

    # In.

    def set_bytes(
        self, index: int, src: "ByteBuf | Buffer", src_index: int | None = None, length: int | None = None
    ) -> int:
        """Copy bytes of `src` to absolute `index` and return how many; no index of this buffer moves, it never grows.

        A buffer without `src_index` is read (its reader index moves; `length` absent: all its readable bytes); with
        `src_index` it stays (`length` absent: up to its writer index). Any other object is taken by its nbytes.
        Ownership: borrows. Raises: BoundsError, ReadOnlyError, BufferError (not C-contiguous), TypeError (str)."""
        index = as_size(index)
        if isinstance(src, Bulk):
            return self._from_buffer(index, src, src_index, length, False)
        return self._from_source(index, as_source(src), src_index, length, False)

    def write_bytes(self, src: "ByteBuf | Buffer", src_index: int | None = None, length: int | None = None) -> int:
        """Write bytes of `src`, move the writer index, and return how many; grows if need be. `src` as in set_bytes.

        `buf.write_bytes(buf)` appends a copy of the readable bytes.
        Raises: CapacityError, BoundsError, ReadOnlyError, BufferError, TypeError; both sides unchanged."""
        if isinstance(src, Bulk):
            return self._from_buffer(0, src, src_index, length, True)
        return self._from_source(0, as_source(src), src_index, length, True)

    def _from_source(
        self, index: int, src: bytes | memoryview, src_index: int | None, length: int | None, write: bool
    ) -> int:
        start = 0 if src_index is None else as_size(src_index)
        n = 0 if length is None else as_size(length)
        self._check_writable()
        size = source_size(src)
        _check_part(start, n, size, "src_index")
        if length is None:
            n = size - start
        if write:
            self._ensure(n)
            index = self._writer
        else:
            self._check_range(index, n)
        self._check_span_writable(index, n)
        self._copy_from_source(index, src, start, n)
        if write:
            self._writer += n
        return n

    def _from_buffer(self, index: int, src: "Bulk", src_index: int | None, length: int | None, write: bool) -> int:
        start = 0 if src_index is None else as_size(src_index)
        n = 0 if length is None else as_size(length)
        self._check_writable()
        src._check_live()
        if src_index is None:
            start = src._reader
            available = src._writer - start
            if n < 0:
                raise negative("length", n)
            if n > available:
                raise cannot_read(n, available)
        else:
            available = src._capacity - start
            _check_part(start, n, src._capacity, "src_index")
            if length is None and start > src._writer:
                raise BoundsError(
                    f"src_index {start} is behind the writer index {src._writer}",
                    requested=start,
                    available=src._writer,
                    index=start,
                )
        if length is None:
            n = src._writer - start
        if write:
            self._ensure(n)
            # Growth asked an allocator, which may be the user's own and have changed the source.
            src._check_range(start, n)
            if src_index is None and (src._reader != start or n > src._writer - start):
                raise cannot_read(n, src._writer - src._reader)
            index = self._writer
        else:
            self._check_range(index, n)
        self._check_span_writable(index, n)
        src._copy_to_buffer(start, self, index, n)
        if src_index is None:
            src._reader = start + n
        if write:
            self._writer = index + n
        return n

    def set_zero(self, index: int, length: int) -> None:
        """Set `length` bytes at absolute `index` to zero; nothing moves.

        Raises: ReadOnlyError, BoundsError, ValueError if negative. Source: Netty setZero."""
        index = as_size(index)
        length = as_size(length)
        self._check_writable()
        self._check_range(index, length)
        self._fill(index, length)

    def write_zero(self, length: int) -> None:
        """Write `length` zero bytes and move the writer index; grows if need be.

        Raises: ReadOnlyError, CapacityError, ValueError if negative. Source: Netty writeZero."""
        length = as_size(length)
        self._check_writable()
        if length < 0:
            raise negative("length", length)
        self._ensure(length)
        self._fill(self._writer, length)
        self._writer += length

    # The loops over pieces: one round for a contiguous buffer, one per span for a composite.

    def _copy_out(self, index: int, n: int, reason: int) -> bytes:
        if n == 0:
            return b""
        charge(reason, n)
        self._seek(index)
        if n <= self._hi - index:
            return to_bytes(self._base, index + self._shift, n)
        parts = []
        while n:
            self._seek(index)
            k = min(n, self._hi - index)
            if k < 1:
                raise torn()
            parts.append(to_bytes(self._base, index + self._shift, k))
            index += k
            n -= k
        return b"".join(parts)

    def _copy_to_view(self, index: int, dst: memoryview, start: int, n: int) -> None:
        if n:
            charge(TRANSFER, n)
        while n:
            self._seek(index)
            k = min(n, self._hi - index)
            if k < 1:
                raise torn()
            get(self._base, index + self._shift, dst, start, k)
            index += k
            start += k
            n -= k

    def _copy_from_source(self, index: int, src: bytes | memoryview, start: int, n: int) -> None:
        if n:
            charge(TRANSFER, n)
        while n:
            self._seek_writable(index)
            k = min(n, self._hi - index)
            if k < 1:
                raise torn()
            put(self._base, index + self._shift, src, start, k)
            index += k
            start += k
            n -= k

    def _copy_to_buffer(self, index: int, dst: "Bulk", start: int, n: int) -> None:
        if n == 0:
            return
        charge(TRANSFER, n)
        if n <= self._hi - index and index >= self._lo and start >= dst._lo and n <= dst._whi - start:
            copy(dst._base, start + dst._shift, self._base, index + self._shift, n)
            return
        if self is dst or self._is_apart() or dst._is_apart():
            # Pieces of one block could overlap in any order, and one window cannot stand in two places.
            data = self._copy_out(index, n, GATHER)
            dst._copy_from_source(start, data, 0, n)
            return
        while n:
            self._seek(index)
            dst._seek_writable(start)
            k = min(n, min(self._hi - index, dst._hi - start))
            if k < 1:
                raise torn()
            copy(dst._base, start + dst._shift, self._base, index + self._shift, k)
            index += k
            start += k
            n -= k

    def _is_apart(self) -> bool:
        """Return whether the bytes may lie in several pieces."""
        return False

    def _fill(self, index: int, n: int) -> None:
        self._check_span_writable(index, n)
        while n:
            self._seek_writable(index)
            k = min(n, self._hi - index)
            if k < 1:
                raise torn()
            fill(self._base, index + self._shift, k, 0)
            index += k
            n -= k

    def _check_readable(self, n: int) -> None:
        """Check that `n` bytes can be read."""
        if self._refcnt == 0:
            self._check_live()
        if n < 0:
            raise negative("length", n)
        if n > self._writer - self._reader:
            raise cannot_read(n, self._writer - self._reader)

    # Structs.

    def get_struct(self, index: int, fmt: "str | struct.Struct") -> tuple[Any, ...]:
        """Return the values of `fmt` at absolute `index`; nothing moves. Values that straddle spans are gathered first.

        A format without `<`, `>`, `!` or `=` is native order with padding, as in the struct module. Cost: no bytes, but
        across spans they are copied once (GATHER); a `struct.Struct` made beforehand saves a look-up.
        Raises: BoundsError, struct.error (a bad format)."""
        index = as_size(index)
        layout = _layout(fmt)
        size: int = layout.size
        self._check_range(index, size)
        return self._unpack(layout, index, size)

    def read_struct(self, fmt: "str | struct.Struct") -> tuple[Any, ...]:
        """Read the values of `fmt` and move the reader index by its size. Raises: BoundsError, struct.error."""
        layout = _layout(fmt)
        size: int = layout.size
        self._check_readable(size)
        values = self._unpack(layout, self._reader, size)
        self._check_readable(size)  # again: a subclass of Struct may have run anything
        self._reader += size
        return values

    def _unpack(self, layout: struct.Struct, index: int, size: int) -> tuple[Any, ...]:
        """Return the values of `layout` at the checked range: from where they lie, or from a copy across spans."""
        if type(layout) is STRUCT and size:
            self._seek(index)
            if size <= self._hi - index:
                if cython.compiled:
                    return layout.unpack_from(self._memory, index + self._shift)
                return layout.unpack_from(self._base, index + self._shift)
        return layout.unpack(self._copy_out(index, size, GATHER))

    def set_struct(self, index: int, fmt: "str | struct.Struct", *values: Any) -> None:
        """Store `values` as `fmt` at absolute `index`; nothing moves.

        Raises: struct.error unchanged, ReadOnlyError, BoundsError; nothing is written."""
        index = as_size(index)
        # A subclass of Struct may pack anything: what it gives is looked at like any source.
        self._from_source(index, as_source(_layout(fmt).pack(*values)), None, None, False)

    def write_struct(self, fmt: "str | struct.Struct", *values: Any) -> None:
        """Write `values` as `fmt` and move the writer index by its size; grows if need be.

        Raises: struct.error unchanged, ReadOnlyError, CapacityError; nothing is written."""
        self._from_source(0, as_source(_layout(fmt).pack(*values)), None, None, True)

    # Varints (protobuf, https://protobuf.dev/programming-guides/encoding/#varints): 7 bits a byte, low group first.

    def get_varint(self, index: int) -> tuple[int, int] | None:
        """Return (value, size) of the unsigned varint at absolute `index`; None when the writer index comes too early.

        Raises: BoundsError if `index` is behind the writer index, DecodeError above 10 bytes or 2**64 - 1."""
        index = as_size(index)
        self._check_live()
        if index < 0 or index > self._writer:
            raise BoundsError(
                f"index {index} is outside 0..{self._writer}", requested=index, available=self._writer, index=index
            )
        value, size = self._scan_varint(index)
        return (value, size) if size > 0 else None

    def read_varint(self) -> int:
        """Read an unsigned varint of at most 64 bits. Padded forms are accepted.

        Raises: BoundsError(requested = bytes seen + 1) when it is cut off, DecodeError; the index stays."""
        self._check_live()
        value, size = self._scan_varint(self._reader)
        if size <= 0:
            raise cannot_read(1 - size, -size)
        self._reader += size
        return value

    def read_varint_zigzag(self) -> int:
        """Read a signed 64-bit integer stored as a zigzag varint (1 is -1, 2 is 1). Raises: as read_varint."""
        value = self.read_varint()
        return (value >> 1) ^ -(value & 1)

    def write_varint(self, value: int) -> int:
        """Write `value`, 0..2**64 - 1, in the shortest form and return its size in bytes (1..10).

        Raises: TypeError, OverflowError, ReadOnlyError, CapacityError; nothing is written."""
        number = operator.index(value)
        if number < 0 or number > MAX_VARINT:
            self._check_writable()
            raise OverflowError(f"the value is outside 0..{MAX_VARINT}")
        rest = number
        size = 1
        while rest > 0x7F:
            rest >>= 7
            size += 1
        self._ensure(size)
        at = self._writer
        self._check_span_writable(at, size)  # all of it before the first byte changes
        rest = number
        while rest > 0x7F:
            self.set_byte(at, rest & 0x7F | 0x80)
            rest >>= 7
            at += 1
        self.set_byte(at, rest)
        self._writer = at + 1
        return size

    def write_varint_zigzag(self, value: int) -> int:
        """Write a signed 64-bit `value` as a zigzag varint and return its size in bytes. Raises: as write_varint."""
        number = operator.index(value)
        if number < -(2**63) or number >= 2**63:
            self._check_writable()
            raise OverflowError(f"the value is outside {-(2**63)}..{2**63 - 1}")
        return self.write_varint(number << 1 if number >= 0 else (-number << 1) - 1)

    def _scan_varint(self, index: int) -> tuple[int, int]:
        """Return (value, size), or (0, -seen) when the writer index comes before the number's end."""
        value = 0
        seen = 0
        while index + seen < self._writer:
            byte = self.get_unsigned_byte(index + seen)
            if seen == 9 and byte > 1:
                raise DecodeError("a varint is longer than 64 bits", position=index)
            value |= (byte & 0x7F) << (7 * seen)
            seen += 1
            if byte < 0x80:
                return value, seen
        return 0, -seen


def _check_part(start: int, n: int, size: int, name: str) -> None:
    """Check that [start, start + n) lies within `size`."""
    if n < 0:
        raise negative("length", n)
    if start < 0 or start > size:
        raise BoundsError(f"{name} {start} is outside 0..{size}", requested=start, available=size, index=start)
    if n > size - start:
        raise BoundsError(
            f"{n} bytes asked for at {name} {start}, {size - start} there", requested=n, available=size - start
        )


def _layout(fmt: "str | struct.Struct") -> struct.Struct:
    return fmt if type(fmt) is STRUCT or isinstance(fmt, STRUCT) else _struct_of(fmt)


_LAYOUTS: dict[str, struct.Struct] = {}


def _struct_of(fmt: str) -> struct.Struct:
    layout = _LAYOUTS.get(fmt)
    if layout is None:
        layout = struct.Struct(fmt)
        if len(_LAYOUTS) >= 256:  # bounded: formats can come from data; the size is arbitrary
            _LAYOUTS.clear()
        _LAYOUTS[sys.intern(fmt) if type(fmt) is str else fmt] = layout
    return layout


def varint_size(value: int) -> int:
    """Return how many bytes `value`, 0..2**64 - 1, takes as a varint: 1..10. Raises: TypeError, OverflowError."""
    number = operator.index(value)
    if number < 0 or number > MAX_VARINT:
        raise OverflowError(f"the value is outside 0..{MAX_VARINT}")
    return max(1, (number.bit_length() + 6) // 7)
