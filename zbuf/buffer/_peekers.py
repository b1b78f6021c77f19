# cython: nonecheck=False
# (the only object whose fields are read here is self)
"""Fixed-width numbers at the reader index, looked at without being read: peek_x.

Written by .ci/number_grid.py from its table: change the table, not this file.

Owns    23 peekers.
Never   a bounds check of its own: `read_offset` and its like make them, and `_indices.py` where they say no.
Always  bounded by the writer index, like a read; no index and no byte changes.

Cost of every method: the bytes of the value, also where it lies across the spans of a composite.
Raises: BoundsError with `requested` and `available`; ReferenceCountError if released.
Source: ours, by the rules of Netty's readers; `_le` is little-endian, everything else big-endian.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import (
        load_bool,
        load_f32,
        load_f32_le,
        load_f64,
        load_f64_le,
        load_i8,
        load_i16,
        load_i16_le,
        load_i24,
        load_i24_le,
        load_i32,
        load_i32_le,
        load_i64,
        load_i64_le,
        load_u8,
        load_u16,
        load_u16_le,
        load_u24,
        load_u24_le,
        load_u32,
        load_u32_le,
        load_u64,
        load_u64_le,
        peek_offset,
    )
from zbuf.buffer._getters import Getters

__all__ = ["Peekers"]


class Peekers(Getters):
    """The loads of a buffer that move nothing."""

    __slots__ = ()

    def peek_boolean(self) -> bool:
        """Return one byte as a truth value at the reader index; nothing moves."""
        at = peek_offset(self, 1)
        if at < 0:
            at = self._peek_cold(1)
        return load_bool(self._base, at)

    def peek_byte(self) -> int:
        """Return a signed byte at the reader index; nothing moves."""
        at = peek_offset(self, 1)
        if at < 0:
            at = self._peek_cold(1)
        return load_i8(self._base, at)

    def peek_unsigned_byte(self) -> int:
        """Return an unsigned byte at the reader index; nothing moves."""
        at = peek_offset(self, 1)
        if at < 0:
            at = self._peek_cold(1)
        return load_u8(self._base, at)

    def peek_short(self) -> int:
        """Return a signed 16-bit big-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 2)
        if at < 0:
            at = self._peek_cold(2)
        return load_i16(self._base, at)

    def peek_short_le(self) -> int:
        """Return a signed 16-bit little-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 2)
        if at < 0:
            at = self._peek_cold(2)
        return load_i16_le(self._base, at)

    def peek_unsigned_short(self) -> int:
        """Return an unsigned 16-bit big-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 2)
        if at < 0:
            at = self._peek_cold(2)
        return load_u16(self._base, at)

    def peek_unsigned_short_le(self) -> int:
        """Return an unsigned 16-bit little-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 2)
        if at < 0:
            at = self._peek_cold(2)
        return load_u16_le(self._base, at)

    def peek_medium(self) -> int:
        """Return a signed 24-bit big-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 3)
        if at < 0:
            at = self._peek_cold(3)
        return load_i24(self._base, at)

    def peek_medium_le(self) -> int:
        """Return a signed 24-bit little-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 3)
        if at < 0:
            at = self._peek_cold(3)
        return load_i24_le(self._base, at)

    def peek_unsigned_medium(self) -> int:
        """Return an unsigned 24-bit big-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 3)
        if at < 0:
            at = self._peek_cold(3)
        return load_u24(self._base, at)

    def peek_unsigned_medium_le(self) -> int:
        """Return an unsigned 24-bit little-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 3)
        if at < 0:
            at = self._peek_cold(3)
        return load_u24_le(self._base, at)

    def peek_int(self) -> int:
        """Return a signed 32-bit big-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 4)
        if at < 0:
            at = self._peek_cold(4)
        return load_i32(self._base, at)

    def peek_int_le(self) -> int:
        """Return a signed 32-bit little-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 4)
        if at < 0:
            at = self._peek_cold(4)
        return load_i32_le(self._base, at)

    def peek_unsigned_int(self) -> int:
        """Return an unsigned 32-bit big-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 4)
        if at < 0:
            at = self._peek_cold(4)
        return load_u32(self._base, at)

    def peek_unsigned_int_le(self) -> int:
        """Return an unsigned 32-bit little-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 4)
        if at < 0:
            at = self._peek_cold(4)
        return load_u32_le(self._base, at)

    def peek_long(self) -> int:
        """Return a signed 64-bit big-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 8)
        if at < 0:
            at = self._peek_cold(8)
        return load_i64(self._base, at)

    def peek_long_le(self) -> int:
        """Return a signed 64-bit little-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 8)
        if at < 0:
            at = self._peek_cold(8)
        return load_i64_le(self._base, at)

    def peek_unsigned_long(self) -> int:
        """Return an unsigned 64-bit big-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 8)
        if at < 0:
            at = self._peek_cold(8)
        return load_u64(self._base, at)

    def peek_unsigned_long_le(self) -> int:
        """Return an unsigned 64-bit little-endian integer at the reader index; nothing moves."""
        at = peek_offset(self, 8)
        if at < 0:
            at = self._peek_cold(8)
        return load_u64_le(self._base, at)

    def peek_float(self) -> float:
        """Return a 32-bit big-endian IEEE 754 number at the reader index; nothing moves."""
        at = peek_offset(self, 4)
        if at < 0:
            at = self._peek_cold(4)
        return load_f32(self._base, at)

    def peek_float_le(self) -> float:
        """Return a 32-bit little-endian IEEE 754 number at the reader index; nothing moves."""
        at = peek_offset(self, 4)
        if at < 0:
            at = self._peek_cold(4)
        return load_f32_le(self._base, at)

    def peek_double(self) -> float:
        """Return a 64-bit big-endian IEEE 754 number at the reader index; nothing moves."""
        at = peek_offset(self, 8)
        if at < 0:
            at = self._peek_cold(8)
        return load_f64(self._base, at)

    def peek_double_le(self) -> float:
        """Return a 64-bit little-endian IEEE 754 number at the reader index; nothing moves."""
        at = peek_offset(self, 8)
        if at < 0:
            at = self._peek_cold(8)
        return load_f64_le(self._base, at)
