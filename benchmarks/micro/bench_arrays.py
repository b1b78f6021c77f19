"""Arrays of numpy on a buffer's bytes, and their bytes into it, against numpy by itself.

Owns    the rows.
Never   how a statement is timed.
Always  both sides are given the same dtype object, make the same array, and drop it at the next turn. Without numpy
        there are no rows."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import zbuf
from benchmarks._report import Report, Settings, Target
from benchmarks.micro._loops import Statement
from benchmarks.micro._rows import Row, measure, room, walking

NAME = "arrays"
SUMMARY = "read_array, as_array, write_array, gathering, pickling against numpy.frombuffer, bytearray +=, join"
METHOD = (
    "Nanoseconds per operation, the same loop on every side, nothing subtracted. numpy.frombuffer reads bytes, and is "
    "given the same dtype object; read_array moves its own index on, which by hand is `at += size`."
)
READ = Target("at most", 1.5)
SIZES = {"64 B": 64, "1 KiB": 1024, "64 KiB": 65536}
PIECES = 16


def rows() -> Iterator[Row]:
    """Yield every operation; none without numpy."""
    if importlib.util.find_spec("numpy") is None:
        return
    for label, size in SIZES.items():
        yield from _reading(label, size)
    yield from _asking()
    for label, size in SIZES.items():
        yield from _writing(label, size)
    yield _gathering()
    yield from _pickling()


def run(settings: Settings) -> Iterator[Report]:
    """Measure every row."""
    missing = "" if importlib.util.find_spec("numpy") else " numpy is not installed here, so there is nothing to show."
    yield measure("arrays", METHOD + missing, rows(), settings)


def _reading(label: str, size: int) -> Iterator[Row]:
    import numpy as np

    dtype = np.dtype(">u4")
    data = bytes(room(size))
    hand = {"data": data, "frombuffer": np.frombuffer, "dtype": dtype, "n": size // 4, "array": None}
    for kind, buf in (("", zbuf.copied(data)), (", of wrapped bytes", zbuf.wrap(data))):
        ours = {"buf": buf, "dtype": dtype, "n": size // 4, "array": None}
        yield Row(
            f"read_array(dtype, n) of {label}{kind}",
            walking("array = buf.read_array(dtype, n)", ours, size, "buf.reader_index = 0"),
            {
                "frombuffer(bytes, dtype)": Statement("array = frombuffer(data, dtype)", {**hand, "data": bytes(size)}),
                "frombuffer(bytes, dtype, n, at), at += size": walking(
                    f"array = frombuffer(data, dtype, n, at); at += {size}", hand, size, "at = 0"
                ),
            },
            {"frombuffer(bytes, dtype)": READ} if size == 1024 and not kind else {},
        )


def _asking() -> Iterator[Row]:
    """The same array of 1 KiB, asked for in other ways."""
    import numpy as np

    piece = bytes(1024)
    dtype = np.dtype(">u4")
    hand = {"data": piece, "frombuffer": np.frombuffer, "asarray": np.asarray, "dtype": dtype, "array": None}
    shown = {"frombuffer(bytes, dtype)": Statement("array = frombuffer(data, dtype)", hand)}
    ours = {"buf": zbuf.copied(piece), "asarray": np.asarray, "dtype": dtype, "array": None}
    yield Row("as_array(dtype) of 1 KiB", Statement("array = buf.as_array(dtype)", ours), shown)
    yield Row("as_array(dtype), read-only", Statement("array = buf.as_array(dtype)", {
        **ours, "buf": zbuf.copied(piece).as_read_only(),
    }), shown)  # fmt: skip
    yield Row(
        "as_array('>u4') of 1 KiB",
        Statement("array = buf.as_array('>u4')", ours),
        {"frombuffer(bytes, '>u4')": Statement("array = frombuffer(data, '>u4')", hand)},
    )
    yield Row(
        "np.asarray(buf) of 1 KiB",
        Statement("array = asarray(buf)", ours),
        {"np.asarray(memoryview)": Statement("array = asarray(data)", {**hand, "data": memoryview(piece)})},
    )


def _writing(label: str, size: int) -> Iterator[Row]:
    import numpy as np

    whole = room(size)
    values = {
        "as it lies": (np.arange(size // 4, dtype=">u4"), "None", "values"),
        "strided": (np.arange(size // 2, dtype=">u4")[::2], "None", "values"),
        "native to network order": (np.arange(size // 4, dtype="<u4"), "dtype", "values.astype(dtype)"),
    }
    for kind, (array, given, made) in values.items():
        names = {"values": array, "dtype": np.dtype(">u4")}
        yield Row(
            f"write_array() of {label}, {kind}",
            walking(f"buf.write_array(values, {given})", {"buf": zbuf.buffer(whole), **names}, size, "buf.clear()"),
            {
                "bytearray += tobytes()": walking(
                    f"out += {made}.tobytes()", {"out": bytearray(), **names}, size, "out.clear()"
                )
            },
            in_quick_run=size == 1024,
        )


def _gathering() -> Row:
    import numpy as np

    piece = bytes(1024)
    parts = [piece] * PIECES
    buf = zbuf.wrap(*parts)
    names = {"dtype": np.dtype(">u4"), "array": None}
    return Row(
        f"read_array(dtype) of {PIECES} components of 1 KiB",
        Statement("buf.reader_index = 0; array = buf.read_array(dtype)", {"buf": buf, **names}),
        {
            "frombuffer(b''.join(parts), dtype)": Statement(
                "array = frombuffer(join(parts), dtype)",
                {"parts": parts, "join": b"".join, "frombuffer": np.frombuffer, **names},
            )
        },
    )


def _pickling() -> Iterator[Row]:
    import pickle

    piece = bytes(65536)
    tools = {"dumps": pickle.dumps, "loads": pickle.loads, "parts": [], "again": None}
    text = "parts = []; again = loads(dumps({0}, 5, buffer_callback=parts.append), buffers=parts)"
    yield Row(
        "pickled out of band and loaded, 64 KiB",
        Statement(text.format("buf"), {"buf": zbuf.copied(piece), **tools}),
        {
            "PickleBuffer(bytearray)": Statement(
                text.format("box(data)"), {"data": bytearray(piece), "box": pickle.PickleBuffer, **tools}
            ),
            "bytearray, in band": Statement("again = loads(dumps(data, 5))", {"data": bytearray(piece), **tools}),
        },
    )
