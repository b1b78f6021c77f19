"""Budgets of the codecs and the pipeline: bytes copied, blocks leased, components, parser calls. Never time."""

import gc
import sys

import pytest

from zbuf import CompositeByteBuf, Pool, copied
from zbuf.audit import process_account
from zbuf.codec import NEED_DATA, Decoder, LengthFieldBasedFrameDecoder, LengthFieldPrepender, Limits
from zbuf.errors import TooLongFrameError
from zbuf.pipeline import CodecHandler, DecoderHandler, EncoderHandler, Handler
from zbuf.testing import EmbeddedChannel

BLOCK = 65536


def frame(size):
    """A frame with four bytes of length."""
    return size.to_bytes(4, "big") + bytes(size)


def received(pool, data):
    """`data` in a block as a read loop hands it on."""
    buf = pool.buffer(BLOCK)
    buf.write_bytes(data)
    return buf


class Bill:
    """User-space copies from here on, by the name of their reason."""

    def __init__(self):
        self._before = process_account().snapshot()

    def copies(self):
        """Bytes copied since, by reason; reasons without bytes are left out."""
        user = (process_account().snapshot() - self._before).user
        return {reason.name: count.nbytes for reason, count in user.items() if count.nbytes}


@pytest.mark.parametrize("size", [16, 64, 4096, 60_000])
def test_frames_of_one_block_copy_nothing_b185(size):
    """Frames cut from one receive block are windows on it: no byte copied, no block leased."""
    pool = Pool()
    count = BLOCK // (size + 4)
    decoder = LengthFieldBasedFrameDecoder(1 << 20, 0, 4, 0, 4)
    buf = received(pool, frame(size) * count)
    bill = Bill()
    decoder.feed(buf)
    frames = list(decoder)
    assert len(frames) == count and bill.copies() == {}
    assert pool.statistics().live_blocks == 1
    del buf, frames
    assert pool.statistics().live_blocks == 0


def test_large_frame_over_many_blocks_copies_nothing_b185():
    """A frame of 1 MiB that arrives in blocks of 64 KiB is chained: 0 bytes copied."""
    pool = Pool()
    decoder = LengthFieldBasedFrameDecoder(2 << 20, 0, 4, 0, 4)
    data = frame((1 << 20) - 4)
    pieces = [received(pool, data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)]
    bill = Bill()
    found = []
    for piece in pieces:
        decoder.feed(piece)
        found += decoder
    assert [len(one) for one in found] == [(1 << 20) - 4] and bill.copies() == {}
    assert isinstance(found[0], CompositeByteBuf) and found[0].num_components == len(pieces)


def test_a_stream_of_cut_frames_copies_only_the_cut_ones_b136():
    """Frames of 100 bytes in reads of 1000: what is copied is bounded by what was cut, not by what was read."""
    pool = Pool()
    data = frame(96) * 1000
    decoder = LengthFieldBasedFrameDecoder(1 << 20, 0, 4, 0, 4)
    pieces = [received(pool, data[at : at + 990]) for at in range(0, len(data), 990)]
    bill = Bill()
    got = 0
    for piece in pieces:
        decoder.feed(piece)
        for one in decoder:
            got += 1
            one.release()
    assert got == 1000
    assert set(bill.copies()) == {"CUMULATE"}
    assert bill.copies()["CUMULATE"] <= len(data) + 100 * len(pieces)


def test_length_field_echo_through_a_pipeline_copies_nothing_b185():
    """Decode, handle, encode, write: the body that leaves lies in the block it arrived in."""

    class Echo(Handler):
        def channel_read(self, ctx, msg):
            ctx.write(msg)

    pool = Pool()
    channel = EmbeddedChannel(
        DecoderHandler(LengthFieldBasedFrameDecoder(1 << 20, 0, 4, 0, 4)),
        EncoderHandler(LengthFieldPrepender(4)),
        Echo(),
        allocator=pool,
    )
    data = frame(1000) * 60
    buf = received(pool, data)
    bill = Bill()
    channel.write_inbound(buf)
    channel.pipeline.flush()
    parts = [channel.read_outbound() for _ in range(120)]
    assert bill.copies() == {}
    assert b"".join(bytes(part) for part in parts) == data
    del buf, parts
    assert pool.statistics().live_blocks == 0


def test_wrapped_bytes_are_fed_by_reference_b185():
    """bytes are kept, not copied; other bytes-likes are copied once and billed as SNAPSHOT."""
    decoder = LengthFieldBasedFrameDecoder(1 << 20)
    data = frame(500)
    bill = Bill()
    decoder.feed(data)
    assert bill.copies() == {}
    decoder.feed(memoryview(bytearray(data)))
    assert bill.copies().get("SNAPSHOT") == 504
    assert len(list(decoder)) == 2


