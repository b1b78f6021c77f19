"""What the processes of test_processes.py run: importable by name, as `spawn` wants it.

Owns    the work of the other side: attach, load, compute, change.
Never   an assertion: it returns what it found.
Always  it lets go of a segment before it ends."""

from __future__ import annotations

import pickle
from multiprocessing import shared_memory
from typing import Any

import zbuf


def load(stream: bytes, segment: shared_memory.SharedMemory, cuts: list[tuple[int, int]]) -> zbuf.ByteBuf:
    """Rebuild the buffer of a stream around its parts in the segment."""
    views = [segment.buf[at : at + n] for at, n in cuts]
    buf = pickle.loads(stream, buffers=views)
    assert isinstance(buf, zbuf.ByteBuf)
    return buf


def double(stream: bytes, name: str, cuts: list[tuple[int, int]]) -> tuple[str, int, list[int], int]:
    """Double every big-endian uint32 of the buffer, in place, in memory that the parent sees too."""
    segment = shared_memory.SharedMemory(name)
    buf = load(stream, segment, cuts)
    array: Any = buf.as_array(">u4")
    total = int(array.sum())
    array *= 2
    found = (zbuf._form.form(), buf.readable_bytes, [int(x) for x in array[:3]], total)
    del array
    buf.release()
    segment.close()
    return found


def joined(stream: bytes, name: str, cuts: list[tuple[int, int]]) -> tuple[bytes, int, bool]:
    """Read the buffer as it lies, component by component."""
    segment = shared_memory.SharedMemory(name)
    buf = load(stream, segment, cuts)
    found = (bytes(buf), len(buf.readable_views()), buf.is_read_only)
    buf.release()
    segment.close()
    return found


def closing_too_early(stream: bytes, name: str, cuts: list[tuple[int, int]]) -> str:
    """Try to close the segment while a buffer lives on it."""
    segment = shared_memory.SharedMemory(name)
    buf = load(stream, segment, cuts)
    try:
        segment.close()
        outcome = "closed"
    except BufferError:
        outcome = "BufferError"
    buf.release()
    segment.close()
    return outcome


def measured(buf: zbuf.ByteBuf) -> tuple[str, int, bool]:
    """Take a buffer in band, as a plain argument, and send one back."""
    return type(buf).__name__, buf.readable_bytes, buf.is_read_only


def reversed_copy(buf: zbuf.ByteBuf) -> zbuf.ByteBuf:
    """Return another buffer, by pickle."""
    made = zbuf.buffer()
    made.write_array(buf.as_array()[::-1])
    return made
