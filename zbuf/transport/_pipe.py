"""A pipe in the kernel through which payload passes on its way from one descriptor to another.

Owns    both ends, and how many bytes are in it.
Never   a retry: a descriptor that would block is an answer, as for every call of a channel.
Always  what was put in is taken out in order; a pipe that is closed with bytes in it says how many were lost.
"""

import errno
import fcntl
import os
from contextlib import suppress

__all__ = ["Pipe"]

SIZE = 1 << 20  # /proc/sys/fs/pipe-max-size; with the default of 64 KiB splice costs a third more than sendfile
FLAGS = getattr(os, "SPLICE_F_MOVE", 1) | getattr(os, "SPLICE_F_NONBLOCK", 2)
AGAIN = (errno.EAGAIN, errno.EWOULDBLOCK)


class Pipe:
    """Holds what was spliced out of one descriptor and not yet into the next."""

    __slots__ = ("held", "reading", "size", "writing")

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.held = 0
        self.size = 1 << 16
        with suppress(OSError):  # the user's share of pipe memory may be used up
            self.size = fcntl.fcntl(self.writing, fcntl.F_SETPIPE_SZ, SIZE)

    def fill(self, source: int, count: int) -> int | None:
        """Take at most `count` bytes out of `source`; 0 is its end, None that it would block. Raises: OSError."""
        try:
            n = os.splice(source, self.writing, min(count, self.size), flags=FLAGS)
        except OSError as exc:
            if exc.errno in AGAIN:
                return None
            raise
        self.held += n
        return n

    def drain(self, target: int, offset: int | None = None) -> int:
        """Put as many bytes as it takes into `target`, a file at `offset`, and return how many. Raises: OSError."""
        done = 0
        while self.held:
            try:
                if offset is None:
                    n = os.splice(self.reading, target, self.held, flags=FLAGS)
                else:
                    n = os.splice(self.reading, target, self.held, offset_dst=offset + done, flags=FLAGS)
            except OSError as exc:
                if exc.errno in AGAIN:
                    break
                raise
            self.held -= n
            done += n
        return done

    def read(self) -> bytes:
        """Take the bytes out by copying them: for a target that splice does not take."""
        data = os.read(self.reading, self.held) if self.held else b""
        self.held -= len(data)
        return data

    def close(self) -> int:
        """Close both ends, and return how many bytes are lost with them. Again: no-op."""
        lost, self.held = self.held, 0
        for end in (self.reading, self.writing):
            if end >= 0:
                os.close(end)
        self.reading = self.writing = -1
        return lost
