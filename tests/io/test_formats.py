"""What takes a file takes a buffer: json, pickle, csv, zipfile, gzip, tarfile and the others of the standard library.

Owns    BEHAVIOURS 129 for those who use it.
Never   the calls one by one: test_reader and test_writer have them.
Always  what one wrote into a buffer is read back from every shape of it, and by the same module from BytesIO."""

from __future__ import annotations

import bz2
import csv
import gzip
import hashlib
import io
import json
import lzma
import marshal
import pickle
import random
import shutil
import tarfile
import wave
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO

import pytest

from tests.contracts._kit import Make, each_shape
from zbuf import ByteBuf, ByteBufReader, ByteBufWriter, buffer, composite

THING = {"name": "zbuf", "numbers": [1, 2.5, None, True], "text": "ü€😀\n", "deep": {"a": [{}]}}
ROWS = [["a", "b"], ["1", "two, with a comma"], ["ü€", 'a "quote"\nand a line']]
FILES = {"small.txt": b"text\n", "empty": b"", "large.bin": random.Random(1).randbytes(50_000), "zeros": bytes(70_000)}


def write_json(out: BinaryIO) -> None:
    text = io.TextIOWrapper(out, encoding="utf-8")
    json.dump(THING, text)
    text.detach()


def write_csv(out: BinaryIO) -> None:
    text = io.TextIOWrapper(out, encoding="utf-8", newline="")
    csv.writer(text).writerows(ROWS)
    text.detach()


def read_csv(src: BinaryIO) -> Any:
    return list(csv.reader(io.TextIOWrapper(src, encoding="utf-8", newline="")))


def write_pickles(out: BinaryIO) -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        pickle.dump(THING, out, protocol)
    pickle.dump([bytes(200_000)], out)  # beyond a frame


def read_pickles(src: BinaryIO) -> Any:
    things = [pickle.load(src) for _ in range(pickle.HIGHEST_PROTOCOL + 1)]
    assert pickle.load(src) == [bytes(200_000)]
    return things


def write_zip(out: BinaryIO) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)


def read_zip(src: BinaryIO) -> Any:
    with zipfile.ZipFile(src) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in reversed(archive.namelist())}


def write_tar(out: BinaryIO, mode: str = "w") -> None:
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]  # any mode
        for name, data in FILES.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def read_tar(src: BinaryIO, mode: str = "r") -> Any:
    with tarfile.open(fileobj=src, mode=mode) as archive:  # type: ignore[call-overload]  # any mode
        return {info.name: archive.extractfile(info).read() for info in archive}  # type: ignore[union-attr]  # files


def write_gzip(out: BinaryIO) -> None:
    for data in FILES.values():  # several members, one behind the other
        with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as packed:
            packed.write(data)


def read_wave(src: BinaryIO) -> Any:
    with wave.open(src) as sound:
        return sound.getnframes(), sound.readframes(100)


def write_wave(out: BinaryIO) -> None:
    with wave.open(out, "wb") as sound:
        sound.setparams((1, 2, 8000, 4, "NONE", ""))
        sound.writeframesraw(b"abcdefgh")


JOINED = b"".join(FILES.values())


def _pack_bz2(out: BinaryIO) -> None:
    with bz2.BZ2File(out, "wb") as packed:
        packed.write(JOINED)


def _unpack_bz2(src: BinaryIO) -> bytes:
    with bz2.BZ2File(src) as packed:
        return packed.read()


def _pack_lzma(out: BinaryIO) -> None:
    with lzma.LZMAFile(out, "wb") as packed:
        packed.write(JOINED)


def _unpack_lzma(src: BinaryIO) -> bytes:
    with lzma.LZMAFile(src) as packed:
        return packed.read()


def _copied(src: BinaryIO) -> bytes:
    out = io.BytesIO()
    shutil.copyfileobj(src, out, 777)
    return out.getvalue()


def _through(buffered: io.BufferedWriter) -> None:
    buffered.write(JOINED)
    buffered.detach()


