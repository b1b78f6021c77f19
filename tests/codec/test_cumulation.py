"""How pieces are joined: small ones copied together, large ones chained, nothing moved under a live frame."""

import pytest

from zbuf import CompositeByteBuf, composite, copied
from zbuf.audit import CopyReason, process_account
from zbuf.codec import NEED_DATA, Cumulation, Decoder, Limits
from zbuf.testing import shapes


class Whole(Decoder):
    """One frame of exactly `size` bytes at a time; keeps what `parse` was shown for the tests to look at."""

    def __init__(self, size, **options):
        super().__init__(Limits(max_frame_bytes=1 << 24, max_buffered_bytes=1 << 25), **options)
        self.size = size

    def parse(self, buf):
        self.shown = (type(buf), buf.num_components if isinstance(buf, CompositeByteBuf) else 1)
        if not buf.can_read(self.size):
            return NEED_DATA
        return buf.read_slice(self.size)


def cumulated():
    """Bytes copied so far for CUMULATE, in the whole process."""
    count = process_account().snapshot().user.get(CopyReason.CUMULATE)
    return 0 if count is None else count.nbytes


def test_a_lone_buffer_is_kept_as_it_is(pool):
    """What comes when nothing is held is not copied, and its frames lie in its block."""
    before = cumulated()
    buf = pool.buffer(64)
    buf.write_bytes(b"abcdef")
    decoder = Whole(3)
    decoder.feed(buf)
    frames = list(decoder)
    assert frames == [b"abc", b"def"] and cumulated() == before
    assert pool.statistics().live_blocks == 1
    for frame in frames:
        frame.release()


def test_adaptive_small_pieces_into_one_block_b136():
    """Ten thousand one-byte feeds leave a bounded number of components and copy fewer than three bytes per byte."""
    before = cumulated()
    decoder = Whole(10_000)
    for n in range(9_999):
        decoder.feed(bytes([n & 255]))
        assert decoder.next() is NEED_DATA
    assert decoder.shown[1] <= 24
    assert cumulated() - before < 3 * 9_999
    decoder.feed(b"\xff")
    assert decoder.next() == bytes(n & 255 for n in range(9_999)) + b"\xff"


def test_adaptive_large_pieces_are_chained_b136(pool):
    """Pieces of 64 KiB are chained: 0 bytes are copied."""
    before = cumulated()
    decoder = Whole(1 << 20)
    for n in range(16):
        piece = pool.buffer(65536)
        piece.write_bytes(bytes([n]) * 65536)
        decoder.feed(piece)
        assert (decoder.next() is NEED_DATA) == (n < 15) or n == 15
    assert cumulated() == before
    assert decoder.shown == (CompositeByteBuf, 16)


def test_adaptive_frame_across_large_pieces_is_not_copied_b136():
    """A frame that lies in two pieces is a composite of both; the frame behind it is a plain slice again."""
    before = cumulated()
    decoder = Whole(3000)
    decoder.feed(copied(bytes(2000)))
    assert decoder.next() is NEED_DATA
    decoder.feed(copied(b"\x01" * 5000))
    first, second = decoder.next(), decoder.next()
    assert isinstance(first, CompositeByteBuf) and not isinstance(second, CompositeByteBuf)
    assert first == bytes(2000) + b"\x01" * 1000 and second == b"\x01" * 3000
    assert decoder.buffered == 1000 and cumulated() == before


def test_adaptive_threshold_is_copy_below_b136():
    """A piece below copy_below is copied, one of exactly copy_below is chained."""
    for size, kind in ((99, False), (100, True)):
        decoder = Whole(1000, copy_below=100)
        decoder.feed(b"head")
        decoder.feed(bytes(size))
        assert decoder.next() is NEED_DATA
        assert (decoder.shown[0] is CompositeByteBuf) == kind, size


def test_adaptive_large_hold_is_not_copied_for_a_small_piece():
    """A small piece behind 64 KiB costs its own bytes, not those in front of it."""
    before = cumulated()
    decoder = Whole(70_000)
    decoder.feed(copied(bytes(65536)))
    for _ in range(100):
        decoder.feed(b"x" * 10)
        assert decoder.next() is NEED_DATA
    assert cumulated() - before == 1000
    assert decoder.shown[1] <= 4


