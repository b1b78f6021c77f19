"""Buffers in pickles, in every protocol, in band and out of band, between both forms; copies by the copy module.

Owns    BEHAVIOURS 125, 126.
Never   a pool of processes: test_processes.py has one.
Always  what a pickle says is checked by what comes out of it, and by what stands in its stream."""

from __future__ import annotations

import copy
import os
import pickle
import pickletools
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts._kit import Make, each_contiguous, each_shape, fails, unchanged
from zbuf import ByteBuf, _form, buffer, composite, copied, empty, wrap
from zbuf.audit import CopyReason, audit
from zbuf.errors import ReferenceCountError
from zbuf.region import FileRegion

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = b"0123456789abcdef" * 64
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
IN_BAND_BYTES = {"BINBYTES", "BINBYTES8", "SHORT_BINBYTES", "BYTEARRAY8", "BINUNICODE", "SHORT_BINUNICODE"}


def pieces(buf: ByteBuf) -> int:
    return len(buf.readable_views(max_count=2000))


@each_shape
def test_b125_out_of_band_there_is_no_byte_in_the_stream(shape: Make) -> None:
    """One buffer for each component; the stream has names only; nothing is copied on either side."""
    buf = shape(DATA)
    parts: list[pickle.PickleBuffer] = []
    with unchanged(buf):
        before = buf.readable_views(max_count=2000)
        with audit() as opened:
            stream = pickle.dumps(buf, 5, buffer_callback=parts.append)
            again = pickle.loads(stream, buffers=parts)
        assert opened.bill.user == {}
        assert len(parts) == len(before)
        assert all(view == part.raw() for view, part in zip(before, parts, strict=True))
    payload = [argument for opcode, argument, _ in pickletools.genops(stream) if opcode.name in IN_BAND_BYTES]
    assert all(isinstance(argument, str) and len(argument) < 40 for argument in payload), payload
    assert len(stream) < 200 + 8 * len(parts)
    assert (again == DATA, again.reader_index, again.readable_bytes) == (True, 0, len(DATA))
    assert (type(again).__name__, pieces(again)) == (
        "WrappedByteBuf" if len(parts) == 1 else "CompositeByteBuf",
        len(parts),
    )
    assert again.is_read_only == buf.is_read_only
    assert again.shares_memory_with(buf) if hasattr(buf, "shares_memory_with") else True
    again._check()


@each_shape
def test_b125_what_is_loaded_is_the_memory_that_was_given(shape: Make) -> None:
    """A write through the one is seen through the other; each holds the block by itself."""
    buf = shape(DATA)
    parts: list[pickle.PickleBuffer] = []
    again = pickle.loads(pickle.dumps(buf, 5, buffer_callback=parts.append), buffers=parts)
    if not buf.is_read_only:
        buf.set_byte(buf.reader_index + 3, 0x7F)
        again.set_byte(700, 0x7E)
        assert (again.get_byte(3), buf.get_byte(buf.reader_index + 700)) == (0x7F, 0x7E)
    expected = bytes(buf)
    del parts
    buf.release()
    assert bytes(again) == expected


def test_b125_loading_takes_any_buffers() -> None:
    """The receiver brings bytes, bytearrays, memoryviews: read-only iff all of them are."""
    stream = pickle.dumps(wrap(bytearray(b"abc"), bytearray(b"def")), 5, buffer_callback=lambda part: None)
    store = bytearray(b"xyz")
    again = pickle.loads(stream, buffers=[memoryview(store), b"123"])
    assert (bytes(again), again.is_read_only, again.num_components) == (b"xyz123", False, 2)
    again.set_byte(0, ord("X"))
    assert store == b"Xyz"
    assert pickle.loads(stream, buffers=[b"xyz", b"123"]).is_read_only
    with pytest.raises(pickle.UnpicklingError):
        pickle.loads(stream, buffers=[b"xyz"])
    with pytest.raises(BufferError):
        pickle.loads(stream, buffers=[memoryview(b"xyz")[::2], b""])


