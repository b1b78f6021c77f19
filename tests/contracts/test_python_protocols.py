"""Python's protocols: len, items, iteration, comparison, order, hash, copy, operators that do not exist.

Owns    BEHAVIOURS 71 to 74.
Never   exports: test_views has them.
Always  a buffer compares as its readable bytes, whatever it is made of."""

from __future__ import annotations

import array
import copy
import random
import weakref

import pytest

from tests.contracts._kit import Make, each_read_only, each_shape, each_writable, fails, unchanged
from zbuf import ByteBuf, buffer, composite, copied, wrap
from zbuf.errors import BoundsError
from zbuf.testing import shapes

DATA = bytes(range(250, 256)) + bytes(range(6))


def test_b071_equal_content_is_equal_across_all_shapes() -> None:
    """Each shape against each, and against every bytes-like type, in both operand orders."""
    left, right = shapes(DATA), shapes(DATA)
    foreign = (DATA, bytearray(DATA), memoryview(DATA), array.array("B", DATA))
    for name, buf in left.items():
        for other_name, other in right.items():
            assert buf == other, (name, other_name)
            assert (buf != other) is False, (name, other_name)
        for other in foreign:
            assert buf == other, name
            assert other == buf, name
            assert (buf != other) is False, name


@each_shape
def test_b071_other_content_and_other_types_are_not_equal(shape: Make) -> None:
    """Another length, another last byte, and everything that has no bytes."""
    buf = shape(DATA)
    for other in (DATA[:-1], DATA + b"\0", DATA[:-1] + b"\xff", b"", bytearray(len(DATA))):
        assert buf != other
        assert (buf == other) is False
        assert buf != copied(other)
    for alien in (None, "a", 1, 1.0, object(), list(DATA), tuple(DATA)):
        assert (buf == alien) is False
        assert buf != alien
        for compare in ("__lt__", "__le__", "__gt__", "__ge__"):
            assert getattr(buf, compare)(alien) is NotImplemented
    for alien in ("a", None, 1):
        with fails(TypeError, buf):
            buf < alien  # noqa: B015  # raising is the point


@each_shape
def test_b071_typed_views_compare_by_their_bytes(shape: Make) -> None:
    """array("I") on the right side is its twelve bytes."""
    typed = array.array("I", [1, 2, 3])
    buf = shape(typed.tobytes())
    assert buf == typed
    assert buf == memoryview(typed)
    assert (buf != memoryview(typed).cast("B")) is False


@each_shape
def test_b072_order_is_unsigned_then_shorter_first(shape: Make) -> None:
    """FF above 01, a prefix before the longer, both operand orders."""
    assert shape(b"\xff") > shape(b"\x01")
    assert shape(b"ab") < shape(b"abc")
    assert shape(b"") < b"\x00"
    assert b"abd" > shape(b"abc")
    assert shape(b"abc") <= b"abc" <= shape(b"abc")
    assert shape(b"abc") >= shape(b"abb")
    assert not shape(b"abc") < shape(b"abc")
    assert not shape(b"abc") > bytearray(b"abc")


@each_shape
def test_b072_order_agrees_with_bytes_on_random_pairs(shape: Make) -> None:
    """All six operators, near misses included."""
    rng = random.Random(72)
    for _ in range(40):
        one = bytes(rng.choices(b"\x00\x7f\x80\xff", k=rng.randint(0, 12)))
        two = one[: rng.randint(0, len(one))] + bytes(rng.choices(b"\x00\x80", k=rng.randint(0, 2)))
        left, right = shape(one), copied(two)
        for other in (right, two):
            seen = (left == other, left != other, left < other, left <= other, left > other, left >= other)
            assert seen == (one == two, one != two, one < two, one <= two, one > two, one >= two), (one, two)


def test_b073_immutable_memory_hashes_like_bytes() -> None:
    """Wrapped bytes, slices and composites of such: a set of bytes finds them."""
    whole = wrap(b"xxkeyxx")
    key = whole.slice(2, 3)
    joined = composite()
    for piece in (b"k", b"", b"ey"):
        joined.append(piece)
    moved = wrap(b"..key").as_read_only()
    moved.skip_bytes(2)
    for buf in (key, joined, moved, wrap(b"key"), key.duplicate(), joined.slice(), wrap(memoryview(b"key"))):
        assert hash(buf) == hash(b"key")
        assert buf in {b"key"}
        assert {buf: 1}[b"key"] == 1
    assert hash(wrap(b"")) == hash(b"")


def test_b073_writable_memory_has_no_hash() -> None:
    """Writable buffers, read-only views of writable memory, and a composite with one writable span."""
    mixed = composite()
    mixed.append(b"ke")
    mixed.append(copied(b"y"))
    for buf in (
        copied(b"key"),
        copied(b"key").as_read_only(),
        wrap(bytearray(b"key")),
        wrap(bytearray(b"key"), read_only=True),
        wrap(memoryview(bytearray(b"key")).toreadonly()),
        mixed,
        mixed.as_read_only(),
        buffer(8),
    ):
        with pytest.raises(TypeError):
            hash(buf)


@each_shape
def test_b074_items_agree_with_bytes(shape: Make) -> None:
    """len, truth and every index from -len - 1 to len, also after reads."""
    buf, model = shape(DATA), DATA
    for _ in range(3):
        assert (len(buf), bool(buf)) == (len(model), True)
        for index in range(-len(model), len(model)):
            assert buf[index] == model[index]
        for index in (-len(model) - 1, len(model)):
            with fails(BoundsError, buf):
                buf[index]
        buf.skip_bytes(2)
        model = model[2:]
    buf.skip_bytes(buf.readable_bytes)
    assert (len(buf), bool(buf), list(buf)) == (0, False, [])


