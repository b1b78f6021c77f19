"""Every allocation of every public call fails once, and for long: MemoryError or success, and nothing half done.

Owns    FAULTS 33 and the second half of BEHAVIOURS 85.
Never   an allocator of the user's own that has no memory: test_hostile_allocators has that.
Always  the interpreter's own allocators are made to fail, so the sweep needs `_testcapi`, which builds of CPython for
        distribution may leave out; and the compiled form: of the interpreted one every line allocates."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.contracts._kit import GETTERS, GROWING, fails, for_each, state
from tests.hostile._surface import FUNCTIONS, KINDS, METHODS, OPERATORS, methods_of
from zbuf import ByteBuf, _form
from zbuf.errors import ZbufError
from zbuf.testing._shapes import POOL
from zbuf.testing._shapes import shape as build

try:
    import _testcapi
except ImportError:
    _testcapi = None

needs_failing_memory = [
    pytest.mark.skipif(
        not hasattr(_testcapi, "set_nomemory"), reason="_testcapi.set_nomemory makes allocations fail; it is not here"
    ),
    pytest.mark.skipif(_form.form() != "compiled", reason="in the interpreted form every line may find no memory"),
]

DATA = bytes(range(1, 33))
NAMES = ("plain", "pooled after head", "slice", "wrapped bytearray", "read-only", "composite of uneven parts")
QUIET = 6  # so many successes in a row mean that the call has no further allocation
MOST = 400
# Not for ever: where there is never any memory again, CPython's own unwinding of a Python frame does not end.
MODES = {"once": 1, "for long": 100}
# What consumes an argument, moves the bytes of a stream, or makes room before it makes objects does so and may fail.
TAKES = {"append", "prepend", "extend", "insert_component", "write_from", "set_from", "read_to", "get_to"}
GROWS = {"writable_views"}
# A number is read before the object is made that brings it to the caller: where there is no memory even for that, it is
# gone. To prevent that would cost every read.
READS = {f"read_{stem.name}" for stem in GETTERS} | {"read_varint", "read_varint_zigzag"}
CHANGES = TAKES | GROWS | READS
# Other people's Python and C run in these, which does not survive a failing allocation: CPython 3.12 itself crashes in
# an f-string, numpy imports on the way, and a list that was empty keeps what it could not be extended by (wrap).
LEFT_OUT = {"pretty_hex_dump", "wrap", "read_array", "as_array", "write_array"}
# Rooms that are never compiled: of their code every line may find no memory, as in the interpreted form.
PLAIN_PYTHON = ("ByteBufReader", "ByteBufWriter", "write_fd", "read_fd", "send_from", "recv_into")
# What the interpreter says when it has no memory for the traceback of an error that is on its way.
LOST_BY_CPYTHON = "error return without exception set"


def arguments_of(kinds: str) -> tuple[list[Any], dict[str, Any]]:
    """Good arguments for a row of the surface table."""
    given, named = [], {}
    for slot in kinds.split():
        name, _, kind = slot.rpartition("=")
        value = KINDS[kind][0]()
        if name:
            named[name] = value
        else:
            given.append(value)
    return given, named


def outcome(call: Callable[..., Any], buf: ByteBuf, given: list[Any], named: Any, first: int, last: int) -> Any:
    """Make the call while the allocations from `first` up to `last` fail; return its error, or None."""
    _testcapi.set_nomemory(first, last)
    try:
        call(buf, *given, **named)
    except BaseException as exc:
        _testcapi.remove_mem_hooks()
        return exc
    else:
        _testcapi.remove_mem_hooks()
        return None
    finally:
        _testcapi.remove_mem_hooks()


def sweep(name: str, what: str, call: Callable[..., Any], kinds: str, mode: str) -> tuple[int, list[str]]:
    """Fail each allocation of a call in turn; return how many failed, and what was wrong afterwards."""
    failed = quiet = 0
    wrong: list[str] = []
    for n in range(MOST):
        buf = build(name, DATA)
        given, named = arguments_of(kinds)
        before = state(buf)
        failure = outcome(call, buf, given, named, n, n + MODES[mode])
        if failure is None or isinstance(failure, (ZbufError, ValueError, TypeError, BufferError)):
            quiet += 1  # a read-only shape refuses some calls
            if quiet == QUIET:
                return failed, wrong
            continue
        quiet = 0
        failed += 1
        if complaint := wrong_with(buf, what, before, failure):
            wrong.append(f"{name}, {what}, allocation {n} {mode}: {complaint}")
        failure = None
    return failed, [*wrong, f"{name}, {what}: still fails after {MOST} allocations"]


def wrong_with(buf: ByteBuf, what: str, before: tuple[object, ...], failure: BaseException) -> str:
    """Say what is wrong with a buffer after a call that found no memory."""
    try:
        buf._check()
    except AssertionError as exc:
        return f"the invariant is broken: {exc}"
    if not isinstance(failure, MemoryError) and str(failure) != LOST_BY_CPYTHON:
        return repr(failure)
    if buf.refcnt == 0:
        return "the buffer is dead"
    if what not in CHANGES and state(buf) != before:
        return f"{before[:4]} became {state(buf)[:4]}"
    if what in READS | GROWS and state(buf)[-1][: len(DATA)] != before[-1][: len(DATA)]:  # type: ignore[index]  # bytes
        return "bytes changed"
    return ""


@pytest.fixture
def no_collections() -> Iterator[None]:
    """A collection would run code that has nothing to do with the call."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def swept(name: str, mode: str, calls: dict[str, tuple[Callable[..., Any], str]]) -> list[str]:
    """Sweep over calls, each made twice before, so that what is made once for all is there."""
    failed, wrong = 0, []
    for what, (call, kinds) in calls.items():
        if what in LEFT_OUT or what.startswith(PLAIN_PYTHON):
            continue
        for _ in range(2):
            given, named = arguments_of(kinds)
            outcome(call, build(name, DATA), given, named, 10**6, 10**6 + 1)
        more, complaints = sweep(name, what, call, kinds, mode)
        failed += more
        wrong += complaints
    assert failed > 2 * len(calls), "hardly anything failed"
    return wrong


