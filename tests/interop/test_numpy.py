"""NumPy and buffers, beyond shapes: its own calls on a buffer, its arrays in a buffer, and life without it.

Owns    BEHAVIOURS 121 as numpy's user writes it; of 124 that numpy is not needed until it is asked for.
Never   the array methods over every shape: tests/contracts/test_arrays.py has them.
Always  what must not have imported numpy runs in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from zbuf import _form, buffer, composite, copied, wrap
from zbuf.errors import ReadOnlyError, ReferenceCountError

np = pytest.importorskip("numpy")

ROOT = Path(__file__).resolve().parent.parent.parent
exports = pytest.mark.skipif(
    not _form.EXPORTS_BUFFERS, reason="before 3.12 the interpreted form exports through view() only"
)

BLOCKED = """
import sys
sys.modules["numpy"] = None  # what a missing package looks like to an import statement
import zbuf
buf = zbuf.copied(b"\\0\\1\\0\\2")
for call in (
    lambda: buf.read_array(">u2"),
    lambda: buf.as_array(),
    lambda: buf.write_array([1, 2]),
    lambda: buf.__array__(),
    lambda: buf.__dlpack__(),
):
    try:
        call()
    except ImportError as exc:
        print("numpy" in str(exc), buf.reader_index, bytes(buf))
class Tensor:
    def __dlpack_device__(self): return (1, 0)
    def __dlpack__(self): raise AssertionError
try:
    zbuf.wrap(Tensor())
except ImportError as exc:
    print("numpy" in str(exc))
print(buf.__dlpack_device__(), buf.read_short())
"""
UNTOUCHED = """
import sys
import zbuf, zbuf.testing
buf = zbuf.copied(b"abcd")
buf.read_bytes(1), buf.view(), zbuf.wrap(bytearray(3)), bytes(buf)
print("numpy" in sys.modules)
buf.read_array("u1")
print("numpy" in sys.modules)
"""


def output_of(program: str) -> str:
    """Run a program in a process of its own, in the form under test."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_b124_without_numpy_everything_else_works() -> None:
    """Importing zbuf works; the array methods raise ImportError, say what is missing, and change nothing."""
    lines = output_of(BLOCKED).splitlines()
    assert lines == [r"True 0 b'\x00\x01\x00\x02'"] * 5 + ["True", "(1, 0) 1"]


def test_b124_numpy_is_imported_by_the_first_array() -> None:
    """And by nothing before it."""
    assert output_of(UNTOUCHED).split() == ["False", "True"]


@exports
def test_b121_frombuffer_shares_memory_both_ways() -> None:
    """np.frombuffer(buf, ">u4") looks at the readable bytes, and stays valid after the release."""
    buf = copied(b"skip" + bytes(range(8)))
    buf.skip_bytes(4)
    array = np.frombuffer(buf, ">u4")
    assert array.tolist() == [0x00010203, 0x04050607]
    array[0] = 0xCAFEBABE
    assert buf.get_unsigned_int(4) == 0xCAFEBABE
    buf.set_int(8, 7)
    buf.release()
    assert array.tolist() == [0xCAFEBABE, 7]


def test_b121_frombuffer_of_a_view_is_the_same_in_every_form() -> None:
    """view() is the export where the handle has none."""
    buf = copied(bytes(range(8)))
    array = np.frombuffer(buf.view(), "<u2")
    buf.set_short_le(2, 0x7777)
    buf.release()
    assert (array[1], array.flags.writeable) == (0x7777, True)


@exports
def test_b121_frombuffer_of_a_read_only_buffer_is_read_only() -> None:
    """And stays so."""
    for buf in (wrap(b"abcd"), copied(b"abcd").as_read_only()):
        array = np.frombuffer(buf, "u1")
        assert not array.flags.writeable
        with pytest.raises(ValueError):
            array.setflags(write=True)


def test_wrap_an_array_shares_its_memory() -> None:
    """Any dtype, by its bytes; several dimensions in C order; read-only arrays stay read-only."""
    array = np.arange(6, dtype=">u2").reshape(2, 3)
    buf = wrap(array)
    assert (buf.capacity, buf.is_read_only, bytes(buf)) == (12, False, array.tobytes())
    buf.set_short(2, 500)
    assert array[0, 1] == 500
    array[1, 2] = 9
    assert buf.read_array(">u2").tolist() == [0, 500, 2, 3, 4, 9]
    record = np.zeros(2, [("a", "u1"), ("b", ">f8")])
    assert wrap(record).capacity == 18
    assert wrap(np.array(1.5)).read_double_le() == 1.5
    array.flags.writeable = False
    assert wrap(array).is_read_only
    with pytest.raises(ReadOnlyError):
        wrap(array).set_byte(0, 1)


def test_wrap_refuses_what_is_not_in_one_piece() -> None:
    """Strided, transposed and Fortran-ordered arrays: BufferError; copying them is write_array's."""
    base = np.arange(12, dtype="u1").reshape(3, 4)
    for array in (base[:, ::2], base.T, np.asfortranarray(base), base[::-1], base[:, 1:2]):
        with pytest.raises(BufferError):
            wrap(array)
        with pytest.raises(BufferError):
            composite().append(array)
        buf = buffer()
        assert buf.write_array(array) == array.size
        assert bytes(buf) == array.tobytes()
    assert bytes(wrap(base[1:2])) == bytes(range(4, 8))


def test_an_array_cannot_be_resized_while_it_is_wrapped() -> None:
    """numpy refuses; after the last holder it works again."""
    array = np.zeros(4, "u1")
    buf = wrap(array)
    with pytest.raises(ValueError, match="resize"):
        array.resize(8)
    buf.release()
    array.resize(8, refcheck=False)
    assert array.size == 8


def test_arithmetic_and_functions_take_a_buffer() -> None:
    """As an array of uint8, by __array__ where the form exports nothing."""
    buf = wrap(b"\1\2\3", b"\4")
    assert np.sum(buf) == 10
    assert (np.asarray(buf) + 1).tolist() == [2, 3, 4, 5]
    target = np.zeros(4, "u1")
    target[:] = buf
    assert target.tolist() == [1, 2, 3, 4]
    buf.release()
    for call in (np.asarray, np.array, np.sum):
        with pytest.raises(ReferenceCountError):
            call(buf)


def test_integers_of_numpy_are_indices_and_values() -> None:
    """np.int64 where an int is wanted (rule I10)."""
    buf = buffer()
    buf.write_int(np.uint32(5))
    assert buf.get_int(np.int64(0)) == 5
    assert buf.read_array(np.dtype("u1"), np.int8(4)).size == 4
