# cython: nonecheck=False
# (the only object whose fields are read here is self)
"""Fixed-width numbers out of a buffer: get_x at an absolute index, read_x at the reader index.

Written by .ci/number_grid.py from its table: change the table, not this file.

Owns    23 getters and 23 readers.
Never   a bounds check of its own: `read_offset` and its like make them, and `_indices.py` where they say no.
Always  arguments are converted first, then state and bounds are checked, then memory is touched, then an index moves.

Cost of every method: the bytes of the value, also where it lies across the spans of a composite.
Raises: BoundsError with `requested` and `available`, nothing moves; ReferenceCountError if released.
Source: Netty ByteBuf, in snake_case; `_le` is little-endian, everything else big-endian.
"""

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.memory._memory import (
        as_size,
        get_offset,
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
        read_offset,
    )
from zbuf.buffer._indices import Indices

__all__ = ["Getters"]


class Getters(Indices):
    """The loads of a buffer."""

    __slots__ = ()

    def get_boolean(self, index: int) -> bool:
        """Return one byte as a truth value at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 1)
        if at < 0:
            at = self._at_cold(index, 1)
        return load_bool(self._base, at)

    def get_byte(self, index: int) -> int:
        """Return a signed byte at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 1)
        if at < 0:
            at = self._at_cold(index, 1)
        return load_i8(self._base, at)

    def get_unsigned_byte(self, index: int) -> int:
        """Return an unsigned byte at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 1)
        if at < 0:
            at = self._at_cold(index, 1)
        return load_u8(self._base, at)

    def get_short(self, index: int) -> int:
        """Return a signed 16-bit big-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 2)
        if at < 0:
            at = self._at_cold(index, 2)
        return load_i16(self._base, at)

    def get_short_le(self, index: int) -> int:
        """Return a signed 16-bit little-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 2)
        if at < 0:
            at = self._at_cold(index, 2)
        return load_i16_le(self._base, at)

    def get_unsigned_short(self, index: int) -> int:
        """Return an unsigned 16-bit big-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 2)
        if at < 0:
            at = self._at_cold(index, 2)
        return load_u16(self._base, at)

    def get_unsigned_short_le(self, index: int) -> int:
        """Return an unsigned 16-bit little-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 2)
        if at < 0:
            at = self._at_cold(index, 2)
        return load_u16_le(self._base, at)

    def get_medium(self, index: int) -> int:
        """Return a signed 24-bit big-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 3)
        if at < 0:
            at = self._at_cold(index, 3)
        return load_i24(self._base, at)

    def get_medium_le(self, index: int) -> int:
        """Return a signed 24-bit little-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 3)
        if at < 0:
            at = self._at_cold(index, 3)
        return load_i24_le(self._base, at)

    def get_unsigned_medium(self, index: int) -> int:
        """Return an unsigned 24-bit big-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 3)
        if at < 0:
            at = self._at_cold(index, 3)
        return load_u24(self._base, at)

    def get_unsigned_medium_le(self, index: int) -> int:
        """Return an unsigned 24-bit little-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 3)
        if at < 0:
            at = self._at_cold(index, 3)
        return load_u24_le(self._base, at)

    def get_int(self, index: int) -> int:
        """Return a signed 32-bit big-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 4)
        if at < 0:
            at = self._at_cold(index, 4)
        return load_i32(self._base, at)

    def get_int_le(self, index: int) -> int:
        """Return a signed 32-bit little-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 4)
        if at < 0:
            at = self._at_cold(index, 4)
        return load_i32_le(self._base, at)

    def get_unsigned_int(self, index: int) -> int:
        """Return an unsigned 32-bit big-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 4)
        if at < 0:
            at = self._at_cold(index, 4)
        return load_u32(self._base, at)

    def get_unsigned_int_le(self, index: int) -> int:
        """Return an unsigned 32-bit little-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 4)
        if at < 0:
            at = self._at_cold(index, 4)
        return load_u32_le(self._base, at)

    def get_long(self, index: int) -> int:
        """Return a signed 64-bit big-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 8)
        if at < 0:
            at = self._at_cold(index, 8)
        return load_i64(self._base, at)

    def get_long_le(self, index: int) -> int:
        """Return a signed 64-bit little-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 8)
        if at < 0:
            at = self._at_cold(index, 8)
        return load_i64_le(self._base, at)

    def get_unsigned_long(self, index: int) -> int:
        """Return an unsigned 64-bit big-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 8)
        if at < 0:
            at = self._at_cold(index, 8)
        return load_u64(self._base, at)

    def get_unsigned_long_le(self, index: int) -> int:
        """Return an unsigned 64-bit little-endian integer at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 8)
        if at < 0:
            at = self._at_cold(index, 8)
        return load_u64_le(self._base, at)

    def get_float(self, index: int) -> float:
        """Return a 32-bit big-endian IEEE 754 number at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 4)
        if at < 0:
            at = self._at_cold(index, 4)
        return load_f32(self._base, at)

    def get_float_le(self, index: int) -> float:
        """Return a 32-bit little-endian IEEE 754 number at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 4)
        if at < 0:
            at = self._at_cold(index, 4)
        return load_f32_le(self._base, at)

    def get_double(self, index: int) -> float:
        """Return a 64-bit big-endian IEEE 754 number at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 8)
        if at < 0:
            at = self._at_cold(index, 8)
        return load_f64(self._base, at)

    def get_double_le(self, index: int) -> float:
        """Return a 64-bit little-endian IEEE 754 number at absolute `index`; nothing moves."""
        index = as_size(index)
        at = get_offset(self, index, 8)
        if at < 0:
            at = self._at_cold(index, 8)
        return load_f64_le(self._base, at)

    def read_boolean(self) -> bool:
        """Read one byte as a truth value and move the reader index by 1."""
        at = read_offset(self, 1)
        if at < 0:
            at = self._take_cold(1)
        return load_bool(self._base, at)

    def read_byte(self) -> int:
        """Read a signed byte and move the reader index by 1."""
        at = read_offset(self, 1)
        if at < 0:
            at = self._take_cold(1)
        return load_i8(self._base, at)

    def read_unsigned_byte(self) -> int:
        """Read an unsigned byte and move the reader index by 1."""
        at = read_offset(self, 1)
        if at < 0:
            at = self._take_cold(1)
        return load_u8(self._base, at)

    def read_short(self) -> int:
        """Read a signed 16-bit big-endian integer and move the reader index by 2."""
        at = read_offset(self, 2)
        if at < 0:
            at = self._take_cold(2)
        return load_i16(self._base, at)

    def read_short_le(self) -> int:
        """Read a signed 16-bit little-endian integer and move the reader index by 2."""
        at = read_offset(self, 2)
        if at < 0:
            at = self._take_cold(2)
        return load_i16_le(self._base, at)

    def read_unsigned_short(self) -> int:
        """Read an unsigned 16-bit big-endian integer and move the reader index by 2."""
        at = read_offset(self, 2)
        if at < 0:
            at = self._take_cold(2)
        return load_u16(self._base, at)

    def read_unsigned_short_le(self) -> int:
        """Read an unsigned 16-bit little-endian integer and move the reader index by 2."""
        at = read_offset(self, 2)
        if at < 0:
            at = self._take_cold(2)
        return load_u16_le(self._base, at)

    def read_medium(self) -> int:
        """Read a signed 24-bit big-endian integer and move the reader index by 3."""
        at = read_offset(self, 3)
        if at < 0:
            at = self._take_cold(3)
        return load_i24(self._base, at)

    def read_medium_le(self) -> int:
        """Read a signed 24-bit little-endian integer and move the reader index by 3."""
        at = read_offset(self, 3)
        if at < 0:
            at = self._take_cold(3)
        return load_i24_le(self._base, at)

    def read_unsigned_medium(self) -> int:
        """Read an unsigned 24-bit big-endian integer and move the reader index by 3."""
        at = read_offset(self, 3)
        if at < 0:
            at = self._take_cold(3)
        return load_u24(self._base, at)

    def read_unsigned_medium_le(self) -> int:
        """Read an unsigned 24-bit little-endian integer and move the reader index by 3."""
        at = read_offset(self, 3)
        if at < 0:
            at = self._take_cold(3)
        return load_u24_le(self._base, at)

    def read_int(self) -> int:
        """Read a signed 32-bit big-endian integer and move the reader index by 4."""
        at = read_offset(self, 4)
        if at < 0:
            at = self._take_cold(4)
        return load_i32(self._base, at)

    def read_int_le(self) -> int:
        """Read a signed 32-bit little-endian integer and move the reader index by 4."""
        at = read_offset(self, 4)
        if at < 0:
            at = self._take_cold(4)
        return load_i32_le(self._base, at)

    def read_unsigned_int(self) -> int:
        """Read an unsigned 32-bit big-endian integer and move the reader index by 4."""
        at = read_offset(self, 4)
        if at < 0:
            at = self._take_cold(4)
        return load_u32(self._base, at)

    def read_unsigned_int_le(self) -> int:
        """Read an unsigned 32-bit little-endian integer and move the reader index by 4."""
        at = read_offset(self, 4)
        if at < 0:
            at = self._take_cold(4)
        return load_u32_le(self._base, at)

    def read_long(self) -> int:
        """Read a signed 64-bit big-endian integer and move the reader index by 8."""
        at = read_offset(self, 8)
        if at < 0:
            at = self._take_cold(8)
        return load_i64(self._base, at)

    def read_long_le(self) -> int:
        """Read a signed 64-bit little-endian integer and move the reader index by 8."""
        at = read_offset(self, 8)
        if at < 0:
            at = self._take_cold(8)
        return load_i64_le(self._base, at)

    def read_unsigned_long(self) -> int:
        """Read an unsigned 64-bit big-endian integer and move the reader index by 8."""
        at = read_offset(self, 8)
        if at < 0:
            at = self._take_cold(8)
        return load_u64(self._base, at)

    def read_unsigned_long_le(self) -> int:
        """Read an unsigned 64-bit little-endian integer and move the reader index by 8."""
        at = read_offset(self, 8)
        if at < 0:
            at = self._take_cold(8)
        return load_u64_le(self._base, at)

    def read_float(self) -> float:
        """Read a 32-bit big-endian IEEE 754 number and move the reader index by 4."""
        at = read_offset(self, 4)
        if at < 0:
            at = self._take_cold(4)
        return load_f32(self._base, at)

    def read_float_le(self) -> float:
        """Read a 32-bit little-endian IEEE 754 number and move the reader index by 4."""
        at = read_offset(self, 4)
        if at < 0:
            at = self._take_cold(4)
        return load_f32_le(self._base, at)

    def read_double(self) -> float:
        """Read a 64-bit big-endian IEEE 754 number and move the reader index by 8."""
        at = read_offset(self, 8)
        if at < 0:
            at = self._take_cold(8)
        return load_f64(self._base, at)

    def read_double_le(self) -> float:
        """Read a 64-bit little-endian IEEE 754 number and move the reader index by 8."""
        at = read_offset(self, 8)
        if at < 0:
            at = self._take_cold(8)
        return load_f64_le(self._base, at)
