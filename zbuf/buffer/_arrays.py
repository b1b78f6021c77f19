"""Arrays of numpy on the bytes of a buffer, and their bytes into it.

Owns    read_array, as_array, write_array; the protocols by which arrays are asked for.
Never   an import of numpy before the first array; what numpy knows of kinds and ranges stands in `_ndarray.py`.
Always  an array on a buffer's bytes is an export: it holds the block, is writable iff the buffer is, and starts
        wherever the bytes do, aligned or not.
"""

from typing import TYPE_CHECKING, Any

try:
    import cython
except ImportError:
    from zbuf import _cython as cython  # type: ignore[no-redef]  # the shim has the few names that are used

if not cython.compiled:
    from zbuf.audit._meter import charge
    from zbuf.buffer._indices import index_outside, torn
    from zbuf.memory._memory import EMPTY, as_size, as_source, copy, lend
from zbuf.audit._bill import CopyReason
from zbuf.buffer._ndarray import CPU, as_kind, check_values, numpy, source_array, store, stored
from zbuf.buffer._scan import Scan
from zbuf.errors import BoundsError

if TYPE_CHECKING:
    from numpy import ndarray
    from numpy.typing import ArrayLike, DTypeLike

__all__ = ["Arrays"]

COPY = int(CopyReason.COPY)
TRANSFER = int(CopyReason.TRANSFER)
GATHER = int(CopyReason.GATHER)
NUMBERS = "biufc"
OF_USERS = 256  # numpy's NPY_USERDEF: from here on the numbers of dtypes that others brought
MOST_NAMES = 256  # bounds what is remembered: names of dtypes can come from data; arbitrary


