"""Budgets of the stock frames: bytes copied, blocks held, and work that does not grow with what is held. Never seconds.

Where work is compared, both sides are measured in turn in one process and the smallest of several rounds counts: a
search that begins anew with every byte is slower by a factor of hundreds, not of two.
"""

import time

import pytest

from zbuf import Pool, composite, copied, default_allocator, wrap
from zbuf.audit import process_account
from zbuf.codec import (
    NEED_DATA,
    DelimiterBasedFrameDecoder,
    FixedLengthFrameDecoder,
    GeneratorDecoder,
    JsonObjectDecoder,
    Limits,
    LineBasedFrameDecoder,
    LineEncoder,
    NeedUntil,
    NetstringEncoder,
    NetstringFrameDecoder,
    ProtobufVarint32FrameDecoder,
    ProtobufVarint32LengthFieldPrepender,
    length_field,
)
from zbuf.errors import TooLongFrameError

BLOCK = 65536
HUGE = 64 << 20


class Bill:
    """User-space copies from here on, by the name of their reason."""

    def __init__(self):
        self._before = process_account().snapshot()

    def copies(self):
        """Bytes copied since, by reason; reasons without bytes are left out."""
        user = (process_account().snapshot() - self._before).user
        return {reason.name: count.nbytes for reason, count in user.items() if count.nbytes}


class Until(GeneratorDecoder):
    """Lines, by a generator."""

    def decode(self):
        return (yield NeedUntil(b"\n"))


FRAMES = {
    "line": (lambda: LineBasedFrameDecoder(HUGE), lambda body: body + b"\r\n"),
    "delimiter": (lambda: DelimiterBasedFrameDecoder(HUGE, b"</m>", b"\0"), lambda body: body + b"</m>"),
    "fixed": (lambda: FixedLengthFrameDecoder(1000), lambda body: body.ljust(1000, b"x")),
    "varint32": (lambda: ProtobufVarint32FrameDecoder(HUGE), lambda body: b"\xe8\x07" + body.ljust(1000, b"x")),
    "netstring": (lambda: NetstringFrameDecoder(HUGE), lambda body: b"%d:%s," % (len(body), body)),
    "json": (lambda: JsonObjectDecoder(HUGE), lambda body: b'{"a": "' + body + b'"}'),
    "generator": (lambda: Until(Limits.UNLIMITED), lambda body: body + b"\n"),
}
SEARCHED = {name: FRAMES[name][0] for name in ("line", "delimiter", "generator", "json")}


@pytest.mark.parametrize("name", FRAMES)
def test_frames_of_one_block_copy_no_payload_b185(name):
    """Frames cut from one receive block are windows on it: no block leased, no payload byte copied."""
    make, framed = FRAMES[name]
    pool = Pool()
    frame = framed(b"p" * 1000)
    buf = pool.buffer(BLOCK)
    while buf.writable_bytes >= len(frame):
        buf.write_bytes(frame)
    count = buf.readable_bytes // len(frame)
    decoder = make()
    bill = Bill()
    decoder.feed(buf)
    frames = list(decoder)
    assert len(frames) == count and pool.statistics().live_blocks == 1
    copied_bytes = sum(bill.copies().values())
    assert copied_bytes <= 24 * count, "more than the digits of a netstring's length"
    assert name == "netstring" or copied_bytes == 0
    del buf, frames
    assert pool.statistics().live_blocks == 0


@pytest.mark.parametrize("name", SEARCHED)
def test_one_byte_more_costs_the_same_however_much_is_held_b144(name):
    """Without a delimiter, byte by byte: what was searched is not searched again."""
    opening = b'{"a": "' if name == "json" else b""

    def cost(held):
        decoder = SEARCHED[name]()
        decoder.feed(opening + b"x" * held)
        assert decoder.next() is NEED_DATA
        decoder.feed(b"x" * 1000)
        started = time.thread_time()
        for _ in range(300):
            decoder.feed(b"x")
            decoder.next()
        return time.thread_time() - started

    small, large = (min(cost(held) for _ in range(5)) for held in (3000, 8_000_000))
    assert large < 12 * small, (small, large)


@pytest.mark.parametrize(
    "delimiters", [(b"\n", b"absent"), (b"absent", b"missing", b"\n"), (b"\n", b"\r\n"), (b"\n", b"the last")]
)
def test_small_frames_in_a_large_buffer_are_linear(delimiters):
    """A delimiter that never comes, or comes last, is searched once through all that is held, not once per frame."""

    def cost(frames):
        decoder = DelimiterBasedFrameDecoder(100, *delimiters)
        decoder.feed(b"x\n" * frames + b"the last")
        got = 0
        started = time.thread_time()
        for _ in range(500):
            got += decoder.next() is not NEED_DATA
        taken = time.thread_time() - started
        assert got == 500
        return taken

    small, large = (min(cost(frames) for _ in range(5)) for frames in (600, 500_000))
    assert large < 30 * small, (small, large)


@pytest.mark.parametrize("name", ["line", "delimiter", "generator"])
def test_dribbled_frames_are_copied_about_twice_b136(name):
    """A frame of 20,000 bytes that comes byte by byte: joining costs fewer than three bytes per byte."""
    make, framed = FRAMES[name]
    data = framed(b"p" * 20_000)
    decoder = make()
    bill = Bill()
    for at in range(len(data)):
        decoder.feed(data[at : at + 1])
        message = decoder.next()
    assert message is not NEED_DATA
    assert bill.copies().get("CUMULATE", 0) < 3 * len(data)


@pytest.mark.parametrize(
    "make", [lambda: LineBasedFrameDecoder(100), lambda: DelimiterBasedFrameDecoder(100, b"<end>", b"\n")]
)
def test_skipping_a_frame_that_is_too_long_holds_nothing(make):
    """The rest of a refused frame is dropped as it comes: one block at most, and the bytes a delimiter may begin in."""
    pool = Pool()
    decoder = make()
    decoder.feed(b"x" * 200)
    with pytest.raises(TooLongFrameError):
        decoder.next()
    for _ in range(50):
        piece = pool.buffer(BLOCK)
        piece.write_bytes(b"y" * BLOCK)
        decoder.feed(piece)
        assert decoder.next() is NEED_DATA
        assert decoder.buffered <= 4 and pool.statistics().live_blocks <= 2
    decoder.feed(b"\nok\n")
    assert list(decoder) == [b"ok"]


def test_encoders_copy_no_payload_b147():
    """Header, payload and end are parts of their own; the payload is the very message."""
    alloc, msg = default_allocator(), copied(b"p" * 50_000)
    bill = Bill()
    for encoder in (ProtobufVarint32LengthFieldPrepender(), NetstringEncoder(), LineEncoder()):
        parts = list(encoder.encode(msg, alloc))
        assert any(part is msg for part in parts)
    assert sum(bill.copies().values()) <= 64


def test_length_field_and_payload_leave_as_one_gather_write_b147():
    """Two views for one sendmsg, one of the header, one of the payload where it lies."""
    payload = wrap(b"p" * 50_000)
    out = composite()
    bill = Bill()
    with length_field(out, 4):
        out.write_short(1)
        out.append(payload)
    assert [6, 50_000] == [view.nbytes for view in out.readable_views()]
    assert sum(bill.copies().values()) <= 16
