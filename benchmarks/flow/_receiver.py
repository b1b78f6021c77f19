"""`python -m benchmarks.flow._receiver CPU`: the other end of a bulk transfer, in a process of its own.

Owns    asking a sender for its bytes, receiving them in one of two ways, the clock of the transfer.
Never   how they are sent.
Always  the sender hears when the last byte is here, so that both sides measure the same span.

A line `PORT MODE SIZE` on stdin makes one transfer: a byte "g" goes out, SIZE bytes come in, a byte "d" goes out.
MODE `discarding` throws the bytes away inside the kernel (MSG_TRUNC: what the sender alone costs), `copying` receives
them into one block (what an application gets). `listen` instead of a transfer opens a port, discards whatever arrives
there, connection after connection, and answers with the port first."""

from __future__ import annotations

import json
import resource
import socket
import sys
import time

from benchmarks import _pin, _sockets

BLOCK = 16 << 20  # past every cache: the copy ends in memory, as with a payload that is kept
MODES = {"discarding": socket.MSG_TRUNC, "copying": 0}


def _cpu() -> float:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime


def transfer(port: int, mode: str, size: int) -> dict[str, float]:
    """Fetch `size` bytes from `port`; return seconds and this side's CPU seconds."""
    flags = MODES[mode]
    block = memoryview(bytearray(BLOCK))
    with _sockets.dial(port) as sock:
        cpu, started, rest = _cpu(), time.monotonic(), size
        sock.sendall(b"g")
        while rest:
            n = sock.recv_into(block, min(rest, BLOCK), flags)
            if n == 0:
                raise ConnectionError(f"the sender stopped {rest} bytes early")
            rest -= n
        seconds, cpu = time.monotonic() - started, _cpu() - cpu
        sock.sendall(b"d")
        while sock.recv(1):  # until the sender has closed: nothing of this transfer runs into the next
            raise ConnectionError("the sender sent more than it was asked for")
    return {"seconds": seconds, "cpu": cpu}


def discard_forever() -> None:
    """Answer with a port and throw away what arrives there, until the process is ended."""
    block = bytearray(1 << 20)
    with _sockets.listener() as listening:
        print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
        while True:
            connection, _ = listening.accept()
            with connection:
                try:
                    while connection.recv_into(block, len(block), socket.MSG_TRUNC):
                        pass
                except ConnectionError:
                    continue


def main(arguments: list[str]) -> int:
    """Serve lines until stdin ends."""
    _pin.pin(int(arguments[0]) if int(arguments[0]) >= 0 else None)
    for line in sys.stdin:
        if line.strip() == "listen":
            discard_forever()
        port, mode, size = line.split()
        print(json.dumps(transfer(int(port), mode, int(size))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
