"""Frames of a fixed length."""

import pytest

from zbuf.codec import NEED_DATA, FixedLengthFrameDecoder
from zbuf.errors import IncompleteFrameError
from zbuf.testing import check_decoder


def test_fixed_length_cuts_exactly_and_keeps_the_rest_b145():
    """Frames of three bytes, however the input is cut; one byte is left."""
    check_decoder(lambda: FixedLengthFrameDecoder(3), b"abcdefghi", [b"abc", b"def", b"ghi"])
    check_decoder(lambda: FixedLengthFrameDecoder(3), b"abcd", [b"abc", IncompleteFrameError])
    check_decoder(lambda: FixedLengthFrameDecoder(1), b"abc", [b"a", b"b", b"c"])


def test_fixed_length_says_what_it_needs_b132():
    """`needed` is the rest of the frame."""
    decoder = FixedLengthFrameDecoder(100)
    decoder.feed(b"x")
    assert decoder.next() is NEED_DATA and decoder.needed == 99


@pytest.mark.parametrize("length", [0, -1, 2**63])
def test_fixed_length_bad_length_raises_value_error_b145(length):
    """A frame has at least one byte."""
    with pytest.raises(ValueError):
        FixedLengthFrameDecoder(length)


def test_fixed_length_not_an_integer_raises_type_error():
    """2.0 is no length."""
    with pytest.raises(TypeError):
        FixedLengthFrameDecoder(2.0)
