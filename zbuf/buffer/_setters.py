# cython: nonecheck=False
# (the only object whose fields are read here is self)
"""Fixed-width numbers into a buffer: set_x at an absolute index, write_x at the writer index.

Written by .ci/number_grid.py from its table: change the table, not this file.

Owns    14 setters and 14 writers; byte order aside, signed and unsigned share one.
Never   a bounds check of its own: `read_offset` and its like make them, and `_indices.py` where they say no.
Always  arguments are converted first, then state and bounds are checked, then memory is touched, then an index moves.

Cost of every method: the bytes of the value, also where it lies across the spans of a composite.
Raises: TypeError (not a number), ReferenceCountError, ReadOnlyError, OverflowError (outside the field),
        BoundsError or CapacityError; nothing is written.
Source: Netty ByteBuf, in snake_case; `_le` is little-endian, everything else big-endian.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.buffer._indices import does_not_fit
    from zbuf.memory._memory import (
        as_double,
        as_long,
        as_size,
        as_value,
        fits_single,
        set_offset,
        store_8,
        store_16,
        store_16_le,
        store_24,
        store_24_le,
        store_32,
        store_32_le,
        store_64,
        store_64_le,
        store_f32,
        store_f32_le,
        store_f64,
        store_f64_le,
        write_offset,
    )
from zbuf.buffer._peekers import Peekers

__all__ = ["Setters"]

MAX_UNSIGNED_INT = 0xFFFFFFFF


class Setters(Peekers):
    """The stores of a buffer."""

    __slots__ = ()

    def _bad_value(self, low: int, high: int) -> OverflowError:
        """Return the error for a value outside its field, once the state of the buffer has been judged (rule I12)."""
        self._check_writable()
        if low == high:
            return OverflowError("the number does not fit a single")
        return does_not_fit(None, low, high)

    def set_boolean(self, index: int, value: object) -> None:
        """Store 1 for a true value and 0 for a false one at absolute `index`; nothing moves."""
        index = as_size(index)
        v = 1 if value else 0
        at = set_offset(self, index, 1)
        if at < 0:
            at = self._spot_cold(index, 1)
        store_8(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 1)

    def set_byte(self, index: int, value: int) -> None:
        """Store -128..255 in one byte at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_value(value)
        if v < -0x80 or v > 0xFF:
            raise self._bad_value(-0x80, 0xFF)
        at = set_offset(self, index, 1)
        if at < 0:
            at = self._spot_cold(index, 1)
        store_8(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 1)

    def set_short(self, index: int, value: int) -> None:
        """Store -2**15..2**16-1 in 16 bits, big-endian, at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_value(value)
        if v < -0x8000 or v > 0xFFFF:
            raise self._bad_value(-0x8000, 0xFFFF)
        at = set_offset(self, index, 2)
        if at < 0:
            at = self._spot_cold(index, 2)
        store_16(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 2)

    def set_short_le(self, index: int, value: int) -> None:
        """Store -2**15..2**16-1 in 16 bits, little-endian, at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_value(value)
        if v < -0x8000 or v > 0xFFFF:
            raise self._bad_value(-0x8000, 0xFFFF)
        at = set_offset(self, index, 2)
        if at < 0:
            at = self._spot_cold(index, 2)
        store_16_le(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 2)

    def set_medium(self, index: int, value: int) -> None:
        """Store -2**23..2**24-1 in 24 bits, big-endian, at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_value(value)
        if v < -0x800000 or v > 0xFFFFFF:
            raise self._bad_value(-0x800000, 0xFFFFFF)
        at = set_offset(self, index, 3)
        if at < 0:
            at = self._spot_cold(index, 3)
        store_24(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 3)

    def set_medium_le(self, index: int, value: int) -> None:
        """Store -2**23..2**24-1 in 24 bits, little-endian, at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_value(value)
        if v < -0x800000 or v > 0xFFFFFF:
            raise self._bad_value(-0x800000, 0xFFFFFF)
        at = set_offset(self, index, 3)
        if at < 0:
            at = self._spot_cold(index, 3)
        store_24_le(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 3)

    def set_int(self, index: int, value: int) -> None:
        """Store -2**31..2**32-1 in 32 bits, big-endian, at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_value(value)
        if v < -0x80000000 or v > MAX_UNSIGNED_INT:
            raise self._bad_value(-0x80000000, MAX_UNSIGNED_INT)
        at = set_offset(self, index, 4)
        if at < 0:
            at = self._spot_cold(index, 4)
        store_32(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 4)

    def set_int_le(self, index: int, value: int) -> None:
        """Store -2**31..2**32-1 in 32 bits, little-endian, at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_value(value)
        if v < -0x80000000 or v > MAX_UNSIGNED_INT:
            raise self._bad_value(-0x80000000, MAX_UNSIGNED_INT)
        at = set_offset(self, index, 4)
        if at < 0:
            at = self._spot_cold(index, 4)
        store_32_le(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 4)

    def set_long(self, index: int, value: int) -> None:
        """Store -2**63..2**64-1 in 64 bits, big-endian, at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_long(value)
        at = set_offset(self, index, 8)
        if at < 0:
            at = self._spot_cold(index, 8)
        store_64(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 8)

    def set_long_le(self, index: int, value: int) -> None:
        """Store -2**63..2**64-1 in 64 bits, little-endian, at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_long(value)
        at = set_offset(self, index, 8)
        if at < 0:
            at = self._spot_cold(index, 8)
        store_64_le(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 8)

    def set_float(self, index: int, value: float) -> None:
        """Store a 32-bit big-endian IEEE 754 single, rounded, at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_double(value)
        if not fits_single(v):
            raise self._bad_value(0, 0)
        at = set_offset(self, index, 4)
        if at < 0:
            at = self._spot_cold(index, 4)
        store_f32(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 4)

    def set_float_le(self, index: int, value: float) -> None:
        """Store a 32-bit little-endian IEEE 754 single, rounded, at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_double(value)
        if not fits_single(v):
            raise self._bad_value(0, 0)
        at = set_offset(self, index, 4)
        if at < 0:
            at = self._spot_cold(index, 4)
        store_f32_le(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 4)

    def set_double(self, index: int, value: float) -> None:
        """Store a 64-bit big-endian IEEE 754 double at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_double(value)
        at = set_offset(self, index, 8)
        if at < 0:
            at = self._spot_cold(index, 8)
        store_f64(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 8)

    def set_double_le(self, index: int, value: float) -> None:
        """Store a 64-bit little-endian IEEE 754 double at absolute `index`; nothing moves."""
        index = as_size(index)
        v = as_double(value)
        at = set_offset(self, index, 8)
        if at < 0:
            at = self._spot_cold(index, 8)
        store_f64_le(self._base, at, v)
        if self._hi < self._lo:
            self._settle(index, 8)

    def write_boolean(self, value: object) -> None:
        """Write 1 for a true value and 0 for a false one and move the writer index by 1; grows if need be."""
        v = 1 if value else 0
        at = write_offset(self, 1)
        if at < 0:
            at = self._room_cold(1)
        store_8(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 1)
        self._writer += 1

    def write_byte(self, value: int) -> None:
        """Write -128..255 in one byte and move the writer index by 1; grows if need be."""
        v = as_value(value)
        if v < -0x80 or v > 0xFF:
            raise self._bad_value(-0x80, 0xFF)
        at = write_offset(self, 1)
        if at < 0:
            at = self._room_cold(1)
        store_8(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 1)
        self._writer += 1

    def write_short(self, value: int) -> None:
        """Write -2**15..2**16-1 in 16 bits, big-endian, and move the writer index by 2; grows if need be."""
        v = as_value(value)
        if v < -0x8000 or v > 0xFFFF:
            raise self._bad_value(-0x8000, 0xFFFF)
        at = write_offset(self, 2)
        if at < 0:
            at = self._room_cold(2)
        store_16(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 2)
        self._writer += 2

    def write_short_le(self, value: int) -> None:
        """Write -2**15..2**16-1 in 16 bits, little-endian, and move the writer index by 2; grows if need be."""
        v = as_value(value)
        if v < -0x8000 or v > 0xFFFF:
            raise self._bad_value(-0x8000, 0xFFFF)
        at = write_offset(self, 2)
        if at < 0:
            at = self._room_cold(2)
        store_16_le(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 2)
        self._writer += 2

    def write_medium(self, value: int) -> None:
        """Write -2**23..2**24-1 in 24 bits, big-endian, and move the writer index by 3; grows if need be."""
        v = as_value(value)
        if v < -0x800000 or v > 0xFFFFFF:
            raise self._bad_value(-0x800000, 0xFFFFFF)
        at = write_offset(self, 3)
        if at < 0:
            at = self._room_cold(3)
        store_24(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 3)
        self._writer += 3

    def write_medium_le(self, value: int) -> None:
        """Write -2**23..2**24-1 in 24 bits, little-endian, and move the writer index by 3; grows if need be."""
        v = as_value(value)
        if v < -0x800000 or v > 0xFFFFFF:
            raise self._bad_value(-0x800000, 0xFFFFFF)
        at = write_offset(self, 3)
        if at < 0:
            at = self._room_cold(3)
        store_24_le(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 3)
        self._writer += 3

    def write_int(self, value: int) -> None:
        """Write -2**31..2**32-1 in 32 bits, big-endian, and move the writer index by 4; grows if need be."""
        v = as_value(value)
        if v < -0x80000000 or v > MAX_UNSIGNED_INT:
            raise self._bad_value(-0x80000000, MAX_UNSIGNED_INT)
        at = write_offset(self, 4)
        if at < 0:
            at = self._room_cold(4)
        store_32(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 4)
        self._writer += 4

    def write_int_le(self, value: int) -> None:
        """Write -2**31..2**32-1 in 32 bits, little-endian, and move the writer index by 4; grows if need be."""
        v = as_value(value)
        if v < -0x80000000 or v > MAX_UNSIGNED_INT:
            raise self._bad_value(-0x80000000, MAX_UNSIGNED_INT)
        at = write_offset(self, 4)
        if at < 0:
            at = self._room_cold(4)
        store_32_le(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 4)
        self._writer += 4

    def write_long(self, value: int) -> None:
        """Write -2**63..2**64-1 in 64 bits, big-endian, and move the writer index by 8; grows if need be."""
        v = as_long(value)
        at = write_offset(self, 8)
        if at < 0:
            at = self._room_cold(8)
        store_64(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 8)
        self._writer += 8

    def write_long_le(self, value: int) -> None:
        """Write -2**63..2**64-1 in 64 bits, little-endian, and move the writer index by 8; grows if need be."""
        v = as_long(value)
        at = write_offset(self, 8)
        if at < 0:
            at = self._room_cold(8)
        store_64_le(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 8)
        self._writer += 8

    def write_float(self, value: float) -> None:
        """Write a 32-bit big-endian IEEE 754 single, rounded, and move the writer index by 4; grows if need be."""
        v = as_double(value)
        if not fits_single(v):
            raise self._bad_value(0, 0)
        at = write_offset(self, 4)
        if at < 0:
            at = self._room_cold(4)
        store_f32(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 4)
        self._writer += 4

    def write_float_le(self, value: float) -> None:
        """Write a 32-bit little-endian IEEE 754 single, rounded, and move the writer index by 4; grows if need be."""
        v = as_double(value)
        if not fits_single(v):
            raise self._bad_value(0, 0)
        at = write_offset(self, 4)
        if at < 0:
            at = self._room_cold(4)
        store_f32_le(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 4)
        self._writer += 4

    def write_double(self, value: float) -> None:
        """Write a 64-bit big-endian IEEE 754 double and move the writer index by 8; grows if need be."""
        v = as_double(value)
        at = write_offset(self, 8)
        if at < 0:
            at = self._room_cold(8)
        store_f64(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 8)
        self._writer += 8

    def write_double_le(self, value: float) -> None:
        """Write a 64-bit little-endian IEEE 754 double and move the writer index by 8; grows if need be."""
        v = as_double(value)
        at = write_offset(self, 8)
        if at < 0:
            at = self._room_cold(8)
        store_f64_le(self._base, at, v)
        if self._hi < self._lo:
            self._settle(self._writer, 8)
        self._writer += 8