@each_shape
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_b126_every_protocol_round_trips(shape: Make, protocol: int) -> None:
    """The readable bytes come back, on memory of their own, and as writable as they were."""
    buf = shape(DATA)
    with unchanged(buf), audit() as opened:
        stream = pickle.dumps(buf, protocol)
    billed = {reason: count.nbytes for reason, count in opened.bill.user.items() if reason is CopyReason.TOBYTES}
    assert billed == ({} if protocol >= 5 else {CopyReason.TOBYTES: len(DATA)})
    again = pickle.loads(stream)
    assert (bytes(again), again.reader_index, again.is_read_only) == (DATA, 0, buf.is_read_only)
    if not again.is_read_only:
        again.set_byte(0, 1)
        assert bytes(buf) == DATA
    again._check()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_b126_empty_buffers_round_trip(protocol: int) -> None:
    """With nothing to say but that."""
    for make in (empty, composite, buffer, lambda: wrap(b"")):
        again = pickle.loads(pickle.dumps(make(), protocol))
        assert (len(again), again.refcnt) == (0, 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_b126_only_readable_bytes_travel(protocol: int) -> None:
    """Not what was consumed, nor what lies behind the writer index."""
    buf = copied(b"SECRETpayloadSECRET")
    buf.set_index(6, 13)
    stream = pickle.dumps(buf, protocol)
    assert b"SECRET" not in stream
    assert bytes(pickle.loads(stream)) == b"payload"


def test_b126_one_buffer_twice_stays_one() -> None:
    """The pickle's memory of objects works for buffers too."""
    buf = copied(b"abc")
    one, two = pickle.loads(pickle.dumps([buf, buf], 5))
    assert one is two


def test_b126_mixed_components_keep_their_kind() -> None:
    """Each component is read-only iff it was; the whole only if all are."""
    again = pickle.loads(pickle.dumps(wrap(b"abc", bytearray(b"def")), 5))
    assert [part.is_read_only for part in again.components()] == [True, False]
    assert not again.is_read_only
    assert pickle.loads(pickle.dumps(wrap(b"abc", b"def"), 5)).is_read_only


@each_shape
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_b126_a_released_buffer_is_not_pickled(shape: Make, protocol: int) -> None:
    """ReferenceCountError, as for every other use."""
    buf = shape(DATA)
    buf.release()
    with pytest.raises(ReferenceCountError):
        pickle.dumps(buf, protocol)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_b126_what_is_not_memory_is_not_pickled(protocol: int, tmp_path: Path) -> None:
    """A region stands for an open file: TypeError. (A channel has its test with the channels.)"""
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    with FileRegion(path) as region, pytest.raises(TypeError):
        pickle.dumps(region, protocol)


@each_shape
def test_b126_copy_shares_and_deepcopy_does_not(shape: Make) -> None:
    """copy.copy is a duplicate, copy.deepcopy memory of its own, whatever the protocol of pickles."""
    buf = shape(DATA)
    shallow, deep = copy.copy(buf), copy.deepcopy(buf)
    assert (shallow == buf, deep == buf, shallow.reader_index) == (True, True, buf.reader_index)
    assert not deep.is_read_only
    deep.set_byte(0, 0x7F)
    assert bytes(buf) == bytes(shallow) == DATA
    if not buf.is_read_only:
        buf.set_byte(buf.reader_index, 0x7E)
        assert shallow.get_byte(shallow.reader_index) == 0x7E
    twice = copy.deepcopy([buf, buf])
    assert twice[0] is twice[1]
    buf.release()
    for handle in (shallow, deep):
        assert handle.readable_bytes == len(DATA)


@each_contiguous
def test_b126_conversion_of_the_protocol_comes_first(shape: Make) -> None:
    """__reduce_ex__ itself: a protocol is an integer."""
    buf = shape(DATA)
    with fails(TypeError, buf):
        buf.__reduce_ex__("5")
    assert len(buf.__reduce_ex__(True)[1]) == 2


OTHER_FORM = """
import pickle, sys
import zbuf
from zbuf import _form
data = sys.stdin.buffer.read()
sys.stdout.buffer.write(_form.form().encode() + b"\\n")
if data:
    for buf in pickle.loads(data):
        sys.stdout.buffer.write(bytes(buf) + b"|%d\\n" % buf.is_read_only)
else:
    parts = [zbuf.copied(b"plain"), zbuf.wrap(b"read-only"), zbuf.wrap(b"two", bytearray(b"parts")), zbuf.empty()]
    sys.stdout.buffer.write(pickle.dumps(parts, int(sys.argv[1])))
"""


def other_form(data: bytes, *arguments: str) -> tuple[str, bytes]:
    """Run the program in the interpreted form, which is always there: the other one, where this is compiled."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ZBUF_PURE": "1"}
    environment.pop("ZBUF_EXPECT_FORM", None)
    environment.pop("ZBUF_REQUIRE_COMPILED", None)
    done = subprocess.run(
        [sys.executable, "-c", OTHER_FORM, *arguments],
        env=environment,
        input=data,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    form, _, rest = done.stdout.partition(b"\n")
    return form.decode(), rest


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_b126_a_pickle_of_one_form_loads_in_the_other(protocol: int) -> None:
    """Both ways, with writability."""
    parts = [copied(b"plain"), wrap(b"read-only"), wrap(b"two", bytearray(b"parts")), empty()]
    form, shown = other_form(pickle.dumps(parts, protocol))
    assert form == _form.INTERPRETED
    assert shown == b"plain|0\nread-only|1\ntwoparts|0\n|0\n"
    _, stream = other_form(b"", str(protocol))
    again = pickle.loads(stream)
    assert [(bytes(buf), buf.is_read_only) for buf in again] == [
        (b"plain", False),
        (b"read-only", True),
        (b"twoparts", False),
        (b"", False),
    ]
