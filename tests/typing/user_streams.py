"""What a user writes with streams, sockets and descriptors; mypy must accept it as it stands."""

import csv
import gzip
import io
import json
import pickle
import shutil
import socket
import tarfile
import zipfile
from typing import Any, assert_type

import zbuf
from zbuf.io import read_fd, recv_into, send_from, write_fd


def rows(buf: zbuf.ByteBuf) -> list[list[str]]:
    with io.TextIOWrapper(zbuf.ByteBufReader(buf, release_on_close=True), encoding="utf-8", newline="") as text:
        return list(csv.reader(text))


def pack(buf: zbuf.ByteBuf, thing: dict[str, int]) -> int:
    with zbuf.ByteBufWriter(buf) as out:
        pickle.dump(thing, out)
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("a", b"b")
        with gzip.GzipFile(fileobj=out, mode="wb") as packed:
            packed.write(b"data")
        text = io.TextIOWrapper(out, "utf-8")
        json.dump(thing, text)
        text.detach()
        return out.tell()


def unpack(buf: zbuf.ByteBuf, target: bytearray) -> Any:
    src = zbuf.ByteBufReader(buf, 100)
    assert_type(src.readline(), bytes)
    assert_type(src.readinto(target), int)
    with zipfile.ZipFile(src) as archive, gzip.GzipFile(fileobj=src) as packed:
        shutil.copyfileobj(packed, io.BytesIO())
        archive.testzip()
    with tarfile.open(fileobj=src, mode="r|") as tar:
        tar.getnames()
    for line in src:
        assert_type(line, bytes)
    return json.load(src), pickle.load(src)


def move(buf: zbuf.ByteBuf, sock: socket.socket, file: io.BufferedRandom) -> int:
    assert_type(buf.read_to(file), int)
    assert_type(buf.read_to(io.BytesIO(), 5), int)
    assert_type(buf.get_to(0, file, 5), int)
    assert_type(buf.write_from(file, 5), int | None)
    assert_type(buf.set_from(0, io.BytesIO(b"12345"), 5), int | None)
    assert_type(send_from(buf, sock, flags=socket.MSG_DONTWAIT), int | None)
    assert_type(write_fd(buf, file, offset=0), int | None)
    assert_type(read_fd(buf, sock.fileno(), 10), int | None)
    got = recv_into(buf, sock, 4096)
    if got is None:
        return -1
    return got + buf.peek_int() if buf.try_ensure_writable(10, force=True) else got


def wrong(buf: zbuf.ByteBuf, sock: socket.socket) -> None:
    buf.read_to(io.StringIO())  # type: ignore[arg-type]  # a text stream takes no bytes
    buf.write_from(io.BytesIO(), None)  # type: ignore[arg-type]  # how many must be said
    recv_into(buf, sock)  # type: ignore[call-arg]  # how many must be said
    zbuf.ByteBufReader(b"bytes")  # type: ignore[arg-type]  # bytes have BytesIO