@each_shape
def test_b074_item_ranges_agree_with_bytes_and_share_memory(shape: Make) -> None:
    """Clamped as Python slices; a step is refused; the result is a fixed slice."""
    buf = shape(DATA)
    edges = (None, -100, -12, -3, -1, 0, 1, 5, 11, 12, 13, 100)
    for start in edges:
        for stop in edges:
            part = buf[start:stop]
            assert part == DATA[start:stop]
            assert part.capacity == part.max_capacity == len(part)
    assert buf[::1] == DATA
    for step in (2, -1):
        with fails(ValueError, buf):
            buf[::step]
    for bad in ("a", None, 1.0, (0, 1)):
        with fails(TypeError, buf):
            buf[bad]


@each_writable
def test_b074_items_are_set_in_place(shape: Make) -> None:
    """As set_byte; a range takes exactly its length and never resizes."""
    buf = shape(DATA)
    buf.skip_bytes(1)
    model = bytearray(DATA[1:])
    for index, value in ((0, 1), (-1, 255), (3, -128), (-11, 7)):
        buf[index] = value
        model[index] = value % 256
    buf[2:5] = b"abc"
    model[2:5] = b"abc"
    buf[-2:] = copied(b"yz")
    model[-2:] = b"yz"
    buf[4:4] = b""
    assert bytes(buf) == model
    for bad in (b"abcd", b"ab", b""):
        with fails(ValueError, buf):
            buf[2:5] = bad
    with fails(ValueError, buf):
        buf[0:4:2] = b"ab"
    for index in (11, -12):
        with fails(BoundsError, buf):
            buf[index] = 1
    for value in (256, -129):
        with fails(OverflowError, buf):
            buf[0] = value
    for bad in ("a", None, 1.5):
        with fails(TypeError, buf):
            buf[0] = bad
        with fails(TypeError, buf):
            buf[0:1] = bad


@each_shape
def test_b074_iteration_agrees_with_bytes(shape: Make) -> None:
    """Forwards, backwards, membership of bytes and of runs."""
    buf = shape(DATA)
    with unchanged(buf):
        assert list(buf) == list(DATA)
        assert list(reversed(buf)) == list(reversed(DATA))
        assert [value in buf for value in range(256)] == [value in DATA for value in range(256)]
        assert b"\xff\x00" in buf
        assert b"\x00\xff" not in buf
        assert b"" in buf
        assert copied(b"\x01\x02") in buf
    for bad in (256, -1):
        with fails(ValueError, buf):
            bad in buf  # noqa: B015  # raising is the point
    for bad in ("a", None, 1.0):
        with fails(TypeError, buf):
            bad in buf  # noqa: B015  # raising is the point


@each_shape
def test_b074_an_iterator_keeps_its_bytes(shape: Make) -> None:
    """It goes on over the bytes as they stood, after the indices moved and after the release."""
    buf = shape(DATA)
    forwards, backwards = iter(buf), reversed(buf)
    assert (next(forwards), next(backwards)) == (DATA[0], DATA[-1])
    buf.skip_bytes(5)
    assert next(forwards) == DATA[1]
    buf.release()
    assert (list(forwards), list(backwards)) == (list(DATA[2:]), list(DATA[-2::-1]))
    assert list(forwards) == []


@each_shape
def test_bytes_of_a_buffer_is_a_fresh_copy(shape: Make) -> None:
    """bytes(buf) is the readable bytes, moves nothing and is not cached."""
    buf = shape(DATA)
    with unchanged(buf):
        assert bytes(buf) == DATA
    buf.skip_bytes(4)
    assert bytes(buf) == DATA[4:]


@each_shape
def test_copy_module_shares_or_copies(shape: Make) -> None:
    """copy.copy is duplicate(), copy.deepcopy is copy()."""
    buf = shape(DATA)
    buf.skip_bytes(1)
    shallow, deep = copy.copy(buf), copy.deepcopy(buf)
    assert (shallow, shallow.reader_index, shallow.refcnt) == (DATA[1:], buf.reader_index, 1)
    assert (deep, deep.reader_index, deep.is_read_only) == (DATA[1:], 0, False)
    if not buf.is_read_only:
        buf.set_byte(buf.reader_index, 77)
        assert (shallow[0], deep[0]) == (77, DATA[1])


@each_shape
def test_weak_references_are_allowed(shape: Make) -> None:
    """They die with the handle."""
    buf = shape(DATA)
    ref = weakref.ref(buf)
    assert ref() is buf
    del buf
    assert ref() is None


@each_shape
def test_operators_that_would_guess_are_missing(shape: Make) -> None:
    """No +, *, += and del: a buffer is neither a number nor a list."""
    buf = shape(DATA)
    with fails(TypeError, buf):
        buf + buf
    with fails(TypeError, buf):
        buf * 2
    with fails(TypeError, buf):
        buf += b"x"
    with fails(TypeError, buf):
        del buf[0]
    with fails(TypeError, buf):
        del buf[0:2]


@each_read_only
def test_isinstance_holds_for_every_class(shape: Make) -> None:
    """A handler may ask for ByteBuf and gets all of the family."""
    assert isinstance(shape(DATA), ByteBuf)


def test_subclassing_is_refused() -> None:
    """The classes are final: compiled code must know what a method does."""
    for base in {type(buf) for buf in shapes(b"ab").values()}:
        with pytest.raises(TypeError):
            type("Mine", (base,), {})
