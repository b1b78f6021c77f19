"""Every argument of every public method is an object that turns against the buffer while the call is under way.

Owns    the sweep: shapes x methods x positions x what the object does; the check that the table has every method.
Never   what one method answers: test_hostile_arguments and its neighbours look closer at those where that matters.
Always  the call works on the state it finds after conversion or raises an error of the documented kinds; the buffer
        keeps its invariant, and no byte outside its window changes."""

from __future__ import annotations

import importlib
import inspect
import struct
from collections.abc import Callable
from typing import Any

import pytest

import zbuf
from tests.contracts._kit import content, failure_of
from tests.hostile import _surface
from tests.hostile._surface import (
    DATA,
    FUNCTIONS,
    METHODS,
    NO_BUFFER,
    NOTHING_TO_ATTACK,
    OPERATORS,
    RARE,
    attacks,
    methods_of,
)
from zbuf import ByteBuf, _form, composite, wrap
from zbuf.errors import ReferenceCountError, ZbufError
from zbuf.testing import shapes
from zbuf.testing._shapes import shape as build

FENCE = b"\xa5" * 16
ORDERLY = (ZbufError, TypeError, ValueError, OverflowError, IndexError, BufferError, struct.error)
HIGH = bytes(range(200, 232))  # no ASCII, no UTF-8


class Fenced:
    """Buffers with known bytes on both sides of their window, which no call may change."""

    def __init__(self, data: bytes) -> None:
        self.stores = [bytearray(FENCE + part + FENCE) for part in (data, data[:7], data[7:20], data[20:])]
        whole, *parts = [wrap(store).slice(len(FENCE), len(store) - 2 * len(FENCE)) for store in self.stores]
        for buf in (whole, *parts):
            buf.writer_index = buf.capacity
        self.whole = whole
        self.composite = composite()
        self.composite.extend(parts)

    def is_whole(self) -> bool:
        return all((store[: len(FENCE)], store[-len(FENCE) :]) == (FENCE, FENCE) for store in self.stores)


MAKERS: dict[str, Callable[[bytes], ByteBuf]] = {
    **{name: (lambda data, name=name: build(name, data)) for name in (
        "plain", "pooled", "duplicate", "wrapped bytes", "read-only", "split half", "pooled after head",
        "composite of single bytes", "composite of uneven parts after head",
    )},
}  # fmt: skip
NAMES = (*MAKERS, "fenced slice", "fenced composite")


def _shrink(buf: ByteBuf) -> None:
    buf.set_capacity(2)


def _grow(buf: ByteBuf) -> None:
    buf.set_capacity(buf.capacity + 4000)


def _reenter(buf: ByteBuf) -> None:
    """Use the buffer as if nothing were going on."""
    buf.get_byte(0)
    buf.set_index(0, min(buf.capacity, 9))
    buf.read_short()
    buf.find(b"\x05")
    if buf.can_write(3):
        buf.write_medium(0)
    buf.slice(0, 2).get_byte(1)


def _discard(buf: ByteBuf) -> None:
    buf.skip_bytes(3)
    buf.discard_read_bytes()


def _append(buf: ByteBuf) -> None:
    buf.append(b"more") if isinstance(buf, zbuf.CompositeByteBuf) else buf.write_bytes(b"more")


def _front(buf: ByteBuf) -> None:
    if isinstance(buf, zbuf.CompositeByteBuf):
        buf.prepend(b"more")
        buf.consolidate()


def _raise(buf: ByteBuf) -> None:
    raise KeyError("from the argument")


ACTS: dict[str, Callable[[ByteBuf], Any]] = {
    "release": lambda b: b.release(),
    "clear": lambda b: b.clear(),
    "shrink": _shrink,
    "grow": _grow,
    "move": lambda b: b.move(),
    "retain": lambda b: b.retain(),
    "split": lambda b: b.split(3),
    "compact": lambda b: b.compact(),
    "discard": _discard,
    "reenter": _reenter,
    "append": _append,
    "front": _front,
    "raise": _raise,
}
# What may happen before the object turns against the buffer, so that the call is over or half done by then.
LATE = ("end of buffer", "by write", "by readinto", "by call", "by iterator", "codec", "errors", "reflected")
EARLY_COPIES = ("get_struct argument 1 (layout) by struct", "wrap", "copied")  # the bytes were taken before


def is_late(label: str) -> bool:
    """Whether the call may succeed although its object released the buffer."""
    return any(late in label for late in LATE) or label.startswith(EARLY_COPIES)


def made(name: str, data: bytes = DATA) -> tuple[ByteBuf, Fenced | None]:
    """A fresh buffer of the named shape, and its fence if it has one."""
    if not name.startswith("fenced"):
        return MAKERS[name](data), None
    fence = Fenced(data)
    return (fence.whole if name == "fenced slice" else fence.composite), fence


