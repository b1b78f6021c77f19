"""Several faults in one call raise in one order (rule I12), and a call that raises changes nothing (rule I13).

Owns    BEHAVIOURS 12; FAULTS 16.
Never   what a method does with good arguments.
Always  for each pair of faults the class of the earlier one is raised, exactly, whatever the shape."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.contracts._kit import WRITABLE_NAMES, fails, failure_of, for_each, state
from zbuf import ByteBuf
from zbuf.errors import BoundsError, CapacityError, ReadOnlyError, ReferenceCountError
from zbuf.testing._shapes import shape as build

DATA = bytes(range(65, 85))
HUGE = 2**70
FAR = 10**6
TYPE, SIZE, RELEASED, READ_ONLY, VALUE, BOUNDS = range(6)  # the order of I12
RAISED = {TYPE: TypeError, SIZE: OverflowError, RELEASED: ReferenceCountError, READ_ONLY: ReadOnlyError}


@dataclass(frozen=True)
class Slot:
    """One argument: a good value, and what stands for each fault that it can have."""

    good: Any
    faults: dict[int, tuple[Any, type[Exception]]]


class Zeros:
    """A stream without end that changes nothing."""

    def readinto(self, target: memoryview) -> int:
        return len(target)


INDEX = Slot(0, {TYPE: ("0", TypeError), SIZE: (HUGE, OverflowError), BOUNDS: (FAR, BoundsError)})
NEGATIVE_INDEX = Slot(0, {TYPE: (1.0, TypeError), SIZE: (-HUGE, OverflowError), BOUNDS: (-1, BoundsError)})
LENGTH = Slot(
    1,
    {TYPE: (1.0, TypeError), SIZE: (HUGE, OverflowError), VALUE: (-1, ValueError), BOUNDS: (FAR, BoundsError)},
)
GROWTH = Slot(
    1,
    {TYPE: ("1", TypeError), SIZE: (-HUGE, OverflowError), VALUE: (-1, ValueError), BOUNDS: (2**40, CapacityError)},
)
INT_VALUE = Slot(1, {TYPE: (1.9, TypeError), SIZE: (HUGE, OverflowError), VALUE: (2**32, OverflowError)})
BYTE_VALUE = Slot(1, {TYPE: (None, TypeError), SIZE: (-HUGE, OverflowError), VALUE: (256, OverflowError)})
FLOAT_VALUE = Slot(1.0, {TYPE: ("1", TypeError), VALUE: (1e39, OverflowError)})
SOURCE = Slot(b"ab", {TYPE: ("ab", TypeError), BOUNDS: (b"x" * FAR, BoundsError)})
SOURCE_ANY_SIZE = Slot(b"ab", {TYPE: (None, TypeError)})
TARGET = Slot(bytearray(4), {TYPE: (1, TypeError)})
OUT = Slot(io.BytesIO(), {TYPE: ([], TypeError)})
IN = Slot(Zeros(), {TYPE: ("in", TypeError)})
TEXT = Slot("ab", {TYPE: (b"ab", TypeError), VALUE: ("\ud800", UnicodeEncodeError)})
NEEDLE = Slot(65, {TYPE: ("A", TypeError), SIZE: (HUGE, OverflowError), VALUE: (256, ValueError)})
CAPACITY = Slot(1, {TYPE: (None, TypeError), SIZE: (HUGE, OverflowError), VALUE: (-1, ValueError)})


@dataclass(frozen=True)
class Method:
    """A call with its argument slots."""

    call: Callable[..., Any]
    slots: tuple[Slot, ...]
    mutates: bool = field(default=False)


METHODS: dict[str, Method] = {
    "set_index": Method(lambda b, r, w: b.set_index(r, w), (INDEX, INDEX)),
    "skip_bytes": Method(lambda b, n: b.skip_bytes(n), (LENGTH,)),
    "get_int": Method(lambda b, i: b.get_int(i), (NEGATIVE_INDEX,)),
    "get_byte": Method(lambda b, i: b.get_byte(i), (INDEX,)),
    "get_bytes": Method(lambda b, i, n: b.get_bytes(i, n), (INDEX, LENGTH)),
    "get_bytes_into": Method(lambda b, i, d, n: b.get_bytes_into(i, d, 0, n), (INDEX, TARGET, LENGTH)),
    "read_bytes_into": Method(lambda b, d, i, n: b.read_bytes_into(d, i, n), (TARGET, INDEX, LENGTH)),
    "read_to": Method(lambda b, o, n: b.read_to(o, n), (OUT, LENGTH)),
    "get_to": Method(lambda b, i, o, n: b.get_to(i, o, n), (INDEX, OUT, LENGTH)),
    "slice": Method(lambda b, i, n: b.slice(i, n), (INDEX, LENGTH)),
    "copy": Method(lambda b, i, n: b.copy(i, n), (NEGATIVE_INDEX, LENGTH)),
    "view": Method(lambda b, i, n: b.view(i, n), (INDEX, LENGTH)),
    "split_off": Method(lambda b, i: b.split_off(i), (INDEX,)),
    "read_string": Method(lambda b, n: b.read_string(n), (LENGTH,)),
    "get_string": Method(lambda b, i, n: b.get_string(i, n), (INDEX, LENGTH)),
    "find": Method(lambda b, x, i, j: b.find(x, i, j), (NEEDLE, INDEX, INDEX)),
    "rfind": Method(lambda b, x, i: b.rfind(x, i), (NEEDLE, NEGATIVE_INDEX)),
    "bytes_before": Method(lambda b, x, i, n: b.bytes_before(x, i, n), (NEEDLE, INDEX, LENGTH)),
    "get_varint": Method(lambda b, i: b.get_varint(i), (INDEX,)),
    "set_byte": Method(lambda b, i, v: b.set_byte(i, v), (INDEX, BYTE_VALUE), True),
    "set_boolean": Method(lambda b, i: b.set_boolean(i, True), (NEGATIVE_INDEX,), True),
    "set_int": Method(lambda b, i, v: b.set_int(i, v), (INDEX, INT_VALUE), True),
    "set_int_le": Method(lambda b, i, v: b.set_int_le(i, v), (NEGATIVE_INDEX, INT_VALUE), True),
    "set_float": Method(lambda b, i, v: b.set_float(i, v), (INDEX, FLOAT_VALUE), True),
    "write_byte": Method(lambda b, v: b.write_byte(v), (BYTE_VALUE,), True),
    "write_int": Method(lambda b, v: b.write_int(v), (INT_VALUE,), True),
    "write_float_le": Method(lambda b, v: b.write_float_le(v), (FLOAT_VALUE,), True),
    "set_bytes": Method(lambda b, i, s: b.set_bytes(i, s), (INDEX, SOURCE), True),
    "set_bytes part": Method(
        lambda b, i, s, j, n: b.set_bytes(i, s, j, n), (INDEX, SOURCE_ANY_SIZE, INDEX, LENGTH), True
    ),
    "write_bytes": Method(lambda b, s, j, n: b.write_bytes(s, j, n), (SOURCE_ANY_SIZE, INDEX, LENGTH), True),
    "set_zero": Method(lambda b, i, n: b.set_zero(i, n), (INDEX, LENGTH), True),
    "write_zero": Method(lambda b, n: b.write_zero(n), (GROWTH,), True),
    "ensure_writable": Method(lambda b, n: b.ensure_writable(n), (GROWTH,), True),
    "write_from": Method(lambda b, s, n: b.write_from(s, n), (IN, GROWTH), True),
    "set_from": Method(lambda b, i, s, n: b.set_from(i, s, n), (INDEX, IN, LENGTH), True),
    "writable_views": Method(lambda b, n: b.writable_views(n), (GROWTH,), True),
    "set_capacity": Method(lambda b, n: b.set_capacity(n), (CAPACITY,), True),
    "set_string": Method(lambda b, i, t: b.set_string(i, t), (INDEX, TEXT), True),
    "write_string": Method(lambda b, t: b.write_string(t), (TEXT,), True),
    "set_item": Method(lambda b, i, v: b.__setitem__(i, v), (INDEX, BYTE_VALUE), True),
}
# How many bytes a composite may hold is not bounded by memory: 2**40 more would be a MemoryError, not a CapacityError.
UNBOUNDED = {"write_from", "write_zero", "ensure_writable", "writable_views"}
SHAPES = ("plain", "pooled after head", "slice", "wrapped bytearray", "composite of single bytes after head")


def faulty_calls(method: Method) -> list[tuple[str, dict[int, int], set[int]]]:
    """List the pairs of faults: a label, which fault sits in which slot, and which of the two states is wrong."""
    in_slots = [(fault, k) for k, slot in enumerate(method.slots) for fault in slot.faults]
    in_states = [(RELEASED, None), *([(READ_ONLY, None)] if method.mutates else [])]
    pairs = itertools.combinations([*in_slots, *in_states], 2)
    found = []
    for (one, at), (two, at_two) in pairs:
        if at is not None and at == at_two:
            continue  # one argument has one fault
        placed = {k: fault for fault, k in ((one, at), (two, at_two)) if k is not None}
        states = {fault for fault, k in ((one, at), (two, at_two)) if k is None}
        found.append((f"{placed}{states}", placed, states))
    return found


@pytest.mark.parametrize("method_name", METHODS)
@for_each("name", {name: name for name in SHAPES})
def test_b012_two_faults_raise_in_the_order_of_the_rule(method_name: str, name: str) -> None:
    """Whatever two faults a call has, the earlier one of I12 is raised; a buffer that lives keeps its state."""
    method = METHODS[method_name]
    for label, placed, states in faulty_calls(method):
        if BOUNDS in placed.values() and method_name in UNBOUNDED and name.startswith("composite"):
            continue
        buf = build(name, DATA)
        if READ_ONLY in states:
            buf = buf.as_read_only()
        before = state(buf)
        if RELEASED in states:
            buf.release()
        arguments = [slot.faults[placed[k]][0] if k in placed else slot.good for k, slot in enumerate(method.slots)]
        first = min([*placed.values(), *states])
        # Arguments are converted from left to right, so TypeError and OverflowError come in the order of the arguments.
        same_stage = {TYPE, SIZE} if first in (TYPE, SIZE) else {first}
        expected = {RAISED[first]} if first in states else {
            slot.faults[fault][1] for k, slot in enumerate(method.slots) if (fault := placed.get(k)) in same_stage
        }  # fmt: skip
        failure = failure_of(method.call, buf, *arguments)
        assert type(failure) in expected, f"{label}: {failure!r} instead of {expected}"
        if RELEASED not in states:
            buf._check()
            assert state(buf) == before, label


@pytest.mark.parametrize("method_name", METHODS)
@for_each("name", {name: name for name in WRITABLE_NAMES})
def test_b012_each_single_fault_raises_its_class_and_changes_nothing(method_name: str, name: str) -> None:
    """One fault, one class; indices, bytes, capacity and count stay (I13), and so do target and source."""
    method = METHODS[method_name]
    buf = build(name, DATA)
    for k, slot in enumerate(method.slots):
        for fault, (bad, expected) in slot.faults.items():
            if fault == BOUNDS and method_name in UNBOUNDED and name.startswith("composite"):
                continue
            target = bytearray(4)
            good = [target if isinstance(other.good, bytearray) else other.good for other in method.slots]
            arguments = [bad if j == k else good[j] for j in range(len(good))]
            with fails(expected, buf):
                method.call(buf, *arguments)
            assert target == bytes(4)


def test_b012_peeling_off_faults_reveals_the_next_one() -> None:
    """set_int with five faults raises five classes in turn as each is repaired, and succeeds at the end."""
    good = build("plain", DATA)
    dead = good.as_read_only()
    dead.release()
    frozen = good.as_read_only()
    calls: list[tuple[ByteBuf, Any, Any, type[Exception]]] = [
        (dead, "0", HUGE, TypeError),
        (dead, FAR, HUGE, OverflowError),
        (dead, FAR, 2**32, ReferenceCountError),
        (frozen, FAR, 2**32, ReadOnlyError),
        (good, FAR, 2**32, OverflowError),
        (good, FAR, 2**31, BoundsError),
    ]
    for buf, index, value, expected in calls:
        with fails(expected):
            buf.set_int(index, value)
    good.set_int(16, 2**31)
    assert good.get_int(16) == -(2**31)
