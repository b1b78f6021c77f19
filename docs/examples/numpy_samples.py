"""Samples off the wire as an array of numpy, looked at where they lie; and an array on its way to the wire."""

import numpy as np

import zbuf
from zbuf.audit import audit

COUNT = 250_000


def received() -> zbuf.ByteBuf:
    """A frame as a peer sends it: how many samples, then the samples, all in network order."""
    frame = zbuf.buffer()
    frame.write_int(COUNT)
    frame.write_array(np.arange(COUNT, dtype=np.int32), ">i4")
    return frame


frame = received()
with audit() as reading:
    samples = frame.read_array(">i4", frame.read_int())
    loudest = int(samples.max())
    frame.release()
print(f"{samples.size} samples, the loudest is {loudest}; copied to look at them: {reading.bill.user_bytes} bytes")
print(f"the array holds the memory that the buffer let go: {int(samples[1000])}")

reply = zbuf.buffer(4 * COUNT)
with audit() as writing:
    written = reply.write_array(samples[::10], "<i2" if loudest < 2**15 else "<i4")
print(f"every tenth of them written in the other order: {written} bytes, copied: {writing.bill.user_bytes} bytes")

try:
    reply.write_array([70_000], "<i2")
except OverflowError as error:
    print(f"refused: {error}")