FORMATS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Any]] = {
    "json": (write_json, json.load, THING),
    "json through text": (write_json, lambda src: json.load(io.TextIOWrapper(src, "utf-8")), THING),
    "csv": (write_csv, read_csv, ROWS),
    "pickle": (write_pickles, read_pickles, [THING] * (pickle.HIGHEST_PROTOCOL + 1)),
    "marshal": (lambda out: marshal.dump(THING, out), marshal.load, THING),
    "zipfile": (write_zip, read_zip, dict(reversed(FILES.items()))),
    "tarfile": (write_tar, read_tar, FILES),
    "tarfile as a stream": (lambda out: write_tar(out, "w|"), lambda src: read_tar(src, "r|"), FILES),
    "tarfile gz": (lambda out: write_tar(out, "w:gz"), lambda src: read_tar(src, "r:*"), FILES),
    "tarfile xz as a stream": (lambda out: write_tar(out, "w|xz"), lambda src: read_tar(src, "r|xz"), FILES),
    "gzip": (write_gzip, lambda src: gzip.GzipFile(fileobj=src).read(), JOINED),
    "gzip by lines": (write_gzip, lambda src: b"".join(gzip.GzipFile(fileobj=src)), JOINED),
    "bz2": (_pack_bz2, _unpack_bz2, JOINED),
    "lzma": (_pack_lzma, _unpack_lzma, JOINED),
    "wave": (write_wave, read_wave, (4, b"abcdefgh")),
    "copyfileobj": (
        lambda out: shutil.copyfileobj(io.BytesIO(JOINED), out, 1000),
        _copied,
        JOINED,
    ),
    "buffered": (
        lambda out: _through(io.BufferedWriter(out, 100)),
        lambda src: io.BufferedReader(src, 100).read(),
        JOINED,
    ),
    "file_digest": (
        lambda out: out.write(JOINED),
        lambda src: hashlib.file_digest(src, "sha256").digest(),
        hashlib.sha256(JOINED).digest(),
    ),
}


TWICE = ("wave",)  # its header is written twice: writing it needs a stream that seeks


@pytest.mark.parametrize("make", [buffer, composite], ids=["plain", "composite"])
@pytest.mark.parametrize(
    "name", [name for name in FORMATS if name not in TWICE], ids=lambda name: name.replace(" ", "-")
)
def test_b129_what_was_written_to_a_buffer_is_read_from_it(name: str, make: Callable[[], ByteBuf]) -> None:
    """There and back through one buffer; the reader index ends where the format stopped reading."""
    write, read, expected = FORMATS[name]
    buf = make()
    before = buf.writer_index
    stream = ByteBufWriter(buf)
    write(stream)
    assert stream.tell() == buf.writer_index - before == buf.readable_bytes
    oracle = io.BytesIO(bytes(buf))
    assert read(oracle) == expected
    source = ByteBufReader(buf)
    assert read(source) == expected
    buf._check()


def written(name: str) -> bytes:
    """The bytes of a format, by BytesIO."""
    out = io.BytesIO()
    FORMATS[name][0](out)
    return out.getvalue()


SMALL = ("json", "json through text", "csv", "marshal", *TWICE)


@each_shape
@pytest.mark.parametrize("name", SMALL, ids=lambda name: name.replace(" ", "-"))
def test_b129_every_shape_is_read_by_every_format(shape: Make, name: str) -> None:
    """The same bytes in every shape, down to components of single bytes."""
    _, read, expected = FORMATS[name]
    buf = shape(written(name))
    assert read(ByteBufReader(buf)) == expected


@each_shape
def test_b129_archives_of_every_shape_are_opened(shape: Make) -> None:
    """zipfile looks for its directory at the end, tarfile walks, gzip streams; what follows them is not theirs."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("a.txt", "text")
    buf = shape(archive.getvalue() + b"behind")
    with zipfile.ZipFile(ByteBufReader(buf, len(archive.getvalue()))) as opened:
        assert (opened.namelist(), opened.read("a.txt")) == (["a.txt"], b"text")
    small = shape(gzip.compress(b"text" * 10))
    assert gzip.GzipFile(fileobj=ByteBufReader(small)).read() == b"text" * 10
    assert not small.is_readable


def test_b129_a_pickle_stops_where_it_ends() -> None:
    """Several records in one buffer, a number between them: pickle.load takes its own bytes and no more."""
    buf = buffer()
    writer = ByteBufWriter(buf)
    for number in range(3):
        pickle.dump([number], writer)
        buf.write_int(number)
    reader = ByteBufReader(buf)
    for number in range(3):
        assert (pickle.load(reader), buf.read_int()) == ([number], number)
    assert not buf.is_readable


def test_b129_text_layers_over_both_close_them() -> None:
    """TextIOWrapper closes what it wraps, and with release_on_close that is the end of the handle."""
    buf = buffer()
    buf.retain(2)
    with io.TextIOWrapper(ByteBufWriter(buf, release_on_close=True), "utf-8") as text:
        print("ü€", 5, file=text)
    with io.TextIOWrapper(ByteBufReader(buf, release_on_close=True), "utf-8") as text:
        assert text.read() == "ü€ 5\n"
    assert buf.refcnt == 1


def test_b129_text_may_tell_and_seek() -> None:
    """TextIOWrapper's cookies are positions of the stream below it."""
    buf = buffer()
    buf.write_string("erste Zeile\nzweite ü\ndritte")
    with io.TextIOWrapper(ByteBufReader(buf), "utf-8") as text:
        text.readline()
        cookie = text.tell()
        rest = text.read()
        text.seek(cookie)
        assert text.read() == rest == "zweite ü\ndritte"
