"""A socket that answers from a script, so that the kernel's rare answers become everyday ones.

Owns    the script, what was sent, and which events a channel on such a socket sees.
Never   a descriptor or the network; it has an event loop only for what the channel puts off to its next turn.
Always  answers are used up in order; afterwards receiving blocks and sending takes everything.
"""

import asyncio
import errno
import itertools
import os
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from zbuf._types import Buffer
from zbuf.transport import Channel, ChannelOptions
from zbuf.transport._poller import ERROR, HANGUP, READ, SILENT, WRITE, Poller, Watched
from zbuf.transport._server import make_channel

__all__ = ["ScriptedCall", "ScriptedSocket"]


class _Blocks:
    def __repr__(self) -> str:
        return "BLOCK"


BLOCK: Final = _Blocks()

Received: TypeAlias = bytes | int | BaseException | _Blocks
Taken: TypeAlias = int | BaseException | _Blocks | None

_descriptors = itertools.count(1_000_000)  # no real one is as large


class ScriptedCall(NamedTuple):
    """One call that the channel made: its name, how many bytes it offered or had room for, what came back, flags."""

    name: str
    nbytes: int
    result: int | str
    flags: int = 0


class ScriptedSocket:
    """Answers `recv_into`, `send`, `sendmsg` and sendfile from a script; `channel()` makes a channel over it.

    `recv`: bytes (as much as fits is delivered, the rest comes next), b"" for the end of input, BLOCK for "nothing
    there", an exception, or the number of an errno. `send`: how many bytes are taken at most, BLOCK, an exception, or
    None for "all"; for errors give an exception. `sendfile` likewise, where 0 is the file's end.

    >>> sock = ScriptedSocket(recv=[b"ab", BLOCK, b"c", b""], send=[1, BLOCK])
    """

    BLOCK = BLOCK

    def __init__(
        self, *, recv: Iterable[Received] = (), send: Iterable[Taken] = (), sendfile: Iterable[Taken] = ()
    ) -> None:
        self._recv: deque[Received] = deque(recv)
        self._send: deque[Taken] = deque(send)
        self._sendfile: deque[Taken] = deque(sendfile)
        self._fd = next(_descriptors)
        self.sent: bytearray = bytearray()
        self.calls: list[ScriptedCall] = []
        self.closed: int = 0
        self.shutdowns: list[int] = []
        self.error: int = 0
        self.poller: ScriptedPoller | None = None
        self._channel: Channel[Any, Any] | None = None

    # The script.

    def will_receive(self, *answers: Received) -> None:
        """Add answers for receiving."""
        self._recv.extend(answers)

    def will_take(self, *answers: Taken) -> None:
        """Add answers for sending."""
        self._send.extend(answers)

    # What a channel calls.

    def recv_into(self, target: Any, nbytes: int) -> int:
        """Deliver the next answer."""
        answer: Received = self._recv.popleft() if self._recv else BLOCK
        if isinstance(answer, bytes):
            with memoryview(target) as view:
                n = min(len(answer), nbytes)
                view[:n] = answer[:n]
            if n < len(answer):
                self._recv.appendleft(answer[n:])
            self.calls.append(ScriptedCall("recv", nbytes, n))
            return n
        raise self._failed("recv", nbytes, answer)

    def send(self, data: Buffer, flags: int = 0) -> int:
        """Take as much as the next answer says."""
        with memoryview(data) as view:
            return self._take("send", self._send, bytes(view), flags)

    def sendmsg(self, views: Iterable[Buffer], _ancillary: Iterable[object] = (), flags: int = 0) -> int:
        """Take as much as the next answer says."""
        return self._take("sendmsg", self._send, b"".join(bytes(view) for view in views), flags)

    def sendfile_from(self, source: int, offset: int, count: int) -> int:
        """Stand in for os.sendfile: read what the next answer takes from the file."""
        answer = self._sendfile[0] if self._sendfile else None
        take = min(count, answer) if isinstance(answer, int) else count
        return self._take("sendfile", self._sendfile, os.pread(source, take, offset), 0)

    def _take(self, name: str, script: deque[Taken], data: bytes, flags: int) -> int:
        answer = script.popleft() if script else None
        if answer is None or isinstance(answer, int):
            n = len(data) if answer is None else min(answer, len(data))
            self.sent += data[:n]
            self.calls.append(ScriptedCall(name, len(data), n, flags))
            return n
        raise self._failed(name, len(data), answer, flags)

    def _failed(self, name: str, nbytes: int, answer: object, flags: int = 0) -> BaseException:
        if isinstance(answer, BaseException):
            exc = answer
        else:
            number = answer if isinstance(answer, int) else errno.EAGAIN
            exc = OSError(number, os.strerror(number))
        self.calls.append(ScriptedCall(name, nbytes, type(exc).__name__, flags))
        return exc

    def shutdown(self, how: int) -> None:
        """Note it."""
        self.shutdowns.append(how)

    def getsockopt(self, _level: int, _name: int) -> int:
        """Return the pending error, once: the only option that channels read."""
        error, self.error = self.error, 0
        return error

    def setsockopt(self, _level: int, _name: int, _value: object) -> None:
        """Accept every option."""

    def getsockname(self) -> str:
        """Return a name."""
        return "scripted"

    getpeername = getsockname

    def fileno(self) -> int:
        """Return a number that no real descriptor has; -1 when closed."""
        return self._fd

    def close(self) -> None:
        """Note it; `closed` counts how often an open socket was closed."""
        if self._fd >= 0:
            self.closed += 1
            self._fd = -1

    def detach(self) -> int:
        """Give the descriptor away."""
        fd, self._fd = self._fd, -1
        return fd

    # A channel, and its events.

    def channel(
        self,
        init: Callable[[Channel[Any, Any]], object] | None = None,
        *,
        options: ChannelOptions | None = None,
        keeps_messages: bool = False,
        is_accepted: bool = True,
    ) -> Channel[Any, Any]:
        """Return a started channel over this socket, on the running loop."""
        self.poller = ScriptedPoller(asyncio.get_running_loop())
        sock: Any = self
        channel = make_channel(
            sock,
            self.poller,
            options or ChannelOptions(),
            "peer",
            keeps_messages=keeps_messages,
            is_accepted=is_accepted,
        )
        self._channel = channel
        if init is not None:
            init(channel)
        channel._start()
        return channel

    @property
    def interest(self) -> str:
        """What the channel waits for: "r", "w", "rw", "" (errors only) or "-" (nothing at all)."""
        assert self._channel is not None, "channel() comes first"
        interest = self._channel.interest
        if interest == SILENT:
            return "-"
        return ("r" if interest & READ else "") + ("w" if interest & WRITE else "")

    def readable(self, *answers: Received) -> None:
        """Tell the channel, if it waits for that, that there is something to receive."""
        self._recv.extend(answers)
        self._tell(READ, READ)

    def writable(self, *answers: Taken) -> None:
        """Tell the channel, if it waits for that, that there is room to send."""
        self._send.extend(answers)
        self._tell(WRITE, WRITE)

    def hang_up(self, error: int = 0) -> None:
        """Tell the channel that the connection is gone, with this errno or with none: no interest is needed."""
        self.error = error
        self._tell(HANGUP | (ERROR if error else 0), -1)

    def _tell(self, events: int, wanted: int) -> None:
        assert self.poller is not None and self._channel is not None, "channel() comes first"
        interest = self._channel.interest
        if interest != SILENT and (wanted == -1 or interest & wanted):
            self.poller._hand_out(self._channel, events)

    async def settle(self, rounds: int = 1000) -> None:
        """Let the loop turn, and report readiness as a level-triggered poller would, until nothing happens any more.

        Raises: AssertionError when that never comes to rest: something spins."""
        for _ in range(rounds):
            await asyncio.sleep(0)
            before = len(self.calls)
            if self._recv and self._recv[0] is not BLOCK:
                self._tell(READ, READ)
            elif self._recv:
                self._recv.popleft()  # time passes
            self._tell(WRITE, WRITE)
            if len(self.calls) == before and not self._recv:
                await asyncio.sleep(0)
                return
        raise AssertionError(f"{len(self.calls)} calls and no end: {self.calls[-3:]}")

    def __repr__(self) -> str:
        return f"ScriptedSocket({len(self.calls)} calls, {len(self.sent)} bytes sent)"


class ScriptedPoller(Poller):
    """A poller that sees only what it is told."""

    def add(self, watched: Watched, fd: int, interest: int) -> None:
        """Note a member."""
        watched.fd = fd
        watched.interest = interest
        self.members += 1

    def change(self, watched: Watched, interest: int) -> None:
        """Note what it waits for."""
        watched.interest = interest

    def remove(self, watched: Watched) -> bool:
        """Forget a member."""
        if watched.fd >= 0:
            watched.fd = -1
            watched.interest = SILENT
            self.members -= 1
        return True
