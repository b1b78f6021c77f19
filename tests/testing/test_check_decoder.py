"""check_decoder: it passes good decoders, and finds each kind of bad one with the cut that shows it."""

import pytest

from zbuf import wrap
from zbuf.codec import NEED_DATA, Decoder
from zbuf.errors import CorruptedFrameError, IncompleteFrameError
from zbuf.testing import check_decoder

DATA = b"one\ntwo\n\nfour\n"


class Good(Decoder):
    """Lines."""

    def parse(self, buf):
        at = buf.find(b"\n")
        if at < 0:
            return NEED_DATA
        line = buf.read_slice(at - buf.reader_index)
        buf.skip_bytes(1)
        return line


LINES = [b"one", b"two", b"", b"four"]


def test_good_decoder_passes():
    """Whole, cut, and with an end inside a line."""
    check_decoder(Good, DATA, LINES)
    check_decoder(Good, DATA + b"rest", [*LINES, IncompleteFrameError])
    check_decoder(Good, DATA + b"rest", LINES)
    check_decoder(Good, b"", [])


@pytest.mark.parametrize(
    "expected",
    [LINES[:-1], [*LINES, b"five"], [b"one", b"TWO", b"", b"four"], [b"one", CorruptedFrameError], []],
)
def test_wrong_expectation_fails_when_fed_whole(expected):
    """A missing, a surplus, a wrong message, an error that does not come: each is reported for the whole input."""
    with pytest.raises(AssertionError, match="fed whole"):
        check_decoder(Good, DATA, expected)


def test_decoder_that_needs_the_whole_line_at_once_is_found():
    """A parser that consumes half a line and forgets it fails at the first cut inside a line, which is named."""

    class Forgets(Good):
        def parse(self, buf):
            line = super().parse(buf)
            if line is NEED_DATA:
                buf.skip_bytes(len(buf))
            return line

    with pytest.raises(AssertionError, match="cut at 1 of 14"):
        check_decoder(Forgets, DATA, LINES)


def test_decoder_that_knows_only_one_shape_is_found():
    """A parser that assumes reader index 0 passes every cut of plain bytes, and fails in the shapes."""

    class AtZero(Decoder):
        def parse(self, buf):
            frame = bytes([buf.get_unsigned_byte(0)]) if buf.reader_index == 0 else b"?"
            buf.skip_bytes(len(buf))
            return frame

    with pytest.raises(AssertionError, match="after head"):
        check_decoder(AtZero, b"x", [b"x"])


def test_frame_that_changes_later_is_found():
    """A frame on memory that the decoder uses again is caught when it is looked at once more."""

    class Reuses(Good):
        def __init__(self):
            super().__init__()
            self.scratch = bytearray(8)

        def parse(self, buf):
            line = super().parse(buf)
            if line is NEED_DATA:
                return line
            n = len(line)
            self.scratch[:n] = bytes(line)
            return wrap(memoryview(self.scratch)[:n])

    with pytest.raises(AssertionError, match="changed after it was handed out"):
        check_decoder(Reuses, DATA, LINES)


def test_errors_in_the_middle_are_expected_by_class():
    """An error class stands for an error at that place; the run goes on behind it, and ends at the last item."""

    class Picky(Good):
        def parse(self, buf):
            line = super().parse(buf)
            if line is not NEED_DATA and line == b"two":
                raise CorruptedFrameError("two")
            return line

    check_decoder(Picky, DATA, [b"one", CorruptedFrameError, b"", b"four"])
    check_decoder(Picky, DATA, [b"one", CorruptedFrameError])
    with pytest.raises(AssertionError, match="CorruptedFrameError"):
        check_decoder(Picky, DATA, [b"one", IncompleteFrameError])


def test_decoder_that_never_gets_past_an_error_ends():
    """A parser that raises without consuming does not hang the check."""

    class Wedged(Decoder):
        def parse(self, buf):
            raise CorruptedFrameError("here")

    check_decoder(Wedged, b"ab", [CorruptedFrameError])


def test_bytes_left_must_agree():
    """A decoder that eats the unfinished rest only when it comes in pieces is found by what is left."""

    class Eats(Good):
        calls = 0

        def parse(self, buf):
            self.calls += 1
            line = super().parse(buf)
            if line is NEED_DATA and self.calls > 1:
                buf.skip_bytes(len(buf))
            return line

    with pytest.raises(AssertionError, match="bytes are left"):
        check_decoder(Eats, b"rest", [])
