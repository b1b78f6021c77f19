"""A seeded script of operations, run by each form in a process of its own; it prints what every call did.

Owns    the choice of calls and arguments, good and bad; the transcript.
Never   an expectation: the two transcripts are compared with each other, not with a truth.
Always  the choices depend on the seed alone, so both forms make the same calls.

    python tests/contracts/_script.py SEED STEPS
"""

from __future__ import annotations

import io
import random
import struct
import sys
from typing import Any

import zbuf
from zbuf import _form
from zbuf.errors import ZbufError
from zbuf.testing._shapes import SHAPE_NAMES
from zbuf.testing._shapes import shape as build

WORDS = (
    "boolean", "byte", "unsigned_byte", "short", "unsigned_short", "medium", "unsigned_medium", "int", "unsigned_int",
    "long", "unsigned_long", "float", "double",
)  # fmt: skip
STORED = ("boolean", "byte", "short", "medium", "int", "long", "float", "double")
PROPERTIES = (
    "reader_index", "writer_index", "capacity", "max_capacity", "readable_bytes", "writable_bytes",
    "max_writable_bytes", "is_readable", "is_writable", "is_read_only", "is_contiguous", "refcnt",
)  # fmt: skip
TEXTS = ("", "abc", "ü€😀", "\ud800", b"x", None)
# What a pooled block held before is nobody's promise.
NAMES = tuple(name for name in SHAPE_NAMES if "pooled" not in name)


