"""Everything that can become a component, by name.

Owns    KINDS: makers of parts from bytes; every shape of buffer, and every kind of object that has bytes.
Never   an expectation: the composite tests have those.
Always  what a maker returns reads as the bytes it was given, which number at least 4 and divide by 4."""

from __future__ import annotations

import array
import ctypes
import mmap
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from tests.buffer.test_composite import of
from zbuf import ByteBuf, copied, wrap
from zbuf.testing._shapes import SHAPE_NAMES, shape

Maker = Callable[[bytes], Any]


def _mapped(data: bytes) -> mmap.mmap:
    mapped = mmap.mmap(-1, len(data))
    mapped[:] = data
    return mapped


def _numpy(kind: str) -> Maker:
    def make(data: bytes) -> Any:
        numpy = pytest.importorskip("numpy")
        return numpy.frombuffer(bytearray(data), kind)

    return make


def _grid(data: bytes) -> Any:
    numpy = pytest.importorskip("numpy")
    return numpy.frombuffer(data, "u1").reshape(2, -1)


def _retained(data: bytes) -> ByteBuf:
    return copied(data).retain()


def _nested(data: bytes) -> ByteBuf:
    inner = of(data[:1], data[1:2])
    inner.append(of(data[2:3], data[3:]))
    return inner


OBJECTS: dict[str, Maker] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": lambda data: memoryview(b"x" + data + b"x")[1:-1],
    "memoryview of ints": lambda data: memoryview(data).cast("I"),
    "array.array": lambda data: array.array("I", data),
    "ctypes array": lambda data: (ctypes.c_ubyte * len(data))(*data),
    "mmap": _mapped,
    "numpy u1": _numpy("u1"),
    "numpy >u4": _numpy(">u4"),
    "numpy grid": _grid,
}
BUFFERS: dict[str, Maker] = {
    **{name: partial(shape, name) for name in SHAPE_NAMES},
    "wrapped mmap": lambda data: wrap(_mapped(data)),
    "wrapped numpy": lambda data: wrap(_numpy("u1")(data)),
    "read-only slice": lambda data: copied(b"x" + data).slice(1, len(data)).as_read_only(),
    "retained": _retained,
    "nested composite": _nested,
    "read-only composite": lambda data: wrap(data[:2], copied(data[2:]), read_only=True),
}
KINDS: dict[str, Maker] = {**OBJECTS, **BUFFERS}

each_kind = pytest.mark.parametrize("kind", [pytest.param(make, id=n.replace(" ", "-")) for n, make in KINDS.items()])
each_buffer = pytest.mark.parametrize(
    "kind", [pytest.param(make, id=n.replace(" ", "-")) for n, make in BUFFERS.items()]
)
