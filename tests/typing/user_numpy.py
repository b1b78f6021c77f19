"""Samples in NumPy arrays over buffers. Never run: see test_typing.

Owns    the types that a NumPy user sees.
Never   an error: what must be rejected stands in rejected.py.
Always  no cast, no ignore in the user's own code."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

import zbuf
from zbuf import ByteBuf


def samples(buf: ByteBuf, count: int) -> npt.NDArray[np.uint32]:
    """Take `count` samples in network order without a copy."""
    found: npt.NDArray[np.uint32] = np.frombuffer(buf.view(buf.reader_index, 4 * count), dtype=np.uint32)
    buf.skip_bytes(4 * count)
    return found


def store(buf: ByteBuf, values: npt.NDArray[np.float32]) -> None:
    """Write an array as bytes, by copy and by reference."""
    buf.write_bytes(values)
    whole = zbuf.wrap(values, bytearray(4))
    whole.release()


def mean(buf: ByteBuf) -> float:
    """A buffer is what frombuffer takes."""
    return float(np.frombuffer(buf, dtype=np.uint8).mean())