@pytest.mark.parametrize("size", [1000, 2000, 4000])
def test_byte_by_byte_asks_the_parser_twice_b132(size):
    """A parser that says how much it needs is called for the head and for the frame, not for each byte."""
    calls = 0

    class Counts(Decoder):
        def parse(self, buf):
            nonlocal calls
            calls += 1
            if not buf.can_read(4):
                return self.need(4)
            n = 4 + buf.get_unsigned_int(buf.reader_index)
            return buf.read_slice(n) if buf.can_read(n) else self.need(n)

    decoder = Counts()
    for byte in frame(size):
        decoder.feed(bytes([byte]))
        decoder.next()
    assert calls == 3 and decoder.buffered == 0


@pytest.mark.parametrize("limit", [10_000, 20_000])
def test_endless_input_byte_by_byte_is_linear_and_ends_at_the_limit_b144(limit):
    """Bytes without an end fail at the limit; twice the limit copies at most 2.3 times the bytes."""

    class Never(Decoder):
        def parse(self, buf):
            return NEED_DATA

    bill = Bill()
    decoder = Never(Limits(max_frame_bytes=limit))
    with pytest.raises(TooLongFrameError):
        for n in range(limit + 1):
            decoder.feed(b"x")
            assert decoder.next() is NEED_DATA, n
    assert limit <= bill.copies()["CUMULATE"] < 2.3 * limit
    assert decoder.buffered == 0


def test_skipping_a_frame_that_is_too_long_buffers_nothing():
    """The rest of a refused frame is dropped as it comes: no block stays leased."""
    pool = Pool()
    decoder = LengthFieldBasedFrameDecoder(1024, 0, 4, 0, 4)
    decoder.feed((1 << 30).to_bytes(4, "big"))
    with pytest.raises(TooLongFrameError):
        decoder.next()
    bill = Bill()
    for _ in range(100):
        decoder.feed(received(pool, b""))
        piece = pool.buffer(BLOCK)
        piece.writer_index = BLOCK
        decoder.feed(piece)
        assert decoder.next() is NEED_DATA
        assert pool.statistics().live_blocks <= 1
    assert bill.copies() == {} and decoder.buffered == 0


def test_events_nobody_overrides_call_nothing():
    """An event walks past handlers that do not want it without a call in Python."""
    calls = []

    class Idle(Handler):
        pass

    channel = EmbeddedChannel(*(Idle() for _ in range(5)))
    pipeline = channel.pipeline
    sys.setprofile(lambda frame, event, arg: calls.append(frame.f_code.co_name) if event == "call" else None)
    try:
        pipeline.fire_channel_read_complete()
        pipeline.fire_channel_writability_changed()
    finally:
        sys.setprofile(None)
    assert not [name for name in calls if name in ("channel_read_complete", "channel_writability_changed")]


def test_an_idle_decoder_holds_no_block():
    """Between frames a connection's codec keeps no memory of the pool, and few bytes of its own."""
    pool = Pool()
    channel = EmbeddedChannel(
        CodecHandler(LengthFieldBasedFrameDecoder(1 << 20, 0, 4, 0, 4), LengthFieldPrepender(4)), allocator=pool
    )
    channel.write_inbound(received(pool, frame(100) * 3))
    channel.release_inbound()
    gc.collect()
    assert pool.statistics().live_blocks == 0


def test_one_part_of_a_chain_is_let_go_when_it_was_read_b136():
    """Behind a chained frame only the blocks with unread bytes stay leased."""
    pool = Pool()
    decoder = LengthFieldBasedFrameDecoder(1 << 20, 0, 4, 0, 4)
    data = frame(100_000) + frame(40_000) + frame(90_000)
    for at in range(0, len(data), BLOCK):
        decoder.feed(received(pool, data[at : at + BLOCK]))
        for one in decoder:
            one.release()
        unread = -(-decoder.buffered // BLOCK)
        assert pool.statistics().live_blocks <= unread + 1
    assert decoder.buffered == 0 and pool.statistics().live_blocks == 0


def test_feeding_a_copy_changes_no_bill_of_the_decoder():
    """What the caller copied for itself is the caller's copy; feeding it costs nothing more."""
    decoder = LengthFieldBasedFrameDecoder(1 << 20)
    buf = copied(frame(2000))
    bill = Bill()
    decoder.feed(buf)
    assert len(decoder.next()) == 2004 and bill.copies() == {}