def test_adaptive_mixed_sizes_keep_the_order():
    """Small and large pieces in any order come out as the bytes that went in."""
    sizes = [1, 2000, 3, 1024, 1023, 1, 1, 5000, 700, 700, 700, 1]
    data = bytes(i * 7 & 255 for i in range(sum(sizes)))
    decoder = Whole(len(data))
    at = 0
    for size in sizes:
        assert decoder.next() is NEED_DATA
        decoder.feed(copied(data[at : at + size]))
        at += size
    assert decoder.next() == data


def test_adaptive_sole_block_with_room_is_appended_to_in_place(pool):
    """A receive block that nobody else holds takes the next small piece behind its own bytes."""
    buf = pool.buffer(256)
    buf.write_bytes(b"abc")
    decoder = Whole(6)
    decoder.feed(buf)
    assert decoder.next() is NEED_DATA
    before = cumulated()
    decoder.feed(b"def")
    assert cumulated() - before == 3
    assert pool.statistics().live_blocks == 1
    decoder.next().release()


def test_merge_shows_one_piece():
    """Under MERGE a parser never sees a composite, whatever comes."""
    decoder = Whole(10_000, cumulation=Cumulation.MERGE)
    two = composite()
    two.append(b"a" * 2000)
    two.append(b"b" * 2000)
    for piece in (two, bytes(3000), b"c", copied(bytes(999))):
        decoder.feed(piece)
        decoder.next()
        assert decoder.shown[0] is not CompositeByteBuf
    decoder.feed(copied(bytes(2000)))
    assert decoder.next() == b"a" * 2000 + b"b" * 2000 + bytes(3000) + b"c" + bytes(2999)


def test_composite_copies_nothing_b136():
    """Under COMPOSITE not even single bytes are copied."""
    before = cumulated()
    decoder = Whole(500, cumulation=Cumulation.COMPOSITE)
    for _ in range(500):
        decoder.feed(copied(b"x"))
    assert decoder.next() == b"x" * 500
    assert cumulated() == before


def test_composite_components_are_bounded():
    """Under COMPOSITE one-byte pieces are consolidated when there are too many of them."""
    decoder = Whole(5000, cumulation=Cumulation.COMPOSITE)
    for _ in range(4999):
        decoder.feed(copied(b"x"))
        decoder.next()
        assert decoder.shown[1] <= 1025
    decoder.feed(b"x")
    assert decoder.next() == b"x" * 5000


def test_no_more_is_held_than_unread_bytes_and_a_receive_block_b136(pool):
    """After many frames only the block with the unread bytes is still leased."""
    decoder = Whole(100)
    for _ in range(50):
        piece = pool.buffer(2048)
        piece.write_bytes(bytes(1501))
        decoder.feed(piece)
        for frame in decoder:
            frame.release()
        assert pool.statistics().live_bytes <= 2 * 2048
    decoder.leftover().release()


def test_fed_composite_with_room_is_not_written_to():
    """Room behind the bytes of a foreign composite may be somebody else's: it is left alone."""
    fed = composite()
    fed.append(b"abc")
    fed.ensure_writable(16)
    fed.set_bytes(3, b"????")
    spy = fed.duplicate()
    decoder = Whole(6)
    decoder.feed(fed)
    decoder.feed(b"def")
    assert decoder.next() == b"abcdef"
    assert spy.get_bytes(3, 4) == b"????"


@pytest.mark.parametrize("how", list(Cumulation), ids=lambda how: how.name)
@pytest.mark.parametrize("copy_below", [1, 1024])
def test_pieces_of_every_shape_are_joined(how, copy_below):
    """Read-only, shared, sliced and composite pieces give the same bytes, and keep theirs, in both places."""
    for name, first in shapes(b"abcde").items():
        for other, second in shapes(b"fghij").items():
            witnesses = first.slice(), second.slice()
            decoder = Whole(10, cumulation=how, copy_below=copy_below)
            decoder.feed(first.duplicate() if name != other else first.slice())
            decoder.feed(second)
            assert decoder.next() == b"abcdefghij", (name, other)
            assert witnesses[0] == b"abcde" and witnesses[1] == b"fghij"