class Index:
    """An integer by `__index__` only."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value

    def __repr__(self) -> str:
        return f"Index({self.value})"


class OnlyInt(Index):
    """No integer at all, though int() takes it."""

    __index__ = None  # type: ignore[assignment]  # the point

    def __int__(self) -> int:
        return self.value


class Out:
    """A stream that takes as much as it is told, and says so; a number that is too large is a lie."""

    def __init__(self, answers: tuple[Any, ...]) -> None:
        self.answers = list(answers)
        self.got: list[str] = []

    def write(self, view: memoryview) -> Any:
        self.got.append(bytes(view).hex())
        answer = self.answers.pop(0) if self.answers else 1
        return min(answer, len(view)) if answer in (1, 2, 3, 100) else answer

    def __repr__(self) -> str:
        return f"Out({self.got})"


class In:
    """A stream that gives as much as it is told, and says so."""

    def __init__(self, data: bytes, answers: tuple[Any, ...]) -> None:
        self.data = data
        self.answers = list(answers)

    def readinto(self, view: memoryview) -> Any:
        answer = self.answers.pop(0) if self.answers else 9
        if type(answer) is not int:
            return answer
        part, self.data = self.data[:answer][: len(view)], self.data[answer:]
        view[: len(part)] = part
        return len(part)

    def __repr__(self) -> str:
        return f"In({self.data.hex()})"


class Script:
    """Makes random calls on a handful of buffers and prints what came of each."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.bufs = [self.new() for _ in range(3)]

    def new(self) -> zbuf.ByteBuf:
        rng = self.rng
        data = rng.randbytes(rng.choice((0, 1, 5, 16, 40)))
        kind = rng.randrange(6)
        if kind == 0:
            buf = zbuf.buffer(len(data), len(data) + rng.choice((0, 3, 100)))
            buf.write_bytes(data[: rng.randint(0, len(data))])
            return buf
        if kind == 1:
            whole = zbuf.composite(rng.choice((60, 1000, sys.maxsize)))
            for _ in range(rng.randrange(4)):
                whole.append(rng.choice((zbuf.copied, bytes, zbuf.wrap))(data[:9]))
            return whole
        return build(rng.choice(NAMES), data)

    def integer(self) -> Any:
        rng = self.rng
        value = rng.choice((0, 0, 1, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 20, 40, -1, -3, 100, 2**31, 2**63 - 1, -(2**63)))
        kind = rng.randrange(40)
        if kind == 0:
            return rng.choice((2**63, 2**64, 2**70, -(2**70), -(2**63) - 1))
        if kind == 1:
            return rng.choice((1.0, 1.9, "1", None, b"1", OnlyInt(1), 1j))
        return Index(value) if kind == 2 else bool(value) if kind == 3 else value

    def value(self) -> Any:
        edges = [s * 2**b + d for b in (0, 7, 8, 15, 16, 23, 24, 31, 32, 63, 64) for s in (1, -1) for d in (-1, 0, 1)]
        return self.rng.choice([*edges, self.integer()])

    def number(self) -> Any:
        infinite = (float("inf"), float("nan"))
        return self.rng.choice((0.0, -0.0, 1.5, 0.1, 1e39, -1e39, 3.5e38, *infinite, 10**400, self.integer()))

    def source(self) -> Any:
        rng = self.rng
        data = rng.randbytes(rng.choice((0, 1, 2, 3, 8, 30)))
        kind = rng.randrange(12)
        if kind == 0:
            return rng.choice((None, "text", 5, memoryview(b"abcdef")[::2], [1]))
        if kind <= 3:
            return rng.choice(self.bufs)
        return rng.choice((bytes, bytearray, memoryview))(data)

    def out(self) -> Any:
        return self.rng.choice((Out((100,)), Out((3, 1, 0, 2)), Out((2, None)), Out((2, -1)), Out((99999,)), None, []))

    def stream(self) -> Any:
        data = self.rng.randbytes(self.rng.choice((0, 1, 5, 40)))
        return self.rng.choice((io.BytesIO(data), In(data, (2, 3, None)), In(data, (1, "x")), In(data, (0,)), None))

    def needle(self) -> Any:
        rng = self.rng
        live = [buf for buf in self.bufs if buf.refcnt and buf.is_readable]
        if live and rng.random() < 0.6:
            whole = bytes(rng.choice(live))
            at = rng.randrange(len(whole))
            return whole[at : at + rng.randrange(4)]
        return rng.choice((self.integer(), self.source()))

    def layout(self) -> Any:
        return self.rng.choice((">HI", "<q", "BI", "", "3sx", struct.Struct(">bB"), "bad", None, ">d"))

    def call(self) -> tuple[str, tuple[Any, ...]]:
        """Choose a method and its arguments."""
        rng, integer = self.rng, self.integer
        tail = rng.choice(("", "_le"))
        word, stored = rng.choice(WORDS), rng.choice(STORED)
        value = self.number() if stored in ("float", "double") else self.value()
        optional: tuple[Any, ...] = tuple(rng.choice((None, integer())) for _ in range(rng.randrange(3)))
        key = rng.choice((integer(), slice(*(optional or (None,)))))
        return rng.choice(
            (
                (f"get_{word}{tail if word not in WORDS[:3] else ''}", (integer(),)),
                (f"read_{word}{tail if word not in WORDS[:3] else ''}", ()),
                (f"peek_{word}{tail if word not in WORDS[:3] else ''}", ()),
                (f"set_{stored}{tail if stored not in STORED[:2] else ''}", (integer(), value)),
                (f"write_{stored}{tail if stored not in STORED[:2] else ''}", (value,)),
                ("get_bytes", (integer(), integer())),
                ("read_bytes", (integer(),)),
                ("write_bytes", (self.source(), *optional)),
                ("set_bytes", (integer(), self.source(), *optional)),
                ("read_bytes_into", (self.source(), *optional)),
                ("get_bytes_into", (integer(), self.source(), *optional)),
                ("read_to", (self.out(), *optional[:1])),
                ("get_to", (integer(), self.out(), integer())),
                ("write_from", (self.stream(), rng.choice((1, 3, 9, 0, -1, integer())))),
                ("set_from", (integer(), self.stream(), integer())),
                ("set_zero", (integer(), rng.choice((integer(), 2)))),
                ("write_zero", (rng.choice((0, 1, 3, 9, -1, "1")),)),
                ("skip_bytes", (integer(),)),
                ("set_index", (integer(), integer())),
                ("set_capacity", (rng.choice((0, 3, 20, 50, -1, 2**63, "5")),)),
                ("ensure_writable", (rng.choice((0, 1, 30, -1, 2**64, None)),)),
                ("try_ensure_writable", (rng.choice((0, 1, 30, -1, 2**64, None)),)),
                ("can_read", (integer(),)),
                ("can_write", (integer(),)),
                ("discard_read_bytes", ()),
                ("discard_some_read_bytes", ()),
                ("compact", ()),
                ("clear", ()),
                ("write_varint", (value,)),
                ("write_varint_zigzag", (value,)),
                ("read_varint", ()),
                ("read_varint_zigzag", ()),
                ("get_varint", (integer(),)),
                ("read_struct", (self.layout(),)),
                ("get_struct", (integer(), self.layout())),
                ("write_struct", (self.layout(), value, integer())),
                ("set_struct", (integer(), self.layout(), value, integer())),
                ("write_string", (rng.choice(TEXTS), rng.choice(("utf-8", "ascii", "?")))),
                ("set_string", (integer(), rng.choice(("ab", "ü", 5)))),
                ("read_string", (integer(), rng.choice(("latin-1", "utf-8")))),
                ("get_string", (integer(), integer(), "latin-1")),
                ("to_string", ("latin-1", "strict", *optional)),
                ("find", (self.needle(), *optional)),
                ("rfind", (self.needle(), *optional)),
                ("bytes_before", (self.needle(), *optional)),
                ("index_of", (integer(), integer(), integer())),
                ("find_all", (self.needle(), *optional)),
                ("count", (self.needle(), *optional)),
                ("split_indices", (self.needle(), *optional)),
                ("startswith", (self.needle(),)),
                ("endswith", (self.needle(),)),
                ("find_any", (self.needle(), *optional)),
                ("find_not", (self.needle(), *optional)),
                ("is_text", (*optional[:2],)),
                ("slice", optional),
                ("copy", optional),
                ("view", optional),
                ("read_slice", (integer(),)),
                ("duplicate", ()),
                ("as_read_only", ()),
                ("split", optional[:1]),
                ("split_off", (integer(),)),
                ("move", ()),
                ("retain", (rng.choice((1, 2, 0, -1, 2**31, 2**64)),)),
                ("release", (rng.choice((1, 1, 2, 0, "1")),)),
                ("readable_views", optional),
                ("append", (self.source(),)),
                ("prepend", (self.source(),)),
                ("extend", ([self.source(), self.source()],)),
                ("component", (integer(),)),
                ("consolidate", optional),
                ("discard_read_components", ()),
                ("insert_component", (integer(), self.source())),
                ("pop_component", (integer(),)),
                ("to_component_index", (integer(),)),
                ("to_byte_index", (integer(),)),
                ("component_at_offset", (integer(),)),
                ("decompose", (integer(), integer())),
                ("__getitem__", (key,)),
                ("__setitem__", (key, rng.choice((value, self.source())))),
                ("__contains__", (self.needle(),)),
                ("__eq__", (self.source(),)),
                ("__lt__", (self.source(),)),
                ("__hash__", ()),
                ("__len__", ()),
                ("reader_index=", (integer(),)),
                ("writer_index=", (integer(),)),
            )
        )

    def step(self) -> str:
        """Make one call and describe it, its outcome and the buffer afterwards."""
        which = self.rng.randrange(len(self.bufs))
        buf = self.bufs[which]
        name, arguments = self.call()
        said = f"{type(buf).__name__} {name}({', '.join(self.show(a) for a in arguments)})"
        try:
            if name.endswith("="):
                result: Any = setattr(buf, name[:-1], *arguments)
            else:
                result = getattr(buf, name)(*arguments)
        except Exception as exc:  # compared, whatever it is
            outcome = f"{type(exc).__name__} {sorted(self.attributes(exc).items())}"
        else:
            outcome = self.show(result)
            if isinstance(result, zbuf.ByteBuf) and result is not buf:
                self.bufs[self.rng.randrange(len(self.bufs))] = result
        targets = " ".join(self.show(a) for a in arguments if isinstance(a, bytearray | zbuf.ByteBuf | Out | In))
        if buf.refcnt == 0 or self.rng.random() < 0.03:
            self.bufs[which] = self.new()
        return f"{said} -> {outcome} | {self.show(buf)} {targets}"

    @staticmethod
    def attributes(exc: Exception) -> dict[str, Any]:
        if not isinstance(exc, ZbufError):
            return {}
        names = ("requested", "available", "index", "max_capacity", "refcnt", "change", "position")
        return {name: getattr(exc, name) for name in names if hasattr(exc, name)}

    def show(self, thing: Any) -> str:
        if isinstance(thing, zbuf.ByteBuf):
            if thing.refcnt == 0:
                return repr(thing)
            seen = {name: getattr(thing, name) for name in PROPERTIES}
            return f"{thing!r} {list(seen.values())} {bytes(thing).hex()}"
        if isinstance(thing, memoryview):
            return f"view({thing.readonly}, {bytes(thing).hex()})"
        if isinstance(thing, bytes | bytearray):
            return f"{type(thing).__name__} {thing.hex()}"
        if isinstance(thing, list | tuple):
            return f"{type(thing).__name__}[{', '.join(self.show(item) for item in thing)}]"
        if isinstance(thing, io.BytesIO):
            return f"BytesIO({thing.getvalue().hex()}, {thing.tell()})"
        return repr(thing) if not isinstance(thing, struct.Struct) else thing.format


def main(seed: int, steps: int) -> None:
    """Print the form to stderr and the transcript to stdout."""
    sys.stderr.write(_form.form())
    script = Script(seed)
    for number in range(steps):
        sys.stdout.write(f"{number} {script.step()}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
