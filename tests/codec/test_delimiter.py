"""The delimiter decoder: which delimiter counts, what is too long, and that cuts change nothing."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zbuf import copied
from zbuf.codec import NEED_DATA, DelimiterBasedFrameDecoder
from zbuf.errors import IncompleteFrameError, TooLongFrameError
from zbuf.testing import check_decoder


def frames(*delimiters, longest=20, **options):
    """A function that makes decoders."""
    return lambda: DelimiterBasedFrameDecoder(longest, *delimiters, **options)


def test_one_delimiter_b143():
    """Frames between delimiters, empty ones too, for every cut."""
    check_decoder(frames(b"\0"), b"one\0\0two\0", [b"one", b"", b"two"])


def test_earliest_delimiter_wins_b143():
    """Of several delimiters the one that begins first ends the frame, whatever their order."""
    for delimiters in ((b";", b"\r\n"), (b"\r\n", b";")):
        check_decoder(frames(*delimiters), b"a;b\r\nc\r;d\r\n;", [b"a", b"b", b"c\r", b"d", b""])


def test_longest_delimiter_at_the_same_place_wins_b143():
    """A delimiter that is the beginning of another waits for the byte that decides."""
    check_decoder(frames(b"\n", b"\n\n"), b"a\n\nb\nc\n\n\nd\n.", [b"a", b"b", b"c", b"", b"d", IncompleteFrameError])


def test_delimiter_inside_a_longer_one_waits_b143():
    """The longer one begins earlier: it wins if it comes, else the one inside it counts."""
    make = frames(b"b", b"abc")
    check_decoder(make, b"xabcyabdb", [b"x", b"ya", b"d"])
    decoder = make()
    decoder.feed(b"xab")
    assert decoder.next() is NEED_DATA
    decoder.feed(b"c")
    assert decoder.next() == b"x"


def test_delimiter_that_overlaps_itself_b143():
    """Of the places where a delimiter could begin the first counts."""
    check_decoder(frames(b"aba"), b"xababa.aba", [b"x", b"ba."])
    check_decoder(frames(b"aa"), b"aaaxaaaa.", [b"", b"ax", b"", IncompleteFrameError])


def test_delimiters_are_found_across_feeds_in_skip_mode_b143():
    """The end of a frame that is too long is found wherever it is cut."""
    for fail_fast in (True, False):
        check_decoder(
            frames(b"<end>", longest=4, fail_fast=fail_fast),
            b"ok<end>" + b"much <en too long<<end>" + b"ok<end><end>",
            [b"ok", TooLongFrameError, b"ok", b""],
        )


@pytest.mark.parametrize("size", [4, 5, 6, 7, 20])
@pytest.mark.parametrize("fail_fast", [True, False])
def test_exactly_max_frame_length_passes_b141(size, fail_fast):
    """The limit holds for the frame without its delimiter."""
    expected = [b"x" * size + b"--"] if size <= 5 else [TooLongFrameError]
    make = frames(b"--", longest=5, strip=False, fail_fast=fail_fast)
    check_decoder(make, b"x" * size + b"--" + b"ok--", [*expected, b"ok--"])


def test_too_long_fails_fast_when_no_delimiter_can_come_in_time_b143():
    """The bytes at the end may be the beginning of a delimiter; when even that is too late the error comes."""
    decoder = frames(b"abc", longest=4)()
    decoder.feed(b"xxxxab")
    assert decoder.next() is NEED_DATA
    decoder.feed(b"x")
    with pytest.raises(TooLongFrameError) as caught:
        decoder.next()
    assert (caught.value.maximum, caught.value.value) == (4, 5)
    decoder.feed(b"abcok" + b"abc")
    assert list(decoder) == [b"ok"]


@pytest.mark.parametrize("delimiters", [(), (b"",), (b"a", b"")])
def test_no_or_empty_delimiter_raises_value_error(delimiters):
    """Without a delimiter there is no frame; an empty one would be found everywhere."""
    with pytest.raises(ValueError):
        DelimiterBasedFrameDecoder(10, *delimiters)


@pytest.mark.parametrize("delimiter", ["\n", 10, None])
def test_delimiter_that_is_no_buffer_raises_type_error(delimiter):
    """Text and numbers are no bytes; 10 does not mean ten zeros."""
    with pytest.raises(TypeError):
        DelimiterBasedFrameDecoder(10, delimiter)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, copied])
def test_delimiter_of_any_buffer(kind):
    """Whatever holds bytes can be a delimiter; twice the same is one."""
    assert [b"a"] == _all(DelimiterBasedFrameDecoder(10, kind(b"::"), b"::"), b"a::b")


def _all(decoder, data):
    decoder.feed(data)
    return [bytes(frame) for frame in decoder]


def reference(data, delimiters, longest):
    """What the whole gives: the earliest delimiter, the longest there; (content, delimiter) and the rest."""
    found, at = [], 0
    while True:
        places = [(data.find(one, at), -len(one)) for one in delimiters]
        places = [place for place in places if place[0] >= 0]
        if not places:
            return found, data[at:]
        start, size = min(places)
        found.append(TooLongFrameError if start - at > longest else data[at:start])
        at = start - size


@given(
    st.text(alphabet="abc", max_size=40),
    st.lists(st.text(alphabet="abc", min_size=1, max_size=4), min_size=1, max_size=4),
    st.integers(1, 6),
    st.booleans(),
    st.lists(st.integers(0, 40), max_size=5),
)
@example("abcab", ["b", "abc"], 6, True, [2])
@example("aabaab", ["aab", "ab"], 1, False, [1, 3])
def test_frames_agree_with_a_search_of_the_whole_b143(text, delimiters, longest, fail_fast, cuts):
    """Closed with a byte that decides everything, the input gives what a search over the whole gives, for any cut."""
    data = text.encode() + b"." * 5
    needles = [one.encode() for one in delimiters]
    expected, rest = reference(data, needles, longest)
    decoder = DelimiterBasedFrameDecoder(longest, *needles, fail_fast=fail_fast)
    got = []
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    for start, end in zip([0, *ends], ends, strict=False):
        decoder.feed(data[start:end])
        while True:
            try:
                message = decoder.next()
            except TooLongFrameError:
                got.append(TooLongFrameError)
                continue
            if message is NEED_DATA:
                break
            got.append(bytes(message))
    if fail_fast and len(rest) - max(map(len, needles)) + 1 > longest:
        expected.append(TooLongFrameError)
    assert got == expected
