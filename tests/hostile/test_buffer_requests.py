"""The C buffer protocol, asked with every combination of flags that a consumer may use.

Owns    FAULTS 27.
Never   what Python's own consumers ask for: they ask for little.
Always  an answer has all fields that were requested, and NULL only where the protocol allows it."""

from __future__ import annotations

import ctypes
import itertools

import pytest

from tests.contracts._kit import CONTIGUOUS_NAMES, names
from zbuf import ByteBuf, _form
from zbuf.testing._shapes import shape as build

DATA = b"requests"
SIMPLE, WRITABLE, FORMAT, ND, STRIDES, INDIRECT = 0, 1, 4, 8, 0x10 | 8, 0x100 | 0x10 | 8
C_CONTIGUOUS, F_CONTIGUOUS, ANY_CONTIGUOUS = 0x20 | STRIDES, 0x40 | STRIDES, 0x80 | STRIDES
SHAPES = (SIMPLE, ND, STRIDES, INDIRECT, C_CONTIGUOUS, F_CONTIGUOUS, ANY_CONTIGUOUS)


class PyBuffer(ctypes.Structure):
    """Py_buffer."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.py_object),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    )


get_buffer = ctypes.pythonapi.PyObject_GetBuffer
get_buffer.argtypes = (ctypes.py_object, ctypes.POINTER(PyBuffer), ctypes.c_int)
get_buffer.restype = ctypes.c_int
release_buffer = ctypes.pythonapi.PyBuffer_Release
release_buffer.argtypes = (ctypes.POINTER(PyBuffer),)
release_buffer.restype = None


@pytest.mark.skipif(not _form.EXPORTS_BUFFERS, reason="before 3.12 the interpreted form exports through view() only")
@pytest.mark.parametrize("shape", names(CONTIGUOUS_NAMES))
def test_f27_every_request_is_answered_in_full_or_refused(shape: object) -> None:
    """Length, item size, format, shape and strides as asked; a writable request of read-only bytes is BufferError."""
    buf: ByteBuf = shape(DATA)
    for layout, writable, with_format in itertools.product(SHAPES, (0, WRITABLE), (0, FORMAT)):
        if with_format and not layout & ND:
            continue  # CPython's own views refuse a format without dimensions, ours may answer
        answer = PyBuffer()
        if writable and buf.is_read_only:
            with pytest.raises(BufferError):
                get_buffer(buf, ctypes.byref(answer), layout | writable | with_format)
            continue
        assert get_buffer(buf, ctypes.byref(answer), layout | writable | with_format) == 0
        assert ctypes.string_at(answer.buf, answer.len) == DATA
        assert (answer.itemsize, answer.ndim, bool(answer.readonly)) == (1, 1, buf.is_read_only)
        assert answer.format == (b"B" if with_format else None)
        assert not answer.suboffsets
        if layout & ND:
            assert answer.shape[0] == len(DATA)
        if layout & 0x10:
            assert answer.strides[0] == 1
        release_buffer(ctypes.byref(answer))
    assert not buf.is_shared or "wrapped" in type(buf).__name__.lower()


@pytest.mark.skipif(not _form.EXPORTS_BUFFERS, reason="before 3.12 the interpreted form exports through view() only")
def test_f27_an_empty_buffer_answers_too() -> None:
    """Length 0 is a legal answer; nothing is read."""
    for name in CONTIGUOUS_NAMES:
        buf = build(name, b"")
        assert memoryview(buf).nbytes == 0
        assert bytes(memoryview(buf)) == b""