class Turncoat:
    """What the hostile object does, once: it acts on the buffer, and swallows the refusals of fixed shapes."""

    def __init__(self, buf: ByteBuf, act: Callable[[ByteBuf], Any]) -> None:
        self.buf: ByteBuf | None = buf
        self.act = act
        self.has_acted = False

    def __call__(self) -> None:
        if self.has_acted or self.buf is None:
            return
        self.has_acted = True
        try:
            self.act(self.buf)
        except (ZbufError, ValueError):
            return


def complaint(buf: ByteBuf, fence: Fenced | None, failure: BaseException | None) -> str:
    """What is wrong with a buffer after a call, or nothing."""
    if isinstance(failure, SystemError) or not isinstance(failure, (*ORDERLY, KeyError, type(None))):
        return "a disorderly error"
    if isinstance(failure, KeyError) and "from the argument" not in str(failure):
        return "a disorderly error"
    try:
        buf._check()
    except AssertionError as exc:
        return f"the invariant is broken: {exc}"
    if buf.refcnt and not (len(bytes(buf)) == buf.readable_bytes and len(content(buf)) == buf.capacity):
        return "its bytes and its numbers disagree"
    if fence and not fence.is_whole():
        return "a byte outside its window changed"
    return ""


def assault(name: str, label: str, call: Callable[..., Any], arguments: Any, data: bytes = DATA) -> list[str]:
    """Make the call once for each act and return what is wrong afterwards."""
    found = []
    for act_name, act in ACTS.items():
        buf, fence = made(name, data)
        turncoat = Turncoat(buf, act)
        given, named = arguments(turncoat)
        failure = failure_of(lambda call=call, buf=buf, given=given, named=named: call(buf, *given, **named))
        turncoat.buf = None  # the buffer may hold the object by now: that would be a cycle
        wrong = complaint(buf, fence, failure)
        if not wrong and act_name == "release" and turncoat.has_acted and not is_late(label):
            wrong = "" if type(failure) is ReferenceCountError else "the released buffer was used"
        if wrong:
            found.append(f"{name}, {label}, {act_name}: {wrong} ({failure!r})")
    return found


def test_every_public_method_has_a_row() -> None:
    """A new method needs a row in _surface.METHODS; so no argument escapes the hostile objects."""
    public = {name for buf in shapes(b"ab").values() for name in methods_of(buf)}
    assert public == set(METHODS), "each needs a row in tests/hostile/_surface.py, and no row more"


def test_every_public_function_has_a_row() -> None:
    """The same for functions that take a buffer; those that take none are named."""
    found = set()
    for room in ("zbuf.buffer", "zbuf.io"):
        module = importlib.import_module(room)
        found |= {name for name in module.__all__ if not inspect.isclass(getattr(module, name))}
    constants = {name for name in found if name.isupper()}
    assert found - constants == NO_BUFFER | {name for name in FUNCTIONS if "." not in name and name[0].islower()}


@pytest.mark.skipif(_form.form() != "interpreted", reason="signatures are read off the interpreted form")
def test_every_row_has_all_arguments_of_its_method() -> None:
    """A new parameter needs a place in its row."""
    for buf in shapes(b"ab").values():
        for name in methods_of(buf):
            parameters = list(inspect.signature(getattr(buf, name)).parameters.values())
            slots = METHODS[name].split()
            positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
            more = [p for p in parameters if p.kind is p.VAR_POSITIONAL]
            named = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
            assert {slot.split("=")[0] for slot in slots if "=" in slot} == named, name
            assert len([slot for slot in slots if "=" not in slot]) == len(positional) + len(more), name


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.replace(" ", "-"))
def test_b011_f8_f9_no_argument_of_a_method_can_break_the_buffer(name: str) -> None:
    """Released, cleared, shrunk, grown, moved, split, compacted, re-entered: the buffer stays whole in every call."""
    attacked = set()
    found = []
    for method in methods_of(made(name)[0]):
        for label, arguments in attacks(METHODS[method]):
            attacked.add(method)
            found += assault(name, f"{method} {label}", lambda b, *a, m=method, **k: getattr(b, m)(*a, **k), arguments)
    assert found == []
    if _surface.HAS_PEP_688:
        assert set(methods_of(made(name)[0])) - attacked <= NOTHING_TO_ATTACK | {"as_array", "read_array"}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.replace(" ", "-"))
def test_b011_f8_f9_no_argument_of_an_operator_or_function_can_break_the_buffer(name: str) -> None:
    """The same for operators, Python's protocols, setters of indices, and functions that take a buffer."""
    found = []
    for what, (call, kinds) in {**OPERATORS, **FUNCTIONS}.items():
        for label, arguments in attacks(kinds):
            found += assault(name, f"{what} {label}", call, arguments)
    assert found == []


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.replace(" ", "-"))
def test_f8_an_error_handler_of_a_codec_cannot_break_the_buffer(name: str) -> None:
    """`errors` may name a handler of the user's own, which runs in the middle of decoding and encoding."""
    found = []
    for method, call in RARE.items():
        found += assault(name, f"{method} errors", call, lambda act: ([act], {}), HIGH)
    assert found == []
