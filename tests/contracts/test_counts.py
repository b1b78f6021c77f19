"""retain, release and with: the count of a handle.

Owns    BEHAVIOURS 59 and 61; FAULTS 19.
Never   blocks: a count belongs to a handle.
Always  a refused call leaves the count as it was, and nothing revives a dead handle."""

from __future__ import annotations

import pytest

from tests.contracts._kit import Make, each_fresh_shape, each_shape, fails
from zbuf import release, retain
from zbuf.errors import ReferenceCountError

DATA = b"counted"


@each_shape
def test_b059_release_is_true_exactly_at_zero(shape: Make) -> None:
    """retain(2) needs three releases; retain returns the handle itself."""
    buf = shape(DATA)
    assert buf.retain() is buf
    assert buf.retain(2) is buf
    assert buf.refcnt == 4
    assert [buf.release(), buf.release(2), buf.refcnt, buf.release()] == [False, False, 1, True]
    assert buf.refcnt == 0


@each_shape
def test_b059_release_below_zero_is_refused(shape: Make) -> None:
    """release(2) at count 1 names both numbers and changes nothing."""
    buf = shape(DATA)
    with fails(ReferenceCountError, buf) as caught:
        buf.release(2)
    assert (caught.value.refcnt, caught.value.change) == (1, -2)
    assert bytes(buf) == DATA


@each_shape
def test_b059_a_dead_handle_stays_dead(shape: Make) -> None:
    """retain and release on it raise, with the count found and the change asked for."""
    buf = shape(DATA)
    buf.release()
    with fails(ReferenceCountError) as caught:
        buf.retain()
    assert (caught.value.refcnt, caught.value.change, buf.refcnt) == (0, 1, 0)
    with fails(ReferenceCountError) as caught:
        buf.release(3)
    assert (caught.value.refcnt, caught.value.change, buf.refcnt) == (0, -3, 0)


@each_shape
def test_b059_counts_of_zero_and_less_are_bad_values(shape: Make) -> None:
    """0 and -1 are ValueError, on live handles."""
    buf = shape(DATA)
    for n in (0, -1, -(2**63)):
        with fails(ValueError, buf):
            buf.retain(n)
        with fails(ValueError, buf):
            buf.release(n)


@each_fresh_shape
def test_b059_a_count_does_not_overflow(shape: Make) -> None:
    """Above 2**31 - 1 it raises ReferenceCountError and stays."""
    buf = shape(DATA)
    for n in (2**31 - 1, 2**62, 2**63 - 1):
        with fails(ReferenceCountError, buf) as caught:
            buf.retain(n)
        assert (caught.value.refcnt, caught.value.change) == (1, n)
    buf.retain(2**31 - 2)
    assert buf.refcnt == 2**31 - 1
    with fails(ReferenceCountError, buf):
        buf.retain()
    assert not buf.release(2**31 - 2)
    with fails(OverflowError, buf):
        buf.retain(2**63)


@each_shape
def test_b061_with_gives_up_one_count(shape: Make) -> None:
    """Released at exit; with a count more, one is left; the block may have released it itself."""
    with shape(DATA) as buf:
        assert bytes(buf) == DATA
    assert buf.refcnt == 0
    with shape(DATA) as buf:
        buf.retain()
    assert buf.refcnt == 1
    for finish in ("release", "move"):
        with shape(DATA) as buf:
            getattr(buf, finish)()
        assert buf.refcnt == 0


@each_shape
def test_b061_an_exception_inside_with_passes(shape: Make) -> None:
    """The buffer is released, the exception goes on."""
    buf = shape(DATA)
    with pytest.raises(KeyError), buf:
        raise KeyError("inside")
    assert buf.refcnt == 0


@each_fresh_shape
def test_retain_and_release_functions_pass_other_objects_through(shape: Make) -> None:
    """zbuf.retain and zbuf.release act on counted objects and leave others alone."""
    buf = shape(DATA)
    assert retain(buf) is buf
    assert (buf.refcnt, release(buf), release(buf), buf.refcnt) == (2, False, True, 0)
    thing = object()
    assert retain(thing) is thing
    assert release(thing) is False
    assert (retain("text"), release(None)) == ("text", False)
