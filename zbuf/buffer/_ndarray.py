"""What numpy is asked: kinds of items, conversions and their range, DLPack.

Owns    the import of numpy, at first use; what may be stored as what.
Never   a buffer, an index, an address: it sees arrays and memoryviews.
Always  a value is stored as it is, or rounded as floats are, or refused: no bits are dropped in silence (V1).
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy import dtype, ndarray
    from numpy.typing import ArrayLike, DTypeLike

__all__ = ["as_kind", "check_values", "from_dlpack", "numpy", "source_array", "store", "stored"]

CPU = 1  # kDLCPU, https://dmlc.github.io/dlpack/latest/c_api.html

_numpy: Any = None


def numpy() -> Any:
    """Return the module. Raises: ImportError where it is not installed."""
    global _numpy
    if _numpy is None:
        try:
            _numpy = importlib.import_module("numpy")
        except ImportError as exc:
            raise ImportError("arrays need numpy: pip install 'zbuf[numpy]'") from exc
    return _numpy


def as_kind(given: "DTypeLike") -> "dtype[Any]":
    """Return what kind of items is meant. Raises: TypeError (no dtype, or one of Python objects), ValueError (no size).

    An object's `dtype` attribute may be foreign code."""
    if given is None:
        raise TypeError("a dtype is wanted, not None")  # numpy would take it for float64
    kind: dtype[Any] = numpy().dtype(given)
    if kind.hasobject:
        raise TypeError(f"items of dtype {kind} are references to Python objects, not bytes")
    if kind.itemsize == 0:
        raise ValueError(f"items of dtype {kind} have no size")
    return kind


def source_array(values: "ArrayLike", given: "DTypeLike | None") -> "tuple[ndarray[Any, Any], dtype[Any]]":
    """Return `values` as an array, with the kind to store them as. Converts as little as it can; may run foreign code.

    Raises: TypeError where there is no conversion, ValueError (values of no array, or of no size), OverflowError."""
    np = numpy()
    if given is None:
        array = np.asarray(values)
        return array, as_kind(array.dtype) if array.size else array.dtype
    kind = as_kind(given)
    shape = ()
    if kind.subdtype is not None:
        kind, shape = kind.subdtype
    array = np.asarray(values, kind if _needs_kind(values, kind) else None)
    if array.dtype.hasobject:  # integers of more than 64 bits, or what only numpy can make sense of
        array = np.asarray(values, kind)
    if shape and array.shape[-len(shape) :] != shape:
        raise ValueError(f"items of shape {shape} cannot be made of an array of shape {array.shape}")
    if array.size and not _convertible(array.dtype, kind):
        raise TypeError(f"values of dtype {array.dtype} cannot be stored as {kind}")
    return array, kind


def _needs_kind(values: "ArrayLike", kind: "dtype[Any]") -> bool:
    """Return whether the values say nothing without the kind: tuples of a structure, texts of a date."""
    return not hasattr(values, "dtype") and kind.kind not in "biufc"


def _convertible(have: "dtype[Any]", want: "dtype[Any]") -> bool:
    if numpy().can_cast(have, want, "safe"):
        return True
    if have.kind == "c":
        return want.kind == "c"
    return have.kind in "biuf" and want.kind in "biufc"


def check_values(array: "ndarray[Any, Any]", kind: "dtype[Any]") -> None:
    """Check that every number is within the range of `kind`; only where its dtype does not say so by itself.

    Floats become integers as int() makes them. Cost: a pass over the values, none where the conversion is safe.
    Raises: OverflowError."""
    np = numpy()
    if array.size == 0 or kind.kind == "b" or np.can_cast(array.dtype, kind, "safe"):
        return
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        try:
            fits = int(array.min()) >= limits.min and int(array.max()) <= limits.max
        except (ValueError, OverflowError):  # NaN, infinity
            fits = False
        if not fits:
            raise _outside(kind, limits.min, limits.max)
        return
    limits = np.finfo(kind)
    for part in (array.real, array.imag) if array.dtype.kind == "c" else (array,):
        if not _rounds_to_finite(part, limits):
            raise _outside(kind, limits.min, limits.max)


def _rounds_to_finite(part: "ndarray[Any, Any]", limits: Any) -> bool:
    """Return whether no finite value becomes infinite in floats of these limits."""
    np = numpy()
    one = (part.dtype if part.dtype.kind == "f" else np.dtype("f8")).type(1)
    # Half a unit above the largest value: from there on numbers round to infinity.
    edge = np.ldexp(one, int(limits.maxexp)) - np.ldexp(one, int(limits.maxexp) - int(limits.nmant) - 2)
    if -edge < part.min() and part.max() < edge:  # False also where one of them is NaN
        return True
    if part.dtype.kind != "f":
        return False
    with np.errstate(all="ignore"):
        return bool(np.all((abs(part) < edge) | ~np.isfinite(part)))


def _outside(kind: "dtype[Any]", low: object, high: object) -> OverflowError:
    return OverflowError(f"a value is outside {low}..{high}, the range of dtype {kind}")


def stored(array: "ndarray[Any, Any]", kind: "dtype[Any]") -> Any:
    """Return the bytes to store, in C order, as an array of bytes: the array's own where they lie like that."""
    if array.dtype != kind or not array.flags.c_contiguous:
        converted = numpy().zeros(array.size, kind)  # what pads a structure is zero, not what lay there
        _convert(array, converted)
        array = converted
    return array.reshape(-1).view("u1")


def store(array: "ndarray[Any, Any]", target: "ndarray[Any, Any]") -> None:
    """Convert `array`, in C order, straight into the items of `target`, as many as it has."""
    if target.dtype.names is not None:
        target.view("u1")[...] = 0  # what pads a structure is zero, not what lay there
    _convert(array, target)


def _convert(array: "ndarray[Any, Any]", target: "ndarray[Any, Any]") -> None:
    if array.ndim != 1:
        target = target.reshape(array.shape)
    if type(array.dtype) is type(target.dtype):  # at most the byte order differs
        target[...] = array
        return
    with numpy().errstate(all="ignore"):  # numbers round in silence, whatever numpy was told elsewhere
        target[...] = array


def from_dlpack(obj: Any) -> "ndarray[Any, Any]":
    """Return an array on the memory of an object that has `__dlpack__`.

    Raises: BufferError (memory of a device, or items that numpy does not know), ImportError (no numpy)."""
    device, number = obj.__dlpack_device__()
    if device != CPU:
        raise BufferError(
            f"the memory is on DLPack device ({int(device)}, {int(number)}): only the CPU's can be shared"
        )
    np = numpy()
    try:
        array: ndarray[Any, Any] = np.from_dlpack(obj)
    except RuntimeError as exc:
        raise BufferError(str(exc)) from exc
    return array
