"""Buffers between processes: pickled in band as arguments, and out of band through shared memory.

Owns    BEHAVIOURS 125 where it matters: one process pool, one segment, no byte of payload in a pipe.
Never   what pickles hold otherwise: test_pickle.py.
Always  the other process is spawned, so it imports everything anew; no segment is left behind."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import shared_memory

import pytest

from tests.interop import _worker
from zbuf import ByteBuf, _form, copied, wrap
from zbuf.audit import audit

np = pytest.importorskip("numpy")
pytest.importorskip("_posixshmem", reason="this Python has no shared memory")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    """One spawned process for all tests here."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        executor.submit(len, ()).result(60)
        yield executor


@pytest.fixture(autouse=True)
def _started(pool: ProcessPoolExecutor) -> None:
    """Ask for the pool before the leak check counts: its pipes live as long as the module."""


@contextmanager
def placed(buf: ByteBuf) -> Iterator[tuple[bytes, shared_memory.SharedMemory, list[tuple[int, int]]]]:
    """Pickle a buffer with its parts in a segment of shared memory: stream, segment, where the parts lie."""
    parts: list[pickle.PickleBuffer] = []
    stream = pickle.dumps(buf, 5, buffer_callback=parts.append)
    segment = shared_memory.SharedMemory(create=True, size=max(1, buf.readable_bytes))
    try:
        cuts = []
        at = 0
        for part in parts:
            raw = part.raw()
            segment.buf[at : at + raw.nbytes] = raw
            cuts.append((at, raw.nbytes))
            at += raw.nbytes
        yield stream, segment, cuts
    finally:
        segment.close()
        segment.unlink()


def test_b125_a_pool_of_processes_computes_in_shared_memory(pool: ProcessPoolExecutor) -> None:
    """The child's array is the parent's memory: what it changes is seen here, and the stream holds no payload."""
    numbers = np.arange(250_000, dtype=">u4")
    buf = wrap(bytearray(numbers.tobytes()))
    with placed(buf) as (stream, segment, cuts):
        assert len(stream) < 100
        seen = wrap(segment.buf[: buf.readable_bytes])
        array = seen.as_array(">u4")
        with audit() as opened:
            form, n, first, total = pool.submit(_worker.double, stream, segment.name, cuts).result(60)
        assert opened.bill.user == {}
        assert (form, n, first, total) == (_form.form(), numbers.nbytes, [0, 2, 4], int(numbers.sum()))
        assert np.array_equal(array, numbers * 2)
        del array
        seen.release()


def test_b125_every_component_arrives_as_one(pool: ProcessPoolExecutor) -> None:
    """A composite is rebuilt of as many parts, in order; read-only ones stay read-only."""
    parts = [bytes([65 + k]) * (k + 1) for k in range(20)]
    for buf, read_only in ((wrap(*parts), True), (wrap(*map(bytearray, parts)), False)):
        with placed(buf) as (stream, segment, cuts):
            result = pool.submit(_worker.joined, stream, segment.name, cuts).result(60)
        assert result == (b"".join(parts), 20, read_only)


def test_b128_a_segment_is_not_closed_under_a_buffer(pool: ProcessPoolExecutor) -> None:
    """BufferError in the process that tries; after the release it closes."""
    with placed(copied(b"payload")) as (stream, segment, cuts):
        outcome = pool.submit(_worker.closing_too_early, stream, segment.name, cuts).result(60)
    assert outcome == "BufferError"


def test_b126_buffers_are_arguments_and_results(pool: ProcessPoolExecutor) -> None:
    """The executor pickles them in band, with the protocol it likes."""
    writable, frozen = copied(b"abc"), wrap(b"\1\2\3\4")
    assert pool.submit(_worker.measured, writable).result(60) == ("WrappedByteBuf", 3, False)
    assert pool.submit(_worker.measured, frozen).result(60) == ("WrappedByteBuf", 4, True)
    assert bytes(pool.submit(_worker.reversed_copy, frozen).result(60)) == b"\4\3\2\1"
