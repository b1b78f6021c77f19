"""The load generator in Python, for machines without a C compiler; same arguments and answers as `_load.c`.

Owns    the client side of the echo measurements.
Never   the server. Its own CPU is the limit far earlier than the C program's: read the server's CPU, not the rate.
Always  whatever was sent is awaited before a phase ends; a wrong byte or a closed connection ends the run with 1."""

from __future__ import annotations

import json
import select
import sys
import time

from benchmarks import _pin, _sockets

READ_SIZE = 256 * 1024


class _Connection:
    def __init__(self, port: int) -> None:
        self.sock = _sockets.dial(port)
        self.sock.setblocking(False)
        self.at = self.out_at = self.unsent = self.in_flight = 0


class Load:
    """Some connections, one poller, one message repeated."""

    def __init__(self, port: int, connections: int, size: int, head: int) -> None:
        body = bytes(ord("a") + at % 26 for at in range(size))
        frame = size.to_bytes(4, "big")[:head] + body
        self._frame_size = len(frame)
        self._pattern = memoryview(frame * (READ_SIZE // len(frame) + 2))
        self._incoming = memoryview(bytearray(READ_SIZE))
        self._poller = select.epoll()
        self._all = {one.sock.fileno(): one for one in (_Connection(port) for _ in range(connections))}
        for descriptor in self._all:
            self._poller.register(descriptor, select.EPOLLIN)
        self._stopping = False
        self.messages = 0

    def phase(self, depth: int, seconds: float) -> None:
        """Keep `depth` messages in flight on every connection for that long, then wait for what is still out."""
        end = time.monotonic() + seconds
        self._stopping = False
        for one in self._all.values():
            self._send_messages(one, depth)
        while time.monotonic() < end:
            self._turn()
        self._stopping = True
        limit = time.monotonic() + 10
        while any(one.in_flight for one in self._all.values()):
            if time.monotonic() > limit:
                raise TimeoutError("messages did not come back")
            self._turn()

    def close(self) -> None:
        """Close every connection and the poller."""
        self._poller.close()
        for one in self._all.values():
            one.sock.close()

    def _turn(self) -> None:
        for descriptor, events in self._poller.poll(0.01):
            one = self._all[descriptor]
            if events & select.EPOLLOUT:
                self._send_some(one)
            if events & ~select.EPOLLOUT:
                self._receive(one)

    def _receive(self, one: _Connection) -> None:
        try:
            n = one.sock.recv_into(self._incoming)
        except BlockingIOError:
            return
        if n == 0:
            raise ConnectionError("the server closed a connection")
        if self._incoming[:n] != self._pattern[one.at : one.at + n]:
            raise ValueError("wrong bytes came back")
        whole, one.at = divmod(one.at + n, self._frame_size)
        if whole > one.in_flight:
            raise ValueError("more came back than was sent")
        one.in_flight -= whole
        self.messages += whole
        if whole and not self._stopping:
            self._send_messages(one, whole)

    def _send_messages(self, one: _Connection, count: int) -> None:
        one.in_flight += count
        one.unsent += count * self._frame_size
        self._send_some(one)

    def _send_some(self, one: _Connection) -> None:
        while one.unsent:
            n = min(one.unsent, READ_SIZE)
            try:
                sent = one.sock.send(self._pattern[one.out_at : one.out_at + n])
            except BlockingIOError:
                self._poller.modify(one.sock, select.EPOLLIN | select.EPOLLOUT)
                return
            one.unsent -= sent
            one.out_at = (one.out_at + sent) % self._frame_size
        self._poller.modify(one.sock, select.EPOLLIN)


def main(arguments: list[str]) -> int:
    """Speak `_load.c`'s protocol on stdin and stdout."""
    port, connections, depth, size, head = map(int, arguments[:5])
    seconds, warm, cpu = float(arguments[5]), float(arguments[6]), int(arguments[7])
    _pin.pin(cpu if cpu >= 0 else None)
    load = Load(port, connections, size, head)
    load.phase(depth, warm)
    print("ready", flush=True)
    if not sys.stdin.readline():
        return 0
    load.messages = 0
    started, cpu_started = time.monotonic(), time.process_time()
    load.phase(depth, seconds)
    taken, cpu_taken = time.monotonic() - started, time.process_time() - cpu_started
    print(json.dumps({"messages": load.messages, "seconds": taken, "cpu": cpu_taken}), flush=True)
    sys.stdin.read()
    load.close()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError) as problem:
        print(f"load: {problem}", file=sys.stderr)
        sys.exit(1)
