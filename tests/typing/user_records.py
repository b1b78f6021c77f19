"""A program that used struct, io.BytesIO and memoryview, moved to buffers. Never run: test_typing checks it.

Owns    the types that someone sees who comes from Python's own tools.
Never   an error: what must be rejected stands in rejected.py.
Always  no cast, no ignore, no Any in the user's own code."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, assert_type

import zbuf
from zbuf import ByteBuf, CompositeByteBuf
from zbuf.errors import BoundsError, DecodeError

HEAD = struct.Struct(">HBxI")


class Record(NamedTuple):
    """One record of a log."""

    kind: int
    key: str
    body: ByteBuf


def write_record(out: ByteBuf, kind: int, key: str, body: bytes | memoryview | ByteBuf) -> int:
    """Append a record and return its size."""
    start = out.writer_index
    out.write_struct(HEAD, kind, len(key), 0)
    assert_type(out.write_string(key), int)
    assert_type(out.write_bytes(body), int)
    out.set_int(start + 4, out.writer_index - start - HEAD.size)
    return out.writer_index - start


def read_records(buf: ByteBuf) -> Iterator[Record]:
    """Cut records until the bytes run out; bodies are windows, not copies."""
    while buf.can_read(HEAD.size):
        try:
            kind, key_bytes, _ = buf.read_struct(HEAD)
            key = buf.read_string(key_bytes, "ascii")
            size = buf.read_varint()
        except BoundsError as exc:
            assert_type(exc.requested, int)
            assert_type(exc.available, int)
            return
        except DecodeError:
            raise
        body = buf.read_slice(size)
        assert_type(body, ByteBuf)
        yield Record(kind, key, body)


def checksum(buf: ByteBuf) -> tuple[int, str]:
    """Hand buffers to what takes bytes-like things."""
    crc = 0
    digest = hashlib.sha256()
    for view in buf.readable_views():
        crc = zlib.crc32(view, crc)
        digest.update(view)
    digest.update(buf)
    return crc, digest.hexdigest()


def scan(buf: ByteBuf) -> list[int]:
    """Look for line ends."""
    found: list[int] = []
    at = buf.find(b"\r\n")
    while at >= 0:
        found.append(at)
        at = buf.find(b"\r\n", at + 2)
    assert_type(buf.get_varint(0), tuple[int, int] | None)
    return found


def to_and_fro(buf: ByteBuf) -> None:
    """Python's protocols: indexing, iteration, comparison, membership."""
    first: int = buf[0]
    part: ByteBuf = buf[1:3]
    assert_type(list(buf), list[int])
    assert_type(list(reversed(buf)), list[int])
    assert_type(b"\n" in buf, bool)
    assert_type(first in buf, bool)
    assert_type(buf == b"abc", bool)
    assert_type(buf < part, bool)
    assert_type(len(buf), int)
    assert_type(bytes(buf), bytes)
    assert_type(hash(part), int)
    buf[0] = first ^ 1
    buf[0:2] = b"ab"
    with buf as same:
        assert_type(same, ByteBuf)


def send(sock: socket.socket, head: ByteBuf, body: Path) -> int:
    """Gather what a message is made of into one call."""
    message = zbuf.composite()
    assert_type(message, CompositeByteBuf)
    message.append(head)
    message.extend([zbuf.wrap(body.read_bytes()), b"\r\n", bytearray(b"end")])
    sent = sock.sendmsg(message.readable_views(1024))
    message.skip_bytes(sent)
    return message.readable_bytes


def receive(sock: socket.socket, buf: ByteBuf) -> int:
    """Receive into the buffer's own room."""
    got, _, _, _ = sock.recvmsg_into(buf.writable_views(4096))
    buf.writer_index += got
    return got


def copy_out(buf: ByteBuf, target: bytearray, file: int) -> None:
    """Read into memory the caller brought, and write to a descriptor."""
    assert_type(buf.read_bytes_into(target), int)
    assert_type(buf.get_bytes_into(0, memoryview(target)[4:], 0, 4), int)
    os.writev(file, buf.readable_views())
    assert_type(buf.view(0, 4), memoryview)
    assert_type(zbuf.hex_dump(buf), str)
    assert_type(zbuf.decode_hex_dump("00ff"), bytes)
