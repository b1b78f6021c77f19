"""Framing without zbuf: asyncio's StreamReader, and the two parsers that people write by hand.

Owns    the rivals of the framing group: each cuts frames of a length field or lines out of pieces, and says how often
        it copies a byte.
Never   zbuf, sockets, an event loop that runs.
Always  each bounds the frame, hands every body to a function as bytes, and keeps its place in what it searched."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

HEAD = struct.Struct(">I")
HEAD_SIZE = HEAD.size
LONGEST = 2 << 20


class Parser(Protocol):
    """What every rival has."""

    def feed(self, data: bytes) -> None:
        """Take a piece, and hand every whole body on."""

    def copies(self, pieces: Iterable[bytes], frame: int, body: int) -> float:
        """Return how many payload bytes are copied per payload byte, for frames of `frame` bytes."""


class Streams:
    """asyncio.StreamReader with readexactly or readuntil.

    Its coroutine is resumed by hand after each piece, so that the loop's own cost is not measured."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._loop = asyncio.new_event_loop()
        self._reader = asyncio.StreamReader(limit=LONGEST, loop=self._loop)
        self._take = take
        self._reading: Coroutine[Any, Any, None] = self.read(self._reader)
        self._reading.send(None)

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Read frames for ever."""
        while True:
            (size,) = HEAD.unpack(await reader.readexactly(HEAD_SIZE))
            if size > LONGEST:
                raise ValueError(size)
            self._take(await reader.readexactly(size))

    def feed(self, data: bytes) -> None:
        """As a transport would: give the bytes to the reader, then let who waits for them go on."""
        self._reader.feed_data(data)
        self._reading.send(None)

    def copies(self, pieces: Iterable[bytes], frame: int, body: int) -> float:
        """Into the reader's bytearray, and out of it."""
        return (frame + body) / body

    def close(self) -> None:
        """End the coroutine and its loop."""
        self._reading.close()
        self._loop.close()


class LineStreams(Streams):
    """The same for lines."""

    async def read(self, reader: asyncio.StreamReader) -> None:
        """Read lines for ever; a reader that wants no line end cuts it off, which is one copy more."""
        while True:
            self._take((await reader.readuntil(b"\n"))[:-1])

    def copies(self, pieces: Iterable[bytes], frame: int, body: int) -> float:
        """Into the bytearray, out of it, and once more without the line end."""
        return (2 * frame + body) / body


class InBytearray:
    """A bytearray that pieces are added to and frames are cut from."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._held = bytearray()
        self._take = take

    def feed(self, data: bytes) -> None:
        """Cut frames; what was cut goes in one step at the end."""
        held = self._held
        held += data
        at, end = 0, len(held)
        with memoryview(held) as view:
            while end - at >= HEAD_SIZE:
                (size,) = HEAD.unpack_from(view, at)
                if size > LONGEST:
                    raise ValueError(size)
                stop = at + HEAD_SIZE + size
                if stop > end:
                    break
                self._take(bytes(view[at + HEAD_SIZE : stop]))
                at = stop
        del held[:at]

    def copies(self, pieces: Iterable[bytes], frame: int, body: int) -> float:
        """Into the bytearray, and out of it."""
        return (frame + body) / body


class LinesInBytearray(InBytearray):
    """The same for lines."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        super().__init__(take)
        self._searched = 0

    def feed(self, data: bytes) -> None:
        """Cut lines; the search goes on where it stopped."""
        held = self._held
        held += data
        at = 0
        while (end := held.find(b"\n", max(at, self._searched))) >= 0:
            with memoryview(held) as view:
                self._take(bytes(view[at:end]))
            at = end + 1
        del held[:at]
        self._searched = len(held)
        if self._searched > LONGEST:
            raise ValueError(self._searched)


class InBytes:
    """Slices of the piece that came; what is left of it is put in front of the next one."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._rest = b""
        self._take = take

    def feed(self, data: bytes) -> None:
        """Cut frames; where nothing was left, nothing is joined."""
        if self._rest:
            data = self._rest + data
        at, end = 0, len(data)
        while end - at >= HEAD_SIZE:
            (size,) = HEAD.unpack_from(data, at)
            if size > LONGEST:
                raise ValueError(size)
            stop = at + HEAD_SIZE + size
            if stop > end:
                break
            self._take(data[at + HEAD_SIZE : stop])
            at = stop
        self._rest = data[at:]

    def copies(self, pieces: Iterable[bytes], frame: int, body: int) -> float:
        """Bodies, what is left, and the joining of it; by arithmetic on the lengths."""
        copied = total = rest = 0
        for piece in pieces:
            total += len(piece)
            size = rest + len(piece)
            left = size % frame
            copied += (size if rest else 0) + size // frame * body
            copied += left if 0 < left < size else 0  # a slice of the whole is the object itself
            rest = left
        return copied / (total / frame * body)


class LinesInBytes(InBytes):
    """The same for lines, with split."""

    def feed(self, data: bytes) -> None:
        """Split the piece at its line ends; the last part is what is left."""
        if self._rest:
            data = self._rest + data
        *lines, self._rest = data.split(b"\n")
        for line in lines:
            self._take(line)
        if len(self._rest) > LONGEST:
            raise ValueError(len(self._rest))
