"""Several threads on one handle, which is not promised: whatever comes of it, the process lives and every call ends.

Owns    FAULTS 36.
Never   what such a call returns: nobody could say what it should be.
Always  errors are orderly, in the compiled form; no call hangs, in either; other handles on the block are untouched."""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contracts._kit import WRITABLE_NAMES
from zbuf import ByteBuf, _form, wrap
from zbuf.errors import ZbufError
from zbuf.testing._shapes import shape as build

DATA = bytes(range(64))
SECONDS = 0.25
ORDERLY = (ZbufError, ValueError, TypeError, OverflowError, BufferError)

READS: tuple[Callable[[ByteBuf], Any], ...] = (
    lambda b: b.get_int(3),
    lambda b: b.read_short(),
    lambda b: b.get_bytes(0, 40),
    lambda b: bytes(b),
    lambda b: b.slice(1, 30).read_long(),
    lambda b: b.find(b"\x07\x08"),
    lambda b: b.find_any(b"\xff\x30"),
    lambda b: b.copy(),
    lambda b: b.readable_views(),
    lambda b: b == DATA,
    lambda b: b.to_string("latin-1"),
    lambda b: list(b),
    lambda b: b.get_bytes_into(2, bytearray(20)),
    lambda b: b.count(b"\x01"),
)
CHANGES: tuple[Callable[[ByteBuf], Any], ...] = (
    lambda b: b.clear(),
    lambda b: b.set_index(0, b.capacity),
    lambda b: b.write_bytes(DATA),
    lambda b: b.write_int(1),
    lambda b: b.set_zero(0, 20),
    lambda b: b.set_capacity(8),
    lambda b: b.set_capacity(64),
    lambda b: b.compact(),
    lambda b: b.discard_read_bytes(),
    lambda b: b.split(1),
    lambda b: b.ensure_writable(200),
    lambda b: b.append(b"more") if hasattr(b, "append") else None,
    lambda b: b.consolidate() if hasattr(b, "consolidate") else None,
    lambda b: b.pop_component(0) if hasattr(b, "append") else None,
)


@pytest.fixture(autouse=True)
def switch_often() -> Iterator[None]:
    """Let CPython switch threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def hammer(calls: tuple[Callable[[ByteBuf], Any], ...], box: list[ByteBuf], until: float, strange: list[Any]) -> None:
    """Make random calls on what lies in the box until the time is up."""
    rng = random.Random(threading.get_ident())
    while time.monotonic() < until:
        try:
            rng.choice(calls)(box[0])
        except ORDERLY:
            continue
        except Exception as exc:  # collected: in the compiled form there must be none
            strange.append(repr(exc))


@pytest.mark.parametrize("name", WRITABLE_NAMES, ids=lambda name: name.replace(" ", "-"))
def test_f36_threads_on_one_handle_crash_nothing_and_hang_nowhere(name: str) -> None:
    """Two read, one changes, one releases and puts a new buffer in its place."""
    store = bytearray(DATA)
    other = wrap(store)
    box = [build(name, DATA)]
    until = time.monotonic() + SECONDS
    strange: list[Any] = []

    def replace() -> None:
        while time.monotonic() < until:
            old, box[0] = box[0], build(name, DATA)
            old.release()

    threads = [
        threading.Thread(target=hammer, args=(READS, box, until, strange)),
        threading.Thread(target=hammer, args=(READS, box, until, strange)),
        threading.Thread(target=hammer, args=(CHANGES, box, until, strange)),
        threading.Thread(target=replace),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(8)
        assert not thread.is_alive(), "a call does not end"
    if _form.form() == "compiled":
        assert strange == []
        box[0]._check()
    assert bytes(other) == store == DATA
