"""`python -m zbuf.cli._receiver MODE CPU`: the other end of a comparison, in a process of its own.

Owns    receiving in one of two ways, and the word that all is there.
Never   how it was sent, or any figure: the sender measures.
Always  a connection is answered with the number of bytes that came, so that the sender measures the whole transfer.

MODE `copy` receives into one block, as an application does; `discard` throws the bytes away in the kernel (MSG_TRUNC),
which shows what the sender alone costs.
"""

import os
import socket
import sys
import threading
from contextlib import suppress

__all__ = ["MODES", "main", "use_loopback_congestion_control"]

BLOCK = 1 << 20
MODES = {"copy": 0, "discard": socket.MSG_TRUNC}


def use_loopback_congestion_control(sock: socket.socket) -> None:
    """Take reno, where it may be chosen: bbr paces loopback in software and measures its own timer."""
    with suppress(OSError, AttributeError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")


def main(mode: str, cpu: int) -> None:
    """Print a port, then take connections one after the other until stdin ends, which ends the process."""
    threading.Thread(target=_end_with_stdin, daemon=True).start()  # sleeps in read(), and costs nothing
    if cpu >= 0:
        with suppress(OSError, AttributeError):
            os.sched_setaffinity(0, {cpu})
    block = memoryview(bytearray(BLOCK))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        use_loopback_congestion_control(listener)
        print(listener.getsockname()[1], flush=True)
        while True:
            sock, _ = listener.accept()
            with sock, suppress(ConnectionError):
                received = 0
                while n := sock.recv_into(block, BLOCK, MODES[mode]):
                    received += n
                sock.sendall(received.to_bytes(8, "big"))


def _end_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(sys.argv[1], int(sys.argv[2]))
