"""The line decoder: what ends a line, what is too long, and what it costs."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zbuf.codec import NEED_DATA, LineBasedFrameDecoder
from zbuf.errors import CorruptedFrameError, IncompleteFrameError, TooLongFrameError
from zbuf.testing import check_decoder


def test_lines_of_both_ends_and_empty_ones_b142():
    """LF and CR LF end a line, empty lines are frames, and every cut gives the same."""
    check_decoder(lambda: LineBasedFrameDecoder(10), b"one\r\ntwo\n\n\r\nthree\n", [b"one", b"two", b"", b"", b"three"])


def test_lone_cr_stays_in_the_line_b142():
    """A CR that no LF follows is a character like others, also the one before CR LF."""
    check_decoder(lambda: LineBasedFrameDecoder(10), b"\ra\rb\r\r\n\r\n\rx\n", [b"\ra\rb\r", b"", b"\rx"])


def test_strip_false_keeps_the_end_b142():
    """The end of the line is part of the frame, but does not count towards the limit."""
    check_decoder(lambda: LineBasedFrameDecoder(3, strip=False), b"one\r\ntwo\n\n", [b"one\r\n", b"two\n", b"\n"])


def test_bare_lf_is_refused_where_it_is_not_allowed_b142():
    """With bare_lf=False a line ends with CR LF only; the line behind the bad one decodes."""
    check_decoder(
        lambda: LineBasedFrameDecoder(10, bare_lf=False),
        b"one\r\ntwo\nthree\r\n\n\r\n",
        [b"one", CorruptedFrameError, b"three", CorruptedFrameError, b""],
    )


def test_bare_lf_error_says_where():
    """The error carries the place of the LF in the line."""
    decoder = LineBasedFrameDecoder(10, bare_lf=False)
    decoder.feed(b"two\n")
    with pytest.raises(CorruptedFrameError) as caught:
        decoder.next()
    assert caught.value.position == 3


@pytest.mark.parametrize("fail_fast", [True, False])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("size", [4, 5, 6, 7, 8])
def test_exactly_max_frame_length_passes_b141(size, end, fail_fast):
    """A line of exactly the limit passes with either end, one byte more does not; the next line decodes."""
    expected = [b"x" * size] if size <= 5 else [TooLongFrameError]
    check_decoder(
        lambda: LineBasedFrameDecoder(5, fail_fast=fail_fast), b"x" * size + end + b"ok\n", [*expected, b"ok"]
    )


@pytest.mark.parametrize("fail_fast", [True, False])
def test_too_long_with_cr_at_every_place_recovers_b142(fail_fast):
    """A CR at the border of the limit may be the end of the line, or not: the bytes decide, not the cuts."""
    check_decoder(
        lambda: LineBasedFrameDecoder(3, fail_fast=fail_fast),
        b"abc\r\n" + b"abc\rd\n" + b"abcd\r\n" + b"\r\r\r\r\n" + b"\r\r\r\r\r\n" + b"ok\r\n",
        [b"abc", TooLongFrameError, TooLongFrameError, b"\r\r\r", TooLongFrameError, b"ok"],
    )


def test_too_long_and_bare_is_too_long_b142():
    """Of two faults of one line the length is reported, however it is cut."""
    check_decoder(
        lambda: LineBasedFrameDecoder(3, bare_lf=False),
        b"abcd\nok\r\n" + b"abcdefgh\r\n",
        [TooLongFrameError, b"ok"] + [TooLongFrameError],
    )


def test_too_long_fails_fast_before_the_end_of_the_line_b142():
    """The error comes when the line cannot end in time any more, once, and the rest of the line is dropped."""
    decoder = LineBasedFrameDecoder(4)
    decoder.feed(b"abcde")
    assert decoder.next() is NEED_DATA  # the fifth byte might be a CR
    decoder.feed(b"f")
    with pytest.raises(TooLongFrameError) as caught:
        decoder.next()
    assert (caught.value.limit, caught.value.maximum, caught.value.value) == ("max_frame_length", 4, 5)
    for _ in range(100):
        decoder.feed(b"ghijkl")
        assert decoder.next() is NEED_DATA and decoder.buffered <= 1
    decoder.feed(b"m\nok\n")
    assert list(decoder) == [b"ok"]


def test_too_long_slow_raises_at_the_end_of_the_line_b142():
    """Without fail_fast the error comes with the LF and knows the length of the whole line."""
    decoder = LineBasedFrameDecoder(4, fail_fast=False)
    decoder.feed(b"abcdefgh")
    assert decoder.next() is NEED_DATA
    decoder.feed(b"ij\r\nok\n")
    with pytest.raises(TooLongFrameError) as caught:
        decoder.next()
    assert caught.value.value == 10
    assert list(decoder) == [b"ok"]


def test_end_inside_a_line_that_is_skipped():
    """Reported already: silence. Not reported yet: the error it was due, once."""
    fast, slow = LineBasedFrameDecoder(2), LineBasedFrameDecoder(2, fail_fast=False)
    fast.feed(b"abcdefgh")
    with pytest.raises(TooLongFrameError):
        fast.next()
    fast.end()
    slow.feed(b"abcdefgh")
    assert slow.next() is NEED_DATA
    with pytest.raises(TooLongFrameError) as caught:
        slow.end()
    assert caught.value.value == 8
    slow.end()
    for decoder in (fast, slow):
        decoder.feed(b"ok\n")
        assert list(decoder) == [b"ok"]


def test_end_inside_a_line_raises_incomplete_b137():
    """A last line without an end is no line."""
    check_decoder(lambda: LineBasedFrameDecoder(10), b"one\ntw", [b"one", IncompleteFrameError])


def test_leftover_forgets_how_far_was_searched():
    """After leftover() the decoder is as new: an LF in what is fed next is found wherever it stands."""
    decoder = LineBasedFrameDecoder(10)
    decoder.feed(b"abcdef")
    assert decoder.next() is NEED_DATA
    assert decoder.leftover() == b"abcdef"
    decoder.feed(b"\nx")
    assert decoder.next() == b""


def test_frames_share_the_block(pool):
    """A line is a window on the block it came in, and holds it."""
    buf = pool.buffer(64)
    buf.write_bytes(b"one\ntwo\n")
    decoder = LineBasedFrameDecoder(10)
    decoder.feed(buf)
    one = decoder.next()
    assert pool.statistics().live_blocks == 1
    decoder.leftover().release()
    assert one == b"one" and one.is_shared is False
    one.release()
    assert pool.statistics().live_blocks == 0


@pytest.mark.parametrize("length", [0, -1, 2**63])
def test_bad_length_raises_value_error(length):
    """A limit is positive and fits the machine."""
    with pytest.raises(ValueError):
        LineBasedFrameDecoder(length)


def test_a_subclass_may_extend_parse():
    """A parse() of a subclass is called for every line, in both forms."""

    class Numbers(LineBasedFrameDecoder):
        def parse(self, buf):
            line = super().parse(buf)
            return line if line is NEED_DATA else int(bytes(line))

    check_decoder(lambda: Numbers(5), b"1\n22\r\n333\n4", [1, 22, 333, IncompleteFrameError])


@given(st.text(alphabet="\r\nab", max_size=60), st.integers(1, 8), st.booleans())
@example("\r\n\n\r", 1, True)
def test_lines_agree_with_a_split_of_the_whole(text, longest, strip):
    """What comes out is what splitting the whole at each LF gives, with errors where a line is too long."""
    data = text.encode()
    expected = []
    for line in data.split(b"\n")[:-1]:
        bare = line.removesuffix(b"\r")
        expected.append(TooLongFrameError if len(bare) > longest else bare if strip else line + b"\n")
    decoder = LineBasedFrameDecoder(longest, strip)
    got = []
    for at in range(0, len(data), 3):
        decoder.feed(data[at : at + 3])
        while True:
            try:
                message = decoder.next()
            except TooLongFrameError:
                got.append(TooLongFrameError)
                continue
            if message is NEED_DATA:
                break
            got.append(bytes(message))
    rest = data.rpartition(b"\n")[2]
    if len(rest) > longest + 1:
        expected.append(TooLongFrameError)
    assert got == expected
