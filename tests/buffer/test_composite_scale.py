"""Composites of a hundred thousand components: everything works, and nothing is quadratic.

Owns    the second half of BEHAVIOURS 94; the costs that the docstrings promise.
Never   a speed: the benchmarks print those. Here a step that costs the whole list fails, and no other.
Always  times are the thread's own, the best of several; a cost per component may grow by a factor of 8 while their
        number grows by 64, which leaves room for caches and a busy machine, and none for a second loop."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable

import pytest

from zbuf import ByteBuf, CompositeByteBuf, _form, composite, copied, wrap

ALL = 100_000
MANY = ALL if _form.form() == "compiled" else 25_000
FEW = MANY // 64
PART = bytes(range(16))
PIECE = b"abcd"


def big(n: int, part: bytes = PART) -> CompositeByteBuf:
    buf = composite()
    buf.extend([part] * n)
    return buf


def cost_per_component(make: Callable[[int], object], work: Callable[[object, int], None], n: int) -> float:
    """The best time of `work` on what `make(n)` returns, divided by n."""
    best = float("inf")
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            things = [make(n) for _ in range(max(1, MANY // 8 // n))]
            started = time.thread_time()
            for thing in things:
                work(thing, n)
            best = min(best, (time.thread_time() - started) / (n * len(things)))
    finally:
        gc.enable()
    return best


def _append(buf: CompositeByteBuf, n: int) -> None:
    for _ in range(n):
        buf.append(PART)


def _prepend(buf: CompositeByteBuf, n: int) -> None:
    for _ in range(n):
        buf.prepend(PART)


def _pop_front(buf: CompositeByteBuf, n: int) -> None:
    for _ in range(n):
        buf.pop_component(0)


def _pop_back(buf: CompositeByteBuf, n: int) -> None:
    for _ in range(n):
        buf.pop_component(buf.num_components - 1)


def _discard(buf: CompositeByteBuf, n: int) -> None:
    for _ in range(n):
        buf.skip_bytes(len(PART))
        buf.discard_read_components()


def _trim(buf: CompositeByteBuf, n: int) -> None:
    for _ in range(n):
        buf.skip_bytes(len(PART))
        buf.discard_read_bytes()  # in the midst of a component, from the second turn on
        buf.prepend(b"x")


def _pass_through(buf: CompositeByteBuf, n: int) -> None:
    for _ in range(n):
        buf.append(PART)
        buf.read_slice(len(PART))
        buf.discard_some_read_bytes()


def _read(buf: CompositeByteBuf, n: int) -> None:
    buf.reader_index = 0
    buf.skip_bytes(2)  # every eighth number lies across a border
    for _ in range(2 * n - 1):
        buf.read_long()


def _read_slices(buf: CompositeByteBuf, n: int) -> None:
    for _ in range(n):
        buf.read_slice(len(PART))


def _split(buf: CompositeByteBuf, n: int) -> None:
    for _ in range(n):
        buf.split(len(PART))


def _look_up(buf: CompositeByteBuf, n: int) -> None:
    at = 0
    for _ in range(n):
        at = (at + 7919 * 16 + 1) % (n * 16)
        buf.get_byte(at)
        buf.component_at_offset(at)


EMPTY = {"append": _append, "prepend": _prepend}
FULL = {
    "pop from the front": _pop_front,
    "pop from the back": _pop_back,
    "discard components": _discard,
    "trim": _trim,
    "pass through": _pass_through,
    "read": _read,
    "read slices": _read_slices,
    "split": _split,
    "look up": _look_up,
}


@pytest.mark.parametrize("work", [*EMPTY.values(), *FULL.values()], ids=[*EMPTY, *FULL])
def test_b094_the_cost_of_a_component_does_not_grow_with_their_number(work: Callable[[object, int], None]) -> None:
    """64 times as many components, the same work on each."""
    make = (lambda n: composite()) if work in EMPTY.values() else big
    few = cost_per_component(make, work, FEW)
    many = cost_per_component(make, work, MANY)
    assert many < 8 * few, (few, many)


def test_b094_whatever_runs_over_all_components_gets_to_the_end() -> None:
    """No recursion, no limit: whole-buffer operations on 100,000 components."""
    buf, model = big(ALL, PIECE), PIECE * ALL
    assert (buf.num_components, buf.capacity) == (ALL, len(model))
    assert bytes(buf) == model
    assert buf == model
    assert buf.duplicate() == buf
    assert not buf < model
    assert hash(buf) == hash(model)
    assert len(buf.readable_views(ALL)) == ALL
    assert b"".join(buf.readable_views(2 * ALL)) == model
    assert buf.find(b"dab") == 3
    assert buf.find(b"dd") == -1
    assert buf.rfind(b"da") == len(model) - 5
    assert bytes(iter(buf)) == model
    assert bytes(reversed(buf)) == model[::-1]
    assert bytes(buf[-20:]) == model[-20:]
    assert [len(part) for part in buf.components()] == [4] * ALL
    assert len(buf.decompose(1, len(model) - 2)) == ALL
    assert (buf.is_shared, buf.is_contiguous, buf.memory_size) == (True, False, len(model))
    buf._check()


def test_b094_whatever_takes_components_away_gets_to_the_end() -> None:
    """clear, release, split, split_off, consolidate, compact, set_capacity, move, append of the whole."""
    model = PIECE * ALL
    half = ALL // 2 * 4 + 2
    front = (buf := big(ALL, PIECE)).split(half)
    assert (bytes(front), bytes(buf)) == (model[:half], model[half:])
    back = front.split_off(half // 2)
    assert (bytes(front), bytes(back)) == (model[: half // 2], model[half // 2 : half])
    front.append(back)
    front.append(buf)
    assert (bytes(front), back.refcnt, buf.refcnt) == (model, 0, 0)
    buf = front
    buf.prepend(big(ALL, b"!"))
    buf.insert_component(ALL, big(ALL, b"?"))
    assert bytes(buf) == b"!" * ALL + b"?" * ALL + model
    there = buf.num_components
    buf.consolidate(10, ALL)
    assert (bytes(buf), buf.num_components) == (b"!" * ALL + b"?" * ALL + model, there - ALL + 1)
    buf = buf.move()
    buf.skip_bytes(2 * ALL)
    buf.discard_read_bytes()
    assert bytes(buf) == model
    buf.set_capacity(len(model) - 1)
    buf.compact()
    assert (bytes(buf), buf.num_components) == (model[:-1], 1)
    buf.append(big(ALL))
    buf.clear()
    assert buf.num_components == 0
    assert big(ALL).release()
    assert wrap(*[PIECE] * ALL) == model


@pytest.mark.parametrize("way", ["discard_read_components", "discard_read_bytes", "pop_component", "split"])
def test_what_was_dropped_leaves_no_place_in_the_list(way: str) -> None:
    """A composite that lives as long as its stream is as large as what it holds, not as what went through."""
    buf = big(10)
    tracemalloc.start()
    try:
        for turn in range(20_000):
            if turn == 1_000:
                before = tracemalloc.get_traced_memory()[0]
            buf.append(PART)
            if way == "pop_component":
                buf.pop_component(0)
            elif way == "split":
                buf.split(len(PART))
            else:
                buf.skip_bytes(len(PART))
                getattr(buf, way)()
        assert tracemalloc.get_traced_memory()[0] - before < 10_000  # 19,000 places would be 152,000
    finally:
        tracemalloc.stop()
    assert buf == PART * 10


def test_b094_a_composite_of_composites_is_as_flat_as_any() -> None:
    """A composite inside a composite, 300 deep: the depth is gone, and so is the recursion."""
    buf = composite()
    for _ in range(300):
        outer = composite()
        outer.append(buf)
        outer.append(b"x")
        buf = outer
    assert (buf.num_components, bytes(buf)) == (300, b"x" * 300)
    handle: ByteBuf = copied(b"y")
    for _ in range(10_000):
        handle = handle.slice().duplicate()
    buf.append(handle)
    assert bytes(buf)[-2:] == b"xy"
