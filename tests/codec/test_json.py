"""JSON values in a stream: where each ends, in every cut; depth, size, brackets that do not match."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from zbuf import Pool
from zbuf.codec import NEED_DATA, JsonLinesDecoder, JsonLinesEncoder, JsonObjectDecoder
from zbuf.errors import (
    CorruptedFrameError,
    DecodeError,
    EncodeError,
    IncompleteFrameError,
    LimitExceededError,
    TooLongFrameError,
)
from zbuf.testing import check_decoder


def elements(longest=1000, **options):
    """A function that makes decoders of array elements."""
    return lambda: JsonObjectDecoder(longest, stream_array_elements=True, **options)


def test_objects_and_arrays_for_every_cut_b130():
    """Values behind each other, with and without white space, nested, empty."""
    values = [b'{"a": [1, {"b": 2}]}', b"[]", b"{}", b"[[[]]]", b"[1,\n2]"]
    check_decoder(JsonObjectDecoder, b"".join(values), values)
    check_decoder(JsonObjectDecoder, b" \t\r\n" + b"\r\n  ".join(values) + b"\n", values)


def test_brackets_and_escapes_in_strings_are_text_b130():
    """Quotation marks, backslashes and brackets inside strings, cut at every byte."""
    values = [rb'{"}": "[\"{\\", "\\\\": "\\\"]"}', rb'["\u005d\\"]', b'{"\xc3\xa9{": ""}']
    check_decoder(JsonObjectDecoder, b" ".join(values), values)


@pytest.mark.parametrize("size", [19, 20, 21, 40])
def test_exactly_max_object_length_passes_b141(size):
    """One byte more is skipped to the end of its value, and the next one decodes."""
    value = b'{"a": "' + b"}" * (size - 9) + b'"}'
    expected = [value] if size <= 20 else [TooLongFrameError]
    check_decoder(lambda: JsonObjectDecoder(20), value + b"[1] " + value + b"{}", [*expected, b"[1]", *expected, b"{}"])


@pytest.mark.parametrize("depth", [2, 3, 4, 50])
def test_exactly_max_depth_passes_b141(depth):
    """One bracket more raises, the rest of the value is skipped without a stack, and the next one decodes."""
    value = b"[" * depth + b'{"]": 1}' + b"]" * depth
    expected = [value] if depth < 4 else [LimitExceededError]
    check_decoder(lambda: JsonObjectDecoder(max_depth=4), value + b"[1]", [*expected, b"[1]"])


def test_hundred_thousand_deep_is_refused_without_recursion():
    """The error names the limit; the brackets are dropped as they come."""
    decoder = JsonObjectDecoder()
    decoder.feed(b"[" * 100_000)
    with pytest.raises(LimitExceededError) as caught:
        decoder.next()
    assert (caught.value.limit, caught.value.maximum, caught.value.value) == ("max_depth", 64, 65)
    assert decoder.next() is NEED_DATA and decoder.buffered == 0
    decoder.feed(b"]" * 100_000 + b"{}")
    assert list(decoder) == [b"{}"]


def test_brackets_that_do_not_match_are_corrupt():
    """What is wrong is consumed, and decoding goes on at the next bracket that opens."""
    check_decoder(JsonObjectDecoder, b'{"a": [1}] x [2]', [CorruptedFrameError, b"[2]"])
    check_decoder(JsonObjectDecoder, b"[1] ] {}", [b"[1]", CorruptedFrameError, b"{}"])


@pytest.mark.parametrize("garbage", [b"x", b"1", b'"a"', b",", b"nonsense that goes on", b"\xef\xbb\xbf", b"\0"])
def test_what_is_no_value_is_one_error_up_to_the_next_bracket(garbage):
    """Between values only white space may stand."""
    check_decoder(JsonObjectDecoder, b"{}" + garbage + b"[1]", [b"{}", CorruptedFrameError, b"[1]"])


def test_end_inside_a_value_b137():
    """Brackets or strings are open."""
    for data in (b"{", b'{"a', b'["\\', b"[[]"):
        check_decoder(JsonObjectDecoder, b"{}" + data, [b"{}", IncompleteFrameError])


def test_end_inside_a_value_that_is_skipped_is_silent():
    """It was reported; the next input begins anew."""
    decoder = JsonObjectDecoder(5)
    decoder.feed(b"[1,2,3,4,5")
    with pytest.raises(TooLongFrameError):
        decoder.next()
    decoder.end()
    decoder.feed(b"[1]")
    assert list(decoder) == [b"[1]"]


def test_leftover_forgets_strings_and_depth():
    """The decoder is as new."""
    decoder = JsonObjectDecoder()
    decoder.feed(b'[["a')
    assert decoder.next() is NEED_DATA
    assert decoder.leftover() == b'[["a'
    decoder.feed(b"[]")
    assert list(decoder) == [b"[]"]


# Elements of an array.


def test_elements_of_an_array_are_frames_for_every_cut():
    """Objects, arrays, strings, numbers and words, each as soon as it is complete; objects at the top as before."""
    check_decoder(
        elements(),
        rb'[{"a": [1]}, [2, 3] ,"x,]\"", -1.5e+3,true,null ] [] [[]] {"b": []}',
        [b'{"a": [1]}', b"[2, 3]", rb'"x,]\""', b"-1.5e+3", b"true", b"null", b"[]", b'{"b": []}'],
    )


def test_elements_come_before_the_array_ends():
    """A number shows its end with the byte behind it, the others with their last byte."""
    decoder = elements()()
    decoder.feed(b'[1, {"a": 2}')
    assert [bytes(one) for one in decoder] == [b"1", b'{"a": 2}'] and decoder.buffered == 0
    with pytest.raises(IncompleteFrameError):
        decoder.end()
    decoder.end()


@pytest.mark.parametrize("wrong", [b"[1 2", b"[,", b"[1,]", b"[1,,", b"[@", b"[1@", b"[}", b"[1:", b"[[}"])
def test_elements_that_do_not_follow_each_other_are_corrupt(wrong):
    """The array is given up, and decoding goes on at the next bracket that opens."""
    ones = [b"1"] if wrong[1:2] == b"1" and wrong[2:3] not in (b"@", b":") else []
    check_decoder(elements(), wrong + b' "x" {}', [*ones, CorruptedFrameError, b"{}"])


@pytest.mark.parametrize("element", [b'"%s"' % (b"x" * 9), b"1" * 11, b"[%s]" % (b"1," * 4 + b"1")])
def test_element_that_is_too_long_is_skipped_and_the_next_one_comes(element):
    """The limit is that of an element; those around it come."""
    assert len(element) == 11
    check_decoder(elements(10), b"[1," + element + b" ,2]{}", [b"1", TooLongFrameError, b"2", b"{}"])
    check_decoder(elements(11), b"[1," + element + b" ,2]{}", [b"1", element, b"2", b"{}"])


def test_depth_counts_the_array_around():
    """An element may be one bracket less deep."""
    check_decoder(elements(max_depth=3), b"[[[1]],[[[2]]],3]", [b"[[1]]", LimitExceededError, b"3"])


def test_endless_array_holds_one_element():
    """Elements of an array without an end are handed out; nothing gathers."""
    pool = Pool()
    decoder = elements()()
    for n in range(2000):
        buf = pool.buffer(64)
        buf.write_bytes(b"%s%d" % (b"," if n else b"[", n))
        decoder.feed(buf)
        for one in decoder:
            one.release()
        assert decoder.buffered < 10
    assert pool.statistics().live_blocks <= 2


# Against the parser of Python.

TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text(alphabet='ab"\\[]{},: é', max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text('a"\\]}', max_size=3), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(TREES, max_size=5), st.sampled_from([None, 2]), st.integers(1, 9))
@example([["\\"], {"\\": "\\"}], None, 1)
def test_frames_are_the_values_that_were_written_b150(trees, indent, step):
    """What Python's encoder writes comes out value by value, and its decoder reads the same from each."""
    values = [tree if isinstance(tree, (list, dict)) else [tree] for tree in trees]
    data = "\n".join(json.dumps(value, indent=indent, ensure_ascii=False) for value in values).encode()
    decoder, streaming = JsonObjectDecoder(), elements()()
    got, streamed = [], []
    for at in range(0, len(data), step):
        decoder.feed(data[at : at + step])
        got += [json.loads(bytes(one)) for one in decoder]
        streaming.feed(data[at : at + step])
        streamed += [json.loads(bytes(one)) for one in streaming]
    decoder.end()
    streaming.end()
    assert got == values
    assert streamed == [one for value in values for one in (value if isinstance(value, list) else [value])]