class Arrays(Scan):
    """Bytes of a buffer as arrays."""

    __slots__ = ()

    def read_array(self, dtype: "DTypeLike", count: int = -1) -> "ndarray[Any, Any]":
        """Read `count` items and move the reader index past them; -1: as many as are whole, the rest stays unread.

        `dtype`: what numpy takes for one; ">u4" reads network order as it lies, one without a mark is native.
        Ownership: shares: the array looks at the buffer's own bytes, holds their block, also after release(), and is
        writable iff the buffer is. Across components it is a copy of its own. Cost: no bytes; across components they
        are copied once (GATHER). Raises: BoundsError, the index stays; ValueError (count below -1, items without
        size), TypeError (no dtype, or one of objects), ImportError (no numpy)."""
        items = as_size(count)
        kind = _kind_of(dtype)
        self._check_live()
        size: int = kind.itemsize
        items = _whole_items(items, size, self._writer - self._reader)
        n = items * size
        array: ndarray[Any, Any] = self._array(kind, self._reader, n, True)
        self._reader += n
        return array

    def as_array(self, dtype: "DTypeLike" = "u1", count: int = -1, index: int | None = None) -> "ndarray[Any, Any]":
        """Return an array on `count` items at absolute `index`, by default the reader index; nothing moves.

        -1: as many whole items as there are up to the writer index. Ownership: shares, as read_array; it never copies.
        Raises: BufferError if the items lie in several components; else as read_array."""
        items = as_size(count)
        start = 0 if index is None else as_size(index)
        kind = _kind_of(dtype)
        self._check_live()
        size: int = kind.itemsize
        if index is None:
            start = self._reader
        if items < -1:
            _whole_items(items, size, 0)  # a bad value comes before a bad place
        if start < 0 or start > self._writer:
            raise index_outside("index", start, self._writer)
        items = _whole_items(items, size, self._writer - start)
        array: ndarray[Any, Any] = self._array(kind, start, items * size, False)
        return array

    def write_array(self, values: "ArrayLike", dtype: "DTypeLike | None" = None) -> int:
        """Write the bytes of `values` in C order and return how many; grows if need be.

        `values`: an array, strided or not, or what numpy makes one of. `dtype`: what to store them as, by default what
        they are. A number outside its range is refused, as by every other writer; floats round, and lose their
        fraction where integers are stored. Ownership: copies (TRANSFER), once, straight into place.
        Raises: OverflowError, TypeError (no such conversion, or objects), CapacityError, ReadOnlyError; nothing is
        written."""
        if type(values) is _ndarray:
            given: Any = values
            wanted = None if dtype is None else _kind_of(dtype)
            have = type(given.dtype)
            if have in _PLAIN and (wanted is None or type(wanted) is have):
                return self._write_alike(given, wanted)
        array, kind = source_array(values, dtype)
        _remember(kind)
        self._check_writable()
        check_values(array, kind)
        n = as_size(array.size * kind.itemsize)
        self._make_room(n)
        if n:
            self._place(array, kind, n)
            self._writer += n
        return n

    def _write_alike(self, array: Any, wanted: Any) -> int:
        """Write an array of plain numbers whose kind is the one wanted, but for the byte order: any value fits."""
        if wanted is None and array.flags.c_contiguous:
            return self._from_source(0, as_source(array), None, None, True)
        self._check_writable()
        n = as_size(array.nbytes)
        self._make_room(n)
        if n:
            self._place(array, array.dtype if wanted is None else wanted, n)
            self._writer += n
        return n

    def _make_room(self, n: int) -> None:
        """Make room for `n` bytes at the writer index, none of them read-only."""
        self._ensure(n)
        self._check_span_writable(self._writer, n)

    def _place(self, array: Any, kind: Any, n: int) -> None:
        """Put the `n` bytes of `array`, as `kind`, at the writer index, where there is room for them."""
        at = self._writer
        self._seek_writable(at)
        if n <= self._hi - at:
            charge(TRANSFER, n)
            store(array, self._array(kind, at, n, False))
        else:
            self._copy_from_source(at, as_source(stored(array, kind)), 0, n)

    def _array(self, kind: Any, start: int, n: int, gather: bool) -> Any:
        """Return an array on the `n` bytes at `start`, which are checked, and as many as whole items have."""
        if n == 0:
            return _frombuffer(lend(EMPTY, 0, 0, self._read_only), kind, 0)
        self._seek(start)
        if n > self._hi - start:
            if not gather:
                raise BufferError("the items lie in several components; read_array gathers them")
            return self._copied(kind, start, n, GATHER, self._read_only)
        return _frombuffer(lend(self._memory, start + self._shift, n, self._exports_read_only()), kind)

    def _copied(self, kind: Any, start: int, n: int, reason: int, read_only: bool) -> Any:
        """Return an array on a fresh block with a copy of the checked bytes."""
        memory = self._lease(n)
        charge(reason, n)
        self._spill(start, n, memory.base, 0)
        return _frombuffer(lend(memory, 0, n, read_only), kind)

    def _spill(self, index: int, n: int, base: memoryview, to: int) -> None:
        """Copy the checked range, unbilled, to the offset `to` of memory nobody else has seen yet."""
        while n:
            self._seek(index)
            k = min(n, self._hi - index)
            if k < 1:
                raise torn()
            copy(base, to, self._base, index + self._shift, k)
            to += k
            index += k
            n -= k

    # The protocols.

    def __array__(self, dtype: "DTypeLike | None" = None, copy: bool | None = None) -> "ndarray[Any, Any]":
        """Return the readable bytes as an array of uint8: on the buffer's own bytes if they lie in one piece.

        Across components, and with `copy`, on a copy (GATHER, COPY); with another `dtype` the numbers are converted.
        Raises: ValueError where only a copy would do and `copy` is False. Source: numpy's protocol."""
        wanted = None if dtype is None else numpy().dtype(dtype)
        array = self._bytes_array(copy)
        if wanted is None or wanted == array.dtype:
            return array
        if copy is not None and not copy:
            raise ValueError(f"bytes cannot be seen as {wanted} without a copy")
        converted: ndarray[Any, Any] = array.astype(wanted)
        return converted

    def __dlpack__(
        self,
        *,
        stream: object = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> Any:
        """Return a DLPack capsule with the readable bytes as uint8.

        Ownership: shares: the capsule holds the block. Raises: BufferError if they lie in several components (unless
        `copy`), for any device but the CPU, and for read-only bytes where the consumer knows no way to hear of that
        (`max_version` below 1.0). Source: the array API standard."""
        if dl_device is not None and tuple(dl_device) != (CPU, 0):
            self._check_live()
            raise BufferError(f"the bytes are in the CPU's memory, and are not moved to device {dl_device}")
        array: Any = self._bytes_array(copy) if copy else self.as_array()
        if max_version is None:
            return array.__dlpack__(stream=stream)
        try:
            return array.__dlpack__(stream=stream, max_version=max_version)
        except TypeError:  # a numpy before 2.1 has no versions
            return array.__dlpack__(stream=stream)

    def __dlpack_device__(self) -> tuple[int, int]:
        """Return that the bytes are in the CPU's memory: (1, 0)."""
        self._check_live()
        return CPU, 0

    def _bytes_array(self, copy: object) -> "ndarray[Any, Any]":
        kind = _kind_of("u1")
        self._check_live()
        start = self._reader
        n = self._writer - start
        array: ndarray[Any, Any]
        if n:
            self._seek(start)
        apart = n > 0 and n > self._hi - start
        if apart and copy is not None and not copy:
            raise ValueError("the bytes lie in several components: an array of them is a copy")
        if n and copy:
            array = self._copied(kind, start, n, GATHER if apart else COPY, False)
        else:
            array = self._array(kind, start, n, True)
        return array


_frombuffer: Any = None  # numpy's, from the first array on
_ndarray: Any = None
_PLAIN: set[type] = set()  # the classes of dtypes that are numbers: nothing about them has to be checked
_NAMED: dict[str, Any] = {}


def _kind_of(dtype: "DTypeLike") -> Any:
    """Return what kind of items is meant, with a size and without objects. May run foreign code."""
    if type(dtype) in _PLAIN:
        return dtype
    return _other_kind_of(dtype)


def _other_kind_of(dtype: "DTypeLike") -> Any:
    kind: Any = _NAMED.get(dtype) if type(dtype) is str else None
    if kind is not None:
        return kind
    kind = as_kind(dtype)
    if _remember(kind) and type(dtype) is str:
        if len(_NAMED) >= MOST_NAMES:
            _NAMED.clear()
        _NAMED[dtype] = kind
    return kind


def _remember(kind: Any) -> bool:
    """Note the class of a dtype if it is one of plain numbers, and return whether it is."""
    global _frombuffer, _ndarray
    if _ndarray is None:
        module = numpy()
        _frombuffer = module.frombuffer
        _ndarray = module.ndarray
    if kind.kind in NUMBERS and 0 <= kind.num < OF_USERS:
        _PLAIN.add(type(kind))
        return True
    return False


def _whole_items(count: int, size: int, available: int) -> int:
    """Return how many items of `size` bytes to take of those available; -1: all that are whole."""
    if count == -1:
        return available // size
    if count < 0:
        raise ValueError(f"count must be -1 or more, not {count}")
    if count > available // size:
        raise _too_many(count, size, available)
    return count


def _too_many(count: int, size: int, available: int) -> BoundsError:
    n = count * size  # of Python's integers: it may exceed 64 bits
    return BoundsError(
        f"{count} items of {size} bytes asked for, {available} bytes there", requested=n, available=available
    )
