"""Arrow and buffers, both ways, without a copy.

Owns    BEHAVIOURS 127 as far as Arrow goes.
Never   Arrow's own types beyond its Buffer and a plain array.
Always  addresses say that nothing was copied."""

from __future__ import annotations

import pytest

from tests.contracts._kit import Make, each_contiguous, fresh_pool
from zbuf import _form, buffer, copied, wrap
from zbuf.audit import audit
from zbuf.errors import ReadOnlyError

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
np = pytest.importorskip("numpy")

DATA = bytes(range(1, 24))


def address_of(buf: object) -> int:
    """Where numpy finds the first byte."""
    return int(np.asarray(buf).__array_interface__["data"][0])


@pytest.mark.skipif(not _form.EXPORTS_BUFFERS, reason="before 3.12 the interpreted form exports through view() only")
@each_contiguous
def test_b127_py_buffer_has_the_address_and_keeps_it_alive(shape: Make) -> None:
    """pyarrow.py_buffer(buf) looks at the readable bytes, mutable iff the buffer is, beyond its release."""
    buf = shape(DATA)
    with audit() as opened:
        arrow = pa.py_buffer(buf)
    assert opened.bill.user == {}
    assert (arrow.address, arrow.size, arrow.is_mutable) == (address_of(buf), len(DATA), not buf.is_read_only)
    buf.release()
    del buf
    assert arrow.to_pybytes() == DATA


@each_contiguous
def test_b127_view_is_the_way_in_every_form(shape: Make) -> None:
    """pyarrow.py_buffer(buf.view()): also where a handle exports nothing by itself."""
    buf = shape(DATA)
    arrow = pa.py_buffer(buf.view(buf.reader_index + 1, 4))
    assert (arrow.address, arrow.to_pybytes()) == (address_of(buf) + 1, DATA[1:5])
    buf.release()
    del buf
    assert arrow.to_pybytes() == DATA[1:5]


def test_b127_arrow_holds_the_block_and_gives_it_back() -> None:
    """The pool knows: while Arrow has it, it is live."""
    pool = fresh_pool()
    buf = pool.buffer(64)
    buf.write_bytes(DATA)
    arrow = pa.py_buffer(buf.view())
    buf.release()
    assert pool.statistics().live_blocks == 1
    del arrow
    assert pool.statistics().live_blocks == 0


def test_b127_several_components_are_several_buffers() -> None:
    """One of Arrow's each; the whole has no address."""
    buf = wrap(b"ab", b"cd")
    with pytest.raises((BufferError, TypeError)):
        pa.py_buffer(buf)
    assert [pa.py_buffer(view).to_pybytes() for view in buf.readable_views()] == [b"ab", b"cd"]


def test_b127_wrap_reads_an_arrow_buffer() -> None:
    """The same address; read-only unless Arrow allocated it to be written."""
    arrow = pa.py_buffer(DATA)
    buf = wrap(arrow)
    assert (bytes(buf), buf.is_read_only, address_of(buf)) == (DATA, True, arrow.address)
    with pytest.raises(ReadOnlyError):
        buf.set_byte(0, 1)
    del arrow
    assert bytes(buf.slice(1, 3)) == DATA[1:4]
    room = pa.allocate_buffer(16)
    buf = wrap(room)
    assert not buf.is_read_only
    buf.set_string(0, "to arrow")
    assert room.to_pybytes()[:8] == b"to arrow"


def test_b127_an_arrow_array_is_built_on_a_buffer() -> None:
    """Numbers that came off the wire in little-endian order are an Arrow array at once."""
    buf = buffer()
    buf.write_array([3, 1, 2], "<i4")
    arrow = pa.Array.from_buffers(pa.int32(), 3, [None, pa.py_buffer(buf.view())])
    assert arrow.to_pylist() == [3, 1, 2]
    assert arrow.buffers()[1].address == address_of(buf)


def test_b127_an_arrow_array_is_wrapped_by_dlpack() -> None:
    """It has no buffer of its own, but it speaks DLPack; its memory is immutable, and so is the wrap."""
    arrow = pa.array([1, 2, 3], pa.int64())
    buf = wrap(arrow)
    assert (buf.read_array("<i8").tolist(), buf.is_read_only) == ([1, 2, 3], True)
    del arrow
    assert buf.get_long_le(8) == 2


def test_b127_a_message_goes_through_arrow_without_a_copy() -> None:
    """A stream of record batches, read where the buffer has it."""
    batch = pa.record_batch({"x": pa.array([1, 2, 3], pa.int32())})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    buf = copied(b"frame" + sink.getvalue().to_pybytes())
    buf.skip_bytes(5)
    frame = buf.slice()
    buf.release()
    with audit() as opened:
        table = pa.ipc.open_stream(pa.py_buffer(frame.view())).read_all()
    assert opened.bill.user == {}
    assert table.to_pydict() == {"x": [1, 2, 3]}
    start = address_of(frame)
    assert start <= table.column("x").chunk(0).buffers()[1].address < start + frame.readable_bytes
