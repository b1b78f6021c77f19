"""An Arrow table out of a received frame: its columns lie in the buffer's own memory."""

import pyarrow as pa

import zbuf
from zbuf.audit import audit


def received() -> zbuf.ByteBuf:
    """A frame as a peer sends it: four bytes of length, then a stream of record batches."""
    batch = pa.record_batch({"city": ["Bern", "Oslo", "Wien"], "degrees": pa.array([21.5, 14.0, 24.5])})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    frame = zbuf.buffer()
    frame.write_int(sink.tell())
    frame.write_bytes(sink.getvalue())
    return frame


frame = received()
with audit() as reading:
    body = frame.read_slice(frame.read_int())
    start = pa.py_buffer(body.view()).address
    table = pa.ipc.open_stream(pa.py_buffer(body.view())).read_all()
frame.release()
body.release()
degrees = table.column("degrees").chunk(0)
inside = start <= degrees.buffers()[1].address < start + 4096
print(f"{table.num_rows} rows, {reading.bill.user_bytes} bytes copied, the numbers lie in the frame: {inside}")
print(f"still there without frame and body: {table.to_pydict()}")

wrapped = zbuf.wrap(degrees)  # an array of Arrow has no buffer, but it speaks DLPack
print(f"and back: {wrapped.read_double_le()} degrees, read-only: {wrapped.is_read_only}")