@pytest.mark.parametrize("inside", [b'"', b"[", b"\\"], ids=["string", "brackets", "backslashes"])
def test_a_large_value_byte_by_byte_is_linear_b144(inside):
    """One byte more costs the same whether a little or a lot of the value is held."""
    opening = b'["' if inside != b"[" else b"[["

    def cost(held):
        decoder = JsonObjectDecoder(64 << 20, max_depth=1 << 20)
        decoder.feed(opening + inside * (2 if inside == b"\\" else 0) + b"x" * held)
        assert decoder.next() is NEED_DATA
        started = time.thread_time()
        for _ in range(400):
            decoder.feed(b"x")
            decoder.next()
        return time.thread_time() - started

    small, large = (min(cost(held) for _ in range(5)) for held in (2000, 4_000_000))
    assert large < 12 * small, (small, large)


def test_long_strings_with_many_escapes_are_no_trap():
    """Half a million escapes in one string, whole and cut, without a stack or a second look."""
    value = b'["' + rb"\"\\" * 250_000 + b'"]'
    decoder = JsonObjectDecoder(2 << 20)
    decoder.feed(value)
    assert len(decoder.next()) == len(value)
    for at in range(0, len(value), 99_999):
        decoder.feed(value[at : at + 99_999])
    assert len(decoder.next()) == len(value) and decoder.buffered == 0


