"""Growth and discard: what moves, what detaches, what is billed.

Owns    BEHAVIOURS 78 to 86.
Never   composites: they never copy to grow, and have their own file.
Always  the meter says how many bytes were copied; the test never measures time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.contracts._kit import (
    Make,
    MakeGrowing,
    content,
    each_growing,
    each_read_only,
    each_shape,
    each_writable,
    fails,
    fresh_pool,
    unchanged,
)
from zbuf import ByteBuf, buffer, calculate_new_capacity
from zbuf.audit import CopyReason, process_account
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError

DATA = bytes(range(1, 21))
T = 4 << 20
UNLIMITED = 2**31 - 1
TABLE = [
    (0, UNLIMITED, 64), (0, 0, 0), (1, 7, 7), (1, 8, 8), (1, 129, 64),
    (64, UNLIMITED, 64), (65, UNLIMITED, 128), (256, UNLIMITED, 256), (257, UNLIMITED, 512),
    (1000, 1000, 1000), (1000, 1010, 1010), (2**20 + 1, UNLIMITED, 2**21),
    (T - 1, UNLIMITED, T), (T, UNLIMITED, T), (T + 1, 4 * T, 3 * T // 2), (3 * T // 2, 4 * T, 3 * T // 2),
    (3 * T // 2 + 1, 4 * T, 2 * T), (2 * T, 4 * T, 2 * T), (2 * T + 1, 4 * T, 3 * T), (3 * T, 4 * T, 3 * T),
    (3 * T + 1, 4 * T, 4 * T), (T + 1, T + 2, T + 2), (3 * T + 1, 3 * T + 2, 3 * T + 2),
    (UNLIMITED, UNLIMITED, UNLIMITED), (2**62, 2**63 - 1, 2**62), (2**62 + 1, 2**63 - 1, 3 * 2**61),
    (2**63 - 1, 2**63 - 1, 2**63 - 1), (3 * 2**61 + 1, 2**63 - 1, 2**63 - 1),
]  # fmt: skip


@contextmanager
def copies(**expected: int) -> Iterator[None]:
    """Assert how many bytes the block copies, by reason; any other reason counts as 0."""
    before = process_account().snapshot().user
    yield
    after = process_account().snapshot().user
    seen = {}
    for reason in CopyReason:
        more = _nbytes(after, reason) - _nbytes(before, reason)
        if more:
            seen[reason.name] = more
    assert seen == expected


def _nbytes(counts: object, reason: CopyReason) -> int:
    count = counts.get(reason)
    return 0 if count is None else count.nbytes


def address(buf: ByteBuf) -> int:
    """The address of the byte at index 0."""
    numpy = pytest.importorskip("numpy")
    return int(numpy.frombuffer(buf.view(0, 1), "u1").__array_interface__["data"][0])


@pytest.mark.parametrize(("minimum", "maximum", "result"), TABLE)
def test_b081_calculate_new_capacity_gives_the_documented_table(minimum: int, maximum: int, result: int) -> None:
    """Powers of two up to 4 MiB, then steps of a half; never above the maximum."""
    assert calculate_new_capacity(minimum, maximum) == result


def test_b081_calculate_new_capacity_refuses_bad_arguments() -> None:
    """A minimum above the maximum, or below 0, is ValueError."""
    for minimum, maximum in ((2, 1), (-1, 5), (-1, -1), (T + 1, T)):
        with pytest.raises(ValueError):
            calculate_new_capacity(minimum, maximum)
    for bad in (1.0, "1", None):
        with pytest.raises(TypeError):
            calculate_new_capacity(bad, 10)
    with pytest.raises(OverflowError):
        calculate_new_capacity(1, 2**64)


def test_b081_every_size_is_enough_and_at_most_twice_as_much() -> None:
    """The result covers the minimum, and never wastes more than half."""
    for minimum in [*range(1, 3000, 7), *range(T - 9, T + 9), *range(3 * T // 2 - 2, 3 * T // 2 + 2), 123_456_789]:
        got = calculate_new_capacity(minimum, UNLIMITED)
        assert minimum <= got < max(65, 2 * minimum)


@each_writable
def test_b078_discard_moves_the_readable_bytes_to_the_front(shape: Make) -> None:
    """r = 0, w = what was readable; the capacity stays, but for composites, which drop the front."""
    buf = shape(DATA)
    buf.skip_bytes(6)
    cap, fixed_front = buf.capacity, not hasattr(buf, "num_components")
    buf.discard_read_bytes()
    assert (buf.reader_index, buf.writer_index, bytes(buf)) == (0, 14, DATA[6:])
    if fixed_front:
        assert buf.capacity == cap
    buf._check()
    with unchanged(buf), copies():
        buf.discard_read_bytes()


def test_b078_discard_copies_exactly_the_readable_bytes_once() -> None:
    """Nothing at r == 0, nothing at r == w, readable_bytes otherwise."""
    buf = buffer(100)
    buf.write_bytes(bytes(60))
    with copies():
        buf.discard_read_bytes()
    buf.skip_bytes(20)
    with copies(DISCARD=40):
        buf.discard_read_bytes()
    buf.skip_bytes(40)
    with copies():
        buf.discard_read_bytes()
    assert (buf.reader_index, buf.writer_index, buf.capacity) == (0, 0, 100)


@pytest.mark.parametrize("hold", ["slice", "duplicate", "view", "read-only"])
def test_b079_discard_leaves_a_live_slice_or_view_alone(hold: str) -> None:
    """With another holder the readable bytes go to a new block; the other still shows its old bytes."""
    buf = buffer(40)
    buf.write_bytes(DATA)
    buf.skip_bytes(8)
    held = {
        "slice": lambda: buf.slice(0, 20),
        "duplicate": buf.duplicate,
        "view": lambda: buf.view(0, 20),
        "read-only": buf.as_read_only,
    }[hold]()
    expected = bytes(held)
    with copies(DISCARD=12):
        buf.discard_read_bytes()
    assert (bytes(buf), bytes(held), buf.capacity, buf.is_shared) == (DATA[8:], expected, 40, False)
    buf.set_bytes(0, b"x" * 12)
    assert bytes(held) == expected
    buf._check()


def test_b079_discard_leaves_a_numpy_array_alone() -> None:
    """An array is an export like any other."""
    numpy = pytest.importorskip("numpy")
    buf = buffer(40)
    buf.write_bytes(DATA)
    array = numpy.frombuffer(buf.view(), "u1")
    buf.skip_bytes(3)
    buf.discard_read_bytes()
    assert (array.tobytes(), bytes(buf)) == (DATA, DATA[3:])


@each_writable
def test_b080_discard_some_acts_from_half_of_the_capacity_on(shape: Make) -> None:
    """Nothing below half, a full discard at half, a reset at r == w; a composite drops what it can."""
    if hasattr(shape(DATA), "num_components"):
        pytest.skip("a composite has its own rule")
    buf = shape(DATA)
    half = (buf.capacity + 1) // 2
    buf.reader_index = half - 1
    with unchanged(buf):
        buf.discard_some_read_bytes()
    buf.reader_index = half
    rest = bytes(buf)
    buf.discard_some_read_bytes()
    assert (buf.reader_index, bytes(buf)) == (0, rest)
    buf.set_index(1, 1)
    buf.discard_some_read_bytes()
    assert (buf.reader_index, buf.writer_index) == (0, 0)


@each_read_only
def test_b080_discard_on_a_read_only_buffer_is_refused(shape: Make) -> None:
    """Both forms raise and change nothing, also where they would do nothing."""
    buf = shape(DATA)
    for skip in (0, 15, 5):
        buf.skip_bytes(skip)
        with fails(ReadOnlyError, buf):
            buf.discard_read_bytes()
        with fails(ReadOnlyError, buf):
            buf.discard_some_read_bytes()


def test_b082_growth_inside_the_block_copies_nothing() -> None:
    """A sole holder whose block has room widens its window in place and keeps the address."""
    buf = buffer(1000)
    buf.write_bytes(DATA)
    buf.set_capacity(20)
    at = address(buf)
    with copies():
        buf.ensure_writable(100)
        buf.write_zero(100)
    assert (address(buf), buf.get_bytes(0, 20)) == (at, DATA)
    assert 120 <= buf.capacity <= 1000


def test_b082_growth_out_of_the_block_copies_the_capacity_once() -> None:
    """[0, cap) is copied, reason GROW, to a block of the documented size."""
    buf = buffer(100)
    buf.write_bytes(DATA)
    with copies(GROW=100):
        buf.ensure_writable(200)
    assert (buf.capacity, bytes(buf)) == (256, DATA)
    with copies(GROW=256):
        buf.set_capacity(300)
    assert buf.capacity == 300


@each_growing
def test_b083_growth_of_a_shared_buffer_detaches(growing: MakeGrowing) -> None:
    """Slices and views keep the old bytes; later writes on either side stay there."""
    buf = growing(DATA, UNLIMITED)
    if hasattr(buf, "num_components"):
        pytest.skip("a composite grows by a component and stays where it is")
    part, view = buf.slice(), buf.view()
    buf.ensure_writable(500)
    assert not buf.is_shared
    buf.set_bytes(0, b"new")
    assert (bytes(part), bytes(view)) == (DATA, DATA)
    part.set_bytes(0, b"old")
    assert (bytes(view)[:3], bytes(buf)[:3]) == (b"old", b"new")


@pytest.mark.parametrize("make", [lambda: buffer(64), lambda: fresh_pool().buffer(64)], ids=["plain", "pooled"])
def test_b084_two_duplicates_of_one_block_append_apart(make: Callable[[], ByteBuf]) -> None:
    """Neither overwrites the other, though the block has room behind both."""
    one = make()
    one.set_capacity(20)
    one.write_bytes(DATA)
    two = one.duplicate()
    one.write_bytes(b"ONE")
    two.write_bytes(b"two")
    assert (bytes(one), bytes(two)) == (DATA + b"ONE", DATA + b"two")


def test_b084_two_halves_of_one_block_append_apart() -> None:
    """A split half whose block has room behind it must not grow into the other half."""
    back = buffer(64)
    back.write_bytes(DATA)
    front = back.split(5)
    front.write_bytes(b"F" * 10)
    assert (bytes(front), bytes(back)) == (DATA[:5] + b"F" * 10, DATA[5:])
    back.release()
    front.write_bytes(b"G" * 60)
    assert bytes(front) == DATA[:5] + b"F" * 10 + b"G" * 60


@each_growing
def test_b085_growth_never_exceeds_the_maximum(growing: MakeGrowing) -> None:
    """A write up to exactly max succeeds; the one beyond raises and the earlier bytes are intact."""
    for maximum in (20, 21, 63, 64, 65, 100, 129):
        buf = growing(DATA, maximum)
        for _ in range(maximum - 20):
            buf.write_byte(7)
            assert buf.capacity <= maximum
        assert bytes(buf) == DATA + b"\x07" * (maximum - 20)
        with fails(CapacityError, buf):
            buf.write_byte(8)
        with fails(CapacityError, buf):
            buf.write_bytes(b"xx")


def test_b085_a_growth_that_fails_leaves_everything() -> None:
    """MemoryError from an impossible size: indices, capacity and bytes stay."""
    buf = buffer(20, 2**62)
    buf.write_bytes(DATA)
    with fails(MemoryError, buf):
        buf.ensure_writable(2**61)
    with fails(MemoryError, buf):
        buf.set_capacity(2**62)
    buf.write_bytes(b"goes on")
    assert bytes(buf) == DATA + b"goes on"


@pytest.mark.parametrize("total", [1000, 65536, 300_000])
def test_b086_appending_bytes_one_by_one_copies_fewer_than_twice_as_many(total: int) -> None:
    """Powers of two: the copies of growth add up to less than 2n up to 4 MiB."""
    buf = buffer(0)
    before = _nbytes(process_account().snapshot().user, CopyReason.GROW)
    for _ in range(total):
        buf.write_byte(1)
    assert _nbytes(process_account().snapshot().user, CopyReason.GROW) - before < 2 * total


def test_b086_appending_blocks_copies_fewer_than_four_times_as_many_at_any_size() -> None:
    """Above 4 MiB growth stays geometric: no quadratic copying."""
    buf, block, total = buffer(0), bytes(1 << 18), 24 << 20
    before = _nbytes(process_account().snapshot().user, CopyReason.GROW)
    for _ in range(total >> 18):
        buf.write_bytes(block)
    assert _nbytes(process_account().snapshot().user, CopyReason.GROW) - before < 4 * total


@each_growing
def test_set_capacity_keeps_the_bytes_behind_the_writer_index(growing: MakeGrowing) -> None:
    """Growing by set_capacity keeps all of the window, not only what is readable."""
    buf = growing(DATA, 5000)
    buf.set_index(1, 2)
    buf.set_capacity(3000)
    assert content(buf)[:20] == DATA


@each_shape
def test_get_beyond_a_shrunken_capacity_is_refused(shape: Make) -> None:
    """Bytes cut off by set_capacity are out of reach through this handle."""
    buf = shape(DATA)
    if buf.is_read_only:
        with fails(ReadOnlyError, buf):
            buf.set_capacity(5)
        return
    buf.set_capacity(5)
    with fails(BoundsError, buf):
        buf.get_byte(5)
