"""A buffer worked on by another process, in shared memory: pickle carries everything but the bytes."""

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.shared_memory import SharedMemory

import numpy as np

import zbuf


def square(stream: bytes, name: str, n: int) -> int:
    """Run in the other process: square every number where it lies."""
    memory = SharedMemory(name)
    assert memory.buf is not None  # it is while the memory is open
    buf = pickle.loads(stream, buffers=[memory.buf[:n]])
    numbers = buf.as_array("<u4")
    numbers **= 2
    total = int(numbers.sum())
    del numbers  # the array holds the memory, and so does the buffer:
    buf.release()
    memory.close()  # this would raise BufferError before
    return total


def main() -> None:
    buf = zbuf.buffer()
    buf.write_array(np.arange(1000), "<u4")
    parts: list[pickle.PickleBuffer] = []
    stream = pickle.dumps(buf, protocol=5, buffer_callback=parts.append)
    size = "less" if len(stream) < 100 else "more"
    print(f"{buf.readable_bytes} bytes out of band in {len(parts)} part; the pickle itself has {size} than 100")

    memory = SharedMemory(create=True, size=buf.readable_bytes)
    assert memory.buf is not None
    shared = zbuf.wrap(memory.buf[: buf.readable_bytes], on_release=memory.close)
    shared.set_bytes(0, parts[0].raw())
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        total = pool.submit(square, stream, memory.name, buf.readable_bytes).result()
    print(f"the other process says {total}; here the last number is {shared.get_unsigned_int_le(4 * 999)}")
    shared.release()  # the last holder: on_release closes the memory
    memory.unlink()


if __name__ == "__main__":
    main()