@pytest.mark.parametrize("options", [{"max_object_length": 0}, {"max_depth": 0}, {"max_object_length": -1}])
def test_bad_limits_raise_value_error(options):
    """Limits are positive."""
    with pytest.raises(ValueError):
        JsonObjectDecoder(**options)


# Lines.


def test_json_lines_for_every_cut_b130():
    """Any value is a message, null too; blank lines are passed over; a bad line is one error."""
    check_decoder(
        JsonLinesDecoder,
        b'{"a": [1, "x"]}\r\n\n  \t\nnull\n"text"\n-1.5\n{"a"\n[NaN]\ntrue\n',
        [{"a": [1, "x"]}, None, "text", -1.5, CorruptedFrameError, CorruptedFrameError, True],
    )


@pytest.mark.parametrize(
    "line", [b"{", b"[1,]", b"01", b"'a'", b"Infinity", b'"\xff"', b'"\xed\xa0\x80"', b"1" * 5000, b'"a', b"1 2", b"\0"]
)
def test_line_that_is_no_json_is_corrupt(line):
    """Whatever Python's parser says, it is a DecodeError here, and the next line decodes."""
    decoder = JsonLinesDecoder()
    decoder.feed(line + b"\n1\n")
    with pytest.raises(CorruptedFrameError):
        decoder.next()
    assert list(decoder) == [1]


@pytest.mark.parametrize("depth", [3, 4, 5, 100_000])
def test_json_lines_depth_b141(depth):
    """Exactly max_depth passes; deeper is refused before it is parsed, also where the parser would give up."""
    line = b"[" * depth + b"]" * depth + b"\n"
    decoder = JsonLinesDecoder(max_depth=4)
    decoder.feed(line + b'["[[[[["]\n')
    if depth <= 4:
        assert decoder.next() is not NEED_DATA
    else:
        with pytest.raises(LimitExceededError) as caught:
            decoder.next()
        assert caught.value.limit == "max_depth"
    assert list(decoder) == [["[[[[["]]


def test_json_lines_too_long_b141():
    """The limit is that of the line."""
    check_decoder(lambda: JsonLinesDecoder(5), b"[1,2]\n[1,23]\n1\n", [[1, 2], TooLongFrameError, 1])


@given(st.lists(TREES, max_size=6), st.integers(1, 20))
def test_json_lines_decoder_after_encoder_is_the_identity_b150(values, step):
    """Each message is one line, and comes back."""
    encoder = JsonLinesEncoder()
    lines = [part for value in values for part in encoder.encode(value, None)]
    assert all(line.count(b"\n") == 1 and line.endswith(b"\n") for line in lines)
    data, decoder, got = b"".join(lines), JsonLinesDecoder(), []
    for at in range(0, len(data), step):
        decoder.feed(data[at : at + step])
        got += decoder
    decoder.end()
    assert got == values


def _cycle():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes", "\ud800", _cycle(), {(1, 2): 3}])
def test_json_lines_encoder_refuses_what_json_cannot_say(value):
    """Nothing is written."""
    with pytest.raises(EncodeError):
        JsonLinesEncoder().encode(value, None)


@given(st.binary(max_size=60))
def test_any_bytes_raise_decode_errors_only_b131(data):
    """Messages, NEED_DATA or DecodeError, and every loop ends."""
    for decoder in (JsonObjectDecoder(20, max_depth=3), elements(20, max_depth=3)(), JsonLinesDecoder(20, max_depth=3)):
        decoder.feed(data + b"\n")
        for _ in range(len(data) + 2):
            try:
                if decoder.next() is NEED_DATA:
                    break
            except DecodeError:
                continue
        else:
            pytest.fail("no end")