def in_need() -> Callable[[Any], Any]:
    """The marks and parameters of the two sweeps."""

    def decorate(test: Any) -> Any:
        for mark in needs_failing_memory:
            test = mark(test)
        test = pytest.mark.parametrize("mode", [mode.replace(" ", "-") for mode in MODES])(test)
        return pytest.mark.parametrize("name", NAMES, ids=lambda name: name.replace(" ", "-"))(test)

    return decorate


@in_need()
@pytest.mark.usefixtures("no_collections")
def test_b085_f33_every_method_survives_every_failing_allocation(name: str, mode: str) -> None:
    """MemoryError and an unchanged buffer, whichever allocation of the call fails."""
    calls: dict[str, tuple[Callable[..., Any], str]] = {
        method: ((lambda b, *a, method=method, **k: getattr(b, method)(*a, **k)), METHODS[method])
        for method in methods_of(build(name, DATA))
    }
    assert swept(name, mode.replace("-", " "), calls) == []


@in_need()
@pytest.mark.usefixtures("no_collections")
def test_b085_f33_every_operator_survives_every_failing_allocation(name: str, mode: str) -> None:
    """The same for Python's protocols and for functions that take a buffer."""
    calls = {**OPERATORS, **FUNCTIONS, "bytes": (bytes, ""), "iter": (list, ""), "hash": (_hash, "")}
    assert swept(name, mode.replace("-", " "), calls) == []


def _hash(buf: ByteBuf) -> int:
    try:
        return hash(buf)
    except TypeError:
        return 0


@pytest.mark.parametrize("mode", MODES)
@needs_failing_memory[0]
@needs_failing_memory[1]
def test_f34_the_counters_of_a_pool_stay_exact_without_memory(mode: str, no_collections: None) -> None:
    """Blocks that come back while there is no memory are cached or freed, and counted either way."""
    before = POOL.statistics()
    for n in range(30):
        buf = build("pooled", DATA)
        outcome(lambda b: [b.copy(), b.slice(), b.split(3)], buf, [], {}, n, n + MODES[mode])
        outcome(lambda b: b.release(), buf, [], {}, n, n + MODES[mode])
        if buf.refcnt:
            buf.release()
        del buf
        after = POOL.statistics()
        assert after.live_blocks == before.live_blocks
        assert after.reserved_bytes == after.live_bytes + after.cached_bytes


TOO_MUCH: dict[str, Callable[[ByteBuf], Any]] = {
    "ensure_writable": lambda b: b.ensure_writable(2**61),
    "writable_views": lambda b: b.writable_views(2**61),
    "write_zero": lambda b: b.write_zero(2**61),
    "set_capacity": lambda b: b.set_capacity(2**61),
}


@pytest.mark.parametrize("growing", [pytest.param(make, id=name) for name, make in GROWING.items()])
@for_each("call", TOO_MUCH)
def test_b085_growth_for_which_there_is_no_memory_changes_nothing(growing: Any, call: Callable[[ByteBuf], Any]) -> None:
    """MemoryError from the allocator, in both forms: indices, bytes and capacity stay, and the buffer grows later."""
    buf = growing(b"content", sys.maxsize)
    with fails(MemoryError, buf):
        call(buf)
    assert buf.try_ensure_writable(2**61) is False
    buf.write_bytes(b" and more")
    assert bytes(buf) == b"content and more"
