"""What searches cost, in counts: bytes copied, bytes looked at, lines executed. Never time, but for one wide bound.

Owns    the budget of find and its family: no copies, linear over components, O(1) for each resumed byte.
Never   what they find."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from zbuf import ByteBuf, MultiSearch, _form, composite, copied, wrap
from zbuf.audit import process_account

interpreted = pytest.mark.skipif(
    _form.form() != "interpreted", reason="what compiled code executes cannot be counted; the source is the same"
)
SEARCHES: dict[str, Callable[[ByteBuf], Any]] = {
    "find of a byte": lambda b: b.find(0),
    "find": lambda b: b.find(b"\r\n"),
    "find of a long needle": lambda b: b.find(b"ab" * 250 + b"c"),
    "rfind of a byte": lambda b: b.rfind(0),
    "rfind": lambda b: b.rfind(b"\r\n"),
    "rfind of a long needle": lambda b: b.rfind(b"c" + b"ab" * 250),
    "find_all": lambda b: b.find_all(b"abc"),
    "count": lambda b: b.count(b"abc"),
    "split_indices": lambda b: b.split_indices(b"abc"),
    "startswith": lambda b: b.startswith(b"ab" * 100),
    "endswith": lambda b: b.endswith(b"ab" * 100),
    "find_any": lambda b: b.find_any(b"xyz"),
    "find_not": lambda b: b.find_not(b"ab"),
    "index_of": lambda b: b.index_of(0, b.capacity, 0),
    "index_of, backward": lambda b: b.index_of(b.capacity, 0, 0),
    "for_each_byte": lambda b: b.for_each_byte(lambda byte: True),
    "MultiSearch.find": MultiSearch([b"abc", b"ababababac", b"\r\n"]).find,
}
each_search = pytest.mark.parametrize("search", SEARCHES.values(), ids=[name.replace(" ", "-") for name in SEARCHES])


def components(count: int, size: int) -> ByteBuf:
    """A composite of so many components of so many bytes: abab..."""
    buf = composite()
    buf.extend((b"ab" * size)[at % 2 : at % 2 + size] for at in range(0, count * size, size))
    return buf


def lines_executed(call: Callable[[], Any]) -> int:
    """How many lines of zbuf run during a call."""
    lines = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        if event == "call" and "/zbuf/" not in frame.f_code.co_filename:
            return None
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return lines


@each_search
@pytest.mark.parametrize("size", [1, 7, 4000])
def test_a_search_over_components_copies_nothing(search: Callable[[ByteBuf], Any], size: int) -> None:
    """Not a byte is gathered, however small the components are and however long the needle is."""
    buf = components(40, size)
    before = process_account().snapshot()
    search(buf)
    assert {} == (process_account().snapshot() - before).user


def test_is_text_copies_the_borders_at_most() -> None:
    """UTF-8 is looked at where it lies; at a border up to 64 bytes are put side by side."""
    buf = components(100, 10_000)
    before = process_account().snapshot()
    assert buf.is_text()
    copied_bytes = (process_account().snapshot() - before).user_bytes
    assert copied_bytes <= 100 * 64


@interpreted
@each_search
@pytest.mark.parametrize("size", [1, 3])
def test_a_search_over_many_components_is_linear(search: Callable[[ByteBuf], Any], size: int) -> None:
    """Four times the components: at most 4.4 times the lines executed, whatever is looked for."""
    few, many = components(1000, size), components(4000, size)
    search(few)  # what is made once, is made here
    assert lines_executed(lambda: search(many)) <= 4.4 * lines_executed(lambda: search(few)) + 50


@interpreted
@pytest.mark.parametrize("search", ["find", "rfind"])
def test_only_the_borders_are_searched_byte_by_byte(search: str) -> None:
    """Components of 10,000 bytes and a needle of 20: the lines executed are those of the borders, not of the bytes."""
    buf = components(20, 10_000)
    assert lines_executed(lambda: getattr(buf, search)(b"c" * 20)) <= 20 * (2 * 20 * 8 + 60)


@interpreted
@pytest.mark.parametrize("needle", [b"\n", b"\r\n", b"\r\n\r\n", b"--boundary--"], ids=repr)
@pytest.mark.parametrize("make", [composite, lambda: copied(b"")], ids=["components", "one-block"])
def test_b049_resuming_after_each_byte_costs_a_constant(
    needle: bytes, make: Callable[[], ByteBuf], monkeypatch: pytest.MonkeyPatch
) -> None:
    """n appends of one byte, each followed by a resumed find, look at O(n) bytes and execute O(n) lines."""
    from zbuf.buffer import _search

    looked_at = 0
    plain: Callable[..., int] = _search.find

    def counted(base: Any, at: int, n: int, wanted: bytes) -> int:
        nonlocal looked_at
        looked_at += n
        return plain(base, at, n, wanted)

    monkeypatch.setattr(_search, "find", counted)

    def stream(n: int) -> None:
        buf = make()
        for _ in range(n):
            start = max(buf.reader_index, buf.writer_index - len(needle) + 1)
            if hasattr(buf, "append"):
                buf.append(b"\r")
            else:
                buf.write_bytes(b"\r")
            assert buf.find(needle, start) == -1

    stream(10)
    few = lines_executed(lambda: stream(500))
    looked_at = 0
    many = lines_executed(lambda: stream(2000))
    assert many <= 4.5 * few
    assert looked_at <= 2000 * len(needle)


def worst(size: int) -> list[tuple[str, bytes, bytes]]:
    """Needles of this size, and haystacks that make a naive search compare nearly all of it at every place."""
    length = max(1 << 17, 4 * size)
    half = size // 2
    return [
        ("last byte differs", b"a" * length, b"a" * (size - 1) + b"b"),
        ("first byte differs", b"a" * length, b"b" + b"a" * (size - 1)),
        ("middle byte differs", b"a" * length, b"a" * half + b"b" + b"a" * (size - half - 1)),
        (
            "periodic",
            (b"a" * half + b"b") * (length // (half + 1)),
            b"a" * (half + 1) + b"b" + b"a" * (size - half - 2),
        ),
    ]


@pytest.mark.parametrize("size", [4, 16, 100, 256, 257, 1000, 10_000])
def test_no_needle_makes_a_search_quadratic(size: int) -> None:
    """Needles of 4 to 10,000 bytes against 128 KiB made for them, from both ends, whole and in components.

    Linear is some milliseconds here, size times the range up to a minute: the bound is wide enough for any machine."""
    for name, hay, needle in worst(size):
        expected = (hay.find(needle), -1 if needle not in hay else hay.rfind(needle))
        parts = composite()
        parts.extend(hay[at : at + 5000] for at in range(0, len(hay), 5000))
        for buf in (wrap(hay), parts):
            started = time.thread_time()
            assert (buf.find(needle), buf.rfind(needle)) == expected
            assert time.thread_time() - started < 4, name


def test_no_needles_make_a_search_for_several_quadratic() -> None:
    """Needles that end in one another's beginnings: each byte is still looked at once."""
    search = MultiSearch([b"a" * k + b"b" for k in range(1, 200)] + [b"a" * 1000 + b"c"])
    buf = copied(b"a" * (1 << 17))
    started = time.thread_time()
    assert search.find(buf) is None
    assert time.thread_time() - started < 4
